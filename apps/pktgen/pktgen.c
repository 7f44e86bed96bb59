// SPDX-License-Identifier: BSD-3-Clause
// pktgen.c - the function "pktgen": a router's graph as the station, generators and meters around it
//
//	ports -> pktgen-rx-PORT -> (signed: measured) ... (for the station) -> eth-input -> ...
//	generators -> tx-PORT
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/pktgen/pktgen_priv.h"

static_assert(offsetof(struct pktgen, router) == 0, "app->state is a router's too");

#define LEARN 256u // packets a stream, where there are next hops

// The lengths that most packets have are measured apart.
static void count_lengths(const struct blob *b, uint64_t *weight)
{
	for (uint32_t i = 0; i < b->n_streams; i++) {
		const struct blob_stream *s = &b->streams[i];

		for (uint32_t v = s->variant; v < s->variant + s->variants; v++)
			weight[b->variants[v].len] += b->variants[v].weight;
	}
}

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static int choose_sizes(struct app *app, struct err *err)
{
	struct pktgen *pg = pktgen_of(app);
	uint64_t *weight = calloc(UINT16_MAX + 1u, sizeof(*weight));

	if (!weight)
		return err_set(err, -ENOMEM, "no memory for frame lengths");
	count_lengths(&app->blob, weight);
	while (pg->sizes < MEAS_SIZES_MAX) {
		uint32_t best = 0;

		for (uint32_t len = 1; len <= UINT16_MAX; len++)
			if (weight[len] > weight[best])
				best = len;
		if (!weight[best])
			break;
		weight[best] = 0;
		pg->size[pg->sizes++] = (uint16_t)best;
	}
	free(weight);
	qsort(pg->size, pg->sizes, sizeof(*pg->size), by_value);
	return 0;
}

static int create(struct app *app, struct err *err)
{
	struct pktgen *pg = pktgen_of(app);
	int rc = choose_sizes(app, err);

	pg->autostart = true;
	pg->trial.rate = calloc(app->blob.n_streams + 1u, sizeof(*pg->trial.rate));
	pg->scratch = hdr_pool_create(2 * HDR_PARTS);
	if (!rc && (!pg->trial.rate || !pg->scratch))
		rc = err_set(err, -ENOMEM, "no memory for %u streams", app->blob.n_streams);
	return rc ? rc : hops_create(app, err);
}

static int make_meter(struct app_lcore *l, struct node *station, struct err *err)
{
	struct pktgen *pg = pktgen_of(l->app);
	struct pktgen_lcore *mine = &pg->lcore[l->id];
	const struct blob *b = &l->app->blob;
	struct meas_conf conf = {
		.streams = b->n_streams,
		.sizes = pg->size,
		.n_sizes = pg->sizes,
		.ports = (uint16_t)l->app->ports,
		.memory = pktgen_histograms(b),
		.station = station_wants,
		.station_arg = l,
	};
	char name[PORT_NAME_MAX + 16];

	mine->meas = meas_create(&conf, err);
	if (!mine->meas)
		return -ENOMEM;
	for (uint16_t p = 0; p < l->app->ports; p++) {
		snprintf(name, sizeof(name), "pktgen-rx-%s", l->app->port[p].name);
		l->rx[p] = meas_node_add(l->graph, mine->meas, p, name, err);
		if (!l->rx[p] || node_connect(l->rx[p], "stack", station, err))
			return -ENOSPC;
	}
	return 0;
}

// Queue pairs of a port share its streams.
static bool has_stream(const struct app_lcore *l, unsigned port, unsigned lcores)
{
	const struct blob *b = &l->app->blob;

	for (uint32_t i = l->id; i < b->n_streams; i += lcores)
		if (b->streams[i].port == port)
			return true;
	return false;
}

