// SPDX-License-Identifier: BSD-3-Clause
// l2_graph.h - the nodes that make groups and bridges of ports, on one lcore
//
//	ports -> eth-input -> bridge -> the outs; eth-input again: what is for a bridge's own
// station 	a router's nodes -> out-BRIDGE -> the outs 	a router's nodes, bridge, out-BRIDGE
// -> out-GROUP -> the outs of its ports
//
// out-NAME are nodes that take finished frames, as those of ports do. Frames reach node bridge with
// the tags of the interface they came in by taken off, and mbuf.port that interface.
#ifndef WEIR_NETSTACK_L2_GRAPH_H
#define WEIR_NETSTACK_L2_GRAPH_H

#include "core/err.h"
#include "core/graph.h"
#include "netstack/iface.h"

// Adds to g the outs of ifs' groups and bridges, and node "bridge" where there are any. tx[] has
// IFACE_OUTS_MAX places; those of the ports are filled (what sends by port p on this lcore is
// tx[p]), the others, up to ifs->outs, are filled in. It is then what the builders of routers'
// graphs take. 0 or -errno.
int l2_graph_outs(struct graph *g, struct ifaces *ifs, struct node **tx, struct err *err);

// Joins node eth-input of g with node "bridge", where there is one. 0 or -errno.
int l2_graph_enter(struct graph *g, struct node *eth_input, struct err *err);

#endif
