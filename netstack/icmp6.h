// SPDX-License-Identifier: BSD-3-Clause
// icmp6.h - ICMPv6 (RFC 4443), and how a node reports a packet that it drops
#ifndef WEIR_NETSTACK_ICMP6_H
#define WEIR_NETSTACK_ICMP6_H

#include <assert.h>
#include <stdint.h>

#include "core/graph.h"
#include "mempool/mempool.h"
#include "netstack/csum.h"
#include "netstack/ip6.h"

#define ICMP6_HLEN 8u

// Types. Below ICMP6_INFORMATIONAL they are errors.
#define ICMP6_UNREACHABLE   1
#define ICMP6_TOO_BIG	    2
#define ICMP6_EXCEEDED	    3
#define ICMP6_PARAMETER	    4
#define ICMP6_INFORMATIONAL 128
#define ICMP6_ECHO	    128
#define ICMP6_ECHO_REPLY    129
#define ICMP6_MLD_QUERY	    130 // RFC 2710, RFC 3810
#define ICMP6_MLD_REPORT    131 // version 1
#define ICMP6_MLD_DONE	    132
#define ICMP6_RS	    133 // RFC 4861
#define ICMP6_RA	    134
#define ICMP6_NS	    135
#define ICMP6_NA	    136
#define ICMP6_REDIRECT	    137
#define ICMP6_MLD2_REPORT   143 // RFC 3810

// Codes of ICMP6_UNREACHABLE.
#define ICMP6_NO_ROUTE	     0
#define ICMP6_PROHIBITED     1
#define ICMP6_BEYOND_SCOPE   2
#define ICMP6_ADDRESS	     3
#define ICMP6_PORT	     4
#define ICMP6_POLICY	     5 // source address failed ingress/egress policy
#define ICMP6_REJECTED_ROUTE 6

// Codes of ICMP6_EXCEEDED.
#define ICMP6_HOP_LIMIT	 0
#define ICMP6_REASSEMBLY 1

// Codes of ICMP6_PARAMETER.
#define ICMP6_BAD_HEADER     0
#define ICMP6_UNKNOWN_NEXT   1
#define ICMP6_UNKNOWN_OPTION 2

struct icmp6_hdr { // network byte order
	uint8_t type;
	uint8_t code;
	uint16_t csum;
	uint32_t param; // MTU, or pointer, or identifier and sequence number
} __attribute__((packed));
static_assert(sizeof(struct icmp6_hdr) == ICMP6_HLEN, "wire format");

struct icmp6_report {	// in mbuf.scratch of a report on its way to node icmp6-error
	uint32_t param; // host order: MTU of ICMP6_TOO_BIG, pointer of ICMP6_PARAMETER
	uint8_t type, code;
};

// Called by a node that drops m: makes the report (a copy of as much of m as 1,280 bytes hold, from a
// fresh mbuf) and emits it by `edge`, which leads to icmp6-error. Makes none where RFC 4443, 2.4(e)
// forbids it (about ICMPv6 errors and redirects, from no single node, to a group but packet too big and
// unknown options), about later fragments but packet too big and parameter problems, nor when the pool
// is empty. m stays the caller's; its IPv6 header (m->l3) has passed ip6-input, and m->port says where
// it came in.
void icmp6_report(struct node *node, uint8_t edge, struct mempool *pool, const struct mbuf *m,
		  struct icmp6_report what);

// The checksum of an ICMPv6 message of len bytes at m->l4 whose header (m->l3) is complete, with
// the field being 0: as it lies in memory.
static inline uint16_t icmp6_csum(const struct mbuf *m, uint32_t len)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);

	return (uint16_t)~csum_fold(
		csum_add_mbuf(csum_pseudo6(ip, IP6_PROTO_ICMP, len), m, m->l4, len));
}

#endif
