// SPDX-License-Identifier: BSD-3-Clause
// hdr.h - histograms of high dynamic range: any value to three significant digits, in little memory
//
// After Gil Tene's HdrHistogram: 2,048 buckets for the smallest values, one each, and 1,024 for every further
// power of two, so that a bucket is at most 1/1024 of its values wide. Memory comes in units of 64
// counters, from a pool made beforehand, when a unit's first value comes: a narrow distribution needs two or three.
// Counts are of any size: a counter that reaches 2^31 carries into a list.
//
// One lcore records (and resets); any other may at the same time hdr_add() what there is to a histogram of its own.
// While the pool is reset for another trial what it reads is of neither, but no harm.
#ifndef WEIR_APPS_PKTGEN_HDR_H
#define WEIR_APPS_PKTGEN_HDR_H

#include <stddef.h>
#include <stdint.h>

#include "core/lcore.h"

#define HDR_PARTS    32	  // powers of two, of 1,024 buckets each
#define HDR_COUNTERS 1024
#define HDR_MAX	     ((1ull << 41) - 1) // 36 minutes in ns; values above count as that
#define HDR_UNIT     64u
#define HDR_DIRS     (HDR_PARTS * HDR_COUNTERS / (HDR_UNIT * HDR_UNIT))
#define HDR_CARRY    (1u << 31)

struct hdr_pool;

struct hdr {
	uint64_t count; // of all values
	uint64_t min, max; // UINT64_MAX and 0 while there is none: hdr_min()
	uint64_t sum, sums; // sums counts times 2^63
	uint64_t unplaced; // counted in all of the above, but the pool had no memory for their bucket
	struct hdr_pool *pool;
	uint32_t (*unit)[HDR_UNIT]; // the pool's
	uint32_t dir[HDR_DIRS];	    // numbers of units that hold numbers of units; 0: none
	uint32_t carries;	    // number of the unit that holds carries; 0: none
	uint32_t units;		    // the pool's
};

// Memory for `parts` parts of 1,024 counters (4 KiB each), of one lcore. NULL: no memory.
struct hdr_pool *hdr_pool_create(uint32_t parts);
void hdr_pool_destroy(struct hdr_pool *p); // of all its histograms
void hdr_pool_reset(struct hdr_pool *p);   // all its histograms have to be hdr_init()ed anew

void hdr_init(struct hdr *h, struct hdr_pool *pool);
void hdr_reset(struct hdr *h); // gives its memory back to the pool
// Adds b to a, of whatever pools; b may be recorded into meanwhile by another lcore.
void hdr_add(struct hdr *a, const struct hdr *b);
// a = a - b, of an earlier copy of the same histogram: what came between. Minimum and maximum are then the
// ends of buckets, and so exact to three digits.
void hdr_subtract(struct hdr *a, const struct hdr *b);
// The least bucket's highest value (at most the maximum) with at least share (0 to 1) of all values at or below
// it; 0: none.
uint64_t hdr_value_at(const struct hdr *h, double share);
double hdr_mean(const struct hdr *h);
double hdr_deviation(const struct hdr *h); // standard, of the population
// Every bucket that holds something, from the lowest on.
void hdr_each(const struct hdr *h, void (*each)(void *arg, uint64_t low, uint64_t high, uint64_t count), void *arg);

// --- recording ---

// Gives bucket b a counter and counts a value there; without memory: in unplaced.
void hdr_grow(struct hdr *h, unsigned b);
// The counter of bucket b has reached HDR_CARRY.
void hdr_carry(struct hdr *h, unsigned b);
void hdr_carry_sum(struct hdr *h);

// A figure that one lcore writes and others read.
#define HDR_SET(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define HDR_GET(x)    __atomic_load_n(&(x), __ATOMIC_RELAXED)

static inline uint64_t hdr_min(const struct hdr *h)
{
	return h->count ? h->min : 0;
}

static inline unsigned hdr_bucket(uint64_t value)
{
	unsigned shift;

	if (unlikely(value > HDR_MAX))
		value = HDR_MAX;
	shift = 53u - (unsigned)__builtin_clzll(value | HDR_COUNTERS);
	return shift * HDR_COUNTERS + (unsigned)(value >> shift);
}

// The counter of bucket b; NULL: it has none yet. Unit 0 is all zeros.
static inline uint32_t *hdr_counter(const struct hdr *h, unsigned b)
{
	uint32_t u = h->unit[h->dir[b / (HDR_UNIT * HDR_UNIT)]][b / HDR_UNIT % HDR_UNIT];

	return u ? &h->unit[u][b % HDR_UNIT] : NULL;
}

// Counts a value in its bucket alone.
static inline void hdr_place(struct hdr *h, uint64_t value)
{
	unsigned b = hdr_bucket(value);
	uint32_t *c = hdr_counter(h, b);
	uint32_t n;

	if (unlikely(!c)) {
		hdr_grow(h, b);
		return;
	}
	n = *c + 1;
	HDR_SET(*c, n);
	if (unlikely(n >= HDR_CARRY))
		hdr_carry(h, b);
}

// Counts n values that were placed, of this sum (below 2^63) and range.
static inline void hdr_account(struct hdr *h, uint64_t n, uint64_t sum, uint64_t min, uint64_t max)
{
	HDR_SET(h->count, h->count + n);
	HDR_SET(h->sum, h->sum + sum);
	if (unlikely(h->sum >> 63))
		hdr_carry_sum(h);
	if (unlikely(min < h->min))
		HDR_SET(h->min, min);
	if (unlikely(max > h->max))
		HDR_SET(h->max, max);
}

static inline void hdr_record(struct hdr *h, uint64_t value)
{
	if (unlikely(value > HDR_MAX))
		value = HDR_MAX;
	hdr_place(h, value);
	hdr_account(h, 1, value, value, value);
}

#endif
