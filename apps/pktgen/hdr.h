// SPDX-License-Identifier: BSD-3-Clause
// hdr.h - histograms of high dynamic range: any value to three significant digits, in little memory
//
// After Gil Tene's HdrHistogram: 2,048 buckets for the smallest values, one each, and 1,024 for every further
// power of two, so that a bucket is at most 1/1024 of its values wide. A power of two gets its
// memory, from a pool made beforehand, when its first value comes: most distributions need two or three.
#ifndef WEIR_APPS_PKTGEN_HDR_H
#define WEIR_APPS_PKTGEN_HDR_H

#include <stdbool.h>
#include <stdint.h>

#define HDR_PARTS   32	  // of 1,024 counters: values up to 2^42 - 1 (73 minutes in ns); above count as that
#define HDR_COUNTERS 1024

struct hdr_pool;

struct hdr {
	uint64_t count, min, max;
	unsigned __int128 sum;
	uint64_t unplaced; // counted in all of the above, but the pool had no memory for their bucket
	struct hdr_pool *pool;
	uint32_t *part[HDR_PARTS];
};

// Memory for `parts` parts, of one lcore. NULL: no memory.
struct hdr_pool *hdr_pool_create(uint32_t parts);
void hdr_pool_destroy(struct hdr_pool *p); // of all its histograms

void hdr_init(struct hdr *h, struct hdr_pool *pool);
void hdr_reset(struct hdr *h); // gives its parts back to the pool
void hdr_record(struct hdr *h, uint64_t value);
// Adds b to a, of whatever pools; b may be recorded into meanwhile by another lcore.
void hdr_add(struct hdr *a, const struct hdr *b);
// a = a - b, of an earlier copy of the same histogram: what came between.
void hdr_subtract(struct hdr *a, const struct hdr *b);
// The least bucket's highest value with at least share (0 to 1) of all values at or below it; 0: none.
uint64_t hdr_value_at(const struct hdr *h, double share);
double hdr_mean(const struct hdr *h);
double hdr_deviation(const struct hdr *h); // standard
// Every bucket that holds something, from the lowest on.
void hdr_each(const struct hdr *h, void (*each)(void *arg, uint64_t low, uint64_t high, uint64_t count), void *arg);

#endif
