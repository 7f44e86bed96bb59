// SPDX-License-Identifier: BSD-3-Clause
// wiring.h - joining the nodes of a graph by tables of names
//
// Building: main thread, before the loop starts. Every node that is named is in the graph.
#ifndef WEIR_NETSTACK_WIRING_H
#define WEIR_NETSTACK_WIRING_H

#include "core/err.h"
#include "core/graph.h"

struct wire { // from's fixed edge
	const char *from, *edge, *to;
};

// 0 or -errno, as of node_connect().
int wiring_connect(struct graph *g, const struct wire *wires, unsigned n, struct err *err);

struct wire_sender { // a node that sends by each of the outs (iface.h)
	const char *name;
	unsigned port0; // the number that its edge to the first of them is to get
};

// 0, -ENOSPC, or -EINVAL when an edge gets another number.
int wiring_outs(struct graph *g, const struct wire_sender *senders, unsigned n, struct node *const *tx,
		unsigned outs, struct err *err);

#endif
