// SPDX-License-Identifier: BSD-3-Clause
// graph_peer.c - chains of idle nodes in DPDK's rte_graph
#define ALLOW_EXPERIMENTAL_API 1 // as all of rte_graph still is in DPDK 22.11
#include "perf/graph_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_graph.h>
#include <rte_graph_worker.h>

#define BURST 64u
#define ROUND (1u << 19)

struct graph_peer {
	struct rte_graph *graph;
};

static void *objs[BURST]; // stand for packets: nobody looks into them

static uint16_t source(struct rte_graph *graph, struct rte_node *node, void **in, uint16_t n)
{
	void **to = rte_node_next_stream_get(graph, node, 0, BURST);

	memcpy(to, objs, sizeof(objs));
	rte_node_next_stream_put(graph, node, 0, BURST);
	return BURST;
}

static uint16_t pass(struct rte_graph *graph, struct rte_node *node, void **in, uint16_t n)
{
	rte_node_next_stream_move(graph, node, 0);
	return n;
}

static uint16_t finish(struct rte_graph *graph, struct rte_node *node, void **in, uint16_t n)
{
	return n;
}

// The registry keeps these; next_nodes is filled in for clones by rte_node_edge_update().
static struct rte_node_register *node_kind(const char *name, rte_node_process_t process,
					   uint64_t flags, const char *next)
{
	struct rte_node_register *reg = calloc(1, sizeof(*reg) + sizeof(char *));

	if (!reg)
		exit(1);
	snprintf(reg->name, sizeof(reg->name), "%s", name);
	reg->process = process;
	reg->flags = flags;
	reg->nb_edges = next ? 1 : 0;
	reg->next_nodes[0] = next;
	reg->parent_id = RTE_NODE_ID_INVALID;
	reg->id = __rte_node_register(reg);
	return reg;
}

static rte_node_t clone_to(const struct rte_node_register *kind, const char *suffix,
			   const char *next)
{
	rte_node_t id = rte_node_clone(kind->id, suffix);

	if (id == RTE_NODE_ID_INVALID ||
	    rte_node_edge_update(id, 0, &next, 1) == RTE_EDGE_ID_INVALID) {
		fprintf(stderr, "graph_peer: rte_graph makes no node %s: %s\n", suffix,
			rte_strerror(rte_errno));
		exit(1);
	}
	return id;
}

struct graph_peer *graph_peer_make(unsigned nodes)
{
	static struct rte_node_register *ends, *passes, *sources;
	struct graph_peer *peer = calloc(1, sizeof(*peer));
	char name[32], suffix[16], next[64];
	const char *patterns[GRAPH_PEER_NODES_MAX + 2];
	struct rte_graph_param param = {.socket_id = SOCKET_ID_ANY, .node_patterns = patterns};

	if (!ends) {
		ends = node_kind("finish", finish, 0, NULL);
		passes = node_kind("pass", pass, 0, "finish");
		sources = node_kind("source", source, RTE_NODE_SOURCE_F, "finish");
	}
	snprintf(next, sizeof(next), "finish");
	patterns[param.nb_node_patterns++] = ends->name;
	for (unsigned i = 0; i <= nodes; i++) { // from the end; the last is the source
		snprintf(suffix, sizeof(suffix), "%u-%u", nodes, i);
		rte_node_t id = clone_to(i < nodes ? passes : sources, suffix, next);

		snprintf(next, sizeof(next), "%s", rte_node_id_to_name(id));
		patterns[param.nb_node_patterns++] = rte_node_id_to_name(id);
	}
	snprintf(name, sizeof(name), "chain-%u", nodes);
	if (!peer || rte_graph_create(name, &param) == RTE_GRAPH_ID_INVALID) {
		fprintf(stderr, "graph_peer: rte_graph makes no graph of %u nodes: %s\n", nodes,
			rte_strerror(rte_errno));
		exit(1);
	}
	peer->graph = rte_graph_lookup(name);
	return peer;
}

void graph_peer_run(void *arg, struct bench_round *round)
{
	const struct graph_peer *peer = arg;

	for (unsigned i = 0; i < ROUND; i += BURST)
		rte_graph_walk(peer->graph);
	round->packets = ROUND;
}
