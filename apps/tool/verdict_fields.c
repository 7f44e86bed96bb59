// SPDX-License-Identifier: BSD-3-Clause
// verdict_fields.c - the names of fields, what is ignored, and the hashes that stand for a frame
#include "apps/tool/verdict_fields.h"

#include <string.h>

#include "apps/tool/util.h"
#include "apps/tool/verdict_priv.h"

// Weight 0: the packet is known again without it (and it does not count much for likeness).
const struct vfield_kind vfield_kinds[VF_IDS] = {
	[VF_ETH_DST] = {"eth.dst", VK_MAC, 0, 0},
	[VF_ETH_SRC] = {"eth.src", VK_MAC, 0, 0},
	[VF_ETH_TYPE] = {"eth.type", VK_HEX, 0, 0},
	[VF_ETH_LEN] = {"eth.len", VK_DEC, 0, 0},
	[VF_ETH_PADDING] = {"eth.padding", VK_BYTES, 0, 0},
	[VF_VLAN_PRIORITY] = {"vlan.priority", VK_DEC, 0, 0},
	[VF_VLAN_DEI] = {"vlan.dei", VK_DEC, 0, 0},
	[VF_VLAN_ID] = {"vlan.id", VK_DEC, 0, 0},
	[VF_VLAN_ETYPE] = {"vlan.etype", VK_HEX, 0, 0},
	[VF_MPLS_LABEL] = {"mpls.label", VK_DEC, 0, 0},
	[VF_MPLS_EXP] = {"mpls.exp", VK_DEC, 0, 0},
	[VF_MPLS_BOTTOM] = {"mpls.bottom", VK_DEC, 0, 0},
	[VF_MPLS_TTL] = {"mpls.ttl", VK_DEC, 0, 0},
	[VF_ARP_HW_TYPE] = {"arp.hw.type", VK_DEC, 1, 0},
	[VF_ARP_PROTO_TYPE] = {"arp.proto.type", VK_HEX, 1, 0},
	[VF_ARP_HW_SIZE] = {"arp.hw.size", VK_DEC, 1, 0},
	[VF_ARP_PROTO_SIZE] = {"arp.proto.size", VK_DEC, 1, 0},
	[VF_ARP_OPCODE] = {"arp.opcode", VK_DEC, 3, 0},
	[VF_ARP_SRC_HW] = {"arp.src.hw_mac", VK_MAC, 0, 0},
	[VF_ARP_SRC_IP] = {"arp.src.proto_ipv4", VK_IP4, 3, 0},
	[VF_ARP_DST_HW] = {"arp.dst.hw_mac", VK_MAC, 0, 0},
	[VF_ARP_DST_IP] = {"arp.dst.proto_ipv4", VK_IP4, 3, 0},
	[VF_IP_VERSION] = {"ip.version", VK_DEC, 1, 0},
	[VF_IP_HDR_LEN] = {"ip.hdr_len", VK_WORDS, 0, 0},
	[VF_IP_DSFIELD] = {"ip.dsfield", VK_HEX, 0, 0},
	[VF_IP_LEN] = {"ip.len", VK_DEC, 0, 0},
	[VF_IP_ID] = {"ip.id", VK_HEX, 3, 1},
	[VF_IP_RB] = {"ip.flags.rb", VK_DEC, 0, 0},
	[VF_IP_DF] = {"ip.flags.df", VK_DEC, 0, 0},
	[VF_IP_MF] = {"ip.flags.mf", VK_DEC, 1, 0},
	[VF_IP_FRAG_OFFSET] = {"ip.frag_offset", VK_EIGHTS, 1, 0},
	[VF_IP_TTL] = {"ip.ttl", VK_DEC, 0, 0},
	[VF_IP_PROTO] = {"ip.proto", VK_DEC, 2, 1},
	[VF_IP_CHECKSUM] = {"ip.checksum", VK_HEX, 0, 0},
	[VF_IP_SRC] = {"ip.src", VK_IP4, 3, 1},
	[VF_IP_DST] = {"ip.dst", VK_IP4, 3, 1},
	[VF_IP_OPTIONS] = {"ip.options", VK_BYTES, 0, 0},
	[VF_IP6_VERSION] = {"ipv6.version", VK_DEC, 1, 0},
	[VF_IP6_TCLASS] = {"ipv6.tclass", VK_HEX, 0, 0},
	[VF_IP6_FLOW] = {"ipv6.flow", VK_HEX, 1, 1},
	[VF_IP6_PLEN] = {"ipv6.plen", VK_DEC, 0, 0},
	[VF_IP6_NXT] = {"ipv6.nxt", VK_DEC, 2, 1},
	[VF_IP6_HLIM] = {"ipv6.hlim", VK_DEC, 0, 0},
	[VF_IP6_SRC] = {"ipv6.src", VK_IP6, 3, 1},
	[VF_IP6_DST] = {"ipv6.dst", VK_IP6, 3, 1},
	[VF_IP6_HOPOPTS] = {"ipv6.hopopts", VK_BYTES, 0, 0},
	[VF_IP6_ROUTING] = {"ipv6.routing", VK_BYTES, 0, 0},
	[VF_IP6_DSTOPTS] = {"ipv6.dstopts", VK_BYTES, 0, 0},
	[VF_FRAG_NXT] = {"ipv6.fraghdr.nxt", VK_DEC, 1, 0},
	[VF_FRAG_RESERVED] = {"ipv6.fraghdr.reserved_octet", VK_HEX, 0, 0},
	[VF_FRAG_OFFSET] = {"ipv6.fraghdr.offset", VK_EIGHTS, 1, 0},
	[VF_FRAG_RESERVED_BITS] = {"ipv6.fraghdr.reserved_bits", VK_DEC, 0, 0},
	[VF_FRAG_MORE] = {"ipv6.fraghdr.more", VK_DEC, 1, 0},
	[VF_FRAG_IDENT] = {"ipv6.fraghdr.ident", VK_HEX, 3, 1},
	[VF_ICMP_TYPE] = {"icmp.type", VK_DEC, 3, 0},
	[VF_ICMP_CODE] = {"icmp.code", VK_DEC, 1, 0},
	[VF_ICMP_CHECKSUM] = {"icmp.checksum", VK_HEX, 0, 0},
	[VF_ICMP_IDENT] = {"icmp.ident", VK_DEC, 2, 1},
	[VF_ICMP_SEQ] = {"icmp.seq", VK_DEC, 3, 1},
	[VF_ICMP_REST] = {"icmp.rest", VK_HEX, 1, 0},
	[VF_ICMP6_TYPE] = {"icmpv6.type", VK_DEC, 3, 0},
	[VF_ICMP6_CODE] = {"icmpv6.code", VK_DEC, 1, 0},
	[VF_ICMP6_CHECKSUM] = {"icmpv6.checksum", VK_HEX, 0, 0},
	[VF_ICMP6_IDENT] = {"icmpv6.echo.identifier", VK_DEC, 2, 1},
	[VF_ICMP6_SEQ] = {"icmpv6.echo.sequence_number", VK_DEC, 3, 1},
	[VF_ICMP6_REST] = {"icmpv6.rest", VK_HEX, 1, 0},
	[VF_ICMP6_TARGET] = {"icmpv6.nd.target_address", VK_IP6, 3, 0},
	[VF_ICMP6_RA_HOPS] = {"icmpv6.nd.ra.cur_hop_limit", VK_DEC, 0, 0},
	[VF_ICMP6_RA_FLAGS] = {"icmpv6.nd.ra.flag", VK_HEX, 0, 0},
	[VF_ICMP6_RA_LIFETIME] = {"icmpv6.nd.ra.router_lifetime", VK_DEC, 0, 0},
	[VF_ICMP6_RA_REACHABLE] = {"icmpv6.nd.ra.reachable_time", VK_DEC, 0, 0},
	[VF_ICMP6_RA_RETRANS] = {"icmpv6.nd.ra.retrans_timer", VK_DEC, 0, 0},
	[VF_ICMP6_OPT] = {"icmpv6.opt", VK_BYTES, 0, 0},
	[VF_UDP_SRCPORT] = {"udp.srcport", VK_DEC, 2, 1},
	[VF_UDP_DSTPORT] = {"udp.dstport", VK_DEC, 2, 1},
	[VF_UDP_LENGTH] = {"udp.length", VK_DEC, 0, 0},
	[VF_UDP_CHECKSUM] = {"udp.checksum", VK_HEX, 0, 0},
	[VF_TCP_SRCPORT] = {"tcp.srcport", VK_DEC, 2, 1},
	[VF_TCP_DSTPORT] = {"tcp.dstport", VK_DEC, 2, 1},
	[VF_TCP_SEQ] = {"tcp.seq_raw", VK_DEC, 3, 1},
	[VF_TCP_ACK] = {"tcp.ack_raw", VK_DEC, 2, 0},
	[VF_TCP_HDR_LEN] = {"tcp.hdr_len", VK_WORDS, 0, 0},
	[VF_TCP_FLAGS] = {"tcp.flags", VK_HEX, 1, 0},
	[VF_TCP_WINDOW] = {"tcp.window_size_value", VK_DEC, 1, 0},
	[VF_TCP_CHECKSUM] = {"tcp.checksum", VK_HEX, 0, 0},
	[VF_TCP_URGENT] = {"tcp.urgent_pointer", VK_DEC, 0, 0},
	[VF_TCP_OPTIONS] = {"tcp.options", VK_BYTES, 0, 0},
	[VF_PAYLOAD] = {"payload", VK_BYTES, 8, 0},
};

