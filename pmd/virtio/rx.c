// SPDX-License-Identifier: BSD-3-Clause
// rx.c - receive: start, growth and end of a queue, and what is rare while packets flow
//
// A posted buffer is one descriptor: [virtio_net_hdr 12][frame], the header in the last bytes of
// the headroom, so that every frame begins at the same, cache-aligned place (virtio 1.2, 5.1.6.3).
// With the header aligned instead, both would share a line here, but a back end that copies 64-byte
// frames was half as fast.
#include "pmd/virtio/rx_burst.h"

#define RX_FIRST 64u // buffers posted at the start, and more at every step of growth

uint32_t virtio_rx_posted(const struct mempool *pool)
{
	return mempool_room(pool) + VIRTIO_NET_HDR_LEN;
}

uint16_t virtio_rx_burst(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct virtio_rxq *q = queue;

	return q->burst(q, pkts, n);
}

// The doorbell, if one is wanted, is left to virtq_settle(): a back end that has just started may
// not have said yet that it polls.
static void fill_quietly(struct virtio_rxq *q)
{
	if (!rx_fill(q, q->vq.packed))
		return;
	if (!q->vq.packed)
		virtq_split_publish(&q->vq);
	q->vq.unsettled = true;
}

void virtio_rx_grow(struct virtio_rxq *q)
{
	if (q->target == virtq_size(&q->vq) || q->vq.fault)
		return;
	rx_more(q, RX_FIRST);
	fill_quietly(q);
}

static port_burst_fn choose(const struct virtio_rxq *q)
{
	bool header = q->merge || q->offloads;

	if (q->vq.packed)
		return header ? virtio_rx_packed : virtio_rx_packed_bare;
	return header ? virtio_rx_split : virtio_rx_split_bare;
}

void virtio_rx_start(struct virtio_rxq *q)
{
	struct virtq *vq = &q->vq;
	uint32_t quarter = virtq_size(vq) / 4;

	q->burst = choose(q);
	q->skip = 0;
	q->refill = (uint16_t)(quarter < RX_REFILL ? quarter : RX_REFILL);
	if (!q->refill)
		q->refill = 1;
	q->target = (uint16_t)(virtq_size(vq) < RX_FIRST ? virtq_size(vq) : RX_FIRST);
	for (uint32_t i = 0; i < virtq_size(vq) && !vq->packed; i++) {
		vq->desc[i].len = q->posted;
		vq->desc[i].flags = VIRTQ_DESC_F_WRITE;
	}
	fill_quietly(q);
}

void virtio_rx_drain(struct virtio_rxq *q)
{
	struct virtq *vq = &q->vq;

	for (uint32_t i = 0; i < virtq_size(vq); i++) {
		if (vq->buf[i])
			mempool_put_bulk(q->pool, &vq->buf[i], 1);
		vq->buf[i] = NULL;
	}
}

// 2.7.9, 2.8.9: with IN_ORDER one element stands for a batch; its id is that of the last buffer,
// and the others have been filled whole. Ids are then places of the ring.
static void skip(struct virtio_rxq *q, uint16_t idx, struct virtq_used_elem e, unsigned ready)
{
	struct virtq *vq = &q->vq;
	uint16_t ahead = (uint16_t)((e.id - idx) & vq->mask);

	if (ahead >= ready) {
		virtq_set_fault(vq, VIRTQ_BAD_ORDER);
	} else if (e.len > q->posted) {
		virtq_set_fault(vq, VIRTQ_LONG);
	} else {
		q->skip = (uint16_t)(ahead + 1);
		q->skip_len = e.len;
	}
}

bool virtio_rx_other(struct virtio_rxq *q, uint16_t idx, struct virtq_used_elem e, unsigned ready)
{
	struct virtq *vq = &q->vq;

	if (!virtq_claim(vq, e.id))
		return false;
	if (vq->in_order) {
		skip(q, idx, e, ready);
		return false;
	}
	if (vq->packed)
		vq->slot[idx & vq->mask] = (uint16_t)e.id;
	else
		virtq_split_set_slot(vq, idx, (uint16_t)e.id);
	return true;
}

void virtio_rx_reject(struct virtio_rxq *q, uint32_t id)
{
	if (virtq_claim(&q->vq, id))
		virtq_set_fault(&q->vq, VIRTQ_LONG);
}

unsigned virtio_rx_skipped(struct virtio_rxq *q, struct mbuf **seg, uint32_t *len, unsigned n)
{
	struct virtq *vq = &q->vq;
	unsigned i;

	for (i = 0; i < n && q->skip; i++, vq->used_idx++) {
		uint16_t at = vq->used_idx & vq->mask;

		seg[i] = vq->buf[at];
		vq->buf[at] = NULL;
		len[i] = --q->skip ? q->posted : q->skip_len;
	}
	return i;
}

// The first buffer of a packet; its header says how many there are.
static enum virtq_fault first_buffer(struct virtio_rxq *q, struct rx_merge *merge, struct mbuf *m,
				     uint32_t len, unsigned more)
{
	const struct virtio_net_hdr *h = (const void *)rx_header(m);
	unsigned buffers = q->merge ? __atomic_load_n(&h->num_buffers, __ATOMIC_RELAXED) : 1;

	if (len < VIRTIO_NET_HDR_LEN)
		return VIRTQ_SHORT;
	// A device has used all buffers of a packet before it says so, and can have no more of them
	// than a packet may have segments.
	if (buffers == 0 || buffers - 1 > more || buffers > MBUF_SEGS_MAX)
		return VIRTQ_BAD_MERGE;
	rx_plain(m, len, mbuf_origin(q->port));
	*merge = (struct rx_merge){m, m, buffers - 1};
	return VIRTQ_SOUND;
}

// The next one, filled from where the header would be.
static enum virtq_fault next_buffer(struct rx_merge *merge, struct mbuf *m, uint32_t len)
{
	if (!len)
		return VIRTQ_SHORT;
	m->data = rx_header(m);
	m->len = (uint16_t)len;
	merge->last->next = m;
	merge->last = m;
	merge->first->nsegs++;
	merge->first->pkt_len += len;
	merge->left--;
	return VIRTQ_SOUND;
}

enum virtq_fault virtio_rx_odd(struct virtio_rxq *q, struct rx_merge *merge, struct mbuf **m,
			       uint32_t len, unsigned more)
{
	enum virtq_fault fault =
		merge->left ? next_buffer(merge, *m, len) : first_buffer(q, merge, *m, len, more);

	*m = NULL;
	if (fault || merge->left)
		return fault;
	if (merge->first->len < ETHER_HDR)
		q->runts++;
	else if (q->offloads && virtio_hdr_rx(rx_header(merge->first), merge->first))
		q->bad_headers++;
	else
		*m = merge->first;
	if (!*m)
		mbuf_free(merge->first);
	return VIRTQ_SOUND;
}

void virtio_rx_give_up(struct virtio_rxq *q, struct rx_merge *merge, struct mbuf **seg, unsigned n)
{
	if (n)
		mempool_put_bulk(q->pool, seg, n);
	q->lost += n;
	if (!merge->left)
		return;
	mbuf_free(merge->first);
	merge->left = 0;
	q->lost++;
}
