// SPDX-License-Identifier: BSD-3-Clause
// trial.c - the course of a trial: next hops, start, end, what is still under way
//
// pktgen_begin() leaves an order; lcore 0 looks at it every millisecond and goes on step by step. What generators
// and meters are told, all lcores do between turns of their own (app_call).
#include <errno.h>
#include <string.h>
#include <time.h>

#include "apps/pktgen/pktgen_priv.h"
#include "core/plat.h"

#define LOOKS	   1000u // a second
#define LOOKS_MANY 100u	 // with several lcores, which have to be woken for it
#define START_MS   10u	 // from the order to time 0: all lcores have heard of it by then
#define RESOLVE_NS (10 * NSEC_PER_SEC)
#define LEARN_NS   (NSEC_PER_SEC * 3 / 10) // of learning packets at most, and
#define LEARNT_NS  (NSEC_PER_SEC / 5)	   // for what waits at devices then

static uint64_t cycles(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * plat_tsc_hz() / NSEC_PER_SEC);
}

static uint64_t to_ns(const struct app *app, uint64_t tsc)
{
	return clock_tsc_to_ns(&app->lcore[0].loop.clock, tsc);
}

static bool under_way(const struct trial *t)
{
	int phase = atomic_load(&t->phase);

	return phase != PKTGEN_IDLE && phase != PKTGEN_DONE;
}

int pktgen_begin(struct app *app, const struct pktgen_order *order, struct err *err)
{
	struct pktgen *pg = pktgen_of(app);
	struct trial *t = &pg->trial;

	if (under_way(t))
		return err_set(err, -EBUSY, "a trial is under way");
	pg->begun = true;
	t->order = *order;
	if (order->rate) {
		memcpy(t->rate, order->rate, app->blob.n_streams * sizeof(*t->rate));
		t->order.rate = t->rate;
	}
	t->error = 0;
	t->sent = 0;
	atomic_store(&t->stop, false);
	atomic_store(&t->start_tsc, 0);
	atomic_store(&t->end_tsc, 0);
	atomic_store(&t->over_tsc, 0);
	t->step = STEP_FIND;
	atomic_store(&t->phase, PKTGEN_RESOLVING);
	return 0;
}

void pktgen_stop(struct app *app)
{
	atomic_store(&pktgen_of(app)->trial.stop, true);
}

enum pktgen_phase pktgen_phase(const struct app *app)
{
	return (enum pktgen_phase)atomic_load(&pktgen_of(app)->trial.phase);
}

int pktgen_error(const struct app *app, struct err *err)
{
	const struct trial *t = &pktgen_of(app)->trial;

	if (t->error && err)
		*err = t->err;
	return t->error;
}

// --- on every lcore ---

static void start(struct app_lcore *l, void *arg)
{
	struct pktgen *pg = pktgen_of(l->app);
	struct pktgen_lcore *mine = &pg->lcore[l->id];
	const struct gen_order *order = &pg->trial.gen;

	meas_start(mine->meas, order->run, order->start_tsc, order->epoch_ns);
	for (unsigned p = 0; p < l->app->ports; p++)
		if (mine->gen[p])
			gen_start(mine->gen[p], order);
	atomic_store(&mine->done, false);
}

static void look(struct app_lcore *l, void *arg)
{
	struct pktgen_lcore *mine = &pktgen_of(l->app)->lcore[l->id];
	bool done = true;

	for (unsigned p = 0; p < l->app->ports; p++)
		if (mine->gen[p])
			done &= gen_done(mine->gen[p]);
	atomic_store(&mine->done, done);
}

static void stop(struct app_lcore *l, void *arg)
{
	struct pktgen_lcore *mine = &pktgen_of(l->app)->lcore[l->id];

	for (unsigned p = 0; p < l->app->ports; p++)
		if (mine->gen[p])
			gen_stop(mine->gen[p]);
}

// --- on lcore 0: each step returns the next one, or itself while it waits ---

static void over(struct trial *t, uint64_t tsc)
{
	atomic_store(&t->over_tsc, tsc);
	t->step = STEP_NONE;
	atomic_store(&t->phase, PKTGEN_DONE);
}

static bool call(struct app *app, app_call_fn fn)
{
	return app_call(app, fn, NULL, &pktgen_of(app)->trial.ticket);
}

static void find(struct app *app, struct trial *t, uint64_t tsc)
{
	uint64_t ns = t->order.resolve_ns ? t->order.resolve_ns : RESOLVE_NS;

	t->error = hops_find(app, &t->err);
	t->deadline = tsc + cycles(ns);
	t->step = STEP_ASK;
	if (t->error)
		over(t, tsc);
}

static void ask(struct app *app, struct trial *t, uint64_t tsc)
{
	if (hops_ask(app)) {
		t->step = STEP_TELL;
	} else if (tsc >= t->deadline || atomic_load(&t->stop)) {
		t->error = -EHOSTUNREACH;
		hops_unknown(app, &t->err);
		over(t, tsc);
	}
}

static void tell(struct app *app, struct trial *t)
{
	if (!hops_changed(app))
		t->step = t->order.learn ? STEP_LEARN : STEP_START;
	else if (call(app, hops_tell))
		t->step = STEP_TOLD;
}

// What the signatures' clock says at a TSC value that is near.
static uint64_t wall_ns(const struct app *app, uint64_t tsc)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = tsc_read();
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec + to_ns(app, tsc - now);
}

