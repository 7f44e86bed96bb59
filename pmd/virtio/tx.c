// SPDX-License-Identifier: BSD-3-Clause
// tx.c - transmit: describe packets where they lie, and free them once the device has used them
//
// A packet is [virtio_net_hdr 12][frame] (virtio 1.2, 5.1.6.2). With VERSION_1 the header need not
// have a descriptor of its own, so a packet of one segment is one descriptor: the header is written
// into its headroom. A buffer that others own too, or one without room in front, gets a second
// descriptor naming a header of zeros; all headers are zeros, since no offload is granted.
#include "pmd/virtio/tx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"

#define TX_END	 0xffffu // no descriptor: a queue has at most 32768
#define TX_CHUNK 64u

// In vq.buf[]: the packet is a single segment of q->pool that nobody else owns, in one descriptor;
// it goes back to the pool unread. (mbufs are cache-aligned: the low bits of a pointer are free.)
#define TX_PLAIN 1u

int virtio_tx_create(struct virtio_txq *q, uint16_t index, uint32_t size, struct err *err)
{
	int r;

	memset(q, 0, sizeof(*q));
	r = virtq_create(&q->vq, index, size, err);
	if (r)
		return r;
	q->next = calloc(size, sizeof(q->next[0]));
	q->ring = calloc(size, sizeof(q->ring[0]));
	if (q->next && q->ring)
		return 0;
	virtio_tx_destroy(q);
	return err_set(err, -ENOMEM,
		       "queue %u: no memory for %u descriptors: give the machine more", index,
		       size);
}

void virtio_tx_destroy(struct virtio_txq *q)
{
	virtq_destroy(&q->vq);
	free(q->next);
	free(q->ring);
	q->next = NULL;
	q->ring = NULL;
}

void virtio_tx_start(struct virtio_txq *q)
{
	for (uint32_t i = 0; i < virtq_size(&q->vq); i++)
		q->ring[i] = (uint16_t)i;
	q->head = 0;
	q->tail = (uint16_t)virtq_size(&q->vq);
}

static always_inline uint16_t tx_room(const struct virtio_txq *q)
{
	return (uint16_t)(q->tail - q->head);
}

static always_inline uint16_t tx_desc_take(struct virtio_txq *q)
{
	return q->ring[q->head++ & q->vq.mask];
}

static always_inline void tx_desc_give(struct virtio_txq *q, uint16_t id)
{
	q->ring[q->tail++ & q->vq.mask] = id;
}

// Frees the packet and the descriptors of a chain that begins at id.
static void tx_free_chain(struct virtio_txq *q, uint16_t id)
{
	struct mbuf *m = q->vq.buf[id];

	q->vq.buf[id] = NULL;
	for (; id != TX_END; id = q->next[id])
		tx_desc_give(q, id);
	mbuf_free(m);
}

// Takes n used elements; returns how many before a fault.
static always_inline unsigned tx_complete(struct virtio_txq *q, unsigned n)
{
	struct virtq *vq = &q->vq;
	struct mbuf *plain[TX_CHUNK];
	unsigned plains = 0, i;

	for (i = 0; i < n; i++) {
		struct virtq_used_elem e = virtq_used_at(vq, vq->used_idx);
		uintptr_t p;

		if (unlikely(e.id > vq->mask)) {
			virtq_set_fault(vq, VIRTQ_BAD_ID);
			break;
		}
		p = (uintptr_t)vq->buf[e.id];
		if (unlikely(!p)) {
			virtq_set_fault(vq, VIRTQ_IDLE_ID);
			break;
		}
		vq->used_idx++;
		if (unlikely(!(p & TX_PLAIN))) {
			tx_free_chain(q, (uint16_t)e.id);
			continue;
		}
		vq->buf[e.id] = NULL;
		tx_desc_give(q, (uint16_t)e.id);
		plain[plains++] = (struct mbuf *)(p - TX_PLAIN);
	}
	if (likely(plains))
		mempool_put_bulk(q->pool, plain, plains);
	return i;
}

void virtio_tx_reclaim(struct virtio_txq *q)
{
	struct virtq *vq = &q->vq;
	unsigned ready;

	if (unlikely(vq->fault))
		return;
	ready = virtq_ready(vq);
	while (ready && likely(!vq->fault)) {
		unsigned n = tx_complete(q, ready < TX_CHUNK ? ready : TX_CHUNK);

		q->completed += n;
		ready -= n;
	}
}

void virtio_tx_drain(struct virtio_txq *q)
{
	struct virtq *vq = &q->vq;

	for (uint32_t i = 0; i < virtq_size(vq); i++) {
		uintptr_t p = (uintptr_t)vq->buf[i];

		if (!p)
			continue;
		vq->buf[i] = NULL;
		mbuf_free((struct mbuf *)(p & ~(uintptr_t)TX_PLAIN));
		q->lost++;
	}
}

