// SPDX-License-Identifier: BSD-3-Clause
// ip4_rewrite.c - node ip4-rewrite: TTL, size, and the Ethernet header of the next hop
//
// RFC 1812: 5.3.1 (TTL), 5.2.6 and 4.2.2.7 (size), 5.2.4.4 (next hop). What is checked comes before
// what is changed, so that a report quotes the packet as it arrived.
#include "netstack/csum.h"
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"
#include "pmd/offload.h"

enum { EDGE_HOLD, EDGE_ERROR, EDGE_FRAGMENT, EDGE_PORT0 };
static_assert(EDGE_PORT0 == IP4_REWRITE_EDGE_PORT0, "the wiring counts on it");
enum { DROP_TTL_EXCEEDED, DROP_FRAGMENTATION_NEEDED };
static const char *const edges[] = {"hold", "icmp-error", "fragment", NULL};
static const char *const drops[] = {"ttl-exceeded", "fragmentation-needed", NULL};

static __attribute__((noinline)) uint8_t expired(struct node *node, struct mbuf *m)
{
	const struct ip4_stack *s = node->state;

	icmp_report(node, EDGE_ERROR, s->pool, m, (struct icmp_report){.type = ICMP_EXCEEDED});
	return NEXT_DROP(DROP_TTL_EXCEEDED);
}

// A long packet whose segments fit the next link is forwarded as it is: whoever sends it cuts it.
static __attribute__((noinline)) bool segments_fit(const struct mbuf *m, uint16_t mtu)
{
	return m->flags & (MBUF_TSO | MBUF_USO) && offload_piece_bytes(m) - m->l3 <= mtu;
}

static __attribute__((noinline)) uint8_t too_big(struct node *node, struct mbuf *m, uint16_t mtu)
{
	const struct ip4_stack *s = node->state;
	struct ip4_hdr *ip = mbuf_at(m, struct ip4_hdr *, m->l3);

	if (!(ip->frag & be16(IP4_DF))) {
		csum_dec_ttl(ip);
		return EDGE_FRAGMENT;
	}
	icmp_report(node, EDGE_ERROR, s->pool, m, // RFC 1191, 4
		    (struct icmp_report){
			    .type = ICMP_UNREACHABLE, .code = ICMP_FRAG_NEEDED, .mtu = mtu});
	return NEXT_DROP(DROP_FRAGMENTATION_NEEDED);
}

static always_inline uint8_t one(struct node *node, struct adj *adj, struct mbuf *m)
{
	struct ip4_hdr *ip = mbuf_at(m, struct ip4_hdr *, m->l3);
	struct adj *a = &adj[m->scratch32[SCRATCH_ADJ]];

	if (unlikely(ip->ttl <= 1))
		return expired(node, m);
	if (unlikely(be16(ip->len) > a->mtu) && !segments_fit(m, a->mtu))
		return too_big(node, m, a->mtu);
	csum_dec_ttl(ip);
	if (unlikely(!a->ready))
		return EDGE_HOLD;
	if (!a->used)
		a->used = true;
	adj_put_eth(m, a);
	return (uint8_t)(EDGE_PORT0 + a->tx);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct ip4_stack *s = node->state;
	struct adj *adj = s->neighbors.adj;

	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, adj, pkts[i]);
}

const struct node_def ip4_rewrite_node = {
	.name = "ip4-rewrite",
	.edges = edges,
	.drops = drops,
	.process = process,
};
