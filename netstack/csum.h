// SPDX-License-Identifier: BSD-3-Clause
// csum.h - the Internet checksum (RFC 1071) and its incremental update (RFC 1624)
//
// Words are summed as they lie in memory, whatever the byte order of the machine (RFC 1071, 2(B)):
// a result is stored as it is, without swapping. A checksum holds when the sum over everything, the
// checksum included, folds to 0xffff.
#ifndef WEIR_NETSTACK_CSUM_H
#define WEIR_NETSTACK_CSUM_H

#include <stddef.h>
#include <stdint.h>

#include "mempool/mbuf.h"
#include "netstack/ip4.h"
#include "netstack/wire.h"

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

// The sum of an option-less IPv4 header, to be folded.
static inline uint64_t csum_ip4_header(const void *p)
{
	const uint8_t *b = p;

	return (uint64_t)load32(b) + load32(b + 4) + load32(b + 8) + load32(b + 12) +
	       load32(b + 16);
}

// The sum of TCP's and UDP's pseudo header (RFC 9293, 3.1; RFC 768); len: of header and data.
static inline uint64_t csum_pseudo(const struct ip4_hdr *ip, uint32_t len)
{
	return (uint64_t)ip->src + ip->dst + be16(ip->proto) + be16(len);
}

// The checksum csum after a 16-bit word it covers changed from `from` to `to` (RFC 1624, equation
// 3; folded twice, as errata 5864 and 5865 point out).
static inline uint16_t csum_update(uint16_t csum, uint16_t from, uint16_t to)
{
	uint32_t sum = (uint32_t)(uint16_t)~csum + (uint16_t)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

// Takes one off the TTL (which is not 0), checksum included. TTL is the first byte of its word, the
// low one as loaded: ~m + m' is always 0xfffe, and one carry is all there can be.
static inline void csum_dec_ttl(struct ip4_hdr *ip)
{
	uint32_t sum = (uint32_t)(uint16_t)~ip->csum + 0xfffe;

	ip->csum = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
	ip->ttl--;
}

#endif
