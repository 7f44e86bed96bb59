// SPDX-License-Identifier: BSD-3-Clause
// fib_resolve.c - recursive next hops: what the routes to them lead to
//
// A next hop that is not on link is looked up in the table of its VRF. A neighbor there is a leaf;
// a group gives its leaves, by their weights; what has no way gives none. Each such next hop stands
// in a sorted array, in which a change of a prefix finds those that it covers; and a group knows
// through which others it leads.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/fib_priv.h"

#define WEIGHT_ONE 4096u // of a path of weight 1, so that parts of it can be told apart
#define STEPS_MAX  4096u // of a search for loops: beyond, it counts as one

// --- the array of next hops that are not on link ---

static int compare(const struct fib_via *v, unsigned vrf, const union ip_addr *addr)
{
	if (v->vrf != vrf)
		return v->vrf < vrf ? -1 : 1;
	return memcmp(&v->via, addr, sizeof(*addr));
}

static uint32_t lower_bound(const struct fib_half *h, unsigned vrf, const union ip_addr *addr)
{
	uint32_t first = 0, n = h->vias;

	while (n) {
		uint32_t half = n / 2;

		if (compare(&h->via[first + half], vrf, addr) < 0) {
			first += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return first;
}

int fib_via_add(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *via,
		uint32_t slot)
{
	struct fib_half *h = fib_half(f, family);
	uint32_t at;

	if (h->vias == h->vias_max) {
		uint32_t max = h->vias_max ? 2 * h->vias_max : 64;
		struct fib_via *grown = realloc(h->via, max * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		h->via = grown;
		h->vias_max = max;
	}
	at = lower_bound(h, vrf, via);
	memmove(&h->via[at + 1], &h->via[at], (h->vias - at) * sizeof(*h->via));
	h->via[at] = (struct fib_via){.via = *via, .vrf = (uint16_t)vrf, .slot = slot};
	h->vias++;
	return 0;
}

void fib_via_remove(struct fib *f, uint8_t family, uint32_t slot)
{
	struct fib_half *h = fib_half(f, family);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < h->vias; i++)
		if (h->via[i].slot != slot)
			h->via[kept++] = h->via[i];
	h->vias = kept;
}

static void mark(struct fib_half *h, uint32_t slot)
{
	struct fib_group *g = h->hop[slot].group;

	if (g->dirty)
		return;
	g->dirty = true;
	g->next_dirty = h->dirty;
	h->dirty = slot + 1;
}

bool fib_mark_within(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		     uint8_t plen)
{
	struct fib_half *h = fib_half(f, family);
	bool any = false;

	if (likely(!h->vias))
		return false;
	for (uint32_t i = lower_bound(h, vrf, prefix);
	     i < h->vias && h->via[i].vrf == vrf && fib_within(&h->via[i].via, prefix, plen); i++) {
		mark(h, h->via[i].slot);
		any = true;
	}
	return any;
}

// --- groups that lead through groups ---

void fib_dep_set(struct fib *f, uint8_t family, struct fib_group *g, unsigned path, uint32_t dep)
{
	struct fib_half *h = fib_half(f, family);
	uint32_t to = dep == FIB_NONE ? 0 : fib_slot(f, dep) + 1;

	if (g->dep[path] == to)
		return;
	if (g->dep[path])
		h->hop[g->dep[path] - 1].groups--;
	if (to)
		h->hop[to - 1].groups++;
	g->dep[path] = (uint16_t)to;
}

static bool leads_to(const struct fib *f, uint8_t family, uint32_t index, uint32_t to,
		     unsigned depth, unsigned *steps)
{
	const struct fib_group *g = fib_group_at(f, family, index);

	if (!g || !g->recursive)
		return false;
	if (depth == FIB_DEPTH_MAX)
		return true;
	for (unsigned i = 0; i < g->route.paths; i++) {
		const struct fib_path *p = &g->route.path[i];
		uint32_t next;

		if (p->iface != FIB_IFACE_ANY)
			continue;
		if (++*steps > STEPS_MAX)
			return true;
		next = fib_lookup(f, family, g->route.vrf, &p->via);
		if (next == to || leads_to(f, family, next, to, depth + 1, steps))
			return true;
	}
	return false;
}

bool fib_leads_to(const struct fib *f, uint8_t family, uint32_t index, uint32_t to)
{
	unsigned steps = 0;

	return leads_to(f, family, index, to, 0, &steps);
}

// Those that lead through group `slot` look anew.
static void mark_dependents(struct fib_half *h, uint32_t slot)
{
	if (!h->hop[slot].groups)
		return;
	for (uint32_t s = 0; s < h->top; s++) {
		const struct fib_group *g = h->hop[s].group;

		if (h->hop[s].kind != FIB_HOP_GROUP || !g->recursive)
			continue;
		for (unsigned i = 0; i < g->route.paths; i++)
			if (g->dep[i] == slot + 1)
				mark(h, s);
	}
}

// --- leaves ---

// One more leaf of an index that is counted for it; or more weight of one that is there.
static void add_leaf(struct fib *f, uint8_t family, struct fib_leaves *l, uint32_t index,
		     uint64_t weight)
{
	uint32_t w = weight > UINT32_MAX ? UINT32_MAX : weight ? (uint32_t)weight : 1;
	unsigned i = 0;

	while (i < l->n && l->leaf[i].index != index)
		i++;
	if (i < l->n) {
		w = l->leaf[i].weight + w < w ? UINT32_MAX : l->leaf[i].weight + w;
		l->leaf[i].weight = w;
		fib_drop(f, family, index);
	} else if (l->n < FIB_LEAVES_MAX) {
		l->leaf[l->n++] = (struct fib_leaf){.weight = w, .index = (uint16_t)index};
	} else {
		fib_drop(f, family, index); // beyond what a group can hold
	}
}

static void add_group(struct fib *f, uint8_t family, struct fib_leaves *l,
		      const struct fib_group *g, uint64_t weight)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < g->leaves.n; i++)
		total += g->leaves.leaf[i].weight;
	for (unsigned i = 0; i < g->leaves.n; i++) {
		const struct fib_leaf *leaf = &g->leaves.leaf[i];

		fib_hold(f, family, leaf->index);
		add_leaf(f, family, l, leaf->index, weight * leaf->weight / total);
	}
}

