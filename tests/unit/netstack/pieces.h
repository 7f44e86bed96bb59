// SPDX-License-Identifier: BSD-3-Clause
// pieces.h - fragments of a packet, made by RFC 791, 3.2's procedure, for tests of reassembly
#ifndef WEIR_TESTS_UNIT_NETSTACK_PIECES_H
#define WEIR_TESTS_UNIT_NETSTACK_PIECES_H

#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"

// `len` bytes of p's payload from `off`, as a fragment with p's header.
static inline struct packet piece(const struct packet *p, unsigned off, unsigned len, bool more)
{
	unsigned hlen = (p->b[14] & 15u) * 4;
	struct packet f = {.len = 14 + hlen + len};

	memcpy(f.b, p->b, 14 + hlen);
	if (14 + hlen + off + len <= p->len)
		memcpy(f.b + 14 + hlen, p->b + 14 + hlen + off, len);
	packet_ip(&f)->len = be16(hlen + len);
	packet_ip(&f)->frag = be16(off / 8 | (more ? IP4_MF : 0));
	fix_ip(&f);
	return f;
}

static inline void set_id(struct packet *p, unsigned id)
{
	packet_ip(p)->id = be16(id);
	fix_ip(p);
}

#endif
