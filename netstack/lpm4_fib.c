// SPDX-License-Identifier: BSD-3-Clause
// lpm4_fib.c - from the prefixes of a /18 to the block that readers see
//
// A /18 is painted from its prefixes, encoded, and compared with its block. Where only next hops
// changed, they are stored one by one into the block; where the runs changed, a new block is
// written, then published by one store of the root word. An address's answer hangs on one aligned
// store either way, so readers see the old next hop or the new one.
#include "netstack/lpm4_priv.h"

#include <errno.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define MID_SIZE  64u  // /24s of a /18
#define DEEP_SIZE 256u // addresses of a /24

#define DEEP_LEAVES 18u // in uint16_t from the start of a deep block

// A painted /18 or /24. at[-1] is a guard that differs from every next hop.
struct canvas {
	uint16_t guard[16] __attribute__((aligned(32)));
	uint16_t at[DEEP_SIZE];
};

// The largest blocks: 64 leaves and 64 deep words; 256 leaves.
union block {
	uint64_t map[4];
	uint16_t half[DEEP_LEAVES + DEEP_SIZE];
	uint32_t word[(8 + 128 + 256) / 4];
};

static void fill(uint16_t *at, unsigned n, uint16_t nh)
{
	__m256i v = _mm256_set1_epi16((short)nh);

	switch (n) {
	case 1:
		*at = nh;
		return;
	case 2:
		_mm_storeu_si32(at, _mm256_castsi256_si128(v));
		return;
	case 4:
		_mm_storeu_si64(at, _mm256_castsi256_si128(v));
		return;
	case 8:
		_mm_storeu_si128((__m128i *)at, _mm256_castsi256_si128(v));
		return;
	}
	for (unsigned i = 0; i < n; i += 16)
		_mm256_storeu_si256((__m256i *)(at + i), v);
}

// paint - the n places of group g; returns how many entries were next hops: those of nodes from
// `end` on are not.
static unsigned paint(struct canvas *c, unsigned n, const struct lpm4_group *g,
		      const uint32_t *entry, unsigned shift, uint32_t end)
{
	unsigned i;

	c->guard[15] = LPM4_ABSENT;
	fill(c->at, n, g->nh);
	for (i = 0; i < g->count; i++) {
		uint32_t node = entry[i] >> shift;
		unsigned depth, width;

		if (node >= end)
			break;
		depth = 31 - __builtin_clz(node);
		width = n >> depth;
		fill(c->at + (node - (1u << depth)) * width, width, (uint16_t)entry[i]);
	}
	return i;
}

// boundaries - bit i set where place i differs from the one before it, of 64 places.
static uint64_t boundaries(const uint16_t *at)
{
	uint64_t same = 0;

	for (unsigned i = 0; i < 64; i += 32) {
		__m256i a = _mm256_loadu_si256((const __m256i *)(at + i));
		__m256i b = _mm256_loadu_si256((const __m256i *)(at + i + 16));
		__m256i pa = _mm256_loadu_si256((const __m256i *)(at + i - 1));
		__m256i pb = _mm256_loadu_si256((const __m256i *)(at + i + 15));
		__m256i eq =
			_mm256_packs_epi16(_mm256_cmpeq_epi16(a, pa), _mm256_cmpeq_epi16(b, pb));

		eq = _mm256_permute4x64_epi64(eq, 0xd8); // packs works on each half
		same |= (uint64_t)(uint32_t)_mm256_movemask_epi8(eq) << i;
	}
	return ~same;
}

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
	uint32_t ref = lpm4_pool_alloc(&t->fib, bytes);

	memcpy(lpm4_pool_at(&t->fib, ref), b, bytes);
	return ref | LPM4_IS_BLOCK;
}

void lpm4_fib_retire(struct lpm4 *t, uint32_t word)
{
	uint32_t ref = word & ~LPM4_IS_BLOCK;

	if (!(word & LPM4_IS_BLOCK))
		return;
	if (t->live)
		t->limbo.refs[t->limbo.count++] = ref;
	else
		lpm4_pool_free(&t->fib, ref);
}

// update_deep - bring the deep block of one /24 in line.
static void update_deep(struct lpm4 *t, struct lpm4_handle *h)
{
	struct canvas c;
	union block b, *old = lpm4_pool_at(&t->fib, h->fib);
	uint16_t *leaf = b.half + DEEP_LEAVES;
	uint8_t *rank = (uint8_t *)(b.map + 4);
	uint32_t was = h->fib;
	unsigned runs;

	paint(&c, DEEP_SIZE, &h->group, lpm4_group_entries(&t->rib, &h->group), LPM4_LONG_SHIFT,
	      ~0u);
	for (unsigned w = 0; w < 4; w++) {
		b.map[w] = boundaries(c.at + 64 * w);
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
	lpm4_fib_retire(t, was);
}

// paint_deeps - let the /24s with longer prefixes stand out: their place becomes the number of
// their deep word. Returns how many.
static unsigned paint_deeps(struct lpm4 *t, struct canvas *c, const uint32_t *entry, unsigned count,
			    uint32_t *deep)
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
		*at = h->fib ? (uint16_t)(LPM4_IS_DEEP | n) : h->all;
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
	return !(differ & LPM4_IS_DEEP);
}

