// SPDX-License-Identifier: BSD-3-Clause
// frame.c - find the headers of a captured frame, change addresses and ports with their checksums
#include "apps/replay/frame.h"

#include <string.h>

#include "core/wire.h"
#include "netstack/csum.h"

#define TYPE_IP4 0x0800u
#define TYPE_ARP 0x0806u
#define TYPE_IP6 0x86ddu
#define TAGS_MAX 8u
#define EXTS_MAX 16u

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_DCCP = 33, PROTO_ICMP6 = 58, PROTO_SCTP = 132,
       PROTO_UDPLITE = 136 };

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

// How many bytes of a transport header must be there for its ports and checksum; 0: we know nothing of it.
static uint32_t l4_bytes(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP:
		return 18;
	case PROTO_UDP:
	case PROTO_UDPLITE:
	case PROTO_DCCP:
		return 8;
	case PROTO_SCTP:
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return 4;
	default:
		return 0;
	}
}

static void place_l4(struct frame_place *p, uint32_t off, uint32_t len, uint8_t proto)
{
	uint32_t need = l4_bytes(proto);

	p->proto = proto;
	if (need && off <= len && len - off >= need)
		p->l4 = off;
}

static void place_ip4(const uint8_t *f, uint32_t len, struct frame_place *p)
{
	const uint8_t *ip = f + p->l3;
	uint32_t ihl;

	if (len - p->l3 < 20 || ip[0] >> 4 != 4)
		return;
	p->family = 4;
	ihl = (ip[0] & 15u) * 4;
	if (ihl >= 20 && !(be16(load16(ip + 6)) & 0x1fff))
		place_l4(p, p->l3 + ihl, len, ip[9]);
}

static void place_ip6(const uint8_t *f, uint32_t len, struct frame_place *p)
{
	uint32_t off = p->l3 + 40;
	uint8_t proto;

	if (len - p->l3 < 40 || f[p->l3] >> 4 != 6)
		return;
	p->family = 6;
	proto = f[p->l3 + 6];
	for (unsigned i = 0; i < EXTS_MAX; i++) {
		bool fragment = proto == 44;

		// Hop-by-hop, routing, fragment, destination options; RFC 8200, 4.
		if (proto != 0 && proto != 43 && proto != 60 && !fragment) {
			place_l4(p, off, len, proto);
			return;
		}
		if (off > len || len - off < 8)
			return;
		// A packet on its way through routers has another address in its checksum than in its header.
		if ((proto == 43 && f[off + 3]) || (fragment && be16(load16(f + off + 2)) & 0xfff8))
			return;
		proto = f[off];
		off += fragment ? 8 : (f[off + 1] + 1u) * 8;
	}
}

void frame_place(const uint8_t *f, uint32_t len, struct frame_place *p)
{
	*p = (struct frame_place){.l2 = 12, .l3 = 14};
	if (len < 14)
		return;
	p->type = be16(load16(f + 12));
	while (is_tag(p->type) && p->tags < TAGS_MAX && len >= p->l3 + 4) {
		p->l2 += 4;
		p->l3 += 4;
		p->tags++;
		p->type = be16(load16(f + p->l2));
	}
	if (p->type == TYPE_IP4)
		place_ip4(f, len, p);
	else if (p->type == TYPE_IP6)
		place_ip6(f, len, p);
	else if (p->type == TYPE_ARP)
		p->arp = len - p->l3 >= 28 && load32(f + p->l3) == be32(0x00010800) &&
			 load16(f + p->l3 + 4) == be16(0x0604);
}

// Where an address stands.
static uint32_t addr_at(const struct frame_place *p, enum frame_end end)
{
	if (p->arp)
		return p->l3 + (end == FRAME_SRC ? 14 : 24);
	return p->family == 4 ? p->l3 + (end == FRAME_SRC ? 12 : 16) : p->l3 + (end == FRAME_SRC ? 8 : 24);
}

bool frame_addr(const uint8_t *f, const struct frame_place *p, enum frame_end end, union ip_addr *a)
{
	if (!p->family && !p->arp)
		return false;
	*a = (union ip_addr){.w = {0, 0}}; // all of it: {0} is for its first member alone
	memcpy(a, f + addr_at(p, end), p->family == 6 ? 16 : 4);
	return true;
}

