// SPDX-License-Identifier: BSD-3-Clause
// crc32c.c - CRC-32C (Castagnoli) by the SSE4.2 instruction, which is under our floor
#include <immintrin.h>
#include <string.h>

#include "core/blob.h"

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t c = (uint32_t)~crc;
	uint64_t word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		c = _mm_crc32_u64(c, word);
	}
	for (; len; len--, p++)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return ~(uint32_t)c;
}
