// SPDX-License-Identifier: BSD-3-Clause
// stats.c - the books of a graph, and the figures of graph and loop by name
#include "core/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/graph.h"
#include "core/graph_private.h"
#include "core/loop.h"

#define NAME_MAX_LEN 160 // "drops." + a node's name + a reason

void graph_books(const struct graph *g, struct graph_books *b)
{
	*b = (struct graph_books){.rx = g->rx};
	for (unsigned i = 0; i < graph_nodes(g); i++) {
		const struct node *node = graph_node(g, i);
		const struct node_stats *s = &node->stats;

		b->generated += s->generated;
		b->tx += s->sent;
		b->consumed += s->consumed;
		b->held += s->held;
		for (unsigned r = 0; r < node->drops; r++)
			b->dropped += s->drop[r];
	}
}

bool graph_balanced(const struct graph_books *b)
{
	return b->rx + b->generated == b->tx + b->consumed + b->dropped + b->held;
}

void graph_fault(const struct graph *g, const struct node *node, const char *what, unsigned value)
{
	struct graph_books b;

	graph_books(g, &b);
	fprintf(stderr,
		"graph: node '%s' %s %u\n"
		"graph: rx %" PRIu64 " + generated %" PRIu64 " = tx %" PRIu64 " + consumed %" PRIu64
		" + dropped %" PRIu64 " + held %" PRIu64 "%s\n",
		node->name, what, value, b.rx, b.generated, b.tx, b.consumed, b.dropped, b.held,
		graph_balanced(&b) ? "" : ": does not balance");
	abort();
}

void graph_audit(const struct graph *g)
{
	struct graph_books b;

	for (unsigned i = 0; i < g->nodes; i++)
		if ((int64_t)g->node[i]->stats.held < 0)
			graph_fault(g, g->node[i], "let go more packets than it held, by",
				    (unsigned)-g->node[i]->stats.held);
	graph_books(g, &b);
	if (!graph_balanced(&b) || g->head != g->tail)
		graph_fault(g, &g->self, "has lost count, with packets pending:", g->tail - g->head);
}

static void emit_path(stats_emit_fn emit, void *arg, const char *group, const char *node,
		      const char *figure, uint64_t value)
{
	char name[NAME_MAX_LEN];

	snprintf(name, sizeof(name), "%s.%s.%s", group, node, figure);
	emit(arg, name, value);
}

static void emit_node(const struct node *node, stats_emit_fn emit, void *arg)
{
	const struct node_stats *s = &node->stats;

	if (s->calls) {
		emit_path(emit, arg, "nodes", node->name, "calls", s->calls);
		emit_path(emit, arg, "nodes", node->name, "packets", s->packets);
		emit_path(emit, arg, "nodes", node->name, "cycles", s->cycles);
	}
}

static void emit_drops(const struct node *node, stats_emit_fn emit, void *arg)
{
	for (unsigned r = 0; r < node->drops; r++)
		if (node->stats.drop[r])
			emit_path(emit, arg, "drops", node->name, node->def->drops[r],
				  node->stats.drop[r]);
}

void graph_stats_emit(const struct graph *g, stats_emit_fn emit, void *arg)
{
	struct graph_books b;

	for (unsigned i = 0; i < graph_nodes(g); i++)
		emit_node(graph_node(g, i), emit, arg);
	for (unsigned i = 0; i < graph_nodes(g); i++)
		emit_drops(graph_node(g, i), emit, arg);
	graph_books(g, &b);
	emit(arg, "accounting.rx", b.rx);
	emit(arg, "accounting.generated", b.generated);
	emit(arg, "accounting.tx", b.tx);
	emit(arg, "accounting.consumed", b.consumed);
	emit(arg, "accounting.dropped", b.dropped);
	emit(arg, "accounting.held", b.held);
	emit(arg, "accounting.balanced", graph_balanced(&b));
}

void loop_stats_emit(const struct loop *l, stats_emit_fn emit, void *arg)
{
	emit(arg, "loop.turns", l->turns);
	emit(arg, "loop.busy_turns", l->busy_turns);
	emit(arg, "loop.busy_cycles", l->busy_cycles);
	emit(arg, "loop.noise.gaps", l->noise.gaps);
	emit(arg, "loop.noise.lost_us", noise_us(l->noise.lost));
	emit(arg, "loop.noise.worst_us", noise_us(l->noise.worst));
}
