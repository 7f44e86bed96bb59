// SPDX-License-Identifier: BSD-3-Clause
// verdict_dissect.c - take a frame apart: every bit of it belongs to one field
//
// Each layer claims its fields in order from where the one before ended; what is left over at the end of a
// packet is its payload. A header that is cut off is payload.
#include <string.h>

#include "apps/tool/verdict_priv.h"
#include "core/wire.h"
#include "mempool/csum.h"

#define DEPTH_MAX 3	 // an IP packet in an ICMP error in an ICMP error
#define TAGS_MAX  8	 // VLAN tags and MPLS labels in a row
#define EXT_MAX	  8	 // extension headers in a row
#define OPTS_MAX  16	 // of neighbor discovery
#define RESERVE	  40	 // fields kept for a layer that has begun: no layer has more

enum { ETH_IP4 = 0x0800, ETH_ARP = 0x0806, ETH_VLAN = 0x8100, ETH_QINQ = 0x88a8, ETH_IP6 = 0x86dd,
       ETH_MPLS = 0x8847 };
enum { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17, IP_HOPOPTS = 0, IP_ROUTING = 43, IP_FRAGMENT = 44,
       IP_ICMP6 = 58, IP_DSTOPTS = 60 };

struct walk {
	struct vframe *f;
	uint32_t at;  // bytes claimed
	uint32_t end; // of the packet that is walked: what lies behind is somebody else's
	unsigned depth;
	uint8_t seen[VF_IDS];
	uint32_t bit; // claimed of the byte at `at`
	bool whole;   // the packet is there to its end, so that checksums can be looked at
	uint64_t pseudo; // sum of the pseudo header, without length and protocol
};

static void add(struct walk *w, enum vfield_id id, uint32_t bits)
{
	struct vfield *v = &w->f->f[w->f->n++];

	*v = (struct vfield){.id = (uint8_t)id, .nth = w->seen[id], .bit = w->at * 8 + w->bit,
			     .bits = bits};
	w->seen[id] += w->seen[id] < UINT8_MAX;
	w->bit += bits;
	w->at += w->bit / 8;
	w->bit %= 8;
}

static struct vfield *last(struct walk *w)
{
	return &w->f->f[w->f->n - 1];
}

static uint32_t left(const struct walk *w)
{
	return w->end - w->at;
}

static const uint8_t *here(const struct walk *w)
{
	return w->f->data + w->at;
}

static uint32_t peek16(const struct walk *w, uint32_t off)
{
	return (uint32_t)here(w)[off] << 8 | here(w)[off + 1];
}

static bool room(const struct walk *w)
{
	return w->f->n + RESERVE < VFIELDS_MAX;
}

static void payload(struct walk *w)
{
	if (left(w))
		add(w, VF_PAYLOAD, left(w) * 8);
}

// The checksum field just added: does what it covers add up?
static void set_sum(struct walk *w, uint64_t sum, uint32_t from, uint32_t len)
{
	if (!w->whole || w->depth)
		last(w)->sum = VSUM_UNKNOWN;
	else
		last(w)->sum = csum_fold(csum_add(sum, w->f->data + from, len)) == 0xffff ?
				       VSUM_GOOD :
				       VSUM_BAD;
}

// Of 16-bit words as they lie in memory (csum.h).
static uint64_t pseudo(const struct walk *w, uint32_t proto, uint32_t len)
{
	return w->pseudo + be16((uint16_t)proto) + be32(len);
}

static void ip(struct walk *w);

// --- transport ---

static void udp(struct walk *w)
{
	uint32_t from = w->at, len = left(w), said;

	if (len < 8)
		return;
	said = peek16(w, 4);
	add(w, VF_UDP_SRCPORT, 16);
	add(w, VF_UDP_DSTPORT, 16);
	add(w, VF_UDP_LENGTH, 16);
	add(w, VF_UDP_CHECKSUM, 16);
	if (said < 8 || said > len || (!w->f->data[from + 6] && !w->f->data[from + 7]))
		last(w)->sum = VSUM_UNKNOWN; // none, or of we know not what
	else
		set_sum(w, pseudo(w, IP_UDP, said), from, said);
}

static void tcp(struct walk *w)
{
	uint32_t from = w->at, len = left(w), head;

	if (len < 20)
		return;
	head = (here(w)[12] >> 4) * 4u;
	add(w, VF_TCP_SRCPORT, 16);
	add(w, VF_TCP_DSTPORT, 16);
	add(w, VF_TCP_SEQ, 32);
	add(w, VF_TCP_ACK, 32);
	add(w, VF_TCP_HDR_LEN, 4);
	add(w, VF_TCP_FLAGS, 12);
	add(w, VF_TCP_WINDOW, 16);
	add(w, VF_TCP_CHECKSUM, 16);
	set_sum(w, pseudo(w, IP_TCP, len), from, len);
	add(w, VF_TCP_URGENT, 16);
	if (head > 20 && head <= len)
		add(w, VF_TCP_OPTIONS, (head - 20) * 8);
}

