// SPDX-License-Identifier: BSD-3-Clause
// rx.c - AF_PACKET receive: copies frames out of the blocks or slots that the kernel has filled
#include <string.h>

#include "pmd/offload.h"
#include "pmd/packet/packet.h"
#include "pmd/virtio/hdr.h"

#define ETHER_HDR   14u
#define ETHER_ADDRS 12u
#define VLAN_TAG    4u
#define TPID_VLAN   0x8100u
#define CSUM_FLAGS  (MBUF_RX_L4_OK | MBUF_TX_L4_CSUM)

struct frame { // what either ring says of one
	const uint8_t *data;
	uint32_t status, captured, len;
	uint16_t tci, tpid;
};

static struct tpacket2_hdr *slot(const struct packet_queue *q)
{
	return (void *)(q->ring + (size_t)q->at * q->block_len + (size_t)q->slot * q->slot_len);
}

static struct tpacket_hdr_v1 *block(const struct packet_queue *q)
{
	void *b = q->ring + (size_t)q->at * q->block_len;

	return &((struct tpacket_block_desc *)b)->hdr.bh1;
}

bool packet_waiting(const struct packet_queue *q)
{
	if (q->slot_len)
		return __atomic_load_n(&slot(q)->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
	// Acquire, also above: pairs with the kernel's barrier before it hands over.
	return q->left ||
	       __atomic_load_n(&block(q)->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

// Begins the next block that has frames.
static bool next_block(struct packet_queue *q)
{
	struct tpacket_hdr_v1 *b = block(q);

	if (!packet_waiting(q))
		return false;
	q->left = b->num_pkts;
	q->next = (void *)(q->ring + (size_t)q->at * q->block_len + b->offset_to_first_pkt);
	return true;
}

static void release_block(struct packet_queue *q)
{
	// Release: all was read before the kernel may write again.
	__atomic_store_n(&block(q)->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	q->at = q->at + 1 < q->blocks ? q->at + 1 : 0;
}

// Past the frame just read; the block goes back with its last.
static always_inline void advance(struct packet_queue *q)
{
	if (--q->left)
		q->next = (const void *)((const uint8_t *)q->next + q->next->tp_next_offset);
	else
		release_block(q);
}

// The kernel keeps the outer tag apart: a frame as it was on the wire. There is room for a tag in
// front.
static __attribute__((noinline)) void restore_tag(struct mbuf *m, const struct frame *f)
{
	uint16_t tpid = f->status & TP_STATUS_VLAN_TPID_VALID ? f->tpid : TPID_VLAN;
	uint16_t tci = f->tci;
	uint8_t *p = mbuf_prepend(m, VLAN_TAG);

	memmove(p, p + VLAN_TAG, ETHER_ADDRS);
	p[12] = (uint8_t)(tpid >> 8);
	p[13] = (uint8_t)tpid;
	p[14] = (uint8_t)(tci >> 8);
	p[15] = (uint8_t)tci;
}

static __attribute__((noinline)) struct mbuf *copy_chain(struct packet_queue *q,
							 const uint8_t *from, uint32_t len)
{
	struct mbuf *m = mbuf_from_bytes(q->pool, from, len);

	if (m)
		m->origin = mbuf_origin(q->port);
	return m;
}

static always_inline struct mbuf *copy(struct packet_queue *q, const uint8_t *from, uint32_t len)
{
	struct mbuf *m;

	if (unlikely(len > mempool_room(q->pool)))
		return copy_chain(q, from, len);
	if (unlikely(mempool_get_bulk(q->pool, &m, 1)))
		return NULL;
	m->data = mbuf_buf(m) + MBUF_HEADROOM;
	m->len = (uint16_t)len;
	m->pkt_len = len;
	m->origin = mbuf_origin(q->port);
	memcpy(m->data, from, len);
	return m;
}

// The header as it is for the frame with its tag back.
static int read_header(struct packet_queue *q, struct mbuf *m, const uint8_t *at, bool tagged)
{
	struct virtio_net_hdr h = {0};

	memcpy(&h, at, PACKET_HDR);
	if (tagged && h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		h.csum_start = (uint16_t)(h.csum_start + VLAN_TAG);
	if (m->pkt_len < ETHER_HDR || virtio_hdr_rx(&h, m)) {
		q->rx_bad_header++;
		return -1;
	}
	return 0;
}

// What the header said and nobody asked for: a checksum is completed here. A packet of many
// segments is too long for all that follows; it is the host's to cut (`ethtool -K IFACE gro off`;
// the peer's `tso off`).
static int finish_unasked(struct packet_queue *q, struct mbuf *m)
{
	if (m->flags & (MBUF_TSO | MBUF_USO) && !(q->offloads & PORT_RX_LRO)) {
		q->rx_not_asked++;
		return -1;
	}
	if (q->offloads & PORT_RX_CSUM)
		return 0;
	if (m->flags & MBUF_TX_L4_CSUM)
		offload_csum_fill(m, m->l4, m->l4 + offload_csum_offset(offload_proto(m)));
	m->flags &= ~CSUM_FLAGS;
	return 0;
}

// Everything but a plain frame. 0, or -1: dropped and counted.
static __attribute__((noinline)) int refine(struct packet_queue *q, struct mbuf *m,
					    const struct frame *f)
{
	bool tagged = f->status & TP_STATUS_VLAN_VALID && m->len >= ETHER_ADDRS;

	if (tagged)
		restore_tag(m, f);
	if (!read_header(q, m, f->data - PACKET_HDR, tagged) && !finish_unasked(q, m))
		return 0;
	mbuf_free(m);
	return -1;
}

static always_inline bool plain(const struct frame *f)
{
	const uint8_t *hdr = f->data - PACKET_HDR;

	return !(f->status & TP_STATUS_VLAN_VALID) && !(hdr[0] | hdr[1]);
}

// 1: *m is the packet. 0: dropped and counted. -1: no buffer, the frame waits in the ring.
static always_inline int accept_frame(struct packet_queue *q, const struct frame *f,
				      struct mbuf **m)
{
	if (unlikely(f->captured < f->len)) {
		q->rx_too_long++;
		return 0;
	}
	*m = copy(q, f->data, f->captured);
	if (unlikely(!*m)) {
		q->rx_nombuf++;
		return -1;
	}
	if (unlikely(!plain(f)) && refine(q, *m, f))
		return 0;
	q->rx_packets++;
	q->rx_bytes += (*m)->pkt_len;
	return 1;
}

uint16_t packet_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct packet_queue *q = queue;
	uint16_t got = 0;

	if (unlikely(!q->ring))
		return 0;
	while (got < n && (q->left || next_block(q))) {
		const struct tpacket3_hdr *h = q->next;
		int took;

		if (unlikely(!q->left)) { // a block that timed out with nothing in it
			release_block(q);
			continue;
		}
		const struct frame f = {
			.data = (const uint8_t *)h + h->tp_mac,
			.status = h->tp_status,
			.captured = h->tp_snaplen,
			.len = h->tp_len,
			.tci = (uint16_t)h->hv1.tp_vlan_tci,
			.tpid = h->hv1.tp_vlan_tpid,
		};

		took = accept_frame(q, &f, &pkts[got]);
		if (unlikely(took < 0))
			break;
		got = (uint16_t)(got + took);
		advance(q);
	}
	return got;
}

static always_inline void next_slot(struct packet_queue *q)
{
	if (likely(++q->slot < q->slots))
		return;
	q->slot = 0;
	q->at = q->at + 1 < q->blocks ? q->at + 1 : 0;
}

uint16_t packet_rx_immediate(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct packet_queue *q = queue;
	uint16_t got = 0;

	if (unlikely(!q->ring))
		return 0;
	while (got < n) {
		struct tpacket2_hdr *h = slot(q);
		// Acquire: pairs with the kernel's barrier before it hands the slot over.
		uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
		int took;

		if (!(status & TP_STATUS_USER))
			break;
		const struct frame f = {
			.data = (const uint8_t *)h + h->tp_mac,
			.status = status,
			.captured = h->tp_snaplen,
			.len = h->tp_len,
			.tci = h->tp_vlan_tci,
			.tpid = h->tp_vlan_tpid,
		};

		took = accept_frame(q, &f, &pkts[got]);
		if (unlikely(took < 0))
			break;
		got = (uint16_t)(got + took);
		// Release: all was read before the kernel may write again.
		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		next_slot(q);
	}
	return got;
}
