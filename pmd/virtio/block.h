// SPDX-License-Identifier: BSD-3-Clause
// block.h - four used buffers at once, in either layout, checked as one by one
//
// For the usual case alone: the device has used four buffers whose ids follow each other, as they
// were posted. Every check is that of a single buffer: flags, id against the driver's record,
// outstanding, length. What fails one is looked at again one by one, which finds the reason. AVX2,
// which every processor that Weir runs on has; an 8-byte word is read at once, wider reads need not
// be.
#ifndef WEIR_PMD_VIRTIO_BLOCK_H
#define WEIR_PMD_VIRTIO_BLOCK_H

#include <immintrin.h>

#include "pmd/virtio/packed.h"

struct virtq_block {
	__m256i buf;   // what buf[] has for them
	__m256i bytes; // that the device says it has written, 64 bits each
};

static always_inline __m256i virtq_block_load(const void *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

// The used elements at places `at` to at + 3 of the ring, none beyond its end: whether they name
// ids `id` to id + 3 (none beyond the queue), all outstanding, with `most` bytes or less. want: as
// in virtq_packed_used_flags().
static always_inline bool virtq_block_used(const struct virtq *vq, unsigned at, unsigned id,
					   uint16_t want, uint32_t most, struct virtq_block *b,
					   bool packed)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff), count = _mm256_set_epi64x(3, 2, 1, 0);
	__m256i ids = _mm256_add_epi64(_mm256_set1_epi64x(id), count), wrong, bad;

	__asm__ volatile("" : : : "memory"); // the device's words are read here, and once
	if (packed) {
		const __m256i keep = _mm256_set1_epi64x((int64_t)0x8080ffff00000000);
		__m256i d01 = virtq_block_load(vq->ring + at),
			d23 = virtq_block_load(vq->ring + at + 2);
		__m256i words = _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(d01, d23), 0xd8);
		__m256i expected =
			_mm256_or_si256(_mm256_slli_epi64(ids, 32),
					_mm256_set1_epi64x((int64_t)((uint64_t)want << 48)));

		wrong = _mm256_xor_si256(_mm256_and_si256(words, keep), expected);
		b->bytes = _mm256_and_si256(words, low);
	} else {
		__m256i words = virtq_block_load(vq->used->ring + at);

		wrong = _mm256_xor_si256(_mm256_and_si256(words, low), ids);
		b->bytes = _mm256_srli_epi64(words, 32);
	}
	__asm__ volatile("" : : : "memory");
	b->buf = virtq_block_load(vq->buf + id);
	bad = _mm256_or_si256(_mm256_cmpgt_epi64(b->bytes, _mm256_set1_epi64x(most)),
			      _mm256_cmpeq_epi64(b->buf, _mm256_setzero_si256()));
	bad = _mm256_or_si256(bad, wrong);
	return _mm256_testz_si256(bad, bad);
}

// Whether p points to four numbers that follow each other, the first being n.
static always_inline bool virtq_block_runs(const uint16_t *p, unsigned n)
{
	uint64_t four;

	__builtin_memcpy(&four, p, sizeof(four));
	return four == n * 0x0001000100010001ull + 0x0003000200010000ull;
}

// Writes packed descriptors d[0] to d[3], the last first: addresses, and words whose flags make
// them the device's. An address is never seen later than its word: on real processors a half of 32
// bytes is written at once, an emulator writes words in rising order.
static always_inline void virtq_block_put(struct virtq_packed_desc *d, __m256i addr, __m256i words)
{
	__m256i even = _mm256_unpacklo_epi64(addr, words), odd = _mm256_unpackhi_epi64(addr, words);

	__asm__ volatile("" : : : "memory"); // release: what is written before stays before
	_mm256_storeu_si256((__m256i *)(void *)(d + 2), _mm256_permute2x128_si256(even, odd, 0x31));
	__asm__ volatile("" : : : "memory");
	_mm256_storeu_si256((__m256i *)(void *)d, _mm256_permute2x128_si256(even, odd, 0x20));
}

#endif
