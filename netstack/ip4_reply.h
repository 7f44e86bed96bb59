// SPDX-License-Identifier: BSD-3-Clause
// ip4_reply.h - a packet to the router turned round, where it stands, into its answer
#ifndef WEIR_NETSTACK_IP4_REPLY_H
#define WEIR_NETSTACK_IP4_REPLY_H

#include "mempool/mbuf.h"
#include "netstack/ip4.h"

// Addresses swapped, TTL fresh, options gone (the header moves up to m->l4, and m->l3 with it),
// length that of the packet, checksum left to ip4-output; nothing is left to do for a port,
// whatever the packet came in with. Identification and DF stay the asker's: a pair of addresses
// sees them once in each direction.
static inline struct ip4_hdr *ip4_reply(struct mbuf *m)
{
	const struct ip4_hdr in = *mbuf_at(m, const struct ip4_hdr *, m->l3);
	struct ip4_hdr *ip;

	m->l3 = (uint16_t)(m->l4 - IP4_HLEN);
	m->flags &= ~(MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO);
	ip = mbuf_at(m, struct ip4_hdr *, m->l3);
	*ip = in;
	ip->ver_ihl = 0x45;
	ip->len = be16(m->pkt_len - m->l3);
	ip->ttl = IP4_TTL;
	ip->src = in.dst;
	ip->dst = in.src;
	return ip;
}

#endif
