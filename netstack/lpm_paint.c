// SPDX-License-Identifier: BSD-3-Clause
// lpm_paint.c - from the prefixes of a part of the address space to the answer of each place
#include "netstack/lpm_group.h"

#include <immintrin.h>

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

unsigned lpm_paint(struct lpm_canvas *c, unsigned n, const struct lpm_group *g,
		   const uint32_t *entry, unsigned shift, uint32_t end)
{
	unsigned i;

	c->guard[15] = LPM_ABSENT;
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

uint64_t lpm_boundaries(const uint16_t *at)
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
