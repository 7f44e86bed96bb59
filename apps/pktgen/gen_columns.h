// SPDX-License-Identifier: BSD-3-Clause
// gen_columns.h - a run of packets as columns: one value, word or sum of each packet next to another
//
// Included once for every kind of processor, with GEN_LANES (numbers of 32 bits in a vector) and GEN_TARGET (an
// attribute of functions). Columns are whole vectors long: what is beyond the run's packets is written too, and
// means nothing.
#ifndef WEIR_APPS_PKTGEN_GEN_COLUMNS_H
#define WEIR_APPS_PKTGEN_GEN_COLUMNS_H

#include <string.h>

#include "apps/pktgen/gen_priv.h"
#include "apps/pktgen/sig.h"
#include "core/lcore.h"
#include "mempool/csum.h"

#define GEN_INLINE static always_inline GEN_TARGET

static_assert(SIG_LEN == BLOB_SIGNATURE, "what blob_open() leaves room for");
static_assert(GRAPH_BURST % GEN_LANES == 0, "columns are whole vectors long");

typedef uint32_t lanes __attribute__((vector_size(4 * GEN_LANES), may_alias));
typedef uint8_t lane_bytes __attribute__((vector_size(4 * GEN_LANES)));

struct column {
	uint32_t v[GRAPH_BURST];
} __attribute__((aligned(64)));

struct run { // packets of one stream that are made together
	unsigned n;
	uint8_t *data[GRAPH_BURST];
	const struct gen_variant *const *v; // of each; of the first alone where the stream has but one
	struct column sum[BLOB_SUMS_MAX];
};

#define EACH_VECTOR(r, i) for (unsigned i = 0; i < (r)->n; i += GEN_LANES)

GEN_INLINE lanes *at(struct column *c, unsigned i)
{
	return (lanes *)(c->v + i);
}

GEN_INLINE lanes all(uint32_t v)
{
	return (lanes){0} + v;
}

// 0, 1, 2 and so on.
GEN_INLINE lanes numbers(void)
{
	lanes v;

	for (unsigned i = 0; i < GEN_LANES; i++)
		v[i] = i;
	return v;
}

GEN_INLINE lanes swap32(lanes v)
{
	lane_bytes order;

	for (unsigned i = 0; i < 4 * GEN_LANES; i++)
		order[i] = (uint8_t)(i ^ 3);
#ifdef __clang__
	return (v >> 24) | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
#else
	return (lanes)__builtin_shuffle((lane_bytes)v, order);
#endif
}

// Sums are of 16-bit words as they lie in memory; at an odd place bytes change sides (RFC 1071, 2(B)).
GEN_INLINE lanes fold(lanes c)
{
	return (c & 0xffff) + (c >> 16);
}

// Below 0x1ffff.
GEN_INLINE lanes placed(lanes c, bool odd)
{
	return odd ? fold(fold(c) << 8) : c;
}

GEN_INLINE void add_sums(struct run *r, struct column *c, uint8_t sums, uint8_t minus)
{
	for (unsigned k = 0; k < BLOB_SUMS_MAX; k++) {
		if (sums >> k & 1)
			EACH_VECTOR(r, i)
				*at(&r->sum[k], i) += *at(c, i);
		else if (minus >> k & 1)
			EACH_VECTOR(r, i)
				*at(&r->sum[k], i) += 0x1fffe - *at(c, i);
	}
}

// Values to words as they lie in memory, and what they are in sums.
GEN_INLINE void to_words(struct run *r, const struct gen_field *f, struct column *v, struct column *c, unsigned size)
{
	uint32_t mask = (uint32_t)f->mask;
	bool odd = f->offset & 1;

	EACH_VECTOR(r, i) {
		lanes w = *at(v, i) << f->shift & mask;

		if (size > 1)
			w = swap32(w) >> (32 - 8 * size);
		*at(v, i) = w;
		*at(c, i) = placed(size == 4 ? fold(w) : w, odd);
	}
}

GEN_INLINE void put_words(const struct run *r, const struct gen_field *f, const struct column *words, unsigned size,
			  bool part)
{
	uint32_t mask = (uint32_t)f->mask;
	uint32_t keep = ~(size > 1 ? __builtin_bswap32(mask) >> (32 - 8 * size) : mask);
	unsigned n = r->n, offset = f->offset; // what is written may be anything, for all the compiler knows

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		uint8_t *p = r->data[i] + offset;
		uint32_t w = words->v[i], old = 0;

		if (part) {
			memcpy(&old, p, size);
			w |= old & keep;
		}
		memcpy(p, &w, size);
	}
}