static always_inline void tx_desc_set(struct virtio_txq *q, uint16_t id, uint64_t addr,
				      uint32_t len, uint16_t flags, uint16_t next)
{
	q->vq.desc[id] = (struct virtq_desc){addr, len, flags, next};
}

// Whether the header can stand in front of the data: the buffer is ours alone, and has room.
static always_inline bool tx_owns_header(const struct mbuf *m)
{
	// mbuf.h: the headroom follows struct mbuf; mbuf.buf would cost its cold line.
	return m->refcnt == 1 &&
	       m->data - (const uint8_t *)(m + 1) >= (ptrdiff_t)VIRTIO_NET_HDR_LEN;
}

static always_inline bool tx_plain(const struct virtio_txq *q, const struct mbuf *m)
{
	return m->nsegs == 1 && m->pool == q->pool && m->len && tx_owns_header(m);
}

// The header of zeros in front of the data; returns where the device shall begin.
static always_inline uint64_t tx_header(struct mbuf *m)
{
	uint8_t *h = m->data - VIRTIO_NET_HDR_LEN;

	memset(h, 0, VIRTIO_NET_HDR_LEN);
	return plat_iova(h);
}

static always_inline void tx_publish_slot(struct virtio_txq *q, uint16_t id, uintptr_t packet)
{
	struct virtq *vq = &q->vq;

	vq->buf[id] = (struct mbuf *)packet;
	virtq_set_slot(vq, vq->avail_idx, id);
	vq->avail_idx++;
}

static always_inline void tx_put_plain(struct virtio_txq *q, struct mbuf *m)
{
	uint16_t id = tx_desc_take(q);

	tx_desc_set(q, id, tx_header(m), m->len + VIRTIO_NET_HDR_LEN, 0, 0);
	tx_publish_slot(q, id, (uintptr_t)m | TX_PLAIN);
}

// Descriptors that a packet needs: one for every segment that is not empty (devices refuse buffers
// of no bytes), and one for a header that cannot stand in the first. 0: it can never be sent.
static unsigned tx_need(const struct virtio_txq *q, const struct mbuf *m)
{
	unsigned need = !(tx_owns_header(m) && m->len);

	if (!m->pkt_len)
		return 0;
	for (const struct mbuf *s = m; s; s = s->next)
		need += s->len != 0;
	return need > virtq_size(&q->vq) ? 0 : need;
}

// The address and length of descriptor i of a packet; *s is the segment to go on with.
static uint32_t tx_piece(struct virtio_txq *q, struct mbuf *m, unsigned i, struct mbuf **s,
			 uint64_t *addr)
{
	bool owns = tx_owns_header(m) && m->len;
	struct mbuf *seg = *s;

	if (i == 0 && !owns) {
		*addr = plat_iova(q->vq.zeros);
		return VIRTIO_NET_HDR_LEN;
	}
	while (!seg->len)
		seg = seg->next;
	*s = seg->next;
	*addr = i == 0 ? tx_header(seg) : mbuf_iova(seg);
	return seg->len + (i == 0 ? VIRTIO_NET_HDR_LEN : 0);
}

static void tx_put_chain(struct virtio_txq *q, struct mbuf *m, unsigned need)
{
	uint16_t first = tx_desc_take(q), id = first;
	struct mbuf *s = m;

	for (unsigned i = 0; i < need; i++) {
		uint16_t next = i + 1 < need ? tx_desc_take(q) : TX_END;
		uint64_t addr;
		uint32_t len = tx_piece(q, m, i, &s, &addr);

		tx_desc_set(q, id, addr, len, next == TX_END ? 0 : VIRTQ_DESC_F_NEXT, next);
		q->next[id] = next;
		id = next;
	}
	tx_publish_slot(q, first, (uintptr_t)m);
}

uint16_t virtio_tx_burst(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct virtio_txq *q = queue;
	struct virtq *vq = &q->vq;
	uint16_t before = vq->avail_idx, sent;
	uint64_t bytes = 0;

	if (tx_room(q) < virtq_size(vq) / 2 || tx_room(q) < n)
		virtio_tx_reclaim(q);
	if (unlikely(vq->fault))
		return 0;
	for (sent = 0; sent < n; sent++) {
		struct mbuf *m = pkts[sent];
		unsigned need = 1;

		if (likely(tx_plain(q, m))) {
			if (unlikely(!tx_room(q)))
				break;
			mempool_own(&m, 1, "virtio-tx");
			bytes += m->len;
			tx_put_plain(q, m);
			continue;
		}
		need = tx_need(q, m);
		if (need > tx_room(q))
			break;
		if (!need) {
			q->refused++;
			mbuf_free(m);
			continue;
		}
		mempool_own(&m, 1, "virtio-tx");
		bytes += m->pkt_len;
		tx_put_chain(q, m, need);
	}
	if (likely(vq->avail_idx != before)) {
		q->packets += (uint16_t)(vq->avail_idx - before);
		q->bytes += bytes;
		virtq_publish(vq);
	}
	return sent;
}
