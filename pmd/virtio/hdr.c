// SPDX-License-Identifier: BSD-3-Clause
// hdr.c - what a virtio_net_hdr says of a packet, checked against the packet
//
// A partial checksum or a long packet of TCP or UDP keeps its state in the mbuf, for whoever sends
// it. A partial checksum of anything else (a tunnel's inner header, say) is completed here at once.
// The type of segmentation must agree with the headers of the frame: those who cut it go by the
// frame.
#include "pmd/virtio/hdr.h"

#include <errno.h>
#include <string.h>

#include "pmd/offload.h"

#define TCP_FLAGS 13u // of the TCP header
#define TCP_CWR	  0x80u
#define SCTP_CSUM 8u // csum_offset of SCTP alone: a CRC (RFC 9260, 6.8), which no summing completes

// CWR of the TCP header at l4 asks for the ECN bit (5.1.6.2).
static bool has_cwr(const struct mbuf *m)
{
	return m->data[m->l4 + TCP_FLAGS] & TCP_CWR;
}

static int rx_csum(const struct virtio_net_hdr *h, struct mbuf *m, const struct offload_place *p)
{
	uint32_t at = (uint32_t)h->csum_start + h->csum_offset;

	if (at + 2 > m->pkt_len)
		return -EBADMSG;
	if (p && h->csum_start == p->l4 && h->csum_offset == offload_csum_offset(p->proto)) {
		m->l3 = p->l3;
		m->l4 = p->l4;
		m->flags |= MBUF_RX_L4_OK | MBUF_TX_L4_CSUM;
		return 0;
	}
	if (h->csum_offset == SCTP_CSUM)
		return -EBADMSG;
	offload_csum_fill(m, h->csum_start, at);
	return 0;
}

static bool type_agrees(uint8_t type, const struct offload_place *p)
{
	switch (type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN:
		return p->proto == OFFLOAD_TCP && !p->ip6;
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN:
		return p->proto == OFFLOAD_TCP && p->ip6;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return p->proto == OFFLOAD_UDP;
	default:
		return false;
	}
}

// A long packet whose checksum was verified over the whole: made partial, as its segments need it.
static void make_partial(struct mbuf *m, const struct offload_place *p)
{
	uint16_t sum = offload_pseudo(m, p, p->ip_end - p->l4);

	memcpy(m->data + p->l4 + offload_csum_offset(p->proto), &sum, sizeof(sum));
	m->l3 = p->l3;
	m->l4 = p->l4;
	m->flags |= MBUF_RX_L4_OK | MBUF_TX_L4_CSUM;
}

static int rx_gso(const struct virtio_net_hdr *h, struct mbuf *m, const struct offload_place *p)
{
	uint32_t payload;

	// Trailing bytes would become data of the last segment.
	if (!p || !type_agrees(h->gso_type, p) || !h->gso_size || p->ip_end != m->pkt_len)
		return -EBADMSG;
	payload = p->ip_end - p->l4 - p->l4_len;
	if (payload / h->gso_size >= OFFLOAD_PIECES_MAX)
		return -EBADMSG;
	if (!(m->flags & MBUF_TX_L4_CSUM)) {
		if (!(h->flags & VIRTIO_NET_HDR_F_DATA_VALID))
			return -EBADMSG; // 5.1.6.4.1: NEEDS_CSUM comes with it
		make_partial(m, p);
	}
	if (payload <= h->gso_size)
		return 0; // one segment: nothing to cut
	m->mss = h->gso_size;
	m->flags |= p->proto == OFFLOAD_TCP ? MBUF_TSO : MBUF_USO;
	return 0;
}

int virtio_hdr_rx_more(uint32_t first, const void *shared, struct mbuf *m)
{
	struct offload_place place;
	const struct offload_place *p = offload_find(m, &place) ? NULL : &place;
	struct virtio_net_hdr h;
	int r = 0;

	memcpy(&h, shared, sizeof(h)); // the only reading of the rest
	__asm__("" : : "r"(&h) : "memory");
	memcpy(&h, &first, sizeof(first));
	if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		r = rx_csum(&h, m, p);
	else if (h.flags & VIRTIO_NET_HDR_F_DATA_VALID)
		m->flags |= MBUF_RX_L4_OK;
	if (!r && h.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		r = rx_gso(&h, m, p);
	return r;
}

static uint8_t gso_type(const struct mbuf *m)
{
	if (m->flags & MBUF_USO)
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	return (uint8_t)((offload_is_ip6(m) ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4) |
			 (has_cwr(m) ? VIRTIO_NET_HDR_GSO_ECN : 0));
}

void virtio_hdr_tx_more(struct virtio_net_hdr *h, const struct mbuf *m)
{
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = m->l4;
	h->csum_offset = offload_csum_offset(offload_proto(m));
	if (!(m->flags & (MBUF_TSO | MBUF_USO)))
		return;
	h->gso_type = gso_type(m);
	h->gso_size = m->mss;
	h->hdr_len = (uint16_t)(offload_piece_bytes(m) - m->mss);
}
