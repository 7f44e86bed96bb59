// SPDX-License-Identifier: BSD-3-Clause
// hdr.h - struct virtio_net_hdr to and from an mbuf's flags (virtio 1.2, 5.1.6.2 and 5.1.6.4)
//
// For every port whose frames have this header in front: virtio queues, TAP (IFF_VNET_HDR),
// AF_PACKET (PACKET_VNET_HDR). Where the receiver took no offload the header says nothing: such a
// port does not call virtio_hdr_rx(), and one that was granted none to send by writes zeros.
#ifndef WEIR_PMD_VIRTIO_HDR_H
#define WEIR_PMD_VIRTIO_HDR_H

#include "pmd/virtio/spec.h"

#include "mempool/mbuf.h"

// 5.1.6: flags and gso_type.
#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1u
#define VIRTIO_NET_HDR_F_DATA_VALID 2u
#define VIRTIO_NET_HDR_GSO_NONE	    0u
#define VIRTIO_NET_HDR_GSO_TCPV4    1u
#define VIRTIO_NET_HDR_GSO_UDP	    3u // cuts datagrams into IP fragments: never negotiated
#define VIRTIO_NET_HDR_GSO_TCPV6    4u
#define VIRTIO_NET_HDR_GSO_UDP_L4   5u
#define VIRTIO_NET_HDR_GSO_ECN	    0x80u // the first segment has CWR set

static_assert(VIRTIO_NET_HDR_F_DATA_VALID == MBUF_RX_L4_OK,
	      "virtio_hdr_rx() takes one for the other");

#define VIRTIO_HDR_TX (MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO)

// The rest of virtio_hdr_rx(); first: the header's first four bytes, as read.
int virtio_hdr_rx_more(uint32_t first, const void *h, struct mbuf *m);

// Takes what header h (anywhere; it may be shared with a liar: every byte is read once) says of the
// received frame m, which is whole, at least an Ethernet header long, its chain complete and its
// flags set. Adds flags, and with them mss, l3 and l4. 0; or -EBADMSG when it says what cannot be
// (a checksum outside the frame, a segment size of 0, headers other than the type's): the caller
// drops that packet, for the reason "rx-bad-header"; the others are none the worse.
static always_inline int virtio_hdr_rx(const void *h, struct mbuf *m)
{
	uint32_t first;

	__builtin_memcpy(&first, h, sizeof(first)); // h may lie at any address: see once()
	__asm__("" : "+r"(first)); // not read again, whatever the compiler thinks of it
	if (unlikely(first & 0xffff & ~VIRTIO_NET_HDR_F_DATA_VALID))
		return virtio_hdr_rx_more(first, h, m);
	m->flags |= first & VIRTIO_NET_HDR_F_DATA_VALID;
	return 0;
}

// Writes the header of m, which has flags of VIRTIO_HDR_TX, for a port that was granted what they
// ask.
void virtio_hdr_tx_more(struct virtio_net_hdr *h, const struct mbuf *m);

// Writes all of a header in front of m. m->l3 and m->l4, and with MBUF_TSO and MBUF_USO m->mss, are
// valid where flags ask for something; headers are in the first segment.
static always_inline void virtio_hdr_tx(struct virtio_net_hdr *h, const struct mbuf *m)
{
	__builtin_memset(h, 0, sizeof(*h));
	if (unlikely(m->flags & VIRTIO_HDR_TX))
		virtio_hdr_tx_more(h, m);
}

#endif
