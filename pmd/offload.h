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

// Where the checksum stands in the header of `proto`.
static inline uint16_t offload_csum_offset(uint8_t proto)
{
	return proto == OFFLOAD_TCP ? OFFLOAD_TCP_CSUM : OFFLOAD_UDP_CSUM;
}

// Completes a partial checksum of any protocol that uses the Internet checksum: sums from `start`
// to the end of the packet, what stands in the field (the pseudo header's sum) included, and stores
// the complement at `at`; 0 becomes 0xffff, which means the same and which UDP does not take for
// "none". start, at + 2 <= pkt_len, and m is the caller's alone. Over any segments.
void offload_csum_fill(struct mbuf *m, uint32_t start, uint32_t at);

// The sum of TCP's and UDP's pseudo header (RFC 9293, 3.1; RFC 8200, 8.1) for len bytes of header
// and data, not complemented: what a partial checksum has in its field.
uint16_t offload_pseudo(const struct mbuf *m, const struct offload_place *p, uint32_t len);

#endif
