// SPDX-License-Identifier: BSD-3-Clause
// ip4_lookup.c - node ip4-lookup: the next hop of each destination (RFC 1812, 5.2.4.3)
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

enum { EDGE_REWRITE, EDGE_LOCAL, EDGE_ERROR };
enum { DROP_NO_ROUTE, DROP_DIRECTED_BROADCAST };
static const char *const edges[] = {"rewrite", "local", "icmp-error", NULL};
static const char *const drops[] = {"no-route", "directed-broadcast", NULL};

static const uint8_t next_of[] = {
	[ADJ_NONE] = NEXT_DROP(DROP_NO_ROUTE),
	[ADJ_LOCAL] = EDGE_LOCAL,
	[ADJ_BROADCAST] = NEXT_DROP(DROP_DIRECTED_BROADCAST), // RFC 2644
	[ADJ_BLACKHOLE] = NEXT_DROP(DROP_NO_ROUTE),
	[ADJ_UNREACHABLE] = NEXT_DROP(DROP_NO_ROUTE),
	[ADJ_PROHIBIT] = NEXT_DROP(DROP_NO_ROUTE),
	[ADJ_GLEAN] = EDGE_REWRITE, // the neighbor is not known yet: ip4-rewrite holds it
	[ADJ_FORWARD] = EDGE_REWRITE,
};

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct ip4_stack *s = node->state;
	uint32_t dst[GRAPH_BURST], nh[GRAPH_BURST];
	unsigned k = 0;

	do // n is not 0, which the compiler likes to see
		dst[k] = be32(mbuf_at(pkts[k], const struct ip4_hdr *, pkts[k]->l3)->dst);
	while (++k < n);
	lpm4_lookup_bulk(s->lpm, dst, nh, n);
	for (unsigned i = 0; i < n; i++) {
		uint32_t index = ip4_resolve(s, nh[i], be32(dst[i]));

		pkts[i]->scratch32[SCRATCH_ADJ] = index;
		next[i] = next_of[s->neighbors.adj[index].kind];
		if (unlikely(index == ADJ_INDEX_NONE))
			icmp_report(
				node, EDGE_ERROR, s->pool, pkts[i],
				(struct icmp_report){.type = ICMP_UNREACHABLE, .code = ICMP_NET});
	}
}

const struct node_def ip4_lookup_node = {
	.name = "ip4-lookup",
	.edges = edges,
	.drops = drops,
	.process = process,
};
