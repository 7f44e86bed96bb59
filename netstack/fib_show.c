// SPDX-License-Identifier: BSD-3-Clause
// fib_show.c - groups as the data path sees them
#include <stdlib.h>
#include <string.h>

#include "netstack/fib_priv.h"

// The interface an adjacency leaves by, or -1.
static int iface_of(const struct fib *f, uint8_t family, uint32_t index)
{
	if (fib_is_hop(f, index))
		return f->half[family == 6].hop[fib_slot(f, index)].iface;
	return index >= ADJ_INDEX_GLEAN0 ? (int)(index - ADJ_INDEX_GLEAN0) : -1;
}

static bool is_down(const struct fib *f, uint8_t family, uint32_t index)
{
	int iface = iface_of(f, family, index);

	if (iface >= 0 && !__atomic_load_n(&f->ifs->iface[iface].live, __ATOMIC_RELAXED))
		return true;
	return fib_is_hop(f, index) && f->half[family == 6].hop[fib_slot(f, index)].down;
}

static void store_ifaces(const struct fib *f, uint8_t family, struct fib_group *g)
{
	uint64_t bits[IFACES_MAX / 64] = {0};

	for (unsigned i = 0; i < g->shown.n; i++) {
		int iface = iface_of(f, family, g->shown.leaf[i].index);

		if (iface >= 0)
			bits[iface / 64] |= 1ull << (iface % 64);
	}
	for (unsigned i = 0; i < IFACES_MAX / 64; i++)
		__atomic_store_n(&g->multi.ifaces[i], bits[i], __ATOMIC_RELAXED);
}

void fib_group_refresh(struct fib *f, uint8_t family, struct fib_group *g)
{
	bool down[FIB_LEAVES_MAX];
	bool same = true;

	for (unsigned i = 0; i < g->shown.n; i++)
		down[i] = is_down(f, family, g->shown.leaf[i].index);
	fib_buckets_repair(g->at, g->home, &g->shown, down);
	for (unsigned b = 0; b < FIB_BUCKETS; b++) {
		same = same && g->at[b] == g->at[0];
		__atomic_store_n(&g->multi.bucket[b], g->shown.leaf[g->at[b]].index,
				 __ATOMIC_RELEASE);
	}
	__atomic_store_n(&g->multi.only, same ? g->shown.leaf[g->at[0]].index : 0,
			 __ATOMIC_RELEASE);
}

// home[] in numbers of the leaves to come, where they are of those before.
static void carry_over(uint8_t home[FIB_BUCKETS], const struct fib_group *from,
		       const struct fib_leaves *to)
{
	uint8_t number[FIB_LEAVES_MAX];

	for (unsigned i = 0; i < from->shown.n; i++) {
		number[i] = 0xff;
		for (unsigned k = 0; k < to->n; k++)
			if (to->leaf[k].index == from->shown.leaf[i].index)
				number[i] = (uint8_t)k;
	}
	for (unsigned b = 0; b < FIB_BUCKETS; b++)
		home[b] = from->shown.n ? number[from->home[b]] : 0xff;
}

static void drop_shown(struct fib *f, uint8_t family, const struct fib_leaves *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		fib_watch(f, family, l->leaf[i].index, -1);
		fib_drop(f, family, l->leaf[i].index);
	}
}

void fib_group_show(struct fib *f, uint8_t family, struct fib_group *g,
		    const struct fib_group *like)
{
	struct fib_leaves before = g->shown;

	carry_over(g->home, like ? like : g, &g->leaves);
	g->shown = g->leaves;
	for (unsigned i = 0; i < g->shown.n; i++) {
		fib_hold(f, family, g->shown.leaf[i].index);
		fib_watch(f, family, g->shown.leaf[i].index, 1);
	}
	fib_buckets_spread(g->home, &g->shown);
	memcpy(g->at, g->home, sizeof(g->at));
	store_ifaces(f, family, g);
	fib_group_refresh(f, family, g);
	drop_shown(f, family, &before);
}

static unsigned publish(struct fib *f, uint8_t family, unsigned n)
{
	struct fib_half *h = fib_half(f, family);

	while (n && h->changed) {
		struct fib_group *g = h->hop[h->changed - 1].group;

		h->changed = g->next_changed;
		g->changed = false;
		fib_group_show(f, family, g, NULL);
		n--;
	}
	return n;
}

bool fib_publish(struct fib *f, unsigned n)
{
	n = publish(f, 4, n);
	publish(f, 6, n);
	return f->half[0].changed || f->half[1].changed;
}

void fib_leaf_changed(void *arg, uint32_t index, bool up)
{
	const struct fib_watch *w = arg;
	struct fib_half *h = fib_half(w->f, w->family);
	struct fib_hop *hop = &h->hop[fib_slot(w->f, index)];

	if (!fib_is_hop(w->f, index) || hop->kind != FIB_HOP_LEAF || hop->down == !up)
		return;
	hop->down = !up;
	for (uint32_t s = 0; s < h->top; s++) {
		struct fib_group *g = h->hop[s].group;

		if (h->hop[s].kind != FIB_HOP_GROUP)
			continue;
		for (unsigned i = 0; i < g->shown.n; i++)
			if (g->shown.leaf[i].index == index) {
				fib_group_refresh(w->f, w->family, g);
				break;
			}
	}
}

void fib_link_changed(struct fib *f)
{
	for (unsigned i = 0; i < 2; i++)
		for (uint32_t s = 0; s < f->half[i].top; s++)
			if (f->half[i].hop[s].kind == FIB_HOP_GROUP)
				fib_group_refresh(f, i ? 6 : 4, f->half[i].hop[s].group);
}

void fib_watch(struct fib *f, uint8_t family, uint32_t index, int by)
{
	struct fib_half *h = fib_half(f, family);
	struct fib_hop *hop;

	if (!fib_is_hop(f, index))
		return;
	hop = &h->hop[fib_slot(f, index)];
	hop->groups += (uint32_t)by;
	if (!hop->known || hop->watched == (hop->groups > 0))
		return;
	hop->watched = hop->groups > 0;
	hop->down = false;
	neigh_watch(h->table[0].t, index, hop->watched);
}

unsigned fib_shares(const struct fib *f, uint8_t family, uint32_t index,
		    struct fib_share out[FIB_LEAVES_MAX])
{
	const struct fib_group *g = fib_group_at(f, family, index);

	if (!g)
		return 0;
	for (unsigned i = 0; i < g->shown.n; i++)
		out[i] = (struct fib_share){.index = g->shown.leaf[i].index};
	for (unsigned b = 0; b < FIB_BUCKETS; b++)
		out[g->at[b]].buckets++;
	return g->shown.n;
}

void fib_group_hide(struct fib *f, uint8_t family, struct fib_group *g)
{
	drop_shown(f, family, &g->shown);
	g->shown.n = 0;
}
