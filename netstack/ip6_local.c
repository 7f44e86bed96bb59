// SPDX-License-Identifier: BSD-3-Clause
// ip6_local.c - node ip6-local: packets to the router's own addresses and groups
//
// It obeys the extension headers that are a destination's (RFC 8200, 4), answers pings (RFC
// 4443, 4.2), hands neighbor discovery and listener discovery to their nodes, and says politely
// that nothing else is offered here: port unreachable to UDP (RFC 4443, 3.1), a reset to TCP (RFC
// 9293, 3.10.7.1), an unknown next header to the rest (RFC 8200, 4). What was sent to a group is
// answered by ping alone.
#include "netstack/csum.h"
#include "netstack/icmp6.h"
#include "netstack/ip6_ext.h"
#include "netstack/ip6_graph.h"
#include "netstack/ip6_reply.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include "netstack/udp_service.h"

enum { EDGE_OUTPUT, EDGE_ERROR, EDGE_MLD, EDGE_ND, EDGE_REASS };
enum {
	DROP_TENTATIVE,
	DROP_BAD_HEADERS,
	DROP_UNKNOWN_HEADER,
	DROP_NO_NEXT_HEADER,
	DROP_FRAGMENT,
	DROP_SPLIT_HEADER,
	DROP_GROUP,
	DROP_ICMP_SHORT,
	DROP_ICMP_CHECKSUM,
	DROP_ICMP_IGNORED,
	DROP_NO_SOURCE,
	DROP_UDP_LENGTH,
	DROP_UDP_CHECKSUM,
	DROP_PORT_UNREACHABLE,
	DROP_UDP_LOOP,
	DROP_UDP_SHORT,
	DROP_UDP_NO_ROOM,
	DROP_UDP_SEGMENTS,
	DROP_TCP_SHORT,
	DROP_TCP_CHECKSUM,
	DROP_TCP_RESET,
};
static const char *const edges[] = {"output", "icmp6-error", "mld", "nd", "reass", NULL};
static const char *const whole_edges[] = {"output", "icmp6-error", "mld", NULL};
static const char *const drops[] = {"tentative",      "bad-headers",	  "unknown-header",
				    "no-next-header", "fragment",	  "split-header",
				    "group",	      "icmp-short",	  "icmp-checksum",
				    "icmp-ignored",   "no-source",	  "udp-length",
				    "udp-checksum",   "port-unreachable", "udp-loop",
				    "udp-short",      "udp-no-room",	  "udp-segments",
				    "tcp-short",
				    "tcp-checksum",   "tcp-reset",	  NULL};

struct packet { // what is known of one that is being delivered
	struct ip6_hdr *ip;
	struct ip6_walk walk;
	uint32_t len; // of the upper layer's header and data
	bool own;     // to an address we speak from; else to a group or an anycast address
	bool whole;   // it came as fragments
};

static void report(struct node *node, const struct mbuf *m, struct icmp6_report what)
{
	const struct ip6_stack *s = node->state;

	icmp6_report(node, EDGE_ERROR, s->pool, m, what);
}

// The answer to a ping that was sent to several comes from one of them (RFC 4443, 4.2).
static uint8_t echo(struct node *node, struct mbuf *m, const struct packet *p)
{
	struct icmp6_hdr *icmp = mbuf_at(m, struct icmp6_hdr *, m->l4);
	const struct ip6_address *source = NULL;
	struct ip6_hdr *ip;

	if (!p->own) {
		source = ip6_stack_source(node->state, m->port, p->ip->src);
		if (!source)
			return NEXT_DROP(DROP_NO_SOURCE);
	}
	icmp->csum = csum_update(icmp->csum, load16(icmp), ICMP6_ECHO_REPLY);
	icmp->type = ICMP6_ECHO_REPLY;
	ip = ip6_reply(m, IP6_PROTO_ICMP);
	for (unsigned i = 0; source && i < 16; i += 2)
		icmp->csum =
			csum_update(icmp->csum, load16(ip->src + i), load16(source->addr.v6 + i));
	if (source)
		memcpy(ip->src, source->addr.v6, 16);
	return EDGE_OUTPUT;
}

static uint8_t icmp_input(struct node *node, struct mbuf *m, const struct packet *p)
{
	const struct icmp6_hdr *icmp = mbuf_at(m, const struct icmp6_hdr *, m->l4);
	uint64_t sum = csum_pseudo6(p->ip, IP6_PROTO_ICMP, p->len);

	if (p->len < ICMP6_HLEN)
		return NEXT_DROP(DROP_ICMP_SHORT);
	if (csum_fold(csum_add_mbuf(sum, m, m->l4, p->len)) != 0xffff)
		return NEXT_DROP(DROP_ICMP_CHECKSUM);
	if (icmp->type >= ICMP6_RS && icmp->type <= ICMP6_REDIRECT)
		return p->whole ? NEXT_DROP(DROP_FRAGMENT) : EDGE_ND; // RFC 6980, 5
	if ((icmp->type >= ICMP6_MLD_QUERY && icmp->type <= ICMP6_MLD_DONE) ||
	    icmp->type == ICMP6_MLD2_REPORT)
		return p->walk.alert ? EDGE_MLD : NEXT_DROP(DROP_ICMP_IGNORED);
	if (icmp->type != ICMP6_ECHO || icmp->code || ip6_unspecified(p->ip->src))
		return NEXT_DROP(DROP_ICMP_IGNORED);
	return echo(node, m, p);
}

static uint8_t udp_answer(struct mbuf *m)
{
	const struct ip6_hdr *ip = ip6_reply(m, IP6_PROTO_UDP);

	udp_service_checksum(m, csum_pseudo6(ip, IP6_PROTO_UDP, 0));
	return EDGE_OUTPUT;
}

