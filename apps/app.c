// SPDX-License-Identifier: BSD-3-Clause
// app.c - make a network function from its blob, run it, take it down
#include "apps/app.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/plat.h"

static int find_function(struct app *app, struct err *err)
{
	const struct function *const *f;

	for (f = function_list; *f; f++) {
		if (!strcmp((*f)->name, app->blob.hdr->function)) {
			app->function = *f;
			return 0;
		}
	}
	return err_set(err, -ENOENT, "function %s is not in this image: it has %s", app->blob.hdr->function,
		       function_list[0]->name);
}

static int make_pool(struct app *app, struct err *err)
{
	struct mempool_conf conf = {.name = "packets", .count = app->blob.params->mbufs};
	uint32_t i;

	if (!conf.count)
		conf.count = APP_MBUFS(app->blob.n_ports);
	for (i = 0; i < app->blob.n_ports; i++) {
		const struct pmd *pmd = pmd_find(blob_str(&app->blob, app->blob.ports[i].driver));

		if (pmd && pmd->mbuf_prefix > conf.prefix)
			conf.prefix = pmd->mbuf_prefix;
	}
	app->pool = mempool_create(&conf, err);
	return app->pool ? 0 : -ENOMEM;
}

static int open_ports(struct app *app, struct err *err)
{
	const struct blob *b = &app->blob;

	for (; app->ports < b->n_ports; app->ports++) {
		const struct blob_port *p = &b->ports[app->ports];
		struct port_conf conf = {
			.name = blob_str(b, p->name),
			.driver = blob_str(b, p->driver),
			.args = blob_str(b, p->args),
			.pool = app->pool,
			.clock = &app->loop.clock,
			.has_mac = p->flags & BLOB_PORT_MAC,
			.mtu = p->mtu,
			.rx_size = p->rx_size,
			.tx_size = p->tx_size,
			.queues = 1,
		};
		int rc;

		memcpy(conf.mac, p->mac, sizeof(conf.mac));
		app->port[app->ports].id = (uint16_t)app->ports;
		rc = port_open(&app->port[app->ports], &conf, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int tick(void *arg, uint64_t now)
{
	struct app *app = arg;
	uint64_t tsc = tsc_read();
	unsigned i;

	for (i = 0; !app->first_tx_tsc && i < app->ports; i++)
		if (app->tx[i]->stats.sent)
			app->first_tx_tsc = tsc;
	// By the TSC: a capture's clock says nothing about how long the user has waited.
	if (tsc < app->tick_at)
		return 0;
	app->tick_at = tsc + plat_tsc_hz() / APP_TICKS;
	for (i = 0; i < app->ports; i++) {
		struct port *p = &app->port[i];

		if (p->pmd->poll_queue)
			p->pmd->poll_queue(p, 0);
		if (p->pmd->poll)
			p->pmd->poll(p);
	}
	return app->tick ? app->tick(app) : 0;
}

static int build_graph(struct app *app, struct err *err)
{
	unsigned i;
	int rc;

	app->graph = graph_create(&app->loop.clock, err);
	if (!app->graph)
		return -ENOMEM;
	for (i = 0; i < app->ports; i++) {
		app->tx[i] = port_tx_node_add(app->graph, &app->port[i], 0, err);
		if (!app->tx[i])
			return -ENOMEM;
	}
	rc = app->function->build(app, err);
	return rc ? rc : graph_check(app->graph, err);
}

static void fill_loop(struct app *app, const struct app_conf *conf)
{
	struct loop *l = &app->loop;
	unsigned i;

	l->graph = app->graph;
	l->burst = (uint16_t)app->blob.params->burst;
	l->linger_ns = conf->linger_ns;
	l->tick = tick;
	l->tick_arg = app;
	for (i = 0; i < app->ports; i++) {
		port_sink(&l->sink[l->sinks++], app->tx[i]);
		if (!app->rx[i])
			continue;
		port_source(&l->source[l->sources], &app->port[i], 0, app->rx[i]);
		if (app->pace[i])
			port_source_gate(&l->source[l->sources], &app->gate[i], app->pace[i]);
		l->sources++;
	}
}

int app_start(struct app *app, const struct app_conf *conf, struct err *err)
{
	int rc;

	memset(app, 0, sizeof(*app));
	clock_init(&app->loop.clock, conf->clock);
	rc = blob_open(&app->blob, conf->blob, conf->blob_len, err);
	if (!rc)
		rc = find_function(app, err);
	if (!rc)
		rc = make_pool(app, err);
	if (!rc)
		rc = open_ports(app, err);
	app->ports_tsc = tsc_read();
	if (!rc)
		rc = build_graph(app, err);
	if (rc) {
		app_stop(app, NULL);
		return rc;
	}
	fill_loop(app, conf);
	return 0;
}

void app_run(struct app *app)
{
	app->ready_tsc = tsc_read();
	loop_run(&app->loop);
}

void app_stats(const struct app *app, stats_emit_fn emit, void *arg)
{
	unsigned i;

	for (i = 0; i < app->ports; i++)
		port_stats_emit(&app->port[i], emit, arg);
	graph_stats_emit(app->graph, emit, arg);
	loop_stats_emit(&app->loop, emit, arg);
}

int app_capture_error(const struct app *app, struct err *err)
{
	unsigned i;
	int rc = 0;

	for (i = 0; !rc && i < app->ports; i++)
		if (app->port[i].pmd->error)
			rc = app->port[i].pmd->error(&app->port[i], err);
	if (!rc && app->loop.stalled)
		rc = err_set(err, -ENOBUFS,
			     "replay stopped at %llu.%09llu: a packet was due, but no buffer came "
			     "free for it; raise mbufs",
			     app->loop.clock.now / NSEC_PER_SEC, app->loop.clock.now % NSEC_PER_SEC);
	return rc;
}

int app_stop(struct app *app, struct err *err)
{
	uint32_t out;
	int rc = 0, last;

	if (app->graph)
		graph_destroy(app->graph);
	app->graph = NULL;
	while (app->ports) {
		// The first port to fail is the one told of.
		last = port_close(&app->port[--app->ports], rc ? NULL : err);
		if (!rc)
			rc = last;
	}
	if (!app->pool || rc)
		return rc;
	out = mempool_count(app->pool) - mempool_available(app->pool);
	if (!out)
		return 0;
	mempool_report(app->pool, stderr);
	return err_set(err, -ENOTRECOVERABLE,
		       "%u packet buffers were not given back: a defect of this program", out);
}
