// SPDX-License-Identifier: BSD-3-Clause
// lpm6_walk.c - the prefixes of a table one after the other
//
// In the order of the tree, behind ::/0: of each node first the prefixes that end in it, short ones first, then
// the nodes below from left to right.
#include <errno.h>

#include "netstack/lpm6_priv.h"

struct place { // of a prefix
	lpm6_key prefix;
	uint8_t len;
	uint32_t nh;
};

// The prefix that an entry of a node stands for; part: the bits above the node.
static bool found(struct place *p, lpm6_key part, unsigned level, uint32_t entry)
{
	uint32_t node = entry >> LPM6_SHIFT;
	unsigned d = 31 - (unsigned)__builtin_clz(node), len = lpm6_pos(level) + d;
	lpm6_key below = node - (1u << d);

	p->prefix = part | (len ? below << (128 - len) : 0);
	p->len = (uint8_t)len;
	p->nh = entry & LPM6_VALUE_MASK;
	return true;
}

static lpm6_key part_of_child(lpm6_key part, unsigned level, uint32_t node)
{
	unsigned end = lpm6_pos(level + 1);
	lpm6_key child = node - lpm6_child(level, 0);

	return part | child << (128 - end);
}

// The first prefix in node i and below, from entry `from` of the node on.
static bool in_node(const struct lpm6 *t, struct place *p, uint32_t i, unsigned level,
		    lpm6_key part, uint32_t from)
{
	struct lpm_group *g = &t->nodes[i].group;
	const uint32_t *entry = lpm_group_entries(&t->rib, g);

	for (uint32_t k = 0; k < g->count; k++) {
		uint32_t node = entry[k] >> LPM6_SHIFT;

		if (node < from)
			continue;
		if (node < lpm6_child(level, 0))
			return found(p, part, level, entry[k]);
		if (in_node(t, p, entry[k] & LPM6_VALUE_MASK, level + 1,
			    part_of_child(part, level, node), 0))
			return true;
	}
	return false;
}

static lpm6_key cut(lpm6_key addr, unsigned bits)
{
	return bits ? addr >> (128 - bits) << (128 - bits) : 0;
}

// What comes behind p in node i, which holds it or leads to it, and below.
static bool behind(const struct lpm6 *t, struct place *p, uint32_t i, unsigned level,
		   lpm6_key prefix, uint8_t len)
{
	lpm6_key part = cut(prefix, lpm6_pos(level));
	unsigned top = lpm6_pos(level), end = lpm6_pos(level + 1);
	uint32_t node, *child;

	if (len <= end || level == LPM6_LEVELS - 1) {
		unsigned d = len - top;

		node = 1u << d | (d ? (uint32_t)((prefix << top) >> (128 - d)) : 0);
		return in_node(t, p, i, level, part, node + 1);
	}
	node = lpm6_child(level, lpm6_part(prefix, level));
	child = lpm_group_find(&t->rib, &t->nodes[i].group, node, LPM6_SHIFT);
	if (child && behind(t, p, *child & LPM6_VALUE_MASK, level + 1, prefix, len))
		return true;
	return in_node(t, p, i, level, part, node + 1);
}

static int tell(const struct place *p, uint8_t prefix[16], uint8_t *len)
{
	for (unsigned i = 0; i < 16; i++)
		prefix[i] = (uint8_t)(p->prefix >> (120 - 8 * i));
	*len = p->len;
	return (int)p->nh;
}

int lpm6_first(const struct lpm6 *t, uint8_t prefix[16], uint8_t *len)
{
	struct place p = {.nh = t->def}; // ::/0

	if (t->def == LPM6_MISS && !in_node(t, &p, 0, 0, 0, 0))
		return -ENOENT;
	return tell(&p, prefix, len);
}

int lpm6_next(const struct lpm6 *t, uint8_t prefix[16], uint8_t *len)
{
	struct place p;

	if (*len > 128 || !behind(t, &p, 0, 0, lpm6_load(prefix), *len))
		return -ENOENT;
	return tell(&p, prefix, len);
}
