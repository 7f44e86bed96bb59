// SPDX-License-Identifier: BSD-3-Clause
// csum.h - the Internet checksum (RFC 1071) over bytes and over chains of segments
//
// Words are summed as they lie in memory, whatever the byte order of the machine (RFC 1071, 2(B)):
// a result is stored as it is, without swapping. A checksum holds when the sum over everything, the
// checksum included, folds to 0xffff.
#ifndef WEIR_MEMPOOL_CSUM_H
#define WEIR_MEMPOOL_CSUM_H

#include <stddef.h>
#include <stdint.h>

#include "mempool/mbuf.h"

// Folds a sum of up to 2^32 words of 32 bits into 16 bits, end-around carries included.
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

// Adds len bytes at p to sum, as if a zero byte followed an odd last one.
uint64_t csum_add(uint64_t sum, const void *p, size_t len);

// Adds len bytes of a packet from offset off, over all its segments. The packet has them.
uint64_t csum_add_mbuf(uint64_t sum, const struct mbuf *m, uint32_t off, uint32_t len);

#endif
