// SPDX-License-Identifier: BSD-3-Clause
// graph_trace.h - watch single packets on their way through a graph
//
// What happens to each packet is told as it happens: the nodes it enters, what each says of it, packets
// that nodes make, and how all end. A graph that is watched runs its nodes packet by packet, so that the
// one at hand is the cause of what is made meanwhile. A graph that is not watched pays nothing on the way of
// packets (nodes are watched by another process() in front of theirs) and a comparison for a packet
// that is emitted, released, or dropped by the machinery.
#ifndef WEIR_CORE_GRAPH_TRACE_H
#define WEIR_CORE_GRAPH_TRACE_H

#include "core/graph.h"

// By the graph's lcore. A packet is told by its buffer, which is another packet's once this one has ended.
struct graph_watch {
	void *arg;
	// pkt enters node.
	void (*enter)(void *arg, const struct node *node, struct mbuf *pkt);
	// The node's process() has said `next` (NEXT_*, or an out-edge) of pkt; not yet acted upon. was: as
	// which buffer the packet entered, if it left as another (reassembly), else pkt.
	void (*leave)(void *arg, const struct node *node, struct mbuf *was, struct mbuf *pkt,
		      uint8_t next);
	// The node made pkt while the packet that was last entered and has not left was at hand, or none
	// (housekeeping). A shared buffer (refcnt > 1) may be one that is known: then it goes there, too.
	void (*emit)(void *arg, const struct node *node, struct mbuf *pkt);
	// A packet that node held goes on.
	void (*release)(void *arg, const struct node *node, struct mbuf *pkt);
	// A packet that node held, or the machinery had (node "graph"), is dropped.
	void (*drop)(void *arg, const struct node *node, uint8_t reason, struct mbuf *pkt);
};

// Watches the graph from now on; NULL: no more. Between turns of its lcore, when all nodes have been added.
// *w is the caller's and lives until the graph is destroyed, which tells of packets that are still held.
void graph_trace(struct graph *g, const struct graph_watch *w);

// How the machinery and statistics call drop reason `reason` of node; "?" when there is none.
const char *node_drop_name(const struct node *node, unsigned reason);

#endif
