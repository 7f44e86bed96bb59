// SPDX-License-Identifier: BSD-3-Clause
// stats.c - the books of a graph, and the figures of graph and loop by name
#include "core/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// The node called `name` of g; NULL.
static const struct node *find(const struct graph *g, const char *name)
{
	for (unsigned i = 0; i < graph_nodes(g); i++)
		if (!strcmp(graph_node(g, i)->name, name))
			return graph_node(g, i);
	return NULL;
}

static void emit_node(const struct node *node, const struct node_stats *s, stats_emit_fn emit, void *arg)
{
	if (s->calls) {
		emit_path(emit, arg, "nodes", node->name, "calls", s->calls);
		emit_path(emit, arg, "nodes", node->name, "packets", s->packets);
		emit_path(emit, arg, "nodes", node->name, "cycles", s->cycles);
	}
}

static void emit_drops(const struct node *node, const struct node_stats *s, stats_emit_fn emit,
		       void *arg)
{
	for (unsigned r = 0; r < node->drops; r++)
		if (s->drop[r])
			emit_path(emit, arg, "drops", node->name, node->def->drops[r], s->drop[r]);
}

static void add(struct node_stats *sum, const struct node_stats *s)
{
	sum->calls += s->calls;
	sum->packets += s->packets;
	sum->cycles += s->cycles;
	for (unsigned r = 0; r < NODE_DROPS_MAX; r++)
		sum->drop[r] += s->drop[r];
}

// Every name once, in the order in which the graphs have them, with the sum over all that have it.
static void each_name(const struct graph *const *g, unsigned n, stats_emit_fn emit, void *arg,
		      void (*one)(const struct node *node, const struct node_stats *s,
				  stats_emit_fn emit, void *arg))
{
	for (unsigned k = 0; k < n; k++) {
		for (unsigned i = 0; i < graph_nodes(g[k]); i++) {
			const struct node *node = graph_node(g[k], i), *other;
			struct node_stats sum = node->stats;
			unsigned seen = 0;

			while (seen < k && !find(g[seen], node->name))
				seen++;
			if (seen < k)
				continue;
			for (unsigned later = k + 1; later < n; later++)
				if ((other = find(g[later], node->name)))
					add(&sum, &other->stats);
			one(node, &sum, emit, arg);
		}
	}
}

void graphs_stats_emit(const struct graph *const *g, unsigned n, stats_emit_fn emit, void *arg)
{
	each_name(g, n, emit, arg, emit_node);
	each_name(g, n, emit, arg, emit_drops);
}

void books_emit(const struct graph_books *b, bool balanced, stats_emit_fn emit, void *arg)
{
	emit(arg, "accounting.rx", b->rx);
	emit(arg, "accounting.generated", b->generated);
	emit(arg, "accounting.tx", b->tx);
	emit(arg, "accounting.consumed", b->consumed);
	emit(arg, "accounting.dropped", b->dropped);
	emit(arg, "accounting.held", b->held);
	emit(arg, "accounting.balanced", balanced);
}

void graph_stats_emit(const struct graph *g, stats_emit_fn emit, void *arg)
{
	struct graph_books b;

	graphs_stats_emit(&g, 1, emit, arg);
	graph_books(g, &b);
	books_emit(&b, graph_balanced(&b), emit, arg);
}

void loops_stats_emit(const struct loop *const *l, unsigned n, stats_emit_fn emit, void *arg)
{
	uint64_t turns = 0, busy_turns = 0, busy_cycles = 0, gaps = 0, lost = 0, worst = 0;
	uint64_t sleeps = 0, slept_ns = 0, false_wakes = 0;

	for (unsigned k = 0; k < n; k++) {
		turns += l[k]->turns;
		busy_turns += l[k]->busy_turns;
		busy_cycles += l[k]->busy_cycles;
		gaps += l[k]->noise.gaps;
		lost += l[k]->noise.lost;
		if (l[k]->noise.worst > worst)
			worst = l[k]->noise.worst;
		sleeps += l[k]->sleeps;
		slept_ns += l[k]->slept_ns;
		false_wakes += l[k]->false_wakes;
	}
	emit(arg, "loop.turns", turns);
	emit(arg, "loop.busy_turns", busy_turns);
	emit(arg, "loop.busy_cycles", busy_cycles);
	emit(arg, "loop.noise.gaps", gaps);
	emit(arg, "loop.noise.lost_us", noise_us(lost));
	emit(arg, "loop.noise.worst_us", noise_us(worst));
	emit(arg, "loop.sleeps", sleeps);
	emit(arg, "loop.slept_ns", slept_ns);
	emit(arg, "loop.false_wakes", false_wakes);
}

void loop_stats_emit(const struct loop *l, stats_emit_fn emit, void *arg)
{
	loops_stats_emit(&l, 1, emit, arg);
}
