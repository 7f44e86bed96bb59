// SPDX-License-Identifier: BSD-3-Clause
// wiring.c - joining the nodes of a graph by tables of names
#include "netstack/wiring.h"

#include <errno.h>

int wiring_connect(struct graph *g, const struct wire *wires, unsigned n, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < n; i++)
		rc = node_connect(graph_find(g, wires[i].from), wires[i].edge,
				  graph_find(g, wires[i].to), err);
	return rc;
}

static int connect_outs(struct node *from, unsigned port0, struct node *const *tx, unsigned outs,
			struct err *err)
{
	for (unsigned p = 0; p < outs; p++) {
		int edge = node_add_edge(from, tx[p], err);

		if (edge < 0)
			return edge;
		if ((unsigned)edge != port0 + p)
			return err_set(err, -EINVAL, "%s: out %u got edge %d, not %u", from->name, p,
				       edge, port0 + p);
	}
	return 0;
}

int wiring_outs(struct graph *g, const struct wire_sender *senders, unsigned n, struct node *const *tx,
		unsigned outs, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < n; i++)
		rc = connect_outs(graph_find(g, senders[i].name), senders[i].port0, tx, outs, err);
	return rc;
}
