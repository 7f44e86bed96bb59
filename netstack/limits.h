// SPDX-License-Identifier: BSD-3-Clause
// limits.h - the bounds that the stacks of both families have
#ifndef WEIR_NETSTACK_LIMITS_H
#define WEIR_NETSTACK_LIMITS_H

#include <stdint.h>

#include "core/err.h"
#include "mempool/mempool.h"
#include "netstack/token_bucket.h"

static inline uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

// What of n falls to one of some lcores; 0 lcores: there is one.
static inline uint32_t lcore_share(uint32_t n, unsigned lcore, unsigned lcores)
{
	if (!lcores)
		lcores = 1;
	return n / lcores + (lcore < n % lcores);
}

// An lcore's share of `rate` reports a second, and `burst` at once.
static inline void limits_reports(struct token_bucket *b, uint32_t rate, uint32_t burst, unsigned lcore,
				  unsigned lcores)
{
	rate = lcore_share(rate, lcore, lcores);
	burst = lcore_share(burst, lcore, lcores);
	// A rate with a burst of nothing would be no rate; a share of no rate has no burst either.
	token_bucket_init(b, rate, rate ? or_default(burst, 1) : 0);
}

struct limits { // what a configuration asks for
	uint64_t neighbors;
	uint32_t hold; // packets a neighbor
	const struct mempool *pool;
	const char *reports; // "ICMP"
	uint32_t rate;	     // of them, a second
};

// 0, or -EINVAL: what is out of bounds.
int limits_check(const struct limits *l, struct err *err);

#endif
