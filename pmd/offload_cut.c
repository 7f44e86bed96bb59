// SPDX-License-Identifier: BSD-3-Clause
// offload_cut.c - long packets of TCP and UDP cut into segments
#include <errno.h>

#include "core/wire.h"
#include "mempool/csum.h"
#include "pmd/offload.h"

#define IP6_HLEN 40u
#define TCP_FIN	 0x01u
#define TCP_PSH	 0x08u
#define TCP_CWR	 0x80u

#define ORIGIN_FLAGS (MBUF_RX_L4_OK | MBUF_BCAST | MBUF_HASH | MBUF_VLAN)

int offload_cut_begin(struct offload_cut *c, const struct mbuf *m, uint32_t mss, bool partial)
{
	uint32_t headers;

	*c = (struct offload_cut){.m = m, .from = m, .mss = mss, .partial = partial};
	if (!mss || offload_find(m, &c->place))
		return -EBADMSG;
	headers = offload_headers(&c->place);
	if ((c->place.ip_end - headers) / mss >= OFFLOAD_PIECES_MAX)
		return -EBADMSG;
	c->from_off = headers;
	c->left = c->place.ip_end - headers;
	return 0;
}

// Copies n bytes from where the cut stands.
static void take(struct offload_cut *c, uint8_t *to, uint32_t n)
{
	while (n) {
		uint32_t here = c->from->len - c->from_off, part = here < n ? here : n;

		memcpy(to, c->from->data + c->from_off, part);
		to += part;
		n -= part;
		c->from_off += part;
		if (part == here) {
			c->from = c->from->next;
			c->from_off = 0;
		}
	}
}

// A chain of n bytes not yet written, the first `headers` of them in one segment.
static struct mbuf *chain_alloc(struct mempool *pool, uint32_t n, uint32_t headers)
{
	struct mbuf *seg[MBUF_SEGS_MAX];
	uint32_t room = mempool_room(pool), segs = (n + room - 1) / room, left = n;

	if (headers > room || segs > MBUF_SEGS_MAX || mempool_get_bulk(pool, seg, segs))
		return NULL;
	for (uint32_t i = 0; i < segs; i++) {
		mbuf_reset(seg[i]);
		seg[i]->len = (uint16_t)(left < room ? left : room);
		left -= seg[i]->len;
		seg[i]->next = i + 1 < segs ? seg[i + 1] : NULL;
	}
	seg[0]->pkt_len = n;
	seg[0]->nsegs = (uint8_t)segs;
	return seg[0];
}

static void put_ip4(struct mbuf *s, const struct offload_cut *c)
{
	uint8_t *ip = s->data + c->place.l3;
	uint32_t hlen = c->place.l4 - c->place.l3;

	store16(ip + 2, be16(s->pkt_len - c->place.l3));
	store16(ip + 4, be16(be16(load16(ip + 4)) + c->piece));
	store16(ip + 10, 0);
	store16(ip + 10, (uint16_t)~csum_fold(csum_add(0, ip, hlen)));
}

static void put_l4(struct mbuf *s, const struct offload_cut *c, bool last)
{
	uint8_t *l4 = s->data + c->place.l4;

	if (c->place.proto == OFFLOAD_UDP) {
		store16(l4 + 4, be16(s->pkt_len - c->place.l4));
		return;
	}
	store32(l4 + 4, be32(be32(load32(l4 + 4)) + c->done));
	if (c->piece)
		l4[13] &= (uint8_t)~TCP_CWR;
	if (!last)
		l4[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

static void put_csum(struct mbuf *s, const struct offload_cut *c)
{
	uint16_t sum = offload_pseudo(s, &c->place, s->pkt_len - c->place.l4);

	store16(s->data + c->place.l4 + offload_csum_offset(c->place.proto), sum);
	s->flags |= MBUF_TX_L4_CSUM;
	if (!c->partial)
		offload_csum(s);
}

static void fill(struct mbuf *s, struct offload_cut *c)
{
	uint32_t headers = offload_headers(&c->place);

	memcpy(s->data, c->m->data, headers);
	take(c, s->data + headers, s->len - headers);
	for (struct mbuf *t = s->next; t; t = t->next)
		take(c, t->data, t->len);
	s->origin = c->m->origin;
	s->flags &= ORIGIN_FLAGS;
	s->l3 = c->place.l3;
	s->l4 = c->place.l4;
	s->hash = c->m->hash;
	if (s->flags & MBUF_VLAN)
		s->vlan_tci = c->m->vlan_tci;
}

struct mbuf *offload_cut_next(struct offload_cut *c)
{
	uint32_t headers = offload_headers(&c->place);
	uint32_t n = c->left < c->mss ? c->left : c->mss;
	struct mbuf *s;

	if (!c->left && c->piece)
		return NULL;
	s = chain_alloc(c->m->pool, headers + n, headers);
	if (!s)
		return NULL;
	fill(s, c);
	c->left -= n;
	if (c->place.ip6)
		store16(s->data + s->l3 + 4, be16(s->pkt_len - s->l3 - IP6_HLEN));
	else
		put_ip4(s, c);
	put_l4(s, c, !c->left);
	put_csum(s, c);
	c->done += n;
	c->piece++;
	return s;
}
