// SPDX-License-Identifier: BSD-3-Clause
// icmp6_error.c - reports about dropped packets, and node icmp6-error, which limits and addresses
// them
//
// RFC 4443, 2.2 (source address), 2.4 (when, how often, how much is quoted) and 3.
#include "netstack/icmp6.h"
#include "netstack/ip6_ext.h"
#include "netstack/ip6_graph.h"
#include "pmd/offload.h"

#define HEADERS (IP6_HLEN + ICMP6_HLEN)

enum { EDGE_OUTPUT };
enum { DROP_RATE_LIMITED, DROP_NO_SOURCE };
static const char *const edges[] = {"output", NULL};
static const char *const drops[] = {"rate-limited", "no-source", NULL};

// 2.4(e.1), (e.2). Types of which only the first byte tells: an error's begins with 0.
static bool is_about_report(const struct mbuf *m, uint32_t off)
{
	uint8_t type = 0; // not there: an error's, to be careful

	mbuf_copy_out(m, off, &type, 1);
	return type < ICMP6_INFORMATIONAL || type == ICMP6_REDIRECT;
}

// 2.4(e.3) to (e.6); the exceptions are those of (e.3).
static bool may_report(const struct mbuf *m, const struct ip6_hdr *ip, struct icmp6_report what)
{
	bool excepted = what.type == ICMP6_TOO_BIG ||
			(what.type == ICMP6_PARAMETER && what.code == ICMP6_UNKNOWN_OPTION);
	uint8_t proto;
	uint32_t off;
	bool later;

	if (!ip6_unicast(ip->src))
		return false;
	if (!excepted && (m->flags & MBUF_BCAST || ip6_multicast(ip->dst)))
		return false;
	proto = ip6_upper(m, &off, &later);
	// A later fragment does not show what it is of. Too long or ill-formed as it is, it is of
	// no report of somebody else's, which are whole.
	if (later)
		return what.type == ICMP6_TOO_BIG || what.type == ICMP6_PARAMETER;
	return proto != IP6_PROTO_ICMP || !is_about_report(m, off);
}

// What is quoted has its checksum, even if the sender left it to a port.
static void complete(uint8_t *quote, uint32_t len, const struct mbuf *m)
{
	uint32_t at = offload_csum_at(m) - m->l3;

	if (at + 2 <= len)
		store16(quote + at, offload_csum_value(m));
}

void icmp6_report(struct node *node, uint8_t edge, struct mempool *pool, const struct mbuf *m,
		  struct icmp6_report what)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	uint32_t len = m->pkt_len - m->l3, room;
	uint8_t *quote;
	struct mbuf *r;

	if (!may_report(m, ip, what))
		return;
	r = mbuf_alloc(pool);
	if (!r)
		return;
	room = mbuf_tailroom(r) - ETH_HLEN - HEADERS;
	if (len > IP6_MTU_MIN - HEADERS)
		len = IP6_MTU_MIN - HEADERS;
	if (len > room)
		len = room;
	mbuf_append(r, ETH_HLEN + HEADERS);
	quote = mbuf_append(r, (uint16_t)len);
	mbuf_copy_out(m, m->l3, quote, len);
	if (m->flags & MBUF_TX_L4_CSUM)
		complete(quote, len, m);
	r->l3 = ETH_HLEN;
	r->l4 = ETH_HLEN + IP6_HLEN;
	r->port = m->port;
	memcpy(r->scratch, &what, sizeof(what));
	graph_emit(node, edge, r);
}

// 2.2: the address the packet was sent to, if it is one of ours to speak from; else one of the
// interface the packet came in by.
static const struct ip6_address *source_of(const struct ip6_stack *s, uint16_t iface,
					   const struct ip6_hdr *quote)
{
	const struct ip6_address *a = NULL;

	if (ip6_filter_hit(s, quote->dst))
		a = ip6_stack_find(s, iface, quote->dst);
	if (a && a->state == IP6_VALID && !a->anycast)
		return a;
	return ip6_stack_source(s, iface, quote->src);
}

static uint8_t put_headers(const struct ip6_stack *s, struct mbuf *m, struct icmp6_report what)
{
	const struct ip6_hdr *quote = mbuf_at(m, const struct ip6_hdr *, ETH_HLEN + HEADERS);
	struct ip6_hdr *ip = mbuf_at(m, struct ip6_hdr *, ETH_HLEN);
	struct icmp6_hdr *icmp = mbuf_at(m, struct icmp6_hdr *, ETH_HLEN + IP6_HLEN);
	const struct ip6_address *source = source_of(s, m->port, quote);
	uint32_t len = m->pkt_len - ETH_HLEN - IP6_HLEN;

	if (!source)
		return NEXT_DROP(DROP_NO_SOURCE);
	*ip = (struct ip6_hdr){
		.vtf = be32(6u << 28),
		.len = be16(len),
		.next = IP6_PROTO_ICMP,
		.hops = IP6_HOPS,
	};
	memcpy(ip->src, source->addr.v6, 16);
	memcpy(ip->dst, quote->src, 16);
	*icmp = (struct icmp6_hdr){.type = what.type, .code = what.code, .param = be32(what.param)};
	icmp->csum = icmp6_csum(m, len);
	return EDGE_OUTPUT;
}

static uint8_t one(struct ip6_stack *s, struct mbuf *m, uint64_t now)
{
	struct icmp6_report what;

	if (!token_bucket_take(&s->icmp, now))
		return NEXT_DROP(DROP_RATE_LIMITED);
	memcpy(&what, m->scratch, sizeof(what));
	return what.type == ICMP6_REDIRECT ? EDGE_OUTPUT
					   : put_headers(s, m, what); // nd_redirect.c made it
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	uint64_t now = graph_now(node);

	for (unsigned i = 0; i < n; i++)
		next[i] = one(node->state, pkts[i], now);
}

const struct node_def icmp6_error_node = {
	.name = "icmp6-error",
	.edges = edges,
	.drops = drops,
	.process = process,
};
