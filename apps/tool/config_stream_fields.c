// SPDX-License-Identifier: BSD-3-Clause
// config_stream_fields.c - the fields of a stream that change from packet to packet, for the data
// plane
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_frames.h"
#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"

struct field_writer {
	struct stream_plan *p;
	struct config_frames *out;
	struct stream_fault *f;
	const struct stream_sum *sum;
	unsigned sums;
	int (*weight)[STREAM_SUMS_MAX]; // of each field added, and of the signature
	unsigned n;
};

static bool runs(const struct stream_value *v)
{
	if (v->kind == VALUE_RANDOM)
		return v->span;
	return (v->kind == VALUE_RANGE || v->kind == VALUE_LIST) && v->count > 1;
}

// The least word at an even place that has these bits, within the head.
static void place(struct blob_field *b, unsigned bit, unsigned bits, unsigned head_len)
{
	unsigned offset, size;

	for (size = 2;; size *= 2) {
		offset = bit / 8 & ~1u;
		if (offset + size > head_len)
			offset = head_len - size;
		if (bit + bits <= 8 * (offset + size))
			break;
	}
	b->offset = (uint16_t)offset;
	b->size = (uint8_t)size;
	b->shift = (uint8_t)(8 * (offset + size) - bit - bits);
	b->bits = (uint8_t)bits;
}

static void add(struct field_writer *w, struct blob_field b, unsigned bit, unsigned bits,
		unsigned every)
{
	place(&b, bit, bits, w->p->head_len);
	b.every = every;
	w->out->fields =
		array_add(w->out->fields, &w->out->n_fields, &w->out->room_fields, sizeof(b));
	w->out->fields[w->out->n_fields - 1] = b;
}

// known: where the list is plus 1; 0: it has to be added.
static void add_list(struct field_writer *w, const struct stream_value *v, unsigned bit,
		     unsigned bits, unsigned right, uint32_t *known)
{
	struct blob_field b = {.kind = BLOB_FIELD_LIST, .count = v->count};
	uint64_t *list;

	if (!*known) {
		list = xrealloc(NULL, v->count * sizeof(*list));
		for (uint64_t i = 0; i < v->count; i++)
			list[i] = (uint64_t)(v->list[i] >> right) & UINT64_MAX >> (64 - bits);
		*known = frames_shared(w->out, list, v->count * sizeof(*list)) + 1;
		free(list);
	}
	b.list = *known - 1;
	add(w, b, bit, bits, v->every);
}

static void add_count(struct field_writer *w, const struct stream_value *v, unsigned bit,
		      unsigned bits, unsigned right)
{
	struct blob_field b = {.kind = BLOB_FIELD_COUNT, .count = v->count};

	b.min = (uint64_t)(v->first >> right);
	b.step = (uint64_t)(v->step >> right);
	add(w, b, bit, bits, v->every);
}

static void add_random(struct field_writer *w, const struct stream_value *v, uint64_t min,
		       uint64_t count, unsigned bit, unsigned bits)
{
	struct blob_field b = {.kind = BLOB_FIELD_RANDOM, .min = min, .count = count};

	add(w, b, bit, bits, v->every);
}

// An IPv6 address: its upper half, its lower half, or both side by side.
static int add_wide(struct field_writer *w, const struct stream_value *v, unsigned bit,
		    uint32_t known[2])
{
	unsigned __int128 last =
		v->kind == VALUE_RANGE ? v->first + v->step * (v->count - 1) : v->first + v->span;
	uint64_t high = (uint64_t)(v->first >> 64), low = (uint64_t)v->first,
		 last_high = (uint64_t)(last >> 64);

	if (v->kind == VALUE_LIST) {
		add_list(w, v, bit, 64, 64, &known[0]);
		add_list(w, v, bit + 64, 64, 0, &known[1]);
	} else if (high == last_high && v->kind == VALUE_RANGE) {
		add_count(w, v, bit + 64, 64, 0);
	} else if (high == last_high) {
		add_random(w, v, low, (uint64_t)v->span + 1, bit + 64, 64);
	} else if (v->kind == VALUE_RANGE && !(uint64_t)v->step) {
		add_count(w, v, bit, 64, 64);
	} else if (v->kind == VALUE_RANDOM && !low && (uint64_t)last == UINT64_MAX) {
		add_random(w, v, high, last_high - high + 1, bit, 64);
		add_random(w, v, 0, 0, bit + 64, 64);
	} else {
		return stream_fault(
			w->f, &v->place,
			"expected addresses of one /64, a step of whole /64s (0:0:0:1::), "
			"or random ones from PREFIX:: to PREFIX:ffff:ffff:ffff:ffff");
	}
	return 0;
}

