// SPDX-License-Identifier: BSD-3-Clause
// tx_ring.h - transmit, what comes back: free packets that the device has used, in both layouts
//
// `packed` and `in_order` are constants wherever these are called in a burst.
//
// IN_ORDER (2.7.9, 2.8.9): packets come back as they were sent, so ids are counted off and the used
// elements of a batch are not read but for the first, which must name a packet of that batch.
#ifndef WEIR_PMD_VIRTIO_TX_RING_H
#define WEIR_PMD_VIRTIO_TX_RING_H

#include "pmd/virtio/packed.h"
#include "pmd/virtio/split.h"
#include "pmd/virtio/tx.h"

#define TX_END	 0xffffu // no descriptor: a queue has at most 32768
#define TX_CHUNK 64u

// In vq.buf[]: the packet is a single segment of q->pool that nobody else owns, in one descriptor;
// it goes back to the pool unread. (mbufs are cache-aligned: the low bits of a pointer are free.)
#define TX_PLAIN 1u

struct tx_plains { // packets on their way to the pool
	unsigned n;
	struct mbuf *m[TX_CHUNK];
};

// Frees the packet of id, which is not plain, and its ids; returns how many elements of the ring
// (avail slots, or descriptors) it took.
uint16_t virtio_tx_free_chain(struct virtio_txq *q, uint16_t id);

static always_inline void tx_id_give(struct virtio_txq *q, uint16_t id, bool in_order)
{
	if (!in_order)
		q->ring[q->tail & q->vq.mask] = id;
	q->tail++;
}

static always_inline void tx_flush(struct virtio_txq *q, struct tx_plains *plains)
{
	if (likely(plains->n))
		mempool_put_bulk(q->pool, plains->m, plains->n);
	plains->n = 0;
}

// Packet id, which is outstanding, has been sent.
static always_inline void tx_done(struct virtio_txq *q, uint16_t id, struct tx_plains *plains,
				  bool in_order)
{
	struct virtq *vq = &q->vq;
	uintptr_t p = (uintptr_t)vq->buf[id];

	q->completed++;
	if (unlikely(!(p & TX_PLAIN))) {
		vq->used_idx = (uint16_t)(vq->used_idx + virtio_tx_free_chain(q, id));
		return;
	}
	vq->buf[id] = NULL;
	vq->used_idx++;
	tx_id_give(q, id, in_order);
	plains->m[plains->n++] = (struct mbuf *)(p - TX_PLAIN);
}

// The id in the next used element, of which a split ring has `ready`; false: there is none.
static always_inline bool tx_next_used(const struct virtq *vq, unsigned ready, uint32_t *id,
				       bool packed)
{
	if (packed) {
		uint64_t word = virtq_packed_load(vq, vq->used_idx);

		*id = virtq_packed_id(word);
		return virtq_outstanding(vq) && virtq_packed_is_used(vq, vq->used_idx, word);
	}
	if (ready)
		*id = virtq_split_used(vq, vq->used_idx).id;
	return ready;
}

// Takes used elements (split: `ready` of them) until there are no more, or a fault.
static always_inline void tx_reclaim_any(struct virtio_txq *q, unsigned ready, bool packed)
{
	struct virtq *vq = &q->vq;
	struct tx_plains plains = {.n = 0};
	uint32_t id;

	while (tx_next_used(vq, ready, &id, packed)) {
		if (unlikely(!virtq_claim(vq, id)))
			break;
		tx_done(q, (uint16_t)id, &plains, false);
		ready--;
		if (plains.n == TX_CHUNK)
			tx_flush(q, &plains);
	}
	tx_flush(q, &plains);
}

// The same in order: batches, whose first element alone is read.
static always_inline void tx_reclaim_in_order(struct virtio_txq *q, unsigned ready, bool packed)
{
	struct virtq *vq = &q->vq;
	struct tx_plains plains = {.n = 0};
	uint32_t named;

	while (tx_next_used(vq, ready, &named, packed)) {
		bool found = false;

		if (unlikely(!virtq_claim(vq, named)))
			break;
		// A packed batch ends with the packet named, which is outstanding; a split one
		// where the used index says.
		while (packed ? !found : ready) {
			uint16_t id = q->tail & vq->mask;

			found |= id == named;
			tx_done(q, id, &plains, true);
			ready--;
			if (plains.n == TX_CHUNK)
				tx_flush(q, &plains);
		}
		if (unlikely(!found)) {
			virtq_set_fault(vq, VIRTQ_BAD_ORDER);
			break;
		}
	}
	tx_flush(q, &plains);
}

static always_inline void tx_reclaim(struct virtio_txq *q, bool packed, bool in_order)
{
	unsigned ready;

	if (unlikely(q->vq.fault))
		return;
	ready = packed ? 0 : virtq_split_ready(&q->vq);
	if (in_order)
		tx_reclaim_in_order(q, ready, packed);
	else
		tx_reclaim_any(q, ready, packed);
}

#endif
