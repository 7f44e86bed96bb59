// SPDX-License-Identifier: BSD-3-Clause
// gen_fill.c - write packets: copy the head and body, then what changes, field by field for all of a run
//
// What a field changes in a checksum is added up beside the packets: the sum of everything that does not change
// is known (gen_variant.base), so that no packet is summed.
#include <string.h>

#include "apps/pktgen/gen_priv.h"
#include "apps/pktgen/sig.h"
#include "core/lcore.h"
#include "mempool/csum.h"

static_assert(SIG_LEN == BLOB_SIGNATURE, "what blob_open() leaves room for");

struct run { // packets of one stream that are made together
	unsigned n;
	uint8_t *data[GRAPH_BURST];
	const struct gen_variant *v[GRAPH_BURST];
	uint32_t sum[BLOB_SUMS_MAX][GRAPH_BURST];
};

static always_inline void copy_line(uint8_t *to, const uint8_t *from)
{
	memcpy(to, from, GEN_LINE);
}

static always_inline void copy_frame(const struct gen_stream *s, const struct gen_variant *v, uint8_t *to)
{
	unsigned off = s->head_lines * GEN_LINE;
	const uint8_t *from = s->body;

	for (unsigned i = 0; i < s->head_lines; i++)
		copy_line(to + i * GEN_LINE, v->head + i * GEN_LINE);
	for (; off < v->len; off += GEN_LINE, from += GEN_LINE)
		copy_line(to + off, from);
}

static always_inline void begin_packet(const struct gen *g, struct mbuf *m, uint16_t len)
{
	m->data = mbuf_buf(m) + MBUF_HEADROOM;
	m->len = len;
	m->pkt_len = len;
	m->origin = g->origin;
}

// Sums are of words as they lie in memory; at an odd place bytes change sides (RFC 1071, 2(B)).
static always_inline uint32_t fold(uint32_t c)
{
	return (c & 0xffff) + (c >> 16);
}

static always_inline uint32_t placed(uint32_t c, bool odd)
{
	return odd ? fold(fold(c) << 8) : c;
}

static always_inline void add_sums(struct run *r, const uint32_t *c, uint8_t sums, uint8_t minus)
{
	for (unsigned k = 0; sums >> k; k++)
		if (sums >> k & 1)
			for (unsigned i = 0; i < r->n; i++)
				r->sum[k][i] += c[i];
	for (unsigned k = 0; minus >> k; k++)
		if (minus >> k & 1)
			for (unsigned i = 0; i < r->n; i++)
				r->sum[k][i] += 0x1fffe - c[i];
}

static always_inline void put_word(uint8_t *p, uint64_t w, uint64_t keep, unsigned size, bool part)
{
	uint64_t old = 0;

	if (part) {
		memcpy(&old, p, size);
		w |= old & keep;
	}
	memcpy(p, &w, size);
}

// Value to word, as it lies in memory.
static always_inline uint64_t word_of(uint64_t value, unsigned size)
{
	return size == 1 ? (uint8_t)value
	       : size == 2 ? __builtin_bswap16((uint16_t)value)
	       : size == 4 ? __builtin_bswap32((uint32_t)value)
			   : __builtin_bswap64(value);
}

static always_inline void put_field(struct run *r, const struct gen_field *f, const uint64_t *values, unsigned size,
				    bool part)
{
	uint64_t keep = ~word_of(f->mask, size);
	uint32_t c[GRAPH_BURST];

	for (unsigned i = 0; i < r->n; i++) {
		uint64_t w = word_of(values[i] << f->shift & f->mask, size);

		put_word(r->data[i] + f->offset, w, keep, size, part);
		w = (w & 0xffffffff) + (w >> 32);
		c[i] = placed(fold(fold((uint32_t)w) + (uint32_t)(w >> 32)), f->offset & 1);
	}
	add_sums(r, c, f->sums, f->minus);
}

static always_inline void put_any(struct run *r, const struct gen_field *f, const uint64_t *values, bool part)
{
	switch (f->size) {
	case 1:
		put_field(r, f, values, 1, part);
		break;
	case 2:
		put_field(r, f, values, 2, part);
		break;
	case 4:
		put_field(r, f, values, 4, part);
		break;
	case 8:
		put_field(r, f, values, 8, part);
		break;
	}
}

