// SPDX-License-Identifier: BSD-3-Clause
// fib_sync.c - the neighbor tables of all lcores, kept in line with the hops
#include <errno.h>

#include "netstack/fib_priv.h"

static void know(struct fib *f, struct fib_half *h, unsigned lcore, uint32_t slot, bool group)
{
	struct neigh_table *t = h->table[lcore].t;
	struct fib_hop *hop = &h->hop[slot];
	uint32_t index = f->hop0 + slot;

	if (group) {
		t->adj[index] =
			(struct adj){.kind = ADJ_MULTI, .reserved = (uintptr_t)&hop->group->multi};
		return;
	}
	neigh_pin(t, index, hop->iface, &hop->via); // the number is free, the neighbor at no other
	if (lcore)
		return;
	hop->known = true;
	fib_watch(f, h->watch.family, index, 0);
}

static void forget(struct fib *f, struct fib_half *h, unsigned lcore, uint32_t slot, bool group)
{
	struct neigh_table *t = h->table[lcore].t;
	uint32_t held = t->held;

	if (group)
		t->adj[f->hop0 + slot] = (struct adj){.kind = ADJ_NONE};
	else
		neigh_unpin(t, f->hop0 + slot);
	if (t->held != held)
		atomic_fetch_add_explicit(&h->table[lcore].lost, held - t->held,
					  memory_order_relaxed);
}

// Of a hop only what stays the same until all have forgotten it is read here: lcore 0 may be at
// work on the rest.
static void sync_half(struct fib *f, struct fib_half *h, unsigned lcore)
{
	struct fib_table *table = &h->table[lcore];
	uint64_t posted = atomic_load_explicit(&h->posted, memory_order_acquire);
	uint64_t n = atomic_load_explicit(&table->read, memory_order_relaxed);

	if (!table->t)
		return;
	for (; n != posted; n++) {
		uint32_t note = h->note[n & h->note_mask];
		uint32_t slot = note & ~(FIB_NOTE_FORGET | FIB_NOTE_GROUP);

		if (note & FIB_NOTE_FORGET)
			forget(f, h, lcore, slot, note & FIB_NOTE_GROUP);
		else
			know(f, h, lcore, slot, note & FIB_NOTE_GROUP);
	}
	atomic_store_explicit(&table->read, n, memory_order_release);
}

void fib_sync(struct fib *f, unsigned lcore)
{
	sync_half(f, &f->half[0], lcore);
	sync_half(f, &f->half[1], lcore);
}

uint64_t fib_lost(const struct fib *f)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < f->lcores; k++)
			n += atomic_load_explicit(&f->half[i].table[k].lost, memory_order_relaxed);
	return n;
}

static bool behind(const struct fib_half *h, unsigned lcores)
{
	uint64_t posted = atomic_load_explicit(&h->posted, memory_order_relaxed);

	for (unsigned k = 0; k < lcores; k++)
		if (h->table[k].t &&
		    atomic_load_explicit(&h->table[k].read, memory_order_relaxed) != posted)
			return true;
	return false;
}

bool fib_wants_sync(const struct fib *f)
{
	return behind(&f->half[0], f->lcores) || behind(&f->half[1], f->lcores);
}

void fib_settle(struct fib *f)
{
	do {
		fib_resolve(f, UINT32_MAX);
		for (unsigned k = 0; k < f->lcores; k++)
			fib_sync(f, k);
		fib_publish(f, UINT32_MAX);
	} while (f->half[0].dirty || f->half[1].dirty || fib_wants_sync(f));
	fib_collect(f);
	fib_quiescent(f);
}

int fib_attach(struct fib *f, uint8_t family, unsigned lcore, struct neigh_table *t,
	       struct err *err)
{
	struct fib_half *h = fib_half(f, family);

	if (lcore >= f->lcores || h->table[lcore].t)
		return err_set(err, -EINVAL,
			       "lcore %u has no place in tables for %u, or has it already", lcore,
			       f->lcores);
	if (t->hop0 != f->hop0 || t->learnt0 != f->hop0 + f->hops)
		return err_set(err, -EINVAL,
			       "a neighbor table with next hops %u to %u, not %u to %u", t->hop0,
			       t->learnt0 - 1, f->hop0, f->hop0 + f->hops - 1);
	h->table[lcore].t = t;
	for (uint32_t s = 0; s < h->top; s++)
		if (h->hop[s].kind == FIB_HOP_LEAF)
			know(f, h, lcore, s, false);
	for (uint32_t s = 0; s < h->top; s++)
		if (h->hop[s].kind == FIB_HOP_GROUP)
			know(f, h, lcore, s, true);
	atomic_store_explicit(&h->table[lcore].read,
			      atomic_load_explicit(&h->posted, memory_order_relaxed),
			      memory_order_release);
	if (!lcore) {
		t->changed = fib_leaf_changed;
		t->changed_arg = &h->watch;
	}
	return 0;
}

void fib_detach(struct fib *f, uint8_t family, unsigned lcore)
{
	struct fib_half *h = fib_half(f, family);

	h->table[lcore].t = NULL;
	for (uint32_t s = 0; !lcore && s < h->top; s++)
		h->hop[s].known = h->hop[s].watched = false;
}
