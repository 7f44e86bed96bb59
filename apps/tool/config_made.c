// SPDX-License-Identifier: BSD-3-Clause
// config_made.c - read the list interfaces: VLANs, groups and bridges made of ports
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/util.h"

struct made_reader {
	struct iface_reader i;
	yaml_node_t *port, *vlan, *group, *bridge;
	int parent;
	uint16_t vid[2];
	unsigned vids;
};

static struct config_iface *made(struct made_reader *p)
{
	return &p->i.r->c->ifaces[p->i.index];
}

static void read_parent(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct made_reader *p = arg;

	p->port = node;
	p->parent = config_iface_ref(p->i.r, node);
}

static void read_vid(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct made_reader *p = arg;
	uint32_t v;

	if (!ydoc_u32(y, node, 1, 4094, &v))
		return;
	if (p->vids < 2)
		p->vid[p->vids] = (uint16_t)v;
	p->vids++;
}

static void read_vlan(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct made_reader *p = arg;

	p->vlan = node;
	if (node->type == YAML_SCALAR_NODE)
		read_vid(y, node, arg);
	else
		ydoc_list(y, node, "a VLAN, or [OUTER, INNER]", read_vid, arg);
	if (p->vids > 2)
		ydoc_error(y, node, "expected a VLAN of 1 to 4094, or two: [OUTER, INNER]");
}

static void read_member(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct made_reader *p = arg;
	struct config *c = p->i.r->c;
	int index = config_iface_ref(p->i.r, node);
	struct config_iface *m = index < 0 ? NULL : &c->ifaces[index];

	if (!m)
		return;
	if (index == p->i.index || (p->group && m->blob.kind != BLOB_IFACE_PORT) ||
	    m->blob.kind == BLOB_IFACE_BRIDGE) {
		ydoc_error(y, node, p->group ? "expected a port" : "expected a port, a VLAN or a group");
		return;
	}
	if (m->member || (p->group && m->parent)) {
		ydoc_error(y, node, m->member ? "belongs to a group or bridge already" :
						"has VLANs: expected those to be made of the group");
		return;
	}
	m->member = true;
	c->members = array_add(c->members, &c->n_members, &c->room_members, sizeof(*c->members));
	c->members[c->n_members - 1] = (uint16_t)index;
	made(p)->blob.members++;
}

static void read_members(struct made_reader *p, struct ydoc *y, yaml_node_t *node, uint8_t kind)
{
	struct blob_iface *b = &made(p)->blob;

	b->kind = kind;
	b->first = (uint16_t)p->i.r->c->n_members;
	ydoc_list(y, node, "names of ports", read_member, p);
	if (!b->members && !y->diags->total)
		ydoc_error(y, node, "expected at least one member");
}

static void read_group(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct made_reader *p = arg;

	p->group = node;
	read_members(p, y, node, BLOB_IFACE_GROUP);
}

static void read_bridge(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct made_reader *p = arg;

	p->bridge = node;
	read_members(p, y, node, BLOB_IFACE_BRIDGE);
}

static void read_mac(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct blob_iface *b = &made(arg)->blob;

	if (config_mac(y, node, b->mac))
		b->flags |= BLOB_IFACE_MAC;
}

static void read_mtu(struct ydoc *y, yaml_node_t *node, void *arg)
{
	uint32_t v;

	if (ydoc_u32(y, node, 68, 9000, &v))
		made(arg)->blob.mtu = (uint16_t)v;
}

static void read_age(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 1000000, &made(arg)->blob.age);
}

static void read_macs(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 16, 1u << 20, &made(arg)->blob.macs);
}

// What it is made of comes first.
static const struct ydoc_key keys[] = {
	{"port", false, read_parent},
	{"vlan", false, read_vlan},
	{"group", false, read_group},
	{"bridge", false, read_bridge},
	{"vrf", false, config_iface_vrf},
	{"addresses", false, config_iface_addresses},
	{"urpf", false, config_iface_urpf},
	{"redirects", false, config_iface_redirects},
	{"directed_broadcast", false, config_iface_broadcasts},
	{"ra", false, config_iface_ra},
	{"mac", false, read_mac},
	{"mtu", false, read_mtu},
	{"age", false, read_age},
	{"macs", false, read_macs},
	{0},
};

static void check_vlan(struct made_reader *p, struct ydoc *y)
{
	struct config *c = p->i.r->c;
	struct config_iface *me = made(p), *parent = &c->ifaces[p->parent];

	me->blob.parent = (uint16_t)p->parent;
	memcpy(me->blob.vid, p->vid, sizeof(p->vid));
	if (p->parent == p->i.index ||
	    (parent->blob.kind != BLOB_IFACE_PORT && parent->blob.kind != BLOB_IFACE_GROUP)) {
		ydoc_error(y, p->port, "expected a port or a group: [OUTER, INNER] are two tags");
		return;
	}
	for (size_t i = 0; i < p->i.index; i++) {
		const struct blob_iface *b = &c->ifaces[i].blob;

		if (b->kind == BLOB_IFACE_VLAN && b->parent == p->parent && b->vid[0] == me->blob.vid[0] &&
		    b->vid[1] == me->blob.vid[1])
			ydoc_error(y, p->vlan, "is %s's already: expected another VLAN", c->ifaces[i].name);
	}
	if (parent->member && parent->blob.kind == BLOB_IFACE_PORT)
		for (size_t i = 0; i < p->i.index; i++)
			for (unsigned k = 0; k < c->ifaces[i].blob.members; k++)
				if (c->ifaces[i].blob.kind == BLOB_IFACE_GROUP &&
				    c->members[c->ifaces[i].blob.first + k] == p->parent)
					ydoc_error(y, p->port, "belongs to group %s: expected a VLAN of "
							       "the group", c->ifaces[i].name);
	parent->parent = true;
}

static void read_interface(struct ydoc *y, yaml_node_t *key, yaml_node_t *value, void *arg)
{
	struct config_reader *r = arg;
	struct made_reader p = {.i.r = r, .parent = -1};
	int index = config_iface_add(r, key, "an interface", BLOB_IFACE_VLAN);

	if (index < 0)
		return;
	p.i.index = (uint16_t)index;
	ydoc_map(y, value, "an interface", keys, &p);
	if (value->type != YAML_MAPPING_NODE)
		return;
	if ((p.port && p.vlan) + !!p.group + !!p.bridge != 1 || !p.port != !p.vlan)
		ydoc_error(y, value, "expected one of port: PORT with vlan: N, group: [PORT, …], or "
				     "bridge: [PORT, …]");
	else if (p.vlan && p.parent >= 0 && p.vids)
		check_vlan(&p, y);
	if ((made(&p)->blob.age || made(&p)->blob.macs) && !p.bridge)
		ydoc_error(y, value, "age and macs belong to a bridge");
}

void config_read_interfaces(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_names(y, node, "interfaces", read_interface, arg);
}
