// SPDX-License-Identifier: BSD-3-Clause
// group_node.c - nodes out-GROUP: which of a group's ports a frame leaves by
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "netstack/eth.h"
#include "netstack/group.h"
#include "netstack/iface.h"
#include "netstack/ip4.h"

#define IP6_HLEN 40u

enum { DROP_NO_MEMBER, DROP_INTERFACE_DOWN };
static const char *const drops[] = {"no-member", "interface-down", NULL};

struct group_out {
	struct ifaces *ifs;
	const struct group *group;
	uint16_t iface;
};

static uint64_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15;
	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IP4_PROTO_TCP || protocol == IP4_PROTO_UDP;
}

// Sums of what belongs to each side are the same for both directions.
static uint64_t sum4(const uint8_t *ip, unsigned len)
{
	unsigned hlen = (ip[0] & 15u) * 4u;
	uint64_t src = load32(ip + 12), dst = load32(ip + 16);

	// A flow's fragments have no ports but the first, so all go by their addresses.
	if (has_ports(ip[9]) && !(load16(ip + 6) & be16(IP4_MF | IP4_FRAG_OFF)) &&
	    hlen >= IP4_HLEN && len >= hlen + 4) {
		src |= (uint64_t)load16(ip + hlen) << 32;
		dst |= (uint64_t)load16(ip + hlen + 2) << 32;
	}
	return mix(src) + mix(dst);
}

static uint64_t sum6(const uint8_t *ip, unsigned len)
{
	uint64_t src = mix(load64(ip + 8)) ^ load64(ip + 16);
	uint64_t dst = mix(load64(ip + 24)) ^ load64(ip + 32);

	if (has_ports(ip[6]) && len >= IP6_HLEN + 4) {
		src += load16(ip + IP6_HLEN);
		dst += load16(ip + IP6_HLEN + 2);
	}
	return mix(src) + mix(dst);
}

uint32_t group_hash(const struct mbuf *m)
{
	const uint8_t *p = m->data;
	unsigned off = 12, len = m->len;
	uint64_t sum;
	uint16_t type;

	if (m->flags & MBUF_HASH)
		return m->hash;
	if (len < ETH_HLEN)
		return 0;
	type = be16(load16(p + off));
	for (unsigned tags = 0; eth_is_tag(type) && tags < IFACE_TAGS_MAX && len >= off + 6;
	     tags++) {
		off += 4;
		type = be16(load16(p + off));
	}
	off += 2;
	if (type == ETH_TYPE_IP4 && len >= off + IP4_HLEN)
		sum = sum4(p + off, len - off);
	else if (type == ETH_TYPE_IP6 && len >= off + IP6_HLEN)
		sum = sum6(p + off, len - off);
	else
		sum = mix(eth_mac_load8(p)) + mix(eth_mac_load8(p + 6));
	sum = mix(sum);
	return (uint32_t)(sum >> 32);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct group_out *o = node->state;
	struct iface_count *c = iface_count(o->ifs, o->iface);

	if (!iface_up(&o->ifs->iface[o->iface])) {
		node_all(node, NEXT_DROP(DROP_INTERFACE_DOWN));
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		uint8_t member = group_pick(o->group, group_hash(pkts[i]));

		next[i] = NEXT_DROP(DROP_NO_MEMBER);
		if (member == GROUP_NO_MEMBER)
			continue;
		c->tx_packets++;
		c->tx_bytes += pkts[i]->pkt_len;
		next[i] = member; // its edge
	}
}

static void destroy(struct node *node)
{
	struct group_out *o = node->state;

	ifaces_unref(o->ifs);
	free(o);
}

static const struct node_def group_out_def = {
	.name = "group-out",
	.drops = drops,
	.process = process,
	.destroy = destroy,
};

struct node *group_out_add(struct graph *g, struct ifaces *ifs, uint16_t iface,
			   struct node *const *tx, struct err *err)
{
	const struct group *group = ifs->iface[iface].members;
	struct group_out *o = malloc(sizeof(*o));
	char label[IFACE_NAME_MAX], name[IFACE_NAME_MAX + 8];
	struct node *node;

	if (!o) {
		err_set(err, -ENOMEM, "no memory for a node of group %s", ifs->iface[iface].name);
		return NULL;
	}
	*o = (struct group_out){ifs, group, iface};
	iface_label(&ifs->iface[iface], label);
	snprintf(name, sizeof(name), "out-%s", label);
	node = graph_add(g, &group_out_def, name, o, err);
	if (!node) {
		free(o);
		return NULL;
	}
	ifaces_ref(ifs);
	for (unsigned k = 0; k < group->n; k++)
		if (node_add_edge(node, tx[group->member[k]], err) < 0)
			return NULL;
	return node;
}
