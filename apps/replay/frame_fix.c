// SPDX-License-Identifier: BSD-3-Clause
// frame_fix.c - lengths and checksums of a frame anew, from the bytes that are there
#include <string.h>

#include "apps/replay/frame.h"
#include "core/wire.h"
#include "netstack/csum.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

// The IP packet ends with the frame, if it says that it is longer. Where it ends then.
static uint32_t fix_length4(uint8_t *f, uint32_t len, const struct frame_place *p)
{
	uint8_t *ip = f + p->l3;
	uint32_t ihl = (ip[0] & 15u) * 4, there = len - p->l3, total = be16(load16(ip + 2));

	if (total > there || total < ihl)
		total = there < UINT16_MAX ? there : UINT16_MAX;
	store16(ip + 2, be16(total));
	if (ihl < 20 || ihl > there)
		return p->l3 + total;
	store16(ip + 10, 0);
	store16(ip + 10, (uint16_t)~csum_fold(csum_add(0, ip, ihl)));
	return p->l3 + total;
}

static uint32_t fix_length6(uint8_t *f, uint32_t len, const struct frame_place *p)
{
	uint8_t *ip = f + p->l3;
	uint32_t there = len - p->l3 - 40, payload = be16(load16(ip + 4));

	if (payload > there) {
		payload = there;
		store16(ip + 4, be16(payload));
	}
	return p->l3 + 40 + payload;
}

static bool is_fragment(const uint8_t *f, const struct frame_place *p)
{
	if (p->family == 4)
		return be16(load16(f + p->l3 + 6)) & 0x3fff;
	for (uint32_t off = p->l3 + 40, next = f[p->l3 + 6]; off < p->l4;) {
		uint32_t n = next == 44 ? 8 : (f[off + 1] + 1u) * 8;

		if (next == 44)
			return true;
		next = f[off];
		off += n;
	}
	return false;
}

static uint64_t pseudo(const uint8_t *f, const struct frame_place *p, uint32_t n)
{
	uint64_t sum;

	if (p->proto == PROTO_ICMP)
		return 0;
	sum = (uint64_t)be32(n) + be32(p->proto);
	return p->family == 4 ? csum_add(sum, f + p->l3 + 12, 8) : csum_add(sum, f + p->l3 + 8, 32);
}

static void fix_l4(uint8_t *f, const struct frame_place *p, uint32_t end)
{
	uint32_t n = end - p->l4, at = p->proto == PROTO_TCP ? 16 : p->proto == PROTO_UDP ? 6 : 2;
	uint8_t *l4 = f + p->l4;
	uint16_t csum;

	if (end < p->l4 || n < at + 2)
		return;
	if (p->proto == PROTO_UDP) {
		store16(l4 + 4, be16(n));
		if (p->family == 4 && !load16(l4 + 6)) // its sender made none
			return;
	}
	store16(l4 + at, 0);
	csum = (uint16_t)~csum_fold(csum_add(pseudo(f, p, n), l4, n));
	store16(l4 + at, p->proto == PROTO_UDP && !csum ? 0xffff : csum);
}

void frame_fix(uint8_t *f, uint32_t len, const struct frame_place *p)
{
	uint32_t end;

	if (!p->family)
		return;
	end = p->family == 4 ? fix_length4(f, len, p) : fix_length6(f, len, p);
	// The checksum of a fragmented datagram covers what is elsewhere.
	if (!p->l4 || is_fragment(f, p))
		return;
	if (p->proto == PROTO_TCP || p->proto == PROTO_UDP || p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6)
		fix_l4(f, p, end);
}
