// SPDX-License-Identifier: BSD-3-Clause
// world6.h - the router of world.h with IPv6 as well, and bytes of IPv6 packets
//
//	port 0 "wan"  2001:db8:1::1/64  fe80::ff:fe00:2   4000::/2 via fe80::fe
//	port 1 "lan"  2001:db8:2::1/64  fe80::ff:fe00:1   2001:db8:f000::/36 via 2001:db8:1::fe
//(wan) 	port 2 "dmz"  2001:db8:3::1/64  fe80::ff:fe00:3   MTU 1280
// Known (static): wan 2001:db8:1::10, 2001:db8:1::fe, fe80::fe; lan 2001:db8:2::10, fe80::10; dmz
// 2001:db8:3::10. The MAC address of a host: 02:06 and the last 4 bytes of its address.
#ifndef WEIR_TESTS_UNIT_NETSTACK_WORLD6_H
#define WEIR_TESTS_UNIT_NETSTACK_WORLD6_H

#include "tests/unit/netstack/world.h"

#define WAN6	 "2001:db8:1::1"
#define LAN6	 "2001:db8:2::1"
#define DMZ6	 "2001:db8:3::1"
#define WAN6_LL	 "fe80::ff:fe00:2"
#define LAN6_LL	 "fe80::ff:fe00:1"
#define WAN_HOST "2001:db8:1::10"
#define LAN_HOST "2001:db8:2::10"
#define DMZ_HOST "2001:db8:3::10"

// conf may be NULL. What it says unasked when it starts (reports of its groups) is over, and
// forgotten.
struct world *world6_open(const struct ip6_conf *conf);
struct world *world6_start(const struct ip6_conf *conf); // the same, but not over

union ip_addr addr6(const char *text);
void host6_mac(uint8_t mac[6], const char *addr);
void group6_mac(uint8_t mac[6], const char *addr); // 33:33 and the last 4 bytes

// A frame from host src to dst, arriving at `port`, to the port's MAC address or dst's group's.
struct packet ip6_packet(uint16_t port, const char *src, const char *dst, uint8_t next, size_t n);
struct packet udp6_packet(uint16_t port, const char *src, const char *dst, size_t n);
struct packet tcp6_packet(uint16_t port, const char *src, const char *dst, uint8_t flags,
			  uint32_t seq, uint32_t ack, size_t n);
// An ICMPv6 message: type, code, four bytes `param`, and n more; with its checksum.
struct packet icmp6_packet(uint16_t port, const char *src, const char *dst, uint8_t type,
			   uint8_t code, uint32_t param, size_t n);
struct packet echo6_packet(uint16_t port, const char *src, const char *dst, size_t n);

// Puts extension header bytes (hex; the first is its own next header field, which is filled in)
// behind the headers of p, whose next header field in front of it says `kind`. at: bytes from the
// IPv6 header where it goes, `next_at` the place of the field that shall name it.
void insert6(struct packet *p, size_t at, size_t next_at, uint8_t kind, const char *hex);

// The checksum of the upper layer of a frame (IPv6 header at `l3`, its own at `l4`) that covers len
// bytes: 0 when it is right.
uint16_t check6(const uint8_t *frame, size_t l3, size_t l4, uint8_t proto, size_t len);
void fix6(struct packet *p, size_t csum_at, uint8_t proto); // of a packet without extension headers

#endif
