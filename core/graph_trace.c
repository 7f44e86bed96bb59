// SPDX-License-Identifier: BSD-3-Clause
// graph_trace.c - a process() in front of the nodes' own, which tells what they do
#include "core/graph_trace.h"

#include "core/graph_private.h"

// What the node says of one packet.
static uint8_t process_one(struct node *node, struct mbuf **pkt)
{
	// Neither edge nor reason; a node that has no process() has edge 0.
	uint8_t next = node->def->process ? NEXT_DROP(NODE_DROPS_MAX) : 0;

	if (node->def->process)
		node->def->process(node, pkt, &next, 1);
	if (node->all)
		next = (uint8_t)node->all;
	node->all = 0;
	return next;
}

static void watched(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct graph_watch *w = node->graph->watch;

	for (unsigned i = 0; i < n; i++) {
		struct mbuf *was = pkts[i];

		w->enter(w->arg, node, was);
		next[i] = process_one(node, &pkts[i]);
		w->leave(w->arg, node, was, pkts[i], next[i]);
	}
}

void graph_trace(struct graph *g, const struct graph_watch *w)
{
	g->watch = w;
	for (unsigned i = 0; i < g->nodes; i++)
		g->node[i]->process = w ? watched : g->node[i]->def->process;
}

const char *node_drop_name(const struct node *node, unsigned reason)
{
	return reason < node->drops ? node->def->drops[reason] : "?";
}
