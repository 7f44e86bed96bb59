// SPDX-License-Identifier: BSD-3-Clause
// pktgen_observe.c - the observer of a run: samples, shows, and ends it
#include <unistd.h>

#include "apps/tool/pktgen.h"

static void interval_latency(struct observer *o, struct hdr_pool *pool)
{
	struct hdr h;

	hdr_init(&h, pool);
	hdr_add(&h, &o->now->latency);
	if (o->before)
		hdr_subtract(&h, &o->before->latency);
	spread_of(&o->latency, &h);
	hdr_reset(&h);
}

static void show(struct observer *o, bool view)
{
	if (o->options->json)
		json_interval(o, stdout);
	else if (view)
		view_draw(o);
	else
		lines_interval(o, stderr);
}

struct samples {
	struct sample *a, *b;
	struct hdr_pool *pool;
	uint64_t next_ns;
};

static void interval(struct observer *o, struct samples *s, bool view)
{
	uint64_t every = o->options->interval_ns, at = pktgen_elapsed_ns(o->app);

	if (at < s->next_ns)
		return;
	s->next_ns = at - at % every + every;
	sample_take(o->now, o->app, o->first);
	interval_latency(o, s->pool);
	show(o, view);
	o->before = o->now;
	o->now = o->now == s->a ? s->b : s->a;
}

// Until the trial is over, or the user has had enough.
static void watch(struct observer *o, struct samples *s, bool view)
{
	bool stopped = false, sending = false, sent = false;
	enum pktgen_phase phase;

	while ((phase = pktgen_phase(o->app)) != PKTGEN_DONE && !atomic_load(&o->asked_twice)) {
		if (phase == PKTGEN_SENDING && !sending) {
			sending = true;
			sample_noise_begin(o->app);
			if (!view)
				intro_hops(o->app, stderr);
		}
		if (sending && phase > PKTGEN_SENDING && !sent) {
			sent = true;
			sample_noise_end(o->app);
		}
		if (atomic_load(&o->asked_to_stop) && !stopped) {
			stopped = true;
			pktgen_stop(o->app);
		}
		interval(o, s, view);
		if (view)
			view_keys(o, 50);
		else
			usleep(20000);
	}
	if (sending && !sent)
		sample_noise_end(o->app);
}

void *pktgen_observe(void *arg)
{
	struct observer *o = arg;
	struct samples s = {.a = o->now, .b = o->before, .pool = hdr_pool_create(HDR_PARTS),
			    .next_ns = o->options->interval_ns};
	bool view = !o->options->json && !o->options->plain && view_open();

	o->before = NULL;
	if (view) {
		sample_take(o->now, o->app, 0);
		view_draw(o);
	}
	if (s.pool)
		watch(o, &s, view);
	view_close();
	hdr_pool_destroy(s.pool);
	sample_destroy(s.a);
	sample_destroy(s.b);
	app_end(o->app);
	return NULL;
}
