// SPDX-License-Identifier: BSD-3-Clause
// config_stream_compile.c - streams made into frames: copies, lengths, heads
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/sig.h"
#include "apps/tool/config_frames.h"
#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"
#include "netstack/eth.h"

#define MTU_DEFAULT 1500u

struct compiler {
	struct config_frames *out;
	struct stream_fault *f;
	const uint16_t *sizes;
	unsigned n; // of sizes; 0: as streams say
};

// --- one copy ---

static int lay_out(struct stream_plan *p, struct stream_fault *f)
{
	p->head_len = 0;
	for (unsigned i = 0; i < p->layers; i++) {
		p->layer[i].at = (uint16_t)p->head_len;
		p->head_len += layer_len(&p->layer[i]);
	}
	if (p->head_len > BLOB_HEAD_MAX)
		return stream_fault(f, &p->s->layers_place,
				    "these layers take %u bytes: expected at most %u", p->head_len,
				    BLOB_HEAD_MAX);
	return 0;
}

static int plan_values(struct stream_plan *p, uint32_t copy, struct stream_fault *f)
{
	struct err err;

	for (unsigned i = 0; i < p->layers; i++) {
		const struct layer_type *t = &layer_types[p->layer[i].id];

		for (unsigned k = 0; t->field[k].name; k++) {
			const struct stream_value *v = &p->s->layer[i].value[k];

			if (stream_value_copy(&p->layer[i].value[k], v, &t->field[k], copy,
					      p->s->blob.seed, &err))
				return stream_fault(f, &v->place, "%s", err.text);
		}
	}
	return 0;
}

static int plan_make(struct stream_plan *p, const struct config *c, const struct config_stream *s,
		     uint32_t copy, struct stream_fault *f)
{
	int rc;

	*p = (struct stream_plan){.c = c, .s = s, .layers = s->layers};
	if (s->frame) {
		p->head_len =
			(unsigned)(s->frame_len < BLOB_HEAD_MAX ? s->frame_len : BLOB_HEAD_MAX);
		return 0;
	}
	p->layer = xrealloc(NULL, s->layers * sizeof(*p->layer) + 1);
	memcpy(p->layer, s->layer, s->layers * sizeof(*p->layer));
	rc = plan_values(p, copy, f);
	if (!rc)
		rc = stream_defaults(p, f);
	if (!rc)
		rc = stream_hop(p, f);
	return rc ? rc : lay_out(p, f);
}

static void plan_free(struct stream_plan *p)
{
	for (unsigned i = 0; i < p->layers; i++)
		for (unsigned k = 0; k < STREAM_FIELDS_MAX; k++)
			if (p->layer[i].value[k].list != p->s->layer[i].value[k].list)
				free(p->layer[i].value[k].list);
	free(p->layer);
}

// --- lengths ---

static unsigned least(const struct stream_plan *p)
{
	unsigned len = p->head_len + (p->s->is_signed ? SIG_LEN : 0) + STREAM_FCS;

	if (p->s->frame)
		return (unsigned)p->s->frame_len + STREAM_FCS;
	len += p->s->repeat ? 0 : (unsigned)p->s->payload_len;
	return len < STREAM_LENGTH_MIN ? STREAM_LENGTH_MIN : len;
}

static int check_length(const struct stream_plan *p, unsigned len, struct stream_fault *f)
{
	const struct config_stream *s = p->s;
	const struct config_place *place = s->length_place.file ? &s->length_place : &s->place;
	const struct blob_port *port = &p->c->ports[s->port].blob;
	unsigned mtu = port->mtu ? port->mtu : MTU_DEFAULT, link = ETH_HLEN;

	for (unsigned i = 1; i < p->layers && p->layer[i].id == LAYER_VLAN; i++)
		link += 4;
	if (s->frame)
		link += 2 * 4; // what it has for tags is its own business
	if (s->frame && len != least(p))
		return stream_fault(
			f, place, "length %u: expected layers: a frame of a capture has its own %u",
			len, least(p));
	if (len < least(p))
		return stream_fault(
			f, place, "length %u: expected at least %u: %u of headers%s%s, 4 of FCS",
			len, least(p), p->head_len, s->is_signed ? ", 18 of signature" : "",
			s->payload_len && !s->repeat ? ", the payload" : "");
	if (len > mtu + link + STREAM_FCS)
		return stream_fault(
			f, place,
			"length %u: expected at most %u, or a larger mtu of port %s than %u", len,
			mtu + link + STREAM_FCS, p->c->ports[s->port].name, mtu);
	return 0;
}

