// SPDX-License-Identifier: BSD-3-Clause
// rx.c - receive: take used buffers, check what the device says of them, post fresh ones
//
// A posted buffer is one descriptor: [virtio_net_hdr 12][frame], the header in the last bytes of
// the headroom, so that every frame begins at the same, cache-aligned place (virtio 1.2, 5.1.6.3).
// With the header aligned instead, both would share a line here, but a back end that copies 64-byte
// frames was half as fast.
#include "pmd/virtio/rx.h"

#define RX_CHUNK  64u // used elements looked at together, so that their cache misses overlap
#define RX_REFILL 32u
#define RX_FIRST   64u // buffers posted at the start, and more at every step of growth
#define ETHER_HDR 14u

// mbuf.h: the headroom follows struct mbuf. Reading mbuf.buf instead would cost its cold line.
static always_inline uint8_t *rx_data(struct mbuf *m)
{
	return (uint8_t *)(m + 1) + MBUF_HEADROOM;
}

static always_inline uint8_t *rx_header(struct mbuf *m)
{
	return rx_data(m) - VIRTIO_NET_HDR_LEN;
}

uint32_t virtio_rx_posted(const struct mempool *pool)
{
	return mempool_room(pool) + VIRTIO_NET_HDR_LEN;
}

static void rx_post(struct virtio_rxq *q, struct mbuf *const *m, unsigned n)
{
	struct virtq *vq = &q->vq;

	mempool_own(m, n, "virtio-rx");
	for (unsigned i = 0; i < n; i++) {
		uint16_t id = vq->slot[vq->avail_idx & vq->mask];

		vq->desc[id].addr = plat_iova(rx_header(m[i]));
		vq->buf[id] = m[i];
		vq->avail_idx++;
	}
}

// Posts a batch at a time; fewer when the pool has no more. Returns whether any.
static bool rx_fill(struct virtio_rxq *q)
{
	struct virtq *vq = &q->vq;
	uint32_t room = q->target - virtq_outstanding(vq);
	uint16_t before = vq->avail_idx;
	struct mbuf *m[RX_REFILL];
	unsigned batch = q->refill;

	while (room >= batch) {
		if (unlikely(mempool_get_bulk(q->pool, m, batch))) {
			q->nombuf += batch == q->refill;
			batch /= 2; // the pool may still have a few, and a starved queue needs one
			if (!batch)
				break;
			continue;
		}
		rx_post(q, m, batch);
		room -= batch;
	}
	return vq->avail_idx != before;
}

void virtio_rx_refill(struct virtio_rxq *q)
{
	if (rx_fill(q))
		virtq_publish(&q->vq);
}

// The doorbell, if one is wanted, is left to virtq_settle(): a back end that has just started may not have
// said yet that it polls.
static void publish_quietly(struct virtq *vq)
{
	// Release: pairs with the device's acquire, once it is started.
	__atomic_store_n(&vq->avail->idx, vq->avail_idx, __ATOMIC_RELEASE);
	vq->unsettled = true;
}

static void grow(struct virtio_rxq *q, uint32_t more)
{
	uint32_t size = virtq_size(&q->vq);

	q->target = (uint16_t)(q->target + more < size ? q->target + more : size);
}

void virtio_rx_grow(struct virtio_rxq *q)
{
	if (q->target == virtq_size(&q->vq))
		return;
	grow(q, RX_FIRST);
	if (rx_fill(q))
		publish_quietly(&q->vq);
}

