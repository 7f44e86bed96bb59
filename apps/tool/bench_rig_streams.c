// SPDX-License-Identifier: BSD-3-Clause
// bench_rig_streams.c - the streams of a configuration made ready for trials
#include <errno.h>

#include "apps/tool/bench_rig.h"
#include "apps/tool/config_frames.h"
#include "apps/tool/util.h"

#define RECOVERY_AT(plan) ((uint64_t)((plan)->recovery_s * 1e9))

static uint8_t family_of(const struct config_frames *f, const struct blob_stream *s)
{
	const uint8_t *head = f->bytes + f->variants[s->variant].head;
	unsigned at = 12, type;

	while (at + 2 <= s->head_len) {
		type = head[at] << 8 | head[at + 1];
		if (type == 0x0800)
			return 4;
		if (type == 0x86dd)
			return 6;
		if (type != 0x8100 && type != 0x88a8)
			break;
		at += 4;
	}
	return 0;
}

// What streams say of their rates is how they share a port's load.
static double said(const struct config_frames *f, unsigned n, unsigned copies, unsigned i)
{
	const struct blob_stream *s = &f->streams[i * copies];

	for (unsigned k = 0; k < n; k++)
		if (f->streams[k * copies].port == s->port && f->streams[k * copies].rate_kind != s->rate_kind)
			return 1; // cannot be compared: alike
	return s->rate_kind == BLOB_RATE_TOP ? 1 : (double)s->rate;
}

static void recovery_streams(struct config_frames *f, const struct rig *r, unsigned sizes)
{
	for (unsigned i = 0; i < r->streams; i++) {
		for (unsigned k = 0; k < r->copies; k++) {
			struct blob_stream *s = &f->streams[i * r->copies + k];

			s->duration_ns = RECOVERY_AT(r->plan);
			s->start_ns = k < sizes ? 0 : RECOVERY_AT(r->plan);
		}
	}
}

int rig_streams(struct rig *r, struct config *c, const struct bench_plan *plan, struct err *err)
{
	uint16_t sizes[2 * BENCH_SIZES_MAX];
	bool twice = plan->kinds & 1u << BENCH_RECOVERY;
	struct config_frames *f;
	int rc;

	*r = (struct rig){.plan = plan, .copies = plan->sizes * (twice ? 2 : 1)};
	for (unsigned k = 0; k < r->copies; k++)
		sizes[k] = plan->size[k % plan->sizes];
	if (!c->n_streams)
		return err_set(err, -EINVAL, "the configuration has no streams: expected some, which say what is sent");
	rc = config_stream_sizes(c, sizes, r->copies, err);
	if (rc)
		return rc;
	f = c->frames;
	r->streams = (unsigned)(f->n_streams / r->copies);
	r->base = xrealloc(NULL, r->streams * sizeof(*r->base));
	r->weight = xrealloc(NULL, r->streams * sizeof(*r->weight));
	r->family = xrealloc(NULL, r->streams);
	for (unsigned i = 0; i < r->streams; i++) {
		struct blob_stream *s = &f->streams[i * r->copies];

		if (!(s->flags & BLOB_STREAM_SIGNED))
			return err_set(err, -EINVAL,
				       "stream %s has no signature, so that nobody can tell what becomes of it: expected "
				       "signature: on",
				       f->names[i * r->copies]);
		r->base[i] = said(f, r->streams, r->copies, i);
		r->family[i] = family_of(f, s);
	}
	for (size_t i = 0; i < f->n_streams; i++) {
		f->streams[i].start_ns = f->streams[i].count = f->streams[i].duration_ns = 0;
		f->streams[i].burst = 1;
		f->streams[i].shape = BLOB_SHAPE_CONSTANT;
	}
	if (twice)
		recovery_streams(f, r, plan->sizes);
	return 0;
}
