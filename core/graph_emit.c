// SPDX-License-Identifier: BSD-3-Clause
// graph_emit.c - packets that nodes make or have held, and the housekeeping that moves them on
//
// They wait in a queue until the burst at hand has ended: no node is entered while it runs. The depth
// they were made at goes with them, so a ring of nodes that answer each other ends like any other.
#include "core/graph.h"
#include "core/graph_private.h"
#include "core/graph_trace.h"
#include "mempool/mempool.h"

#define PENDING_MASK (GRAPH_PENDING_MAX - 1)

static void pend(struct node *node, uint8_t edge, struct mbuf *pkt)
{
	struct graph *g = node->graph;
	struct pending *p = &g->pending[g->tail & PENDING_MASK];

	if (unlikely(edge >= node->edges)) {
		if (GRAPH_AUDIT)
			graph_fault(g, node, "emitted or released to an edge it has not:", edge);
		graph_drop_self(g, GRAPH_DROP_BAD_EDGE, &pkt, 1);
		return;
	}
	if (unlikely(g->tail - g->head == GRAPH_PENDING_MAX)) {
		graph_drop_self(g, GRAPH_DROP_EMIT_FULL, &pkt, 1);
		return;
	}
	p->pkt = pkt;
	p->to = node->edge[edge];
	p->depth = g->depth + 1;
	g->tail++;
}

void graph_emit(struct node *node, uint8_t edge, struct mbuf *pkt)
{
	const struct graph_watch *w = node->graph->watch;

	node->stats.generated++;
	if (unlikely(w))
		w->emit(w->arg, node, pkt);
	pend(node, edge, pkt);
}

// Within process() held may pass below 0: what is held and let go in one burst is counted when that
// returns. graph_audit() looks later.
void graph_release(struct node *node, uint8_t edge, struct mbuf *pkt)
{
	const struct graph_watch *w = node->graph->watch;

	node->stats.held--;
	if (unlikely(w))
		w->release(w->arg, node, pkt);
	pend(node, edge, pkt);
}

void graph_drop_held(struct node *node, uint8_t reason, struct mbuf *pkt)
{
	const struct graph_watch *w = node->graph->watch;

	node->stats.held--;
	if (unlikely(reason >= node->drops)) {
		if (GRAPH_AUDIT)
			graph_fault(node->graph, node, "dropped for a reason it has not:", reason);
		graph_drop_self(node->graph, GRAPH_DROP_BAD_EDGE, &pkt, 1);
		return;
	}
	if (unlikely(w))
		w->drop(w->arg, node, reason, pkt);
	node->stats.drop[reason]++;
	mbuf_free(pkt);
}

void graph_made_held(struct node *node, unsigned n)
{
	node->stats.generated += n;
	node->stats.held += n;
}

void graph_joined_held(struct node *node, unsigned n)
{
	node->stats.held -= n;
	node->stats.consumed += n;
}

void graph_sent_held(struct node *node, unsigned n)
{
	node->stats.held -= n;
	node->stats.sent += n;
}

// Takes up to a burst of packets that wait for the same node at the same depth. Copied out of the
// queue first: their run may put others in.
void graph_run_pending(struct graph *g)
{
	struct mbuf *pkts[GRAPH_BURST];

	while (g->head != g->tail) {
		struct pending first = g->pending[g->head & PENDING_MASK];
		unsigned n = 0;

		while (g->head != g->tail && n < GRAPH_BURST) {
			const struct pending *p = &g->pending[g->head & PENDING_MASK];

			if (p->to != first.to || p->depth != first.depth)
				break;
			pkts[n++] = p->pkt;
			g->head++;
		}
		graph_run(g, first.to, pkts, n, first.depth);
	}
}

void graph_wake(struct node *node, uint64_t at)
{
	struct graph *g = node->graph;

	if (!node->def->housekeep)
		return;
	if (at < g->node_due[node->id])
		g->node_due[node->id] = at;
	if (at < g->due)
		g->due = at;
}

static void housekeep_node(struct graph *g, struct node *node, uint64_t now)
{
	const char *owner = mempool_owner;
	uint64_t due;

	if (GRAPH_AUDIT)
		mempool_owner = node->name;
	g->node_due[node->id] = TIME_NEVER;
	due = node->def->housekeep(node, now);
	graph_wake(node, due > now ? due : now + 1);
	if (g->head != g->tail) {
		g->tsc = tsc_read();
		graph_run_pending(g);
		g->depth = 0;
	}
	if (GRAPH_AUDIT) {
		graph_audit(g);
		mempool_owner = owner;
	}
}

uint64_t graph_housekeep(struct graph *g, uint64_t now)
{
	uint64_t due = TIME_NEVER;

	if (likely(now < g->due))
		return g->due;
	for (unsigned i = 0; i < g->nodes; i++)
		if (g->node_due[i] <= now && g->node_due[i] != TIME_NEVER)
			housekeep_node(g, g->node[i], now);
	// Only now: a later node's packets may have woken an earlier one.
	for (unsigned i = 0; i < g->nodes; i++)
		if (g->node_due[i] < due)
			due = g->node_due[i];
	g->due = due;
	return due;
}

uint64_t graph_now(const struct node *node)
{
	return node->graph->clock->now;
}
