// SPDX-License-Identifier: BSD-3-Clause
// ip4.h - the IPv4 header (RFC 791) and classes of addresses (RFC 1812, 4.2.2.11 and 5.3.7)
#ifndef WEIR_NETSTACK_IP4_H
#define WEIR_NETSTACK_IP4_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/wire.h"

#define IP4_HLEN     20u
#define IP4_HLEN_MAX 60u
#define IP4_TTL	     64 // of what we send (RFC 1700's default)

#define IP4_PROTO_ICMP 1
#define IP4_PROTO_TCP  6
#define IP4_PROTO_UDP  17

// Of frag, host byte order.
#define IP4_DF	     0x4000
#define IP4_MF	     0x2000
#define IP4_FRAG_OFF 0x1fff // in units of 8 bytes

struct ip4_hdr { // network byte order
	uint8_t ver_ihl;
	uint8_t tos;
	uint16_t len;
	uint16_t id;
	uint16_t frag;
	uint8_t ttl;
	uint8_t proto;
	uint16_t csum;
	uint32_t src;
	uint32_t dst;
} __attribute__((packed));
static_assert(sizeof(struct ip4_hdr) == IP4_HLEN, "wire format");

static inline uint32_t ip4_hlen(const struct ip4_hdr *ip)
{
	return (ip->ver_ihl & 0xfu) * 4;
}

// Addresses in host byte order from here on.
static inline uint32_t ip4_mask(unsigned plen) // plen 0 to 32
{
	return plen ? ~0u << (32 - plen) : 0;
}

// An address a host can have: not in 0/8, 127/8, class D or class E.
static inline bool ip4_unicast(uint32_t a)
{
	return a < 0xe0000000 && a >> 24 != 0 && a >> 24 != 127;
}

static inline bool ip4_multicast(uint32_t a)
{
	return a >> 28 == 0xe;
}

static inline bool ip4_link_local(uint32_t a) // RFC 3927
{
	return a >> 16 == 0xa9fe;
}

// "192.0.2.1" of an address as four printf arguments for "%u.%u.%u.%u".
#define IP4_FMT	    "%u.%u.%u.%u"
#define IP4_ARGS(a) (a) >> 24, (a) >> 16 & 0xff, (a) >> 8 & 0xff, (a)&0xff

#endif
