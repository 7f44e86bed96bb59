// SPDX-License-Identifier: BSD-3-Clause
// ip4_graph.h - the kinds of nodes an IPv4 router is made of, and their wiring
//
// Between nodes: mbuf.data is the Ethernet header, mbuf.l3 the offset of the network header, mbuf.port
// the interface the packet came in by. From
// ip4-lookup and ip4-output on, scratch32[SCRATCH_ADJ] is the index of the packet's adjacency
// (neigh.h).
#ifndef WEIR_NETSTACK_IP4_GRAPH_H
#define WEIR_NETSTACK_IP4_GRAPH_H

#include "core/graph.h"
#include "netstack/ip4_stack.h"

extern const struct node_def arp_input_node;
extern const struct node_def arp_hold_node;
extern const struct node_def ip4_input_node;
extern const struct node_def ip4_options_node;
extern const struct node_def ip4_lookup_node;
extern const struct node_def ip4_rewrite_node;
extern const struct node_def ip4_fragment_node;
extern const struct node_def ip4_output_node;
extern const struct node_def ip4_local_node;
extern const struct node_def icmp_error_node;
extern const struct node_def arp_resolve_node; // on lcore 0 of several
extern const struct node_def arp_learn_node;   // on each of several

// Nodes that send have an edge to each of the outs (iface.h) after their fixed ones, in their order.
#define ARP_INPUT_EDGE_PORT0	0u
#define ARP_HOLD_EDGE_PORT0	1u
#define IP4_REWRITE_EDGE_PORT0	3u
#define IP4_FRAGMENT_EDGE_PORT0 1u
#define IP4_OUTPUT_EDGE_PORT0	2u

// Adds the router's nodes to g and connects them; tx[] are its outs (iface.h), s->ifs->outs of them.
// Returns the node at which the frames of all ports enter, or NULL and err. The caller has given s
// away either way: graph_destroy() frees it.
struct node *ip4_graph_build(struct graph *g, struct ip4_stack *s, struct node *const *tx,
			     struct err *err);

// Joins the graphs of a router's lcores. `to` is a node of g that hands over to another lcore:
// tells: what arp-input of g learns, to that lcore's node "arp-learn"; asks: the requests of g's lcore, to
// node "arp-resolve" of lcore 0; answers: what lcore 0 knows, to "arp-learn" of lcore 1, then 2 and so on.
// 0 or -errno.
int ip4_graph_tells(struct graph *g, struct node *to, struct err *err);
int ip4_graph_asks(struct graph *g, struct node *to, struct err *err);
int ip4_graph_answers(struct graph *g, struct node *to, struct err *err);

#endif
