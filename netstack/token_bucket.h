// SPDX-License-Identifier: BSD-3-Clause
// token_bucket.h - how often something may be done: a rate, and a burst above it
#ifndef WEIR_NETSTACK_TOKEN_BUCKET_H
#define WEIR_NETSTACK_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

struct token_bucket { // in ns: a token is worth 1/rate seconds
	uint64_t cost, max, level, last;
	bool started;
};

// Full at first. rate: at most 10^9 a second; 0 with a burst of 0: never a token.
static inline void token_bucket_init(struct token_bucket *b, uint32_t rate, uint32_t burst)
{
	b->cost = rate ? NSEC_PER_SEC / rate : 1;
	b->max = b->cost * burst;
	b->level = b->max;
	b->started = false;
}

// Takes a token at time now (ns). False when there is none.
static inline bool token_bucket_take(struct token_bucket *b, uint64_t now)
{
	uint64_t passed = b->started && now > b->last ? now - b->last : 0;

	b->level = passed > b->max - b->level ? b->max : b->level + passed;
	b->last = now;
	b->started = true;
	if (b->level < b->cost)
		return false;
	b->level -= b->cost;
	return true;
}

#endif