GEN_INLINE void put_field(struct run *r, const struct gen_field *f, struct column *v, unsigned size)
{
	struct column c;

	to_words(r, f, v, &c, size);
	if (f->part)
		put_words(r, f, v, size, true);
	else
		put_words(r, f, v, size, false);
	add_sums(r, &c, f->sums, f->minus);
}

// Words of 8 bytes, one by one.
GEN_INLINE void put_long(struct run *r, struct gen_field *f)
{
	uint64_t values[GRAPH_BURST], keep = ~__builtin_bswap64(f->mask);
	struct column c;

	gen_field_values(f, values, r->n);
	for (unsigned i = 0; i < r->n; i++) {
		uint64_t w = __builtin_bswap64(values[i] << f->shift & f->mask), old;
		uint8_t *p = r->data[i] + f->offset;

		c.v[i] = csum_fold((w & 0xffffffff) + (w >> 32));
		if (f->part) {
			memcpy(&old, p, 8);
			w |= old & keep;
		}
		memcpy(p, &w, 8);
	}
	EACH_VECTOR(r, i)
		*at(&c, i) = placed(*at(&c, i), f->offset & 1);
	add_sums(r, &c, f->sums, f->minus);
}

// m values in a row of a field that counts.
GEN_INLINE void ramp(uint32_t *to, uint32_t value, uint32_t step, unsigned m)
{
	lanes v = value + numbers() * step;

	for (unsigned i = 0; i < m; i += GEN_LANES, v += step * GEN_LANES)
		memcpy(to + i, &v, sizeof(v));
}

GEN_INLINE void values(struct gen_field *f, uint32_t *to, unsigned n)
{
	uint64_t wide[GRAPH_BURST];

	if (likely(f->kind == BLOB_FIELD_COUNT && f->every == 1)) {
		while (n) {
			unsigned m = f->count - f->at < n ? (unsigned)(f->count - f->at) : n;

			ramp(to, (uint32_t)f->value, (uint32_t)f->step, m);
			f->at += m;
			f->value += f->step * m;
			if (f->at == f->count) {
				f->at = 0;
				f->value = f->min;
			}
			to += m;
			n -= m;
		}
		return;
	}
	gen_field_values(f, wide, n);
	for (unsigned i = 0; i < n; i++)
		to[i] = (uint32_t)wide[i];
}

GEN_INLINE void put_fields(struct gen_stream *s, struct run *r)
{
	for (unsigned i = 0; i < s->fields; i++) {
		struct gen_field *f = &s->field[i];
		uint32_t v[GRAPH_BURST + GEN_LANES] __attribute__((aligned(64))); // a ramp may end anywhere

		if (f->size == 8) {
			put_long(r, f);
			continue;
		}
		values(f, v, r->n);
		if (f->size == 4)
			put_field(r, f, (struct column *)v, 4);
		else if (f->size == 2)
			put_field(r, f, (struct column *)v, 2);
		else
			put_field(r, f, (struct column *)v, 1);
	}
}

// The signature. What all of the run have alike is summed once.
GEN_INLINE void sign(const struct gen *g, struct gen_stream *s, struct run *r, uint64_t ns, bool one)
{
	uint64_t head = __builtin_bswap64((uint64_t)SIG_MAGIC << 48 | (uint64_t)g->run << 32 |
					  (uint64_t)(uint16_t)s->number << 16);
	uint64_t time = __builtin_bswap64(ns);
	uint32_t same = csum_fold((head & 0xffffffff) + (head >> 32) + (time & 0xffffffff) + (time >> 32));
	unsigned n = r->n, last = r->v[0]->len - SIG_LEN;
	struct column seq, c;

	EACH_VECTOR(r, i) {
		lanes w = swap32(s->seq + i + numbers());

		*at(&seq, i) = w;
		*at(&c, i) = fold(fold(w) + same);
	}
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		uint8_t *p = r->data[i] + (one ? last : r->v[i]->len - SIG_LEN);

		memcpy(p, &head, 8);
		memcpy(p + SIG_AT_SEQ, &seq.v[i], 4);
		memcpy(p + SIG_AT_TIME, &time, 8);
	}
	if (one && r->v[0]->len & 1)
		EACH_VECTOR(r, i)
			*at(&c, i) = placed(*at(&c, i), true);
	for (unsigned i = 0; !one && i < r->n; i++)
		if (r->v[i]->len & 1) {
			uint32_t x = ((c.v[i] & 0xffff) + (c.v[i] >> 16)) << 8;

			c.v[i] = (x & 0xffff) + (x >> 16);
		}
	add_sums(r, &c, s->sig_sums, 0);
}

GEN_INLINE void begin_sums(const struct gen_stream *s, struct run *r, bool one)
{
	for (unsigned k = 0; k < s->sums; k++) {
		if (one)
			EACH_VECTOR(r, i)
				*at(&r->sum[k], i) = all(r->v[0]->base[k]);
		for (unsigned i = 0; !one && i < r->n; i++)
			r->sum[k].v[i] = r->v[i]->base[k];
	}
}

