// SPDX-License-Identifier: BSD-3-Clause
// graph.c - build a graph: nodes, edges, and the check that every edge leads somewhere
#include "core/graph.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/graph_private.h"

static_assert(offsetof(struct node, stats) == CACHE_LINE, "what a run reads fits one line");
static_assert((GRAPH_PENDING_MAX & (GRAPH_PENDING_MAX - 1)) == 0, "pending is indexed by a mask");
static_assert(GRAPH_BURST >= 1 && GRAPH_BURST <= 256, "run.c sizes its masks for these");

static const struct node_def graph_self = {
	.name = "graph",
	.drops = (const char *const[]){
		[GRAPH_DROP_DEPTH] = "depth",
		[GRAPH_DROP_BAD_EDGE] = "bad-edge",
		[GRAPH_DROP_EMIT_FULL] = "emit-full",
		NULL,
	},
};

static unsigned count(const char *const *names)
{
	unsigned n = 0;

	while (names && names[n])
		n++;
	return n;
}

static void *line_alloc(size_t size)
{
	void *p = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));

	return p ? memset(p, 0, size) : NULL;
}

struct graph *graph_create(const struct clock *clock, struct err *err)
{
	struct graph *g = line_alloc(sizeof(*g));

	if (!g) {
		err_set(err, -ENOMEM, "graph: no memory for %zu bytes", sizeof(*g));
		return NULL;
	}
	g->clock = clock;
	g->self.graph = g;
	g->self.def = &graph_self;
	g->self.name = graph_self.name;
	g->self.drops = (uint16_t)count(graph_self.drops);
	return g;
}

static void node_free(struct node *node)
{
	free(node->edge);
	free((char *)(uintptr_t)node->name);
	free(node);
}

void graph_destroy(struct graph *g)
{
	if (!g)
		return;
	for (unsigned i = 0; i < g->nodes; i++) {
		struct node *node = g->node[i];

		if (node->def->destroy)
			node->def->destroy(node);
		if (GRAPH_AUDIT && node->stats.held)
			graph_fault(g, node, "is destroyed while it holds packets:",
				    (unsigned)node->stats.held);
	}
	for (unsigned i = 0; i < g->nodes; i++)
		node_free(g->node[i]);
	free(g);
}

static int name_check(struct graph *g, const struct node_def *def, const char *name,
		      struct err *err)
{
	unsigned edges = count(def->edges), drops = count(def->drops);

	if (!name[0] || strchr(name, '.') || strlen(name) > NODE_NAME_MAX)
		return err_set(err, -EINVAL,
			       "graph: node name '%s': 1 to %d characters, no dot among them", name,
			       NODE_NAME_MAX);
	if (graph_find(g, name))
		return err_set(err, -EEXIST, "graph: node name '%s' is taken: choose another",
			       name);
	if (g->nodes == GRAPH_NODES_MAX)
		return err_set(err, -ENOSPC, "graph: no room for node '%s': %d is the most", name,
			       GRAPH_NODES_MAX);
	if (edges > NEXT_EDGES || drops > NODE_DROPS_MAX)
		return err_set(err, -EINVAL,
			       "graph: node kind '%s' has %u edges and %u drop reasons: at most "
			       "%d and %d",
			       def->name, edges, drops, NEXT_EDGES, NODE_DROPS_MAX);
	if (!def->process && edges > 1)
		return err_set(err, -EINVAL,
			       "graph: node kind '%s' has no process() to choose among %u edges",
			       def->name, edges);
	return 0;
}

struct node *graph_add(struct graph *g, const struct node_def *def, const char *name, void *state,
		       struct err *err)
{
	struct node *node;
	unsigned edges = count(def->edges);

	if (name_check(g, def, name, err))
		return NULL;
	node = line_alloc(sizeof(*node));
	if (!node)
		goto no_memory;
	node->name = strdup(name);
	node->edge = calloc(edges ? edges : 1, sizeof(struct node *));
	if (!node->name || !node->edge)
		goto no_memory;
	node->process = def->process;
	node->state = state;
	node->graph = g;
	node->edges = (uint16_t)edges;
	node->drops = (uint16_t)count(def->drops);
	node->id = (uint16_t)g->nodes;
	node->def = def;
	g->node_due[g->nodes] = def->housekeep ? 0 : TIME_NEVER;
	g->due = 0;
	g->node[g->nodes++] = node;
	return node;

no_memory:
	if (node)
		node_free(node);
	err_set(err, -ENOMEM, "graph: no memory for node '%s'", name);
	return NULL;
}

int node_connect(struct node *from, const char *edge, struct node *to, struct err *err)
{
	unsigned fixed = count(from->def->edges);

	for (unsigned i = 0; i < fixed; i++) {
		if (strcmp(from->def->edges[i], edge) == 0) {
			from->edge[i] = to;
			return 0;
		}
	}
	return err_set(err, -ENOENT, "graph: node '%s' (kind '%s') has no edge '%s'", from->name,
		       from->def->name, edge);
}

int node_add_edge(struct node *from, struct node *to, struct err *err)
{
	unsigned n = from->edges;
	struct node **edge;

	if (n == NEXT_EDGES)
		return err_set(err, -ENOSPC, "graph: node '%s' has %u edges: no room for '%s'",
			       from->name, n, to->name);
	edge = realloc(from->edge, (n + 1) * sizeof(struct node *));
	if (!edge)
		return err_set(err, -ENOMEM, "graph: no memory for an edge '%s' to '%s'",
			       from->name, to->name);
	edge[n] = to;
	from->edge = edge;
	from->edges++;
	return (int)n;
}

static const char *edge_name(const struct node *node, unsigned i)
{
	return i < count(node->def->edges) ? node->def->edges[i] : "added";
}

int graph_check(const struct graph *g, struct err *err)
{
	for (unsigned i = 0; i < g->nodes; i++) {
		const struct node *node = g->node[i];

		if (!node->process && node->edges == 0)
			return err_set(err, -EINVAL,
				       "graph: node '%s' has neither process() nor an edge",
				       node->name);
		for (unsigned e = 0; e < node->edges; e++) {
			if (!node->edge[e])
				return err_set(err, -EINVAL,
					       "graph: edge '%s' (%u) of node '%s' leads nowhere: "
					       "node_connect() it",
					       edge_name(node, e), e, node->name);
			if (node->edge[e]->graph != g)
				return err_set(err, -EINVAL,
					       "graph: edge '%s' (%u) of node '%s' leads into "
					       "another lcore's graph, to '%s'",
					       edge_name(node, e), e, node->name,
					       node->edge[e]->name);
		}
	}
	return 0;
}

struct node *graph_find(struct graph *g, const char *name)
{
	for (unsigned i = 0; i < g->nodes; i++)
		if (strcmp(g->node[i]->name, name) == 0)
			return g->node[i];
	return strcmp(name, g->self.name) == 0 ? &g->self : NULL;
}

unsigned graph_nodes(const struct graph *g)
{
	return g->nodes + 1;
}

const struct node *graph_node(const struct graph *g, unsigned i)
{
	return i < g->nodes ? g->node[i] : &g->self;
}
