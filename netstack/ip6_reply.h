// SPDX-License-Identifier: BSD-3-Clause
// ip6_reply.h - a packet to the router turned round, where it stands, into its answer
#ifndef WEIR_NETSTACK_IP6_REPLY_H
#define WEIR_NETSTACK_IP6_REPLY_H

#include "mempool/mbuf.h"
#include "netstack/ip6.h"

#define IP6_TRAFFIC_CLASS 0x0ff00000u // of ip6_hdr.vtf, host byte order
#define IP6_ECN		  0x00300000u

// Addresses swapped, hop limit fresh, extension headers and flow label gone (the header moves up to
// m->l4, and m->l3 with it), length that of the packet; nothing is left to do for a port, whatever
// the packet came in with. The pseudo header's sum stays what it was, unless the length changed or
// the caller sets another source.
static inline struct ip6_hdr *ip6_reply(struct mbuf *m, uint8_t proto)
{
	const struct ip6_hdr in = *mbuf_at(m, const struct ip6_hdr *, m->l3);
	struct ip6_hdr *ip;

	m->l3 = (uint16_t)(m->l4 - IP6_HLEN);
	m->flags &= ~(MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO | MBUF_BCAST);
	ip = mbuf_at(m, struct ip6_hdr *, m->l3);
	ip->vtf = be32(6u << 28) | (in.vtf & be32(IP6_TRAFFIC_CLASS));
	ip->len = be16(m->pkt_len - m->l4);
	ip->next = proto;
	ip->hops = IP6_HOPS;
	memcpy(ip->src, in.dst, 16);
	memcpy(ip->dst, in.src, 16);
	return ip;
}

#endif