// encode - the block of a painted /18; returns its size in bytes, 0 if one next hop is all.
static size_t encode(union block *b, const struct canvas *c, const uint32_t *deep, unsigned deeps)
{
	unsigned runs;

	b->map[0] = boundaries(c->at);
	runs = __builtin_popcountll(b->map[0]);
	if (runs == 1 && !deeps)
		return 0;
	put_runs(b->half + 4, c->at, b->map[0]);
	if (!deeps)
		return mid_bytes(runs, 0);
	// Until here a deep leaf counted from the first deep word, not from the start of the block.
	for (unsigned i = 4; i < 4 + runs; i++)
		if (b->half[i] & LPM4_IS_DEEP)
			b->half[i] += deep_words(runs);
	memcpy(b->word + deep_words(runs), deep, deeps * sizeof(*deep));
	return mid_bytes(runs, deeps);
}

static uint32_t *root_at(struct lpm4 *t, uint32_t index)
{
	return (uint32_t *)t->fib.base + index;
}

void lpm4_fib_update(struct lpm4 *t, uint32_t index, struct lpm4_group *slot)
{
	const uint32_t *entry = lpm4_group_entries(&t->rib, slot);
	uint32_t *root = root_at(t, index), was = *root, deep[MID_SIZE];
	struct canvas c;
	union block b, *old = lpm4_pool_at(&t->fib, was);
	unsigned n = paint(&c, MID_SIZE, slot, entry, LPM4_MID_SHIFT, LPM4_MID_HANDLE);
	unsigned deeps = paint_deeps(t, &c, entry + n, slot->count - n, deep);
	size_t bytes = encode(&b, &c, deep, deeps);
	unsigned runs = __builtin_popcountll(b.map[0]);

	if (bytes && was & LPM4_IS_BLOCK && same_shape(old, &b, runs)) {
		store_leaves(old->half + 4, b.half + 4, runs);
		for (unsigned i = 0, w = deep_words(runs); i < deeps; i++)
			__atomic_store_n(old->word + w + i, deep[i], __ATOMIC_RELEASE);
		return;
	}
	// Release: whoever reads the word finds the block complete.
	__atomic_store_n(root, bytes ? new_block(t, &b, bytes) : c.at[0], __ATOMIC_RELEASE);
	lpm4_fib_retire(t, was);
}

void lpm4_fib_fill(struct lpm4 *t, uint32_t index, uint32_t nh)
{
	uint32_t *root = root_at(t, index);

	for (unsigned i = 0; i < LPM4_PAGE_SLOTS; i++)
		__atomic_store_n(root + i, nh, __ATOMIC_RELAXED);
}

void lpm4_fib_bound(struct lpm4 *t, struct lpm4_group *slot, size_t *bytes, size_t *blocks)
{
	const uint32_t *entry = lpm4_group_entries(&t->rib, slot);
	unsigned count = slot->count, deeps = 0, runs;

	// A prefix starts a run and ends one, and one of them may be yet to come.
	for (unsigned i = count; i > 0 && entry[i - 1] >> LPM4_MID_SHIFT >= LPM4_MID_HANDLE; i--) {
		struct lpm4_handle *h = t->handles + (entry[i - 1] & LPM4_HANDLE_MASK);

		runs = 2 * h->group.count + 3;
		*bytes += lpm4_pool_cost(deep_bytes(runs < DEEP_SIZE ? runs : DEEP_SIZE));
		deeps++;
	}
	runs = 2 * count + 3;
	if (count)
		*bytes += lpm4_pool_cost(mid_bytes(runs < MID_SIZE ? runs : MID_SIZE, deeps));
	*blocks += deeps + 1;
}

// More than the largest update of one slot takes: its block and 64 deep ones.
#define SLOT_BYTES  (65 * 768 + LPM4_POOL_SLACK)
#define SLOT_BLOCKS 66

static int reserve_limbo(struct lpm4_limbo *l, size_t blocks)
{
	size_t size = l->size + l->size / 2;
	uint32_t *refs;

	if (l->size - l->count >= blocks)
		return 0;
	if (size < l->count + blocks)
		size = l->count + blocks;
	refs = realloc(l->refs, size * sizeof(*refs));
	if (!refs)
		return -ENOMEM;
	l->refs = refs;
	l->size = (uint32_t)size;
	return 0;
}

int lpm4_fib_reserve(struct lpm4 *t, size_t bytes, size_t blocks)
{
	size_t was = t->fib.size;
	void *old;
	int err;

	bytes += SLOT_BYTES;
	if (t->live) {
		err = reserve_limbo(&t->limbo, blocks + SLOT_BLOCKS);
		if (err)
			return err;
		if (t->limbo.arenas == LPM4_MAX_ARENAS)
			return -ENOMEM;
	}
	err = lpm4_pool_grow(&t->fib, bytes, &old);
	if (err || !old)
		return err;
	if (t->live) {
		t->limbo.arena[t->limbo.arenas] = old;
		t->limbo.arena_bytes += was;
		t->limbo.arenas++;
	} else {
		free(old);
	}
	return 0;
}
