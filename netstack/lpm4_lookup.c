// SPDX-License-Identifier: BSD-3-Clause
// lpm4_lookup.c - longest-prefix match without vectors
#include "netstack/lpm4_priv.h"

#include <string.h>

#define CHUNK 64u

// upto - the bits 0 to i.
static inline uint64_t upto(unsigned i)
{
	return ~0ull >> (63 - i);
}

static inline const uint8_t *block_at(const uint8_t *fib, uint32_t word)
{
	return fib + (size_t)(word & LPM_OFF_MASK) * 8;
}

static inline uint32_t root_word(const uint8_t *fib, uint32_t addr)
{
	return __atomic_load_n((const uint32_t *)fib + (addr >> 14), __ATOMIC_ACQUIRE);
}

static inline uint32_t block_leaf(const uint8_t *block, uint32_t addr)
{
	uint64_t map = *(const uint64_t *)block;
	// The bitmap's own four uint16_t, and the run's number counted from 1.
	unsigned i = 3 + __builtin_popcountll(map & upto(addr >> 8 & 63));

	return __atomic_load_n((const uint16_t *)block + i, __ATOMIC_ACQUIRE);
}

uint32_t lpm4_deep_lookup(const uint8_t *fib, uint32_t word, uint32_t leaf, uint32_t addr)
{
	const uint32_t *words = (const uint32_t *)block_at(fib, word);
	uint32_t deep = __atomic_load_n(words + (leaf & ~LPM_DEEP), __ATOMIC_ACQUIRE);
	const uint8_t *block = block_at(fib, deep);
	unsigned w = addr >> 6 & 3;
	uint64_t map = ((const uint64_t *)block)[w];
	// 32 bytes of bitmaps, 4 of ranks: leaves start at the 18th uint16_t.
	unsigned i = 17 + block[32 + w] + __builtin_popcountll(map & upto(addr & 63));

	return __atomic_load_n((const uint16_t *)block + i, __ATOMIC_ACQUIRE);
}

uint32_t lpm4_fib_lookup(const uint8_t *fib, uint32_t addr)
{
	uint32_t word = root_word(fib, addr), leaf;

	if (!(word & LPM_IS_BLOCK))
		return word;
	leaf = block_leaf(block_at(fib, word), addr);
	return leaf & LPM_DEEP ? lpm4_deep_lookup(fib, word, leaf, addr) : leaf;
}

// Two passes: the first starts the cache misses of all root words and then blocks, the second finds
// them there. Whether an address has a block is as good as random, so no branch asks: where it has
// none, offset 0 is read, which is the root, and what comes of it dropped.
static inline void bulk_chunk(const uint8_t *fib, uint32_t def, const uint32_t *addrs,
			      uint32_t *nhs, unsigned n)
{
	uint32_t word[CHUNK];

	for (unsigned i = 0; i < n; i++) {
		uint32_t has_block;

		word[i] = root_word(fib, addrs[i]);
		has_block = (uint32_t)((int32_t)word[i] >> 31);
		__builtin_prefetch(block_at(fib, word[i] & has_block));
	}
	for (unsigned i = 0; i < n; i++) {
		uint32_t addr = addrs[i], has_block = (uint32_t)((int32_t)word[i] >> 31);
		uint32_t leaf = block_leaf(block_at(fib, word[i] & has_block), addr) & has_block;

		if (__builtin_expect(leaf & LPM_DEEP, 0))
			leaf = lpm4_deep_lookup(fib, word[i], leaf, addr);
		leaf |= word[i] & ~has_block;
		nhs[i] = leaf == LPM4_MISS ? def : leaf;
	}
}

void lpm4_bulk_scalar(const uint8_t *fib, uint32_t def, const uint32_t *addrs, uint32_t *nhs,
		      unsigned n)
{
	for (; n >= CHUNK; n -= CHUNK, addrs += CHUNK, nhs += CHUNK)
		bulk_chunk(fib, def, addrs, nhs, CHUNK);
	bulk_chunk(fib, def, addrs, nhs, n);
}
