// SPDX-License-Identifier: BSD-3-Clause
// arp_hold.c - node arp-hold: holds packets whose IPv4 neighbor is not known, and asks for it
//
// What it does is neigh_hold.c's and neigh_state.c's; here is what is ARP in it: the request (RFC
// 826) and the report when nobody answers. This node frees the stack with the graph.
#include <assert.h>

#include "netstack/arp.h"
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

static_assert(NEIGH_EDGE_PORT0 == ARP_HOLD_EDGE_PORT0, "the wiring counts on it");
static const char *const edges[] = {"icmp-error", NULL};

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t unknown[6];

void arp_put_request(struct mbuf *m, const struct iface *iface, const uint8_t to[6],
		     uint32_t source, uint32_t addr)
{
	struct arp_hdr *arp = mbuf_append(m, ARP_LEN);

	m->l3 = 0;
	iface_put_eth(iface, m, to, ETH_TYPE_ARP);
	*arp = (struct arp_hdr){
		.htype = be16(ARP_HTYPE_ETH),
		.ptype = be16(ETH_TYPE_IP4),
		.hlen = 6,
		.plen = 4,
		.op = be16(ARP_REQUEST),
		.spa = source,
		.tpa = addr,
	};
	memcpy(arp->sha, iface->mac, 6);
	memcpy(arp->tha, unknown, 6);
}

static void destination(const struct mbuf *m, union ip_addr *dst)
{
	dst->v4 = mbuf_at(m, const struct ip4_hdr *, m->l3)->dst;
}

static bool solicit(const struct neigh_table *t, uint32_t index, struct mbuf *m)
{
	const struct adj *a = &t->adj[index];
	uint32_t source = ip4_stack_source(t->stack, a->iface, be32(a->addr.v4));

	arp_put_request(m, &t->ifs->iface[a->iface], a->ready ? adj_mac(a) : broadcast,
			be32(source), a->addr.v4);
	return true;
}

// RFC 1812, 5.2.7.1 asks for a host unreachable about each packet that waited; what we ourselves
// say concerns nobody else.
static void unresolved(const struct neigh_table *t, const struct mbuf *m)
{
	const struct ip4_stack *s = t->stack;
	uint32_t src = mbuf_at(m, const struct ip4_hdr *, m->l3)->src;

	if (ip4_filter_hit(s, src) && ip4_stack_forbidden_source(s, m->port, be32(src)))
		return;
	icmp_report(t->node, NEIGH_EDGE_REPORT, s->pool, m,
		    (struct icmp_report){.type = ICMP_UNREACHABLE, .code = ICMP_HOST});
}

const struct neigh_family arp_family = {
	.type = ETH_TYPE_IP4,
	.destination = destination,
	.solicit = solicit,
	.unresolved = unresolved,
};

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct ip4_stack *s = node->state;

	neigh_hold(&s->neighbors, pkts, next, n);
}

static uint64_t housekeep(struct node *node, uint64_t now)
{
	struct ip4_stack *s = node->state;

	if (s->announces)
		arp_announce(node, s);
	return neigh_housekeep(&s->neighbors, now);
}

static void destroy(struct node *node)
{
	struct ip4_stack *s = node->state;

	neigh_drop_all(&s->neighbors);
	ip4_stack_destroy(s);
}

const struct node_def arp_hold_node = {
	.name = "arp-hold",
	.edges = edges,
	.drops = neigh_hold_drops,
	.process = process,
	.housekeep = housekeep,
	.destroy = destroy,
};

// On several lcores.

const struct node_def arp_learn_node = {
	.name = "arp-learn",
	.process = neigh_learn_process,
};

const struct node_def arp_resolve_node = {
	.name = "arp-resolve",
	.drops = neigh_resolve_drops,
	.process = neigh_resolve_process,
};
