// SPDX-License-Identifier: BSD-3-Clause
// config_ports.c - read ports, their addresses and devices, and patches between them
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"
#include "pmd/port.h"

#define ADDRESSES_MAX 1024u

struct port_reader {
	struct config_reader *r;
	struct config_port *port;
	uint16_t index;
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
	const struct config *c = p->r->c;
	size_t i;

	if (!good_virtio(p->port->args)) {
		ydoc_error(y, node,
			   "expected virtio:N, N counting the machine's virtio-net devices "
			   "from 0, virtio:mmioN or a PCI address, virtio:BB:DD.F");
		return;
	}
	for (i = 0; i < p->index; i++)
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

static bool same_network(const struct blob_addr *a, const struct blob_addr *b)
{
	uint32_t x, y;
	uint8_t plen = a->plen < b->plen ? a->plen : b->plen;

	if (a->family != 4 || b->family != 4)
		return false;
	memcpy(&x, a->addr, 4);
	memcpy(&y, b->addr, 4);
	return !plen || !((ntohl(x) ^ ntohl(y)) >> (32 - plen));
}

bool config_usable_host(uint32_t addr, uint8_t plen)
{
	uint32_t host = plen >= 31 ? 0 : addr & (UINT32_MAX >> plen);

	if (addr >> 24 == 0 || addr >> 24 == 127 || addr >> 28 >= 14)
		return false;
	return plen >= 31 || (host && host != UINT32_MAX >> plen);
}

static void read_address(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct port_reader *p = arg;
	struct config *c = p->r->c;
	const char *s = ydoc_text(y, node, "an address like 192.0.2.1/24");
	struct blob_addr a = {.port = p->index, .family = 4};
	union ip_addr ip;
	uint32_t addr, net;
	size_t i;

	p->port->has_address = true;
	if (!s)
		return;
	if (strchr(s, ':')) {
		ydoc_error(y, node, "expected an IPv4 address: IPv6 is not routed yet");
		return;
	}
	if (!ip_parse_prefix(s, &a.family, &ip, &a.plen) || !a.plen) {
		ydoc_error(y, node, "expected ADDRESS/LENGTH like 192.0.2.1/24");
		return;
	}
	addr = ntohl(ip.v4);
	if (!config_usable_host(addr, a.plen)) {
		ydoc_error(y, node, "expected a host's address, not a network, broadcast, "
				    "multicast, loopback or reserved one");
		return;
	}
	if (c->n_addrs == ADDRESSES_MAX) {
		ydoc_error(y, node, "expected at most %u addresses in all", ADDRESSES_MAX);
		return;
	}
	net = htonl(addr);
	memcpy(a.addr, &net, 4);
	for (i = 0; i < c->n_addrs; i++) {
		if (same_network(&c->addrs[i], &a)) {
			ydoc_error(y, node, "its network overlaps one of port %s: expected "
					    "networks that are apart",
				   c->ports[c->addrs[i].port].name);
			return;
		}
	}
	c->addrs = array_add(c->addrs, &c->n_addrs, &c->room_addrs, sizeof(*c->addrs));
	c->addrs[c->n_addrs - 1] = a;
}

static void read_addresses(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "addresses like 192.0.2.1/24", read_address, arg);
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
	if (v > p->r->c->params.lcores)
		ydoc_error(y, node, "expected at most one an lcore: lcores is %u",
			   p->r->c->params.lcores);
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

static void read_offloads(struct ydoc *y, yaml_node_t *node, void *arg)
{
	config_offloads(y, node, &((struct port_reader *)arg)->port->blob);
}

static const struct ydoc_key port_keys[] = {
	{"device", true, read_device},
	{"addresses", false, read_addresses},
	{"mac", false, read_mac},
	{"mtu", false, read_mtu},
	{"rx_size", false, read_rx_size},
	{"tx_size", false, read_tx_size},
	{"queues", false, read_queues},
	{"rss", false, read_rss},
	{"offloads", false, read_offloads},
	{0},
};

static bool good_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n && !s[n] && n < PORT_NAME_MAX;
}

static void read_port(struct ydoc *y, yaml_node_t *key, yaml_node_t *value, void *arg)
{
	struct config_reader *r = arg;
	struct config *c = r->c;
	const char *name = ydoc_text(y, key, "the name of a port");
	struct port_reader p = {.r = r};

	if (!name)
		return;
	if (!good_name(name)) {
		ydoc_error(y, key, "expected a name of 1 to %d letters, digits, _ and -",
			   PORT_NAME_MAX - 1);
		return;
	}
	if (config_port(c, name) >= 0) {
		ydoc_error(y, key, "a port of this name is there already");
		return;
	}
	if (c->n_ports == BLOB_PORTS_MAX) {
		ydoc_error(y, key, "expected at most %u ports", BLOB_PORTS_MAX);
		return;
	}
	c->ports = array_add(c->ports, &c->n_ports, &c->room_ports, sizeof(*c->ports));
	p.index = (uint16_t)(c->n_ports - 1);
	p.port = &c->ports[p.index];
	p.port->name = xstrdup(name);
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
	struct config *c = p.r->c;
	size_t i;

	ydoc_map(y, node, "a patch", keys, &p);
	if (p.from < 0 || p.to < 0)
		return;
	for (i = 0; i < c->n_patches; i++) {
		if (c->patches[i].from == p.from) {
			ydoc_error(y, node, "port %s is patched already: expected one patch "
					    "from a port",
				   c->ports[p.from].name);
			return;
		}
	}
	c->patches = array_add(c->patches, &c->n_patches, &c->room_patches, sizeof(*c->patches));
	c->patches[c->n_patches - 1] = (struct blob_patch){(uint16_t)p.from, (uint16_t)p.to};
}

void config_read_patches(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "patches like {from: PORT, to: PORT}", read_patch, arg);
}
