// SPDX-License-Identifier: BSD-3-Clause
// app_build.c - the graphs and loops of a function's lcores, and what joins them
#include <errno.h>
#include <stdio.h>

#include "apps/app.h"
#include "apps/control.h"
#include "core/plat.h"
#include "netstack/rss_node.h"

// Whether lcore `id` has a queue pair of port p.
static bool owns(const struct port *p, unsigned id)
{
	return id < p->grant.queues;
}

// Whether the port leaves it to us which lcore a flow meets.
static bool spread(const struct app *app, const struct port *p)
{
	return app->lcores > 1 &&
	       (p->grant.queues < app->lcores || !(p->grant.offloads & PORT_RSS));
}

static struct app_lcore *lcore_of(struct app *app, const struct graph *g)
{
	for (unsigned k = 0; k < app->lcores; k++)
		if (app->lcore[k].graph == g)
			return &app->lcore[k];
	return NULL;
}

struct node *app_handoff(struct app *app, unsigned from, struct node *entry, struct err *err)
{
	struct graph *g = app->lcore[from].graph;
	unsigned to = lcore_of(app, entry->graph)->id;
	char name[NODE_NAME_MAX + 16];
	struct node *node;

	snprintf(name, sizeof(name), "handoff-%u-%s", to, entry->name);
	node = graph_find(g, name);
	return node ? node : handoff_out_add(app->handoff, g, from, name, to, entry, err);
}

static int add_graph(struct app_lcore *l, struct err *err)
{
	struct app *app = l->app;

	l->graph = graph_create(&l->loop.clock, err);
	if (!l->graph)
		return -ENOMEM;
	if (app->handoff && !handoff_in_add(app->handoff, l->graph, l->id, err))
		return -ENOMEM;
	l->down = port_down_node_add(l->graph, err);
	if (!l->down)
		return -ENOMEM;
	for (unsigned i = 0; i < app->ports; i++) {
		if (!owns(&app->port[i], l->id))
			continue;
		l->tx[i] = port_tx_node_add(l->graph, &app->port[i], (uint16_t)l->id, err);
		if (!l->tx[i])
			return -ENOMEM;
	}
	return 0;
}

// Ports of which the lcore has no queue pair are served by one that has.
static int add_handovers(struct app_lcore *l, struct err *err)
{
	struct app *app = l->app;

	for (unsigned i = 0; i < app->ports; i++) {
		struct app_lcore *owner = &app->lcore[l->id % app->port[i].grant.queues];

		if (!l->tx[i])
			l->tx[i] = app_handoff(app, l->id, owner->tx[i], err);
		if (!l->tx[i])
			return -ENOMEM;
	}
	return 0;
}

// What packets of port i enter first, on lcore l: the node that sends each to its lcore.
static struct node *add_rss(struct app_lcore *l, unsigned i, struct err *err)
{
	struct app *app = l->app;
	struct node *rss =
		rss_node_add(l->graph, app->port[i].name, app->blob.ports[i].rss, app->lcores, err);

	for (unsigned k = 0; rss && k < app->lcores; k++) {
		struct node *entry = app->lcore[k].rx[i];
		struct node *to = k == l->id ? entry : app_handoff(app, l->id, entry, err);

		if (!to || node_add_edge(rss, to, err) < 0)
			return NULL;
	}
	return rss;
}

// When a packet was first sent: seen by the lcore that sends it.
static void note_first_tx(struct app_lcore *l, uint64_t tsc)
{
	struct app *app = l->app;
	uint64_t none = 0;

	for (unsigned i = 0;
	     !atomic_load_explicit(&app->first_tx_tsc, memory_order_relaxed) && i < app->ports; i++)
		if (owns(&app->port[i], l->id) && l->tx[i]->stats.sent)
			atomic_compare_exchange_strong(&app->first_tx_tsc, &none, tsc);
}

static void announce(struct app_lcore *l, unsigned port)
{
	struct app *app = l->app;

	app->announced[port] = app->port[port].announce;
	if (app->function->announce)
		app->function->announce(l, port);
}

// By lcore 0: tells the function of links that came or went, of themselves or by the operator's wish.
static void look_at_link(struct app *app, unsigned port)
{
	struct port_link link;

	port_link(&app->port[port], &link);
	link.up &= !__atomic_load_n(&app->port[port].down, __ATOMIC_RELAXED);
	if (link.up != app->link_down[port])
		return;
	app->link_down[port] = !link.up;
	app->function->link(app, port, link.up);
}

