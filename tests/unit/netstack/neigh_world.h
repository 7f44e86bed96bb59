// SPDX-License-Identifier: BSD-3-Clause
// neigh_world.h - a table of neighbors by itself, with a node around it, for tests of both families
//
// Two interfaces, 0 and 1. What asks is an empty frame (of no bytes): by `asked` and `asked_mac` a test sees
// whom for. A packet is 24 bytes: 14 of room for a header, then a number.
#ifndef WEIR_TESTS_UNIT_NETSTACK_NEIGH_WORLD_H
#define WEIR_TESTS_UNIT_NETSTACK_NEIGH_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netstack/neigh.h"

#define SEC NSEC_PER_SEC

struct neigh_world {
	struct clock clock;
	struct graph *g;
	struct mempool *pool;
	struct neigh_table t;
	unsigned asked;		 // how often, since a test set it to 0
	bool asked_all;		 // the last time: not by unicast
	uint8_t asked_mac[6];	 // else: whom
	unsigned sent;		 // packets that left, the same
	unsigned sent_id[64];	 // their numbers
	uint8_t sent_eth[64][14]; // and headers
	unsigned unresolved;	 // packets reported, the same
	unsigned ups, downs;	 // calls of neigh_table.changed
};

// type: ETH_TYPE_IP4 (which times out) or ETH_TYPE_IP6 (which goes stale); reachable in seconds.
struct neigh_world *neigh_open(uint16_t type, uint32_t hops, uint32_t learnt, unsigned reachable);
void neigh_close(struct neigh_world *w); // and checks the books and the pool

union ip_addr nth(uint16_t type, unsigned n); // address number n of a family

// A packet of that number comes to the node, whose adjacency is `index` (a glean: for addr).
void neigh_send(struct neigh_world *w, uint32_t index, const union ip_addr *addr, unsigned id);
void neigh_pass(struct neigh_world *w, uint64_t ns);

// News of neighbor n on interface 0 with mac 02:00:00:00:00:last; 0 for last: without.
uint32_t neigh_tell_news(struct neigh_world *w, unsigned n, uint8_t last, uint8_t flags);

#endif
