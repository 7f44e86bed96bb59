// SPDX-License-Identifier: BSD-3-Clause
// iface.c - the table of interfaces: ports, names, states, and the header of what they send
#include "netstack/iface.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/bridge.h"
#include "netstack/eth.h"
#include "netstack/group.h"
#include "netstack/vlan.h"

static bool make_counts(struct ifaces *ifs)
{
	// Whole cache lines of its own for each lcore.
	size_t bytes = ((ifs->room * sizeof(struct iface_count)) | (CACHE_LINE - 1)) + 1;

	for (unsigned l = 0; l < IFACE_LCORES; l++) {
		ifs->count[l] = aligned_alloc(CACHE_LINE, bytes);
		if (!ifs->count[l])
			return false;
		memset(ifs->count[l], 0, bytes);
	}
	return true;
}

struct ifaces *ifaces_create(unsigned ports, unsigned more, struct err *err)
{
	struct ifaces *ifs;
	size_t bytes;

	if (!ports || ports > IFACE_PORTS_MAX) {
		err_set(err, -EINVAL, "%u ports: a router has 1 to %u", ports, IFACE_PORTS_MAX);
		return NULL;
	}
	if (more > IFACES_MAX - ports) {
		err_set(err, -EINVAL, "%u interfaces: at most %u", ports + more, IFACES_MAX);
		return NULL;
	}
	bytes = sizeof(*ifs) + (ports + more) * sizeof(ifs->iface[0]);
	ifs = aligned_alloc(CACHE_LINE, bytes);
	if (!ifs) {
		err_set(err, -ENOMEM, "no memory for %u interfaces", ports + more);
		return NULL;
	}
	memset(ifs, 0, bytes);
	ifs->refs = 1;
	ifs->room = ports + more;
	if (!make_counts(ifs)) {
		err_set(err, -ENOMEM, "no memory for the counters of %u interfaces", ifs->room);
		ifaces_unref(ifs);
		return NULL;
	}
	ifs->ports = ifs->n = ifs->outs = ports;
	for (unsigned p = 0; p < ports; p++) {
		struct iface *i = &ifs->iface[p];

		*i = (struct iface){.match48 = IFACE_NO_MATCH,
				    .hlen = ETH_HLEN,
				    .admin = true,
				    .link = true,
				    .up = true,
				    .live = true,
				    .tx = (uint16_t)p,
				    .group = IFACE_NONE,
				    .bridge = IFACE_NONE,
				    .parent = IFACE_NONE};
		snprintf(i->name, sizeof(i->name), "port%u", p);
	}
	return ifs;
}

struct ifaces *ifaces_ref(struct ifaces *ifs)
{
	ifs->refs++;
	return ifs;
}

void ifaces_unref(struct ifaces *ifs)
{
	if (!ifs || --ifs->refs)
		return;
	for (unsigned k = 0; k < ifs->n; k++) {
		struct iface *i = &ifs->iface[k];

		vlan_map_free(i->vlans);
		if (i->kind == IFACE_GROUP)
			free(i->members);
		if (i->kind == IFACE_BRIDGE)
			bridge_free(i->domain);
	}
	for (unsigned l = 0; l < IFACE_LCORES; l++)
		free(ifs->count[l]);
	free(ifs);
}

int ifaces_port(struct ifaces *ifs, uint16_t port, const uint8_t mac[6], uint16_t mtu,
		struct err *err)
{
	struct iface *i;

