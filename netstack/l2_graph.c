// SPDX-License-Identifier: BSD-3-Clause
// l2_graph.c - the wiring of groups and bridges
#include "netstack/l2_graph.h"

#include <errno.h>

#include "netstack/bridge.h"
#include "netstack/eth_input.h"
#include "netstack/group.h"

static int add_outs(struct graph *g, struct ifaces *ifs, struct node **tx, bool *bridges,
		    struct err *err)
{
	for (uint16_t k = (uint16_t)ifs->ports; k < ifs->n; k++) {
		const struct iface *i = &ifs->iface[k];

		if (i->kind == IFACE_GROUP)
			tx[i->tx] = group_out_add(g, ifs, k, tx, err);
		else if (i->kind == IFACE_BRIDGE)
			tx[i->tx] = bridge_out_add(g, ifs, k, err);
		if (i->kind != IFACE_VLAN && !tx[i->tx])
			return -ENOSPC;
		*bridges |= i->kind == IFACE_BRIDGE;
	}
	return 0;
}

int l2_graph_outs(struct graph *g, struct ifaces *ifs, struct node **tx, struct err *err)
{
	bool bridges = false;
	struct node *in;
	int rc = add_outs(g, ifs, tx, &bridges, err);

	if (rc || !bridges)
		return rc;
	in = bridge_node_add(g, ifs, err);
	if (!in)
		return -ENOSPC;
	rc = bridge_connect(in, tx, err);
	for (unsigned k = ifs->ports; !rc && k < ifs->n; k++)
		if (ifs->iface[k].kind == IFACE_BRIDGE)
			rc = bridge_connect(tx[ifs->iface[k].tx], tx, err);
	return rc;
}

int l2_graph_enter(struct graph *g, struct node *eth_input, struct err *err)
{
	struct node *bridge = graph_find(g, "bridge");
	int rc;

	if (!bridge)
		return 0;
	rc = eth_input_connect(eth_input, ETH_INPUT_BRIDGE, bridge, err);
	return rc ? rc : node_connect(bridge, "up", eth_input, err);
}
