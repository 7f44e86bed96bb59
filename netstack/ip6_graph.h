// SPDX-License-Identifier: BSD-3-Clause
// ip6_graph.h - the kinds of nodes an IPv6 router is made of, and their wiring
//
// Between nodes as in ip4_graph.h: mbuf.data is the Ethernet header, mbuf.l3 the offset of the
// network header, mbuf.port the interface the packet came in by. From ip6-lookup and ip6-output on,
// scratch32[SCRATCH_ADJ] is the index of the packet's adjacency. What reaches ip6-output has its
// source address and checksums; to a link-local address or a group it leaves by interface
// mbuf.port.
#ifndef WEIR_NETSTACK_IP6_GRAPH_H
#define WEIR_NETSTACK_IP6_GRAPH_H

#include "core/graph.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip6_stack.h"

extern const struct node_def ip6_input_node;
extern const struct node_def ip6_lookup_node;
extern const struct node_def ip6_rewrite_node;
extern const struct node_def ip6_fragment_node;
extern const struct node_def ip6_output_node;
extern const struct node_def ip6_local_node;
extern const struct node_def ip6_whole_node; // the same, for what ip6-reass made whole
extern const struct node_def icmp6_error_node;
extern const struct node_def mld_node;

// Nodes that send have an edge to each of the outs (iface.h) after their fixed ones, in their
// order.
#define IP6_REWRITE_EDGE_PORT0	2u
#define IP6_FRAGMENT_EDGE_PORT0 1u
#define IP6_OUTPUT_EDGE_PORT0	2u

// Adds the nodes of IPv6 to g, in which ip4_graph_build() has added eth-input with the same outs,
// and connects them; tx[] are the outs, s->ifs->outs of them. 0 or -errno. The caller has given s
// away either way: graph_destroy() frees it.
int ip6_graph_build(struct graph *g, struct ip6_stack *s, struct node *const *tx, struct err *err);

// Joins the graphs of a router's lcores, as ip4_graph.h says: tells from nd-input to node
// "nd-learn", asks from nd-hold to "nd-resolve" of lcore 0, answers from there to "nd-learn" of
// lcore 1, then 2 and so on. 0 or -errno.
int ip6_graph_tells(struct graph *g, struct node *to, struct err *err);
int ip6_graph_asks(struct graph *g, struct node *to, struct err *err);
int ip6_graph_answers(struct graph *g, struct node *to, struct err *err);

#endif
