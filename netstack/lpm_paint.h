// SPDX-License-Identifier: BSD-3-Clause
// lpm_paint.h - from the prefixes of a part of the address space to the answer of each place
//
// For lpm*_fib.c only. Inline, as the number of places is a constant there.
#ifndef WEIR_NETSTACK_LPM_PAINT_H
#define WEIR_NETSTACK_LPM_PAINT_H

#include "netstack/lpm_group.h"

#include <immintrin.h>

// A painted part: the answer of each of its places. at[-1] is a guard that differs from all.
#define LPM_PLACES 256u // at most
struct lpm_canvas {
	uint16_t guard[16] __attribute__((aligned(32)));
	uint16_t at[LPM_PLACES];
};

static inline void lpm_fill(uint16_t *at, unsigned n, uint16_t nh)
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

// lpm_paint - the n places (a power of two) of group g. Entries of nodes from `end` on are no next
// hops: returns the index of the first of these.
static inline unsigned lpm_paint(struct lpm_canvas *c, unsigned n, const struct lpm_group *g,
				 const uint32_t *entry, unsigned shift, uint32_t end)
{
	unsigned i;

	c->guard[15] = LPM_ABSENT;
	lpm_fill(c->at, n, g->nh);
	for (i = 0; i < g->count; i++) {
		uint32_t node = entry[i] >> shift;
		unsigned depth, width;

		if (node >= end)
			break;
		depth = 31 - __builtin_clz(node);
		width = n >> depth;
		lpm_fill(c->at + (node - (1u << depth)) * width, width, (uint16_t)entry[i]);
	}
	return i;
}

// lpm_boundaries - bit i set where place i differs from the one before it, of 64 places.
static inline uint64_t lpm_boundaries(const uint16_t *at)
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

#endif
