// SPDX-License-Identifier: BSD-3-Clause
// config_offloads.c - read which offloads a port is asked for
#include <stdio.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "pmd/port.h"

static void expected(struct ydoc *y, const yaml_node_t *node)
{
	char list[200] = "";
	size_t n = 0;

	for (const struct port_offload *o = port_offloads; o->name && n < sizeof(list); o++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, ", %s", o->name);
	ydoc_error(y, node, "expected none, or a list of some of tso%s", list);
}

static uint32_t named(const char *name)
{
	if (!strcmp(name, "tso"))
		return PORT_TX_TSO4 | PORT_TX_TSO6;
	for (const struct port_offload *o = port_offloads; o->name; o++)
		if (!strcmp(name, o->name))
			return o->bit;
	return 0;
}

static void read_one(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *name = ydoc_text(y, node, "the name of an offload like tx-csum");
	uint32_t bits = name ? named(name) : 0;

	if (name && !bits)
		expected(y, node);
	*(uint32_t *)arg |= bits;
}

void config_offloads(struct ydoc *y, yaml_node_t *node, struct blob_port *port)
{
	const char *text =
		node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
	uint32_t bits = 0;

	if (node->type != YAML_SCALAR_NODE)
		ydoc_list(y, node, "offloads like tx-csum, or none", read_one, &bits);
	else if (strcmp(text, "none") != 0)
		expected(y, node);
	if (bits & (PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO))
		bits |= PORT_TX_CSUM; // a segment needs its checksum
	if (bits & PORT_RX_LRO)
		bits |= PORT_RX_CSUM;
	port->offloads = (uint16_t)bits;
	port->flags |= BLOB_PORT_OFFLOADS;
}
