// SPDX-License-Identifier: BSD-3-Clause
// config_ifaces.c - read interfaces: what ports and others have in common, VRFs
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"
#include "pmd/port.h"

#define ADDRESSES_MAX 1024u

int config_iface(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_ifaces; i++)
		if (!strcmp(c->ifaces[i].name, name))
			return (int)i;
	return -1;
}

int config_iface_ref(struct config_reader *r, yaml_node_t *node)
{
	const char *name = ydoc_text(r->y, node, "the name of a port or interface");
	char list[200] = "";
	size_t n = 0;
	int index = name ? config_iface(r->c, name) : -1;

	if (!name || index >= 0)
		return index;
	for (size_t i = 0; i < r->c->n_ifaces && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      r->c->ifaces[i].name);
	ydoc_error(r->y, node, "expected the name of a port or interface: %s",
		   *list ? list : "there are none");
	return -1;
}

static const char *name_fault(const struct config *c, const char *s, bool port)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	size_t n = strspn(s, letters);

	// The name of a port is part of those of nodes and figures, where a dot divides.
	if (!n || s[n] || n >= PORT_NAME_MAX || (port && strchr(s, '.')))
		return port ? "expected a name of 1 to 15 letters, digits, _ and -" :
			      "expected a name of 1 to 15 letters, digits, _, - and .";
	if (config_iface(c, s) >= 0)
		return port ? "a port of this name is there already" :
			      "a port or interface of this name is there already";
	return NULL;
}

int config_iface_add(struct config_reader *r, yaml_node_t *key, const char *what, uint8_t kind)
{
	struct config *c = r->c;
	char expected[40];
	const char *name, *fault;
	struct config_iface *i;

	snprintf(expected, sizeof(expected), "the name of %s", what);
	name = ydoc_text(r->y, key, expected);
	if (!name)
		return -1;
	fault = name_fault(c, name, kind == BLOB_IFACE_PORT);
	if (!fault && c->n_ifaces == BLOB_IFACES_MAX)
		fault = "expected at most 1024 ports and interfaces";
	if (fault) {
		ydoc_error(r->y, key, "%s", fault);
		return -1;
	}
	c->ifaces = array_add(c->ifaces, &c->n_ifaces, &c->room_ifaces, sizeof(*c->ifaces));
	i = &c->ifaces[c->n_ifaces - 1];
	i->name = xstrdup(name);
	i->place = config_place(r->y, key);
	i->blob.kind = kind;
	return (int)c->n_ifaces - 1;
}

static struct config_iface *iface_of(void *arg)
{
	struct iface_reader *p = arg;

	return &p->r->c->ifaces[p->index];
}

// --- VRFs ---

static void read_vrf(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config *c = ((struct config_reader *)arg)->c;
	const char *s = ydoc_text(y, node, "the name of a VRF");

	if (!s)
		return;
	if (!*s || strlen(s) >= PORT_NAME_MAX || !strcmp(s, "default")) {
		ydoc_error(y, node, "expected a name of 1 to 15 characters, not \"default\"");
		return;
	}
	for (size_t i = 0; i < c->n_vrfs; i++) {
		if (!strcmp(c->vrfs[i], s)) {
			ydoc_error(y, node, "a VRF of this name is there already");
			return;
		}
	}
	if (c->n_vrfs == BLOB_VRFS_MAX) {
		ydoc_error(y, node, "expected at most %u VRFs", BLOB_VRFS_MAX);
		return;
	}
	c->vrfs = array_add(c->vrfs, &c->n_vrfs, &c->room_vrfs, sizeof(*c->vrfs));
	c->vrfs[c->n_vrfs - 1] = xstrdup(s);
}

void config_read_vrfs(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "names of VRFs", read_vrf, arg);
}

int config_vrf_ref(struct config_reader *r, yaml_node_t *node)
{
	const char *s = ydoc_text(r->y, node, "the name of a VRF");

	if (!s)
		return -1;
	if (!strcmp(s, "default"))
		return 0;
	for (size_t i = 0; i < r->c->n_vrfs; i++)
		if (!strcmp(r->c->vrfs[i], s))
			return (int)i + 1;
	ydoc_error(r->y, node, "expected \"default\" or a name of the list vrfs");
	return -1;
}

void config_iface_vrf(struct ydoc *y, yaml_node_t *node, void *arg)
{
	int vrf = config_vrf_ref(((struct iface_reader *)arg)->r, node);

	if (vrf > 0)
		iface_of(arg)->blob.vrf = (uint16_t)vrf;
}

// --- addresses ---

// Of one VRF, two networks that overlap; link-local networks are alike everywhere.
static const struct blob_addr *overlaps(const struct config *c, const struct blob_addr *a)
{
	union ip_addr x, y;

	memcpy(&x, a->addr, 16);
	for (size_t i = 0; i < c->n_addrs; i++) {
		const struct blob_addr *b = &c->addrs[i];

		memcpy(&y, b->addr, 16);
		if (b->family != a->family || c->ifaces[b->iface].blob.vrf != c->ifaces[a->iface].blob.vrf)
			continue;
		if (a->family == 6 && a->iface != b->iface && ip6_is_link_local(&x) && ip6_is_link_local(&y))
			continue;
		if (ip_match(&x, &y, a->plen < b->plen ? a->plen : b->plen))
			return b;
	}
	return NULL;
}

