// SPDX-License-Identifier: BSD-3-Clause
// csum.c - the Internet checksum over bytes and over chains of segments
#include "mempool/csum.h"

#include "core/wire.h"

uint64_t csum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t *b = p;

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
