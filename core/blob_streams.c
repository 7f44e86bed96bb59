// SPDX-License-Identifier: BSD-3-Clause
// blob_streams.c - check what function pktgen sends: streams, their heads, bodies and fields
#include <errno.h>
#include <stdbool.h>

#include "core/blob.h"

#define BAD(err, ...) err_set(err, -EBADMSG, "configuration blob: " __VA_ARGS__)

#define VARIANTS_MAX (1u << 24) // of all streams; several may use the same
#define ETHER_LEN    14u

static bool outside(uint64_t first, uint64_t n, uint64_t there)
{
	return n > there || first > there - n;
}

static int check_field(const struct blob *b, uint32_t i, const struct blob_stream *s, uint32_t k, struct err *err)
{
	const struct blob_field *f = &b->fields[s->field + k];
	bool whole = f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8;

	if (!whole || !f->bits || f->shift + f->bits > 8 * f->size)
		return BAD(err, "stream %u: field %u: bits %u to %u of a word of %u bytes", i, k, f->shift,
			   f->shift + f->bits, f->size);
	if (outside(f->offset, f->size, s->head_len))
		return BAD(err, "stream %u: field %u: %u bytes from %u, in a head of %u", i, k, f->size, f->offset,
			   s->head_len);
	if ((f->sums | f->minus) >> s->sums || f->sums & f->minus)
		return BAD(err, "stream %u: field %u: checksums %#x, %#x of %u", i, k, f->sums, f->minus, s->sums);
	if (f->kind >= BLOB_FIELD_KINDS || !f->every || (!f->count && f->kind != BLOB_FIELD_RANDOM))
		return BAD(err, "stream %u: field %u: kind %u, %llu values, every %u", i, k, f->kind,
			   (unsigned long long)f->count, f->every);
	if (f->kind == BLOB_FIELD_LIST &&
	    (f->list % 8 || f->count > b->n_bytes / 8 || outside(f->list, f->count * 8, b->n_bytes)))
		return BAD(err, "stream %u: field %u: %llu values from byte %u, there are %u", i, k,
			   (unsigned long long)f->count, f->list, b->n_bytes);
	return 0;
}

static int check_variant(const struct blob *b, uint32_t i, const struct blob_stream *s, uint32_t k, struct err *err)
{
	const struct blob_variant *v = &b->variants[s->variant + k];

	if (v->len < s->head_len || v->len > BLOB_FRAME_MAX || v->len > s->head_len + s->body_len || !v->weight)
		return BAD(err, "stream %u: variant %u: %u bytes of weight %u, a head of %u and a body of %u", i, k,
			   v->len, v->weight, s->head_len, s->body_len);
	if (outside(v->head, s->head_len, b->n_bytes))
		return BAD(err, "stream %u: variant %u: its head lies outside", i, k);
	for (unsigned c = 0; s->flags & BLOB_STREAM_SIGNED && c < s->sums; c++)
		if (v->len < s->sum_at[c] + 2 + BLOB_SIGNATURE)
			return BAD(err, "stream %u: variant %u: %u bytes, too few for a signature behind byte %u",
				   i, k, v->len, s->sum_at[c] + 2);
	if (s->flags & BLOB_STREAM_SIGNED && v->len < ETHER_LEN + BLOB_SIGNATURE)
		return BAD(err, "stream %u: variant %u: %u bytes, too few for a signature", i, k, v->len);
	return 0;
}

static int check_rate(uint32_t i, const struct blob_stream *s, struct err *err)
{
	if (s->rate_kind >= BLOB_RATE_KINDS || (!s->rate && s->rate_kind != BLOB_RATE_TOP))
		return BAD(err, "stream %u: rate %llu of kind %u", i, (unsigned long long)s->rate, s->rate_kind);
	if (s->shape >= BLOB_SHAPES || !s->burst)
		return BAD(err, "stream %u: shape %u, bursts of %u", i, s->shape, s->burst);
	if (s->shape == BLOB_SHAPE_ONOFF && !s->on_us)
		return BAD(err, "stream %u: it is on for no time", i);
	return 0;
}

static int check_parts(const struct blob *b, uint32_t i, const struct blob_stream *s, struct err *err)
{
	if (outside(s->variant, s->variants, b->n_variants) || !s->variants)
		return BAD(err, "stream %u: %u variants from %u, there are %u", i, s->variants, s->variant,
			   b->n_variants);
	if (outside(s->field, s->fields, b->n_fields) || s->fields > BLOB_STREAM_FIELDS_MAX)
		return BAD(err, "stream %u: %u fields from %u, there are %u (at most %u a stream)", i, s->fields,
			   s->field, b->n_fields, BLOB_STREAM_FIELDS_MAX);
	if (outside(s->body, s->body_len, b->n_bytes))
		return BAD(err, "stream %u: its body of %u bytes lies outside", i, s->body_len);
	return 0;
}

static int check_stream(const struct blob *b, uint32_t i, struct err *err)
{
	const struct blob_stream *s = &b->streams[i];
	int rc;

	if (s->name >= b->n_strings || s->port >= b->n_ports || s->flags & ~BLOB_STREAM_FLAGS)
		return BAD(err, "stream %u: name %u, port %u, flags %#x", i, s->name, s->port, s->flags);
	if (s->head_len < ETHER_LEN || s->head_len > BLOB_HEAD_MAX)
		return BAD(err, "stream %u: a head of %u bytes", i, s->head_len);
	if (s->sums > BLOB_SUMS_MAX || s->sum_ip >> s->sums || s->sig_sums >> s->sums)
		return BAD(err, "stream %u: %u checksums, %#x of IPv4, %#x over the signature", i, s->sums,
			   s->sum_ip, s->sig_sums);
	for (unsigned k = 0; k < s->sums; k++)
		if (s->sum_at[k] % 2 || outside(s->sum_at[k], 2, s->head_len))
			return BAD(err, "stream %u: a checksum at byte %u of a head of %u", i, s->sum_at[k],
				   s->head_len);
	if (s->flags & BLOB_STREAM_RESOLVE && s->via_family != 4 && s->via_family != 6)
		return BAD(err, "stream %u: a next hop of family %u", i, s->via_family);
	rc = check_rate(i, s, err);
	return rc ? rc : check_parts(b, i, s, err);
}

int blob_check_streams(const struct blob *b, struct err *err)
{
	uint64_t variants = 0;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < b->n_streams; i++) {
		const struct blob_stream *s = &b->streams[i];

		rc = check_stream(b, i, err);
		variants += s->variants;
		if (!rc && variants > VARIANTS_MAX)
			rc = BAD(err, "%u streams have over %u variants", b->n_streams, VARIANTS_MAX);
		for (uint32_t k = 0; !rc && k < s->variants; k++)
			rc = check_variant(b, i, s, k, err);
		for (uint32_t k = 0; !rc && k < s->fields; k++)
			rc = check_field(b, i, s, k, err);
	}
	return rc;
}