// A next hop that is not on link; *drop: the index of what drops, where it leads nowhere.
static int add_recursive(struct fib *f, uint8_t family, struct fib_leaves *l, uint32_t slot,
			 unsigned path, uint32_t *drop)
{
	struct fib_group *g = fib_half(f, family)->hop[slot].group;
	const struct fib_path *p = &g->route.path[path];
	uint32_t self = f->hop0 + slot, index = fib_lookup(f, family, g->route.vrf, &p->via);
	const struct fib_group *through = index == FIB_NONE ? NULL : fib_group_at(f, family, index);

	fib_dep_set(f, family, g, path, through && index != self ? index : FIB_NONE);
	g->looped[path] = through && (index == self || fib_leads_to(f, family, index, self));
	if (index == FIB_NONE || g->looped[path])
		return 0;
	if (through && through->leaves.leaf[0].index < ADJ_INDEX_GLEAN0) {
		*drop = through->leaves.leaf[0].index; // its only one
	} else if (through) {
		add_group(f, family, l, through, (uint64_t)p->weight * WEIGHT_ONE);
	} else if (fib_is_hop(f, index)) {
		fib_hold(f, family, index);
		add_leaf(f, family, l, index, (uint64_t)p->weight * WEIGHT_ONE);
	} else if (index >= ADJ_INDEX_GLEAN0) {
		int leaf = fib_leaf_take(f, family, (uint16_t)(index - ADJ_INDEX_GLEAN0), &p->via);

		if (leaf < 0)
			return leaf;
		add_leaf(f, family, l, (uint32_t)leaf, (uint64_t)p->weight * WEIGHT_ONE);
	} else if (index >= ADJ_INDEX_BLACKHOLE) {
		*drop = index;
	}
	return 0;
}

static int add_direct(struct fib *f, uint8_t family, struct fib_leaves *l, const struct fib_path *p)
{
	int leaf = fib_is_zero(&p->via) ? (int)(ADJ_INDEX_GLEAN0 + p->iface)
					: fib_leaf_take(f, family, p->iface, &p->via);

	if (leaf < 0)
		return leaf;
	add_leaf(f, family, l, (uint32_t)leaf, (uint64_t)p->weight * WEIGHT_ONE);
	return 0;
}

// -ENOSPC: there was no number for some leaf, which is left out.
static int find_leaves(struct fib *f, uint8_t family, uint32_t slot, struct fib_leaves *l)
{
	static const uint32_t drops[] = {[FIB_VIA] = ADJ_INDEX_UNREACHABLE,
					 [FIB_BLACKHOLE] = ADJ_INDEX_BLACKHOLE,
					 [FIB_UNREACHABLE] = ADJ_INDEX_UNREACHABLE,
					 [FIB_PROHIBIT] = ADJ_INDEX_PROHIBIT};
	const struct fib_route *r = &fib_half(f, family)->hop[slot].group->route;
	uint32_t drop = drops[r->kind];
	int rc = 0;

	l->n = 0;
	for (unsigned i = 0; i < r->paths; i++) {
		int e = r->path[i].iface == FIB_IFACE_ANY
				? add_recursive(f, family, l, slot, i, &drop)
				: add_direct(f, family, l, &r->path[i]);

		rc = e ? e : rc;
	}
	if (!l->n)
		add_leaf(f, family, l, drop, 1);
	return rc;
}

static bool same_leaves(const struct fib_leaves *a, const struct fib_leaves *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (a->leaf[i].index != b->leaf[i].index || a->leaf[i].weight != b->leaf[i].weight)
			return false;
	return true;
}

static void drop_leaves(struct fib *f, uint8_t family, const struct fib_leaves *l)
{
	for (unsigned i = 0; i < l->n; i++)
		fib_drop(f, family, l->leaf[i].index);
}

int fib_group_resolve(struct fib *f, uint8_t family, uint32_t slot)
{
	struct fib_half *h = fib_half(f, family);
	struct fib_group *g = h->hop[slot].group;
	struct fib_leaves l, before = g->leaves;
	int rc = find_leaves(f, family, slot, &l);

	g->leaves = l;
	if (!same_leaves(&l, &before))
		mark_dependents(h, slot);
	drop_leaves(f, family, &before);
	return rc;
}

static unsigned resolve(struct fib *f, uint8_t family, unsigned n)
{
	struct fib_half *h = fib_half(f, family);

	while (n && h->dirty) {
		uint32_t slot = h->dirty - 1;
		struct fib_group *g = h->hop[slot].group;

		h->dirty = g->next_dirty;
		g->dirty = false;
		n--;
		fib_group_resolve(f, family, slot);
		if (g->changed || same_leaves(&g->leaves, &g->shown))
			continue;
		g->changed = true;
		g->next_changed = h->changed;
		h->changed = slot + 1;
	}
	return n;
}

bool fib_resolve(struct fib *f, unsigned n)
{
	n = resolve(f, 4, n);
	resolve(f, 6, n);
	return f->half[0].dirty || f->half[1].dirty;
}
