// SPDX-License-Identifier: BSD-3-Clause
// tcp.h - the TCP header (RFC 9293, 3.1) and the answer of a closed port
#ifndef WEIR_NETSTACK_TCP_H
#define WEIR_NETSTACK_TCP_H

#include <assert.h>
#include <stdint.h>

#include "mempool/mbuf.h"

#define TCP_HLEN 20u

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct tcp_hdr { // network byte order
	uint16_t sport;
	uint16_t dport;
	uint32_t seq;
	uint32_t ack;
	uint8_t off; // header length in 32-bit words << 4
	uint8_t flags;
	uint16_t window;
	uint16_t csum;
	uint16_t urgent;
} __attribute__((packed));
static_assert(sizeof(struct tcp_hdr) == TCP_HLEN, "wire format");

// Turns a segment (its IPv4 or IPv6 header at m->l3, its own at m->l4, both in the first buffer, len
// bytes of TCP in all) into the reset that a closed port answers (RFC 9293, 3.5.2 and 3.10.7.1), without
// IP options or extension headers. The segment is not itself a reset. The IPv4 checksum is left to
// ip4-output.
void tcp_reset(struct mbuf *m, uint32_t len);

#endif
