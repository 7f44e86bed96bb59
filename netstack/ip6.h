// SPDX-License-Identifier: BSD-3-Clause
// ip6.h - the IPv6 header (RFC 8200), its next headers, and classes of addresses (RFC 4291)
//
// Addresses are 16 bytes as on the wire, at any alignment.
#ifndef WEIR_NETSTACK_IP6_H
#define WEIR_NETSTACK_IP6_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/wire.h"
#include "netstack/ip.h"

#define IP6_HLEN    40u
#define IP6_HOPS    64	  // of what we send
#define IP6_MTU_MIN 1280u // RFC 8200, 5: what every link carries

// Values of a next header field.
#define IP6_HOP_BY_HOP	 0
#define IP6_PROTO_TCP	 6
#define IP6_PROTO_UDP	 17
#define IP6_ROUTING	 43
#define IP6_FRAGMENT	 44
#define IP6_PROTO_ICMP	 58
#define IP6_NO_NEXT	 59
#define IP6_DEST_OPTIONS 60

struct ip6_hdr {      // network byte order
	uint32_t vtf; // version, traffic class, flow label
	uint16_t len; // of what follows this header
	uint8_t next;
	uint8_t hops;
	uint8_t src[16];
	uint8_t dst[16];
} __attribute__((packed));
static_assert(sizeof(struct ip6_hdr) == IP6_HLEN, "wire format");

// RFC 8200, 4.5.
struct ip6_frag_hdr { // network byte order
	uint8_t next;
	uint8_t reserved;
	uint16_t off; // in units of 8 bytes << 3, and IP6_FRAG_MORE
	uint32_t id;
} __attribute__((packed));
#define IP6_FRAG_HLEN 8u
#define IP6_FRAG_MORE 0x0001 // of off, host byte order
#define IP6_FRAG_OFF  0xfff8 // the same: the offset in bytes
static_assert(sizeof(struct ip6_frag_hdr) == IP6_FRAG_HLEN, "wire format");

static inline union ip_addr ip6_addr(const uint8_t a[16])
{
	union ip_addr u;

	u.w[0] = load64(a);
	u.w[1] = load64(a + 8);
	return u;
}

static inline bool ip6_equal(const uint8_t a[16], const uint8_t b[16])
{
	return ((load64(a) ^ load64(b)) | (load64(a + 8) ^ load64(b + 8))) == 0;
}

// The first plen (0 to 128) bits of a are those of b.
static inline bool ip6_prefix_equal(const uint8_t a[16], const uint8_t b[16], unsigned plen)
{
	uint64_t x = __builtin_bswap64(load64(a) ^ load64(b));
	uint64_t y = __builtin_bswap64(load64(a + 8) ^ load64(b + 8));

	if (plen <= 64)
		return !plen || x >> (64 - plen) == 0;
	return !x && y >> (128 - plen) == 0;
}

// The prefix of an address: the bits behind plen cleared.
static inline union ip_addr ip6_prefix(const uint8_t a[16], unsigned plen)
{
	union ip_addr u = ip6_addr(a);
	uint64_t mask = plen % 64 ? __builtin_bswap64(~0ull << (64 - plen % 64)) : 0;

	if (plen < 64)
		u.w[0] &= mask;
	if (plen <= 64)
		u.w[1] = 0;
	else if (plen < 128)
		u.w[1] &= mask;
	return u;
}

static inline bool ip6_unspecified(const uint8_t a[16]) // ::
{
	return (load64(a) | load64(a + 8)) == 0;
}

static inline bool ip6_loopback(const uint8_t a[16]) // ::1
{
	return load64(a) == 0 && load64(a + 8) == __builtin_bswap64(1);
}

static inline bool ip6_v4_mapped(const uint8_t a[16]) // ::ffff:0:0/96
{
	return load64(a) == 0 && load32(a + 8) == be32(0xffff);
}

static inline bool ip6_link_local(const uint8_t a[16]) // fe80::/10
{
	return (load16(a) & be16(0xffc0)) == be16(0xfe80);
}

static inline bool ip6_ula(const uint8_t a[16]) // fc00::/7, RFC 4193
{
	return (a[0] & 0xfe) == 0xfc;
}

static inline bool ip6_multicast(const uint8_t a[16])
{
	return a[0] == 0xff;
}

// Scopes (RFC 4291, 2.7; RFC 7346), of a multicast address and of a unicast one.
#define IP6_SCOPE_INTERFACE 1
#define IP6_SCOPE_LINK	    2
#define IP6_SCOPE_SITE	    5
#define IP6_SCOPE_GLOBAL    14

static inline unsigned ip6_scope(const uint8_t a[16])
{
	if (ip6_multicast(a))
		return a[1] & 0xf;
	if (ip6_loopback(a))
		return IP6_SCOPE_INTERFACE;
	return ip6_link_local(a) ? IP6_SCOPE_LINK : IP6_SCOPE_GLOBAL;
}

// An address that a host can have and that may stand in a packet on a link (RFC 4291, 2.5; RFC
// 4038, 4.2 for those that stand for IPv4).
static inline bool ip6_unicast(const uint8_t a[16])
{
	return !ip6_multicast(a) && !ip6_unspecified(a) && !ip6_loopback(a) && !ip6_v4_mapped(a);
}

// The MAC address of a group (RFC 2464, 7).
static inline void ip6_group_mac(uint8_t mac[6], const uint8_t group[16])
{
	store16(mac, be16(0x3333));
	store32(mac + 2, load32(group + 12));
}

// ff02::1:ffXX:XXXX of an address (RFC 4291, 2.7.1).
static inline union ip_addr ip6_solicited_node(const uint8_t a[16])
{
	union ip_addr g = {.v6 = {0xff, 2, [11] = 1, [12] = 0xff, a[13], a[14], a[15]}};

	return g;
}

// fe80:: and the modified EUI-64 of a MAC address (RFC 4291, 2.5.1 and 2.5.6; RFC 2464, 4 and 5).
static inline union ip_addr ip6_link_local_of(const uint8_t mac[6])
{
	union ip_addr a = {.v6 = {0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3],
				  mac[4], mac[5]}};

	return a;
}

static const union ip_addr ip6_all_nodes = {.v6 = {0xff, 2, [15] = 1}};
static const union ip_addr ip6_all_routers = {.v6 = {0xff, 2, [15] = 2}};
static const union ip_addr ip6_all_routers_site = {.v6 = {0xff, 5, [15] = 2}}; // RFC 4291, 2.7.1

// "2001:db8::1" of an address, in RFC 5952's form, for messages.
#define IP6_TEXT_MAX 46u
const char *ip6_text(char text[IP6_TEXT_MAX], const uint8_t a[16]);

#endif
