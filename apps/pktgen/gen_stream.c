// SPDX-License-Identifier: BSD-3-Clause
// gen_stream.c - a stream of the blob made ready: lines to copy, sums without what changes
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/gen_priv.h"
#include "core/lcore.h"
#include "mempool/csum.h"

// The bits of a field as a head has them, as 16-bit words summed in memory order.
static uint16_t field_sum(const struct gen_field *f, const uint8_t *head)
{
	uint8_t word[8 + 2] = {0};
	uint64_t v = 0;

	for (unsigned i = 0; i < f->size; i++)
		v = v << 8 | head[f->offset + i];
	v &= f->mask;
	for (unsigned i = f->size; i-- > 0; v >>= 8)
		word[(f->offset & 1) + i] = (uint8_t)v;
	return csum_fold(csum_add(0, word, sizeof(word)));
}

// What checksum k of a variant sums up but for the fields: the complement of it, less what they have in the head.
static uint16_t base_sum(const struct gen_stream *s, const uint8_t *head, unsigned k)
{
	uint16_t sum;
	uint64_t base;

	memcpy(&sum, head + s->sum_at[k], 2);
	base = sum ^ 0xffff;
	for (unsigned i = 0; i < s->fields; i++) {
		uint16_t c = field_sum(&s->field[i], head);

		if (s->field[i].sums >> k & 1)
			base += c ^ 0xffff;
		else if (s->field[i].minus >> k & 1)
			base += c;
	}
	sum = csum_fold(base);
	return sum ? sum : 0xffff;
}

static void make_variants(struct gen_stream *s, const struct blob *b, const struct blob_stream *stream, uint8_t *memory,
			  const uint8_t *mac)
{
	for (uint32_t i = 0; i < s->variants; i++) {
		const struct blob_variant *from = &b->variants[stream->variant + i];
		struct gen_variant *v = &s->variant[i];
		unsigned rest = s->head_lines * GEN_LINE - stream->head_len;

		v->head = memory + (size_t)i * s->head_lines * GEN_LINE;
		v->len = from->len;
		v->weight = from->weight;
		if (v->len > s->len_max)
			s->len_max = v->len;
		memcpy(v->head, b->bytes + from->head, stream->head_len);
		if (stream->flags & BLOB_STREAM_PORT_MAC)
			memcpy(v->head + 6, mac, 6);
		memcpy(v->head + stream->head_len, b->bytes + stream->body,
		       rest < stream->body_len ? rest : stream->body_len);
		for (unsigned k = 0; k < s->sums; k++)
			v->base[k] = base_sum(s, v->head, k);
	}
}

// The alias method: every variant has an equal place, and gives away what of it exceeds its weight.
static int make_shares(struct gen_stream *s)
{
	uint32_t n = s->variants, smalls = 0, larges = n, *list = malloc(n * sizeof(*list));
	uint64_t *part = malloc(n * sizeof(*part)), sum = 0;

	if (!list || !part) {
		free(list);
		free(part);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++)
		sum += s->variant[i].weight;
	for (uint32_t i = 0; i < n; i++) {
		part[i] = (uint64_t)s->variant[i].weight * n; // of sum
		s->variant[i].share = UINT32_MAX;
		s->variant[i].other = i;
		list[part[i] < sum ? smalls++ : --larges] = i;
	}
	while (smalls && larges < n) {
		uint32_t small = list[--smalls], large = list[larges];

		s->variant[small].share = (uint32_t)(((unsigned __int128)part[small] << 32) / sum);
		s->variant[small].other = large;
		part[large] -= sum - part[small];
		if (part[large] < sum) {
			larges++;
			list[smalls++] = large;
		}
	}
	free(list);
	free(part);
	return 0;
}

static void make_fields(struct gen_stream *s, const struct blob *b, const struct blob_stream *stream)
{
	for (unsigned i = 0; i < s->fields; i++) {
		const struct blob_field *from = &b->fields[stream->field + i];
		uint64_t mask = (from->bits == 64 ? 0 : 1ull << from->bits) - 1;

		s->field[i] = (struct gen_field){
			.min = from->min, .step = from->step, .count = from->count,
			.list = from->kind == BLOB_FIELD_LIST ? (const uint64_t *)(b->bytes + from->list) : NULL,
			.every = from->every, .mask = mask << from->shift, .offset = from->offset,
			.shift = from->shift, .size = from->size, .kind = from->kind,
			.sums = from->sums, .minus = from->minus, .part = from->bits != 8 * from->size,
			.seed = ((uint64_t)stream->seed << 32 | i) * 0x2545f4914f6cdd1d,
		};
	}
}

static size_t up(size_t bytes)
{
	return (bytes + GEN_LINE - 1) / GEN_LINE * GEN_LINE;
}

static void describe(struct gen_stream *s, const struct blob_stream *stream)
{
	s->flags = stream->flags;
	s->variants = stream->variants;
	s->fields = (uint16_t)stream->fields;
	s->sums = stream->sums;
	s->sig_sums = stream->sig_sums;
	s->sum_ip = stream->sum_ip;
	s->changes = s->fields || s->flags & BLOB_STREAM_SIGNED;
	s->head_lines = (uint16_t)(up(stream->head_len) / GEN_LINE);
	memcpy(s->sum_at, stream->sum_at, sizeof(s->sum_at));
}

struct gen_stream *gen_stream_make(const struct gen *g, uint32_t number, const uint8_t *mac)
{
	const struct blob *b = g->blob;
	const struct blob_stream *stream = &b->streams[number];
	size_t head = up(stream->head_len), whole = (size_t)stream->head_len + stream->body_len;
	size_t over = whole > head ? whole - head : 0;
	size_t parts = up(stream->fields * sizeof(struct gen_field) + stream->variants * sizeof(struct gen_variant));
	size_t size = sizeof(struct gen_stream) + parts + stream->variants * head + up(over);
	struct gen_stream *s = aligned_alloc(CACHE_LINE, size);
	uint8_t *heads;

	if (!s)
		return NULL;
	memset(s, 0, size);
	describe(s, stream);
	s->number = number;
	s->field = (struct gen_field *)(s + 1);
	s->variant = (struct gen_variant *)(s->field + s->fields);
	heads = (uint8_t *)(s + 1) + parts;
	s->body = heads + s->variants * head;
	if (over)
		memcpy(heads + s->variants * head, b->bytes + stream->body + (stream->body_len - over), over);
	s->lines = (uint32_t)((sizeof(*s) + parts + head) / GEN_LINE);
	make_fields(s, b, stream);
	make_variants(s, b, stream, heads, mac);
	if (s->flags & BLOB_STREAM_SHUFFLED && make_shares(s)) {
		free(s);
		return NULL;
	}
	return s;
}

void gen_stream_mac(struct gen_stream *s, const uint8_t mac[6])
{
	for (uint32_t i = 0; i < s->variants; i++)
		memcpy(s->variant[i].head, mac, 6);
}

void gen_stream_reset(struct gen_stream *s, uint32_t seed)
{
	s->seq = 0;
	s->last = 0;
	s->at = 0;
	s->at_left = s->variant[0].weight;
	s->shuffle = (uint64_t)seed << 32 | 2;
	for (unsigned i = 0; i < s->fields; i++)
		gen_field_reset(&s->field[i]);
	__atomic_store_n(&s->packets, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&s->bytes, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&s->skipped, 0, __ATOMIC_RELAXED);
}
