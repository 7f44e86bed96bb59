// SPDX-License-Identifier: BSD-3-Clause
// lpm6_avx512.c - IPv6 longest-prefix match, eight addresses at a time
//
// The same steps as lpm6_lookup.c, each for 8 lanes by a gather; lanes that are done are masked off
// and cost no access. Chosen at start, see lpm6.c.
#include "netstack/lpm6_priv.h"

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")))
#define LANES  8u

// Eight addresses on their way through the table.
struct lanes {
	__m512i key; // the bits from 24 on; those of the next level are the highest
	__m512i off; // of the block, in 8 bytes
	__m512i map;
	__m256i word;
	__mmask8 blocks; // lanes whose word is one
};

AVX512 static inline void set_word(struct lanes *l, __m256i word)
{
	const __m256i off = _mm256_set1_epi32(LPM_OFF_MASK);

	l->word = word;
	l->off = _mm512_cvtepu32_epi64(_mm256_and_si256(word, off));
	l->blocks = _mm256_movepi32_mask(word);
}

// in_array - one step through an array, by the 8 bits of hi that end at bit 64 - shift.
AVX512 static inline void in_array(const uint8_t *fib, struct lanes *l, __m512i hi, unsigned shift)
{
	const __m512i byte = _mm512_set1_epi64(255);
	__m512i part = _mm512_and_si512(_mm512_srli_epi64(hi, shift), byte);
	__m512i at = _mm512_add_epi64(_mm512_slli_epi64(l->off, 1), part);

	set_word(l, _mm512_mask_i64gather_epi32(l->word, l->blocks, at, fib, 4));
}

AVX512 static inline struct lanes start(const uint8_t *fib, __m512i a, __m512i b)
{
	// Of each address, as host-order numbers, the bytes 0 to 7 and the bytes 3 to 10.
	const __m512i halves = _mm512_broadcast_i32x4(
		_mm_set_epi8(3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4, 5, 6, 7));
	const __m512i even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
	const __m512i odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
	struct lanes l;
	__m512i hi;

	a = _mm512_shuffle_epi8(a, halves);
	b = _mm512_shuffle_epi8(b, halves);
	hi = _mm512_permutex2var_epi64(a, even, b);
	l.key = _mm512_permutex2var_epi64(a, odd, b);
	set_word(&l, _mm256_set1_epi32((int)LPM_IS_BLOCK)); // the root, at offset 0
	in_array(fib, &l, hi, 56);
	in_array(fib, &l, hi, 48);
	in_array(fib, &l, hi, 40);
	return l;
}

AVX512 static inline void maps(const uint8_t *fib, struct lanes *l)
{
	l->map = _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), l->blocks, l->off, fib, 8);
}

AVX512 static inline void words(const uint8_t *fib, struct lanes *l)
{
	const __m512i ones = _mm512_set1_epi64(-1);
	__m512i beyond = _mm512_srli_epi64(_mm512_xor_si512(l->key, ones), 58);
	__m512i run = _mm512_popcnt_epi64(_mm512_sllv_epi64(l->map, beyond));
	// In words: the bitmap's own two, and the run's number counted from 1.
	__m512i at = _mm512_sub_epi64(_mm512_add_epi64(_mm512_slli_epi64(l->off, 1), run), ones);

	l->key = _mm512_slli_epi64(l->key, 6);
	set_word(l, _mm512_mask_i64gather_epi32(l->word, l->blocks, at, fib, 4));
}

AVX512 static __attribute__((noinline)) void
deeper(const uint8_t *fib, uint32_t def, __mmask8 lanes, const uint8_t (*addrs)[16], uint32_t *nhs)
{
	for (unsigned m = lanes; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctz(m);

		nhs[i] = lpm6_fib_deeper(fib, nhs[i], addrs[i]);
		nhs[i] = nhs[i] == LPM6_MISS ? def : nhs[i];
	}
}

// Addresses that there are of the next eight: two 64-bit halves each.
struct some {
	__mmask8 a, b, lanes;
};

AVX512 static inline struct some some(unsigned n)
{
	unsigned halves = n < LANES ? (1u << 2 * n) - 1 : 0xffff;

	return (struct some){
		.a = (__mmask8)halves,
		.b = (__mmask8)(halves >> 8),
		.lanes = (__mmask8)(n < LANES ? (1u << n) - 1 : 0xff),
	};
}

// bulk - `groups` eights, `last` addresses in the last of them. All maps of a turn are under way
// before the first word is needed: the cache misses overlap.
AVX512 static inline __attribute__((always_inline)) void bulk(const uint8_t *fib, uint32_t def,
							      const uint8_t (*addrs)[16],
							      uint32_t *nhs, const unsigned groups,
							      unsigned last)
{
	struct lanes l[4];
	unsigned left = 0;

#pragma GCC unroll 4
	for (unsigned i = 0; i < groups; i++) {
		const struct some s = some(i == groups - 1 ? last : LANES);
		const uint8_t *at = addrs[LANES * i];

		l[i] = start(fib, _mm512_maskz_loadu_epi64(s.a, at),
			     _mm512_maskz_loadu_epi64(s.b, at + 64));
		left |= l[i].blocks;
	}
	for (unsigned done = 0; left && done < LPM6_KEY_LEVELS; done++) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < groups; i++)
			maps(fib, &l[i]);
		left = 0;
#pragma GCC unroll 4
		for (unsigned i = 0; i < groups; i++) {
			words(fib, &l[i]);
			left |= l[i].blocks;
		}
	}
#pragma GCC unroll 4
	for (unsigned i = 0; i < groups; i++) {
		const struct some s = some(i == groups - 1 ? last : LANES);
		__mmask8 miss;

		miss = _mm256_cmpeq_epi32_mask(l[i].word, _mm256_set1_epi32(LPM6_MISS));
		_mm256_mask_storeu_epi32(nhs + LANES * i, s.lanes,
					 _mm256_mask_set1_epi32(l[i].word, miss, (int)def));
		if (__builtin_expect(left, 0))
			deeper(fib, def, l[i].blocks & s.lanes, addrs + LANES * i, nhs + LANES * i);
	}
}

AVX512 void lpm6_bulk_avx512(const uint8_t *fib, uint32_t def, const uint8_t (*addrs)[16],
			     uint32_t *nhs, unsigned n)
{
	unsigned done = 0;

	for (; n - done >= 4 * LANES; done += 4 * LANES)
		bulk(fib, def, addrs + done, nhs + done, 4, LANES);
	for (; done < n; done += LANES)
		bulk(fib, def, addrs + done, nhs + done, 1, n - done < LANES ? n - done : LANES);
}
