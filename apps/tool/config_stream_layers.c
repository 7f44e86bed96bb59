// SPDX-License-Identifier: BSD-3-Clause
// config_stream_layers.c - the layers there are: their fields, and what may follow what
#include "apps/tool/config_stream.h"

#define NUMBER(label, at, width, preset) {label, FORM_NUMBER, width, at, preset, false}
#define FIXED(label, at, width)	 {label, FORM_NUMBER, width, at, 0, true}
#define SWITCH(label)		 {label, FORM_SWITCH, 0, 0, 0, true}
#define BIT(id)			 (1u << LAYER_##id)

static const struct layer_field eth[] = { // IEEE 802.3
	[ETH_DST] = {"dst", FORM_MAC, 48, 0, 0, false},
	[ETH_SRC] = {"src", FORM_MAC, 48, 48, 0, false},
	[ETH_TYPE] = FIXED("type", 96, 16),
	{0},
};

// IEEE 802.1Q; the tag's own type lies where the layer below has its type.
static const struct layer_field vlan[] = {
	[VLAN_ID] = NUMBER("id", 4, 12, 1),
	[VLAN_PCP] = NUMBER("pcp", 0, 3, 0),
	[VLAN_DEI] = NUMBER("dei", 3, 1, 0),
	[VLAN_TPID] = {"tpid", FORM_NUMBER, 16, 0, 0, true},
	[VLAN_TYPE] = FIXED("type", 16, 16),
	{0},
};

static const struct layer_field mpls[] = { // RFC 3032, 2.1
	[MPLS_LABEL] = NUMBER("label", 0, 20, 16),
	[MPLS_TC] = NUMBER("tc", 20, 3, 0),
	[MPLS_S] = FIXED("s", 23, 1),
	[MPLS_TTL] = NUMBER("ttl", 24, 8, 64),
	{0},
};

static const struct layer_field ip4[] = { // RFC 791, 3.1; RFC 2474
	[IP_SRC] = {"src", FORM_IP4, 32, 96, 0, false},
	[IP_DST] = {"dst", FORM_IP4, 32, 128, 0, false},
	[IP_PROTO] = FIXED("proto", 72, 8),
	NUMBER("dscp", 8, 6, 0),
	NUMBER("ecn", 14, 2, 0),
	NUMBER("id", 32, 16, 0),
	NUMBER("df", 49, 1, 0),
	NUMBER("mf", 50, 1, 0),
	NUMBER("offset", 51, 13, 0),
	NUMBER("ttl", 64, 8, 64),
	{0},
};

static const struct layer_field ip6[] = { // RFC 8200, 3
	[IP_SRC] = {"src", FORM_IP6, 128, 64, 0, false},
	[IP_DST] = {"dst", FORM_IP6, 128, 192, 0, false},
	[IP_PROTO] = FIXED("next", 48, 8),
	NUMBER("dscp", 4, 6, 0),
	NUMBER("ecn", 10, 2, 0),
	NUMBER("flow", 12, 20, 0),
	NUMBER("hops", 56, 8, 64),
	{0},
};

// RFC 768. 49184 (C020) is the source port of RFC 2544's frames, C.2.6.4; 9 is discard (RFC 863).
static const struct layer_field udp[] = {
	[UDP_SRC] = NUMBER("src", 0, 16, 49184),
	[UDP_DST] = NUMBER("dst", 16, 16, 9),
	[UDP_CSUM] = SWITCH("checksum"),
	{0},
};

static const struct layer_field tcp[] = { // RFC 9293, 3.1
	NUMBER("src", 0, 16, 49184),
	NUMBER("dst", 16, 16, 9),
	NUMBER("seq", 32, 32, 0),
	NUMBER("ack", 64, 32, 0),
	NUMBER("flags", 104, 8, 0x10),
	NUMBER("window", 112, 16, 65535),
	NUMBER("urgent", 144, 16, 0),
	{0},
};

static const struct layer_field icmp[] = { // RFC 792: echo request
	NUMBER("type", 0, 8, 8),
	NUMBER("code", 8, 8, 0),
	NUMBER("id", 32, 16, 0),
	NUMBER("seq", 48, 16, 0),
	{0},
};

static const struct layer_field icmp6[] = { // RFC 4443, 4.1: echo request
	NUMBER("type", 0, 8, 128),
	NUMBER("code", 8, 8, 0),
	NUMBER("id", 32, 16, 0),
	NUMBER("seq", 48, 16, 0),
	{0},
};

static const struct layer_field gre[] = { // RFC 2784, RFC 2890; key and seq are there when they are said
	[GRE_KEY] = NUMBER("key", 32, 32, 0),
	[GRE_SEQ] = NUMBER("seq", 32, 32, 0),
	[GRE_CSUM] = SWITCH("checksum"),
	[GRE_PROTO] = FIXED("proto", 16, 16),
	{0},
};

