// SPDX-License-Identifier: BSD-3-Clause
// ip4_lookup.c - node ip4-lookup: the next hop of each destination (RFC 1812, 5.2.4.3)
//
// With several VRFs each packet is looked for in that of the interface it came in by; where an
// interface checks reverse paths (RFC 3704), sources are looked up as well, and before the route is
// spoken about. A router that has neither does neither.
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

enum { EDGE_REWRITE, EDGE_LOCAL, EDGE_ERROR };
enum {
	DROP_NO_ROUTE,
	DROP_DIRECTED_BROADCAST,
	DROP_BLACKHOLE,
	DROP_UNREACHABLE,
	DROP_PROHIBITED,
	DROP_REVERSE_PATH,
};
static const char *const edges[] = {"rewrite", "local", "icmp-error", NULL};
static const char *const drops[] = {"no-route",	  "directed-broadcast", "blackhole", "unreachable",
				    "prohibited", "reverse-path",	NULL};

#define SILENT 0xff

static const struct {
	uint8_t next, code;
} outcome[] = {
	[ADJ_NONE] = {NEXT_DROP(DROP_NO_ROUTE), ICMP_NET},
	[ADJ_LOCAL] = {EDGE_LOCAL, SILENT},
	[ADJ_BROADCAST] = {NEXT_DROP(DROP_DIRECTED_BROADCAST), SILENT}, // RFC 2644
	[ADJ_BLACKHOLE] = {NEXT_DROP(DROP_BLACKHOLE), SILENT},
	[ADJ_UNREACHABLE] = {NEXT_DROP(DROP_UNREACHABLE), ICMP_HOST},
	[ADJ_PROHIBIT] = {NEXT_DROP(DROP_PROHIBITED), ICMP_PROHIBITED},
};

// The same number for both directions of a flow and, since only the first has ports, for all
// fragments of a datagram.
static uint32_t flow_hash(const struct mbuf *m)
{
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	uint64_t x = (uint64_t)(ip->src ^ ip->dst) << 32 | (uint32_t)(ip->src + ip->dst);
	uint32_t at = m->l3 + ip4_hlen(ip), a, b;

	if (m->flags & MBUF_HASH)
		return m->hash; // of the same: rss_node.c
	if ((ip->proto == IP4_PROTO_TCP || ip->proto == IP4_PROTO_UDP) &&
	    !(ip->frag & be16(IP4_MF | IP4_FRAG_OFF)) && m->len >= at + 4) {
		a = load16(m->data + at);
		b = load16(m->data + at + 2);
		x ^= (uint64_t)(a ^ b) << 40 | (a + b);
	}
	x *= 0x9e3779b97f4a7c15ull;
	return (uint32_t)(x >> 32) ^ ip->proto;
}

uint32_t ip4_choose(const struct adj *multi, const struct mbuf *m)
{
	const struct fib_multi *choice = fib_multi(multi);
	uint32_t only = fib_only(choice);

	return only ? only : fib_choose(choice, flow_hash(m));
}

static __attribute__((noinline)) uint8_t elsewhere(struct node *node, const struct mbuf *m,
						   uint8_t kind)
{
	const struct ip4_stack *s = node->state;

	if (outcome[kind].code != SILENT)
		icmp_report(
			node, EDGE_ERROR, s->pool, m,
			(struct icmp_report){.type = ICMP_UNREACHABLE, .code = outcome[kind].code});
	return outcome[kind].next;
}

static always_inline uint8_t one(struct node *node, const struct ip4_stack *s, struct mbuf *m,
				 uint32_t nh, uint32_t dst)
{
	uint32_t index = ip4_resolve(s, nh, m, dst);
	uint8_t kind = s->neighbors.adj[index].kind;

	m->scratch32[SCRATCH_ADJ] = index;
	// A neighbor, or an on-link prefix: who is not known there ip4-rewrite holds.
	return likely(kind >= ADJ_GLEAN) ? EDGE_REWRITE : elsewhere(node, m, kind);
}

static void lookup(const struct ip4_stack *s, struct mbuf **pkts, const uint32_t *addr,
		   uint32_t *nh, unsigned n)
{
	uint16_t vrf;

	for (unsigned i = 0, end; i < n; i = end) {
		end = fib_run(s->ifs, pkts, i, n, &vrf);
		lpm4_lookup_bulk(fib_lpm4(s->fib, vrf), addr + i, nh + i, end - i);
	}
}

// Which packets, by bit, came in by an interface that packets to their source do not leave by.
static uint64_t spoofed(const struct ip4_stack *s, struct mbuf **pkts, unsigned n)
{
	uint32_t src[GRAPH_BURST], nh[GRAPH_BURST];
	uint64_t bits = 0, checked = 0;

	static_assert(GRAPH_BURST <= 64, "a bit each");
	for (unsigned i = 0; i < n; i++) {
		src[i] = be32(mbuf_at(pkts[i], const struct ip4_hdr *, pkts[i]->l3)->src);
		if (s->ifs->iface[pkts[i]->port].urpf != IFACE_URPF_OFF)
			checked |= 1ull << i;
	}
	if (!checked)
		return 0;
	lookup(s, pkts, src, nh, n);
	for (unsigned i = 0; i < n; i++) {
		uint16_t iface = pkts[i]->port;
		uint32_t index = nh[i] == LPM4_MISS ? ADJ_INDEX_NONE : nh[i];

		if (checked >> i & 1 &&
		    !fib_source_ok(&s->neighbors.adj[index], iface,
				   s->ifs->iface[iface].urpf == IFACE_URPF_STRICT))
			bits |= 1ull << i;
	}
	return bits;
}

static __attribute__((noinline)) void process_any(struct node *node, struct mbuf **pkts,
						  uint8_t *next, const uint32_t *dst, unsigned n)
{
	const struct ip4_stack *s = node->state;
	uint64_t bad = spoofed(s, pkts, n);
	uint32_t nh[GRAPH_BURST];

	lookup(s, pkts, dst, nh, n);
	for (unsigned i = 0; i < n; i++) {
		next[i] = bad >> i & 1 ? NEXT_DROP(DROP_REVERSE_PATH)
				       : one(node, s, pkts[i], nh[i], be32(dst[i]));
		if (next[i] == EDGE_REWRITE)
			ip4_redirect(node, EDGE_ERROR, pkts[i], pkts[i]->scratch32[SCRATCH_ADJ]);
	}
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct ip4_stack *s = node->state;
	uint32_t dst[GRAPH_BURST], nh[GRAPH_BURST];
	unsigned k = 0;

	do // n is not 0, which the compiler likes to see
		dst[k] = be32(mbuf_at(pkts[k], const struct ip4_hdr *, pkts[k]->l3)->dst);
	while (++k < n);
	if (unlikely(!s->plain)) {
		process_any(node, pkts, next, dst, n);
		return;
	}
	lpm4_lookup_bulk(s->lpm, dst, nh, n);
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, s, pkts[i], nh[i], be32(dst[i]));
}

const struct node_def ip4_lookup_node = {
	.name = "ip4-lookup",
	.edges = edges,
	.drops = drops,
	.process = process,
};