const char *vfield_name(unsigned id)
{
	return vfield_kinds[id].name;
}

bool vignore_add(struct vignore *g, const char *name)
{
	const char *hash = strchr(name, '#');
	size_t n = hash ? (size_t)(hash - name) : strlen(name);
	unsigned nth = 0;
	bool found = false;

	if (hash && !text_number(hash + 1, 1, 32, &nth))
		return false;
	for (unsigned id = 0; id < VF_IDS; id++) {
		const char *full = vfield_kinds[id].name;

		if (strncmp(full, name, n) || (full[n] && full[n] != '.'))
			continue;
		g->mask[id] |= nth ? 1u << (nth - 1) : ~0u;
		found = n > 0;
	}
	return found;
}

uint64_t vfield_value(const struct vframe *f, const struct vfield *v)
{
	uint64_t n = 0;

	for (uint32_t i = v->bit / 8; i <= (v->bit + v->bits - 1) / 8; i++)
		n = n << 8 | f->data[i];
	n >>= -(v->bit + v->bits) & 7;
	return v->bits == 64 ? n : n & ((1ull << v->bits) - 1);
}

bool vfield_is_number(const struct vfield *v)
{
	return vfield_kinds[v->id].kind < VK_IP6;
}

// --- hashes: by multiplication, 8 bytes at a time; not against those who try to make them collide ---

