// SPDX-License-Identifier: BSD-3-Clause
// replay.c - function replay: wires the play to the transmit nodes, starts it when the links are up, ends with it
#include "apps/replay/replay.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/replay/play.h"
#include "core/plat.h"

#define LINK_WAIT_NS (10 * NSEC_PER_SEC) // then it begins without
#define END_NS	     (NSEC_PER_SEC / 10) // for what devices have been given, and not sent

struct replay {
	struct play play;
	struct node *tx[BLOB_PORTS_MAX]; // all of the play's ports, for the backlog
	uint8_t edge[BLOB_PORTS_MAX];	 // of node "replay"
	uint64_t asked;			 // TSC of the first tick
	uint64_t up;			 // TSC since when all links are up
	uint64_t over;			 // TSC when nothing was left
};

struct replay_feed *replay_feed;

// Several ports: each packet leaves by its own.
static void replay_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct replay *r = node->state;

	for (unsigned i = 0; i < n; i++)
		next[i] = r->edge[pkts[i]->port];
}

static const struct node_def replay_def = {.name = "replay", .process = replay_process};
static const struct node_def replay_one_def = {.name = "replay"}; // everything takes the only edge

static bool used(const struct blob *b, unsigned port)
{
	return b->plays->ports >> port & 1;
}

static int add_edges(struct app_lcore *l, struct replay *r, struct node *node, struct err *err)
{
	for (unsigned i = 0; i < l->app->ports; i++) {
		int edge;

		if (!used(&l->app->blob, i))
			continue;
		edge = node_add_edge(node, l->tx[i], err);
		if (edge < 0)
			return edge;
		r->edge[i] = (uint8_t)edge;
		r->play.tx[r->play.ports++] = l->tx[i];
	}
	return 0;
}

// All ports get to know the store's buffers, whichever they will be sent.
static int fill_store(struct app *app, struct store *s, struct err *err)
{
	uint32_t prefix = 0;
	int rc;

	for (unsigned i = 0; i < app->ports; i++)
		if (app->port[i].pmd->mbuf_prefix > prefix)
			prefix = app->port[i].pmd->mbuf_prefix;
	rc = store_fill(s, &app->blob, prefix, err);
	for (unsigned i = 0; !rc && i < app->ports; i++)
		for (unsigned k = 0; !rc && k < STORE_POOLS; k++)
			if (app->port[i].pmd->lend && s->pool[k])
				rc = app->port[i].pmd->lend(&app->port[i], s->pool[k], err);
	return rc;
}

static int fill(struct app *app, struct replay *r, struct err *err)
{
	const struct blob_play *conf = app->blob.plays;

	r->play.pool = app->pool;
	play_init(&r->play, conf, plat_tsc_hz());
	r->play.hdr_pool = hdr_pool_create(HDR_PARTS);
	if (!r->play.hdr_pool)
		return err_set(err, -ENOMEM, "no memory for a histogram");
	hdr_init(&r->play.error, r->play.hdr_pool);
	if (conf->flags & BLOB_PLAY_STREAMED) {
		if (!replay_feed)
			return err_set(err, -ENOTSUP, "streamed captures are played by `weir replay` alone: "
						      "expected them preloaded");
		r->play.feed = replay_feed;
		return replay_feed->start(replay_feed, app->pool, err);
	}
	return fill_store(app, &r->play.store, err);
}

