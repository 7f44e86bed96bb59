// SPDX-License-Identifier: BSD-3-Clause
// reass_add.c - a fragment joins its datagram; the whole is chained, or released piece by piece
#include <string.h>

#include "netstack/reass_own.h"

#define DATAGRAM_MAX UINT16_MAX // RFC 791, 3.1; RFC 8200, 3: bytes of payload, and of IPv4's header

// What is wrong with a fragment for itself: a drop reason, or -1.
static int check(const struct reass *r, const struct mbuf *m, const struct reass_fragment *f)
{
	if (f->len == 0)
		return REASS_DROP_EMPTY;
	if (f->more && f->len % 8)
		return REASS_DROP_UNALIGNED;
	if (f->head + f->off + f->len > DATAGRAM_MAX)
		return REASS_DROP_BEYOND_64K;
	if (m->nsegs > r->segs_max)
		return REASS_DROP_TOO_MANY;
	return -1;
}

// The last fragment held that begins at off or before; NULL when all begin behind it. Mostly the
// last of all.
static struct mbuf *place_of(const struct datagram *d, uint32_t off)
{
	struct mbuf *m = d->first, *before = NULL;

	if (d->last && reass_held(d->last)->off <= off)
		return d->last;
	for (; m && reass_held(m)->off <= off; m = reass_held(m)->next)
		before = m;
	return before;
}

static bool same(const struct reass_held *h, const struct reass_fragment *f)
{
	return h->off == f->off && h->len == f->len && h->more == f->more;
}

// Whether f does not fit what is there: between `before` and its successor, and the end.
static bool overlaps(const struct datagram *d, struct mbuf *before, const struct reass_fragment *f)
{
	struct mbuf *after = before ? reass_held(before)->next : d->first;
	uint32_t end = f->off + f->len;

	if (before && reass_held(before)->off + (uint32_t)reass_held(before)->len > f->off)
		return true;
	if (after && reass_held(after)->off < end)
		return true;
	if (d->total && (end > d->total || !f->more))
		return true;
	return !f->more && after; // something lies behind the end
}

static void insert(struct reass *r, struct datagram *d, struct mbuf *before, struct mbuf *m,
		   const struct reass_fragment *f)
{
	struct mbuf **link = before ? &reass_held(before)->next : &d->first;

	*reass_held(m) = (struct reass_held){
		.next = *link, .off = (uint16_t)f->off, .len = (uint16_t)f->len, .more = f->more};
	*link = m;
	if (before == d->last)
		d->last = m;
	d->bytes += f->len;
	d->fragments++;
	d->segs = (uint16_t)(d->segs + m->nsegs);
	r->segs += m->nsegs;
	if (!f->more)
		d->total = f->off + f->len;
	if (!f->off)
		d->head = f->head;
}

static void condemn(struct reass *r, struct node *node, struct datagram *d, uint8_t reason)
{
	reass_drop_all(r, node, d, reason);
	d->bad = true;
}

// Room for m is made at the cost of the oldest.
static struct datagram *datagram_of(struct reass *r, struct node *node, const struct mbuf *m,
				    const struct reass_key *key)
{
	uint64_t due = graph_now(node) + r->timeout;
	struct datagram *d;

	while (r->segs + m->nsegs > r->segs_max && reass_evict(r, node))
		;
	d = reass_find(r, key);
	if (d)
		return d;
	if (r->free == REASS_NONE)
		reass_evict(r, node);
	graph_wake(node, due);
	return reass_new(r, key, due);
}

struct datagram *reass_add(struct reass *r, struct node *node, struct mbuf *m,
			   const struct reass_fragment *f, uint8_t *next)
{
	int wrong = check(r, m, f);
	struct datagram *d;
	struct mbuf *before;

	*next = NEXT_DROP(wrong);
	if (wrong >= 0)
		return NULL;
	d = datagram_of(r, node, m, &f->key);
	before = place_of(d, f->off);
	*next = NEXT_DROP(REASS_DROP_OVERLAP);
	if (d->bad)
		return NULL;
	if (before && same(reass_held(before), f)) {
		*next = NEXT_DROP(REASS_DROP_DUPLICATE);
		return NULL;
	}
	if (overlaps(d, before, f)) {
		condemn(r, node, d, REASS_DROP_OVERLAP);
		return NULL;
	}
	if (d->fragments == REASS_FRAGMENTS || d->segs + m->nsegs > (int)MBUF_SEGS_MAX) {
		condemn(r, node, d, REASS_DROP_TOO_MANY);
		*next = NEXT_DROP(REASS_DROP_TOO_MANY);
		return NULL;
	}
	insert(r, d, before, m, f);
	*next = NEXT_HELD;
	if (d->bytes != d->total)
		return NULL;
	if (d->head + d->total > DATAGRAM_MAX) { // the first's header is longer than those of others
		condemn(r, node, d, REASS_DROP_BEYOND_64K);
		return NULL;
	}
	return d;
}

static struct mbuf *last_segment(struct mbuf *m)
{
	while (m->next)
		m = m->next;
	return m;
}

// Takes what is in front of the payload away. The headers are in the first segment; one that holds
// nothing else is freed.
static struct mbuf *strip(struct mbuf *m, uint32_t *segs)
{
	uint16_t n = m->l4;

	*segs += m->nsegs;
	if (n < m->len || !m->next) {
		mbuf_pull(m, n);
	} else {
		struct mbuf *rest = m->next;

		m->next = NULL;
		m->nsegs = 1;
		mbuf_free(m);
		m = rest;
		--*segs;
	}
	return m;
}

struct mbuf *reass_join(struct reass *r, struct node *node, struct datagram *d)
{
	struct mbuf *whole = d->first, *tail = last_segment(whole);
	struct mbuf *m = reass_held(whole)->next;
	uint32_t segs = whole->nsegs;

	while (m) {
		struct mbuf *later = reass_held(m)->next;

		tail->next = strip(m, &segs);
		tail->next->nsegs = 1; // of the first segment only
		tail = last_segment(tail);
		m = later;
	}
	whole->pkt_len = whole->l4 + d->total;
	whole->nsegs = (uint8_t)segs;
	whole->flags &= ~(MBUF_RX_L4_OK | MBUF_RX_L4_BAD | MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO |
			  MBUF_HASH);
	graph_joined_held(node, d->fragments - 1u);
	reass_forget(r, d);
	return whole;
}

void reass_release(struct reass *r, struct node *node, struct datagram *d, uint8_t edge)
{
	struct mbuf *m = d->first;
	uint64_t head = 0;

	mbuf_copy_out(m, m->l4, &head, reass_held(m)->len < 8 ? reass_held(m)->len : 8);
	while (m) {
		struct mbuf *next = reass_held(m)->next;

		m->l4_head = head;
		m->flags |= MBUF_L4_HEAD;
		graph_release(node, edge, m);
		m = next;
	}
	reass_forget(r, d);
}
