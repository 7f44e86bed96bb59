// SPDX-License-Identifier: BSD-3-Clause
// fuzz_virtio_hdr.c - any virtio_net_hdr before any frame: what is taken can be relied on, and said
// again
//
// Input: 12 bytes of header, one that cuts the frame into segments, one of offset, the frame. What
// virtio_hdr_rx() accepts has fields within the frame; cut in software it gives pieces that are
// well formed and hold all of the payload; said by virtio_hdr_tx() and read again it is the same.
#include <errno.h>

#include "pmd/offload.h"
#include "pmd/virtio/hdr.h"
#include "tests/fuzz/virtio_port.h"

#define STATE (MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO)
#define MOST  8000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A packet of the bytes, whose segments are of first, then MBUF_DATAROOM bytes at the most.
static struct mbuf *packet(const uint8_t *bytes, uint32_t len, uint32_t first)
{
	struct mbuf *head, *tail;

	if (first > len)
		first = len;
	head = mbuf_from_bytes(fuzz_pool(), bytes, first);
	tail = first < len ? mbuf_from_bytes(fuzz_pool(), bytes + first, len - first) : NULL;
	if (tail) {
		struct mbuf *last = head;

		while (last->next)
			last = last->next;
		last->next = tail;
		head->nsegs = (uint8_t)(head->nsegs + tail->nsegs);
		head->pkt_len += tail->pkt_len;
	}
	return head;
}

static void check_fields(const struct mbuf *m)
{
	require(!(m->flags & ~STATE), "no flags but those of a header");
	if (m->flags & (MBUF_TSO | MBUF_USO)) {
		require(m->mss > 0, "a segment size");
		require(m->flags & MBUF_TX_L4_CSUM, "a checksum for each piece");
		require(!(m->flags & MBUF_TSO) != !(m->flags & MBUF_USO), "TCP or UDP");
		require(offload_piece_bytes(m) < m->pkt_len, "something to cut");
	}
	if (m->flags & MBUF_TX_L4_CSUM) {
		require(m->l3 >= 14 && m->l4 > m->l3, "headers in their order");
		require(offload_csum_at(m) + 2 <= m->len, "a checksum in the first segment");
	}
}

static void check_said_again(const struct mbuf *m)
{
	struct virtio_net_hdr h;
	struct mbuf *copy = mbuf_from_bytes(fuzz_pool(), m->data, m->len);
	const uint32_t keep = MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO;

	virtio_hdr_tx(&h, m);
	if (m->nsegs == 1) {
		require(virtio_hdr_rx(&h, copy) == 0, "what was said is taken again");
		require((copy->flags & keep) == (m->flags & keep), "and is the same");
		if (m->flags & (MBUF_TSO | MBUF_USO))
			require(copy->mss == m->mss, "with the same size of segments");
		if (m->flags & MBUF_TX_L4_CSUM)
			require(copy->l3 == m->l3 && copy->l4 == m->l4, "in the same place");
	}
	mbuf_free(copy);
}

static void check_cutting(const struct mbuf *m)
{
	struct offload_cut cut;
	struct mbuf *piece;
	uint32_t payload = 0, headers;

	require(offload_cut_begin(&cut, m, m->mss, false) == 0, "what has to be cut can be");
	headers = offload_headers(&cut.place);
	while ((piece = offload_cut_next(&cut))) {
		require(mbuf_check(piece) == 0, "a piece is well formed");
		require(piece->pkt_len <= headers + m->mss, "and not too long");
		payload += piece->pkt_len - headers;
		mbuf_free(piece);
	}
	require(!cut.left, "no piece is missing");
	require(payload == cut.place.ip_end - headers, "pieces hold all that there was");
}

static void complete(struct mbuf *m)
{
	if (m->flags & (MBUF_TSO | MBUF_USO))
		check_cutting(m);
	else if (m->flags & MBUF_TX_L4_CSUM)
		offload_csum(m);
	require(mbuf_check(m) == 0, "it stays well formed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mbuf *m;
	int r;

	fuzz_pool();
	if (size < VIRTIO_NET_HDR_LEN + 2 + 14 || size > MOST)
		return 0;
	m = packet(data + VIRTIO_NET_HDR_LEN + 1, (uint32_t)(size - VIRTIO_NET_HDR_LEN - 1),
		   14 + 2u * data[VIRTIO_NET_HDR_LEN]);
	require(m != NULL, "there are buffers");
	r = virtio_hdr_rx(data, m);
	require(r == 0 || r == -EBADMSG, "taken, or refused");
	require(mbuf_check(m) == 0, "a packet stays well formed");
	if (!r) {
		check_fields(m);
		check_said_again(m);
		complete(m);
	}
	mbuf_free(m);
	fuzz_all_home();
	return 0;
}
