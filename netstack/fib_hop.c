// SPDX-License-Identifier: BSD-3-Clause
// fib_hop.c - hops: found by what they are, counted, numbered; and the notes that tell all lcores
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/fib_priv.h"

uint64_t fib_hash(const void *p, size_t len, uint64_t seed)
{
	const uint8_t *b = p;
	uint64_t x = seed;

	for (size_t i = 0; i < len; i += 8) {
		x = (x ^ load64(b + i)) * 0x9e3779b97f4a7c15ull;
		x ^= x >> 32;
	}
	return x;
}

static uint64_t leaf_hash(uint16_t iface, const union ip_addr *via)
{
	return fib_hash(via, sizeof(*via), iface + 1u);
}

int fib_hops_init(struct fib *f, struct fib_half *h)
{
	uint32_t buckets = 64, notes;

	while (buckets < f->hops)
		buckets *= 2;
	notes = 2 * buckets; // each number is in two at most before it is free again
	h->hop = calloc(f->hops, sizeof(*h->hop));
	h->bucket = calloc(buckets, sizeof(*h->bucket));
	h->note = calloc(notes, sizeof(*h->note));
	if (!h->hop || !h->bucket || !h->note)
		return -ENOMEM;
	h->mask = buckets - 1;
	h->note_mask = notes - 1;
	h->dead_end = &h->dead;
	return 0;
}

void fib_hops_fini(struct fib_half *h)
{
	for (uint32_t i = 0; i < h->top; i++)
		if (h->hop[i].kind == FIB_HOP_GROUP)
			free(h->hop[i].group);
	for (uint32_t i = h->dead; i; i = h->hop[i - 1].next)
		if (h->hop[i - 1].is_group)
			free(h->hop[i - 1].group);
	free(h->hop);
	free(h->bucket);
	free(h->note);
	free(h->via);
}

void fib_post(struct fib_half *h, uint32_t note)
{
	uint64_t n = atomic_load_explicit(&h->posted, memory_order_relaxed);

	h->note[n & h->note_mask] = note;
	atomic_store_explicit(&h->posted, n + 1, memory_order_release);
}

int fib_hop_new(struct fib *f, uint8_t family, uint64_t hash)
{
	struct fib_half *h = fib_half(f, family);
	uint32_t *head = &h->bucket[hash & h->mask];
	uint32_t slot = h->free;

	if (slot)
		h->free = h->hop[--slot].next;
	else if (h->top < f->hops)
		slot = h->top++;
	else
		return -ENOSPC;
	h->hop[slot] = (struct fib_hop){.refs = 1, .next = *head};
	*head = slot + 1;
	return (int)(f->hop0 + slot);
}

int fib_leaf_take(struct fib *f, uint8_t family, uint16_t iface, const union ip_addr *via)
{
	struct fib_half *h = fib_half(f, family);
	uint64_t hash = leaf_hash(iface, via);
	struct fib_hop *hop;
	int index;

	for (uint32_t s = h->bucket[hash & h->mask]; s; s = h->hop[s - 1].next) {
		hop = &h->hop[s - 1];
		if (hop->kind == FIB_HOP_LEAF && hop->iface == iface &&
		    ip_addr_equal(&hop->via, via)) {
			hop->refs++;
			return (int)(f->hop0 + s - 1);
		}
	}
	index = fib_hop_new(f, family, hash);
	if (index < 0)
		return index;
	hop = &h->hop[fib_slot(f, (uint32_t)index)];
	hop->kind = FIB_HOP_LEAF;
	hop->iface = iface;
	hop->via = *via;
	fib_post(h, fib_slot(f, (uint32_t)index));
	return index;
}

void fib_hold(struct fib *f, uint8_t family, uint32_t index)
{
	if (fib_is_hop(f, index))
		fib_half(f, family)->hop[fib_slot(f, index)].refs++;
}

static void unlink_hop(struct fib_half *h, uint32_t slot, uint64_t hash)
{
	uint32_t *link = &h->bucket[hash & h->mask];

	while (*link != slot + 1)
		link = &h->hop[*link - 1].next;
	*link = h->hop[slot].next;
}

// Nothing finds it any longer. A group's leaves follow it, so that all lcores forget it before
// them.
static void die(struct fib *f, uint8_t family, uint32_t slot)
{
	struct fib_half *h = fib_half(f, family);
	struct fib_hop *hop = &h->hop[slot];
	bool group = hop->kind == FIB_HOP_GROUP;

	unlink_hop(h, slot,
		   group ? fib_group_hash(&hop->group->route) : leaf_hash(hop->iface, &hop->via));
	fib_post(h, slot | FIB_NOTE_FORGET | (group ? FIB_NOTE_GROUP : 0));
	hop->kind = FIB_HOP_DEAD;
	hop->is_group = group;
	hop->died = atomic_load_explicit(&h->posted, memory_order_relaxed);
	hop->next = 0;
	*h->dead_end = slot + 1;
	h->dead_end = &hop->next;
	if (group)
		fib_group_die(f, family, slot);
}

void fib_drop(struct fib *f, uint8_t family, uint32_t index)
{
	struct fib_half *h = fib_half(f, family);

	if (fib_is_hop(f, index) && !--h->hop[fib_slot(f, index)].refs)
		die(f, family, fib_slot(f, index));
}

// What every lcore has read.
static uint64_t read_by_all(const struct fib *f, const struct fib_half *h)
{
	uint64_t least = atomic_load_explicit(&h->posted, memory_order_relaxed);

	for (unsigned k = 0; k < f->lcores; k++) {
		uint64_t n = atomic_load_explicit(&h->table[k].read, memory_order_acquire);

		if (h->table[k].t && n < least)
			least = n;
	}
	return least;
}

static void collect(const struct fib *f, struct fib_half *h)
{
	// A group that is to be resolved may still say that it leads through one of them.
	uint64_t read = h->dead && !h->dirty ? read_by_all(f, h) : 0;

	while (h->dead && h->hop[h->dead - 1].died <= read) {
		uint32_t slot = h->dead - 1;
		struct fib_hop *hop = &h->hop[slot];

		h->dead = hop->next;
		if (!h->dead)
			h->dead_end = &h->dead;
		if (hop->is_group)
			free(hop->group);
		*hop = (struct fib_hop){.kind = FIB_HOP_FREE, .next = h->free};
		h->free = slot + 1;
	}
}

void fib_collect(struct fib *f)
{
	collect(f, &f->half[0]);
	collect(f, &f->half[1]);
}
