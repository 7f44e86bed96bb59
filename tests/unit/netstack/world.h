// SPDX-License-Identifier: BSD-3-Clause
// world.h - a whole IPv4 router between recording ports, for tests of its nodes
//
//	port 0 "wan"  192.0.2.1/24     02:00:00:00:00:02  default route via 192.0.2.254
//	port 1 "lan"  198.51.100.1/24  02:00:00:00:00:01
//	port 2 "dmz"  10.0.0.1/24      02:00:00:00:00:03  MTU 576
// Known (static): 192.0.2.254, .10; 198.51.100.10; 10.0.0.10. MAC of a host a.b.c.d: 02:01:a:b:c:d.
// world6.h has one that speaks IPv6, too.
#ifndef WEIR_TESTS_UNIT_NETSTACK_WORLD_H
#define WEIR_TESTS_UNIT_NETSTACK_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "netstack/ip4_graph.h"
#include "netstack/ip6_graph.h"

#define WAN	     0
#define LAN	     1
#define DMZ	     2
#define WORLD_PORTS  3
#define WORLD_FRAMES 8192
#define FRAME_MAX    9100

struct frame {
	uint16_t port;
	uint16_t len;
	uint32_t flags; // what the sender has to do, with world.offloads
	uint16_t mss, l3, l4;
	uint64_t l4_head; // with MBUF_L4_HEAD
	uint8_t bytes[FRAME_MAX];
};

struct world {
	struct clock clock;
	struct graph *g;
	struct ip4_stack *s;
	struct ip6_stack *s6; // NULL: IPv4 alone
	struct mempool *pool;
	struct node *in;
	struct node *tx[WORLD_PORTS];
	struct frame *out; // what was sent, in order
	unsigned sent;
	bool offloads; // the ports do checksums and segments
};

// The interfaces of such a router: its three ports.
struct ifaces *world_ifaces(void);

// conf may be NULL. Tests take one world at a time; world_close() checks that the books balance,
// that every chain was sound and that no packet was lost.
struct world *world_open(const struct ip4_conf *conf);

// The same with interfaces or a stack that somebody has had in his hands.
struct world *world_open_stack(const struct ip4_conf *conf, void (*stack)(struct ip4_stack *s));
struct world *world_open_with(const struct ip4_conf *conf, void (*ifaces)(struct ifaces *ifs));
void world_close(struct world *w);

// A world whose ports have IPv6 as well, as conf says in addition to world6.h; configure6 (may be NULL)
// adds to it.
struct world *world_open_dual(const struct ip4_conf *conf, const struct ip6_conf *conf6,
			      void (*configure6)(struct ip6_stack *s));

// Checks the books, and that all buffers but those of held packets are in the pool.
void world_check(struct world *w);

// Receives a frame by a port and runs it to its end. seg: bytes of each segment, 0: as the pool has
// it.
void world_rx(struct world *w, uint16_t port, const void *bytes, size_t len);
void world_rx_chain(struct world *w, uint16_t port, const void *bytes, size_t len, uint16_t seg);
struct mbuf *world_mbuf(struct world *w, uint16_t port, const void *bytes, size_t len,
			uint16_t seg);

// Time passes; housekeeping runs at every moment it asked for.
void world_pass(struct world *w, uint64_t ns);

// Takes every buffer that is left; what comes back stands for them until it is given to the other.
struct mbuf *world_empty_pool(struct world *w);
void world_refill_pool(struct mbuf *all);

// The drop counter of "reason" of node `node`; fails the test when there is none of that name.
uint64_t world_drops(const struct world *w, const char *node, const char *reason);
uint64_t world_dropped(const struct world *w); // all of them
uint64_t world_held(const struct world *w);

// The only frame sent since the last call, which left by `port`. Fails the test otherwise.
const struct frame *world_sent(struct world *w, uint16_t port);

// --- bytes of packets, by simple means of their own ---

struct packet {
	uint8_t b[FRAME_MAX];
	size_t len;
};

uint32_t ip(unsigned a, unsigned b, unsigned c, unsigned d); // network byte order
void host_mac(uint8_t mac[6], uint32_t addr);		     // of a host, address in network order
// "0200 0000 0002" to bytes; returns how many.
size_t unhex(const char *hex, uint8_t *out);
// RFC 1071 by the book: big-endian words, one by one.
uint16_t book_csum(const void *p, size_t len, uint32_t start);

// A frame from host src to host dst, arriving at `port`; UDP by default, with n payload bytes.
struct packet udp_packet(uint16_t port, uint32_t src, uint32_t dst, size_t n);
struct packet icmp_packet(uint16_t port, uint32_t src, uint32_t dst, uint8_t type, uint8_t code,
			  size_t n);
struct packet tcp_packet(uint16_t port, uint32_t src, uint32_t dst, uint8_t flags, uint32_t seq,
			 uint32_t ack, size_t n);
// After the IPv4 header was changed.
void fix_ip(struct packet *p);
struct ip4_hdr *packet_ip(struct packet *p);
void world_rx_packet(struct world *w, uint16_t port, const struct packet *p);

void arp_packet(struct packet *p, const uint8_t dst[6], uint16_t op, const uint8_t sha[6],
		uint32_t spa, const uint8_t tha[6], uint32_t tpa);

#endif
