// SPDX-License-Identifier: BSD-3-Clause
// mbuf.c - chains: freeing, cutting, copying, checking
#include "mempool/mbuf.h"

#include <errno.h>
#include <string.h>

// True when this was the last owner. The plain path costs no locked operation: a count of 1 is ours.
static bool mbuf_last_owner(struct mbuf *m)
{
	// Acquire, and acq_rel: whatever the other owners did with the buffer comes before its reuse.
	uint16_t owners = __atomic_load_n(&m->refcnt, __ATOMIC_ACQUIRE);

	if (owners == 1)
		return true;
	if (owners == MBUF_FOREVER)
		return false;
	return __atomic_sub_fetch(&m->refcnt, 1, __ATOMIC_ACQ_REL) == 0;
}

void mbuf_free_slow(struct mbuf *m)
{
	while (m) {
		struct mbuf *next = m->next; // before another owner may free m

		if (mbuf_last_owner(m)) {
			m->next = NULL;
			m->nsegs = 1;
			m->refcnt = 1;
			mempool_put_bulk(m->pool, &m, 1);
		}
		m = next;
	}
}

void mbuf_free_bulk_slow(struct mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		mbuf_free(pkts[i]);
}

void mbuf_trim(struct mbuf *m, uint32_t len)
{
	struct mbuf *last = m;
	uint32_t left = len;

	m->pkt_len = len;
	m->nsegs = 1;
	while (left > last->len) {
		left -= last->len;
		last = last->next;
		m->nsegs++;
	}
	last->len = (uint16_t)left;
	if (last->next) {
		mbuf_free_slow(last->next);
		last->next = NULL;
	}
}

int mbuf_copy_out(const struct mbuf *m, uint32_t off, void *dst, uint32_t n)
{
	uint8_t *to = dst;

	if (off > m->pkt_len || n > m->pkt_len - off)
		return -EINVAL;
	while (n) {
		uint32_t part;

		for (; off >= m->len; m = m->next)
			off -= m->len;
		part = m->len - off < n ? m->len - off : n;
		memcpy(to, m->data + off, part);
		to += part;
		off += part;
		n -= part;
	}
	return 0;
}

struct mbuf *mbuf_from_bytes(struct mempool *pool, const void *src, uint32_t n)
{
	struct mbuf *seg[MBUF_SEGS_MAX];
	const uint8_t *from = src;
	uint32_t room = pool->data_room;
	uint32_t left = n;
	uint32_t segs = n ? (n - 1) / room + 1 : 1;

	if (segs > MBUF_SEGS_MAX || mempool_get_bulk(pool, seg, segs))
		return NULL;
	for (uint32_t i = 0; i < segs; i++) {
		uint32_t part = left < room ? left : room;

		mbuf_reset(seg[i]);
		if (part)
			memcpy(seg[i]->data, from, part);
		seg[i]->len = (uint16_t)part;
		seg[i]->next = i + 1 < segs ? seg[i + 1] : NULL;
		from += part;
		left -= part;
	}
	seg[0]->pkt_len = n;
	seg[0]->nsegs = (uint8_t)segs;
	return seg[0];
}

struct mbuf *mbuf_copy(const struct mbuf *m, struct mempool *pool)
{
	struct mbuf *seg[MBUF_SEGS_MAX], *c;
	uint32_t room = pool->data_room, off = 0;
	uint32_t segs = m->pkt_len ? (m->pkt_len - 1) / room + 1 : 1;

	if (segs > MBUF_SEGS_MAX || mempool_get_bulk(pool, seg, segs))
		return NULL;
	for (uint32_t i = 0; i < segs; i++) {
		uint32_t part = m->pkt_len - off < room ? m->pkt_len - off : room;

		mbuf_reset(seg[i]);
		mbuf_copy_out(m, off, seg[i]->data, part);
		seg[i]->len = (uint16_t)part;
		seg[i]->next = i + 1 < segs ? seg[i + 1] : NULL;
		off += part;
	}
	c = seg[0];
	c->pkt_len = m->pkt_len;
	c->nsegs = (uint8_t)segs;
	c->l3 = m->l3;
	c->hash = m->hash;
	c->origin = m->origin;
	memcpy(c->scratch, m->scratch, sizeof(c->scratch));
	c->vlan_tci = m->vlan_tci;
	c->mss = m->mss;
	c->time = m->time;
	return c;
}

static bool segment_ok(const struct mbuf *s)
{
	uint32_t front;

	if (s->refcnt == 0 || !s->pool || s->data < s->buf)
		return false;
	front = mbuf_headroom(s);
	return front <= s->buf_len && s->len <= s->buf_len - front;
}

int mbuf_check(const struct mbuf *m)
{
	const struct mbuf *s = m;
	uint32_t bytes = 0;

	for (unsigned i = 0; i < m->nsegs; i++) { // nsegs bounds the walk: a chain may be a circle
		if (!s || !segment_ok(s))
			return -EINVAL;
		bytes += s->len;
		s = s->next;
	}
	return m->nsegs && !s && bytes == m->pkt_len ? 0 : -EINVAL;
}
