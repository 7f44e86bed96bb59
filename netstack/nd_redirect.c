// SPDX-License-Identifier: BSD-3-Clause
// nd_redirect.c - telling a host of a better first hop (RFC 4861, 4.5 and 8.2)
//
// A redirect is made whole here; node icmp6-error limits it among the reports, and ip6-output sends
// it.
#include "netstack/icmp6.h"
#include "netstack/ip6_graph.h"
#include "netstack/nd_priv.h"
#include "pmd/offload.h"

struct redirect {
	struct icmp6_hdr icmp;
	uint8_t target[16], dst[16];
} __attribute__((packed));
static_assert(sizeof(struct redirect) == 40, "wire format");

#define OPT_REDIRECTED 4 // of the packet it is about: 8 bytes, then what fits 1,280 in all
#define OPT_HLEN       8u
#define OPT_MAX	       (255u * 8)

// Who sent it is on the link (its source is a neighbor), and the better hop as well: the
// destination, or a router that we know by the link-local address which a redirect has to name.
static bool better(const struct ip6_stack *s, const struct mbuf *m, const struct adj *a,
		   const struct ip6_hdr *ip)
{
	if (a->iface != m->port || !s->ifs->iface[m->port].redirects || ip->hops <= 1)
		return false;
	if (!ip6_stack_onlink(s, m->port, ip->src))
		return false;
	return a->kind == ADJ_GLEAN || ip6_link_local(a->addr.v6) || ip6_equal(a->addr.v6, ip->dst);
}

static void put_quote(struct mbuf *r, const struct mbuf *m)
{
	uint32_t len = m->pkt_len - m->l3, room = mbuf_tailroom(r), max;
	uint8_t *opt, *quote;

	max = IP6_MTU_MIN - (r->pkt_len - r->l3) - OPT_HLEN;
	if (room < OPT_HLEN + 8)
		return;
	if (max > room - OPT_HLEN)
		max = room - OPT_HLEN;
	if (max > OPT_MAX - OPT_HLEN)
		max = OPT_MAX - OPT_HLEN;
	if (len > max)
		len = max;
	len &= ~7u;
	opt = mbuf_append(r, OPT_HLEN);
	memset(opt, 0, OPT_HLEN);
	opt[0] = OPT_REDIRECTED;
	opt[1] = (uint8_t)((OPT_HLEN + len) / 8);
	quote = mbuf_append(r, (uint16_t)len);
	mbuf_copy_out(m, m->l3, quote, len);
	// What is quoted has its checksum, even if the sender left it to a port.
	if (m->flags & MBUF_TX_L4_CSUM && offload_csum_at(m) - m->l3 + 2 <= len)
		store16(quote + offload_csum_at(m) - m->l3, offload_csum_value(m));
}

void nd_redirect(struct node *node, uint8_t edge, const struct mbuf *m, uint32_t index)
{
	const struct ip6_stack *s = node->state;
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	const struct adj *a = &s->neighbors.adj[index];
	const struct icmp6_report what = {.type = ICMP6_REDIRECT};
	const struct ip6_address *own;
	struct redirect *redirect;
	struct mbuf *r;

	if (!better(s, m, a, ip))
		return;
	own = ip6_stack_link_local(s, m->port); // RFC 4861, 4.5: hosts take it from no other
	r = own ? mbuf_alloc(s->pool) : NULL;
	if (!r)
		return;
	redirect = nd_begin(r, ICMP6_REDIRECT, sizeof(*redirect), own->addr.v6, ip->src);
	memcpy(redirect->target, a->kind == ADJ_GLEAN ? ip->dst : a->addr.v6, 16);
	memcpy(redirect->dst, ip->dst, 16);
	if (a->ready)
		nd_put_link(r, ND_OPT_TARGET, adj_mac(a));
	put_quote(r, m);
	mbuf_at(r, struct ip6_hdr *, r->l3)->len = be16(r->pkt_len - r->l4);
	redirect->icmp.csum = icmp6_csum(r, r->pkt_len - r->l4);
	r->port = m->port;
	memcpy(r->scratch, &what, sizeof(what));
	graph_emit(node, edge, r);
}
