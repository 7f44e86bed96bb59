// SPDX-License-Identifier: BSD-3-Clause
// eth_input.c - node eth-input: whom a frame is for and what it carries (IEEE 802.3, 802.1Q)
#include "netstack/eth.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/iface.h"
#include "netstack/tcp.h"

enum { EDGE_IP4, EDGE_ARP };
enum {
	DROP_SHORT_FRAME,
	DROP_SPLIT_HEADER,
	DROP_NOT_OUR_MAC,
	DROP_VLAN_UNCONFIGURED,
	DROP_LLC,
	DROP_IP6_UNSUPPORTED,
	DROP_UNKNOWN_ETHERTYPE,
};
static const char *const edges[] = {"ip4", "arp", NULL};
static const char *const drops[] = {
	"short-frame", "split-header",	  "not-our-mac",       "vlan-unconfigured",
	"llc",	       "ip6-unsupported", "unknown-ethertype", NULL};

#define TAGS_MAX 2

// The longest headers that later nodes read and write: Ethernet with its tags, IPv4 with options,
// TCP. The first segment of a chain holds them, or else all of the packet is in it.
#define HEADERS_MAX (ETH_HLEN + TAGS_MAX * 4 + IP4_HLEN_MAX + TCP_HLEN)

#define AHEAD 8 // packets whose headers are fetched early

static uint8_t by_type(uint16_t type)
{
	if (type == ETH_TYPE_IP4)
		return EDGE_IP4;
	if (type == ETH_TYPE_ARP)
		return EDGE_ARP;
	if (type == ETH_TYPE_IP6)
		return NEXT_DROP(DROP_IP6_UNSUPPORTED);
	return NEXT_DROP(type < ETH_TYPE_MIN ? DROP_LLC : DROP_UNKNOWN_ETHERTYPE);
}

// Walks the tags. VID 0 is a priority alone, as if there were no tag (802.1Q, 6.9); no other VLAN
// is configured on a port yet.
static uint8_t parse_type(struct mbuf *m)
{
	uint16_t off = 12, type = be16(load16(m->data + off));
	bool vlan = m->flags & MBUF_VLAN && (m->vlan_tci & 0xfff) != 0;

	for (unsigned tags = 0; eth_is_tag(type); tags++) {
		if (m->len < off + 6u)
			return NEXT_DROP(DROP_SHORT_FRAME);
		if (be16(load16(m->data + off + 2)) & 0xfff || tags >= TAGS_MAX)
			vlan = true;
		if (tags >= TAGS_MAX)
			break;
		off += 4;
		type = be16(load16(m->data + off));
	}
	if (vlan)
		return NEXT_DROP(DROP_VLAN_UNCONFIGURED);
	m->flags &= ~MBUF_VLAN; // a priority stays on its link
	m->l3 = (uint16_t)(off + 2);
	return by_type(type);
}

// Everything that is not one segment, to our address, untagged IPv4.
static __attribute__((noinline)) uint8_t parse(const struct ifaces *ifs, struct mbuf *m)
{
	if (m->pkt_len < ETH_HLEN)
		return NEXT_DROP(DROP_SHORT_FRAME);
	if (m->len < m->pkt_len && m->len < HEADERS_MAX)
		return NEXT_DROP(DROP_SPLIT_HEADER);
	if (m->data[0] & 1)
		m->flags |= MBUF_BCAST;
	else if (eth_mac_load8(m->data) != ifs->iface[m->port].mac48)
		return NEXT_DROP(DROP_NOT_OUR_MAC);
	return parse_type(m);
}

static always_inline uint8_t one(const struct ifaces *ifs, struct mbuf *m)
{
	const uint8_t *p = m->data;

	if (likely(m->nsegs == 1 && m->len >= ETH_HLEN && !(m->flags & MBUF_VLAN) &&
		   eth_mac_load8(p) == ifs->iface[m->port].match48 &&
		   load16(p + 12) == be16(ETH_TYPE_IP4))) {
		m->l3 = ETH_HLEN;
		return EDGE_IP4;
	}
	return parse(ifs, m);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct ifaces *ifs = node->state;

	// This node is the first to look at a packet: its mbuf and its headers may be far away.
	for (unsigned i = 0; i < n && i < AHEAD; i++)
		__builtin_prefetch(pkts[i]->data);
	for (unsigned i = 0; i < n; i++) {
		if (i + 2 * AHEAD < n)
			__builtin_prefetch(pkts[i + 2 * AHEAD]);
		if (i + AHEAD < n)
			__builtin_prefetch(pkts[i + AHEAD]->data);
		next[i] = one(ifs, pkts[i]);
	}
}

const struct node_def eth_input_node = {
	.name = "eth-input",
	.edges = edges,
	.drops = drops,
	.process = process,
};
