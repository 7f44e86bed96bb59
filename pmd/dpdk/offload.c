// SPDX-License-Identifier: BSD-3-Clause
// offload.c - offloads of an ethdev: which are granted, and what flags mean on either side
//
// rte_mbuf_core.h and rte_ethdev.h say what DPDK's flags are; mempool/mbuf.h ours.
#include <errno.h>
#include <rte_ethdev.h>
#include <string.h>

#include "pmd/dpdk/dpdk.h"
#include "pmd/offload.h"

#define RX_CSUM	   (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
#define TX_CSUM	   (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define TX_CUT_TCP (RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
#define TX_CUT_UDP (RTE_ETH_TX_OFFLOAD_UDP_TSO | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)

static bool all_of(uint64_t capa, uint64_t bits)
{
	return (capa & bits) == bits;
}

uint32_t dpdk_offloads(const struct rte_eth_dev_info *info, uint32_t wanted,
		       struct rte_eth_conf *eth)
{
	uint64_t rx = info->rx_offload_capa, tx = info->tx_offload_capa;
	uint32_t ok = 0;

	eth->rxmode.offloads = rx & RTE_ETH_RX_OFFLOAD_SCATTER;
	eth->txmode.offloads = tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if ((wanted & PORT_RX_CSUM) && all_of(rx, RX_CSUM)) {
		ok |= PORT_RX_CSUM;
		eth->rxmode.offloads |= RX_CSUM | (rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
	}
	if ((wanted & PORT_RX_LRO) && (ok & PORT_RX_CSUM) && (rx & RTE_ETH_RX_OFFLOAD_TCP_LRO)) {
		ok |= PORT_RX_LRO;
		eth->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
		eth->rxmode.max_lro_pkt_size = info->max_lro_pkt_size;
	}
	if (!(wanted & PORT_TX_CSUM) || !all_of(tx, TX_CSUM))
		return ok; // those who cut fill in checksums
	ok |= PORT_TX_CSUM;
	eth->txmode.offloads |= TX_CSUM;
	if (all_of(tx, TX_CUT_TCP) && (wanted & (PORT_TX_TSO4 | PORT_TX_TSO6))) {
		ok |= wanted & (PORT_TX_TSO4 | PORT_TX_TSO6);
		eth->txmode.offloads |= TX_CUT_TCP;
	}
	if (all_of(tx, TX_CUT_UDP) && (wanted & PORT_TX_USO)) {
		ok |= PORT_TX_USO;
		eth->txmode.offloads |= TX_CUT_UDP;
	}
	return ok;
}

// Checksum left out by a sender on the same host (both bits: integrity known, field not right), or
// packets that the device has joined: made what our graph takes such packets to be. The pseudo
// header's sum is written anew, whatever the device left in the field.
static bool rx_partial(uint64_t flags, uint16_t segment, struct mbuf *m)
{
	struct offload_place p;
	uint32_t payload;
	uint16_t sum;

	if (offload_find(m, &p))
		return !(flags & RTE_MBUF_F_RX_LRO); // no checksum of TCP or UDP to speak of
	m->l3 = p.l3;
	m->l4 = p.l4;
	if (flags & RTE_MBUF_F_RX_LRO) {
		payload = p.ip_end - offload_headers(&p);
		if (!segment || p.ip_end != m->pkt_len || payload / segment >= OFFLOAD_PIECES_MAX)
			return false;
		if (payload > segment) {
			m->mss = segment;
			m->flags |= p.proto == OFFLOAD_TCP ? MBUF_TSO : MBUF_USO;
		}
	}
	sum = offload_pseudo(m, &p, p.ip_end - p.l4);
	memcpy(m->data + p.l4 + offload_csum_offset(p.proto), &sum, sizeof(sum));
	m->flags |= MBUF_RX_L4_OK | MBUF_TX_L4_CSUM;
	return true;
}

bool dpdk_rx_flags(uint64_t flags, uint16_t segment, struct mbuf *m)
{
	static_assert(RTE_MBUF_F_RX_IP_CKSUM_GOOD >> 7 == MBUF_RX_L3_OK &&
			      RTE_MBUF_F_RX_L4_CKSUM_GOOD >> 7 == MBUF_RX_L4_OK &&
			      RTE_MBUF_F_RX_IP_CKSUM_BAD >> 2 == MBUF_RX_L3_BAD &&
			      RTE_MBUF_F_RX_L4_CKSUM_BAD == MBUF_RX_L4_BAD,
		      "flags are moved, not looked up");
	bool none = (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;

	// Good and bad at once is a meaning of its own, of the IP header too.
	if ((flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_NONE)
		flags &= ~RTE_MBUF_F_RX_IP_CKSUM_MASK;
	if (unlikely(none || (flags & RTE_MBUF_F_RX_LRO))) {
		m->flags |= (uint32_t)(flags >> 7) & MBUF_RX_L3_OK;
		return rx_partial(flags, segment, m);
	}
	m->flags |= ((uint32_t)(flags >> 7) & (MBUF_RX_L3_OK | MBUF_RX_L4_OK)) |
		    ((uint32_t)(flags >> 2) & MBUF_RX_L3_BAD) | ((uint32_t)flags & MBUF_RX_L4_BAD);
	return true;
}

bool dpdk_tx_flags(struct mbuf *m, struct rte_mbuf *r)
{
	bool tcp = offload_proto(m) == OFFLOAD_TCP, ip6 = offload_is_ip6(m);
	uint32_t l3_len = (uint32_t)m->l4 - m->l3;

	if (m->l3 >= 1u << RTE_MBUF_L2_LEN_BITS || l3_len >= 1u << RTE_MBUF_L3_LEN_BITS) {
		if (m->flags & (MBUF_TSO | MBUF_USO))
			return false;
		offload_csum(m);
		return true;
	}
	r->tx_offload = 0;
	r->l2_len = m->l3 & ((1u << RTE_MBUF_L2_LEN_BITS) - 1);
	r->l3_len = l3_len & ((1u << RTE_MBUF_L3_LEN_BITS) - 1);
	r->ol_flags = (ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
		      (tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
	if (!(m->flags & (MBUF_TSO | MBUF_USO)))
		return true;
	r->ol_flags |= tcp ? RTE_MBUF_F_TX_TCP_SEG : RTE_MBUF_F_TX_UDP_SEG;
	if (!ip6)
		r->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	r->l4_len = (offload_piece_bytes(m) - m->mss - m->l4) & 0xff;
	r->tso_segsz = m->mss;
	return true;
}
