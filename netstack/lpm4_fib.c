// SPDX-License-Identifier: BSD-3-Clause
// lpm4_fib.c - from the prefixes of a /18 to the block that readers see
//
// A /18 is painted from its prefixes, encoded, and compared with its block. Where only next hops
// changed, they are stored one by one into the block; where the runs changed, a new block is
// written, then published by one store of the root word. An address's answer hangs on one aligned
// store either way, so readers see the old next hop or the new one.
#include "netstack/lpm4_priv.h"
#include "netstack/lpm_paint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MID_SIZE  64u  // /24s of a /18
#define DEEP_SIZE 256u // addresses of a /24

#define DEEP_LEAVES 18u // in uint16_t from the start of a deep block

// The largest blocks: 64 leaves and 64 deep words; 256 leaves.
union block {
	uint64_t map[4];
	uint16_t half[DEEP_LEAVES + DEEP_SIZE];
	uint32_t word[(8 + 128 + 256) / 4];
};

static uint16_t *put_runs(uint16_t *leaf, const uint16_t *at, uint64_t map)
{
	for (; map; map &= map - 1)
		*leaf++ = at[__builtin_ctzll(map)];
	return leaf;
}

// Where the deep words of a block with `runs` leaves start, in words; the size in bytes.
static unsigned deep_words(unsigned runs)
{
	return 2 + (runs + 1) / 2;
}

static size_t mid_bytes(unsigned runs, unsigned deeps)
{
	return (deeps ? deep_words(runs) + deeps : deep_words(runs)) * sizeof(uint32_t);
}

static size_t deep_bytes(unsigned runs)
{
	return (DEEP_LEAVES + runs) * sizeof(uint16_t);
}

// Atomic as readers need it: each store is one next hop or one reference.
static void store_leaves(uint16_t *to, const uint16_t *from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (to[i] != from[i])
			__atomic_store_n(to + i, from[i], __ATOMIC_RELAXED);
}

static uint32_t new_block(struct lpm4 *t, const union block *b, size_t bytes)
{
	uint32_t ref = lpm_pool_alloc(&t->fib.pool, bytes);

	memcpy(lpm_pool_at(&t->fib.pool, ref), b, bytes);
	return ref | LPM_IS_BLOCK;
}

// update_deep - bring the deep block of one /24 in line.
static void update_deep(struct lpm4 *t, struct lpm4_handle *h)
{
	struct lpm_canvas c;
	union block b, *old = lpm_pool_at(&t->fib.pool, h->fib);
	uint16_t *leaf = b.half + DEEP_LEAVES;
	uint8_t *rank = (uint8_t *)(b.map + 4);
	uint32_t was = h->fib;
	unsigned runs;

	lpm_paint(&c, DEEP_SIZE, &h->group, lpm_group_entries(&t->rib, &h->group), LPM4_LONG_SHIFT,
		  ~0u);
	for (unsigned w = 0; w < 4; w++) {
		b.map[w] = lpm_boundaries(c.at + 64 * w);
		rank[w] = (uint8_t)(leaf - b.half - DEEP_LEAVES);
		leaf = put_runs(leaf, c.at + 64 * w, b.map[w]);
	}
	runs = leaf - b.half - DEEP_LEAVES;
	if (was && !memcmp(old->map, b.map, sizeof(b.map))) {
		store_leaves(old->half + DEEP_LEAVES, b.half + DEEP_LEAVES, runs);
		return;
	}
	h->all = c.at[0];
	h->fib = runs > 1 ? new_block(t, &b, deep_bytes(runs)) : 0;
	lpm_arena_retire(&t->fib, was);
}

// paint_deeps - let the /24s with longer prefixes stand out: their place becomes the number of
// their deep word. Returns how many.
static unsigned paint_deeps(struct lpm4 *t, struct lpm_canvas *c, const uint32_t *entry,
			    unsigned count, uint32_t *deep)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		uint16_t *at = c->at + ((entry[i] >> LPM4_MID_SHIFT) - LPM4_MID_HANDLE);
		struct lpm4_handle *h = t->handles + (entry[i] & LPM4_HANDLE_MASK);

		if (h->stale || h->group.nh != *at) {
			h->group.nh = *at;
			h->stale = false;
			update_deep(t, h);
		}
		*at = h->fib ? (uint16_t)(LPM_DEEP | n) : h->all;
		if (h->fib)
			deep[n++] = h->fib;
	}
	return n;
}

