// SPDX-License-Identifier: BSD-3-Clause
// gen_fill.c - write packets: copy the head and body, then what changes, field by field for all of a run
//
// What a field changes in a checksum is added up beside the packets: the sum of everything that does not change
// is known (gen_variant.base), so that no packet is summed.
#define GEN_LANES  8
#define GEN_TARGET // x86-64-v3
#include "apps/pktgen/gen_columns.h"

void gen_fill_avx2(const struct gen *g, struct gen_stream *s, struct mbuf **pkts, const struct gen_variant **v,
		   unsigned n, uint64_t ns)
{
	fill(g, s, pkts, v, n, ns);
}

unsigned gen_fill_long(const struct gen *g, struct gen_stream *s, struct mbuf **segs, const struct gen_variant *v,
		       uint64_t ns)
{
	uint8_t flat[BLOB_FRAME_MAX + GEN_LINE] cache_aligned;
	struct run r;
	unsigned used = 0;

	r.n = 1;
	r.data[0] = flat;
	r.v = &v;
	copy_frame(s, v, flat);
	if (s->changes)
		change(g, s, &r, ns, true);
	for (uint32_t off = 0; off < v->len; used++) {
		uint32_t part = v->len - off < g->room ? v->len - off : g->room;

		memcpy(begin_packet(segs[used], (uint16_t)part, g->origin), flat + off, part);
		if (used)
			segs[used - 1]->next = segs[used];
		off += part;
	}
	segs[0]->pkt_len = v->len;
	segs[0]->nsegs = (uint8_t)used;
	return used;
}
