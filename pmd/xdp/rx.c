// SPDX-License-Identifier: BSD-3-Clause
// rx.c - AF_XDP receive: frames are in mbufs already; addresses are checked, buffers replaced
#include <sys/socket.h>

#include "pmd/xdp/xdp.h"

#define REFILL 32u

void xdp_refill(struct xdp_queue *q)
{
	struct mbuf *m[REFILL];
	uint32_t at;

	while (q->posted + REFILL <= q->rx_size) {
		if (unlikely(mempool_get_bulk(q->pool, m, REFILL))) {
			q->rx_nombuf++;
			return;
		}
		// The ring holds rx_size and never has more than `posted` in it.
		if (unlikely(!xsk_ring_prod__reserve(&q->fill, REFILL, &at))) {
			mempool_put_bulk(q->pool, m, REFILL);
			return;
		}
		mempool_own(m, REFILL, "xdp-rx");
		for (unsigned i = 0; i < REFILL; i++) {
			uint64_t chunk = xdp_chunk(&q->umem, m[i]);

			q->slot[xdp_index(&q->umem, chunk)].posted = true;
			*xsk_ring_prod__fill_addr(&q->fill, at + i) = chunk;
		}
		xsk_ring_prod__submit(&q->fill, REFILL);
		q->posted += REFILL;
	}
}

// The buffer that a descriptor names, as one segment; NULL when it cannot be.
static always_inline struct mbuf *segment(struct xdp_queue *q, const struct xdp_desc *d)
{
	const struct xdp_umem *u = &q->umem;
	uint64_t chunk = xsk_umem__extract_addr(d->addr), off = xsk_umem__extract_offset(d->addr);
	int64_t i = xdp_index(u, chunk);
	struct mbuf *m;

	if (unlikely(i < 0 || !q->slot[i].posted))
		return NULL;
	q->slot[i].posted = false;
	q->posted--;
	m = xdp_mbuf(u, chunk);
	if (unlikely(off + d->len > u->chunk)) {
		mempool_put_bulk(q->pool, &m, 1);
		return NULL;
	}
	m->data = mbuf_buf(m) + off;
	m->len = (uint16_t)d->len;
	m->pkt_len = d->len;
	m->origin = mbuf_origin(q->port);
	return m;
}

static __attribute__((noinline)) void give_up(struct xdp_queue *q)
{
	q->rx_bad++;
	if (q->head)
		mbuf_free(q->head);
	q->head = q->last = NULL;
}

// One more segment of a frame of several chunks. The frame when it is the last; else NULL.
static __attribute__((noinline)) struct mbuf *chain(struct xdp_queue *q, struct mbuf *m, bool more)
{
	struct mbuf *head = q->head;

	if (!head) {
		q->head = q->last = m;
		return NULL;
	}
	if (head->nsegs == MBUF_SEGS_MAX) {
		mbuf_free(m);
		give_up(q);
		return NULL;
	}
	q->last->next = m;
	q->last = m;
	head->pkt_len += m->len;
	head->nsegs++;
	if (more)
		return NULL;
	q->head = q->last = NULL;
	return head;
}

// Nothing came: what the other rings want is looked at.
static __attribute__((noinline)) uint16_t idle(struct xdp_queue *q)
{
	if (q->sending) {
		xdp_reap(q);
		xdp_kick(q);
	}
	if (xsk_ring_prod__needs_wakeup(&q->fill))
		recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	xdp_refill(q);
	return 0;
}

uint16_t xdp_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct xdp_queue *q = queue;
	uint32_t there, at;
	uint16_t got = 0;

	if (unlikely(q->fd < 0))
		return 0;
	there = xsk_ring_cons__peek(&q->rx, n, &at);
	if (!there)
		return idle(q);
	for (uint32_t i = 0; i < there; i++) {
		const struct xdp_desc d = *xsk_ring_cons__rx_desc(&q->rx, at + i);
		struct mbuf *m = segment(q, &d);

		if (unlikely(!m)) {
			give_up(q);
			continue;
		}
		if (unlikely(d.options & XDP_DESC_MORE || q->head)) {
			m = chain(q, m, d.options & XDP_DESC_MORE);
			if (!m)
				continue;
		}
		pkts[got++] = m;
		q->rx_bytes += m->pkt_len;
	}
	xsk_ring_cons__release(&q->rx, there);
	q->rx_packets += got;
	xdp_refill(q);
	return got;
}
