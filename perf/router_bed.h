// SPDX-License-Identifier: BSD-3-Clause
// router_bed.h - parts of router_run.c: the table, what circulating packets ask for, the router
#ifndef WEIR_PERF_ROUTER_BED_H
#define WEIR_PERF_ROUTER_BED_H

#include "core/graph.h"
#include "mempool/mempool.h"
#include "netstack/ip.h"
#include "perf/routes.h"

#define BED_HOPS  8u // neighbors that the routes lead to
#define BED_FLOWS (1u << 20)

struct bed_table {
	unsigned family; // 4 or 6
	struct routes r4;
	struct routes6 r6;
	uint32_t flows; // destinations, each inside a prefix
	union ip_addr *dst;
};

// `prefixes` of those of a file (NULL: random ones), spread over all of it; 0: all. 0 or -errno.
int bed_table_make(struct bed_table *t, unsigned family, const char *file, uint32_t prefixes,
		   uint32_t flows);

// Node "feed": every packet that enters becomes one to the next destination, with a fresh header.
struct node *bed_feed_add(struct graph *g, const struct bed_table *t, struct err *err);

// A first packet of `len` bytes, for feed to fill in. NULL: the pool is empty.
struct mbuf *bed_packet(const struct bed_table *t, struct mempool *pool, unsigned len);

// The router's nodes with the table; routes lead to neighbors at the last port. Returns where
// packets enter, or NULL.
struct node *bed_router4(struct graph *g, struct mempool *pool, const struct bed_table *t,
			 struct node *const *tx, unsigned ports, struct err *err);

struct node *bed_router6(struct graph *g, struct mempool *pool, const struct bed_table *t,
			 struct node *const *tx, unsigned ports, struct err *err);

extern const uint8_t bed_mac[6], bed_host_mac[6]; // the router's, and of who sends to it

#endif
