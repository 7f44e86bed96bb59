// SPDX-License-Identifier: BSD-3-Clause
// nd_world.h - an IPv6 router between recording ports, for tests of neighbor discovery
//
//	port 0 "wan"  2001:db8:0:1::1/64  fe80::ff:fe00:2  02:00:00:00:00:02
//	port 1 "lan"  2001:db8:0:2::1/64  fe80::ff:fe00:1  02:00:00:00:00:01
// Known (static): 2001:db8:0:1::10 on wan, 02:01:00:00:00:10. The peer of the tests is
// 2001:db8:0:2::77 on lan, 02:01:00:00:00:77.
#ifndef WEIR_TESTS_UNIT_NETSTACK_ND_WORLD_H
#define WEIR_TESTS_UNIT_NETSTACK_ND_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netstack/ip6_graph.h"
#include "netstack/nd.h"

#define WAN	 0
#define LAN	 1
#define ND_PORTS 2
#define SEC	 NSEC_PER_SEC
#define OUT_MAX	 256

#define SELF	  "20010db8000000020000000000000001" // on lan
#define SELF_LINK "fe80000000000000000000fffe000001"
#define PEER	  "20010db8000000020000000000000077"
#define PEER_MAC  "020100000077"

struct nd_frame {
	uint64_t at; // when it was sent
	uint16_t port, len;
	uint8_t bytes[1518];
};

struct nd_world {
	struct clock clock;
	struct graph *g;
	struct ip6_stack *s;
	struct mempool *pool;
	struct node *in, *tx[ND_PORTS];
	struct nd_frame out[OUT_MAX];
	unsigned sent;
};

struct nd_conf {
	unsigned dad;
	uint32_t hold, learnt;
	uint64_t seed;
	const struct nd_ra *ra; // of lan; may be NULL
	unsigned lcore, lcores;
	struct nd_world *lcore0;
};

// MLD's reports are not recorded, and the start is over: no RA or DAD is due before the first
// nd_world_pass().
struct nd_world *nd_world_open(const struct nd_conf *conf);
void nd_world_close(struct nd_world *w); // and checks the books and the pool

void nd_world_rx(struct nd_world *w, uint16_t port, const void *bytes, size_t len, uint16_t seg);
void nd_world_pass(struct nd_world *w, uint64_t ns);

uint64_t nd_world_drops(const struct nd_world *w, const char *node, const char *reason);

// The only frame sent since the last call, by `port`, is `hex`.
void nd_world_expect(struct nd_world *w, uint16_t port, const char *hex);
void nd_world_quiet(struct nd_world *w); // nothing was sent

size_t nd_unhex(const char *hex, uint8_t *out);

struct nd_packet {
	uint8_t b[1518];
	size_t len;
};

// An ICMPv6 message (its bytes in hex, the checksum's anything) to a station: length and checksum
// are made right by simple means.
struct nd_packet nd_packet(const char *dst_mac, const char *src, const char *dst, uint8_t hops,
			   const char *message);
void nd_world_rx_packet(struct nd_world *w, uint16_t port, const struct nd_packet *p);

// A datagram from 2001:db8:0:1::10 to the peer, with that number in its flow label.
void nd_world_send(struct nd_world *w, unsigned id);
bool nd_is_datagram(const struct nd_frame *f, unsigned id);

#endif