static const struct layer_field vxlan[] = { // RFC 7348, 5
	[VXLAN_VNI] = NUMBER("vni", 32, 24, 1),
	{0},
};

static const struct layer_field arp[] = { // RFC 826, of IPv4 over Ethernet: a request
	[ARP_OP] = NUMBER("op", 48, 16, 1),
	[ARP_SENDER_MAC] = {"sender_mac", FORM_MAC, 48, 64, 0, false},
	[ARP_SENDER_IP] = {"sender_ip", FORM_IP4, 32, 112, 0, false},
	[ARP_TARGET_MAC] = {"target_mac", FORM_MAC, 48, 144, 0, false},
	[ARP_TARGET_IP] = {"target_ip", FORM_IP4, 32, 192, 0, false},
	{0},
};

const struct layer_type layer_types[LAYER_KINDS] = {
	[LAYER_ETH] = {"eth", 14, ETH_DST, 0, BIT(VLAN) | BIT(MPLS) | BIT(IP4) | BIT(IP6) | BIT(ARP), eth},
	[LAYER_VLAN] = {"vlan", 4, VLAN_ID, 0, BIT(VLAN) | BIT(MPLS) | BIT(IP4) | BIT(IP6) | BIT(ARP), vlan},
	[LAYER_MPLS] = {"mpls", 4, MPLS_LABEL, 0, BIT(MPLS) | BIT(IP4) | BIT(IP6) | BIT(ETH), mpls},
	[LAYER_IP4] = {"ipv4", 20, IP_DST, 10,
		       BIT(UDP) | BIT(TCP) | BIT(ICMP) | BIT(GRE) | BIT(IP4) | BIT(IP6), ip4},
	[LAYER_IP6] = {"ipv6", 40, IP_DST, 0,
		       BIT(UDP) | BIT(TCP) | BIT(ICMP6) | BIT(GRE) | BIT(IP4) | BIT(IP6), ip6},
	[LAYER_UDP] = {"udp", 8, UDP_DST, 6, BIT(VXLAN), udp},
	[LAYER_TCP] = {"tcp", 20, 1, 16, 0, tcp},
	[LAYER_ICMP] = {"icmp", 8, 0, 2, 0, icmp},
	[LAYER_ICMP6] = {"icmp6", 8, 0, 2, 0, icmp6},
	[LAYER_GRE] = {"gre", 4, GRE_KEY, 4, BIT(IP4) | BIT(IP6) | BIT(MPLS) | BIT(ETH), gre},
	[LAYER_VXLAN] = {"vxlan", 8, VXLAN_VNI, 0, BIT(ETH), vxlan},
	[LAYER_ARP] = {"arp", 28, ARP_TARGET_IP, 0, 0, arp},
};

static bool gre_has(const struct stream_layer *l, unsigned field)
{
	if (field == GRE_CSUM)
		return l->value[field].kind == VALUE_ONE && l->value[field].first;
	return l->value[field].kind != VALUE_AUTO;
}

unsigned layer_len(const struct stream_layer *l)
{
	unsigned len = layer_types[l->id].len;

	if (l->id == LAYER_GRE)
		len += 4u * gre_has(l, GRE_CSUM) + 4u * gre_has(l, GRE_KEY) + 4u * gre_has(l, GRE_SEQ);
	return len;
}

unsigned layer_bit(const struct stream_layer *l, unsigned field)
{
	unsigned bit = layer_types[l->id].field[field].bit;

	if (l->id == LAYER_GRE && field <= GRE_SEQ)
		bit += 32u * gre_has(l, GRE_CSUM) + (field == GRE_SEQ ? 32u * gre_has(l, GRE_KEY) : 0);
	return bit;
}

uint16_t layer_code(uint8_t under, uint8_t id)
{
	static const uint16_t ether[LAYER_KINDS] = {
		[LAYER_VLAN] = 0x8100, [LAYER_MPLS] = 0x8847, [LAYER_IP4] = 0x0800, [LAYER_IP6] = 0x86dd,
		[LAYER_ARP] = 0x0806, [LAYER_ETH] = 0x6558,
	};
	static const uint16_t proto[LAYER_KINDS] = {
		[LAYER_UDP] = 17, [LAYER_TCP] = 6, [LAYER_ICMP] = 1, [LAYER_ICMP6] = 58,
		[LAYER_GRE] = 47, [LAYER_IP4] = 4, [LAYER_IP6] = 41,
	};

	return under == LAYER_IP4 || under == LAYER_IP6 ? proto[id] : ether[id];
}
