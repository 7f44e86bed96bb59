// SPDX-License-Identifier: BSD-3-Clause
// icmp.h - ICMP (RFC 792, 1191), and how a node reports a packet that it drops
#ifndef WEIR_NETSTACK_ICMP_H
#define WEIR_NETSTACK_ICMP_H

#include <assert.h>
#include <stdint.h>

#include "core/graph.h"
#include "mempool/mempool.h"

#define ICMP_HLEN 8u

#define ICMP_ECHO_REPLY	 0
#define ICMP_UNREACHABLE 3
#define ICMP_REDIRECT	 5
#define ICMP_ECHO	 8
#define ICMP_EXCEEDED	 11
#define ICMP_PARAMETER	 12

// Codes of ICMP_UNREACHABLE.
#define ICMP_NET	 0
#define ICMP_HOST	 1
#define ICMP_PROTOCOL	 2
#define ICMP_PORT	 3
#define ICMP_FRAG_NEEDED 4
#define ICMP_PROHIBITED  13 // by the administrator (RFC 1812, 5.2.7.1)

#define ICMP_REDIRECT_HOST 1 // of ICMP_REDIRECT; no other is sent (RFC 1812, 5.2.7.2)

// Codes of ICMP_EXCEEDED.
#define ICMP_TTL	0
#define ICMP_REASSEMBLY 1

struct icmp_hdr { // network byte order
	uint8_t type;
	uint8_t code;
	uint16_t csum;
	uint32_t word; // ICMP_FRAG_NEEDED: MTU of the next hop; ICMP_PARAMETER: pointer << 24;
		       // ICMP_REDIRECT: the better hop
} __attribute__((packed));
static_assert(sizeof(struct icmp_hdr) == ICMP_HLEN, "wire format");

// The datagram that reports an error is at most this long (RFC 1812, 4.3.2.3).
#define ICMP_ERROR_MAX 576u

struct icmp_report {	 // in mbuf.scratch of a report on its way to node icmp-error
	uint32_t source; // network order: the source address; 0: that of the port it leaves by
	uint32_t word;	 // network order: the second word of the message, where mtu is 0
	uint16_t mtu;	 // host order
	uint8_t type, code;
};

// Called by a node that drops m: makes the report (a copy of m's beginning from a fresh mbuf) and
// emits it by `edge`, which leads to icmp-error. Makes none where RFC 1122, 3.2.2 and RFC
// 1812, 4.3.2.7 forbid it (about ICMP errors, later fragments, link-layer broadcasts), nor when the
// pool is empty. m stays the caller's; its IPv4 header (m->l3) has passed ip4-input.
void icmp_report(struct node *node, uint8_t edge, struct mempool *pool, const struct mbuf *m,
		 struct icmp_report what);

#endif
