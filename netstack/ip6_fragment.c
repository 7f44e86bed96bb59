// SPDX-License-Identifier: BSD-3-Clause
// ip6_fragment.c - node ip6-fragment: packets of the router's own that are too long, cut to pieces
//
// RFC 8200, 4.5. The pieces are copies in fresh buffers; the original is consumed. It has passed
// ip6-output, has no extension headers and no work left to a port.
#include "netstack/ip6_graph.h"
#include "netstack/ip6_own.h"

enum { EDGE_HOLD, EDGE_PORT0 };
static_assert(EDGE_PORT0 == IP6_FRAGMENT_EDGE_PORT0, "the wiring counts on it");
enum { DROP_NO_BUFFER };
static const char *const edges[] = {"hold", NULL};
static const char *const drops[] = {"no-buffer", NULL};

#define HEADERS (IP6_HLEN + IP6_FRAG_HLEN)

// Bytes of payload of a piece that is not the last: a multiple of 8.
static uint32_t piece_size(const struct mbuf *piece, uint32_t mtu)
{
	uint32_t room = mbuf_tailroom(piece) - ETH_HLEN;

	return ((mtu < room ? mtu : room) - HEADERS) & ~7u;
}

// Copies `len` bytes of payload from `off` of m behind headers of their own.
static void fill(struct mbuf *piece, const struct mbuf *m, uint32_t id, uint32_t off, uint32_t len)
{
	const struct ip6_hdr *in = mbuf_at(m, const struct ip6_hdr *, m->l3);
	struct ip6_frag_hdr *frag;
	struct ip6_hdr *ip;

	mbuf_append(piece, ETH_HLEN);
	ip = mbuf_append(piece, HEADERS);
	frag = (struct ip6_frag_hdr *)(void *)(ip + 1);
	*ip = *in;
	ip->next = IP6_FRAGMENT;
	ip->len = be16(IP6_FRAG_HLEN + len);
	*frag = (struct ip6_frag_hdr){
		.next = in->next,
		.off = be16(off | (off + len < be16(in->len) ? IP6_FRAG_MORE : 0)),
		.id = id,
	};
	mbuf_copy_out(m, m->l3 + IP6_HLEN + off, mbuf_append(piece, (uint16_t)len), len);
	piece->l3 = ETH_HLEN;
	piece->port = m->port;
}

static void emit(struct node *node, struct mbuf *piece, uint32_t index)
{
	struct ip6_stack *s = node->state;
	struct adj *a = &s->neighbors.adj[index];

	piece->scratch32[SCRATCH_ADJ] = index;
	if (!a->ready) {
		graph_emit(node, EDGE_HOLD, piece);
		return;
	}
	a->used = true;
	adj_put_eth(piece, a);
	graph_emit(node, (uint8_t)(EDGE_PORT0 + a->tx), piece);
}

static uint8_t one(struct node *node, const struct mbuf *m)
{
	struct ip6_stack *s = node->state;
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	uint32_t index = m->scratch32[SCRATCH_ADJ], id = (uint32_t)ip6_stack_random(s);
	uint16_t mtu = ip6_own_mtu(&s->neighbors.adj[index], ip->dst);

	for (uint32_t left = be16(ip->len), off = 0, len; left; off += len, left -= len) {
		struct mbuf *piece = mbuf_alloc(s->pool);

		// A piece that is missing makes the others worthless, but those are on their way.
		if (!piece)
			return NEXT_DROP(DROP_NO_BUFFER);
		len = piece_size(piece, mtu);
		if (len > left)
			len = left;
		fill(piece, m, id, off, len);
		emit(node, piece, index);
	}
	return NEXT_CONSUMED;
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, pkts[i]);
}

const struct node_def ip6_fragment_node = {
	.name = "ip6-fragment",
	.edges = edges,
	.drops = drops,
	.process = process,
};
