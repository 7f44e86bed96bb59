// SPDX-License-Identifier: BSD-3-Clause
// arp_announce.c - what a router says of itself, unasked, where somebody may look for it elsewhere
//
// RFC 5227, 2.3: a broadcast request for its own address, which all who know it take as news.
#include "netstack/arp.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

// An empty pool costs this announcement; whoever misses it asks.
static void announce(struct node *node, struct ip4_stack *s, const struct ip4_address *a)
{
	const struct iface *iface = &s->ifs->iface[a->iface];
	struct mbuf *m = mbuf_alloc(s->pool);

	if (!m)
		return;
	arp_put_request(m, iface, broadcast, be32(a->addr), be32(a->addr));
	m->port = a->iface;
	graph_emit(node, (uint8_t)(ARP_HOLD_EDGE_PORT0 + iface->tx), m);
}

void arp_announce(struct node *node, struct ip4_stack *s)
{
	for (uint32_t i = 0; i < s->addresses; i++)
		if (s->announce[s->address[i].iface / 64] >> (s->address[i].iface % 64) & 1)
			announce(node, s, &s->address[i]);
	memset(s->announce, 0, sizeof(s->announce));
	s->announces = false;
}

void ip4_stack_announce(struct ip4_stack *s, uint16_t iface)
{
	s->announce[iface / 64] |= 1ull << (iface % 64);
	s->announces = true;
	graph_wake(s->neighbors.node, graph_now(s->neighbors.node));
}
