// SPDX-License-Identifier: BSD-3-Clause
// app_run.c - the lcores of a function: one thread each, started before the page tables are sealed
#include <errno.h>
#include <string.h>

#include "apps/app.h"
#include "core/lcore.h"
#include "core/plat.h"

static void *lcore_main(void *arg)
{
	struct app_lcore *l = arg;
	struct app *app = l->app;
	int rc = lcore_enter(l->id);

	atomic_store(&l->entered, rc ? rc : 1);
	while (!rc && !atomic_load(&app->go) && !atomic_load(&l->loop.stop))
		__builtin_ia32_pause();
	if (!rc && !atomic_load(&l->loop.stop))
		loop_run(&l->loop);
	// One ends, all end. Nobody need wait for it.
	app_answer_calls(l);
	atomic_store(&l->left, true);
	atomic_store(&app->lcore[0].loop.stop, true);
	return NULL;
}

static int start(struct app_lcore *l, struct err *err)
{
	int rc = pthread_create(&l->thread, NULL, lcore_main, l);

	if (rc)
		return err_set(err, -rc, "lcore %u: its thread does not start: %s", l->id,
			       strerror(rc));
	l->started = true;
	while (!atomic_load(&l->entered))
		__builtin_ia32_pause();
	rc = atomic_load(&l->entered);
	return rc < 0 ? err_set(err, rc, "lcore %u: cannot be bound to a CPU: %s", l->id,
				strerror(-rc))
		      : 0;
}

int app_lcores_start(struct app *app, struct err *err)
{
	int rc = 0;

	// A single lcore stays where the user's system puts it.
	if (app->lcores > 1)
		rc = lcore_enter(0);
	if (rc)
		return err_set(err, rc, "lcore 0: cannot be bound to a CPU: %s", strerror(-rc));
	for (unsigned k = 1; !rc && k < app->lcores; k++)
		rc = start(&app->lcore[k], err);
	return rc;
}

void app_lcores_join(struct app *app)
{
	for (unsigned k = 0; k < app->lcores; k++)
		atomic_store(&app->lcore[k].loop.stop, true);
	for (unsigned k = 1; k < app->lcores; k++) {
		if (app->lcore[k].started)
			pthread_join(app->lcore[k].thread, NULL);
		app->lcore[k].started = false;
	}
}

// The function says goodbye.
static void end(struct app_lcore *l)
{
	struct loop *loop = &l->loop;

	if (!l->app->function->end || loop->clock.kind != CLOCK_REAL)
		return;
	l->app->function->end(l);
	graph_housekeep(l->graph, clock_turn(&loop->clock));
	for (unsigned i = 0; i < loop->sinks; i++)
		loop->sink[i].flush(loop->sink[i].arg);
}

void app_run(struct app *app)
{
	app->ready_tsc = tsc_read();
	atomic_store(&app->go, true);
	loop_run(&app->lcore[0].loop);
	app_lcores_join(app);
	end(&app->lcore[0]);
	atomic_store(&app->over, true);
}

void app_end(struct app *app)
{
	atomic_store(&app->lcore[0].loop.stop, true);
}
