// SPDX-License-Identifier: BSD-3-Clause
// tx_burst.h - transmit: describe packets where they lie, for both layouts
//
// A packet is [virtio_net_hdr 12][frame] (virtio 1.2, 5.1.6.2). With VERSION_1 the header need not
// have a descriptor of its own, so a packet of one segment is one descriptor: the header is written
// into its headroom. A buffer that others own too, or one without room in front, gets a second
// descriptor naming a header among vq.headers.
#ifndef WEIR_PMD_VIRTIO_TX_BURST_H
#define WEIR_PMD_VIRTIO_TX_BURST_H

#include <string.h>

#include "core/plat.h"
#include "pmd/virtio/hdr.h"
#include "pmd/virtio/tx_ring.h"

#define TX_AHEAD 16u

struct tx_cursor {	// what a burst has put into the ring and not yet published
	uint16_t idx;	// as vq.avail_idx
	uint16_t head;	// as q->head
	uint16_t room;	// free descriptors
	uint16_t begin; // idx when the burst began
	uint64_t word;	// packed: of descriptor `begin`, to be written after all others
};

uint16_t virtio_tx_split(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t virtio_tx_split_in_order(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t virtio_tx_packed(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t virtio_tx_packed_in_order(void *queue, struct mbuf **pkts, uint16_t n);
void virtio_tx_split_reclaim(struct virtio_txq *q);
void virtio_tx_split_reclaim_in_order(struct virtio_txq *q);
void virtio_tx_packed_reclaim(struct virtio_txq *q);
void virtio_tx_packed_reclaim_in_order(struct virtio_txq *q);

// Descriptors that a packet needs: one for every segment that is not empty (devices refuse buffers
// of no bytes), and one for a header that cannot stand in the first. 0: it can never be sent.
unsigned virtio_tx_need(const struct virtio_txq *q, const struct mbuf *m);

// Puts a packet of `need` descriptors, for which there is room.
void virtio_tx_put_chain(struct virtio_txq *q, struct tx_cursor *c, struct mbuf *m, unsigned need);

// Whether the header can stand in front of the data: the buffer is ours alone, and has room.
static always_inline bool tx_owns_header(const struct mbuf *m)
{
	// mbuf.h: the headroom follows struct mbuf; mbuf.buf would cost its cold line.
	return m->refcnt == 1 &&
	       m->data - (const uint8_t *)(m + 1) >= (ptrdiff_t)VIRTIO_NET_HDR_LEN;
}

static always_inline bool tx_plain(const struct virtio_txq *q, const struct mbuf *m)
{
	return m->nsegs == 1 && m->pool == q->pool && m->len && tx_owns_header(m) &&
	       !(m->flags & VIRTIO_HDR_TX);
}

// The header of zeros in front of the data; returns where the device shall begin. A buffer that was
// sent before has it still, and a cache line not written is one that the device need not fetch.
static always_inline uint64_t tx_plain_header(struct mbuf *m)
{
	uint8_t *h = m->data - VIRTIO_NET_HDR_LEN;
	uint64_t head;
	uint32_t tail;

	memcpy(&head, h, sizeof(head));
	memcpy(&tail, h + sizeof(head), sizeof(tail));
	if (head | tail)
		memset(h, 0, VIRTIO_NET_HDR_LEN);
	return plat_iova(h);
}

static always_inline void tx_prefetch(const struct mbuf *m)
{
	__builtin_prefetch(m->data - VIRTIO_NET_HDR_LEN);
}

static always_inline uint16_t tx_id_take(const struct virtio_txq *q, struct tx_cursor *c,
					 bool in_order)
{
	uint16_t at = c->head++ & q->vq.mask;

	return in_order ? at : q->ring[at];
}

// Writes descriptor idx of a packed ring; the first one of a burst makes all others visible, so its
// word waits for virtio_tx_publish().
static always_inline void tx_packed_put(const struct virtq *vq, struct tx_cursor *c, uint16_t idx,
					uint64_t addr, uint64_t word)
{
	if (idx == c->begin) {
		vq->ring[idx & vq->mask].addr = addr;
		c->word = word;
	} else {
		virtq_packed_store(vq, idx, addr, word);
	}
}

static always_inline void tx_put_plain(struct virtio_txq *q, struct tx_cursor *c, struct mbuf *m,
				       bool packed, bool in_order)
{
	struct virtq *vq = &q->vq;
	uint16_t id = tx_id_take(q, c, in_order);
	uint32_t len = m->len + VIRTIO_NET_HDR_LEN;
	uint64_t addr = tx_plain_header(m);

	vq->buf[id] = (struct mbuf *)((uintptr_t)m | TX_PLAIN);
	if (packed) {
		uint64_t word = virtq_packed_word(len, id, virtq_packed_avail_flags(vq, c->idx));

		tx_packed_put(vq, c, c->idx, addr, word);
	} else {
		vq->desc[id] = (struct virtq_desc){.addr = addr, .len = len};
		virtq_split_set_slot(vq, c->idx, id);
	}
	c->idx++;
	c->room--;
}

static always_inline struct tx_cursor tx_begin(const struct virtio_txq *q, bool packed)
{
	const struct virtq *vq = &q->vq;

	return (struct tx_cursor){
		.idx = vq->avail_idx,
		.begin = vq->avail_idx,
		.head = q->head,
		.room = (uint16_t)(packed ? virtq_size(vq) - virtq_outstanding(vq)
					  : (uint16_t)(q->tail - q->head)),
	};
}

static always_inline void tx_publish(struct virtio_txq *q, const struct tx_cursor *c, bool packed)
{
	struct virtq *vq = &q->vq;

	q->head = c->head;
	vq->avail_idx = c->idx;
	if (packed) // Release: the descriptors that it makes visible come first.
		__atomic_store_n(&vq->ring[c->begin & vq->mask].word, c->word, __ATOMIC_RELEASE);
	else
		virtq_split_publish(vq);
	virtq_kick(vq, packed ? virtq_packed_wants_doorbell(vq) : virtq_split_wants_doorbell(vq));
}

static always_inline uint16_t tx_burst(struct virtio_txq *q, struct mbuf **pkts, uint16_t n,
				       bool packed, bool in_order)
{
	struct tx_cursor c = tx_begin(q, packed);
	uint64_t bytes = 0, packets = 0;
	uint16_t sent;

	if (c.room < virtq_size(&q->vq) / 2 || c.room < n) {
		tx_reclaim(q, packed, in_order);
		c = tx_begin(q, packed);
	}
	if (unlikely(q->vq.fault))
		return 0;
	for (unsigned i = 0; i < n && i < TX_AHEAD; i++)
		tx_prefetch(pkts[i]);
	for (sent = 0; sent < n; sent++) {
		struct mbuf *m = pkts[sent];
		struct tx_cursor copy;
		unsigned need;

		if (sent + TX_AHEAD < n)
			tx_prefetch(pkts[sent + TX_AHEAD]);
		if (likely(tx_plain(q, m))) {
			if (unlikely(!c.room))
				break;
			mempool_own(&m, 1, "virtio-tx");
			bytes += m->len;
			packets++;
			tx_put_plain(q, &c, m, packed, in_order);
			continue;
		}
		need = virtio_tx_need(q, m);
		if (need > c.room)
			break;
		if (!need) {
			q->refused++;
			mbuf_free(m);
			continue;
		}
		mempool_own(&m, 1, "virtio-tx");
		bytes += m->pkt_len;
		packets++;
		copy = c; // so that c itself stays in registers
		virtio_tx_put_chain(q, &copy, m, need);
		c = copy;
	}
	if (likely(packets)) {
		q->packets += packets;
		q->bytes += bytes;
		tx_publish(q, &c, packed);
	}
	return sent;
}

#endif
