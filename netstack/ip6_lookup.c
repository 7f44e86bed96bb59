// SPDX-License-Identifier: BSD-3-Clause
// ip6_lookup.c - node ip6-lookup: the next hop of each destination
#include "netstack/icmp6.h"
#include "netstack/ip6_graph.h"

enum { EDGE_REWRITE, EDGE_LOCAL, EDGE_ERROR };
enum { DROP_NO_ROUTE, DROP_BLACKHOLE, DROP_UNREACHABLE, DROP_PROHIBITED };
static const char *const edges[] = {"rewrite", "local", "icmp6-error", NULL};
static const char *const drops[] = {"no-route", "blackhole", "unreachable", "prohibited", NULL};

static const uint8_t next_of[] = {
	[ADJ_NONE] = NEXT_DROP(DROP_NO_ROUTE),
	[ADJ_LOCAL] = EDGE_LOCAL,
	[ADJ_BROADCAST] = NEXT_DROP(DROP_NO_ROUTE), // which IPv6 has not
	[ADJ_BLACKHOLE] = NEXT_DROP(DROP_BLACKHOLE),
	[ADJ_UNREACHABLE] = NEXT_DROP(DROP_UNREACHABLE),
	[ADJ_PROHIBIT] = NEXT_DROP(DROP_PROHIBITED),
	[ADJ_GLEAN] = EDGE_REWRITE, // the neighbor is not known yet: ip6-rewrite holds it
	[ADJ_FORWARD] = EDGE_REWRITE,
	[ADJ_MULTI] = NEXT_DROP(DROP_NO_ROUTE),
};

// RFC 4443, 3.1. Of an unreachable route Linux says the same as of none.
static __attribute__((noinline)) void report(struct node *node, const struct mbuf *m, uint8_t drop)
{
	const struct ip6_stack *s = node->state;
	struct icmp6_report what = {.type = ICMP6_UNREACHABLE, .code = ICMP6_NO_ROUTE};

	if (drop == NEXT_DROP(DROP_BLACKHOLE))
		return;
	if (drop == NEXT_DROP(DROP_PROHIBITED))
		what.code = ICMP6_PROHIBITED;
	icmp6_report(node, EDGE_ERROR, s->pool, m, what);
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
	lpm6_lookup_bulk(s->lpm, dst, nh, n);
	for (unsigned i = 0; i < n; i++) {
		uint32_t index = ip6_resolve(s, nh[i], dst[i]);

		pkts[i]->scratch32[SCRATCH_ADJ] = index;
		next[i] = next_of[s->neighbors.adj[index].kind];
		if (unlikely(next[i] >= NEXT_EDGES))
			report(node, pkts[i], next[i]);
	}
}

const struct node_def ip6_lookup_node = {
	.name = "ip6-lookup",
	.edges = edges,
	.drops = drops,
	.process = process,
};
