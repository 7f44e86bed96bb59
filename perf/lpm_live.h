// SPDX-License-Identifier: BSD-3-Clause
// lpm_live.h - the prefix tables' benchmark: updates while another thread looks up
#ifndef WEIR_PERF_LPM_LIVE_H
#define WEIR_PERF_LPM_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#define LPM_LIVE_BURST 64u

struct lpm_live {
	const char *name; // "lpm4"
	void *arg;
	uint32_t prefixes; // those with an even number come and go
	// Looks LPM_LIVE_BURST addresses up whose longest prefix stays: how many answers were
	// wrong.
	unsigned (*read)(void *arg, uint64_t *seed);
	// Withdraws a prefix, announces it; 0 or -errno.
	int (*withdraw)(void *arg, uint32_t i);
	int (*announce)(void *arg, uint32_t i);
	void (*quiescent)(void *arg);
};

// Prints updates and lookups a second, by processor time and by the wall clock. False: an answer
// was wrong, or an update refused.
bool lpm_bench_live(const struct lpm_live *l);

#endif
