// SPDX-License-Identifier: BSD-3-Clause
// config_neighbors.c - read the list neighbors; who is on the network of an interface
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

#define NEIGHBORS_MAX (1u << 16) // of a blob

int config_onlink(const struct config *c, uint8_t vrf, uint8_t family, const union ip_addr *addr,
		  const char **fault)
{
	*fault = NULL;
	for (size_t i = 0; i < c->n_addrs; i++) {
		const struct blob_addr *a = &c->addrs[i];
		union ip_addr own;

		memcpy(&own, a->addr, 16);
		if (a->family != family || c->ifaces[a->iface].blob.vrf != vrf ||
		    !ip_match(&own, addr, a->plen))
			continue;
		if (ip_addr_equal(&own, addr))
			*fault = "expected an address that is not this router's own";
		else if (!ip_usable_host(family, addr, a->plen))
			*fault = "expected a host's address, not a network, broadcast or reserved one";
		return *fault ? -1 : a->iface;
	}
	return -1;
}

struct neighbor_reader {
	struct config_reader *r;
	struct blob_neighbor n;
	yaml_node_t *node;
	int iface;
	bool mac_ok;
};

static void read_iface(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct neighbor_reader *p = arg;

	p->iface = config_iface_ref(p->r, node);
}

static void read_address(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct neighbor_reader *p = arg;
	union ip_addr addr;

	p->node = node;
	if (config_ip(y, node, &p->n.family, &addr))
		memcpy(p->n.addr, &addr, 16);
	else
		p->n.family = 0;
}

static void read_mac(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct neighbor_reader *p = arg;

	p->mac_ok = config_mac(y, node, p->n.mac);
}

// Whether the address is on the interface; a link-local one is on each that speaks IPv6.
static bool check_place(const struct neighbor_reader *p, struct ydoc *y)
{
	const struct config *c = p->r->c;
	const struct config_iface *iface = &c->ifaces[p->iface];
	const char *fault;
	union ip_addr addr;
	int there;

	memcpy(&addr, p->n.addr, 16);
	if (p->n.family == 6 && ip6_is_link_local(&addr))
		return true;
	there = config_onlink(c, (uint8_t)iface->blob.vrf, p->n.family, &addr, &fault);
	if (there < 0)
		ydoc_error(y, p->node, "%s", fault ? fault : "expected an address on the network of a port");
	else if (there != p->iface)
		ydoc_error(y, p->node, "is on the network of %s %s: expected one of %s %s",
			   c->ifaces[there].blob.kind == BLOB_IFACE_PORT ? "port" : "interface",
			   c->ifaces[there].name, iface->blob.kind == BLOB_IFACE_PORT ? "port" : "interface",
			   iface->name);
	return there == p->iface;
}

static void read_neighbor(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"port", true, read_iface},
		{"address", true, read_address},
		{"mac", true, read_mac},
		{0},
	};
	struct neighbor_reader p = {.r = arg, .iface = -1};
	struct config *c = p.r->c;

	ydoc_map(y, node, "a neighbor", keys, &p);
	if (p.iface < 0 || !p.n.family || !p.mac_ok || !check_place(&p, y))
		return;
	p.n.iface = (uint16_t)p.iface;
	for (size_t i = 0; i < c->n_neighbors; i++) {
		if (c->neighbors[i].iface == p.n.iface && !memcmp(c->neighbors[i].addr, p.n.addr, 16)) {
			ydoc_error(y, p.node, "expected once: a neighbor of this address is there "
					      "already");
			return;
		}
	}
	if (c->n_neighbors == NEIGHBORS_MAX) {
		ydoc_error(y, p.node, "expected at most %u neighbors", NEIGHBORS_MAX);
		return;
	}
	c->neighbors = array_add(c->neighbors, &c->n_neighbors, &c->room_neighbors, sizeof(p.n));
	c->neighbors[c->n_neighbors - 1] = p.n;
}

void config_read_neighbors(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "neighbors like {port: …, address: …, mac: …}", read_neighbor, arg);
}