	if (port >= ifs->ports)
		return err_set(err, -EINVAL, "port %u: there are %u", port, ifs->ports);
	if (!eth_mac_unicast(mac))
		return err_set(err, -EINVAL,
			       "port %u: %02x:%02x:%02x:%02x:%02x:%02x is no station's address",
			       port, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (mtu < IFACE_MTU_MIN)
		return err_set(err, -EINVAL, "port %u: MTU %u is below the %u of RFC 791", port,
			       mtu, IFACE_MTU_MIN);
	i = &ifs->iface[port];
	memcpy(i->mac, mac, 6);
	i->mac48 = eth_mac(mac);
	i->mtu = mtu;
	ifaces_set_up(ifs, port, i->admin);
	return 0;
}

static bool name_ok(const char *name)
{
	size_t n =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:");

	return n && n < IFACE_NAME_MAX && !name[n];
}

int ifaces_name(struct ifaces *ifs, uint16_t i, const char *name, struct err *err)
{
	int other = ifaces_find(ifs, name);

	if (!name_ok(name))
		return err_set(err, -EINVAL,
			       "'%.40s' is no name of an interface: up to %u letters, digits, '.', "
			       "'-', '_' and ':'",
			       name, IFACE_NAME_MAX - 1);
	if (other >= 0 && other != i)
		return err_set(err, -EEXIST, "two interfaces are called %s", name);
	snprintf(ifs->iface[i].name, sizeof(ifs->iface[i].name), "%s", name);
	return 0;
}

int ifaces_find(const struct ifaces *ifs, const char *name)
{
	for (unsigned i = 0; i < ifs->n; i++)
		if (!strcmp(ifs->iface[i].name, name))
			return (int)i;
	return -ENOENT;
}

int ifaces_addressable(const struct ifaces *ifs, uint16_t k, struct err *err)
{
	const struct iface *i = &ifs->iface[k];
	uint16_t owner = i->group != IFACE_NONE ? i->group : i->bridge;

	if (owner != IFACE_NONE)
		return err_set(
			err, -EINVAL,
			"interface %s is a member of %s and has no addresses: give them to %s",
			i->name, ifs->iface[owner].name, ifs->iface[owner].name);
	if (i->kind == IFACE_BRIDGE && !i->domain->routed)
		return err_set(err, -EINVAL, "bridge %s has no station of its own for an address",
			       i->name);
	return 0;
}

bool ifaces_promiscuous(const struct ifaces *ifs, uint16_t port)
{
	const struct iface *p = &ifs->iface[port];

	if (p->group != IFACE_NONE || p->bridge != IFACE_NONE)
		return true;
	for (unsigned k = ifs->ports; k < ifs->n; k++) {
		const struct iface *i = &ifs->iface[k];

		if (i->kind == IFACE_VLAN && i->parent == port &&
		    (i->mac48 != p->mac48 || i->bridge != IFACE_NONE))
			return true;
	}
	return false;
}

static bool group_live(const struct ifaces *ifs, const struct iface *i)
{
	struct group *g = i->members;
	uint32_t live = 0;

	for (unsigned k = 0; k < g->n; k++)
		live |= (uint32_t)ifs->iface[g->member[k]].live << k;
	if (live != g->live)
		group_set_live(g, live);
	return live;
}

static uint64_t match(const struct iface *i)
{
	bool whole = i->group == IFACE_NONE && i->bridge == IFACE_NONE;

	if (i->kind == IFACE_BRIDGE)
		whole = i->domain->routed;
	return i->up && whole && i->kind != IFACE_VLAN && i->mac48 ? i->mac48 : IFACE_NO_MATCH;
}

static void set_live(struct ifaces *ifs, uint16_t k, bool live)
{
	struct iface *i = &ifs->iface[k];

	if (i->live && !live && i->bridge != IFACE_NONE) // who was there may be heard elsewhere
		mac_forget(&ifs->iface[i->bridge].domain->macs, k);
	__atomic_store_n(&i->live, live, __ATOMIC_RELAXED);
}

// Works out what is up and live. What an interface is made of comes before it.
static void refresh(struct ifaces *ifs)
{
	for (uint16_t k = 0; k < ifs->n; k++) {
		struct iface *i = &ifs->iface[k];
		const struct iface *parent = i->kind == IFACE_VLAN ? &ifs->iface[i->parent] : i;
		bool link = i->link;

		if (i->kind == IFACE_GROUP)
			link = group_live(ifs, i);
		else if (i->kind == IFACE_VLAN)
			link = parent->live;
		__atomic_store_n(&i->up, i->admin && (parent == i || parent->up), __ATOMIC_RELAXED);
		set_live(ifs, k, i->up && link);
		__atomic_store_n(&i->match48, match(i), __ATOMIC_RELAXED);
	}
}

void ifaces_set_up(struct ifaces *ifs, uint16_t i, bool up)
{
	ifs->iface[i].admin = up;
	refresh(ifs);
}

void ifaces_link(struct ifaces *ifs, uint16_t port, bool up)
{
	ifs->iface[port].link = up;
	refresh(ifs);
}

void ifaces_counts(const struct ifaces *ifs, uint16_t i, struct iface_count *sum)
{
	*sum = (struct iface_count){0};
	for (unsigned l = 0; l < IFACE_LCORES; l++) {
		sum->rx_packets += ifs->count[l][i].rx_packets;
		sum->rx_bytes += ifs->count[l][i].rx_bytes;
		sum->tx_packets += ifs->count[l][i].tx_packets;
		sum->tx_bytes += ifs->count[l][i].tx_bytes;
	}
}

void iface_make_room(struct mbuf *m, uint16_t hlen)
{
	uint16_t l3 = m->l3;

	m->l4 = (uint16_t)(m->l4 - l3 + hlen); // where it is set
	m->l3 = hlen;
	if (l3 > hlen)
		mbuf_pull(m, (uint16_t)(l3 - hlen));
	else
		mbuf_prepend(m, (uint16_t)(hlen - l3));
}

void iface_put_eth(const struct iface *i, struct mbuf *m, const uint8_t to[6], uint16_t type)
{
	uint8_t *p;

	if (m->l3 != i->hlen)
		iface_make_room(m, i->hlen);
	p = m->data;
	memcpy(p, to, 6);
	memcpy(p + 6, i->mac, 6);
	memcpy(p + 12, i->tag, i->hlen - ETH_HLEN);
	store16(p + i->hlen - 2, be16(type));
}