// same_shape - whether the blocks differ in next hops and references at most.
static bool same_shape(const union block *a, const union block *b, unsigned runs)
{
	const uint16_t *x = a->half + 4, *y = b->half + 4;
	unsigned differ = 0;

	if (a->map[0] != b->map[0])
		return false;
	for (unsigned i = 0; i < runs; i++)
		differ |= x[i] ^ y[i];
	return !(differ & LPM_DEEP);
}

// encode - the block of a painted /18; returns its size in bytes, 0 if one next hop is all.
static size_t encode(union block *b, const struct lpm_canvas *c, const uint32_t *deep,
		     unsigned deeps)
{
	unsigned runs;

	b->map[0] = lpm_boundaries(c->at);
	runs = __builtin_popcountll(b->map[0]);
	if (runs == 1 && !deeps)
		return 0;
	put_runs(b->half + 4, c->at, b->map[0]);
	if (!deeps)
		return mid_bytes(runs, 0);
	// Until here a deep leaf counted from the first deep word, not from the start of the block.
	for (unsigned i = 4; i < 4 + runs; i++)
		if (b->half[i] & LPM_DEEP)
			b->half[i] += deep_words(runs);
	memcpy(b->word + deep_words(runs), deep, deeps * sizeof(*deep));
	return mid_bytes(runs, deeps);
}

static uint32_t *root_at(struct lpm4 *t, uint32_t index)
{
	return (uint32_t *)t->fib.pool.base + index;
}

void lpm4_fib_update(struct lpm4 *t, uint32_t index, struct lpm_group *slot)
{
	const uint32_t *entry = lpm_group_entries(&t->rib, slot);
	uint32_t *root = root_at(t, index), was = *root, deep[MID_SIZE];
	struct lpm_canvas c;
	union block b, *old = lpm_pool_at(&t->fib.pool, was);
	unsigned n = lpm_paint(&c, MID_SIZE, slot, entry, LPM4_MID_SHIFT, LPM4_MID_HANDLE);
	unsigned deeps = paint_deeps(t, &c, entry + n, slot->count - n, deep);
	size_t bytes = encode(&b, &c, deep, deeps);
	unsigned runs = __builtin_popcountll(b.map[0]);

	if (bytes && was & LPM_IS_BLOCK && same_shape(old, &b, runs)) {
		store_leaves(old->half + 4, b.half + 4, runs);
		for (unsigned i = 0, w = deep_words(runs); i < deeps; i++)
			__atomic_store_n(old->word + w + i, deep[i], __ATOMIC_RELEASE);
		return;
	}
	// Release: whoever reads the word finds the block complete.
	__atomic_store_n(root, bytes ? new_block(t, &b, bytes) : c.at[0], __ATOMIC_RELEASE);
	lpm_arena_retire(&t->fib, was);
}

void lpm4_fib_fill(struct lpm4 *t, uint32_t index, uint32_t nh)
{
	uint32_t *root = root_at(t, index);

	for (unsigned i = 0; i < LPM4_PAGE_SLOTS; i++)
		__atomic_store_n(root + i, nh, __ATOMIC_RELAXED);
}

void lpm4_fib_bound(struct lpm4 *t, struct lpm_group *slot, size_t *bytes, size_t *blocks)
{
	const uint32_t *entry = lpm_group_entries(&t->rib, slot);
	unsigned count = slot->count, deeps = 0, runs;

	// A prefix starts a run and ends one, and one of them may be yet to come.
	for (unsigned i = count; i > 0 && entry[i - 1] >> LPM4_MID_SHIFT >= LPM4_MID_HANDLE; i--) {
		struct lpm4_handle *h = t->handles + (entry[i - 1] & LPM4_HANDLE_MASK);

		runs = 2 * h->group.count + 3;
		*bytes += lpm_pool_cost(deep_bytes(runs < DEEP_SIZE ? runs : DEEP_SIZE));
		deeps++;
	}
	runs = 2 * count + 3;
	if (count)
		*bytes += lpm_pool_cost(mid_bytes(runs < MID_SIZE ? runs : MID_SIZE, deeps));
	*blocks += deeps + 1;
}

// More than the largest update of one slot takes: its block and 64 deep ones.
#define SLOT_BYTES  (65 * 768 + LPM_POOL_SLACK)
#define SLOT_BLOCKS 66

int lpm4_fib_reserve(struct lpm4 *t, size_t bytes, size_t blocks)
{
	return lpm_arena_reserve(&t->fib, bytes + SLOT_BYTES, blocks + SLOT_BLOCKS);
}