static int add_value(struct field_writer *w, unsigned layer, unsigned field)
{
	const struct stream_layer *l = &w->p->layer[layer];
	const struct stream_value *v = &l->value[field];
	unsigned bit = 8u * l->at + layer_bit(l, field),
		 bits = layer_types[l->id].field[field].bits;
	bool addr = (l->id == LAYER_IP4 || l->id == LAYER_IP6) && field <= IP_DST;
	bool shared = v->list == w->p->s->layer[layer].value[field].list;
	uint32_t own[2] = {0},
		 *known = shared ? w->p->list + 2 * (layer * STREAM_FIELDS_MAX + field) : own;
	size_t first = w->out->n_fields;
	int rc = 0;

	if (bits == 128)
		rc = add_wide(w, v, bit, known);
	else if (v->kind == VALUE_LIST)
		add_list(w, v, bit, bits, 0, known);
	else if (v->kind == VALUE_RANGE)
		add_count(w, v, bit, bits, 0);
	else
		add_random(w, v, (uint64_t)v->first, (uint64_t)v->span + 1, bit, bits);
	for (; !rc && first < w->out->n_fields; first++)
		stream_sum_weights(w->sum, w->sums, bit / 8, addr ? (int)layer : -1,
				   w->weight[w->n++]);
	return rc;
}

// Gives each checksum that changes its number in the stream.
static int number_sums(struct field_writer *w, struct blob_stream *b, int number[])
{
	for (unsigned k = 0; k < w->sums; k++) {
		bool changes = false;

		for (unsigned i = 0; i <= w->n; i++)
			changes |= w->weight[i][k] != 0;
		number[k] = -1;
		if (!changes)
			continue;
		if (b->sums == BLOB_SUMS_MAX)
			return stream_fault(w->f, &w->p->s->place,
					    "expected at most %u checksums that change from "
					    "packet to packet",
					    BLOB_SUMS_MAX);
		number[k] = b->sums;
		b->sum_at[b->sums] = w->sum[k].at;
		b->sum_ip = (uint16_t)(b->sum_ip | (w->sum[k].udp ? 0 : 1u << b->sums));
		b->sums++;
	}
	return 0;
}

static int set_bits(struct field_writer *w, const int weight[], const int number[], uint8_t *plus,
		    uint8_t *minus)
{
	for (unsigned k = 0; k < w->sums; k++) {
		if (weight[k] == 1)
			*plus = (uint8_t)(*plus | 1u << number[k]);
		else if (weight[k] == -1)
			*minus = (uint8_t)(*minus | 1u << number[k]);
		else if (weight[k])
			return stream_fault(w->f, &w->p->s->place,
					    "expected fewer checksums around each other");
	}
	return 0;
}

static int write_sums(struct field_writer *w, struct blob_stream *b)
{
	int number[STREAM_SUMS_MAX], rc = number_sums(w, b, number);
	uint8_t minus = 0;

	for (unsigned i = 0; !rc && i < w->n; i++) {
		struct blob_field *f = &w->out->fields[b->field + i];

		rc = set_bits(w, w->weight[i], number, &f->sums, &f->minus);
	}
	if (!rc)
		rc = set_bits(w, w->weight[w->n], number, &b->sig_sums, &minus);
	return rc;
}

int stream_fields(struct stream_plan *p, const struct stream_sum *sum, unsigned sums,
		  struct config_frames *out, struct blob_stream *b, struct stream_fault *f)
{
	int weight[2 * STREAM_LAYERS_MAX * STREAM_FIELDS_MAX + 1][STREAM_SUMS_MAX] = {0};
	struct field_writer w = {p, out, f, sum, sums, weight, 0};
	int rc = 0;

	b->field = (uint32_t)out->n_fields;
	for (unsigned i = 0; i < p->layers && !rc; i++)
		for (unsigned k = 0; layer_types[p->layer[i].id].field[k].name && !rc; k++)
			if (runs(&p->layer[i].value[k]))
				rc = add_value(&w, i, k);
	b->fields = (uint32_t)(out->n_fields - b->field);
	if (rc)
		return rc;
	if (p->s->is_signed)
		stream_sum_weights(sum, sums, UINT16_MAX, -1, weight[w.n]);
	rc = write_sums(&w, b);
	if (!rc && out->n_fields > FRAMES_FIELDS_MAX)
		rc = stream_fault(f, &p->s->place,
				  "expected at most %u fields that change, in all streams",
				  FRAMES_FIELDS_MAX);
	return rc;
}
