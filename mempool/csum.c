// SPDX-License-Identifier: BSD-3-Clause
// csum.c - the Internet checksum over bytes and over chains of segments
#include "mempool/csum.h"

#include <immintrin.h>

#include "core/wire.h"

#define WIDE 64u

// len bytes, a multiple of WIDE: words of 32 bits, each pair added in a lane of 64.
static uint64_t add_wide(const uint8_t *p, size_t len)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);
	__m256i a = _mm256_setzero_si256(), b = a;
	__m128i half;

	for (const uint8_t *end = p + len; p < end; p += WIDE) {
		__m256i x = _mm256_loadu_si256((const __m256i *)p);
		__m256i y = _mm256_loadu_si256((const __m256i *)(p + 32));

		a = _mm256_add_epi64(a, _mm256_add_epi64(_mm256_and_si256(x, low), _mm256_srli_epi64(x, 32)));
		b = _mm256_add_epi64(b, _mm256_add_epi64(_mm256_and_si256(y, low), _mm256_srli_epi64(y, 32)));
	}
	a = _mm256_add_epi64(a, b);
	half = _mm_add_epi64(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
	return (uint64_t)_mm_cvtsi128_si64(half) + (uint64_t)_mm_extract_epi64(half, 1);
}

uint64_t csum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t *b = p;

	if (len >= 2 * WIDE) {
		sum += add_wide(b, len & ~(size_t)(WIDE - 1));
		b += len & ~(size_t)(WIDE - 1);
		len &= WIDE - 1;
	}
	for (; len >= 16; b += 16, len -= 16)
		sum += (uint64_t)load32(b) + load32(b + 4) + load32(b + 8) + load32(b + 12);
	for (; len >= 2; b += 2, len -= 2)
		sum += load16(b);
	if (len)
		sum += *b;
	return sum;
}

uint64_t csum_add_mbuf(uint64_t sum, const struct mbuf *m, uint32_t off, uint32_t len)
{
	uint32_t done = 0;

	for (; m && done < len; m = m->next) {
		uint32_t n, part;

		if (off >= m->len) {
			off -= m->len;
			continue;
		}
		n = m->len - off < len - done ? m->len - off : len - done;
		part = csum_fold(csum_add(0, m->data + off, n));
		// A segment that starts at an odd place has its bytes the other way round in
		// their words (RFC 1071, 2(B)).
		sum += done & 1 ? be16(part) : part;
		done += n;
		off = 0;
	}
	return sum;
}
