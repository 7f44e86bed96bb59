// SPDX-License-Identifier: BSD-3-Clause
// app_stats.c - the figures of a function: of all lcores together, and of each
#include <stdio.h>

#include "apps/app.h"
#include "core/plat.h"

#define ASK_MS 100 // an lcore that does not answer by then has its books read as they are

static void read_books(const struct app_lcore *l, struct app_books *b)
{
	*b = (struct app_books){0};
	graph_books(l->graph, &b->graph);
	b->turn = l->loop.turn_longest;
	if (l->app->handoff)
		handoff_books(l->app->handoff, l->id, &b->handoff);
}

void app_tell(struct app_lcore *l, void *arg)
{
	read_books(l, &l->books);
}

// The books of all lcores, each written by itself; whether that was in time.
static bool ask(struct app *app)
{
	uint64_t until = tsc_read() + plat_tsc_hz() / 1000 * ASK_MS;
	unsigned ticket;

	if (!app_call(app, app_tell, NULL, &ticket))
		return false;
	while (!app_called(app, ticket)) {
		if (tsc_read() > until)
			return false;
		__builtin_ia32_pause();
	}
	return true;
}

static void add(struct app_books *sum, const struct app_books *b)
{
	sum->graph.rx += b->graph.rx;
	sum->graph.generated += b->graph.generated;
	sum->graph.tx += b->graph.tx;
	sum->graph.consumed += b->graph.consumed;
	sum->graph.dropped += b->graph.dropped;
	sum->graph.held += b->graph.held;
	sum->handoff.given += b->handoff.given;
	sum->handoff.taken += b->handoff.taken;
	if (b->turn > sum->turn)
		sum->turn = b->turn;
}

// Of all lcores; told: as each has written them down.
static bool sum_books(const struct app *app, bool told, struct app_books *sum)
{
	bool balanced = true;
	struct app_books one;

	*sum = (struct app_books){0};
	for (unsigned k = 0; k < app->lcores; k++) {
		const struct app_lcore *l = &app->lcore[k];

		if (told && k && !atomic_load(&l->left))
			one = l->books;
		else
			read_books(l, &one);
		balanced &= graph_balanced(&one.graph);
		add(sum, &one);
	}
	handoff_settle(&sum->graph, &sum->handoff);
	return balanced && graph_balanced(&sum->graph);
}

bool app_books(struct app *app, struct graph_books *b)
{
	bool live = atomic_load(&app->go) && !atomic_load(&app->over), balanced;
	struct app_books sum;

	balanced = sum_books(app, live && app->lcores > 1 && ask(app), &sum);
	*b = sum.graph;
	return balanced;
}

bool app_books_told(const struct app *app, struct graph_books *b, uint64_t *turn)
{
	struct app_books sum;
	bool balanced = sum_books(app, true, &sum);

	*b = sum.graph;
	*turn = sum.turn;
	return balanced;
}

static void emit3(stats_emit_fn emit, void *arg, const char *group, const char *key,
		  const char *figure, uint64_t value)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%s.%s", group, key, figure);
	emit(arg, name, value);
}

static void emit_lcore(const struct app_lcore *l, stats_emit_fn emit, void *arg)
{
	uint64_t packets = 0, polls = 0, empty = 0;
	struct app_books b;
	char key[12];

	for (unsigned i = 0; i < l->loop.sources; i++) {
		packets += l->loop.source[i].packets;
		polls += l->loop.source[i].polls;
		empty += l->loop.source[i].empty;
	}
	read_books(l, &b);
	snprintf(key, sizeof(key), "%u", l->id);
	emit3(emit, arg, "lcores", key, "packets", packets);
	emit3(emit, arg, "lcores", key, "polls", polls);
	emit3(emit, arg, "lcores", key, "empty", empty);
	emit3(emit, arg, "lcores", key, "busy_cycles", l->loop.busy_cycles);
	emit3(emit, arg, "lcores", key, "given", b.handoff.given);
	emit3(emit, arg, "lcores", key, "taken", b.handoff.taken);
}

static void emit_port(const struct app *app, const struct port *p, stats_emit_fn emit, void *arg)
{
	char key[32];

	port_stats_emit(p, emit, arg);
	for (unsigned q = 0; app->lcores > 1 && q < p->grant.queues; q++) {
		snprintf(key, sizeof(key), "queues.%u", q);
		emit3(emit, arg, "ports", p->name, key, q);
	}
}

static void emit_graphs(const struct app *app, stats_emit_fn emit, void *arg)
{
	const struct graph *graphs[APP_LCORES_MAX];

	for (unsigned k = 0; k < app->lcores; k++)
		graphs[k] = app->lcore[k].graph;
	graphs_stats_emit(graphs, app->lcores, emit, arg);
}

static void emit_sums(struct app *app, bool told, stats_emit_fn emit, void *arg)
{
	const struct loop *loops[APP_LCORES_MAX];
	struct graph_books books;
	uint64_t turn;
	bool balanced = told ? app_books_told(app, &books, &turn) : app_books(app, &books);

	books_emit(&books, balanced, emit, arg);
	for (unsigned k = 0; k < app->lcores; k++)
		loops[k] = &app->lcore[k].loop;
	loops_stats_emit(loops, app->lcores, emit, arg);
}

static void emit_function(const struct app *app, stats_emit_fn emit, void *arg)
{
	if (app->function->stats)
		app->function->stats(app, emit, arg);
}

bool app_stats_part(struct app *app, unsigned part, bool told, stats_emit_fn emit, void *arg)
{
	if (part < app->ports)
		emit_port(app, &app->port[part], emit, arg);
	else if ((part -= app->ports) == 0)
		emit_graphs(app, emit, arg);
	else if (part == 1)
		emit_sums(app, told, emit, arg);
	else if (part == 2)
		emit_function(app, emit, arg);
	else if ((part -= 3) < app->lcores && app->lcores > 1)
		emit_lcore(&app->lcore[part], emit, arg);
	else
		return false;
	return true;
}

void app_stats(struct app *app, stats_emit_fn emit, void *arg)
{
	for (unsigned part = 0; app_stats_part(app, part, false, emit, arg);)
		part++;
}

void app_port_queues(const struct app *app, unsigned port, char *buf, size_t len)
{
	const struct port *p = &app->port[port];
	size_t n = 0;

	buf[0] = 0;
	for (unsigned q = 0; q < p->grant.queues && n < len; q++)
		n += (size_t)snprintf(buf + n, len - n, "%squeue %u lcore %u", q ? ", " : "", q, q);
	if (p->grant.queues < app->lcores && n < len)
		n += (size_t)snprintf(buf + n, len - n, ", the other lcores hand over");
	if (!(p->grant.offloads & PORT_RSS) && n < len)
		snprintf(buf + n, len - n, "; flows are spread in software");
}
