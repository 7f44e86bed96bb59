// SPDX-License-Identifier: BSD-3-Clause
// bench_rig_read.c - a trial's figures from the function pktgen
#include <math.h>
#include <stdlib.h>

#include "apps/pktgen/pktgen.h"
#include "apps/tool/bench_rig.h"
#include "apps/tool/util.h"

// Two points of a distribution are apart by so much of the share above.
#define CCDF_STEP 0.03

static void init(const struct rig *r, struct pktgen_stream *s)
{
	*s = (struct pktgen_stream){0};
	hdr_init(&s->got.latency, r->pool);
	hdr_init(&s->got.ipdv, r->pool);
}

static void clear(struct pktgen_stream *s)
{
	hdr_reset(&s->got.latency);
	hdr_reset(&s->got.ipdv);
}

// Of values less `less`.
static void dist(struct bench_dist *d, const struct hdr *h, uint64_t less)
{
	if (!h->count)
		return;
	*d = (struct bench_dist){.count = h->count,
				 .min = (double)(h->min - less),
				 .mean = hdr_mean(h) - (double)less,
				 .max = (double)(h->max - less),
				 .deviation = hdr_deviation(h)};
	struct {
		double share, *value;
	} at[] = {{0.5, &d->p50},     {0.9, &d->p90},	    {0.99, &d->p99},
		  {0.999, &d->p99_9}, {0.9999, &d->p99_99}, {0.99999, &d->p99_999}};

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		uint64_t v = hdr_value_at(h, at[i].share);

		v = v < h->min ? h->min : v > h->max ? h->max : v; // a bucket's end may be beyond
		*at[i].value = (double)(v - less);
	}
}

struct curve {
	struct bench_trial *t;
	size_t room;
	uint64_t total, below;
	double last; // share above at the last point
};

static void curve_point(struct curve *c, uint64_t ns, double above)
{
	c->t->ccdf = array_add(c->t->ccdf, &c->t->n_ccdf, &c->room, sizeof(*c->t->ccdf));
	c->t->ccdf[c->t->n_ccdf - 1] = (struct bench_point){ns, above};
	c->last = above;
}

static void curve_bucket(void *arg, uint64_t low, uint64_t high, uint64_t count)
{
	struct curve *c = arg;
	double above;

	if (!c->below)
		curve_point(c, low, 1);
	c->below += count;
	above = 1 - (double)c->below / (double)c->total;
	if (above <= c->last * (1 - CCDF_STEP) || c->below == c->total)
		curve_point(c, high, fmax(above, 0));
}

static void read_ways(const struct rig *r, struct bench_trial *t)
{
	const struct app *app = r->app;

	for (unsigned p = 0; p < app->ports; p++) {
		struct bench_way w = {.port = app->port[p].name};

		for (uint32_t i = 0; i < app->blob.n_streams; i++) {
			struct pktgen_stream s;

			if (app->blob.streams[i].port != p || !r->rate[i])
				continue;
			init(r, &s);
			pktgen_result(app, i, &s);
			w.sent += s.sent.packets;
			w.received += s.got.packets;
			t->intended += s.sent.due;
			clear(&s);
		}
		if (w.sent)
			t->way[t->ways++] = w;
	}
}

void rig_read(const struct rig *r, struct bench_trial *t)
{
	struct meas_foreign f;
	struct pktgen_stream s;
	struct gen_pace pace;

	read_ways(r, t);
	init(r, &s);
	pktgen_result(r->app, UINT32_MAX, &s);
	t->sent = s.sent.packets;
	t->received = s.got.packets;
	t->duplicate = s.got.duplicate;
	t->reordered = s.got.reordered;
	t->late = s.got.late;
	t->corrupt = s.got.corrupt;
	dist(&t->latency, &s.got.latency, 0);
	dist(&t->pdv, &s.got.latency, s.got.latency.min);
	dist(&t->ipdv, &s.got.ipdv, 0);
	if (t->order.ccdf && s.got.latency.count)
		hdr_each(&s.got.latency, curve_bucket, &(struct curve){t, 0, s.got.latency.count, 0, 1});
	clear(&s);
	for (unsigned p = 0; p < r->app->ports; p++) {
		pktgen_foreign(r->app, p, &f);
		t->stragglers += f.stragglers;
		t->foreign += f.foreign + f.bad_stream;
	}
	pktgen_pace(r->app, &pace);
	t->late_ns_max = pace.late_ns_max;
	t->blocked = pace.blocked;
	t->nombuf = pace.nombuf;
	t->sending_s = (double)pktgen_sending_ns(r->app) / 1e9;
}