static int add_variants(const struct stream_plan *p, const struct compiler *k,
			const struct stream_length *length, size_t n, const struct stream_sum *sum,
			unsigned sums, const struct stream_body *body, struct blob_stream *b)
{
	struct config_frames *out = k->out;
	uint8_t head[BLOB_HEAD_MAX];

	stream_head(p, head);
	b->variant = (uint32_t)out->n_variants;
	b->variants = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct blob_variant v = {.len = (uint16_t)(length[i].len - STREAM_FCS),
					 .weight = length[i].weight};
		bool seen = false;

		stream_head_finish(p, sum, sums, body, v.len, head);
		v.head = frames_shared(out, head, p->head_len);
		for (size_t j = 0; j < i && !seen && b->lengths < 255; j++)
			seen = length[j].len == length[i].len;
		b->lengths = (uint8_t)(b->lengths + (!seen && b->lengths < 255));
		out->variants =
			array_add(out->variants, &out->n_variants, &out->room_variants, sizeof(v));
		out->variants[out->n_variants - 1] = v;
	}
	if (out->n_variants > FRAMES_VARIANTS_MAX || out->n_bytes > FRAMES_BYTES_MAX)
		return stream_fault(k->f, &p->s->place,
				    "too many lengths of too many streams: expected at most %u of "
				    "them, and %u MiB of headers and lists",
				    FRAMES_VARIANTS_MAX, FRAMES_BYTES_MAX >> 20);
	return 0;
}

static char *stream_name(const struct config_stream *s, uint32_t copy, unsigned size)
{
	char number[24] = "", at[24] = "";

	if (s->copies > 1)
		snprintf(number, sizeof(number), "#%u", copy);
	if (size)
		snprintf(at, sizeof(at), "@%u", size);
	return xasprintf("%s%s%s", s->name, number, at);
}

static void set_flags(const struct stream_plan *p, struct blob_stream *b)
{
	b->flags = (uint16_t)((p->s->is_signed ? BLOB_STREAM_SIGNED : 0) |
			      (p->via_family ? BLOB_STREAM_RESOLVE : 0) |
			      (p->port_mac ? BLOB_STREAM_PORT_MAC : 0) |
			      (p->s->shuffled ? BLOB_STREAM_SHUFFLED : 0));
	b->via_family = p->via_family;
	memcpy(b->via, &p->via, 16);
}

// From one burst of a stream to the next, ns; 0: that is not told by its own words.
static double period_ns(const struct blob_stream *b, const struct stream_length *length, size_t n)
{
	double bytes = 0, weight = 0, rate = (double)b->rate;
	unsigned more = b->rate_kind == BLOB_RATE_L1 ? 24 : 4;

	for (size_t i = 0; i < n; i++) {
		bytes += (double)length[i].weight * (length[i].len - STREAM_FCS + more);
		weight += length[i].weight;
	}
	if (b->shape != BLOB_SHAPE_CONSTANT)
		return 0;
	if (b->rate_kind == BLOB_RATE_PPS)
		return b->burst * 1e12 / rate;
	if (b->rate_kind == BLOB_RATE_L1 || b->rate_kind == BLOB_RATE_L2)
		return b->burst * 8e9 * bytes / weight / rate;
	return 0;
}

