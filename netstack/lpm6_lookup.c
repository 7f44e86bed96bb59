// SPDX-License-Identifier: BSD-3-Clause
// lpm6_lookup.c - IPv6 longest-prefix match without vectors
#include "netstack/lpm6_priv.h"

#define CHUNK 64u

#define FIRST_KEY 24u // bits of the address where keys begin
#define LAST_KEY  (FIRST_KEY + 6 * LPM6_KEY_LEVELS)

static inline bool is_block(uint32_t word)
{
	return (int32_t)word < 0;
}

static inline const uint8_t *at(const uint8_t *fib, uint32_t word)
{
	return fib + (size_t)(word & LPM_OFF_MASK) * 8;
}

// fetch - what the word refers to; of a next hop the root's array, which is there anyhow.
static inline void fetch(const uint8_t *fib, uint32_t word)
{
	__builtin_prefetch(at(fib, word & (uint32_t)((int32_t)word >> 31)));
}

static inline uint32_t in_array(const uint8_t *array, unsigned part)
{
	return __atomic_load_n((const uint32_t *)array + part, __ATOMIC_ACQUIRE);
}

// The part is in the highest six bits of key.
static inline uint32_t in_block(const uint8_t *block, uint64_t key)
{
	// ~key >> 58 is 63 less the part: bits beyond the part's fall off.
	uint64_t upto = *(const uint64_t *)block << (~key >> 58);
	// The bitmap's own two words, and the run's number counted from 1.
	unsigned i = 1 + __builtin_popcountll(upto);

	return __atomic_load_n((const uint32_t *)block + i, __ATOMIC_ACQUIRE);
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

// in_arrays - the word at bit 24 of an address.
static inline uint32_t in_arrays(const uint8_t *fib, const uint8_t addr[16])
{
	uint32_t word = in_array(fib, addr[0]);

	if (is_block(word))
		word = in_array(at(fib, word), addr[1]);
	if (is_block(word))
		word = in_array(at(fib, word), addr[2]);
	return word;
}

static inline uint64_t first_key(const uint8_t addr[16])
{
	return load64(addr + FIRST_KEY / 8);
}

// below - from a block down, by the bits of key, for `levels` at most.
static uint32_t below(const uint8_t *fib, uint32_t word, uint64_t key, unsigned levels)
{
	for (; is_block(word) && levels; levels--) {
		word = in_block(at(fib, word), key);
		key <<= 6;
	}
	return word;
}

uint32_t lpm6_fib_deeper(const uint8_t *fib, uint32_t word, const uint8_t addr[16])
{
	return below(fib, word, load64(addr + 8) << (LAST_KEY - 64), LPM6_LEVELS);
}

uint32_t lpm6_fib_lookup(const uint8_t *fib, const uint8_t addr[16])
{
	uint32_t word = in_arrays(fib, addr);

	if (is_block(word))
		word = below(fib, word, first_key(addr), LPM6_KEY_LEVELS);
	return is_block(word) ? lpm6_fib_deeper(fib, word, addr) : word;
}

// An address that is still on its way.
struct going {
	uint64_t key;
	uint32_t word;
	uint32_t i;
};

// All addresses of a chunk take one level at a time: the block that one needs next comes into the
// cache while the others are served. Who is done leaves the list, without a branch: where an
// address ends is as good as random.
static inline void bulk_chunk(const uint8_t *fib, uint32_t def, const uint8_t (*addrs)[16],
			      uint32_t *nhs, unsigned n)
{
	struct going going[CHUNK];
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t word = in_arrays(fib, addrs[i]);

		nhs[i] = word;
		going[left] = (struct going){first_key(addrs[i]), word, i};
		fetch(fib, word);
		left += word >> 31;
	}
	for (unsigned done = 0; left && done < LPM6_KEY_LEVELS; done++) {
		unsigned served = left;

		left = 0;
		for (unsigned k = 0; k < served; k++) {
			struct going g = going[k];

			g.word = in_block(at(fib, g.word), g.key);
			g.key <<= 6;
			nhs[g.i] = g.word;
			going[left] = g;
			fetch(fib, g.word);
			left += g.word >> 31;
		}
	}
	for (unsigned k = 0; k < left; k++)
		nhs[going[k].i] = lpm6_fib_deeper(fib, going[k].word, addrs[going[k].i]);
	for (unsigned i = 0; i < n; i++)
		nhs[i] = nhs[i] == LPM6_MISS ? def : nhs[i];
}

void lpm6_bulk_scalar(const uint8_t *fib, uint32_t def, const uint8_t (*addrs)[16], uint32_t *nhs,
		      unsigned n)
{
	for (; n >= CHUNK; n -= CHUNK, addrs += CHUNK, nhs += CHUNK)
		bulk_chunk(fib, def, addrs, nhs, CHUNK);
	bulk_chunk(fib, def, addrs, nhs, n);
}
