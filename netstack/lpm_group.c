// SPDX-License-Identifier: BSD-3-Clause
// lpm_group.c - groups: sorted arrays of the prefixes of one part of the address space
//
// Full tables have 14 prefixes a /18 that has any, so arrays beat trees in bytes and in time; the
// worst are 191 entries in a /18 and 510 in a /24.
#include "netstack/lpm_group.h"

#include <stdbool.h>
#include <string.h>

static size_t group_bytes(uint32_t count)
{
	return count * sizeof(uint32_t);
}

uint32_t *lpm_group_entries(const struct lpm_pool *rib, struct lpm_group *g)
{
	return g->count > 1 ? lpm_pool_at(rib, g->where) : &g->where;
}

// lower_bound - index of the first entry of `node` or a later node.
static uint32_t lower_bound(const uint32_t *entry, uint32_t count, uint32_t node, unsigned shift)
{
	uint32_t first = 0;

	while (count) {
		uint32_t half = count / 2;
		bool below = entry[first + half] >> shift < node;

		first = below ? first + half + 1 : first;
		count = below ? count - half - 1 : half;
	}
	return first;
}

uint32_t *lpm_group_find(const struct lpm_pool *rib, struct lpm_group *g, uint32_t node,
			 unsigned shift)
{
	uint32_t *entry = lpm_group_entries(rib, g);
	uint32_t i = lower_bound(entry, g->count, node, shift);

	return i < g->count && entry[i] >> shift == node ? entry + i : NULL;
}

// resize - g's entries in a block for `count` of them, those from index i on moved by `by`.
static uint32_t *resize(struct lpm_pool *rib, struct lpm_group *g, uint32_t i, int by)
{
	uint32_t count = g->count + by, tail = by < 0 ? g->count - i - 1 : g->count - i;
	uint32_t single, *from = lpm_group_entries(rib, g), *to;
	uint32_t old = g->count > 1 ? g->where : 0, ref = 0;
	uint32_t skip = by < 0 ? 1 : 0, gap = by < 0 ? 0 : 1;

	if (!old) {
		single = g->where;
		from = &single;
	}
	if (count > 1) {
		ref = old && lpm_pool_fits(old, group_bytes(count))
			      ? old
			      : lpm_pool_alloc(rib, group_bytes(count));
		g->where = ref;
	}
	to = count > 1 ? lpm_pool_at(rib, ref) : &g->where;
	memmove(to + i + gap, from + i + skip, group_bytes(tail));
	if (to != from)
		memcpy(to, from, group_bytes(i));
	if (old && old != ref)
		lpm_pool_free(rib, old);
	g->count = count;
	return to;
}

void lpm_group_put(struct lpm_pool *rib, struct lpm_group *g, uint32_t node, unsigned shift,
		   uint32_t value)
{
	uint32_t *entry = lpm_group_entries(rib, g);
	uint32_t i = lower_bound(entry, g->count, node, shift);

	if (i == g->count || entry[i] >> shift != node)
		entry = resize(rib, g, i, 1);
	entry[i] = node << shift | value;
}

void lpm_group_remove(struct lpm_pool *rib, struct lpm_group *g, uint32_t node, unsigned shift)
{
	uint32_t *entry = lpm_group_entries(rib, g);
	uint32_t i = lower_bound(entry, g->count, node, shift);

	if (i < g->count && entry[i] >> shift == node)
		resize(rib, g, i, -1);
}