void virtio_rx_start(struct virtio_rxq *q)
{
	struct virtq *vq = &q->vq;
	uint32_t quarter = virtq_size(vq) / 4;

	q->refill = (uint16_t)(quarter < RX_REFILL ? quarter : RX_REFILL);
	if (!q->refill)
		q->refill = 1;
	q->target = (uint16_t)(virtq_size(vq) < RX_FIRST ? virtq_size(vq) : RX_FIRST);
	for (uint32_t i = 0; i < virtq_size(vq); i++) {
		vq->desc[i].len = q->posted;
		vq->desc[i].flags = VIRTQ_DESC_F_WRITE;
	}
	rx_fill(q);
	publish_quietly(vq);
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

// Takes up to n used buffers off the ring, starting their cache misses. Fewer, and a fault, when
// the device names one that it was not given, or fills it with more than it holds.
static always_inline unsigned rx_take(struct virtio_rxq *q, struct mbuf **seg, uint32_t *len,
				      unsigned n)
{
	struct virtq *vq = &q->vq;

	for (unsigned i = 0; i < n; i++) {
		struct virtq_used_elem e = virtq_used_at(vq, vq->used_idx);

		if (unlikely(e.id > vq->mask)) {
			virtq_set_fault(vq, VIRTQ_BAD_ID);
			return i;
		}
		if (unlikely(!vq->buf[e.id])) {
			virtq_set_fault(vq, VIRTQ_IDLE_ID);
			return i;
		}
		if (unlikely(e.len > q->posted)) {
			virtq_set_fault(vq, VIRTQ_LONG);
			return i;
		}
		seg[i] = vq->buf[e.id];
		len[i] = e.len;
		vq->buf[e.id] = NULL;
		virtq_set_slot(vq, vq->used_idx, (uint16_t)e.id);
		vq->used_idx++;
		__builtin_prefetch(seg[i], 1);
		__builtin_prefetch(rx_header(seg[i])); // the frame itself: whoever reads it
	}
	return n;
}

struct rx_merge { // a packet whose buffers are still coming
	struct mbuf *first, *last;
	unsigned left;
};

// The first buffer of a packet; its header says how many there are, of which `more` are at hand.
static always_inline enum virtq_fault rx_first(const struct virtio_rxq *q, struct rx_merge *merge,
					       struct mbuf *m, uint32_t len, unsigned more)
{
	const struct virtio_net_hdr *h = (const void *)rx_header(m);
	unsigned buffers = q->merge ? __atomic_load_n(&h->num_buffers, __ATOMIC_RELAXED) : 1;

	if (unlikely(len < VIRTIO_NET_HDR_LEN))
		return VIRTQ_SHORT;
	m->data = rx_data(m);
	m->pkt_len = len - VIRTIO_NET_HDR_LEN;
	m->len = (uint16_t)(len - VIRTIO_NET_HDR_LEN);
	m->port = q->port;
	m->flags = 0;
	if (likely(buffers == 1))
		return VIRTQ_SOUND;
	// A device has used all buffers of a packet before it says so, and can have no more of them
	// than a packet may have segments.
	if (buffers == 0 || buffers - 1 > more || buffers > MBUF_SEGS_MAX)
		return VIRTQ_BAD_MERGE;
	*merge = (struct rx_merge){m, m, buffers - 1};
	return VIRTQ_SOUND;
}

// The next buffer of a packet, filled from where the header would be.
static enum virtq_fault rx_next(struct rx_merge *merge, struct mbuf *m, uint32_t len)
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

// After a fault: what was taken off the ring and did not become a packet goes back to the pool.
static void rx_give_up(struct virtio_rxq *q, struct rx_merge *merge, struct mbuf **seg, unsigned n)
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

// Makes packets of n used buffers behind which `rest` more wait; returns how many packets.
static always_inline unsigned rx_parse(struct virtio_rxq *q, struct rx_merge *merge,
				       struct mbuf **seg, const uint32_t *len, unsigned n,
				       unsigned rest, struct mbuf **pkts)
{
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = seg[i];
		enum virtq_fault fault;

		if (likely(!merge->left)) {
			fault = rx_first(q, merge, m, len[i], n - i - 1 + rest);
		} else {
			m = merge->first;
			fault = rx_next(merge, seg[i], len[i]);
		}
		if (unlikely(fault)) {
			virtq_set_fault(&q->vq, fault);
			rx_give_up(q, merge, seg + i, n - i);
			return got;
		}
		if (unlikely(merge->left))
			continue;
		if (unlikely(m->len < ETHER_HDR)) {
			q->runts++;
			mbuf_free(m);
			continue;
		}
		q->bytes += m->pkt_len;
		pkts[got++] = m;
	}
	return got;
}

uint16_t virtio_rx_burst(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct virtio_rxq *q = queue;
	struct rx_merge merge = {0};
	struct mbuf *seg[RX_CHUNK];
	uint32_t len[RX_CHUNK];
	unsigned ready, got = 0;

	if (unlikely(q->vq.fault))
		return 0;
	ready = virtq_ready(&q->vq);
	if (unlikely(2 * ready >= q->target && q->target < virtq_size(&q->vq)))
		grow(q, q->target);
	// A buffer makes one packet at most, so a chunk of n - got cannot overrun pkts; and when a
	// packet is left unfinished by a chunk, got < n and its other buffers are among the ready
	// ones.
	while (ready && got < n && likely(!q->vq.fault)) {
		unsigned want = ready < n - got ? ready : n - got;
		unsigned taken = rx_take(q, seg, len, want < RX_CHUNK ? want : RX_CHUNK);

		ready -= taken;
		got += rx_parse(q, &merge, seg, len, taken, ready, pkts + got);
	}
	if (unlikely(q->vq.fault))
		rx_give_up(q, &merge, NULL, 0);
	else
		virtio_rx_refill(q);
	q->packets += got;
	return (uint16_t)got;
}
