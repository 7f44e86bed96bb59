// SPDX-License-Identifier: BSD-3-Clause
// rss_node.h - which lcore a flow meets, where a port does not spread flows itself
#ifndef WEIR_NETSTACK_RSS_NODE_H
#define WEIR_NETSTACK_RSS_NODE_H

#include "core/blob.h"
#include "core/graph.h"
#include "pmd/rss.h"

// Adds node "rss-NAME", which sends a packet out by the edge whose number is its lcore's: the
// caller adds `lcores` edges (node_add_edge) in that order. Hashed are the addresses of IPv4 and
// IPv6, and the ports of TCP and UDP where the packet is no fragment; everything else goes to lcore
// 0. Sets mbuf.hash.
struct node *rss_node_add(struct graph *g, const char *name, enum blob_rss key, unsigned lcores,
			  struct err *err);

// The hash of a frame. False: it is of no flow.
bool rss_flow(const struct rss_table *t, const struct mbuf *m, uint32_t *hash);

#endif
