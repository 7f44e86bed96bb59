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

struct tx_back {	   // what a reclaim has taken off the ring
	uint16_t used_idx; // as vq.used_idx
	uint16_t tail;	   // as q->tail
	unsigned plains;
	uint64_t completed;
	struct mbuf *plain[TX_CHUNK]; // on their way to the pool
};

// Frees the packet of id, which is not plain, and its ids.
void virtio_tx_free_chain(struct virtio_txq *q, struct tx_back *b, uint16_t id);

static always_inline void tx_flush(struct virtio_txq *q, struct tx_back *b)
{
	if (likely(b->plains))
		mempool_put_bulk(q->pool, b->plain, b->plains);
	b->plains = 0;
}

// Packet id, which is outstanding, has been sent.
static always_inline void tx_done(struct virtio_txq *q, struct tx_back *b, uint16_t id)
{
	uintptr_t p = (uintptr_t)q->vq.buf[id];

	b->completed++;
	if (unlikely(!(p & TX_PLAIN))) {
		virtio_tx_free_chain(q, b, id);
		return;
	}
	q->vq.buf[id] = NULL;
	b->used_idx++;
	b->tail++;
	b->plain[b->plains++] = (struct mbuf *)(p - TX_PLAIN);
	if (unlikely(b->plains == TX_CHUNK))
		tx_flush(q, b);
}

// The id in the next used element, of which a split ring has `ready`; false: there is none.
static always_inline bool tx_look(const struct virtq *vq, const struct tx_back *b, unsigned ready,
				  uint32_t *id, bool packed)
{
	uint64_t word;

	if (!packed) {
		if (ready)
			*id = virtq_split_used(vq, b->used_idx).id;
		return ready;
	}
	if (b->used_idx == vq->avail_idx)
		return false;
	word = virtq_packed_load(vq, b->used_idx);
	*id = virtq_packed_id(word);
	return virtq_packed_is_used(vq, b->used_idx, word);
}

// Takes used elements (split: `ready` of them) until there are no more, or a fault. The id sent
// first of those that are out is the one to expect, before the device's word for it has arrived.
static always_inline void tx_reclaim_any(struct virtio_txq *q, struct tx_back *b, unsigned ready,
					 bool packed)
{
	struct virtq *vq = &q->vq;
	uint32_t id;

	while (tx_look(vq, b, ready, &id, packed)) {
		uint16_t *next = &q->ring[b->tail & vq->mask];

		if (likely(id == *next) && likely(vq->buf[*next])) {
			tx_done(q, b, *next);
		} else {
			if (!virtq_claim(vq, id))
				break;
			*next = (uint16_t)id;
			tx_done(q, b, (uint16_t)id);
		}
		ready--;
	}
}

// The same in order: batches, whose first element alone is read.
static always_inline void tx_reclaim_in_order(struct virtio_txq *q, struct tx_back *b,
					      unsigned ready, bool packed)
{
	struct virtq *vq = &q->vq;
	uint32_t named;

	while (tx_look(vq, b, ready, &named, packed)) {
		bool found = false;

		if (unlikely(!virtq_claim(vq, named)))
			break;
		// A packed batch ends with the packet named, which is outstanding; a split one
		// where the used index says.
		while (packed ? !found : ready) {
			uint16_t id = b->tail & vq->mask;

			found |= id == named;
			tx_done(q, b, id);
			ready--;
		}
		if (unlikely(!found)) {
			virtq_set_fault(vq, VIRTQ_BAD_ORDER);
			break;
		}
	}
}

static always_inline void tx_reclaim(struct virtio_txq *q, bool packed, bool in_order)
{
	struct virtq *vq = &q->vq;
	struct tx_back b;
	unsigned ready;

	if (unlikely(vq->fault))
		return;
	ready = packed ? 0 : virtq_split_ready(vq);
	b.used_idx = vq->used_idx;
	b.tail = q->tail;
	b.plains = 0;
	b.completed = 0;
	if (in_order)
		tx_reclaim_in_order(q, &b, ready, packed);
	else
		tx_reclaim_any(q, &b, ready, packed);
	tx_flush(q, &b);
	vq->used_idx = b.used_idx;
	q->tail = b.tail;
	q->completed += b.completed;
}

#endif
