// SPDX-License-Identifier: BSD-3-Clause
// rss.h - receive side scaling: the Toeplitz hash of a flow, its keys, and the lcore it leads to
//
// Source: Microsoft, "RSS hashing functions" and "Verifying the RSS hash calculation";
// virtio 1.2, 5.1.6.4.3. The input is the source address, the destination address, and, where a
// protocol has ports, source and destination port, all as on the wire.
#ifndef WEIR_PMD_RSS_H
#define WEIR_PMD_RSS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/blob.h"
#include "core/lcore.h"

#define RSS_KEY_LEN   40
#define RSS_INPUT_MAX 36  // IPv6: two addresses and two ports
#define RSS_LANES     128 // of an indirection table: a flow's is its hash modulo this

// By enum blob_rss. The symmetric key is 6d5a repeated: both directions of a flow have one hash.
// (S. Woo, K. Park: "Scalable TCP session monitoring with symmetric receive-side scaling", 2012.)
extern const uint8_t rss_key[BLOB_RSS_KINDS][RSS_KEY_LEN];

// The queue (lcore) of a lane, of n.
static inline unsigned rss_queue(unsigned lane, unsigned n)
{
	return lane % n;
}

// Every byte's share of the hash, by its place and value.
struct rss_table {
	uint32_t word[RSS_INPUT_MAX][256];
	bool periodic; // the key repeats every 16 bits: rss_hash16() will do
};

void rss_table_init(struct rss_table *t, const uint8_t key[RSS_KEY_LEN]);

// The hash of len bytes, at most RSS_INPUT_MAX.
static inline uint32_t rss_hash(const struct rss_table *t, const uint8_t *in, unsigned len)
{
	uint32_t h = 0;

	for (unsigned i = 0; i < len; i++)
		h ^= t->word[i][in[i]];
	return h;
}

// With a periodic key: the hash of any input, from the exclusive or of its 16-bit words (as loaded
// from memory), since the hash is linear and each word meets the same key.
static always_inline uint32_t rss_hash16(const struct rss_table *t, uint16_t words)
{
	return t->word[0][words & 0xff] ^ t->word[1][words >> 8];
}

#endif
