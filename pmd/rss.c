// SPDX-License-Identifier: BSD-3-Clause
// rss.c - the Toeplitz hash by tables, and its keys
#include "pmd/rss.h"

#define TWICE(x) x, x
#define PAIR	 0x6d, 0x5a

const uint8_t rss_key[BLOB_RSS_KINDS][RSS_KEY_LEN] = {
	[BLOB_RSS_SYMMETRIC] = {TWICE(TWICE(TWICE(TWICE(PAIR)))), TWICE(TWICE(PAIR))},
	[BLOB_RSS_MICROSOFT] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
				0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
				0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
				0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa},
};

// The 32 bits of the key that begin at `bit`.
static uint32_t key_at(const uint8_t *key, unsigned bit)
{
	uint64_t w = 0;

	for (unsigned i = 0; i < 5; i++)
		w = w << 8 | key[bit / 8 + i];
	return (uint32_t)(w >> (8 - bit % 8));
}

void rss_table_init(struct rss_table *t, const uint8_t key[RSS_KEY_LEN])
{
	t->periodic = true;
	for (unsigned i = 2; i < RSS_KEY_LEN; i++)
		t->periodic &= key[i] == key[i % 2];
	for (unsigned i = 0; i < RSS_INPUT_MAX; i++) {
		for (unsigned v = 0; v < 256; v++) {
			t->word[i][v] = 0;
			for (unsigned b = 0; b < 8; b++)
				if (v & 0x80 >> b)
					t->word[i][v] ^= key_at(key, 8 * i + b);
		}
	}
}
