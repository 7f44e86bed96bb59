// SPDX-License-Identifier: BSD-3-Clause
// meas_result.c - reading what was measured, while packets come
#include "apps/pktgen/meas_priv.h"

#define READ(r, s, to, from) ((r)->to += HDR_GET((s)->from))

static void add_stream(struct meas_result *r, const struct meas_stream *s)
{
	uint64_t packets = HDR_GET(s->packets), first = HDR_GET(s->first_ns), last = HDR_GET(s->last_ns), v;
	double jitter = (double)(HDR_GET(s->jitter) >> 4);

	if (packets) {
		jitter = ((double)r->jitter_ns * (double)r->packets + jitter * (double)packets) /
			 (double)(r->packets + packets);
		r->jitter_ns = (uint64_t)(jitter + 0.5);
		if (!r->packets || first < r->first_ns)
			r->first_ns = first;
		if (last > r->last_ns)
			r->last_ns = last;
	}
	r->packets += packets;
	READ(r, s, bytes, bytes);
	READ(r, s, duplicate, duplicate);
	READ(r, s, late, late);
	READ(r, s, corrupt, corrupt);
	READ(r, s, negative, negative);
	READ(r, s, reordered, reordered);
	READ(r, s, reorder_unmeasured, unmeasured);
	READ(r, s, reorder_extent_sum, extent_sum);
	v = HDR_GET(s->extent_max);
	if (v > r->reorder_extent_max)
		r->reorder_extent_max = v;
	v = HDR_GET(s->late_max_ns);
	if (v > r->reorder_late_max_ns)
		r->reorder_late_max_ns = v;
}

void meas_result(const struct meas *m, uint32_t stream, struct meas_result *r)
{
	if (stream == UINT32_MAX) {
		for (uint32_t i = 0; i <= m->conf.streams; i++)
			add_stream(r, &m->stream[i]);
		for (uint32_t i = 0; i <= m->conf.n_sizes; i++)
			hdr_add(&r->latency, &m->size[i]);
		hdr_add(&r->ipdv, &m->ipdv);
	} else if (stream < m->conf.streams) {
		add_stream(r, &m->stream[stream]);
		hdr_add(&r->latency, &m->stream[stream].latency);
		hdr_add(&r->ipdv, &m->stream[stream].ipdv);
	}
}

void meas_size(const struct meas *m, uint32_t size, struct hdr *latency)
{
	if (size <= m->conf.n_sizes)
		hdr_add(latency, &m->size[size]);
}

void meas_foreign(const struct meas *m, uint16_t port, struct meas_foreign *f)
{
	const struct meas_foreign *g = &m->port[port].foreign;

	f->stragglers += HDR_GET(g->stragglers);
	f->foreign += HDR_GET(g->foreign);
	f->stack += HDR_GET(g->stack);
	f->bad_stream += HDR_GET(g->bad_stream);
}

uint64_t meas_packets(const struct meas *m)
{
	return HDR_GET(m->packets);
}

uint64_t meas_pdv(const struct meas_result *r, double share)
{
	uint64_t v = hdr_value_at(&r->latency, share), least = hdr_min(&r->latency);

	return v > least ? v - least : 0;
}
