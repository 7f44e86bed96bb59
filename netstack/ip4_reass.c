// SPDX-License-Identifier: BSD-3-Clause
// ip4_reass.c - nodes ip4-reass and ip4-virtual: fragments of IPv4 gathered (RFC 791, 3.2)
#include "netstack/csum.h"
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/reass_own.h"

enum { EDGE_LOCAL, EDGE_ERROR };
enum { EDGE_LOOKUP };
static const char *const local_edges[] = {"local", "icmp-error", NULL};
static const char *const virtual_edges[] = {"lookup", NULL};

static struct datagram *gather(struct node *node, struct mbuf *m, uint8_t *next)
{
	struct reass *r = node->state;
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	uint32_t hlen = ip4_hlen(ip);
	struct reass_fragment f = {
		.key = {.id = ip->id, .vrf = r->ifs->iface[m->port].vrf, .proto = ip->proto},
		.off = (be16(ip->frag) & IP4_FRAG_OFF) * 8u,
		.len = m->pkt_len - m->l3 - hlen, // ip4-input has cut what is behind
		.head = hlen,
		.more = ip->frag & be16(IP4_MF),
	};

	f.key.src.v4 = ip->src;
	f.key.dst.v4 = ip->dst;
	m->l4 = (uint16_t)(m->l3 + hlen);
	if (reass_tiny(ip->proto, f.off, f.len)) {
		*next = NEXT_DROP(REASS_DROP_TINY);
		return NULL;
	}
	return reass_add(r, node, m, &f, next);
}

// The header of the first is that of the whole, options and all (RFC 791, 3.1).
static void finish(struct mbuf *m)
{
	struct ip4_hdr *ip = mbuf_at(m, struct ip4_hdr *, m->l3);

	ip->len = be16(m->pkt_len - m->l3);
	ip->frag &= be16(IP4_DF);
	ip->csum = 0;
	ip->csum = (uint16_t)~csum_fold(csum_add(0, ip, ip4_hlen(ip)));
}

static void local_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct datagram *d = gather(node, pkts[i], &next[i]);

		if (!d)
			continue;
		pkts[i] = reass_join(node->state, node, d);
		finish(pkts[i]);
		next[i] = EDGE_LOCAL;
	}
}

static void virtual_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct ip4_hdr *ip = mbuf_at(pkts[i], const struct ip4_hdr *, pkts[i]->l3);
		struct datagram *d;

		next[i] = EDGE_LOOKUP;
		if (likely(!(ip->frag & be16(IP4_MF | IP4_FRAG_OFF))))
			continue;
		d = gather(node, pkts[i], &next[i]);
		if (d)
			reass_release(node->state, node, d, EDGE_LOOKUP);
	}
}

// RFC 792: code 1, if the first fragment is there.
static void report(struct node *node, const struct mbuf *first)
{
	const struct reass *r = node->state;

	icmp_report(node, EDGE_ERROR, r->pool, first,
		    (struct icmp_report){
			    .type = ICMP_EXCEEDED,
			    .code = ICMP_REASSEMBLY,
			    .source = mbuf_at(first, const struct ip4_hdr *, first->l3)->dst});
}

static uint64_t local_housekeep(struct node *node, uint64_t now)
{
	return reass_expire(node->state, node, now, report);
}

// RFC 792 has a host say it; a router on the way is silent.
static uint64_t virtual_housekeep(struct node *node, uint64_t now)
{
	return reass_expire(node->state, node, now, NULL);
}

const struct node_def ip4_reass_node = {
	.name = "ip4-reass",
	.edges = local_edges,
	.drops = reass_drops,
	.process = local_process,
	.housekeep = local_housekeep,
	.destroy = reass_node_destroy,
};

const struct node_def ip4_virtual_node = {
	.name = "ip4-virtual",
	.edges = virtual_edges,
	.drops = reass_drops,
	.process = virtual_process,
	.housekeep = virtual_housekeep,
	.destroy = reass_node_destroy,
};
