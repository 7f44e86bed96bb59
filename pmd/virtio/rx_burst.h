// SPDX-License-Identifier: BSD-3-Clause
// rx_burst.h - receive: make packets of used buffers, for both layouts
//
// `header` says whether the header before a frame is to be read: with MRG_RXBUF, whose num_buffers
// stands there, or an offload. Without them it tells nothing, and its cache line is left alone.
#ifndef WEIR_PMD_VIRTIO_RX_BURST_H
#define WEIR_PMD_VIRTIO_RX_BURST_H

#include "pmd/virtio/hdr.h"
#include "pmd/virtio/rx_ring.h"

#define ETHER_HDR 14u

uint16_t virtio_rx_split(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t virtio_rx_split_bare(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t virtio_rx_packed(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t virtio_rx_packed_bare(void *queue, struct mbuf **pkts, uint16_t n);

struct rx_merge { // a packet whose buffers are still coming
	struct mbuf *first, *last;
	unsigned left;
};

// The next buffer of a packet, filled from where the header would be.
enum virtq_fault virtio_rx_next(struct rx_merge *merge, struct mbuf *m, uint32_t len);

// After a fault: what was taken off the ring and did not become a packet goes back to the pool.
void virtio_rx_give_up(struct virtio_rxq *q, struct rx_merge *merge, struct mbuf **seg, unsigned n);

// The first buffer of a packet; its header says how many there are, of which at most `more` are at
// hand.
static always_inline enum virtq_fault rx_first(const struct virtio_rxq *q, struct rx_merge *merge,
					       struct mbuf *m, uint32_t len, unsigned more,
					       bool header)
{
	const struct virtio_net_hdr *h = (const void *)rx_header(m);
	unsigned buffers = 1;

	if (header && q->merge)
		buffers = __atomic_load_n(&h->num_buffers, __ATOMIC_RELAXED);
	if (unlikely(len < VIRTIO_NET_HDR_LEN))
		return VIRTQ_SHORT;
	len -= VIRTIO_NET_HDR_LEN;
	m->data = rx_data(m);
	m->pkt_len = len;
	m->len = (uint16_t)len;
	m->origin = mbuf_origin(q->port);
	if (likely(buffers == 1))
		return VIRTQ_SOUND;
	// A device has used all buffers of a packet before it says so, and can have no more of them
	// than a packet may have segments.
	if (buffers == 0 || buffers - 1 > more || buffers > MBUF_SEGS_MAX)
		return VIRTQ_BAD_MERGE;
	*merge = (struct rx_merge){m, m, buffers - 1};
	return VIRTQ_SOUND;
}

// Makes packets of n used buffers behind which at most `rest` more wait; returns how many packets.
static always_inline unsigned rx_parse(struct virtio_rxq *q, struct rx_merge *merge,
				       struct mbuf **seg, const uint32_t *len, unsigned n,
				       unsigned rest, struct mbuf **pkts, bool header)
{
	uint64_t bytes = 0;
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = seg[i];
		enum virtq_fault fault;

		if (likely(!merge->left)) {
			fault = rx_first(q, merge, m, len[i], n - i - 1 + rest, header);
		} else {
			m = merge->first;
			fault = virtio_rx_next(merge, seg[i], len[i]);
		}
		if (unlikely(fault)) {
			virtq_set_fault(&q->vq, fault);
			virtio_rx_give_up(q, merge, seg + i, n - i);
			break;
		}
		if (unlikely(merge->left))
			continue;
		if (unlikely(m->len < ETHER_HDR)) {
			q->runts++;
			mbuf_free(m);
			continue;
		}
		if (header && q->offloads && unlikely(virtio_hdr_rx(rx_header(m), m))) {
			q->bad_headers++;
			mbuf_free(m);
			continue;
		}
		bytes += m->pkt_len;
		pkts[got++] = m;
	}
	q->bytes += bytes;
	return got;
}

static always_inline uint16_t rx_burst(struct virtio_rxq *q, struct mbuf **pkts, uint16_t n,
				       bool packed, bool header)
{
	struct rx_merge merge = {0};
	struct mbuf *seg[RX_CHUNK];
	uint32_t len[RX_CHUNK];
	unsigned ready, got = 0;

	if (unlikely(q->vq.fault))
		return 0;
	ready = packed ? virtq_outstanding(&q->vq) : virtq_split_ready(&q->vq);
	if (unlikely(q->target < virtq_size(&q->vq)) && rx_in_demand(q, ready, packed))
		rx_more(q, q->target);
	// A buffer makes one packet at most, so a chunk of n - got cannot overrun pkts; and when a
	// packet is left unfinished by a chunk, got < n and its other buffers are taken by the
	// next.
	while (ready && got < n) {
		unsigned want = ready < n - got ? ready : n - got;
		unsigned taken = rx_take(q, seg, len, want < RX_CHUNK ? want : RX_CHUNK, ready,
					 packed, header);

		ready -= taken;
		got += rx_parse(q, &merge, seg, len, taken, ready, pkts + got, header);
		if (unlikely(q->vq.fault) || (!taken && !q->skip))
			break;
	}
	if (header && unlikely(merge.left) && !q->vq.fault)
		virtq_set_fault(&q->vq, VIRTQ_BAD_MERGE); // 5.1.6.4.2: used together
	if (unlikely(q->vq.fault))
		virtio_rx_give_up(q, &merge, NULL, 0);
	else
		rx_refill(q, packed);
	q->packets += got;
	return (uint16_t)got;
}

#endif
