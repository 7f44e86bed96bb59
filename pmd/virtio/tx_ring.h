// SPDX-License-Identifier: BSD-3-Clause
// tx_ring.h - transmit, what comes back: free packets that the device has used, in both layouts
//
// `packed` and `in_order` are constants wherever these are called in a burst.
//
// IN_ORDER (2.7.9, 2.8.9): packets come back as they were sent, so ids are counted off and the used
// elements of a batch are not read but for the first, which must name a packet of that batch.
#ifndef WEIR_PMD_VIRTIO_TX_RING_H
#define WEIR_PMD_VIRTIO_TX_RING_H

#include "pmd/virtio/block.h"
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

// Packets id to id + 3, which are outstanding, have been sent: takes them if all are plain.
static always_inline bool tx_done_block(struct virtio_txq *q, struct tx_back *b, unsigned id,
					__m256i buf)
{
	const __m256i plain = _mm256_set1_epi64x(TX_PLAIN);

	if (unlikely(!_mm256_testc_si256(buf, plain)))
		return false;
	_mm256_storeu_si256((__m256i *)(void *)(q->vq.buf + id), _mm256_setzero_si256());
	if (unlikely(b->plains > TX_CHUNK - 4))
		tx_flush(q, b);
	_mm256_storeu_si256((__m256i *)(void *)(b->plain + b->plains),
			    _mm256_sub_epi64(buf, plain));
	b->plains += 4;
	if (b->plains == TX_CHUNK)
		tx_flush(q, b);
	b->completed += 4;
	b->used_idx = (uint16_t)(b->used_idx + 4);
	b->tail = (uint16_t)(b->tail + 4);
	return true;
}

// Takes used elements by fours, up to n of them, as long as they come in the order sent.
static always_inline unsigned tx_reclaim_blocks(struct virtio_txq *q, struct tx_back *b, unsigned n,
						bool packed)
{
	struct virtq *vq = &q->vq;
	unsigned done;

	for (done = 0; done + 4 <= n; done += 4) {
		unsigned at = b->used_idx & vq->mask, tail = b->tail & vq->mask;
		const uint16_t *next = q->ring + tail;
		struct virtq_block block;

		if (unlikely(at + 4 > virtq_size(vq) || tail + 4 > virtq_size(vq)) ||
		    unlikely(*next + 4u > virtq_size(vq) || !virtq_block_runs(next, *next)))
			break;
		if (!virtq_block_used(vq, at, *next, virtq_packed_used_flags(vq, b->used_idx),
				      UINT32_MAX, &block, packed) ||
		    !tx_done_block(q, b, *next, block.buf))
			break;
	}
	return done;
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

	ready -= tx_reclaim_blocks(q, b, packed ? virtq_outstanding(vq) : ready, packed);
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

// The next n packets in order have been sent; whether the one named is among them.
static always_inline bool tx_done_run(struct virtio_txq *q, struct tx_back *b, unsigned n,
				      uint32_t named)
{
	struct virtq *vq = &q->vq;
	bool found = false;

	while (n) {
		unsigned id = b->tail & vq->mask;

		if (n >= 4 && likely(id + 4 <= virtq_size(vq)) &&
		    tx_done_block(q, b, id, virtq_block_load(vq->buf + id))) {
			found |= named - id < 4;
			n -= 4;
			continue;
		}
		tx_done(q, b, (uint16_t)id);
		found |= named == id;
		n--;
	}
	return found;
}

// The same in order: batches, whose first element alone is read.
static always_inline void tx_reclaim_in_order(struct virtio_txq *q, struct tx_back *b,
					      unsigned ready, bool packed)
{
	struct virtq *vq = &q->vq;
	uint32_t named;

	if (packed) // a device that does not batch
		tx_reclaim_blocks(q, b, virtq_outstanding(vq), packed);
	while (tx_look(vq, b, ready, &named, packed)) {
		unsigned n;
		bool found;

		if (unlikely(!virtq_claim(vq, named)))
			break;
		// A packed batch ends with the packet named, whose id is its number; a split one
		// where the used index says.
		n = packed ? ((named - b->tail) & vq->mask) + 1 : ready;
		found = tx_done_run(q, b, n, named);
		ready -= n;
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
