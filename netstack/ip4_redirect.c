// SPDX-License-Identifier: BSD-3-Clause
// ip4_redirect.c - telling a host of a better first hop (RFC 1812, 5.2.7.2; RFC 792)
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_stack.h"

// The packet leaves where it came in, and who sent it reaches the next hop without us: both are on one
// prefix of the interface. (Source routes, the third condition, are refused before.)
static bool better(const struct ip4_stack *s, uint16_t iface, uint32_t src, uint32_t hop)
{
	const struct ip4_address *a = ip4_stack_onlink(s, iface, src);

	return a && ((hop ^ src) & ip4_mask(a->plen)) == 0;
}

void ip4_redirect(struct node *node, uint8_t edge, const struct mbuf *m, uint32_t index)
{
	const struct ip4_stack *s = node->state;
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	const struct adj *a = &s->neighbors.adj[index];
	uint32_t hop = a->kind == ADJ_FORWARD ? a->addr.v4 : ip->dst;

	if (a->iface != m->port || !s->ifs->iface[m->port].redirects || ip->ttl <= 1)
		return;
	if (better(s, m->port, be32(ip->src), be32(hop)))
		icmp_report(node, edge, s->pool, m,
			    (struct icmp_report){
				    .type = ICMP_REDIRECT, .code = ICMP_REDIRECT_HOST, .word = hop});
}
