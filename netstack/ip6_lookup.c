// SPDX-License-Identifier: BSD-3-Clause
// ip6_lookup.c - node ip6-lookup: the next hop of each destination
//
// As ip4-lookup: with several VRFs each packet is looked for in that of the interface it came in
// by; where an interface checks reverse paths (RFC 3704), sources are looked up as well, and before
// the route is spoken about. A router that has neither does neither.
#include "netstack/icmp6.h"
#include "netstack/ip6_graph.h"
#include "netstack/nd.h"

enum { EDGE_REWRITE, EDGE_LOCAL, EDGE_ERROR };
enum { DROP_NO_ROUTE, DROP_BLACKHOLE, DROP_UNREACHABLE, DROP_PROHIBITED, DROP_REVERSE_PATH };
static const char *const edges[] = {"rewrite", "local", "icmp6-error", NULL};
static const char *const drops[] = {"no-route",	  "blackhole",	  "unreachable",
				    "prohibited", "reverse-path", NULL};

#define SILENT 0xff

static const struct {
	uint8_t next, code;
} outcome[] = {
	[ADJ_NONE] = {NEXT_DROP(DROP_NO_ROUTE), ICMP6_NO_ROUTE},
	[ADJ_LOCAL] = {EDGE_LOCAL, SILENT},
	[ADJ_BROADCAST] = {NEXT_DROP(DROP_NO_ROUTE), SILENT}, // which IPv6 has not
	[ADJ_BLACKHOLE] = {NEXT_DROP(DROP_BLACKHOLE), SILENT},
	[ADJ_UNREACHABLE] = {NEXT_DROP(DROP_UNREACHABLE), ICMP6_NO_ROUTE},
	[ADJ_PROHIBIT] = {NEXT_DROP(DROP_PROHIBITED), ICMP6_PROHIBITED},
};

// Alike for all packets of a flow: addresses and flow label (RFC 6438, 3); where the sender set
// none, the same number for both directions, from addresses and ports.
static uint32_t flow_hash(const struct mbuf *m)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	uint64_t s = load64(ip->src) ^ load64(ip->src + 8) * 0x9e3779b97f4a7c15ull;
	uint64_t d = load64(ip->dst) ^ load64(ip->dst + 8) * 0x9e3779b97f4a7c15ull;
	uint32_t label = be32(ip->vtf) & 0xfffff, at = m->l3 + IP6_HLEN, a, b;
	uint64_t x = (s ^ d) + (s + d) * 0x2545f4914f6cdd1dull;

	if (label) {
		x ^= label;
	} else if (m->flags & MBUF_HASH) {
		return m->hash;
	} else if ((ip->next == IP6_PROTO_TCP || ip->next == IP6_PROTO_UDP) && m->len >= at + 4) {
		a = load16(m->data + at);
		b = load16(m->data + at + 2);
		x ^= (uint64_t)(a ^ b) << 40 | (a + b);
	}
	x *= 0x9e3779b97f4a7c15ull;
	return (uint32_t)(x >> 32);
}

uint32_t ip6_choose(const struct adj *multi, const struct mbuf *m)
{
	const struct fib_multi *choice = fib_multi(multi);
	uint32_t only = fib_only(choice);

	return only ? only : fib_choose(choice, flow_hash(m));
}

// RFC 4443, 3.1. Of an unreachable route Linux says the same as of none.
static __attribute__((noinline)) uint8_t elsewhere(struct node *node, const struct mbuf *m,
						   uint8_t kind)
{
	const struct ip6_stack *s = node->state;

	if (outcome[kind].code != SILENT)
		icmp6_report(node, EDGE_ERROR, s->pool, m,
			     (struct icmp6_report){.type = ICMP6_UNREACHABLE,
						   .code = outcome[kind].code});
	return outcome[kind].next;
}

static always_inline uint8_t one(struct node *node, const struct ip6_stack *s, struct mbuf *m,
				 uint32_t nh, const uint8_t dst[16])
{
	uint32_t index = ip6_resolve(s, nh, m, dst);
	uint8_t kind = s->neighbors.adj[index].kind;

	m->scratch32[SCRATCH_ADJ] = index;
	// A neighbor, or an on-link prefix: who is not known there ip6-rewrite holds.
	return likely(kind >= ADJ_GLEAN) ? EDGE_REWRITE : elsewhere(node, m, kind);
}

static void lookup(const struct ip6_stack *s, struct mbuf **pkts, const uint8_t (*addr)[16],
		   uint32_t *nh, unsigned n)
{
	uint16_t vrf;

	for (unsigned i = 0, end; i < n; i = end) {
		end = fib_run(s->ifs, pkts, i, n, &vrf);
		lpm6_lookup_bulk(fib_lpm6(s->fib, vrf), addr + i, nh + i, end - i);
	}
}

// Which packets, by bit, came in by an interface that packets to their source do not leave by.
static uint64_t spoofed(const struct ip6_stack *s, struct mbuf **pkts, unsigned n)
{
	uint8_t src[GRAPH_BURST][16];
	uint32_t nh[GRAPH_BURST];
	uint64_t bits = 0, checked = 0;

	static_assert(GRAPH_BURST <= 64, "a bit each");
	for (unsigned i = 0; i < n; i++) {
		memcpy(src[i], mbuf_at(pkts[i], const struct ip6_hdr *, pkts[i]->l3)->src, 16);
		if (s->ifs->iface[pkts[i]->port].urpf != IFACE_URPF_OFF)
			checked |= 1ull << i;
	}
	if (!checked)
		return 0;
	lookup(s, pkts, src, nh, n);
	for (unsigned i = 0; i < n; i++) {
		uint16_t iface = pkts[i]->port;
		uint32_t index = nh[i] == LPM6_MISS ? ADJ_INDEX_NONE : nh[i];

		if (checked >> i & 1 &&
		    !fib_source_ok(&s->neighbors.adj[index], iface,
				   s->ifs->iface[iface].urpf == IFACE_URPF_STRICT))
			bits |= 1ull << i;
	}
	return bits;
}

static __attribute__((noinline)) void process_any(struct node *node, struct mbuf **pkts,
						  uint8_t *next, const uint8_t (*dst)[16],
						  unsigned n)
{
	const struct ip6_stack *s = node->state;
	uint64_t bad = spoofed(s, pkts, n);
	uint32_t nh[GRAPH_BURST];

	lookup(s, pkts, dst, nh, n);
	for (unsigned i = 0; i < n; i++) {
		next[i] = bad >> i & 1 ? NEXT_DROP(DROP_REVERSE_PATH) :
					 one(node, s, pkts[i], nh[i], dst[i]);
		if (next[i] == EDGE_REWRITE)
			nd_redirect(node, EDGE_ERROR, pkts[i], pkts[i]->scratch32[SCRATCH_ADJ]);
	}
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct ip6_stack *s = node->state;
	uint8_t dst[GRAPH_BURST][16];
	uint32_t nh[GRAPH_BURST];
	unsigned k = 0;

	do // n is not 0, which the compiler likes to see
		memcpy(dst[k], mbuf_at(pkts[k], const struct ip6_hdr *, pkts[k]->l3)->dst, 16);
	while (++k < n);
	if (unlikely(!s->plain)) {
		process_any(node, pkts, next, dst, n);
		return;
	}
	lpm6_lookup_bulk(s->lpm, dst, nh, n);
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, s, pkts[i], nh[i], dst[i]);
}

const struct node_def ip6_lookup_node = {
	.name = "ip6-lookup",
	.edges = edges,
	.drops = drops,
	.process = process,
};