// Between turns.
static int tick(void *arg, uint64_t now)
{
	struct app_lcore *l = arg;
	struct app *app = l->app;
	uint64_t tsc = tsc_read();
	unsigned i;

	if (l->id)
		app_answer_calls(l);
	else if (app->control)
		l->loop.awake = control_poll(app->control, tsc);
	if (!l->id && app->function->work)
		l->loop.awake = app->function->work(app) || (app->control && l->loop.awake);
	note_first_tx(l, tsc);
	// By the TSC: a capture's clock says nothing about how long the user has waited.
	if (tsc < l->tick_at)
		return 0;
	l->tick_at = tsc + plat_tsc_hz() / APP_TICKS;
	for (i = 0; i < app->ports; i++) {
		struct port *p = &app->port[i];

		if (p->pmd->poll_queue && owns(p, l->id))
			p->pmd->poll_queue(p, (uint16_t)l->id);
		if (p->pmd->poll && !l->id)
			p->pmd->poll(p);
		if (!l->id && p->announce != l->app->announced[i])
			announce(l, i);
		if (!l->id && app->function->link)
			look_at_link(app, i);
	}
	if (!l->id && app->function->tick)
		app->function->tick(app);
	return app->tick && !l->id ? app->tick(app) : 0;
}

static int add_source(struct app_lcore *l, unsigned i, struct err *err)
{
	struct loop_source *s = &l->loop.source[l->loop.sources];
	struct port *p = &l->app->port[i];
	struct node *entry = l->rx[i];

	if (!entry || !owns(p, l->id))
		return 0;
	if (spread(l->app, p))
		entry = add_rss(l, i, err);
	if (!entry)
		return -ENOMEM;
	l->entry[i] = entry;
	l->source[i] = s;
	port_source(s, p, (uint16_t)l->id, entry);
	if (l->pace[i])
		port_source_gate(s, &l->gate[i], l->pace[i]);
	l->loop.sources++;
	return 0;
}

int app_source_add(struct app_lcore *l, loop_burst_fn burst, void *arg, struct node *node, struct err *err)
{
	if (l->owns == BLOB_PORTS_MAX)
		return err_set(err, -ENOSPC, "lcore %u makes packets of %u kinds already", l->id, l->owns);
	l->own[l->owns++] = (struct loop_source){.burst = burst, .arg = arg, .node = node, .made = true};
	return 0;
}

static uint64_t idle_ns(const struct app *app)
{
	uint32_t us = app->blob.params->idle_us;

	if (us == BLOB_IDLE_NEVER)
		return 0;
	return us ? us * 1000ull : LOOP_IDLE_NS;
}

static int fill_loop(struct app_lcore *l, const struct app_conf *conf, struct err *err)
{
	struct app *app = l->app;
	struct loop *loop = &l->loop;
	int rc = 0;

	loop->graph = l->graph;
	loop->burst = (uint16_t)app->blob.params->burst;
	loop->idle_ns = idle_ns(app);
	loop->linger_ns = conf->linger_ns;
	loop->tick = tick;
	loop->tick_arg = l;
	for (unsigned i = 0; !rc && i < app->ports; i++) {
		if (owns(&app->port[i], l->id))
			port_sink(&loop->sink[loop->sinks++], l->tx[i]);
		rc = add_source(l, i, err);
	}
	for (unsigned i = 0; i < l->owns; i++)
		loop->source[loop->sources++] = l->own[i];
	for (unsigned k = 0; k < app->lcores; k++)
		if (k != l->id)
			handoff_source(&loop->source[loop->sources++], app->handoff, k, l->id);
	return rc;
}

int app_build(struct app *app, const struct app_conf *conf, struct err *err)
{
	int rc = 0;

	// All of one step before the next: hand-over leads to what another lcore's step made.
	for (unsigned k = 0; !rc && k < app->lcores; k++)
		rc = add_graph(&app->lcore[k], err);
	for (unsigned k = 0; !rc && k < app->lcores; k++)
		rc = add_handovers(&app->lcore[k], err);
	for (unsigned k = 0; !rc && k < app->lcores; k++)
		rc = app->function->build(&app->lcore[k], err);
	for (unsigned k = 0; !rc && k < app->lcores; k++)
		rc = fill_loop(&app->lcore[k], conf, err);
	if (app->handoff && app->lcore[0].loop.idle_ns)
		handoff_may_sleep(app->handoff);
	for (unsigned k = 0; !rc && k < app->lcores; k++)
		rc = graph_check(app->lcore[k].graph, err);
	return rc;
}