static uint8_t udp_input(struct node *node, struct mbuf *m, const struct packet *p)
{
	const struct ip6_stack *s = node->state;
	const struct udp_hdr *udp = mbuf_at(m, const struct udp_hdr *, m->l4);
	uint32_t len = p->len;

	if (len < UDP_HLEN || be16(udp->len) < UDP_HLEN || be16(udp->len) > len)
		return NEXT_DROP(DROP_UDP_LENGTH);
	len = be16(udp->len);
	if (!udp->csum) // RFC 8200, 8.1
		return NEXT_DROP(DROP_UDP_CHECKSUM);
	if (!(m->flags & MBUF_RX_L4_OK) &&
	    csum_fold(csum_add_mbuf(csum_pseudo6(p->ip, IP6_PROTO_UDP, len), m, m->l4, len)) !=
		    0xffff)
		return NEXT_DROP(DROP_UDP_CHECKSUM);
	switch (p->own ? udp_service(&s->services, m, p->ip->hops, graph_now(node))
		       : UDP_SERVICE_NONE) {
	case UDP_SERVICE_ANSWER:
		return udp_answer(m);
	case UDP_SERVICE_LOOP:
		return NEXT_DROP(DROP_UDP_LOOP);
	case UDP_SERVICE_SHORT:
		return NEXT_DROP(DROP_UDP_SHORT);
	case UDP_SERVICE_NO_ROOM:
		return NEXT_DROP(DROP_UDP_NO_ROOM);
	case UDP_SERVICE_SEGMENTS:
		return NEXT_DROP(DROP_UDP_SEGMENTS);
	case UDP_SERVICE_NONE:
		break;
	}
	report(node, m, (struct icmp6_report){.type = ICMP6_UNREACHABLE, .code = ICMP6_PORT});
	return NEXT_DROP(DROP_PORT_UNREACHABLE);
}

static uint8_t tcp_input(struct mbuf *m, const struct packet *p)
{
	const struct tcp_hdr *tcp = mbuf_at(m, const struct tcp_hdr *, m->l4);

	if (p->len < TCP_HLEN || (tcp->off >> 4) * 4u < TCP_HLEN || (tcp->off >> 4) * 4u > p->len)
		return NEXT_DROP(DROP_TCP_SHORT);
	if (!(m->flags & MBUF_RX_L4_OK) &&
	    csum_fold(csum_add_mbuf(csum_pseudo6(p->ip, IP6_PROTO_TCP, p->len), m, m->l4,
				    p->len)) != 0xffff)
		return NEXT_DROP(DROP_TCP_CHECKSUM);
	if (tcp->flags & TCP_RST)
		return NEXT_DROP(DROP_TCP_RESET);
	if (!p->own) // RFC 9293, 3.10.7
		return NEXT_DROP(DROP_GROUP);
	tcp_reset(m, p->len);
	return EDGE_OUTPUT;
}

// Whose it is. False: nobody's yet, as long as duplicate address detection runs (RFC 4862, 5.4).
static bool find_owner(const struct ip6_stack *s, const struct mbuf *m, struct packet *p)
{
	const struct ip6_address *a;

	p->own = false;
	if (ip6_multicast(p->ip->dst))
		return true;
	a = ip6_stack_find(s, m->port, p->ip->dst);
	p->own = a && !a->anycast;
	return a && a->state == IP6_VALID;
}

static uint8_t by_protocol(struct node *node, struct mbuf *m, struct packet *p)
{
	uint8_t proto = p->walk.next;
	uint32_t need;

	m->l4 = (uint16_t)p->walk.off;
	if (proto == IP6_NO_NEXT)
		return NEXT_DROP(DROP_NO_NEXT_HEADER);
	if (proto == IP6_FRAGMENT && p->whole) // fragments of fragments
		return NEXT_DROP(DROP_FRAGMENT);
	if (proto == IP6_FRAGMENT)
		return EDGE_REASS;
	if (proto != IP6_PROTO_ICMP && proto != IP6_PROTO_UDP && proto != IP6_PROTO_TCP) {
		ip6_walk_unknown(&p->walk);
		report(node, m, p->walk.what);
		return NEXT_DROP(DROP_UNKNOWN_HEADER);
	}
	// Headers are read where they stand; behind many extension headers they may be in another
	// segment.
	need = proto == IP6_PROTO_TCP ? TCP_HLEN : UDP_HLEN; // ICMP6_HLEN is the same
	if (p->walk.off + (p->len < need ? p->len : need) > m->len)
		return NEXT_DROP(DROP_SPLIT_HEADER);
	if (proto == IP6_PROTO_ICMP)
		return icmp_input(node, m, p);
	return proto == IP6_PROTO_UDP ? udp_input(node, m, p) : tcp_input(m, p);
}

static uint8_t one(struct node *node, struct mbuf *m, bool whole)
{
	struct packet p = {.ip = mbuf_at(m, struct ip6_hdr *, m->l3), .whole = whole};

	if (!find_owner(node->state, m, &p))
		return NEXT_DROP(DROP_TENTATIVE);
	ip6_walk_begin(&p.walk, m);
	if (!ip6_walk_to_upper(&p.walk, m)) {
		if (p.walk.tell)
			report(node, m, p.walk.what);
		return NEXT_DROP(DROP_BAD_HEADERS);
	}
	p.len = p.walk.end - p.walk.off;
	return by_protocol(node, m, &p);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, pkts[i], false);
}

static void process_whole(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, pkts[i], true);
}

const struct node_def ip6_local_node = {
	.name = "ip6-local",
	.edges = edges,
	.drops = drops,
	.process = process,
};

const struct node_def ip6_whole_node = {
	.name = "ip6-whole",
	.edges = whole_edges,
	.drops = drops,
	.process = process_whole,
};
