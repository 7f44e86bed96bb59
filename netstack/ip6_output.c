// SPDX-License-Identifier: BSD-3-Clause
// ip6_output.c - node ip6-output: sends what the router itself says
//
// A packet comes with its IPv6 header at mbuf.l3, complete, checksums included. To a link-local
// address or a group of the link it leaves by interface mbuf.port; its route is looked for in the VRF of
// that.
#include "netstack/ip6_graph.h"
#include "netstack/ip6_own.h"

enum { EDGE_HOLD, EDGE_FRAGMENT, EDGE_PORT0 };
static_assert(EDGE_PORT0 == IP6_OUTPUT_EDGE_PORT0, "the wiring counts on it");
enum { DROP_NO_ROUTE, DROP_BEYOND_SCOPE, DROP_TOO_BIG };
static const char *const edges[] = {"hold", "fragment", NULL};
static const char *const drops[] = {"no-route", "beyond-scope", "too-big", NULL};

static uint8_t to_group(const struct ip6_stack *s, struct mbuf *m, const struct ip6_hdr *ip)
{
	const struct iface *i = &s->ifs->iface[m->port];
	uint8_t mac[6];

	if (IP6_HLEN + be16(ip->len) > i->mtu)
		return NEXT_DROP(DROP_TOO_BIG);
	ip6_group_mac(mac, ip->dst);
	iface_put_eth(i, m, mac, ETH_TYPE_IP6);
	return (uint8_t)(EDGE_PORT0 + i->tx);
}

// On the link of mbuf.port.
static uint32_t on_link(const struct ip6_stack *s, const struct mbuf *m, const struct ip6_hdr *ip)
{
	const union ip_addr key = ip6_addr(ip->dst);
	uint32_t i = neigh_find6(&s->neighbors, m->port, &key);

	return i ? i : ADJ_INDEX_GLEAN0 + m->port;
}

static uint8_t one(struct ip6_stack *s, struct mbuf *m)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	struct adj *a;
	uint32_t index;

	if (ip6_multicast(ip->dst))
		return to_group(s, m, ip);
	if (ip6_link_local(ip->dst))
		index = on_link(s, m, ip);
	else
		index = ip6_route_of(s, m, ip->dst);
	a = &s->neighbors.adj[index];
	if (a->kind != ADJ_FORWARD && a->kind != ADJ_GLEAN)
		return NEXT_DROP(DROP_NO_ROUTE);
	if (ip6_link_local(ip->src) && a->iface != m->port)
		return NEXT_DROP(DROP_BEYOND_SCOPE);
	m->scratch32[SCRATCH_ADJ] = index;
	if (IP6_HLEN + be16(ip->len) > ip6_own_mtu(a, ip->dst))
		return EDGE_FRAGMENT;
	if (!a->ready)
		return EDGE_HOLD;
	a->used = true;
	adj_put_eth(m, a);
	return (uint8_t)(EDGE_PORT0 + a->tx);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node->state, pkts[i]);
}

const struct node_def ip6_output_node = {
	.name = "ip6-output",
	.edges = edges,
	.drops = drops,
	.process = process,
};