// Where the checksum of the transport header stands; 0: it has none of 16 bits.
static uint32_t csum_at(const struct frame_place *p)
{
	if (!p->l4)
		return 0;
	switch (p->proto) {
	case PROTO_TCP:
		return p->l4 + 16;
	case PROTO_UDP:
	case PROTO_UDPLITE:
	case PROTO_DCCP:
		return p->l4 + 6;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return p->l4 + 2;
	default:
		return 0;
	}
}

// A word that the transport checksum counts in has changed.
static void l4_changed(uint8_t *f, const struct frame_place *p, uint16_t from, uint16_t to)
{
	uint32_t at = csum_at(p);
	uint16_t csum;

	if (!at || (p->proto == PROTO_UDP && !load16(f + at)))
		return;
	csum = csum_update(load16(f + at), from, to);
	store16(f + at, p->proto == PROTO_UDP && !csum ? 0xffff : csum);
}

void frame_set_addr(uint8_t *f, uint32_t len, const struct frame_place *p, enum frame_end end,
		    const union ip_addr *a)
{
	uint32_t at = addr_at(p, end), n = p->family == 6 ? 16 : 4;
	const uint8_t *to = (const uint8_t *)a;

	for (uint32_t i = 0; i < n && p->family; i += 2) {
		uint16_t old = load16(f + at + i), new = load16(to + i);

		if (p->family == 4)
			store16(f + p->l3 + 10, csum_update(load16(f + p->l3 + 10), old, new));
		if (p->proto != PROTO_ICMP)
			l4_changed(f, p, old, new);
	}
	memcpy(f + at, to, n);
}

static bool has_ports(const struct frame_place *p)
{
	return p->l4 && p->proto != PROTO_ICMP && p->proto != PROTO_ICMP6;
}

bool frame_port(const uint8_t *f, const struct frame_place *p, enum frame_end end, uint16_t *port)
{
	if (!has_ports(p))
		return false;
	*port = be16(load16(f + p->l4 + (end == FRAME_SRC ? 0 : 2)));
	return true;
}

void frame_set_port(uint8_t *f, uint32_t len, const struct frame_place *p, enum frame_end end, uint16_t port)
{
	uint8_t *at = f + p->l4 + (end == FRAME_SRC ? 0 : 2);

	if (!has_ports(p))
		return;
	l4_changed(f, p, load16(at), be16(port));
	store16(at, be16(port));
}

uint8_t frame_ttl(const uint8_t *f, const struct frame_place *p)
{
	return f[p->l3 + (p->family == 4 ? 8 : 7)];
}

void frame_set_ttl(uint8_t *f, const struct frame_place *p, uint8_t ttl)
{
	uint8_t *ip = f + p->l3;
	uint16_t old;

	if (p->family == 4) {
		old = load16(ip + 8);
		ip[8] = ttl;
		store16(ip + 10, csum_update(load16(ip + 10), old, load16(ip + 8)));
	} else if (p->family == 6) {
		ip[7] = ttl;
	}
}

// What stands for more than a host, or for this one or link alone.
static bool stays(uint8_t family, const union ip_addr *a)
{
	if (family == 6)
		return a->v6[0] == 0xff || (a->v6[0] == 0xfe && (a->v6[1] & 0xc0) == 0x80) ||
		       (!a->w[0] && be32(load32(a->v6 + 8)) == 0 && be32(load32(a->v6 + 12)) <= 1);
	return !a->v4 || a->v6[0] >= 224 || a->v6[0] == 127;
}

void frame_move_addrs(uint8_t *f, uint32_t len, uint64_t add)
{
	struct frame_place p;
	union ip_addr a;

	frame_place(f, len, &p);
	for (enum frame_end end = FRAME_SRC; end <= FRAME_DST; end++) {
		if (!frame_addr(f, &p, end, &a) || stays(p.family, &a))
			continue;
		if (p.family == 6)
			a.w[1] = __builtin_bswap64(__builtin_bswap64(a.w[1]) + add);
		else
			a.v4 = be32(be32(a.v4) + (uint32_t)add);
		frame_set_addr(f, len, &p, end, &a);
	}
}
