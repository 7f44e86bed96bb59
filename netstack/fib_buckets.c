// SPDX-License-Identifier: BSD-3-Clause
// fib_buckets.c - which leaf of a group has which bucket, so that as few flows as can be change
// paths
#include <string.h>

#include "netstack/fib_priv.h"

#define NOBODY 0xffu

// How many buckets each leaf shall have: its part by weight rounded down, at least one, and what is
// left to those whose parts were cut most (largest remainders).
static void quotas(unsigned *quota, const struct fib_leaves *l)
{
	uint64_t total = 0, rest[FIB_LEAVES_MAX];
	int left = FIB_BUCKETS;

	for (unsigned i = 0; i < l->n; i++)
		total += l->leaf[i].weight;
	for (unsigned i = 0; i < l->n; i++) {
		uint64_t part = (uint64_t)l->leaf[i].weight * FIB_BUCKETS;

		quota[i] = part < total ? 1 : (unsigned)(part / total);
		rest[i] = part < total ? 0 : part % total;
		left -= (int)quota[i];
	}
	for (; left > 0; left--) {
		unsigned best = 0;

		for (unsigned i = 1; i < l->n; i++)
			if (rest[i] > rest[best])
				best = i;
		quota[best]++;
		rest[best] = 0;
	}
	for (; left < 0; left++) { // many small ones were rounded up
		unsigned most = 0;

		for (unsigned i = 1; i < l->n; i++)
			if (quota[i] > quota[most])
				most = i;
		quota[most]--;
	}
}

void fib_buckets_spread(uint8_t home[FIB_BUCKETS], const struct fib_leaves *l)
{
	unsigned quota[FIB_LEAVES_MAX];

	quotas(quota, l);
	for (unsigned b = 0; b < FIB_BUCKETS; b++) {
		if (home[b] < l->n && quota[home[b]])
			quota[home[b]]--;
		else
			home[b] = NOBODY;
	}
	for (unsigned b = 0; b < FIB_BUCKETS; b++) {
		unsigned most = 0;

		if (home[b] != NOBODY)
			continue;
		for (unsigned i = 1; i < l->n; i++)
			if (quota[i] > quota[most])
				most = i;
		home[b] = (uint8_t)most;
		quota[most]--;
	}
}

// Of the leaves that are well the one with the fewest buckets for its weight.
static unsigned least(const unsigned *has, const struct fib_leaves *l, const bool *down)
{
	unsigned best = FIB_LEAVES_MAX;

	for (unsigned i = 0; i < l->n; i++)
		if (!down[i] &&
		    (best == FIB_LEAVES_MAX || (uint64_t)has[i] * l->leaf[best].weight <
						       (uint64_t)has[best] * l->leaf[i].weight))
			best = i;
	return best;
}

void fib_buckets_repair(uint8_t at[FIB_BUCKETS], const uint8_t home[FIB_BUCKETS],
			const struct fib_leaves *l, const bool *down)
{
	unsigned has[FIB_LEAVES_MAX] = {0}, well = 0;

	for (unsigned i = 0; i < l->n; i++)
		well += !down[i];
	for (unsigned b = 0; b < FIB_BUCKETS; b++) {
		// With none that is well, all are tried: somebody has to find out, and be told.
		if (!well || !down[home[b]])
			at[b] = home[b];
		has[at[b]]++;
	}
	for (unsigned b = 0; well && b < FIB_BUCKETS; b++) {
		if (!down[at[b]])
			continue;
		at[b] = (uint8_t)least(has, l, down);
		has[at[b]]++;
	}
}