// Not the last run's number, and hardly that of another generator.
static uint16_t next_run(uint16_t last)
{
	uint16_t run;

	if (last || plat_entropy(&run, sizeof(run)))
		run = (uint16_t)(last + 1);
	return run ? run : 1;
}

static void begin(struct app *app, struct trial *t, bool learn)
{
	uint64_t at = tsc_read() + plat_tsc_hz() / 1000 * START_MS;

	t->gen = (struct gen_order){
		.start_tsc = at,
		.epoch_ns = wall_ns(app, at),
		.run = next_run(t->run),
		.duration_ns = learn ? LEARN_NS : t->order.duration_ns,
		.count = learn ? t->order.learn : t->order.count,
		.rate = t->order.rate,
		.burst = t->order.burst,
	};
	if (!call(app, start))
		return;
	t->run = t->gen.run;
	t->deadline = at + cycles(LEARN_NS + LEARNT_NS);
	t->step = learn ? STEP_LEARNING : STEP_STARTED;
}

// Until what waited at devices has come out.
static void learning(struct app *app, struct trial *t, uint64_t tsc)
{
	if ((tsc >= t->deadline || atomic_load(&t->stop)) && call(app, stop))
		t->step = STEP_LEARNT;
}

static void started(struct trial *t)
{
	atomic_store(&t->start_tsc, t->gen.start_tsc);
	atomic_store(&t->phase, PKTGEN_SENDING);
	t->step = STEP_SEND;
}

static void send(struct app *app, struct trial *t)
{
	if (atomic_load(&t->stop)) {
		if (call(app, stop))
			t->step = STEP_STOPPED;
	} else if (hops_changed(app)) {
		if (call(app, hops_tell))
			t->step = STEP_TOLD;
	} else if (call(app, look)) {
		t->step = STEP_LOOK;
	}
	hops_refresh(app);
}

static void looked(struct app *app, struct trial *t)
{
	const struct pktgen *pg = pktgen_of(app);
	bool done = true;

	for (unsigned k = 0; k < app->lcores; k++)
		done &= atomic_load(&pg->lcore[k].done);
	t->step = STEP_SEND;
	if (done && call(app, stop))
		t->step = STEP_STOPPED;
}

static void stopped(struct app *app, struct trial *t, uint64_t tsc)
{
	atomic_store(&t->end_tsc, tsc);
	t->sent = pktgen_sent(app);
	t->deadline = tsc + cycles(t->order.drain_ns);
	t->step = STEP_DRAIN;
	atomic_store(&t->phase, PKTGEN_DRAINING);
}

static void drain(struct app *app, struct trial *t, uint64_t tsc)
{
	if (tsc >= t->deadline || pktgen_received(app) >= t->sent)
		over(t, tsc);
}

static void told(struct app *app, struct trial *t)
{
	hops_told(app);
	if (atomic_load(&t->phase) == PKTGEN_SENDING)
		t->step = STEP_SEND;
	else
		t->step = t->order.learn ? STEP_LEARN : STEP_START;
}

static void step(struct app *app, struct trial *t, uint64_t tsc)
{
	switch (t->step) {
	case STEP_NONE:
		break;
	case STEP_FIND:
		find(app, t, tsc);
		break;
	case STEP_ASK:
		ask(app, t, tsc);
		break;
	case STEP_TELL:
		tell(app, t);
		break;
	case STEP_TOLD:
		told(app, t);
		break;
	case STEP_LEARN:
		begin(app, t, true);
		break;
	case STEP_LEARNING:
		learning(app, t, tsc);
		break;
	case STEP_LEARNT:
		t->step = STEP_START;
		break;
	case STEP_START:
		begin(app, t, false);
		break;
	case STEP_STARTED:
		started(t);
		break;
	case STEP_SEND:
		send(app, t);
		break;
	case STEP_LOOK:
		looked(app, t);
		break;
	case STEP_STOPPED:
		stopped(app, t, tsc);
		break;
	case STEP_DRAIN:
		drain(app, t, tsc);
		break;
	}
}

static bool waits(enum trial_step s)
{
	return s == STEP_TOLD || s == STEP_LEARNT || s == STEP_STARTED || s == STEP_LOOK || s == STEP_STOPPED;
}

void trial_work(struct app *app, uint64_t tsc)
{
	struct trial *t = &pktgen_of(app)->trial;

	if (tsc < t->next || !under_way(t))
		return;
	t->next = tsc + plat_tsc_hz() / (t->step == STEP_SEND && app->lcores > 1 ? LOOKS_MANY : LOOKS);
	if (!waits(t->step) || app_called(app, t->ticket))
		step(app, t, tsc);
}

// --- how long ---

uint64_t pktgen_elapsed_ns(const struct app *app)
{
	const struct trial *t = &pktgen_of(app)->trial;
	uint64_t from = atomic_load(&t->start_tsc), to = atomic_load(&t->over_tsc);

	if (!to)
		to = tsc_read();
	return from && to > from ? to_ns(app, to - from) : 0;
}

uint64_t pktgen_sending_ns(const struct app *app)
{
	const struct trial *t = &pktgen_of(app)->trial;
	uint64_t from = atomic_load(&t->start_tsc), to = atomic_load(&t->end_tsc), ns;

	if (!to)
		to = tsc_read();
	ns = from && to > from ? to_ns(app, to - from) : 0;
	return t->order.duration_ns && ns > t->order.duration_ns ? t->order.duration_ns : ns;
}
