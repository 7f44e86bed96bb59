// SPDX-License-Identifier: BSD-3-Clause
// csum.h - checksums of IP's headers, and the incremental update (RFC 1624)
//
// As mempool/csum.h: words are summed, and results stored, as they lie in memory.
#ifndef WEIR_NETSTACK_CSUM_H
#define WEIR_NETSTACK_CSUM_H

#include <stdint.h>

#include "core/wire.h"
#include "mempool/csum.h"
#include "netstack/ip4.h"
#include "netstack/ip6.h"

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

// The same of IPv6 (RFC 8200, 8.1) for len bytes of `proto`.
static inline uint64_t csum_pseudo6(const struct ip6_hdr *ip, uint8_t proto, uint32_t len)
{
	uint64_t sum = (uint64_t)be32(len) + be32(proto);

	for (unsigned i = 0; i < 16; i += 4)
		sum += (uint64_t)load32(ip->src + i) + load32(ip->dst + i);
	return sum;
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