static void fields(struct gen_stream *s, struct run *r)
{
	uint64_t values[GRAPH_BURST];

	for (unsigned i = 0; i < s->fields; i++) {
		struct gen_field *f = &s->field[i];

		gen_field_values(f, values, r->n);
		if (f->part)
			put_any(r, f, values, true);
		else
			put_any(r, f, values, false);
	}
}

// The signature. What all of the run have alike is summed once.
static void sign(const struct gen *g, struct gen_stream *s, struct run *r, uint64_t ns)
{
	uint64_t head = __builtin_bswap64((uint64_t)SIG_MAGIC << 48 | (uint64_t)g->run << 32 |
					  (uint64_t)(uint16_t)s->number << 16);
	uint64_t time = __builtin_bswap64(ns);
	uint32_t same = csum_fold((head & 0xffffffff) + (head >> 32) + (time & 0xffffffff) + (time >> 32));
	uint32_t c[GRAPH_BURST];

	for (unsigned i = 0; i < r->n; i++) {
		unsigned at = r->v[i]->len - SIG_LEN;
		uint8_t *p = r->data[i] + at;
		uint32_t seq = __builtin_bswap32(s->seq + i);

		memcpy(p, &head, 8);
		memcpy(p + SIG_AT_SEQ, &seq, 4);
		memcpy(p + SIG_AT_TIME, &time, 8);
		c[i] = placed(fold(same + (seq & 0xffff) + (seq >> 16)), at & 1);
	}
	add_sums(r, c, s->sig_sums, 0);
}

static always_inline void put_sums(const struct gen_stream *s, struct run *r)
{
	for (unsigned k = 0; k < s->sums; k++) {
		uint32_t never0 = s->sum_ip >> k & 1 ? 0 : 0xffff;

		for (unsigned i = 0; i < r->n; i++) {
			uint32_t x = fold(fold(r->sum[k][i])) ^ 0xffff;
			uint16_t w = (uint16_t)(x ? x : never0);

			memcpy(r->data[i] + s->sum_at[k], &w, 2);
		}
	}
}

static void fill_run(const struct gen *g, struct gen_stream *s, struct run *r, uint64_t ns)
{
	for (unsigned k = 0; k < s->sums; k++)
		for (unsigned i = 0; i < r->n; i++)
			r->sum[k][i] = r->v[i]->base[k];
	fields(s, r);
	if (s->flags & BLOB_STREAM_SIGNED)
		sign(g, s, r, ns);
	put_sums(s, r);
}

void gen_fill(const struct gen *g, struct gen_stream *s, struct mbuf **pkts, const struct gen_variant **v, unsigned n,
	      uint64_t ns)
{
	struct run r = {.n = n};

	for (unsigned i = 0; i < n; i++) {
		const struct gen_variant *one = v[s->variants == 1 ? 0 : i];

		r.v[i] = one;
		begin_packet(g, pkts[i], one->len);
		r.data[i] = pkts[i]->data;
		copy_frame(s, one, r.data[i]);
	}
	fill_run(g, s, &r, ns);
}

unsigned gen_fill_long(const struct gen *g, struct gen_stream *s, struct mbuf **segs, const struct gen_variant *v,
		       uint64_t ns)
{
	uint8_t flat[BLOB_FRAME_MAX + GEN_LINE] cache_aligned;
	struct run r = {.n = 1, .data = {flat}, .v = {v}};
	unsigned used = 0;

	copy_frame(s, v, flat);
	fill_run(g, s, &r, ns);
	for (uint32_t off = 0; off < v->len; used++) {
		uint32_t part = v->len - off < g->room ? v->len - off : g->room;

		begin_packet(g, segs[used], (uint16_t)part);
		memcpy(segs[used]->data, flat + off, part);
		if (used)
			segs[used - 1]->next = segs[used];
		off += part;
	}
	segs[0]->pkt_len = v->len;
	segs[0]->nsegs = (uint8_t)used;
	return used;
}
