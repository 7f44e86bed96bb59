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

// The buffer *m of a packet that has more than one, or is short, or has a header that says
// something; `more` others are at hand at most. *m is then the packet that it ends, NULL when it
// ends none.
enum virtq_fault virtio_rx_odd(struct virtio_rxq *q, struct rx_merge *merge, struct mbuf **m,
			       uint32_t len, unsigned more);

// After a fault: what was taken off the ring and did not become a packet goes back to the pool.
void virtio_rx_give_up(struct virtio_rxq *q, struct rx_merge *merge, struct mbuf **seg, unsigned n);

// A buffer as a packet of its own, len bytes with the header.
static always_inline void rx_plain(struct mbuf *m, uint32_t len, uint64_t origin)
{
	len -= VIRTIO_NET_HDR_LEN;
	m->data = rx_data(m);
	m->pkt_len = len;
	m->len = (uint16_t)len;
	m->origin = origin;
}

// Makes packets of n used buffers behind which at most `rest` more wait; returns how many packets.
static always_inline unsigned rx_parse(struct virtio_rxq *q, struct rx_merge *merge,
				       struct mbuf **seg, const uint32_t *len, unsigned n,
				       unsigned rest, struct mbuf **pkts, bool header)
{
	// What a header must not say, and what it may, for its packet to be plain; hdr.h has the
	// rest.
	uint32_t offloads = q->offloads ? 0xffffu & ~VIRTIO_NET_HDR_F_DATA_VALID : 0;
	uint32_t valid = q->offloads ? VIRTIO_NET_HDR_F_DATA_VALID : 0;
	uint32_t merging = q->merge ? 0xffff : 0;
	uint64_t origin = mbuf_origin(q->port), bytes = 0;
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = seg[i];
		uint32_t odd = merge->left, flags = 0;

		if (header) {
			const struct virtio_net_hdr *h = (const void *)rx_header(m);
			const uint32_t *first = (const void *)h;
			uint16_t buffers = __atomic_load_n(&h->num_buffers, __ATOMIC_RELAXED);

			flags = __atomic_load_n(first, __ATOMIC_RELAXED);
			odd |= (flags & offloads) | ((buffers ^ 1u) & merging);
			flags &= valid;
		}
		if (unlikely(odd || len[i] < VIRTIO_NET_HDR_LEN + ETHER_HDR)) {
			struct mbuf *whole = m; // so that m itself stays in a register
			enum virtq_fault fault =
				virtio_rx_odd(q, merge, &whole, len[i], n - i - 1 + rest);

			if (unlikely(fault)) {
				virtq_set_fault(&q->vq, fault);
				virtio_rx_give_up(q, merge, seg + i, n - i);
				break;
			}
			if (!whole)
				continue;
			m = whole;
			bytes += m->pkt_len;
		} else {
			rx_plain(m, len[i], origin | (uint64_t)flags << 32);
			bytes += len[i] - VIRTIO_NET_HDR_LEN;
		}
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
		// The ring's end and a skip cut a chunk short too.
		if (unlikely(q->vq.fault) || (!taken && !q->skip))
			break;
	}
	if (header && unlikely(merge.left) && !q->vq.fault)
		virtq_set_fault(&q->vq, VIRTQ_BAD_MERGE); // 5.1.6.4.2: used together
	if (unlikely(q->vq.fault))
		virtio_rx_give_up(q, &merge, NULL, 0);
	else
		rx_refill(q, packed);
	if (unlikely(!got))
		virtio_rx_grow(q); // nobody waits for it
	q->packets += got;
	return (uint16_t)got;
}

#endif
