// SPDX-License-Identifier: BSD-3-Clause
// replay_rewrite.c - MAC addresses, tags, addresses, ports, TTL, length of a captured frame
#include "apps/tool/replay_rewrite.h"

#include <string.h>

#include "apps/replay/frame.h"
#include "apps/tool/ip_text.h"
#include "core/wire.h"

#define TYPE_VLAN 0x8100u

bool replay_rewrites(const struct replay_conf *c)
{
	return c->n_rewrites || c->truncate || c->pad || c->snapped == REPLAY_SNAPPED_PAD || c->fix;
}

// The first rule for its address decides: rules do not follow upon another.
static void map_addr(const struct replay_rewrite *w, uint8_t *f, uint32_t len, const struct frame_place *p,
		     enum frame_end end)
{
	uint8_t family = p->arp ? 4 : p->family;
	union ip_addr a, net;

	if (!frame_addr(f, p, end, &a))
		return;
	for (size_t i = 0; i < w->n_maps; i++) {
		const struct replay_map *m = &w->maps[i];

		if (m->family != family || !ip_match(&a, &m->from, m->plen))
			continue;
		net = ip_mask(&m->to, family, m->plen);
		// The host's bits stay.
		for (unsigned k = 0; k < ip_bits(family) / 8u; k++) {
			unsigned bits = m->plen > 8 * k ? m->plen - 8 * k : 0;
			uint8_t mask = bits >= 8 ? 0xff : (uint8_t)(0xff00u >> bits);

			a.v6[k] = (uint8_t)((a.v6[k] & ~mask) | (net.v6[k] & mask));
		}
		frame_set_addr(f, len, p, end, &a);
		return;
	}
}

static void map_port(const struct replay_rewrite *w, uint8_t *f, uint32_t len, const struct frame_place *p,
		     enum frame_end end)
{
	uint16_t port;

	if (!frame_port(f, p, end, &port))
		return;
	for (size_t i = 0; i < w->n_maps; i++) {
		if (w->maps[i].family || w->maps[i].port_from != port)
			continue;
		frame_set_port(f, len, p, end, w->maps[i].port_to);
		return;
	}
}

static void change_ttl(const struct replay_rewrite *w, uint8_t *f, const struct frame_place *p)
{
	int ttl;

	if (!w->ttl_kind || !p->family)
		return;
	ttl = w->ttl_kind == 1 ? w->ttl : frame_ttl(f, p) + w->ttl;
	frame_set_ttl(f, p, (uint8_t)(ttl < 0 ? 0 : ttl > 255 ? 255 : ttl));
}

// Takes all tags off, and puts the one on that is wanted.
static uint32_t change_vlan(const struct replay_rewrite *w, uint8_t *f, uint32_t len, const struct frame_place *p)
{
	uint32_t tags = 4u * p->tags, tag = w->vlan == REPLAY_VLAN_NONE ? 0 : 4;

	if (w->vlan == REPLAY_VLAN_KEEP || len < 14)
		return len;
	if (tag && tags) { // its priority stays
		uint16_t tci = (uint16_t)((be16(load16(f + 14)) & 0xf000) | w->vlan);

		store16(f + 14, be16(tci));
		memmove(f + 16, f + 12 + tags, len - 12 - tags);
		return len - tags + 4;
	}
	memmove(f + 12 + tag, f + 12 + tags, len - 12 - tags);
	if (tag) {
		store16(f + 12, be16(TYPE_VLAN));
		store16(f + 14, be16(w->vlan));
	}
	return len - tags + tag;
}

static uint32_t apply(const struct replay_rewrite *w, uint8_t *f, uint32_t len)
{
	struct frame_place p;

	if (w->has_dst_mac && len >= 6)
		memcpy(f, w->dst_mac, 6);
	if (w->has_src_mac && len >= 12)
		memcpy(f + 6, w->src_mac, 6);
	frame_place(f, len, &p);
	for (enum frame_end end = FRAME_SRC; w->n_maps && end <= FRAME_DST; end++) {
		map_addr(w, f, len, &p, end);
		map_port(w, f, len, &p, end);
	}
	change_ttl(w, f, &p);
	return change_vlan(w, f, len, &p);
}

static uint32_t pad_to(uint8_t *f, uint32_t len, uint32_t n)
{
	if (n <= len)
		return len;
	memset(f + len, 0, n - len);
	return n;
}

uint32_t replay_rewrite(const struct replay_conf *c, uint16_t port, uint8_t *f, uint32_t len, uint32_t wire)
{
	struct frame_place p;

	if (c->snapped == REPLAY_SNAPPED_PAD)
		len = pad_to(f, len, wire);
	for (size_t i = 0; i < c->n_rewrites; i++)
		if (c->rewrites[i].any_port || c->rewrites[i].port == port)
			len = apply(&c->rewrites[i], f, len);
	if (c->truncate && len > c->truncate)
		len = c->truncate;
	if (c->fix) {
		frame_place(f, len, &p);
		frame_fix(f, len, &p);
	}
	return pad_to(f, len, c->pad);
}
