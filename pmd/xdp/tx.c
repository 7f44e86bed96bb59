// SPDX-License-Identifier: BSD-3-Clause
// tx.c - AF_XDP send: descriptors that name our buffers, one call a burst, buffers back by
// completion
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "pmd/xdp/xdp.h"

#define ETHER_HDR 14u
#define REAP	  64u
#define KICKS	  8u // calls at most to have one burst sent; what is left goes with the next

void xdp_reap(struct xdp_queue *q)
{
	uint32_t at, n = xsk_ring_cons__peek(&q->comp, q->tx_size, &at);

	for (uint32_t k = 0; k < n; k++) {
		uint64_t addr = *xsk_ring_cons__comp_addr(&q->comp, at + k);
		int64_t i = xdp_index(&q->umem, xsk_umem__extract_addr(addr));
		struct xdp_slot *s = &q->slot[i < 0 ? 0 : i];

		if (unlikely(i < 0 || !s->sending)) {
			q->tx_bad++;
			continue;
		}
		s->sending--;
		q->sending--;
		if (s->head) {
			mbuf_free(s->head);
			if (!s->sending)
				s->head = NULL;
		}
	}
	if (n)
		xsk_ring_cons__release(&q->comp, n);
}

static bool all_taken(const struct xdp_queue *q)
{
	return __atomic_load_n(q->tx.consumer, __ATOMIC_ACQUIRE) == *q->tx.producer;
}

bool xdp_kick(struct xdp_queue *q)
{
	for (unsigned i = 0; i < KICKS && !all_taken(q); i++) {
		if (!xsk_ring_prod__needs_wakeup(&q->tx))
			return false; // the driver looks by itself
		if (sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN)
			return false; // ENOBUFS, ENETDOWN: it stays in the ring for the next
		xdp_reap(q);
	}
	return all_taken(q);
}

// A copy of m in buffers that the kernel knows, in as few as it takes; NULL when there are none.
static struct mbuf *copy_packet(struct xdp_queue *q, const struct mbuf *m)
{
	uint8_t flat[UINT16_MAX];

	if (m->pkt_len > sizeof(flat) || mbuf_copy_out(m, 0, flat, m->pkt_len))
		return NULL;
	return mbuf_from_bytes(q->pool, flat, m->pkt_len);
}

static bool fits(const struct xdp_queue *q, const struct mbuf *m)
{
	if (m->nsegs > (q->several ? XDP_SEGS_MAX : 1))
		return false;
	for (; m; m = m->next)
		if (m->pool != q->pool || !m->len || m->len > q->umem.chunk)
			return false;
	return true;
}

enum sent { SENT, DROPPED, WAIT };

static always_inline void describe(struct xdp_queue *q, struct mbuf *m, struct mbuf *head,
				   uint32_t at)
{
	const struct xdp_umem *u = &q->umem;
	uint64_t chunk = xdp_chunk(u, m);
	struct xdp_slot *s = &q->slot[xdp_index(u, chunk)];
	struct xdp_desc *d = xsk_ring_prod__tx_desc(&q->tx, at);

	s->sending++;
	s->head = m->next ? NULL : head;
	d->addr = chunk | (uint64_t)(m->data - mbuf_buf(m)) << XSK_UNALIGNED_BUF_OFFSET_SHIFT;
	d->len = m->len;
	d->options = m->next ? XDP_DESC_MORE : 0;
}

static enum sent put(struct xdp_queue *q, struct mbuf *m)
{
	struct mbuf *head = m;
	uint32_t at;

	// Completions have room for as many as are under way.
	if (unlikely(q->sending + m->nsegs > q->tx_size ||
		     !xsk_ring_prod__reserve(&q->tx, m->nsegs, &at)))
		return WAIT;
	q->sending += m->nsegs;
	for (; m; m = m->next)
		describe(q, m, head, at++);
	xsk_ring_prod__submit(&q->tx, head->nsegs);
	return SENT;
}

// A packet whose buffers cannot be sent from: too many, or another pool's.
static __attribute__((noinline)) enum sent put_copy(struct xdp_queue *q, struct mbuf *m)
{
	struct mbuf *copy;
	enum sent s;

	if (m->pkt_len < ETHER_HDR) {
		q->tx_refused++;
		return DROPPED;
	}
	copy = copy_packet(q, m);
	if (!copy)
		return WAIT;
	if (!fits(q, copy)) {
		mbuf_free(copy);
		q->tx_too_long++;
		return DROPPED;
	}
	s = put(q, copy);
	if (s == WAIT) {
		mbuf_free(copy);
		return s;
	}
	q->tx_copied++;
	mbuf_free(m);
	return s;
}

static always_inline enum sent send_one(struct xdp_queue *q, struct mbuf *m)
{
	if (likely(m->nsegs == 1 && m->pool == q->pool && m->len >= ETHER_HDR &&
		   m->len <= q->umem.chunk))
		return put(q, m);
	if (m->pkt_len >= ETHER_HDR && fits(q, m))
		return put(q, m);
	return put_copy(q, m);
}

uint16_t xdp_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct xdp_queue *q = queue;
	uint16_t done;

	if (unlikely(q->fd < 0 || (!q->xdp->link.up && xdp_down(q)))) {
		q->tx_down += n;
		mbuf_free_bulk(pkts, n);
		return n;
	}
	if (q->sending)
		xdp_reap(q);
	for (done = 0; done < n; done++) {
		uint32_t len = pkts[done]->pkt_len;
		enum sent s = send_one(q, pkts[done]);

		if (unlikely(s == WAIT)) {
			q->tx_full++;
			break;
		}
		if (unlikely(s == DROPPED)) {
			mbuf_free(pkts[done]);
			continue;
		}
		q->tx_packets++;
		q->tx_bytes += len;
	}
	xdp_kick(q);
	return done;
}