static const char *address_fault(const char *s, struct blob_addr *a)
{
	union ip_addr addr = {.w = {0, 0}};

	if (!ip_parse_prefix(s, &a->family, &addr, &a->plen) || !a->plen)
		return "expected ADDRESS/LENGTH like 192.0.2.1/24 or 2001:db8::1/64";
	if (!ip_usable_host(a->family, &addr, a->plen))
		return "expected a host's address, not a network, broadcast, multicast, loopback or "
		       "reserved one";
	if (a->family == 6 && ip6_is_link_local(&addr) && a->plen != 64)
		return "expected length 64 of a link-local address";
	memcpy(a->addr, &addr, 16);
	return NULL;
}

static void read_address(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct iface_reader *p = arg;
	struct config *c = p->r->c;
	const char *s = ydoc_text(y, node, "an address like 192.0.2.1/24");
	struct blob_addr a = {.iface = p->index};
	const struct blob_addr *other;
	const char *fault;

	iface_of(arg)->has_address = true;
	if (!s)
		return;
	fault = address_fault(s, &a);
	if (!fault && c->n_addrs == ADDRESSES_MAX)
		fault = "expected at most 1024 addresses in all";
	if (fault) {
		ydoc_error(y, node, "%s", fault);
		return;
	}
	other = overlaps(c, &a);
	if (other) {
		ydoc_error(y, node, "its network overlaps one of %s %s: expected networks that are apart",
			   c->ifaces[other->iface].blob.kind == BLOB_IFACE_PORT ? "port" : "interface",
			   c->ifaces[other->iface].name);
		return;
	}
	c->addrs = array_add(c->addrs, &c->n_addrs, &c->room_addrs, sizeof(*c->addrs));
	c->addrs[c->n_addrs - 1] = a;
}

// A list, or the word dhcp.
void config_iface_addresses(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config_iface *i = iface_of(arg);

	if (node->type == YAML_SCALAR_NODE && !strcmp((const char *)node->data.scalar.value, "dhcp")) {
		i->blob.flags |= BLOB_IFACE_DHCP;
		i->has_address = true;
		return;
	}
	ydoc_list(y, node, "addresses like 192.0.2.1/24", read_address, arg);
}

// --- how an interface routes ---

void config_iface_urpf(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const char *const kinds[BLOB_URPF_KINDS] = {"off", "strict", "loose"};
	const char *s = ydoc_text(y, node, "off, strict or loose");
	uint8_t i;

	for (i = 0; s && i < BLOB_URPF_KINDS && strcmp(s, kinds[i]); i++)
		;
	if (s && i < BLOB_URPF_KINDS)
		iface_of(arg)->blob.urpf = i;
	else if (s)
		ydoc_error(y, node, "expected off, strict or loose");
}

static void read_flag(struct ydoc *y, yaml_node_t *node, void *arg, uint16_t flag)
{
	struct blob_iface *b = &iface_of(arg)->blob;
	bool on;

	if (config_switch(y, node, &on))
		b->flags = (uint16_t)(on ? b->flags | flag : b->flags & ~flag);
}

void config_iface_redirects(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_flag(y, node, arg, BLOB_IFACE_REDIRECTS);
}

void config_iface_broadcasts(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_flag(y, node, arg, BLOB_IFACE_BROADCASTS);
}

static void read_ra_number(struct ydoc *y, yaml_node_t *node, uint32_t min, uint32_t max, uint16_t *v)
{
	uint32_t n;

	if (ydoc_u32(y, node, min, max, &n))
		*v = (uint16_t)n;
}

// RFC 4861, 6.2.1: bounds of MaxRtrAdvInterval and AdvDefaultLifetime.
static void read_ra_interval(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_ra_number(y, node, 4, 1800, &iface_of(arg)->blob.ra_interval);
}

static void read_ra_lifetime(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_ra_number(y, node, 0, 9000, &iface_of(arg)->blob.ra_lifetime);
}

static void read_ra_managed(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_flag(y, node, arg, BLOB_IFACE_RA_MANAGED);
}

static void read_ra_other(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_flag(y, node, arg, BLOB_IFACE_RA_OTHER);
}

static void read_ra_prefixes(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_flag(y, node, arg, BLOB_IFACE_RA_PREFIXES);
}

void config_iface_ra(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"interval", false, read_ra_interval}, {"lifetime", false, read_ra_lifetime},
		{"managed", false, read_ra_managed},   {"other", false, read_ra_other},
		{"prefixes", false, read_ra_prefixes}, {0},
	};
	struct blob_iface *b = &iface_of(arg)->blob;

	b->ra_interval = 600;
	b->ra_lifetime = 1800;
	b->flags |= BLOB_IFACE_RA_PREFIXES;
	ydoc_map(y, node, "ra", keys, arg);
	if (b->ra_lifetime && b->ra_lifetime < b->ra_interval)
		ydoc_error(y, node, "expected a lifetime of 0, or of at least the interval");
}