static void icmp(struct walk *w)
{
	uint32_t from = w->at, len = left(w);
	uint8_t type;

	if (len < 8)
		return;
	type = here(w)[0];
	add(w, VF_ICMP_TYPE, 8);
	add(w, VF_ICMP_CODE, 8);
	add(w, VF_ICMP_CHECKSUM, 16);
	set_sum(w, 0, from, len);
	if (type == 0 || type == 8) {
		add(w, VF_ICMP_IDENT, 16);
		add(w, VF_ICMP_SEQ, 16);
		return;
	}
	add(w, VF_ICMP_REST, 32);
	if (type == 3 || type == 4 || type == 5 || type == 11 || type == 12) {
		w->depth++;
		ip(w);
	}
}

static void nd_options(struct walk *w)
{
	for (unsigned i = 0; i < OPTS_MAX && left(w) >= 2 && room(w); i++) {
		uint32_t n = here(w)[1] * 8u;

		if (!n || n > left(w))
			return;
		add(w, VF_ICMP6_OPT, n * 8);
	}
}

static void nd(struct walk *w, uint8_t type)
{
	if (type == 134 && left(w) >= 12) { // router advertisement: RFC 4861, 4.2
		add(w, VF_ICMP6_RA_HOPS, 8);
		add(w, VF_ICMP6_RA_FLAGS, 8);
		add(w, VF_ICMP6_RA_LIFETIME, 16);
		add(w, VF_ICMP6_RA_REACHABLE, 32);
		add(w, VF_ICMP6_RA_RETRANS, 32);
	} else if (left(w) >= 4) {
		add(w, VF_ICMP6_REST, 32);
	}
	if ((type == 135 || type == 136 || type == 137) && left(w) >= 16)
		add(w, VF_ICMP6_TARGET, 128);
	if (type != 137)
		nd_options(w);
}

static void icmp6(struct walk *w)
{
	uint32_t from = w->at, len = left(w);
	uint8_t type;

	if (len < 4)
		return;
	type = here(w)[0];
	add(w, VF_ICMP6_TYPE, 8);
	add(w, VF_ICMP6_CODE, 8);
	add(w, VF_ICMP6_CHECKSUM, 16);
	set_sum(w, pseudo(w, IP_ICMP6, len), from, len);
	if ((type == 128 || type == 129) && len >= 8) {
		add(w, VF_ICMP6_IDENT, 16);
		add(w, VF_ICMP6_SEQ, 16);
	} else if (type >= 133 && type <= 137) {
		nd(w, type);
	} else if (type >= 1 && type <= 4 && len >= 8) {
		add(w, VF_ICMP6_REST, 32);
		w->depth++;
		ip(w);
	}
}

static void transport(struct walk *w, uint8_t proto)
{
	if (!room(w))
		return;
	if (proto == IP_UDP)
		udp(w);
	else if (proto == IP_TCP)
		tcp(w);
	else if (proto == IP_ICMP)
		icmp(w);
	else if (proto == IP_ICMP6)
		icmp6(w);
}

// --- network ---

// The packet that begins here is len bytes long, as its header says.
static void bound(struct walk *w, uint32_t len)
{
	if (len <= left(w))
		w->end = w->at + len;
	else
		w->whole = false;
}

static void ip4(struct walk *w)
{
	uint32_t from = w->at, head = (here(w)[0] & 15) * 4u, total = peek16(w, 2), frag = peek16(w, 6);
	uint8_t proto = here(w)[9];

	if (head < 20 || head > left(w))
		return;
	bound(w, total < head ? left(w) : total);
	add(w, VF_IP_VERSION, 4);
	add(w, VF_IP_HDR_LEN, 4);
	add(w, VF_IP_DSFIELD, 8);
	add(w, VF_IP_LEN, 16);
	add(w, VF_IP_ID, 16);
	add(w, VF_IP_RB, 1);
	add(w, VF_IP_DF, 1);
	add(w, VF_IP_MF, 1);
	add(w, VF_IP_FRAG_OFFSET, 13);
	add(w, VF_IP_TTL, 8);
	add(w, VF_IP_PROTO, 8);
	add(w, VF_IP_CHECKSUM, 16);
	last(w)->sum = w->depth ? VSUM_UNKNOWN :
		       csum_fold(csum_add(0, w->f->data + from, head)) == 0xffff ? VSUM_GOOD : VSUM_BAD;
	add(w, VF_IP_SRC, 32);
	add(w, VF_IP_DST, 32);
	if (head > 20)
		add(w, VF_IP_OPTIONS, (head - 20) * 8);
	w->pseudo = csum_add(0, w->f->data + from + 12, 8);
	w->whole &= !(frag & 0x3fff);
	if (!(frag & 0x1fff))
		transport(w, proto);
}

static void fragment_header(struct walk *w)
{
	add(w, VF_FRAG_NXT, 8);
	add(w, VF_FRAG_RESERVED, 8);
	add(w, VF_FRAG_OFFSET, 13);
	add(w, VF_FRAG_RESERVED_BITS, 2);
	add(w, VF_FRAG_MORE, 1);
	add(w, VF_FRAG_IDENT, 32);
}

