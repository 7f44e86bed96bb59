// SPDX-License-Identifier: BSD-3-Clause
// ip4_graph.c - the wiring of an IPv4 router
#include "netstack/ip4_graph.h"

#include <errno.h>

#include "netstack/dhcp.h"
#include "netstack/eth_input.h"
#include "netstack/wiring.h"

#define COUNT(a) ((unsigned)(sizeof(a) / sizeof((a)[0])))

static const struct node_def *const kinds[] = {
	&arp_hold_node, // first: it frees the stack with the graph
	&arp_input_node, &ip4_input_node,  &ip4_lookup_node,	 &ip4_rewrite_node,
	&ip4_output_node, &ip4_local_node, &icmp_error_node, &ip4_fragment_node,
	&ip4_options_node,
};

// clang-format off
static const struct wire wires[] = {
	{"eth-input", "ip4", "ip4-input"},
	{"eth-input", "arp", "arp-input"},
	{"ip4-input", "options", "ip4-options"},
	{"ip4-input", "icmp-error", "icmp-error"},
	{"ip4-lookup", "rewrite", "ip4-rewrite"},
	{"ip4-lookup", "local", "ip4-local"},
	{"ip4-lookup", "icmp-error", "icmp-error"},
	{"ip4-rewrite", "hold", "arp-hold"},
	{"ip4-rewrite", "icmp-error", "icmp-error"},
	{"ip4-rewrite", "fragment", "ip4-fragment"},
	{"ip4-fragment", "hold", "arp-hold"},
	{"ip4-local", "output", "ip4-output"},
	{"ip4-local", "icmp-error", "icmp-error"},
	{"ip4-local", "reass", "ip4-reass"},
	{"ip4-reass", "local", "ip4-local"},
	{"ip4-reass", "icmp-error", "icmp-error"},
	{"icmp-error", "output", "ip4-output"},
	{"ip4-output", "hold", "arp-hold"},
	{"ip4-output", "fragment", "ip4-fragment"},
	{"arp-hold", "icmp-error", "icmp-error"},
};
// clang-format on

static const struct wire_sender senders[] = {
	{"arp-input", ARP_INPUT_EDGE_PORT0},	 {"arp-hold", ARP_HOLD_EDGE_PORT0},
	{"ip4-rewrite", IP4_REWRITE_EDGE_PORT0}, {"ip4-fragment", IP4_FRAGMENT_EDGE_PORT0},
	{"ip4-output", IP4_OUTPUT_EDGE_PORT0},
};

static int add_nodes(struct graph *g, struct ip4_stack *s, struct err *err)
{
	s->neighbors.node = graph_add(g, kinds[0], kinds[0]->name, s, err);
	if (!s->neighbors.node) {
		ip4_stack_destroy(s);
		return -ENOSPC;
	}
	if (!eth_input_add(g, s->ifs, err))
		return -ENOSPC;
	for (unsigned i = 1; i < COUNT(kinds); i++)
		if (!graph_add(g, kinds[i], kinds[i]->name, s, err))
			return -ENOSPC;
	if (s->lcores > 1 && !graph_add(g, &arp_learn_node, arp_learn_node.name, &s->neighbors, err))
		return -ENOSPC;
	if (s->lcores > 1 && !s->lcore &&
	    !graph_add(g, &arp_resolve_node, arp_resolve_node.name, &s->neighbors, err))
		return -ENOSPC;
	return reass_node_add(g, &ip4_reass_node, &s->reass, err) ? 0 : -ENOSPC;
}

// ip4-virtual stands before all nodes that want to know a fragment's ports.
static int connect_input(struct graph *g, struct ip4_stack *s, struct err *err)
{
	struct node *to = graph_find(g, "ip4-lookup"), *v;
	int rc;

	if (s->reass_virtual) {
		v = reass_node_add(g, &ip4_virtual_node, &s->reass, err);
		rc = v ? node_connect(v, "lookup", to, err) : -ENOSPC;
		if (rc)
			return rc;
		to = v;
	}
	rc = node_connect(graph_find(g, "ip4-input"), "lookup", to, err);
	return rc ? rc : node_connect(graph_find(g, "ip4-options"), "lookup", to, err);
}

// Where there is no client, nothing takes the edges to it.
static int add_dhcp(struct graph *g, struct ip4_stack *s, struct node *const *tx, struct err *err)
{
	struct node *output = graph_find(g, "ip4-output"), *local = graph_find(g, "ip4-local");
	struct node *to = output;
	int rc = 0;

	if (s->dhcp) {
		to = s->dhcp->node = graph_add(g, &dhcp_node, dhcp_node.name, s->dhcp, err);
		rc = to ? node_connect(to, "output", output, err) : -ENOSPC;
		for (unsigned p = 0; !rc && p < s->ifs->outs; p++)
			rc = node_add_edge(to, tx[p], err) < 0 ? -ENOSPC : 0;
	}
	if (!rc)
		rc = node_connect(graph_find(g, "ip4-input"), "dhcp", to, err);
	return rc ? rc : node_connect(local, "dhcp", to, err);
}

struct node *ip4_graph_build(struct graph *g, struct ip4_stack *s, struct node *const *tx,
			     struct err *err)
{
	if (add_nodes(g, s, err) || wiring_connect(g, wires, COUNT(wires), err) ||
	    connect_input(g, s, err) ||
	    wiring_outs(g, senders, COUNT(senders), tx, s->ifs->outs, err) || add_dhcp(g, s, tx, err))
		return NULL;
	return graph_find(g, "eth-input");
}

static struct neigh_table *neighbors(struct graph *g)
{
	return &((struct ip4_stack *)graph_find(g, "arp-hold")->state)->neighbors;
}

int ip4_graph_tells(struct graph *g, struct node *to, struct err *err)
{
	return neigh_join_tells(neighbors(g), graph_find(g, "arp-input"), to, err);
}

int ip4_graph_asks(struct graph *g, struct node *to, struct err *err)
{
	return neigh_join_asks(neighbors(g), to, err);
}

int ip4_graph_answers(struct graph *g, struct node *to, struct err *err)
{
	return neigh_join_answers(neighbors(g), graph_find(g, "arp-resolve"), to, err);
}
