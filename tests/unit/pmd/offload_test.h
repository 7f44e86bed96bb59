// SPDX-License-Identifier: BSD-3-Clause
// offload_test.h - packets of offload_frames.h as chains, for the tests of offloads
#ifndef WEIR_TESTS_OFFLOAD_TEST_H
#define WEIR_TESTS_OFFLOAD_TEST_H

#include "port_test.h"

#include "offload_frames.h"

#define OFFLOAD_CASES (sizeof(offload_cases) / sizeof(offload_cases[0]))
#define OFFLOAD_FRAME 70000u

static inline unsigned unhex_frame(const char *hex, uint8_t *out)
{
	unsigned n = 0;

	for (; hex[2 * n]; n++) {
		char byte[3] = {hex[2 * n], hex[2 * n + 1], 0};

		out[n] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

// Headers and n bytes of the payload's pattern from `start`; returns the length of both.
static inline unsigned offload_frame(const char *headers, unsigned start, unsigned n, uint8_t *out)
{
	unsigned len = unhex_frame(headers, out);

	for (unsigned i = start; i < start + n; i++)
		out[len++] = (uint8_t)(7 * i + i / 256);
	return len;
}

// A chain whose first segment has `first` bytes and the others `seg`.
static inline struct mbuf *offload_chain(struct mempool *pool, const uint8_t *p, unsigned len,
					 unsigned first, unsigned seg)
{
	struct mbuf *head = NULL, **at = &head;
	unsigned room = first;

	for (unsigned off = 0; off < len; off += room, room = seg) {
		struct mbuf *m = mbuf_alloc(pool);
		unsigned n = len - off < room ? len - off : room;

		assert_non_null(m);
		memcpy(mbuf_append(m, (uint16_t)n), p + off, n);
		room = n;
		*at = m;
		at = &m->next;
		if (m != head)
			head->nsegs++;
	}
	head->pkt_len = len;
	return head;
}

#endif