static enum vfield_id extension_id(uint8_t next)
{
	return next == IP_HOPOPTS ? VF_IP6_HOPOPTS :
	       next == IP_ROUTING ? VF_IP6_ROUTING :
				    VF_IP6_DSTOPTS;
}

// Extension headers; returns what follows them, -1: nothing that can be told.
static int extensions(struct walk *w, uint8_t next)
{
	for (unsigned i = 0; i < EXT_MAX && room(w); i++) {
		bool fragment = next == IP_FRAGMENT;
		uint8_t this = next;
		uint32_t n, offset;

		if (next != IP_HOPOPTS && next != IP_ROUTING && next != IP_DSTOPTS && !fragment)
			return next;
		if (left(w) < 8)
			return -1;
		n = fragment ? 8 : 8 + here(w)[1] * 8u;
		if (n > left(w))
			return -1;
		next = here(w)[0];
		offset = peek16(w, 2);
		if (!fragment) {
			add(w, extension_id(this), n * 8);
			continue;
		}
		fragment_header(w);
		w->whole &= !(offset & 0xfff9);
		if (offset & 0xfff8)
			return -1;
	}
	return -1;
}

static void ip6(struct walk *w)
{
	uint32_t from = w->at, plen;
	uint8_t next;
	int proto;

	if (left(w) < 40)
		return;
	plen = peek16(w, 4);
	next = here(w)[6];
	bound(w, 40 + plen);
	add(w, VF_IP6_VERSION, 4);
	add(w, VF_IP6_TCLASS, 8);
	add(w, VF_IP6_FLOW, 20);
	add(w, VF_IP6_PLEN, 16);
	add(w, VF_IP6_NXT, 8);
	add(w, VF_IP6_HLIM, 8);
	add(w, VF_IP6_SRC, 128);
	add(w, VF_IP6_DST, 128);
	w->pseudo = csum_add(0, w->f->data + from + 8, 32);
	proto = extensions(w, next);
	if (proto >= 0)
		transport(w, (uint8_t)proto);
}

// A packet of either version, by what its first byte says; its payload included.
static void ip(struct walk *w)
{
	if (w->depth < DEPTH_MAX && left(w) >= 20 && room(w)) {
		if (here(w)[0] >> 4 == 4)
			ip4(w);
		else if (here(w)[0] >> 4 == 6)
			ip6(w);
	}
	payload(w);
}

static void arp(struct walk *w)
{
	if (left(w) < 28 || peek16(w, 0) != 1 || peek16(w, 2) != ETH_IP4 || peek16(w, 4) != 0x604)
		return;
	add(w, VF_ARP_HW_TYPE, 16);
	add(w, VF_ARP_PROTO_TYPE, 16);
	add(w, VF_ARP_HW_SIZE, 8);
	add(w, VF_ARP_PROTO_SIZE, 8);
	add(w, VF_ARP_OPCODE, 16);
	add(w, VF_ARP_SRC_HW, 48);
	add(w, VF_ARP_SRC_IP, 32);
	add(w, VF_ARP_DST_HW, 48);
	add(w, VF_ARP_DST_IP, 32);
	w->end = w->at; // the rest pads the frame
}

// --- link ---

static void mpls(struct walk *w)
{
	for (unsigned i = 0; i < TAGS_MAX && left(w) >= 4; i++) {
		bool bottom = here(w)[2] & 1;

		add(w, VF_MPLS_LABEL, 20);
		add(w, VF_MPLS_EXP, 3);
		add(w, VF_MPLS_BOTTOM, 1);
		add(w, VF_MPLS_TTL, 8);
		if (bottom)
			break;
	}
	ip(w);
}

static uint32_t tags(struct walk *w, uint32_t type)
{
	for (unsigned i = 0; i < TAGS_MAX && (type == ETH_VLAN || type == ETH_QINQ) && left(w) >= 4;
	     i++) {
		type = peek16(w, 2);
		add(w, VF_VLAN_PRIORITY, 3);
		add(w, VF_VLAN_DEI, 1);
		add(w, VF_VLAN_ID, 12);
		add(w, VF_VLAN_ETYPE, 16);
	}
	return type;
}

static void ethernet(struct walk *w)
{
	uint32_t type;

	if (left(w) < 14)
		return;
	type = peek16(w, 12);
	add(w, VF_ETH_DST, 48);
	add(w, VF_ETH_SRC, 48);
	add(w, type < 0x600 ? VF_ETH_LEN : VF_ETH_TYPE, 16);
	type = tags(w, type);
	if (type == ETH_IP4 || type == ETH_IP6)
		ip(w);
	else if (type == ETH_ARP)
		arp(w);
	else if (type == ETH_MPLS)
		mpls(w);
}

void vframe_dissect(struct vframe *f, const uint8_t *data, uint32_t len)
{
	struct walk w = {.f = f, .end = len, .whole = true};

	f->data = data;
	f->len = len;
	f->n = 0;
	ethernet(&w);
	payload(&w);
	w.end = len;
	if (left(&w))
		add(&w, VF_ETH_PADDING, left(&w) * 8);
}
