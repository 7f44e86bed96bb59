// SPDX-License-Identifier: BSD-3-Clause
// config_ports.c - read ports, their addresses and devices, and patches between them
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"
#include "pmd/port.h"

struct port_reader {
	struct iface_reader i; // its interface has the same index
	struct config_port *port;
};

int config_port(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_ports; i++)
		if (!strcmp(c->ports[i].name, name))
			return (int)i;
	return -1;
}

int config_port_ref(struct config_reader *r, yaml_node_t *node)
{
	const char *name = ydoc_text(r->y, node, "the name of a port");
	char list[200] = "";
	size_t i, n = 0;
	int port;

	if (!name)
		return -1;
	port = config_port(r->c, name);
	if (port >= 0)
		return port;
	for (i = 0; i < r->c->n_ports && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      r->c->ports[i].name);
	ydoc_error(r->y, node, "expected the name of a port: %s", *list ? list : "there are none");
	return -1;
}

// "N", "mmioN" or a PCI address "BB:DD.F", as the image's driver takes them.
static bool good_virtio(const char *args)
{
	unsigned n, bus, dev, fn;
	int end = 0;

	if (!strncmp(args, "mmio", 4))
		return text_number(args + 4, 0, 255, &n);
	return text_number(args, 0, 255, &n) ||
	       (sscanf(args, "%2x:%2x.%1x%n", &bus, &dev, &fn, &end) == 3 && end && !args[end] &&
		dev < 32 && fn < 8);
}

static void check_virtio(struct ydoc *y, yaml_node_t *node, const struct port_reader *p)
{
	const struct config *c = p->i.r->c;
	size_t i;

	if (!good_virtio(p->port->args)) {
		ydoc_error(y, node,
			   "expected virtio:N, N counting the machine's virtio-net devices "
			   "from 0, virtio:mmioN or a PCI address, virtio:BB:DD.F");
		return;
	}
	for (i = 0; i < p->i.index; i++)
		if (c->ports[i].driver && !strcmp(c->ports[i].driver, "virtio") &&
		    !strcmp(c->ports[i].args, p->port->args))
			ydoc_error(y, node, "is port %s's already: expected another device",
				   c->ports[i].name);
}

static void read_device(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct port_reader *p = arg;
	const char *s = ydoc_text(y, node, "a device like \"virtio:0\"");
	struct err err;

	if (!s)
		return;
	if (config_device(p->port, s, &err))
		ydoc_error(y, node, "%s", err.text);
	else if (!strcmp(p->port->driver, "virtio"))
		check_virtio(y, node, p);
}

static void read_mac(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct blob_port *b = &((struct port_reader *)arg)->port->blob;

	if (config_mac(y, node, b->mac))
		b->flags |= BLOB_PORT_MAC;
}

static void read_mtu(struct ydoc *y, yaml_node_t *node, void *arg)
{
	uint32_t v;

	// 68: RFC 791; 9000: the jumbo frames of the field.
	if (ydoc_u32(y, node, 68, 9000, &v))
		((struct port_reader *)arg)->port->blob.mtu = (uint16_t)v;
}

static bool ring_size(struct ydoc *y, yaml_node_t *node, uint16_t *size)
{
	uint32_t v;

	if (!ydoc_u32(y, node, 64, 1024, &v))
		return false;
	if (v & (v - 1)) {
		ydoc_error(y, node, "expected a power of two from 64 to 1024");
		return false;
	}
	*size = (uint16_t)v;
	return true;
}

static void read_rx_size(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ring_size(y, node, &((struct port_reader *)arg)->port->blob.rx_size);
}

static void read_tx_size(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ring_size(y, node, &((struct port_reader *)arg)->port->blob.tx_size);
}

static void read_queues(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct port_reader *p = arg;
	uint32_t v;

	if (!ydoc_u32(y, node, 1, PORT_QUEUES_MAX, &v))
		return;
	if (v > p->i.r->c->params.lcores)
		ydoc_error(y, node, "expected at most one an lcore: lcores is %u",
			   p->i.r->c->params.lcores);
	p->port->blob.queues = (uint16_t)v;
}

