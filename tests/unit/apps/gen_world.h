// SPDX-License-Identifier: BSD-3-Clause
// gen_world.h - blobs with streams by hand, and a generator on them
#ifndef WEIR_TESTS_GEN_WORLD_H
#define WEIR_TESTS_GEN_WORLD_H

#include <stddef.h>

#include "apps/pktgen/gen.h"

#define GW_STREAMS  10000
#define GW_VARIANTS 20000
#define GW_FIELDS   40000
#define GW_BYTES    (8u << 20)

struct gen_world {
	struct blob_params params;
	struct blob_port port[2];
	struct blob_stream *streams;
	struct blob_variant *variants;
	struct blob_field *fields;
	uint8_t *bytes;
	uint32_t n_streams, n_variants, n_fields, n_bytes;
	void *data; // the blob
	size_t len;
	struct blob blob;
};

void gw_init(struct gen_world *w);
void gw_free(struct gen_world *w);

// Adds a stream of UDP over IPv4 without fields: signed unless `plain`, of the given lengths (without FCS), at top
// speed; change what it returns as you like. Its checksums are 0, the header's, and 1, UDP's.
struct blob_stream *gw_udp4(struct gen_world *w, const uint16_t *lens, unsigned n, bool plain);
// The same over IPv6: checksum 0 is UDP's.
struct blob_stream *gw_udp6(struct gen_world *w, const uint16_t *lens, unsigned n, bool plain);
// Adds a field to the stream added last: whole words of `size` bytes.
struct blob_field *gw_field(struct gen_world *w, uint16_t offset, uint8_t size, uint8_t sums);
// Bytes, 8-byte aligned.
uint32_t gw_bytes(struct gen_world *w, const void *p, size_t n);
// Writes the blob and opens it: 0 or as blob_open().
int gw_open(struct gen_world *w, struct err *err);

// Offsets in frames of the above.
#define GW_SRC4	  26
#define GW_DST4	  30
#define GW_SPORT4 34
#define GW_DPORT4 36
#define GW_SRC6	  22
#define GW_DST6	  38
#define GW_SPORT6 54
#define GW_DPORT6 56

#endif
