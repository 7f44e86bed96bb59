// SPDX-License-Identifier: BSD-3-Clause
// ip4_fragment.c - node ip4-fragment: packets too large for their port, cut to pieces
//
// RFC 791, 3.2 and RFC 1812, 4.2.2.7 and 5.2.6. The pieces are copies in fresh buffers, each as
// large as the port and one buffer allow; the original is consumed. It has passed ip4-rewrite or
// ip4-output: its header is final, and it may be fragmented (no DF). What a sender left to a port
// is done first: checksums completed, long packets cut into their segments, which then are
// fragmented.
#include "mempool/mempool.h"
#include "netstack/csum.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"
#include "pmd/offload.h"

enum { EDGE_HOLD, EDGE_PORT0 };
static_assert(EDGE_PORT0 == IP4_FRAGMENT_EDGE_PORT0, "the wiring counts on it");
enum { DROP_NO_BUFFER, DROP_BEYOND_64K, DROP_BAD_OFFLOAD };
static const char *const edges[] = {"hold", NULL};
static const char *const drops[] = {"no-buffer", "beyond-64k", "bad-offload", NULL};

#define OPT_END	   0
#define OPT_NOP	   1
#define OPT_COPIED 0x80 // of an option's type: every fragment has it

// Bytes of payload of a piece that is not the last: a multiple of 8.
static uint32_t piece_size(const struct mbuf *piece, uint32_t mtu, uint32_t hlen)
{
	uint32_t room = mbuf_tailroom(piece) - ETH_HLEN;

	return ((mtu < room ? mtu : room) - hlen) & ~7u;
}

// Options that only the first piece has become no-operations in the header of the others (RFC 791,
// 3.1), which so keeps its length. ip4-input has checked their lengths.
static void blank_options(uint8_t *header, uint32_t hlen)
{
	uint8_t *p = header + IP4_HLEN, *end = header + hlen;

	while (p < end && *p != OPT_END) {
		uint32_t n = *p == OPT_NOP ? 1 : p[1];

		if (!(*p & OPT_COPIED))
			memset(p, OPT_NOP, n);
		p += n;
	}
}

// Copies the header and `len` bytes of payload from `off` of m into piece.
static void fill(struct mbuf *piece, const struct mbuf *m, uint32_t hlen, uint32_t off,
		 uint32_t len)
{
	const struct ip4_hdr *in = mbuf_at(m, const struct ip4_hdr *, m->l3);
	uint32_t frag = be16(in->frag), place = (frag & IP4_FRAG_OFF) + off / 8;
	uint8_t *header;
	struct ip4_hdr *ip;

	mbuf_append(piece, ETH_HLEN);
	header = mbuf_append(piece, (uint16_t)hlen);
	memcpy(header, in, hlen);
	if (off)
		blank_options(header, hlen);
	mbuf_copy_out(m, m->l3 + hlen + off, mbuf_append(piece, (uint16_t)len), len);
	ip = (struct ip4_hdr *)(void *)header;
	if (hlen + off + len < be16(in->len))
		frag |= IP4_MF;
	ip->frag = be16((frag & IP4_MF) | place);
	ip->len = be16(hlen + len);
	ip->csum = 0;
	ip->csum = (uint16_t)~csum_fold(csum_add(0, header, hlen));
	piece->l3 = ETH_HLEN;
	piece->port = m->port;
}

static void emit(struct node *node, struct mbuf *piece, uint32_t index)
{
	struct ip4_stack *s = node->state;
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

// A fragment that ends beyond the longest datagram (RFC 791, 3.1: 65,535 bytes with a header of at
// least 20) belongs to none, and the place of its pieces would spill from its field into the flags.
static bool beyond(const struct ip4_hdr *ip, uint32_t len)
{
	return (be16(ip->frag) & IP4_FRAG_OFF) * 8u + len > UINT16_MAX - IP4_HLEN;
}

static uint8_t fragment(struct node *node, const struct mbuf *m)
{
	const struct ip4_stack *s = node->state;
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	uint32_t index = m->scratch32[SCRATCH_ADJ], hlen = ip4_hlen(ip);
	uint32_t left = be16(ip->len) - hlen, off = 0;

	if (beyond(ip, left))
		return NEXT_DROP(DROP_BEYOND_64K);
	while (left) {
		struct mbuf *piece = mbuf_alloc(s->pool);
		uint32_t len;

		// A piece that is missing makes the others worthless, but those are on their way.
		if (!piece)
			return NEXT_DROP(DROP_NO_BUFFER);
		len = piece_size(piece, s->neighbors.adj[index].mtu, hlen);
		if (len > left)
			len = left;
		fill(piece, m, hlen, off, len);
		emit(node, piece, index);
		off += len;
		left -= len;
	}
	return NEXT_CONSUMED;
}

static __attribute__((noinline)) uint8_t finish(struct node *node, const struct mbuf *m)
{
	uint32_t mss = m->flags & (MBUF_TSO | MBUF_USO) ? m->mss : UINT32_MAX;
	uint8_t next = NEXT_CONSUMED;
	struct offload_cut cut;
	struct mbuf *s;

	if (offload_cut_begin(&cut, m, mss, false))
		return NEXT_DROP(DROP_BAD_OFFLOAD);
	while (next == NEXT_CONSUMED && (s = offload_cut_next(&cut))) {
		s->scratch32[SCRATCH_ADJ] = m->scratch32[SCRATCH_ADJ];
		next = fragment(node, s);
		mbuf_free(s);
	}
	return next == NEXT_CONSUMED && cut.left ? NEXT_DROP(DROP_NO_BUFFER) : next;
}

static uint8_t one(struct node *node, const struct mbuf *m)
{
	if (unlikely(m->flags & (MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO)))
		return finish(node, m);
	return fragment(node, m);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, pkts[i]);
}

const struct node_def ip4_fragment_node = {
	.name = "ip4-fragment",
	.edges = edges,
	.drops = drops,
	.process = process,
};