static int replay_build(struct app_lcore *l, struct err *err)
{
	struct app *app = l->app;
	struct replay *r;
	struct node *node;
	int rc;

	if (l->id)
		return 0;
	if (!app->blob.n_plays)
		return err_set(err, -EINVAL, "function replay has nothing to play");
	if (l->loop.clock.kind != CLOCK_REAL)
		return err_set(err, -EINVAL, "function replay sends on the real clock: expected --clock real");
	r = app->state = aligned_alloc(CACHE_LINE, (sizeof(*r) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
	if (!r)
		return err_set(err, -ENOMEM, "no memory for function replay");
	*r = (struct replay){0};
	rc = fill(app, r, err);
	if (rc)
		return rc;
	r->play.item = r->play.store.item;
	r->play.n = r->play.store.n;
	node = graph_add(l->graph, __builtin_popcountll(app->blob.plays->ports) == 1 ? &replay_one_def : &replay_def,
			 "replay", r, err);
	rc = node ? add_edges(l, r, node, err) : -ENOMEM;
	return rc ? rc : app_source_add(l, play_burst, &r->play, node, err);
}

static bool links_up(const struct app *app)
{
	for (unsigned i = 0; i < app->ports; i++) {
		struct port_link link = {.up = true};

		if (!used(&app->blob, i))
			continue;
		port_link(&app->port[i], &link);
		if (!link.up)
			return false;
	}
	return true;
}

static uint64_t ns_since(const struct app *app, uint64_t tsc, uint64_t now)
{
	return clock_tsc_to_ns(&app->lcore[0].loop.clock, now - tsc);
}

static void try_start(struct app *app, struct replay *r, uint64_t now)
{
	uint64_t wait = app->blob.plays->start_ns;

	if (!r->asked)
		r->asked = now;
	if (!r->up && (links_up(app) || ns_since(app, r->asked, now) > LINK_WAIT_NS))
		r->up = now;
	if (r->up && ns_since(app, r->up, now) >= wait)
		play_start(&r->play, tsc_read());
}

static bool drained(const struct replay *r)
{
	for (unsigned i = 0; i < r->play.ports; i++)
		if (port_tx_backlog(r->play.tx[i]))
			return false;
	return true;
}

static void replay_tick(struct app *app)
{
	struct replay *r = app->state;
	uint64_t now = tsc_read();

	if (!r->play.started) {
		try_start(app, r, now);
	} else if (r->play.over && drained(r)) {
		if (!r->over)
			r->over = now;
		if (ns_since(app, r->over, now) >= END_NS)
			app_end(app);
	}
}

static void replay_destroy(struct app *app)
{
	struct replay *r = app->state;

	if (!r)
		return;
	if (r->play.feed)
		r->play.feed->stop(r->play.feed);
	play_end(&r->play);
	hdr_pool_destroy(r->play.hdr_pool);
	free(r);
	app->state = NULL;
}

void replay_count(const struct app *app, struct replay_count *c)
{
	const struct play *p = &((const struct replay *)app->state)->play;

	*c = p->count;
	if (p->feed)
		c->loops = atomic_load(&p->feed->loops);
	if (p->started)
		c->ns = clock_tsc_to_ns(&app->lcore[0].loop.clock,
					(p->over ? p->end_tsc : tsc_read()) - p->start_tsc);
	c->left = p->over || p->feed ? 0 : p->n - p->at;
}

const struct hdr *replay_error(const struct app *app)
{
	return &((const struct replay *)app->state)->play.error;
}

bool replay_over(const struct app *app)
{
	return ((const struct replay *)app->state)->play.over;
}

bool replay_started(const struct app *app)
{
	return ((const struct replay *)app->state)->play.started;
}

void replay_step(struct app *app, uint64_t n)
{
	atomic_fetch_add(&((struct replay *)app->state)->play.steps, n);
}

static void emit_error(const struct hdr *e, stats_emit_fn emit, void *arg)
{
	emit(arg, "replay.error_ns.count", e->count);
	if (!e->count)
		return;
	emit(arg, "replay.error_ns.min", e->min);
	emit(arg, "replay.error_ns.mean", (uint64_t)hdr_mean(e));
	emit(arg, "replay.error_ns.p50", hdr_value_at(e, 0.5));
	emit(arg, "replay.error_ns.p90", hdr_value_at(e, 0.9));
	emit(arg, "replay.error_ns.p99", hdr_value_at(e, 0.99));
	emit(arg, "replay.error_ns.p99_9", hdr_value_at(e, 0.999));
	emit(arg, "replay.error_ns.p99_99", hdr_value_at(e, 0.9999));
	emit(arg, "replay.error_ns.max", e->max);
}

static void replay_stats(const struct app *app, stats_emit_fn emit, void *arg)
{
	struct replay_count c;

	if (!app->state)
		return;
	replay_count(app, &c);
	emit(arg, "replay.packets", c.packets);
	emit(arg, "replay.bytes", c.bytes);
	emit(arg, "replay.ns", c.ns);
	emit(arg, "replay.loops", c.loops);
	emit(arg, "replay.left", c.left);
	emit(arg, "replay.copied", c.copied);
	emit(arg, "replay.blocked", c.blocked);
	emit(arg, "replay.nombuf", c.nombuf);
	emit(arg, "replay.underruns", c.underruns);
	emit(arg, "replay.late", c.late);
	emit_error(replay_error(app), emit, arg);
}

const struct function replay_function = {
	.name = "replay",
	.build = replay_build,
	.tick = replay_tick,
	.destroy = replay_destroy,
	.stats = replay_stats,
};
