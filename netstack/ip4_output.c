// SPDX-License-Identifier: BSD-3-Clause
// ip4_output.c - node ip4-output: sends what the router itself says
//
// A packet comes with its IPv4 header at mbuf.l3, complete but for the checksum and, where it is 0,
// the source address: that is the address of the interface by which the packet leaves (RFC
// 1812, 4.3.2.4). Its route is looked for in the VRF of interface mbuf.port.
#include "netstack/csum.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

enum { EDGE_HOLD, EDGE_FRAGMENT, EDGE_PORT0 };
static_assert(EDGE_PORT0 == IP4_OUTPUT_EDGE_PORT0, "the wiring counts on it");
enum { DROP_NO_ROUTE, DROP_TOO_BIG };
static const char *const edges[] = {"hold", "fragment", NULL};
static const char *const drops[] = {"no-route", "too-big", NULL};

static bool set_source(const struct ip4_stack *s, struct ip4_hdr *ip, const struct adj *a)
{
	uint32_t peer = a->kind == ADJ_FORWARD ? a->addr.v4 : ip->dst;

	if (!ip->src)
		ip->src = be32(ip4_stack_source(s, a->iface, be32(peer)));
	return ip->src != 0;
}

static uint8_t one(struct ip4_stack *s, struct mbuf *m)
{
	struct ip4_hdr *ip = mbuf_at(m, struct ip4_hdr *, m->l3);
	const struct lpm4 *lpm = fib_lpm4(s->fib, s->ifs->iface[m->port].vrf);
	uint32_t index = ip4_resolve(s, lpm4_lookup(lpm, be32(ip->dst)), m, ip->dst);
	struct adj *a = &s->neighbors.adj[index];

	if ((a->kind != ADJ_FORWARD && a->kind != ADJ_GLEAN) || !set_source(s, ip, a))
		return NEXT_DROP(DROP_NO_ROUTE);
	if (be16(ip->len) > a->mtu && ip->frag & be16(IP4_DF))
		return NEXT_DROP(DROP_TOO_BIG);
	ip->csum = 0;
	ip->csum = (uint16_t)~csum_fold(csum_add(0, ip, ip4_hlen(ip)));
	m->scratch32[SCRATCH_ADJ] = index;
	if (be16(ip->len) > a->mtu)
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

const struct node_def ip4_output_node = {
	.name = "ip4-output",
	.edges = edges,
	.drops = drops,
	.process = process,
};
