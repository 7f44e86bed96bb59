// SPDX-License-Identifier: BSD-3-Clause
// fuzz_rss.c - the flow of any frame: read within its bytes, the same by either key, hashed by both
// the same
//
// The first byte is where the frame's first segment ends, from its end; the frame is in memory of
// its own, so that a byte read beyond it is seen.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/rss_node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rss_table table[BLOB_RSS_KINDS];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mbuf m = {.nsegs = 1, .refcnt = 1};
	uint32_t hash[2] = {0}, slow;
	struct rss_table general;
	bool flow[2];
	size_t len;

	if (!table[0].periodic)
		for (unsigned key = 0; key < BLOB_RSS_KINDS; key++)
			rss_table_init(&table[key], rss_key[key]);
	if (size < 1 || size > 2048)
		return 0;
	len = size - 1 < data[0] % 64u ? 0 : size - 1 - data[0] % 64u;
	m.data = malloc(len ? len : 1);
	if (!m.data)
		return 0;
	memcpy(m.data, data + 1, len);
	m.len = (uint16_t)len;
	m.pkt_len = (uint32_t)size - 1;
	for (unsigned key = 0; key < 2; key++)
		flow[key] = rss_flow(&table[key], &m, &hash[key]);
	// The symmetric key's short way and the way of any key.
	general = table[BLOB_RSS_SYMMETRIC];
	general.periodic = false;
	if (flow[0] != flow[1] || rss_flow(&general, &m, &slow) != flow[0] ||
	    (flow[0] && slow != hash[BLOB_RSS_SYMMETRIC])) {
		fprintf(stderr, "fuzz_rss: flow %d %d, hash %08x\n", flow[0], flow[1], hash[0]);
		abort();
	}
	free(m.data);
	return 0;
}
