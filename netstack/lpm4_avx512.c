// SPDX-License-Identifier: BSD-3-Clause
// lpm4_avx512.c - longest-prefix match, sixteen addresses at a time
//
// The same steps as lpm4_lookup.c, each for 16 lanes by a gather; lanes without a block are masked
// off and cost no access. Chosen at start, see lpm4.c: this file alone uses AVX-512.
#include "netstack/lpm4_priv.h"

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")))
#define LANES  16u
#define ALL    ((__mmask16)0xffff)

// Bitmaps of eight blocks at off (in 8 bytes), counted up to and with bit `bit`.
AVX512 static inline __m256i runs_upto(const uint8_t *fib, __mmask8 lanes, __m256i off, __m256i bit)
{
	const __m512i ones = _mm512_set1_epi64(-1);
	__m512i map = _mm512_mask_i32gather_epi64(_mm512_setzero_si512(), lanes, off, fib, 8);
	__m256i above = _mm256_sub_epi32(_mm256_set1_epi32(63), bit);
	__m512i upto = _mm512_srlv_epi64(ones, _mm512_cvtepu32_epi64(above));

	return _mm512_cvtepi64_epi32(_mm512_popcnt_epi64(_mm512_and_si512(map, upto)));
}

// Sixteen addresses on their way through the table.
struct lanes {
	__m512i addr, word, run, leaf;
	__mmask16 blocks;
};

AVX512 static inline struct lanes roots(const uint8_t *fib, __mmask16 lanes, __m512i addr)
{
	struct lanes l = {.addr = addr};

	l.word = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lanes,
					     _mm512_srli_epi32(addr, 14), fib, 4);
	l.blocks = _mm512_movepi32_mask(l.word);
	return l;
}

AVX512 static inline void runs(const uint8_t *fib, struct lanes *l)
{
	__m512i off = _mm512_and_si512(l->word, _mm512_set1_epi32(LPM_OFF_MASK));
	__m512i bit = _mm512_and_si512(_mm512_srli_epi32(l->addr, 8), _mm512_set1_epi32(63));
	__m256i lo = runs_upto(fib, (__mmask8)l->blocks, _mm512_castsi512_si256(off),
			       _mm512_castsi512_si256(bit));
	__m256i hi = runs_upto(fib, (__mmask8)(l->blocks >> 8), _mm512_extracti32x8_epi32(off, 1),
			       _mm512_extracti32x8_epi32(bit, 1));

	l->run = _mm512_inserti32x8(_mm512_castsi256_si512(lo), hi, 1);
}

// Lanes without a block keep their word.
AVX512 static inline void leaves(const uint8_t *fib, struct lanes *l)
{
	__m512i off = _mm512_and_si512(l->word, _mm512_set1_epi32(LPM_OFF_MASK));
	// In uint16_t from the arena's base: the leaf, less one so that it is the upper half of the
	// 32 bits that a gather reads. These lie in one cache line when the leaf does.
	__m512i at = _mm512_add_epi32(_mm512_slli_epi32(off, 2),
				      _mm512_add_epi32(l->run, _mm512_set1_epi32(2)));
	__m512i pair = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), l->blocks, at, fib, 2);

	l->leaf = _mm512_mask_srli_epi32(l->word, l->blocks, pair, 16);
}

AVX512 static __attribute__((noinline)) void
deep_lanes(const uint8_t *fib, __mmask16 deep, uint32_t def, const struct lanes *l, uint32_t *nhs)
{
	uint32_t words[LANES], addrs[LANES], found[LANES];

	_mm512_storeu_si512(words, l->word);
	_mm512_storeu_si512(addrs, l->addr);
	_mm512_storeu_si512(found, l->leaf);
	for (unsigned m = deep; m; m &= m - 1) {
		unsigned i = __builtin_ctz(m);
		uint32_t nh = lpm4_deep_lookup(fib, words[i], found[i], addrs[i]);

		nhs[i] = nh == LPM4_MISS ? def : nh;
	}
}

AVX512 static inline void store(const uint8_t *fib, uint32_t def, const struct lanes *l,
				uint32_t *nhs, __mmask16 lanes)
{
	__mmask16 miss = _mm512_cmpeq_epi32_mask(l->leaf, _mm512_set1_epi32(LPM4_MISS));
	__mmask16 deep =
		_mm512_mask_test_epi32_mask(l->blocks, l->leaf, _mm512_set1_epi32(LPM_DEEP));

	_mm512_mask_storeu_epi32(nhs, lanes, _mm512_mask_set1_epi32(l->leaf, miss, (int)def));
	if (__builtin_expect(deep, 0))
		deep_lanes(fib, deep & lanes, def, l, nhs);
}

// bulk - n times `groups` sixteens; returns how many addresses were done. All root words of a turn
// are under way before the first block is needed, all blocks before the first leaf: the cache
// misses overlap. Four sixteens take 5 cycles an address where one by one takes 11.
AVX512 static inline __attribute__((always_inline)) unsigned bulk(const uint8_t *fib, uint32_t def,
								  const uint32_t *addrs,
								  uint32_t *nhs, unsigned n,
								  const unsigned groups)
{
	struct lanes l[4];
	unsigned done = 0;

	for (; n - done >= groups * LANES; done += groups * LANES) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < groups; i++)
			l[i] = roots(fib, ALL, _mm512_loadu_si512(addrs + done + LANES * i));
#pragma GCC unroll 4
		for (unsigned i = 0; i < groups; i++)
			runs(fib, &l[i]);
#pragma GCC unroll 4
		for (unsigned i = 0; i < groups; i++)
			leaves(fib, &l[i]);
#pragma GCC unroll 4
		for (unsigned i = 0; i < groups; i++)
			store(fib, def, &l[i], nhs + done + LANES * i, ALL);
	}
	return done;
}

AVX512 void lpm4_bulk_avx512(const uint8_t *fib, uint32_t def, const uint32_t *addrs, uint32_t *nhs,
			     unsigned n)
{
	unsigned done = bulk(fib, def, addrs, nhs, n, 4);

	done += bulk(fib, def, addrs + done, nhs + done, n - done, 2);
	while (done < n) {
		unsigned now = n - done < LANES ? n - done : LANES;
		__mmask16 lanes = (__mmask16)((1u << now) - 1);
		struct lanes l = roots(fib, lanes, _mm512_maskz_loadu_epi32(lanes, addrs + done));

		runs(fib, &l);
		leaves(fib, &l);
		store(fib, def, &l, nhs + done, lanes);
		done += now;
	}
}