// One stream of the blob: a copy, at the given lengths.
static int add_stream(struct stream_plan *p, const struct compiler *k, uint32_t copy, unsigned size,
		      const struct stream_length *length, size_t n)
{
	struct stream_sum sum[STREAM_SUMS_MAX];
	struct config_frames *out = k->out;
	struct blob_stream b = p->s->blob;
	struct stream_body body;
	unsigned sums = stream_sums(p, sum), longest = 0;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		rc = check_length(p, length[i].len, k->f);
		longest = length[i].len > longest ? length[i].len : longest;
	}
	if (!rc && out->n_streams == BLOB_STREAMS_MAX)
		rc = stream_fault(k->f, &p->s->place,
				  "expected at most %u streams, their copies counted",
				  BLOB_STREAMS_MAX);
	if (!rc)
		rc = stream_fields(p, sum, sums, out, &b, k->f);
	if (rc)
		return rc;
	b.port = (uint16_t)p->s->port;
	b.seed += copy * 0x9e3779b9u;
	// Copies take turns, so that they do not all send at one moment.
	b.start_ns += (uint64_t)(period_ns(&b, length, n) * copy / p->s->copies);
	b.head_len = (uint16_t)p->head_len;
	b.body_len = (uint16_t)(longest - STREAM_FCS - p->head_len);
	set_flags(p, &b);
	if (size)
		b.flags &= (uint16_t)~BLOB_STREAM_SHUFFLED;
	stream_body(p->s, b.body_len, &body);
	b.body = frames_shared(out, body.data, body.len);
	rc = add_variants(p, k, length, n, sum, sums, &body, &b);
	stream_body_free(&body);
	out->streams = array_add(out->streams, &out->n_streams, &out->room_streams, sizeof(b));
	out->streams[out->n_streams - 1] = b;
	out->names = array_add(out->names, &out->n_names, &out->room_names, sizeof(*out->names));
	out->names[out->n_names - 1] = stream_name(p->s, copy, size);
	return rc;
}

// --- all ---

static int add_copy(struct stream_plan *p, const struct compiler *k, uint32_t copy)
{
	struct stream_length one = {0, 1};
	int rc = 0;

	for (unsigned i = 0; i < k->n && !rc; i++) {
		one.len = k->sizes[i];
		rc = add_stream(p, k, copy, k->sizes[i], &one, 1);
	}
	if (k->n)
		return rc;
	one.len = (uint16_t)least(p);
	return p->s->n_length ? add_stream(p, k, copy, 0, p->s->length, p->s->n_length)
			      : add_stream(p, k, copy, 0, &one, 1);
}

static int add_all(const struct config *c, const struct config_stream *s, const struct compiler *k)
{
	uint32_t list[STREAM_LISTS] = {0};
	int rc = 0;

	for (uint32_t copy = 0; copy < s->copies && !rc; copy++) {
		struct stream_plan p;

		rc = plan_make(&p, c, s, copy, k->f);
		p.list = list;
		if (!rc)
			rc = add_copy(&p, k, copy);
		plan_free(&p);
	}
	return rc;
}

static struct config_frames *frames_new(void)
{
	struct config_frames *f = calloc(1, sizeof(*f));

	if (!f)
		die_no_memory();
	return f;
}

void config_check_streams(struct config_reader *r)
{
	struct config *c = r->c;
	struct stream_fault f = {0};
	struct compiler k = {frames_new(), &f, NULL, 0};

	if (!c->n_streams || !c->n_ports) {
		config_frames_free(k.out);
		return;
	}
	for (size_t i = 0; i < c->n_streams; i++) {
		const struct config_stream *s = &c->streams[i];

		if (!s->bad && add_all(c, s, &k))
			diag_add(r->y->diags, f.place.file, f.place.line, f.place.column, s->name,
				 "%s", f.err.text);
	}
	c->frames = k.out;
}

int config_stream_sizes(struct config *c, const uint16_t *sizes, unsigned n, struct err *err)
{
	struct stream_fault f = {0};
	struct compiler k = {frames_new(), &f, sizes, n};

	for (size_t i = 0; i < c->n_streams; i++) {
		if (!add_all(c, &c->streams[i], &k))
			continue;
		config_frames_free(k.out);
		return err_set(err, -EINVAL, "%s:%zu:%zu: stream %s: %s", f.place.file,
			       f.place.line, f.place.column, c->streams[i].name, f.err.text);
	}
	config_frames_free(c->frames);
	c->frames = k.out;
	return 0;
}
