// SPDX-License-Identifier: BSD-3-Clause
// ip6_rewrite.c - node ip6-rewrite: hop limit, size, and the Ethernet header of the next hop
//
// RFC 8200, 3 (hop limit) and 5 (only its source fragments a packet); RFC 4443, 3.2 and 3.3. What
// is checked comes before what is changed, so that a report quotes the packet as it arrived.
#include "netstack/icmp6.h"
#include "netstack/ip6_graph.h"
#include "pmd/offload.h"

enum { EDGE_HOLD, EDGE_ERROR, EDGE_PORT0 };
static_assert(EDGE_PORT0 == IP6_REWRITE_EDGE_PORT0, "the wiring counts on it");
enum { DROP_HOPS_EXCEEDED, DROP_TOO_BIG };
static const char *const edges[] = {"hold", "icmp6-error", NULL};
static const char *const drops[] = {"hops-exceeded", "too-big", NULL};

static __attribute__((noinline)) uint8_t expired(struct node *node, const struct mbuf *m)
{
	const struct ip6_stack *s = node->state;

	icmp6_report(node, EDGE_ERROR, s->pool, m,
		     (struct icmp6_report){.type = ICMP6_EXCEEDED, .code = ICMP6_HOP_LIMIT});
	return NEXT_DROP(DROP_HOPS_EXCEEDED);
}

// A long packet whose segments fit the next link is forwarded as it is: whoever sends it cuts it.
static __attribute__((noinline)) bool segments_fit(const struct mbuf *m, uint16_t mtu)
{
	return m->flags & (MBUF_TSO | MBUF_USO) && offload_piece_bytes(m) - m->l3 <= mtu;
}

static __attribute__((noinline)) uint8_t too_big(struct node *node, const struct mbuf *m,
						 uint16_t mtu)
{
	const struct ip6_stack *s = node->state;

	icmp6_report(node, EDGE_ERROR, s->pool, m,
		     (struct icmp6_report){.type = ICMP6_TOO_BIG, .param = mtu});
	return NEXT_DROP(DROP_TOO_BIG);
}

static always_inline uint8_t one(struct node *node, struct adj *adj, struct mbuf *m)
{
	struct ip6_hdr *ip = mbuf_at(m, struct ip6_hdr *, m->l3);
	struct adj *a = &adj[m->scratch32[SCRATCH_ADJ]];

	if (unlikely(ip->hops <= 1))
		return expired(node, m);
	if (unlikely(IP6_HLEN + be16(ip->len) > a->mtu) && !segments_fit(m, a->mtu))
		return too_big(node, m, a->mtu);
	ip->hops--;
	if (unlikely(!a->ready))
		return EDGE_HOLD;
	if (!a->used)
		a->used = true;
	adj_put_eth(m, a);
	return (uint8_t)(EDGE_PORT0 + a->tx);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct ip6_stack *s = node->state;
	struct adj *adj = s->neighbors.adj;

	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, adj, pkts[i]);
}

const struct node_def ip6_rewrite_node = {
	.name = "ip6-rewrite",
	.edges = edges,
	.drops = drops,
	.process = process,
};