GEN_INLINE void put_sums(const struct gen_stream *s, struct run *r)
{
	for (unsigned k = 0; k < s->sums; k++) {
		lanes never0 = all(s->sum_ip >> k & 1 ? 0 : 0xffff);
		unsigned n = r->n, offset = s->sum_at[k];

		EACH_VECTOR(r, i) {
			lanes x = fold(fold(*at(&r->sum[k], i))) ^ 0xffff;

			*at(&r->sum[k], i) = x | ((lanes)(x == 0) & never0);
		}
#pragma GCC unroll 4
		for (unsigned i = 0; i < n; i++) {
			uint16_t w = (uint16_t)r->sum[k].v[i];

			memcpy(r->data[i] + offset, &w, 2);
		}
	}
}

GEN_INLINE void change(const struct gen *g, struct gen_stream *s, struct run *r, uint64_t ns, bool one)
{
	begin_sums(s, r, one);
	put_fields(s, r);
	if (s->flags & BLOB_STREAM_SIGNED)
		sign(g, s, r, ns, one);
	put_sums(s, r);
}

// Copying --------------------------------------------------------------------------------------

#define LINE_VECTORS (GEN_LINE / sizeof(lanes))

struct line {
	lanes v[LINE_VECTORS];
};

GEN_INLINE struct line get_line(const uint8_t *from)
{
	struct line l;

	for (unsigned i = 0; i < LINE_VECTORS; i++)
		l.v[i] = ((const lanes *)(const void *)from)[i];
	return l;
}

GEN_INLINE void put_line(uint8_t *to, struct line l)
{
	for (unsigned i = 0; i < LINE_VECTORS; i++)
		((lanes *)(void *)to)[i] = l.v[i];
}

GEN_INLINE void copy_line(uint8_t *to, const uint8_t *from)
{
	put_line(to, get_line(from));
}

GEN_INLINE void copy_frame(const struct gen_stream *s, const struct gen_variant *v, uint8_t *to)
{
	unsigned off = s->head_lines * GEN_LINE;
	const uint8_t *from = s->body;

	for (unsigned i = 0; i < s->head_lines; i++)
		copy_line(to + i * GEN_LINE, v->head + i * GEN_LINE);
	for (; off < v->len; off += GEN_LINE, from += GEN_LINE)
		copy_line(to + off, from);
}

GEN_INLINE uint8_t *begin_packet(struct mbuf *m, uint16_t len, uint64_t origin)
{
	uint8_t *data = mbuf_buf(m) + MBUF_HEADROOM;
	uint64_t lens = (uint64_t)1 << 48 | (uint64_t)len << 32 | len;

	static_assert(offsetof(struct mbuf, len) == offsetof(struct mbuf, pkt_len) + 4 &&
			      offsetof(struct mbuf, refcnt) == offsetof(struct mbuf, pkt_len) + 6,
		      "lengths and refcnt are written at once");
	m->data = data;
	memcpy(&m->pkt_len, &lens, sizeof(lens));
	m->origin = origin;
	return data;
}

// Frames of one line, all alike.
GEN_INLINE void copy_short(struct run *r, struct mbuf **pkts, uint64_t origin, bool changes)
{
	struct line head = get_line(r->v[0]->head);
	uint16_t len = r->v[0]->len;
	unsigned n = r->n;

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		uint8_t *data = begin_packet(pkts[i], len, origin);

		put_line(data, head);
		if (changes)
			r->data[i] = data;
	}
}

GEN_INLINE void copy_frames(const struct gen_stream *s, struct run *r, struct mbuf **pkts, uint64_t origin)
{
	for (unsigned i = 0; i < r->n; i++) {
		const struct gen_variant *v = r->v[s->variants == 1 ? 0 : i];

		r->data[i] = begin_packet(pkts[i], v->len, origin);
		copy_frame(s, v, r->data[i]);
	}
}

GEN_INLINE void fill(const struct gen *g, struct gen_stream *s, struct mbuf **pkts,
		     const struct gen_variant *const *v, unsigned n, uint64_t ns)
{
	struct run r;

	r.n = n;
	r.v = v;
	if (s->variants == 1 && s->len_max <= GEN_LINE && s->changes)
		copy_short(&r, pkts, g->origin, true);
	else if (s->variants == 1 && s->len_max <= GEN_LINE)
		copy_short(&r, pkts, g->origin, false);
	else
		copy_frames(s, &r, pkts, g->origin);
	if (!s->changes)
		return;
	if (s->variants == 1)
		change(g, s, &r, ns, true);
	else
		change(g, s, &r, ns, false);
}

#endif