static uint64_t mix(uint64_t h, uint64_t v)
{
	unsigned __int128 p = (unsigned __int128)(h ^ v) * 0x9e3779b97f4a7c15;

	return (uint64_t)p ^ (uint64_t)(p >> 64) ^ 0xa0761d6478bd642f;
}

static uint64_t mix_bytes(uint64_t h, const uint8_t *p, uint32_t n)
{
	h = mix(h, n);
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		h = mix(h, w);
	}
	if (n) {
		uint64_t w = 0;

		memcpy(&w, p, n);
		h = mix(h, w);
	}
	return h;
}

static uint64_t mix_field(uint64_t h, const struct vframe *f, const struct vfield *v)
{
	h = mix(h, (uint64_t)v->id << 16 | (uint64_t)v->nth << 8 | (v->sum == VSUM_GOOD));
	if (v->sum == VSUM_GOOD)
		return h;
	if (vfield_is_number(v))
		return mix(h, vfield_value(f, v));
	return mix_bytes(h, f->data + v->bit / 8, v->bits / 8);
}

uint64_t vframe_exact(const struct vframe *f, const struct vignore *g)
{
	uint64_t h = 1;

	for (unsigned i = 0; i < f->n; i++)
		if (!vignored(g, &f->f[i]))
			h = mix_field(h, f, &f->f[i]);
	return h;
}

uint64_t vframe_identity(const struct vframe *f, const struct vignore *g)
{
	uint64_t h = 2;
	bool any = false;

	for (unsigned i = 0; i < f->n; i++) {
		const struct vfield *v = &f->f[i];

		if (vignored(g, v) || !vfield_kinds[v->id].weight)
			continue;
		h = mix_field(h, f, v);
		any = true;
	}
	return any ? h : vframe_exact(f, g);
}

// ip.version or ipv6.version begins a packet.
static bool begins_ip(const struct vfield *v)
{
	return v->id == VF_IP_VERSION || v->id == VF_IP6_VERSION;
}

uint64_t vframe_flow(const struct vframe *f, unsigned nth)
{
	uint64_t h = 3;
	unsigned ips = 0;

	for (unsigned i = 0; i < f->n && ips <= nth + 1; i++) {
		const struct vfield *v = &f->f[i];
		struct vfield first = *v;

		ips += begins_ip(v);
		if (ips != nth + 1 || !vfield_kinds[v->id].flow)
			continue;
		first.nth = 0; // a quoted packet is known by what it was alone
		h = mix_field(h, f, &first);
	}
	return ips > nth ? h : 0;
}
