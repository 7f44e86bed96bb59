// SPDX-License-Identifier: BSD-3-Clause
// sins.h - one function for each sin of the table in sins.c
#ifndef WEIR_TESTS_SYSTEM_HOSTILE_SINS_H
#define WEIR_TESTS_SYSTEM_HOSTILE_SINS_H

#include "device.h"

// sins_used.c: which buffers are used, in what order, with how many bytes.
bool sin_id_range(struct device *d, unsigned queue);
bool sin_id_huge(struct device *d, unsigned queue);
bool sin_id_twice(struct device *d, unsigned queue);
bool sin_id_idle(struct device *d, unsigned queue);
bool sin_never_given(struct device *d, unsigned queue);
bool sin_backwards(struct device *d, unsigned queue);
bool sin_len_one_more(struct device *d, unsigned queue);
bool sin_len_31_bits(struct device *d, unsigned queue);
bool sin_len_32_bits(struct device *d, unsigned queue);
bool sin_len_0(struct device *d, unsigned queue);
bool sin_len_below_header(struct device *d, unsigned queue);
bool sin_len_header_alone(struct device *d, unsigned queue);
bool sin_index_1_on(struct device *d, unsigned queue);
bool sin_index_ring_on(struct device *d, unsigned queue);
bool sin_index_beyond(struct device *d, unsigned queue);
bool sin_index_back(struct device *d, unsigned queue);
bool sin_wrap_flipped(struct device *d, unsigned queue);
bool sin_flags_ahead(struct device *d, unsigned queue);

// sins_memory.c: headers in front of frames, rings written over, doorbells, silence.
bool sin_merge_0(struct device *d, unsigned queue);
bool sin_merge_most(struct device *d, unsigned queue);
bool sin_merge_no_more(struct device *d, unsigned queue);
bool sin_merge_of_300(struct device *d, unsigned queue);
bool sin_csum_outside(struct device *d, unsigned queue);
bool sin_gso_size_0(struct device *d, unsigned queue);
bool sin_gso_unknown(struct device *d, unsigned queue);
bool sin_gso_headers_huge(struct device *d, unsigned queue);
bool sin_header_noise(struct device *d, unsigned queue);
bool sin_desc_ruined(struct device *d, unsigned queue);
bool sin_avail_ruined(struct device *d, unsigned queue);
bool sin_used_ruined(struct device *d, unsigned queue);
bool sin_chains_without_end(struct device *d, unsigned queue);
bool sin_doorbells_flicker(struct device *d, unsigned queue);
bool sin_interrupts(struct device *d, unsigned queue);
bool sin_silence(struct device *d, unsigned queue);

#endif
