// SPDX-License-Identifier: BSD-3-Clause
// null_frames.h - the frames that a null port makes: what was asked for, and all of them built
// beforehand
#ifndef WEIR_PMD_NULL_FRAMES_H
#define WEIR_PMD_NULL_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/lcore.h"

#define NULL_FRAME_MIN 60u
#define NULL_FRAME_MAX 1514u
#define NULL_FLOWS_MAX 64512u // source ports 1024 to 65535
#define NULL_HEAD      64u    // bytes of a frame that are its own

enum null_pattern { NULL_UDP, NULL_ZEROS, NULL_INCREMENT, NULL_RANDOM };

struct null_args {
	uint16_t min, max; // frame lengths; 0: nothing is received
	bool imix;	   // 7 of 60, 4 of 590, 1 of 1,514 bytes, in turns
	enum null_pattern pattern;
	uint32_t seed;
	uint32_t src, dst; // IPv4, host order
	uint8_t to[6];	   // destination address of the frames
	uint32_t flows;	   // differ in their source port
};

// Frame i is its own head and then the body, both whole cache lines, cut to its length.
struct null_frames {
	uint8_t body[(NULL_FRAME_MAX + 63) / 64 *
		     64] cache_aligned; // its first NULL_HEAD bytes serve nobody
	uint32_t count;
	uint8_t (*head)[NULL_HEAD];
	uint16_t *len;
};

// "" or KEY=VALUE,… (docs/configuration.md). 0, or -EINVAL and err with what was expected.
int null_parse(const char *text, struct null_args *args, struct err *err);

// Builds all frames of args, sent by `mac`. 0 or -ENOMEM; null_frames_free() in either case.
int null_frames_make(struct null_frames *f, const struct null_args *args, const uint8_t mac[6]);
void null_frames_free(struct null_frames *f);

#endif
