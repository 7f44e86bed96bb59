// SPDX-License-Identifier: BSD-3-Clause
// burst.h - loops over bursts that drivers share
#ifndef WEIR_PMD_BURST_H
#define WEIR_PMD_BURST_H

#include "mempool/mbuf.h"

// Bytes of up to 64 packets: 32 bits hold the sum, each length is below 2^24. Unrolled, since over
// packets in the first-level cache a loop's own instructions would be half of all.
static always_inline uint32_t burst_bytes_64(struct mbuf *const *pkts, unsigned n)
{
	uint32_t bytes = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	return bytes;
}

// Bytes of n packets.
static always_inline uint64_t burst_bytes(struct mbuf *const *pkts, unsigned n)
{
	uint64_t bytes = 0;

	for (; n > 64; pkts += 64, n -= 64)
		bytes += burst_bytes_64(pkts, 64);
	return bytes + burst_bytes_64(pkts, n);
}

struct burst_bits { // of all packets, ORed: not below any length, so that one comparison may settle
	uint32_t len, flags; // that none is too long
};

static always_inline struct burst_bits burst_bits(struct mbuf *const *pkts, unsigned n)
{
	struct burst_bits b = {0, 0};

#pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++) {
		b.len |= pkts[i]->pkt_len;
		b.flags |= pkts[i]->flags;
	}
	return b;
}

#endif
