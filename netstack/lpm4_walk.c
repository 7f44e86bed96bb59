// SPDX-License-Identifier: BSD-3-Clause
// lpm4_walk.c - the prefixes of a table one after the other
//
// In the order of the parts that keep them: length 0; lengths 1 to 7; then of each /8 lengths 8 to 17, and of
// each /18 in it lengths 18 to 24, and of each /24 in that 25 to 32; in a part short ones first.
#include <errno.h>

#include "netstack/lpm4_priv.h"

struct place { // of a prefix
	uint32_t prefix;
	uint8_t len;
	uint32_t nh;
};

static unsigned depth(uint32_t node)
{
	return 31 - (unsigned)__builtin_clz(node);
}

// The node of a part of length `top` that a prefix within it is.
static uint32_t node_of(const struct place *p, unsigned top)
{
	unsigned d = p->len - top;

	return 1u << d | (d ? (p->prefix << top) >> (32 - d) : 0);
}

static bool found(struct place *p, uint32_t part, unsigned top, uint32_t node, uint32_t nh)
{
	unsigned d = depth(node), len = top + d;
	uint32_t below = node - (1u << d);

	p->prefix = part | (len ? below << (32 - len) : 0);
	p->len = (uint8_t)len;
	p->nh = nh;
	return true;
}

// The first node from `node` on in an array of n.
static bool in_array(struct place *p, const uint16_t *nodes, uint32_t n, uint32_t part,
		     unsigned top, uint32_t node)
{
	for (; node < n; node++)
		if (nodes[node] != LPM_ABSENT)
			return found(p, part, top, node, nodes[node]);
	return false;
}

// The first of a /24's from `node` on.
static bool in_long(const struct lpm4 *t, struct place *p, uint32_t handle, uint32_t part,
		    uint32_t node)
{
	struct lpm_group *g = &t->handles[handle].group;
	const uint32_t *entry = lpm_group_entries(&t->rib, g);

	for (uint32_t i = 0; i < g->count; i++)
		if (entry[i] >> LPM4_LONG_SHIFT >= node)
			return found(p, part, 24, entry[i] >> LPM4_LONG_SHIFT,
				     entry[i] & ((1u << LPM4_LONG_SHIFT) - 1));
	return false;
}

// The first of a /18's from `node` on; of a /24 that it leads to, from `deep` on.
static bool in_slot(const struct lpm4 *t, struct place *p, struct lpm_group *g, uint32_t part,
		    uint32_t node, uint32_t deep)
{
	const uint32_t *entry = lpm_group_entries(&t->rib, g);

	for (uint32_t i = 0; i < g->count; i++) {
		uint32_t at = entry[i] >> LPM4_MID_SHIFT, value = entry[i] & LPM4_HANDLE_MASK;

		if (at < node)
			continue;
		if (at < LPM4_MID_HANDLE)
			return found(p, part, 18, at, value);
		if (in_long(t, p, value, part | (at - LPM4_MID_HANDLE) << 8, at == node ? deep : 0))
			return true;
	}
	return false;
}

// The first of a /8's slots from `slot` on, and of that from `node` on.
static bool in_slots(const struct lpm4 *t, struct place *p, uint32_t page, uint32_t slot,
		     uint32_t node, uint32_t deep)
{
	for (; slot < LPM4_PAGE_SLOTS; slot++, node = 0)
		if (in_slot(t, p, &t->pages[page]->slots[slot], page << 24 | slot << 14, node,
			    deep))
			return true;
	return false;
}

static bool in_pages(const struct lpm4 *t, struct place *p, uint32_t page)
{
	for (; page < 256; page++) {
		if (!t->pages[page])
			continue;
		if (in_array(p, t->pages[page]->nodes, 1024, page << 24, 8, 1) ||
		    in_slots(t, p, page, 0, 0, 0))
			return true;
	}
	return false;
}

static bool next(const struct lpm4 *t, struct place *p)
{
	uint32_t page = p->prefix >> 24, slot = p->prefix >> 14 & 1023;

	if (p->len < 8)
		return in_array(p, t->nodes, 256, 0, 0, node_of(p, 0) + 1) || in_pages(t, p, 0);
	if (t->pages[page]) {
		if (p->len < 18 &&
		    (in_array(p, t->pages[page]->nodes, 1024, page << 24, 8, node_of(p, 8) + 1) ||
		     in_slots(t, p, page, 0, 0, 0)))
			return true;
		if (p->len >= 18 && p->len <= 24 &&
		    in_slots(t, p, page, slot, node_of(p, 18) + 1, 0))
			return true;
		if (p->len > 24 &&
		    in_slots(t, p, page, slot, LPM4_MID_HANDLE + (p->prefix >> 8 & 63),
			     node_of(p, 24) + 1))
			return true;
	}
	return in_pages(t, p, page + 1);
}

int lpm4_first(const struct lpm4 *t, uint32_t *prefix, uint8_t *len)
{
	struct place p = {.nh = t->def}; // 0.0.0.0/0

	if (t->def == LPM4_MISS && !in_array(&p, t->nodes, 256, 0, 0, 2) && !in_pages(t, &p, 0))
		return -ENOENT;
	*prefix = p.prefix;
	*len = p.len;
	return (int)p.nh;
}

int lpm4_next(const struct lpm4 *t, uint32_t *prefix, uint8_t *len)
{
	struct place p = {.prefix = *prefix, .len = *len};

	if (*len > 32 || !next(t, &p))
		return -ENOENT;
	*prefix = p.prefix;
	*len = p.len;
	return (int)p.nh;
}
