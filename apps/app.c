// SPDX-License-Identifier: BSD-3-Clause
// app.c - make a network function from its blob, take it down
#include "apps/app.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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
	return err_set(err, -ENOENT, "function %s is not in this image: it has %s",
		       app->blob.hdr->function, function_list[0]->name);
}

static int make_lcores(struct app *app, const struct app_conf *conf, struct err *err)
{
	unsigned n = app->blob.params->lcores ? app->blob.params->lcores : 1,
		 there = plat_lcore_count();

	if (n > APP_LCORES_MAX)
		return err_set(err, -EINVAL, "lcores: %u: at most %d are possible", n,
			       APP_LCORES_MAX);
	if (n > there)
		return err_set(
			err, -ENODEV,
			"lcores: %u: there %s %u CPU%s to run on; write less, or give more (weir "
			"boot: --cpus; QEMU: -smp; a process: taskset)",
			n, there == 1 ? "is" : "are", there, there == 1 ? "" : "s");
	if (n > 1 && conf->clock == CLOCK_CAPTURE)
		return err_set(err, -EINVAL,
			       "lcores: %u: a capture's clock is moved by one lcore: expected "
			       "lcores: 1, or "
			       "the real clock",
			       n);
	app->lcore = aligned_alloc(CACHE_LINE, n * sizeof(*app->lcore));
	if (!app->lcore)
		return err_set(err, -ENOMEM, "no memory for %u lcores", n);
	memset(app->lcore, 0, n * sizeof(*app->lcore));
	app->lcores = n;
	for (unsigned k = 0; k < n; k++) {
		app->lcore[k].app = app;
		app->lcore[k].id = k;
		clock_init(&app->lcore[k].loop.clock, conf->clock);
	}
	if (n == 1)
		return 0;
	app->handoff = handoff_create(n, err);
	return app->handoff ? 0 : -ENOMEM;
}

static int make_pool(struct app *app, const struct app_conf *app_conf, struct err *err)
{
	struct mempool_conf conf = {.name = "packets", .count = app->blob.params->mbufs};
	uint32_t i;

	conf.lcores = app->lcores;
	if (!conf.count) {
		conf.count = APP_MBUFS(app->blob.n_ports, app->lcores);
		if (app->function->holds)
			conf.count += app->lcores * app->function->holds(&app->blob);
	}
	for (i = 0; i < app->blob.n_ports; i++) {
		const struct pmd *pmd =
			app_conf->pmd ? app_conf->pmd
				      : pmd_find(blob_str(&app->blob, app->blob.ports[i].driver));

		if (pmd && pmd->mbuf_prefix > conf.prefix)
			conf.prefix = pmd->mbuf_prefix;
	}
	app->pool = mempool_create(&conf, err);
	return app->pool ? 0 : -ENOMEM;
}

// What a port is asked for: what its configuration says, else all there is.
static uint32_t offloads(const struct app *app, const struct blob_port *p)
{
	if (p->flags & BLOB_PORT_OFFLOADS)
		return p->offloads;
	return PORT_OFFLOADS | (app->function->station && app->function->station(&app->blob, app->ports) ?
					PORT_MAC_FILTER :
					0);
}

static int open_port(struct app *app, const struct app_conf *app_conf, const struct blob_port *p,
		     struct err *err)
{
	const struct blob *b = &app->blob;
	struct port *port = &app->port[app->ports];
	struct port_conf conf = {
		.name = blob_str(b, p->name),
		.driver = blob_str(b, p->driver),
		.args = blob_str(b, p->args),
		.pmd = app_conf->pmd,
		.pool = app->pool,
		.clock = &app->lcore[0].loop.clock,
		.has_mac = p->flags & BLOB_PORT_MAC,
		.mtu = p->mtu,
		.rx_size = p->rx_size,
		.tx_size = p->tx_size,
		.queues = p->queues ? p->queues : (uint16_t)app->lcores,
		.offloads = offloads(app, p),
		.rss = (uint8_t)p->rss,
	};
	const struct pmd *pmd = conf.pmd ? conf.pmd : pmd_resolve(conf.driver, conf.args);
	int rc;

	if (conf.queues > app->lcores)
		return err_set(err, -EINVAL,
			       "port %s: %u queues for %u lcore%s: one an lcore is the most",
			       conf.name, conf.queues, app->lcores, app->lcores == 1 ? "" : "s");
	if (app->lcores > 1 && pmd && pmd->next_time)
		return err_set(
			err, -EINVAL,
			"port %s: %s plays a capture, whose packets come one after the other: "
			"expected lcores: 1",
			conf.name, pmd->name);
	memcpy(conf.mac, p->mac, sizeof(conf.mac));
	port->id = (uint16_t)app->ports;
	rc = port_open(port, &conf, err);
	if (rc)
		return rc;
	app->ports++;
	return 0;
}

static int open_ports(struct app *app, const struct app_conf *conf, struct err *err)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < app->blob.n_ports; i++)
		rc = open_port(app, conf, &app->blob.ports[i], err);
	return rc;
}

int app_start(struct app *app, const struct app_conf *conf, struct err *err)
{
	int rc;

	memset(app, 0, sizeof(*app));
	rc = blob_open(&app->blob, conf->blob, conf->blob_len, err);
	if (!rc)
		rc = find_function(app, err);
	if (!rc)
		rc = make_lcores(app, conf, err);
	if (!rc)
		rc = make_pool(app, conf, err);
	if (!rc)
		rc = open_ports(app, conf, err);
	app->ports_tsc = tsc_read();
	if (!rc)
		rc = app_build(app, conf, err);
	if (!rc)
		rc = app_lcores_start(app, err);
	if (rc)
		app_stop(app, NULL);
	return rc;
}

int app_capture_error(const struct app *app, struct err *err)
{
	const struct loop *l = &app->lcore[0].loop;
	unsigned i;
	int rc = 0;

	for (i = 0; !rc && i < app->ports; i++)
		if (app->port[i].pmd->error)
			rc = app->port[i].pmd->error(&app->port[i], err);
	if (!rc && l->stalled)
		rc = err_set(err, -ENOBUFS,
			     "replay stopped at %llu.%09llu: a packet was due, but no buffer came "
			     "free for it; raise mbufs",
			     l->clock.now / NSEC_PER_SEC, l->clock.now % NSEC_PER_SEC);
	return rc;
}

static int close_ports(struct app *app, struct err *err)
{
	int rc = 0, last;

	while (app->ports) {
		// The first port to fail is the one told of.
		last = port_close(&app->port[--app->ports], rc ? NULL : err);
		if (!rc)
			rc = last;
	}
	return rc;
}

int app_stop(struct app *app, struct err *err)
{
	uint32_t out;
	int rc;

	app_lcores_join(app);
	for (unsigned k = 0; k < app->lcores; k++)
		graph_destroy(app->lcore[k].graph);
	if (app->function && app->function->destroy)
		app->function->destroy(app);
	handoff_destroy(app->handoff);
	app->handoff = NULL;
	rc = close_ports(app, err);
	free(app->lcore);
	app->lcore = NULL;
	app->lcores = 0;
	if (!app->pool || rc)
		return rc;
	out = mempool_count(app->pool) - mempool_available(app->pool);
	if (!out)
		return 0;
	mempool_report(app->pool, stderr);
	return err_set(err, -ENOTRECOVERABLE,
		       "%u packet buffers were not given back: a defect of this program", out);
}
