// SPDX-License-Identifier: BSD-3-Clause
// tcp_reset.c - the reset with which a closed port answers a segment
#include "netstack/csum.h"
#include "netstack/ip4.h"
#include "netstack/ip4_reply.h"
#include "netstack/ip6_reply.h"
#include "netstack/tcp.h"

// SEG.LEN: data, and one each for SYN and FIN (RFC 9293, 3.4).
static uint32_t segment_length(const struct tcp_hdr *tcp, uint32_t len)
{
	return len - (tcp->off >> 4) * 4u + !!(tcp->flags & TCP_SYN) + !!(tcp->flags & TCP_FIN);
}

// A reset is a datagram of our own, and atomic (RFC 6864, 4.1); it is not ECN-capable (RFC
// 3168, 6.1.1). Gives the sum of its pseudo header.
static uint64_t turn4(struct mbuf *m)
{
	struct ip4_hdr *ip = ip4_reply(m);

	ip->id = 0;
	ip->frag = be16(IP4_DF);
	ip->tos &= 0xfc;
	return csum_pseudo(ip, TCP_HLEN);
}

static uint64_t turn6(struct mbuf *m)
{
	struct ip6_hdr *ip = ip6_reply(m, IP6_PROTO_TCP);

	ip->vtf &= be32(~IP6_ECN);
	return csum_pseudo6(ip, IP6_PROTO_TCP, TCP_HLEN);
}

void tcp_reset(struct mbuf *m, uint32_t len)
{
	const struct tcp_hdr in = *mbuf_at(m, const struct tcp_hdr *, m->l4);
	struct tcp_hdr *out = mbuf_at(m, struct tcp_hdr *, m->l4);
	uint64_t sum;

	*out = (struct tcp_hdr){
		.sport = in.dport,
		.dport = in.sport,
		.off = TCP_HLEN / 4 << 4,
		.flags = TCP_RST,
	};
	if (in.flags & TCP_ACK) {
		out->seq = in.ack;
	} else {
		out->ack = be32(be32(in.seq) + segment_length(&in, len));
		out->flags = TCP_RST | TCP_ACK;
	}
	mbuf_trim(m, m->l4 + TCP_HLEN);
	sum = m->data[m->l3] >> 4 == 6 ? turn6(m) : turn4(m);
	out->csum = (uint16_t)~csum_fold(csum_add(sum, out, TCP_HLEN));
}
