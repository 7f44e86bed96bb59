// SPDX-License-Identifier: BSD-3-Clause
// l2_world.h - eth-input, bridges and groups between recording ports, for tests of layer 2
//
//	ports 0 to 5: 02:00:00:00:00:00 to 05, MTU 1500
// What eth-input gives to IP or ARP is recorded too.
#ifndef WEIR_TESTS_UNIT_NETSTACK_L2_WORLD_H
#define WEIR_TESTS_UNIT_NETSTACK_L2_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "netstack/bridge.h"
#include "netstack/group.h"
#include "netstack/l2_graph.h"

#define L2_PORTS  6
#define L2_FRAMES 256
#define L2_UP	  0xff // in place of a port: to IP or ARP

struct l2_frame {
	uint16_t port;
	uint16_t iface; // with L2_UP: it came in by
	uint32_t flags;
	uint16_t l3, l4;
	size_t len;
	uint8_t b[4096];
};

struct l2 {
	struct clock clock;
	struct graph *g;
	struct ifaces *ifs;
	struct mempool *pool;
	struct node *in, *up;
	struct node *tx[IFACE_OUTS_MAX];
	struct l2_frame frame[L2_FRAMES]; // what came out, in order
	unsigned n;
};

// `make` makes the interfaces beside the ports. One world at a time.
struct l2 *l2_open(void (*make)(struct ifaces *ifs));
void l2_close(struct l2 *l); // checks that books balance and no buffer is lost

// A frame from bytes: "DST SRC TAGS... TYPE" in hex (each MAC as its last byte when it has one),
// then n bytes 0, 1, 2 ...
struct l2_frame l2_frame(const char *dst, const char *src, const char *rest, size_t n);

struct mbuf *l2_mbuf(struct l2 *l, uint16_t port, const struct l2_frame *f);

// Receives it by a port; how many frames came out is l->n.
void l2_rx(struct l2 *l, uint16_t port, struct l2_frame f);

// A frame that the router finished leaves by the out of an interface.
void l2_tx(struct l2 *l, uint16_t iface, struct l2_frame f);

// That f and nothing else came out by `port` since the last look (of several: among them).
void l2_came(const struct l2 *l, uint16_t port, struct l2_frame f);
void l2_only(const struct l2 *l, uint16_t port, struct l2_frame f);

uint64_t l2_drops(const struct l2 *l, const char *node, const char *reason);
void l2_pass(struct l2 *l, uint64_t ns); // time, with housekeeping

#endif
