// SPDX-License-Identifier: BSD-3-Clause
// eth_input.h - node eth-input, where frames of all ports enter: whose they are and what they carry
#ifndef WEIR_NETSTACK_ETH_INPUT_H
#define WEIR_NETSTACK_ETH_INPUT_H

#include "core/err.h"
#include "core/graph.h"
#include "netstack/iface.h"

// Adds the node, whose edges "ip4" and "arp" the caller connects. It holds a reference of ifs. NULL
// and err.
struct node *eth_input_add(struct graph *g, struct ifaces *ifs, struct err *err);

// Edges it may have beside those. Without: IPv6 is dropped as "ip6-unsupported".
enum eth_input_edge { ETH_INPUT_IP6, ETH_INPUT_BRIDGE, ETH_INPUT_EDGES };
int eth_input_connect(struct node *eth_input, enum eth_input_edge which, struct node *to,
		      struct err *err);

#endif
