// SPDX-License-Identifier: BSD-3-Clause
// hdr_priv.h - what hdr.c and hdr_read.c share: buckets, and the layout of a list of carries
#ifndef WEIR_APPS_PKTGEN_HDR_PRIV_H
#define WEIR_APPS_PKTGEN_HDR_PRIV_H

#include "apps/pktgen/hdr.h"

// A unit of carries: the number of the next one, how many entries it has, and those: bucket, times.
#define CARRY_NEXT	0
#define CARRY_USED	1
#define CARRY_ENTRIES	((HDR_UNIT - 2) / 2)
#define CARRY_BUCKET(n) (2 + 2 * (n))
#define CARRY_TIMES(n)	(3 + 2 * (n))

static inline uint64_t hdr_bucket_low(unsigned b)
{
	unsigned shift = b < 2 * HDR_COUNTERS ? 0 : b / HDR_COUNTERS - 1;

	return (uint64_t)(b - shift * HDR_COUNTERS) << shift;
}

static inline uint64_t hdr_bucket_high(unsigned b)
{
	return hdr_bucket_low(b + 1) - 1;
}

// What bucket b counts, while another lcore records.
uint64_t hdr_bucket_count(const struct hdr *h, unsigned b);
// The same of every bucket that is not empty, from the lowest on.
void hdr_buckets(const struct hdr *h, void (*each)(void *arg, unsigned b, uint64_t n), void *arg);
void hdr_sum(const struct hdr *h, uint64_t *sum, uint64_t *sums);

#endif