uint64_t pktgen_line_bps(const struct app *app, unsigned port)
{
	struct port_link link;

	if (app->blob.ports[port].line_mbps)
		return app->blob.ports[port].line_mbps * 1000000ull;
	port_link(&app->port[port], &link);
	return link.mbps * 1000000ull;
}

static int make_generators(struct app_lcore *l, struct err *err)
{
	struct pktgen_lcore *mine = &pktgen_of(l->app)->lcore[l->id];
	struct app *app = l->app;
	int rc = 0;

	for (uint16_t p = 0; !rc && p < app->ports; p++) {
		const struct port_grant *grant = &app->port[p].grant;
		struct gen_conf conf = {
			.blob = &app->blob,
			.port = p,
			.lcore = l->id,
			.lcores = grant->queues,
			.pool = app->pool,
			.tx = l->tx[p],
			.mac = grant->mac,
			.line_bps = pktgen_line_bps(app, p),
		};

		if (l->id >= grant->queues || !has_stream(l, p, grant->queues))
			continue;
		mine->gen[p] = gen_create(&conf, err);
		rc = mine->gen[p] ? app_source_add(l, gen_burst, mine->gen[p], l->tx[p], err) : -EINVAL;
	}
	return rc;
}

static int build(struct app_lcore *l, struct err *err)
{
	struct pktgen *pg = l->id ? pktgen_of(l->app) : calloc(1, sizeof(*pg));
	struct node *station;
	int rc;

	if (!pg)
		return err_set(err, -ENOMEM, "no memory for pktgen");
	station = router_build(l, &pg->router, err);
	if (!station)
		return -EINVAL;
	rc = station_no_forwarding(l, err);
	if (!rc && !l->id)
		rc = create(l->app, err);
	if (!rc)
		rc = make_meter(l, station, err);
	return rc ? rc : make_generators(l, err);
}

static void destroy(struct app *app)
{
	struct pktgen *pg = pktgen_of(app);

	if (!pg)
		return;
	for (unsigned k = 0; k < APP_LCORES_MAX; k++) {
		meas_destroy(pg->lcore[k].meas);
		for (unsigned p = 0; p < BLOB_PORTS_MAX; p++)
			gen_destroy(pg->lcore[k].gen[p]);
	}
	hdr_pool_destroy(pg->scratch);
	free(pg->trial.rate);
	free(pg->hop);
	router_fini(&pg->router);
	free(pg);
	app->state = NULL;
}

void pktgen_autostart(struct app *app, bool on)
{
	pktgen_of(app)->autostart = on;
}

// What the configuration says, without being asked; again and again until next hops answer, whose devices may start
// after us.
static void start_by_itself(struct app *app)
{
	struct pktgen *pg = pktgen_of(app);
	struct pktgen_order order = {.drain_ns = 2 * NSEC_PER_SEC, .learn = pg->hops ? LEARN : 0};
	struct err err;

	if (pg->begun && pktgen_phase(app) == PKTGEN_DONE && pktgen_error(app, &err) == -EHOSTUNREACH) {
		if (!pg->complained)
			fprintf(stderr, "weir: %s It is asked for until it does\n", err.text);
		pg->complained = true;
		pg->begun = false;
	}
	if (!pg->begun)
		pktgen_begin(app, &order, NULL);
}

static bool work(struct app *app)
{
	if (pktgen_of(app)->autostart)
		start_by_itself(app);
	trial_work(app, tsc_read());
	return router_work(app);
}

static void stats(const struct app *app, stats_emit_fn emit, void *arg)
{
	router_stats(app, emit, arg);
	pktgen_stats(app, emit, arg);
}

// Without a station(): frames to anybody may be what a device makes of ours.
const struct function pktgen_function = {
	.name = "pktgen",
	.build = build,
	.destroy = destroy,
	.announce = router_announce,
	.link = router_link,
	.admin = router_admin,
	.stats = stats,
	.tick = router_tick,
	.end = router_end,
	.work = work,
	.control = &router_control,
};
