// SPDX-License-Identifier: BSD-3-Clause
// ip4_input.c - node ip4-input: whether this is an IPv4 packet that may be forwarded or delivered
//
// The checks of RFC 1812: 5.2.2 (header validation), 5.3.4 (link-layer broadcast), 5.3.7
// (martians), 5.2.4.1 and 4.2.2.1 (options; source routes are refused). A clean packet passes one pass of cheap tests;
// the rest is taken through the checks one by one, in the order of the RFC, so that the first that
// fails gives its name.
#include "netstack/csum.h"
#include "netstack/dhcp.h"
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_options.h"
#include "netstack/ip4_stack.h"

enum { EDGE_LOOKUP, EDGE_OPTIONS, EDGE_ERROR, EDGE_DHCP };
enum {
	DROP_TOO_SHORT,
	DROP_VERSION,
	DROP_HEADER_LENGTH,
	DROP_CHECKSUM,
	DROP_TOTAL_LENGTH,
	DROP_MARTIAN_SOURCE,
	DROP_MARTIAN_DESTINATION,
	DROP_BROADCAST,
	DROP_MULTICAST,
	DROP_LINK_BROADCAST,
	DROP_LINK_LOCAL,
	DROP_BAD_OPTION,
	DROP_SOURCE_ROUTE,
};
static const char *const edges[] = {"lookup", "options", "icmp-error", "dhcp", NULL};
static const char *const drops[] = {"too-short",
				    "version",
				    "header-length",
				    "checksum",
				    "total-length",
				    "martian-source",
				    "martian-destination",
				    "broadcast",
				    "multicast",
				    "link-broadcast",
				    "link-local",
				    "bad-option",
				    "source-route",
				    NULL};

static int check_header(const struct mbuf *m, const struct ip4_hdr *ip, uint32_t avail)
{
	uint32_t hlen, len;

	if (avail < IP4_HLEN)
		return DROP_TOO_SHORT;
	hlen = ip4_hlen(ip);
	len = be16(ip->len);
	if (ip->ver_ihl >> 4 != 4)
		return DROP_VERSION;
	if (hlen < IP4_HLEN || hlen > avail)
		return DROP_HEADER_LENGTH;
	if (m->flags & MBUF_RX_L3_BAD)
		return DROP_CHECKSUM;
	if (!(m->flags & MBUF_RX_L3_OK) && csum_fold(csum_add(0, ip, hlen)) != 0xffff)
		return DROP_CHECKSUM;
	if (len < hlen || len > avail)
		return DROP_TOTAL_LENGTH;
	return -1;
}

static int check_addresses(const struct ip4_stack *s, const struct mbuf *m,
			   const struct ip4_hdr *ip)
{
	uint32_t src = be32(ip->src), dst = be32(ip->dst);

	if (!ip4_unicast(src) || ip4_stack_forbidden_source(s, m->port, src))
		return DROP_MARTIAN_SOURCE;
	if (dst == 0xffffffff)
		return DROP_BROADCAST;
	if (ip4_multicast(dst))
		return DROP_MULTICAST;
	if (!ip4_unicast(dst))
		return DROP_MARTIAN_DESTINATION;
	if (m->flags & MBUF_BCAST)
		return DROP_LINK_BROADCAST;
	if ((ip4_link_local(src) || ip4_link_local(dst)) && !ip4_stack_mine(s, dst))
		return DROP_LINK_LOCAL; // RFC 3927, 2.6.2: never forwarded
	return -1;
}

// RFC 1812, 4.3.3.5.
static void report(struct node *node, const struct mbuf *m, uint8_t pointer)
{
	const struct ip4_stack *s = node->state;

	icmp_report(node, EDGE_ERROR, s->pool, m,
		    (struct icmp_report){.type = ICMP_PARAMETER, .word = be32((uint32_t)pointer << 24)});
}

static uint8_t check_options(struct node *node, const struct mbuf *m, const struct ip4_hdr *ip)
{
	struct ip4_options o;

	switch (ip4_options_read(ip, &o)) {
	case IP4_OPTIONS_SOUND:
		return o.record || o.stamp ? EDGE_OPTIONS : EDGE_LOOKUP;
	case IP4_OPTIONS_SOURCE_ROUTE:
		return NEXT_DROP(DROP_SOURCE_ROUTE);
	default:
		report(node, m, o.pointer);
		return NEXT_DROP(DROP_BAD_OPTION);
	}
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
	const struct ip4_stack *s = node->state;
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	uint32_t avail = m->pkt_len - m->l3;
	int drop = check_header(m, ip, avail);

	if (drop < 0)
		drop = check_addresses(s, m, ip);
	if (drop == DROP_BROADCAST && s->dhcp && dhcp_wants(s->dhcp, m, ip))
		return EDGE_DHCP;
	if (drop >= 0)
		return NEXT_DROP(drop);
	if (avail > be16(ip->len))
		cut(m, m->l3 + be16(ip->len));
	return ip4_hlen(ip) > IP4_HLEN ? check_options(node, m, ip) : EDGE_LOOKUP;
}

// By the first byte of an address (RFC 1812, 5.3.7): 0 and 127, class D, class E, and what link-local
// addresses share theirs with. A table: a comparison would become a branch, and where destinations are
// random that is mispredicted.
static const uint8_t odd[256] = {[0] = 1, [127] = 1, [169] = 1, [224 ... 255] = 1};

static inline unsigned odd_class(uint32_t addr)
{
	return odd[(uint8_t)addr]; // of network byte order
}

// No option, a right checksum, sound lengths and plain unicast addresses: nothing left to check.
static always_inline bool clean(const struct ip4_stack *s, const struct mbuf *m,
				const struct ip4_hdr *ip, uint32_t avail)
{
	uint32_t len = be16(ip->len);

	return likely(ip->ver_ihl == 0x45) && likely(len >= IP4_HLEN && len <= avail) &&
	       likely(!(m->flags & (MBUF_BCAST | MBUF_RX_L3_BAD))) &&
	       likely(m->flags & MBUF_RX_L3_OK || csum_fold(csum_ip4_header(ip)) == 0xffff) &&
	       likely(!(odd_class(ip->src) | odd_class(ip->dst))) &&
	       likely(!ip4_filter_hit(s, ip->src));
}

static always_inline uint8_t one(struct node *node, const struct ip4_stack *s, struct mbuf *m)
{
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	uint32_t avail = m->pkt_len - m->l3;

	if (unlikely(avail < IP4_HLEN || !clean(s, m, ip, avail)))
		return check(node, m);
	if (avail > be16(ip->len))
		cut(m, m->l3 + be16(ip->len));
	return EDGE_LOOKUP;
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct ip4_stack *s = node->state;

	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, s, pkts[i]);
}

const struct node_def ip4_input_node = {
	.name = "ip4-input",
	.edges = edges,
	.drops = drops,
	.process = process,
};
