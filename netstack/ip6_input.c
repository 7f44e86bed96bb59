// SPDX-License-Identifier: BSD-3-Clause
// ip6_input.c - node ip6-input: whether this is an IPv6 packet that may be forwarded or delivered
//
// RFC 8200, 3 and 4.3 (header, hop-by-hop options), RFC 4291, 2.5 to 2.7 (addresses and their
// scopes), RFC 4007, 9 (what may leave a link). A packet between plain unicast addresses without
// hop-by-hop options passes one pass of cheap tests; the rest is taken through the checks one by
// one. Link-local addresses and groups mean something on this link only: they are looked for here,
// not in the table of prefixes.
#include "netstack/icmp6.h"
#include "netstack/ip6_ext.h"
#include "netstack/ip6_graph.h"

enum { EDGE_LOOKUP, EDGE_LOCAL, EDGE_ERROR };
enum {
	DROP_TOO_SHORT,
	DROP_VERSION,
	DROP_LENGTH,
	DROP_JUMBOGRAM,
	DROP_MARTIAN_SOURCE,
	DROP_MARTIAN_DESTINATION,
	DROP_LINK_LOCAL,
	DROP_BEYOND_SCOPE,
	DROP_MULTICAST,
	DROP_LINK_MULTICAST,
	DROP_BAD_OPTION,
};
static const char *const edges[] = {"lookup", "local", "icmp6-error", NULL};
static const char *const drops[] = {"too-short",      "version",	"length",
				    "jumbogram",      "martian-source", "martian-destination",
				    "link-local",     "beyond-scope",	"multicast",
				    "link-multicast", "bad-option",	NULL};

// The Jumbo Payload option is not ours (RFC 2675): where the length is in the header it is an
// unknown option, and where it is not, there is none.
static int check_header(const struct ip6_hdr *ip, uint32_t avail)
{
	if (avail < IP6_HLEN)
		return DROP_TOO_SHORT;
	if (*(const uint8_t *)ip >> 4 != 6)
		return DROP_VERSION;
	if (!ip->len && ip->next == IP6_HOP_BY_HOP)
		return DROP_JUMBOGRAM;
	if (IP6_HLEN + be16(ip->len) > avail)
		return DROP_LENGTH;
	return -1;
}

// The unspecified address asks on its link who else has an address, or who listens (RFC
// 4862, 5.4.2; RFC 3590).
static int check_source(const struct ip6_stack *s, const struct mbuf *m, const struct ip6_hdr *ip)
{
	if (ip6_unspecified(ip->src))
		return ip6_multicast(ip->dst) ? -1 : DROP_MARTIAN_SOURCE;
	if (!ip6_unicast(ip->src) || ip6_stack_forbidden_source(s, m->port, ip->src))
		return DROP_MARTIAN_SOURCE;
	return -1;
}

static uint8_t to_group(const struct ip6_stack *s, const struct mbuf *m, const struct ip6_hdr *ip)
{
	unsigned scope = ip6_scope(ip->dst);

	if (scope <= IP6_SCOPE_INTERFACE) // RFC 4291, 2.7: 0 is reserved, 1 never left its node
		return NEXT_DROP(DROP_MARTIAN_DESTINATION);
	if (!ip6_stack_listens(s, m->port, ip->dst))
		return NEXT_DROP(DROP_MULTICAST);
	return EDGE_LOCAL;
}

// From a link-local address to one of wider scope: to us, or nowhere (RFC 4007, 9).
static uint8_t from_link(struct node *node, const struct mbuf *m, const struct ip6_hdr *ip)
{
	const struct ip6_stack *s = node->state;

	if (ip6_route_of(s, m, ip->dst) == ADJ_INDEX_LOCAL)
		return EDGE_LOCAL;
	icmp6_report(node, EDGE_ERROR, s->pool, m,
		     (struct icmp6_report){.type = ICMP6_UNREACHABLE, .code = ICMP6_BEYOND_SCOPE});
	return NEXT_DROP(DROP_BEYOND_SCOPE);
}

