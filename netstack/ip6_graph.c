// SPDX-License-Identifier: BSD-3-Clause
// ip6_graph.c - the wiring of an IPv6 router
#include "netstack/ip6_graph.h"

#include <errno.h>

#include "netstack/eth_input.h"
#include "netstack/nd.h"
#include "netstack/wiring.h"

#define COUNT(a) ((unsigned)(sizeof(a) / sizeof((a)[0])))

static const struct node_def *const kinds[] = {
	&nd_hold_node, // first: it frees the stack with the graph
	&nd_input_node,	 &ip6_input_node, &ip6_lookup_node, &ip6_rewrite_node, &ip6_output_node,
	&ip6_local_node, &ip6_whole_node, &mld_node,	    &icmp6_error_node, &ip6_fragment_node,
};

// clang-format off
static const struct wire wires[] = {
	{"ip6-input", "local", "ip6-local"},
	{"ip6-input", "icmp6-error", "icmp6-error"},
	{"ip6-lookup", "rewrite", "ip6-rewrite"},
	{"ip6-lookup", "local", "ip6-local"},
	{"ip6-lookup", "icmp6-error", "icmp6-error"},
	{"ip6-rewrite", "hold", "nd-hold"},
	{"ip6-rewrite", "icmp6-error", "icmp6-error"},
	{"ip6-local", "output", "ip6-output"},
	{"ip6-local", "icmp6-error", "icmp6-error"},
	{"ip6-local", "nd", "nd-input"},
	{"ip6-local", "mld", "mld"},
	{"ip6-local", "reass", "ip6-reass"},
	{"ip6-reass", "local", "ip6-whole"},
	{"ip6-reass", "icmp6-error", "icmp6-error"},
	{"ip6-whole", "output", "ip6-output"},
	{"ip6-whole", "icmp6-error", "icmp6-error"},
	{"ip6-whole", "mld", "mld"},
	{"mld", "output", "ip6-output"},
	{"icmp6-error", "output", "ip6-output"},
	{"ip6-output", "hold", "nd-hold"},
	{"ip6-output", "fragment", "ip6-fragment"},
	{"ip6-fragment", "hold", "nd-hold"},
	{"nd-hold", "icmp6-error", "icmp6-error"},
};
// clang-format on

static const struct wire_sender senders[] = {
	{"nd-input", ND_INPUT_EDGE_PORT0},	 {"nd-hold", ND_HOLD_EDGE_PORT0},
	{"ip6-rewrite", IP6_REWRITE_EDGE_PORT0}, {"ip6-fragment", IP6_FRAGMENT_EDGE_PORT0},
	{"ip6-output", IP6_OUTPUT_EDGE_PORT0},
};

static int add_nodes(struct graph *g, struct ip6_stack *s, struct err *err)
{
	s->neighbors.node = graph_add(g, kinds[0], kinds[0]->name, s, err);
	if (!s->neighbors.node) {
		ip6_stack_destroy(s);
		return -ENOSPC;
	}
	for (unsigned i = 1; i < COUNT(kinds); i++)
		if (!graph_add(g, kinds[i], kinds[i]->name, s, err))
			return -ENOSPC;
	s->mld_node = graph_find(g, mld_node.name);
	if (s->lcores > 1 && !graph_add(g, &nd_learn_node, nd_learn_node.name, &s->neighbors, err))
		return -ENOSPC;
	if (s->lcores > 1 && !s->lcore &&
	    !graph_add(g, &nd_resolve_node, nd_resolve_node.name, &s->neighbors, err))
		return -ENOSPC;
	return reass_node_add(g, &ip6_reass_node, &s->reass, err) ? 0 : -ENOSPC;
}

// ip6-virtual stands before all nodes that want to know a fragment's ports.
static int connect_input(struct graph *g, struct ip6_stack *s, struct err *err)
{
	struct node *input = graph_find(g, "ip6-input"), *lookup = graph_find(g, "ip6-lookup"), *v;
	int rc;

	if (!s->reass_virtual)
		return node_connect(input, "lookup", lookup, err);
	v = reass_node_add(g, &ip6_virtual_node, &s->reass, err);
	rc = v ? node_connect(input, "lookup", v, err) : -ENOSPC;
	return rc ? rc : node_connect(v, "lookup", lookup, err);
}

int ip6_graph_build(struct graph *g, struct ip6_stack *s, struct node *const *tx, struct err *err)
{
	int rc = add_nodes(g, s, err);

	if (!rc)
		rc = wiring_connect(g, wires, COUNT(wires), err);
	if (!rc)
		rc = connect_input(g, s, err);
	if (!rc)
		rc = wiring_outs(g, senders, COUNT(senders), tx, s->ifs->outs, err);
	if (!rc)
		rc = eth_input_connect(graph_find(g, "eth-input"), ETH_INPUT_IP6,
				       graph_find(g, ip6_input_node.name), err);
	return rc;
}

static struct neigh_table *neighbors(struct graph *g)
{
	return &((struct ip6_stack *)graph_find(g, nd_hold_node.name)->state)->neighbors;
}

int ip6_graph_tells(struct graph *g, struct node *to, struct err *err)
{
	return neigh_join_tells(neighbors(g), graph_find(g, nd_input_node.name), to, err);
}

int ip6_graph_asks(struct graph *g, struct node *to, struct err *err)
{
	return neigh_join_asks(neighbors(g), to, err);
}

int ip6_graph_answers(struct graph *g, struct node *to, struct err *err)
{
	return neigh_join_answers(neighbors(g), graph_find(g, nd_resolve_node.name), to, err);
}
