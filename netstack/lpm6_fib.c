// SPDX-License-Identifier: BSD-3-Clause
// lpm6_fib.c - from the prefixes of a node to the array or block that readers see
//
// A node is painted from its group and compared with its block. Where the runs are the same, words
// are stored one by one into the block; where they changed, a new block is written, and the word of
// the node above that refers to it is stored. An address's answer hangs on one aligned store either
// way, so readers see the old next hop or the new one.
#include "netstack/lpm6_priv.h"
#include "netstack/lpm_paint.h"

#include <string.h>

#define BLOCK_PLACES 64u

struct block {
	uint64_t map;
	uint32_t word[BLOCK_PLACES];
};

static void *at(struct lpm6 *t, uint32_t word)
{
	return lpm_pool_at(&t->fib.pool, word & ~LPM_IS_BLOCK);
}

static size_t block_bytes(unsigned runs)
{
	return sizeof(uint64_t) + runs * sizeof(uint32_t);
}

// paint - node i's places by its own prefixes; *below: its entries for the nodes below it, and how
// many.
static unsigned paint(struct lpm6 *t, struct lpm_canvas *c, struct lpm_group *g, unsigned level,
		      const uint32_t **below)
{
	const uint32_t *entry = lpm_group_entries(&t->rib, g);
	unsigned own =
		lpm_paint(c, 1u << lpm6_bits(level), g, entry, LPM6_SHIFT, lpm6_child(level, 0));

	*below = entry + own;
	return g->count - own;
}

static unsigned part_of(uint32_t entry, unsigned level)
{
	return (entry >> LPM6_SHIFT) - lpm6_child(level, 0);
}

// mark - let the places that have a node below stand out, each by its number.
static void mark(struct lpm_canvas *c, const uint32_t *below, unsigned n, unsigned level)
{
	for (unsigned k = 0; k < n; k++)
		c->at[part_of(below[k], level)] = (uint16_t)(LPM_DEEP | k);
}

static uint32_t word_of(const struct lpm6 *t, uint16_t place, const uint32_t *below)
{
	if (place & LPM_DEEP)
		return t->nodes[below[place & ~LPM_DEEP] & LPM6_VALUE_MASK].word;
	return place;
}

static void write_array(struct lpm6 *t, struct lpm6_node *node, const struct lpm_canvas *c,
			const uint32_t *below)
{
	uint32_t *word, ref = node->word;

	if (!ref)
		ref = lpm_pool_alloc(&t->fib.pool, LPM6_ARRAY * sizeof(*word)) | LPM_IS_BLOCK;
	word = at(t, ref);
	for (unsigned i = 0; i < LPM6_ARRAY; i++)
		__atomic_store_n(word + i, word_of(t, c->at[i], below), __ATOMIC_RELEASE);
	node->word = ref;
}

static void write_block(struct lpm6 *t, struct lpm6_node *node, const struct lpm_canvas *c,
			const uint32_t *below)
{
	struct block *b = at(t, node->word);
	uint32_t was = node->word, ref;
	uint64_t map = lpm_boundaries(c->at);
	uint32_t *word;

	if (was && b->map == map) {
		word = b->word;
		for (; map; map &= map - 1)
			__atomic_store_n(word++, word_of(t, c->at[__builtin_ctzll(map)], below),
					 __ATOMIC_RELEASE);
		return;
	}
	ref = lpm_pool_alloc(&t->fib.pool, block_bytes(__builtin_popcountll(map)));
	b = at(t, ref);
	b->map = map;
	word = b->word;
	for (; map; map &= map - 1)
		*word++ = word_of(t, c->at[__builtin_ctzll(map)], below);
	node->word = ref | LPM_IS_BLOCK;
	lpm_arena_retire(&t->fib, was);
}

void lpm6_fib_settle(struct lpm6 *t, uint32_t i, unsigned level)
{
	const uint32_t *below;
	struct lpm_canvas c;
	unsigned n = paint(t, &c, &t->nodes[i].group, level, &below);

	for (unsigned k = 0; k < n; k++) {
		struct lpm6_node *child = t->nodes + (below[k] & LPM6_VALUE_MASK);
		uint16_t nh = c.at[part_of(below[k], level)];

		if (child->group.nh == nh)
			continue;
		child->group.nh = nh;
		lpm6_fib_settle(t, below[k] & LPM6_VALUE_MASK, level + 1);
	}
	mark(&c, below, n, level);
	if (level < LPM6_ARRAYS)
		write_array(t, t->nodes + i, &c, below);
	else
		write_block(t, t->nodes + i, &c, below);
}

void lpm6_fib_point(struct lpm6 *t, uint32_t above, unsigned level, unsigned part, uint32_t i)
{
	void *p = at(t, t->nodes[above].word);
	uint32_t *word = p;

	if (level < LPM6_ARRAYS) {
		word += part;
	} else {
		uint64_t upto = ((struct block *)p)->map << (BLOCK_PLACES - 1 - part);

		word = ((struct block *)p)->word + __builtin_popcountll(upto) - 1;
	}
	// Release: whoever reads the word finds the block complete.
	__atomic_store_n(word, t->nodes[i].word, __ATOMIC_RELEASE);
}

struct cost {
	size_t bytes, blocks;
};

// weigh - what settling node i, which is to inherit nh, will take from the arena.
static void weigh(struct lpm6 *t, uint32_t i, unsigned level, uint16_t nh, struct cost *sum)
{
	const struct lpm6_node *node = t->nodes + i;
	struct lpm_group g = node->group;
	const uint32_t *below;
	struct lpm_canvas c;
	unsigned n;
	uint64_t map;

	g.nh = nh;
	n = paint(t, &c, &g, level, &below);
	for (unsigned k = 0; k < n; k++) {
		uint32_t child = below[k] & LPM6_VALUE_MASK;
		uint16_t gets = c.at[part_of(below[k], level)];

		if (t->nodes[child].group.nh != gets)
			weigh(t, child, level + 1, gets, sum);
	}
	if (level < LPM6_ARRAYS) {
		if (!node->word)
			sum->bytes += lpm_pool_cost(LPM6_ARRAY * sizeof(uint32_t));
		return;
	}
	mark(&c, below, n, level);
	map = lpm_boundaries(c.at);
	if (node->word && ((struct block *)at(t, node->word))->map == map)
		return;
	sum->bytes += lpm_pool_cost(block_bytes(__builtin_popcountll(map)));
	sum->blocks++;
}

int lpm6_fib_reserve(struct lpm6 *t, uint32_t i, unsigned level)
{
	// Withdrawing a node takes those above it that have nothing else along, and changes one.
	struct cost sum = {
		.bytes = lpm_pool_cost(sizeof(struct block)) + LPM_POOL_SLACK,
		.blocks = LPM6_LEVELS + 1,
	};

	weigh(t, i, level, t->nodes[i].group.nh, &sum);
	return lpm_arena_reserve(&t->fib, sum.bytes, sum.blocks);
}

void lpm6_fib_init(struct lpm6 *t)
{
	t->nodes[0].word = LPM_IS_BLOCK; // offset 0
	t->nodes[0].group.nh = LPM6_MISS;
	lpm6_fib_settle(t, 0, 0);
}
