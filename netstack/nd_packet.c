// SPDX-License-Identifier: BSD-3-Clause
// nd_packet.c - messages of neighbor discovery as they are on the wire (RFC 4861, 4)
#include "netstack/nd_priv.h"

void *nd_begin(struct mbuf *m, uint8_t type, uint16_t len, const uint8_t src[16],
	       const uint8_t dst[16])
{
	struct ip6_hdr *ip = mbuf_append(m, IP6_HLEN);
	uint8_t *msg = mbuf_append(m, len);

	m->l3 = 0;
	m->l4 = IP6_HLEN;
	*ip = (struct ip6_hdr){
		.vtf = be32(6u << 28),
		.next = IP6_PROTO_ICMP,
		.hops = ND_HOPS,
	};
	memcpy(ip->src, src, 16);
	memcpy(ip->dst, dst, 16);
	memset(msg, 0, len);
	msg[0] = type;
	return msg;
}

void nd_finish(struct mbuf *m, const struct iface *iface, const uint8_t mac[6])
{
	struct ip6_hdr *ip = mbuf_at(m, struct ip6_hdr *, m->l3);
	struct icmp6_hdr *icmp = mbuf_at(m, struct icmp6_hdr *, m->l4);
	uint32_t len = m->pkt_len - IP6_HLEN;
	uint8_t group[6];

	ip->len = be16(len);
	icmp->csum = icmp6_csum(m, len);
	if (!mac)
		ip6_group_mac(group, ip->dst);
	iface_put_eth(iface, m, mac ? mac : group, ETH_TYPE_IP6);
}

void nd_put_link(struct mbuf *m, uint8_t option, const uint8_t mac[6])
{
	uint8_t *p = mbuf_append(m, ND_OPT_UNIT);

	p[0] = option;
	p[1] = 1;
	memcpy(p + 2, mac, 6);
}

void nd_put_nonce(struct mbuf *m, uint64_t nonce)
{
	uint8_t *p = mbuf_append(m, ND_OPT_UNIT);

	p[0] = ND_OPT_NONCE;
	p[1] = 1;
	memcpy(p + 2, &nonce, 6);
}

void nd_put_solicitation(struct mbuf *m, const struct iface *iface, const uint8_t src[16],
			 const uint8_t dst[16], const uint8_t mac[6], const uint8_t target[16])
{
	struct nd_msg *msg = nd_begin(m, ICMP6_NS, ND_MSG_LEN, src, dst);

	memcpy(msg->target, target, 16);
	nd_put_link(m, ND_OPT_SOURCE, iface->mac);
	nd_finish(m, iface, mac);
}

void nd_put_advertisement(struct mbuf *m, const struct iface *iface, const uint8_t dst[16],
			  const uint8_t mac[6], const uint8_t target[16], uint32_t flags)
{
	struct nd_msg *msg = nd_begin(m, ICMP6_NA, ND_MSG_LEN, target, dst);

	msg->flags = be32(flags | ND_ROUTER);
	memcpy(msg->target, target, 16);
	nd_put_link(m, ND_OPT_TARGET, iface->mac);
	nd_finish(m, iface, mac);
}
