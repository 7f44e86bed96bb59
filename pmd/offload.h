// SPDX-License-Identifier: BSD-3-Clause
// offload.h - a network card's work in software: what a port was not granted is done here
//
// The one place under pmd/ that knows protocols, as the card whose work it does would. It reads
// Ethernet with up to two tags (802.1Q, 802.1ad), IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293)
// and UDP (RFC 768). Bytes of a packet are hostile wherever nothing else is said.
#ifndef WEIR_PMD_OFFLOAD_H
#define WEIR_PMD_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "mempool/mbuf.h"

#define OFFLOAD_TCP 6u
#define OFFLOAD_UDP 17u

#define OFFLOAD_TCP_CSUM 16u // offset of the checksum in the header
#define OFFLOAD_UDP_CSUM 6u
#define OFFLOAD_UDP_HLEN 8u

// A packet cut into more pieces than this is refused: 65,535 bytes at the least segment size Linux
// sends (TCP_MIN_SND_MSS, 48) are 1,366.
#define OFFLOAD_PIECES_MAX 2048u

struct offload_place {	 // where the headers of a packet are
	uint16_t l3, l4; // offsets from data
	uint16_t l4_len; // bytes of the TCP (with its options) or UDP header
	uint8_t proto;	 // OFFLOAD_TCP or OFFLOAD_UDP
	bool ip6;
	uint32_t ip_end; // where the IP packet ends, by its own length; at most pkt_len
};

// Finds the TCP or UDP header of a frame. 0, or -EBADMSG when it carries neither, is a fragment, or
// its headers are not whole or not all in the first segment.
int offload_find(const struct mbuf *m, struct offload_place *p);

// The protocol of a packet whose l3 and l4 are valid: OFFLOAD_TCP or another.
uint8_t offload_proto(const struct mbuf *m);

static inline bool offload_is_ip6(const struct mbuf *m)
{
	return m->data[m->l3] >> 4 == 6;
}

// Bytes of the longest frame that m, with MBUF_TSO or MBUF_USO, is to be cut into.
static inline uint32_t offload_piece_bytes(const struct mbuf *m)
{
	uint32_t l4_len = m->flags & MBUF_USO ? OFFLOAD_UDP_HLEN : (m->data[m->l4 + 12] >> 4) * 4u;

	return m->l4 + l4_len + m->mss;
}

// Where the checksum stands in the header of `proto`.
static inline uint16_t offload_csum_offset(uint8_t proto)
{
	return proto == OFFLOAD_TCP ? OFFLOAD_TCP_CSUM : OFFLOAD_UDP_CSUM;
}

// Bytes of the headers in front of the payload.
static inline uint32_t offload_headers(const struct offload_place *p)
{
	return (uint32_t)p->l4 + p->l4_len;
}

// Completes a partial checksum of any protocol that uses the Internet checksum: sums from `start`
// to the end of the packet, what stands in the field (the pseudo header's sum) included, and stores
// the complement at `at`; 0 becomes 0xffff, which means the same and which UDP does not take for
// "none". start, at + 2 <= pkt_len, and m is the caller's alone. Over any segments.
void offload_csum_fill(struct mbuf *m, uint32_t start, uint32_t at);

// The sum of TCP's and UDP's pseudo header (RFC 9293, 3.1; RFC 8200, 8.1) for len bytes of header
// and data, not complemented: what a partial checksum has in its field.
uint16_t offload_pseudo(const struct mbuf *m, const struct offload_place *p, uint32_t len);

// What the checksum of m, which has MBUF_TX_L4_CSUM, comes to, as it lies in memory.
uint16_t offload_csum_value(const struct mbuf *m);

// Where it stands: an offset from data.
static inline uint32_t offload_csum_at(const struct mbuf *m)
{
	return m->l4 + (uint32_t)offload_csum_offset(offload_proto(m));
}

// Completes the checksum of m, which has MBUF_TX_L4_CSUM (so headers in the first segment, l3 and
// l4), is not to be cut, and is the caller's alone; the flag is cleared.
void offload_csum(struct mbuf *m);

// --- cutting: what a card does with MBUF_TSO and MBUF_USO ---
//
//	for (r = offload_cut_begin(&cut, m, m->mss, partial); !r && (piece =
// offload_cut_next(&cut));)
//		...
//	if (cut.left) the pool has no more
//
// Pieces are copies, from m's own pool; m stays as it is, and the caller's. As Linux and its cards
// do it: the IPv4 identification counts up from m's, the TCP sequence number by the bytes before;
// CWR is the first's, FIN and PSH are the last's (RFC 3168, 6.1.2; RFC 9293, 3.1); lengths and
// checksums are each one's own.

struct offload_cut {
	const struct mbuf *m;
	struct offload_place place;
	const struct mbuf *from;  // the segment to go on with,
	uint32_t from_off;	  // and where in it
	uint32_t mss, done, left; // bytes of payload
	uint32_t piece;		  // number of the next
	bool partial;
};

// partial: leave the pieces' checksums partial, for a port that fills them in. 0; -EBADMSG when m
// cannot be cut: no TCP or UDP in headers of the first segment, or over OFFLOAD_PIECES_MAX pieces.
int offload_cut_begin(struct offload_cut *c, const struct mbuf *m, uint32_t mss, bool partial);

// The next piece; NULL when there is none, and when the pool has no buffer, or none large enough
// for the headers: then c->left is not 0. A packet without payload is one piece.
struct mbuf *offload_cut_next(struct offload_cut *c);

#endif
