// SPDX-License-Identifier: BSD-3-Clause
// graph_private.h - what the files of the graph share: core/graph*.c alone
#ifndef WEIR_CORE_GRAPH_PRIVATE_H
#define WEIR_CORE_GRAPH_PRIVATE_H

#include "core/graph.h"

#ifdef WEIR_AUDIT
#define GRAPH_AUDIT true
#else
#define GRAPH_AUDIT false
#endif

enum { GRAPH_DROP_DEPTH, GRAPH_DROP_BAD_EDGE, GRAPH_DROP_EMIT_FULL }; // of the pseudo-node

struct pending { // a packet emitted or released, waiting for its run
	struct mbuf *pkt;
	struct node *to;
	unsigned depth; // at which it enters `to`
};

struct graph_watch;

struct graph {
	const struct clock *clock;
	const struct graph_watch *watch; // graph_trace(); NULL: nobody
	uint64_t tsc;   // the last boundary between nodes
	uint64_t rx;    // packets
	unsigned depth; // of the node that runs; 0 outside
	unsigned head, tail; // of pending, running freely: tail - head packets wait
	uint64_t due;        // the earliest of node_due[]
	unsigned nodes;
	struct node *node[GRAPH_NODES_MAX];
	uint64_t node_due[GRAPH_NODES_MAX];
	struct node self; // the pseudo-node "graph"
	struct pending pending[GRAPH_PENDING_MAX];
};

// Runs n packets from `node`, which is the depth-th on their way, to their end.
void graph_run(struct graph *g, struct node *node, struct mbuf **pkts, unsigned n, unsigned depth);

// Runs what was emitted or released until nothing of it is left.
void graph_run_pending(struct graph *g);

// Drops n packets on the machinery's account.
void graph_drop_self(struct graph *g, unsigned reason, struct mbuf **pkts, unsigned n);

// Audit builds: the books balance and nothing is pending, or abort.
void graph_audit(const struct graph *g);

// Audit builds: a node broke the contract. Says which and how, prints the books, aborts.
_Noreturn void graph_fault(const struct graph *g, const struct node *node, const char *what,
			   unsigned value);

#endif