static void read_rss(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const char *const kinds[BLOB_RSS_KINDS] = {
		[BLOB_RSS_SYMMETRIC] = "symmetric",
		[BLOB_RSS_MICROSOFT] = "microsoft",
	};
	const char *s = ydoc_text(y, node, "symmetric or microsoft");
	uint16_t i;

	for (i = 0; s && i < BLOB_RSS_KINDS; i++) {
		if (!strcmp(s, kinds[i])) {
			((struct port_reader *)arg)->port->blob.rss = i;
			return;
		}
	}
	if (s)
		ydoc_error(y, node, "expected symmetric or microsoft");
}

// In 1 Mbit/s; up to what a rate can say.
static void read_line(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "a line rate like 10G");
	uint64_t mbps;

	if (!s)
		return;
	if (text_scaled(s, units_si, true, 1, &mbps) && mbps >= 1000000 && mbps <= UINT64_C(10000000000000) &&
	    !(mbps % 1000000))
		((struct port_reader *)arg)->port->blob.line_mbps = (uint32_t)(mbps / 1000000);
	else
		ydoc_error(y, node, "expected a line rate of 1M to 10T bit/s like 10G");
}

static void read_offloads(struct ydoc *y, yaml_node_t *node, void *arg)
{
	config_offloads(y, node, &((struct port_reader *)arg)->port->blob);
}

// The VRF comes first: what an address may be depends on it.
static const struct ydoc_key port_keys[] = {
	{"device", true, read_device},
	{"vrf", false, config_iface_vrf},
	{"addresses", false, config_iface_addresses},
	{"urpf", false, config_iface_urpf},
	{"redirects", false, config_iface_redirects},
	{"directed_broadcast", false, config_iface_broadcasts},
	{"ra", false, config_iface_ra},
	{"mac", false, read_mac},
	{"mtu", false, read_mtu},
	{"rx_size", false, read_rx_size},
	{"tx_size", false, read_tx_size},
	{"queues", false, read_queues},
	{"rss", false, read_rss},
	{"offloads", false, read_offloads},
	{"line", false, read_line},
	{0},
};

static void read_port(struct ydoc *y, yaml_node_t *key, yaml_node_t *value, void *arg)
{
	struct config_reader *r = arg;
	struct config *c = r->c;
	struct port_reader p = {.i.r = r};
	int index;

	if (c->n_ports == BLOB_PORTS_MAX) {
		ydoc_error(y, key, "expected at most %u ports", BLOB_PORTS_MAX);
		return;
	}
	index = config_iface_add(r, key, "a port", BLOB_IFACE_PORT);
	if (index < 0)
		return;
	c->ports = array_add(c->ports, &c->n_ports, &c->room_ports, sizeof(*c->ports));
	p.i.index = (uint16_t)index;
	p.port = &c->ports[index];
	p.port->name = xstrdup(c->ifaces[index].name);
	p.port->place = config_place(y, key);
	ydoc_map(y, value, "a port", port_keys, &p);
}

void config_read_ports(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_names(y, node, "ports", read_port, arg);
	if (node->type == YAML_MAPPING_NODE &&
	    node->data.mapping.pairs.start == node->data.mapping.pairs.top)
		ydoc_error(y, node, "expected at least one port");
}

bool config_patch_add(struct config_reader *r, yaml_node_t *node, int from, int to)
{
	struct config *c = r->c;

	for (size_t i = 0; i < c->n_patches; i++) {
		if (c->patches[i].from == from) {
			ydoc_error(r->y, node, "port %s is patched already: expected one patch from a port",
				   c->ports[from].name);
			return false;
		}
	}
	c->patches = array_add(c->patches, &c->n_patches, &c->room_patches, sizeof(*c->patches));
	c->patches[c->n_patches - 1] = (struct blob_patch){(uint16_t)from, (uint16_t)to};
	return true;
}

struct patch_reader {
	struct config_reader *r;
	int from, to;
};

static void read_from(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct patch_reader *p = arg;

	p->from = config_port_ref(p->r, node);
}

static void read_to(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct patch_reader *p = arg;

	p->to = config_port_ref(p->r, node);
}

static void read_patch(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"from", true, read_from},
		{"to", true, read_to},
		{0},
	};
	struct patch_reader p = {arg, -1, -1};

	ydoc_map(y, node, "a patch", keys, &p);
	if (p.from >= 0 && p.to >= 0)
		config_patch_add(p.r, node, p.from, p.to);
}

void config_read_patches(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "patches like {from: PORT, to: PORT}", read_patch, arg);
}