static uint8_t by_addresses(struct node *node, const struct mbuf *m, const struct ip6_hdr *ip)
{
	const struct ip6_stack *s = node->state;
	int drop = check_source(s, m, ip);

	if (drop >= 0)
		return NEXT_DROP(drop);
	if (ip6_multicast(ip->dst))
		return to_group(s, m, ip);
	if (!ip6_unicast(ip->dst))
		return NEXT_DROP(DROP_MARTIAN_DESTINATION);
	if (m->flags & MBUF_BCAST)
		return NEXT_DROP(DROP_LINK_MULTICAST);
	if (ip6_link_local(ip->dst))
		return ip6_stack_own(s, m->port, ip->dst) ? EDGE_LOCAL : NEXT_DROP(DROP_LINK_LOCAL);
	return ip6_link_local(ip->src) ? from_link(node, m, ip) : EDGE_LOOKUP;
}

// Hop-by-hop options are looked at wherever the packet goes: RFC 8200, 4 leaves that to us.
static bool options_pass(struct node *node, const struct mbuf *m)
{
	const struct ip6_stack *s = node->state;
	struct ip6_walk w;

	ip6_walk_begin(&w, m);
	if (ip6_walk_options(&w, m))
		return true;
	if (w.tell)
		icmp6_report(node, EDGE_ERROR, s->pool, m, w.what);
	return false;
}

// Cuts what the link added behind the packet (Ethernet padding).
static inline void cut(struct mbuf *m, uint32_t len)
{
	if (likely(m->nsegs == 1)) {
		m->pkt_len = len;
		m->len = (uint16_t)len;
	} else {
		mbuf_trim(m, len);
	}
}

static __attribute__((noinline)) uint8_t check(struct node *node, struct mbuf *m)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	uint32_t avail = m->pkt_len - m->l3;
	int drop = check_header(ip, avail);
	uint8_t next;

	if (drop >= 0)
		return NEXT_DROP(drop);
	if (avail > IP6_HLEN + be16(ip->len))
		cut(m, m->l3 + IP6_HLEN + be16(ip->len));
	next = by_addresses(node, m, ip);
	if (next < NEXT_EDGES && ip->next == IP6_HOP_BY_HOP && !options_pass(node, m))
		return NEXT_DROP(DROP_BAD_OPTION);
	return next;
}

// By the first byte of an address: what is neither reserved (0), link-local (0xfe) nor a group
// (0xff).
static inline bool plain(const uint8_t addr[16])
{
	return (uint8_t)(addr[0] - 1) < 0xfd;
}

static always_inline bool clean(const struct ip6_stack *s, const struct mbuf *m,
				const struct ip6_hdr *ip, uint32_t avail)
{
	return likely(*(const uint8_t *)ip >> 4 == 6) && likely(ip->next != IP6_HOP_BY_HOP) &&
	       likely(IP6_HLEN + be16(ip->len) <= avail) && likely(!(m->flags & MBUF_BCAST)) &&
	       likely(plain(ip->src) && plain(ip->dst)) && likely(!ip6_filter_hit(s, ip->src));
}

static always_inline uint8_t one(struct node *node, const struct ip6_stack *s, struct mbuf *m)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	uint32_t avail = m->pkt_len - m->l3;

	if (unlikely(avail < IP6_HLEN || !clean(s, m, ip, avail)))
		return check(node, m);
	if (unlikely(avail > IP6_HLEN + be16(ip->len)))
		cut(m, m->l3 + IP6_HLEN + be16(ip->len));
	return EDGE_LOOKUP;
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct ip6_stack *s = node->state;

	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, s, pkts[i]);
}

const struct node_def ip6_input_node = {
	.name = "ip6-input",
	.edges = edges,
	.drops = drops,
	.process = process,
};
