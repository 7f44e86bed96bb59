// SPDX-License-Identifier: BSD-3-Clause
// bench_mlr.c - Multiple Loss Ratio search (RFC 9971, draft-ietf-bmwg-mlrsearch-15)
//
// What a load is worth is decided by all trials at it together: a Lower Bound, an Upper Bound, or undecided until
// more are made. Each goal is approached in targets: short trials and a wide interval first, so that the dear,
// long trials come near the border alone. What was learnt for one goal serves the others too.
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/bench.h"
#include "apps/tool/util.h"

#define PRECEDING 2u   // targets before a goal itself
#define LOADS_MAX 500u // of one search; each halves or doubles an interval, so that a search needs some ten a target

enum mlr_class mlr_classify(const struct mlr_goal *g, const struct mlr_trial *t, size_t n)
{
	double full_low = 0, full_high = 0, short_low = 0, short_high = 0;
	double high, whole, allowed;

	for (size_t i = 0; i < n; i++) {
		bool full = t[i].duration >= g->final_duration, low = t[i].loss_ratio <= g->loss_ratio;

		*(full ? low ? &full_low : &full_high : low ? &short_low : &short_high) += t[i].duration;
	}
	// Short trials without much loss cannot prove a load good; they balance short ones with loss.
	high = full_high + fmax(0, short_high - short_low * g->exceed_ratio / (1 - g->exceed_ratio));
	whole = fmax(full_low + high, g->duration_sum);
	allowed = whole * g->exceed_ratio * (1 + 1e-12);
	if (whole - full_low <= allowed) // even if all that is missing were lossy
		return MLR_LOWER;
	return high <= allowed ? MLR_UNDECIDED : MLR_UPPER;
}

static int by_loss(const void *a, const void *b)
{
	double x = ((const struct mlr_trial *)a)->loss_ratio, y = ((const struct mlr_trial *)b)->loss_ratio;

	return (x > y) - (x < y);
}

double mlr_conditional(const struct mlr_goal *g, double load, const struct mlr_trial *t, size_t n)
{
	struct mlr_trial *full = xrealloc(NULL, (n + 1) * sizeof(*full));
	double sum = 0, remaining, loss = 1;
	size_t k = 0, i;

	for (i = 0; i < n; i++) {
		if (t[i].duration < g->final_duration)
			continue;
		full[k++] = t[i];
		sum += t[i].duration;
	}
	qsort(full, k, sizeof(*full), by_loss);
	remaining = fmax(sum, g->duration_sum) * (1 - g->exceed_ratio);
	for (i = 0; i < k && (!i || remaining > 0); i++) {
		loss = full[i].loss_ratio;
		remaining -= full[i].duration;
	}
	if (i == k && remaining > 0)
		loss = 1;
	free(full);
	return load * (1 - loss);
}

struct load {
	double pps;
	struct mlr_trial *trial;
	size_t n, room;
};

struct search {
	struct bench *b;
	const struct mlr_conf *c;
	struct load *load;
	size_t loads, room;
	double received; // a second, in the last of the first trials: a guess
};

static struct load *load_at(struct search *s, double pps)
{
	struct load *l;

	for (size_t i = 0; i < s->loads; i++)
		if (s->load[i].pps == pps)
			return &s->load[i];
	s->load = array_add(s->load, &s->loads, &s->room, sizeof(*s->load));
	l = &s->load[s->loads - 1];
	l->pps = pps;
	return l;
}

static int try_load(struct search *s, double pps, double duration, const char *purpose, struct mlr_trial *got,
		    struct err *err)
{
	struct bench_order order = {.size = s->c->size,
				    .pps = pps,
				    .duration_s = duration,
				    .settle_s = s->c->settle_s,
				    .purpose = purpose};
	struct bench_trial t;
	struct load *l;
	int rc = bench_try(s->b, &order, &t, err);

	if (rc)
		return rc;
	*got = (struct mlr_trial){duration, t.loss_ratio};
	l = load_at(s, pps);
	l->trial = array_add(l->trial, &l->n, &l->room, sizeof(*l->trial));
	l->trial[l->n - 1] = *got;
	return 0;
}

// The Relevant Upper Bound is the smallest upper bound, the Relevant Lower Bound the largest below it.
static void relevant(const struct search *s, const struct mlr_goal *g, struct bench_bounds *b)
{
	*b = (struct bench_bounds){0};
	for (size_t i = 0; i < s->loads; i++) {
		const struct load *l = &s->load[i];

		if (mlr_classify(g, l->trial, l->n) == MLR_UPPER && (!b->has_upper || l->pps < b->upper)) {
			b->upper = l->pps;
			b->has_upper = true;
		}
	}
	for (size_t i = 0; i < s->loads; i++) {
		const struct load *l = &s->load[i];

		if (mlr_classify(g, l->trial, l->n) == MLR_LOWER && (!b->has_upper || l->pps < b->upper) &&
		    (!b->has_lower || l->pps > b->lower)) {
			b->lower = l->pps;
			b->has_lower = true;
		}
	}
}

static int decide(struct search *s, const struct mlr_goal *g, double pps, const char *purpose, struct err *err)
{
	struct load *l = load_at(s, pps);
	struct mlr_trial got;
	int rc = 0;

	while (!rc && mlr_classify(g, l->trial, l->n) == MLR_UNDECIDED) {
		rc = try_load(s, pps, g->final_duration, purpose, &got, err);
		l = load_at(s, pps);
	}
	return rc;
}

static bool reached(const struct search *s, const struct mlr_goal *g, const struct bench_bounds *b)
{
	if (b->has_lower && b->has_upper)
		return 1 - b->lower / b->upper <= g->width * (1 + 1e-9);
	return (b->has_lower && b->lower >= s->c->max) || (b->has_upper && b->upper <= s->c->min);
}

// Where to look next. near: the bounds of the target before, which are good guesses.
static double select_load(const struct search *s, const struct mlr_goal *g, const struct bench_bounds *b,
			  const struct bench_bounds *near, double *stride)
{
	double x;

	if (b->has_lower && b->has_upper) {
		x = sqrt(b->lower * b->upper); // the middle of a relative interval
		// One side already as narrow as wanted is enough: no need to halve below the goal.
		if (1 - b->lower / b->upper < 2 * g->width)
			x = b->upper * (1 - g->width);
		x = floor(x * 1000) / 1000;
		return x > b->lower && x < b->upper ? x : (b->lower + b->upper) / 2;
	}
	if (!b->has_lower && !b->has_upper)
		x = near->has_lower ? near->lower : near->has_upper ? near->upper : s->received;
	else if (b->has_lower && near->has_upper && near->upper > b->lower)
		x = near->upper;
	else if (b->has_upper && near->has_lower && near->lower < b->upper)
		x = near->lower;
	else {
		x = b->has_lower ? b->lower / (1 - *stride) : b->upper * (1 - *stride);
		*stride = fmin(*stride * 2, 0.5);
	}
	return fmin(fmax(floor(x * 1000) / 1000, s->c->min), s->c->max);
}

static int approach(struct search *s, const struct mlr_goal *g, struct bench_bounds *near, const char *purpose,
		    struct err *err)
{
	double stride = fmin(g->width * 2, 0.5);
	struct bench_bounds b;
	int rc = 0;

	for (relevant(s, g, &b); !rc && !reached(s, g, &b); relevant(s, g, &b)) {
		if (s->loads >= LOADS_MAX)
			return err_set(err, -ELOOP,
				       "after %u loads there is no border between loss and none: is the device's state "
				       "another one at every trial?",
				       LOADS_MAX);
		if (b.has_lower && b.has_upper)
			bench_say(s->b, "loss ratio %g: between %.0f and %.0f frames/s", g->loss_ratio, b.lower,
				  b.upper);
		rc = decide(s, g, select_load(s, g, &b, near, &stride), purpose, err);
	}
	*near = b;
	return rc;
}

// Two short trials: at the maximum, and at what then came through.
static int first_guess(struct search *s, struct err *err)
{
	double duration = s->c->goal[0].initial_duration, pps = s->c->max;
	struct mlr_trial got;
	int rc = 0;

	for (unsigned i = 0; !rc && i < 2; i++) {
		rc = try_load(s, pps, duration, "search", &got, err);
		if (!rc)
			pps = fmax(floor(pps * (1 - got.loss_ratio) * 1000) / 1000, s->c->min);
	}
	s->received = pps;
	return rc;
}

static int one_goal(struct search *s, const struct mlr_goal *goal, unsigned preceding, struct err *err)
{
	struct bench_bounds near = {0};
	double shrink = goal->initial_duration / goal->duration_sum;
	int rc = 0;

	for (unsigned left = preceding + 1; !rc && left--;) {
		struct mlr_goal target = *goal;

		if (left && shrink >= 1)
			continue;
		target.duration_sum *= pow(shrink, (double)left / PRECEDING);
		target.final_duration = fmin(goal->final_duration, target.duration_sum);
		target.width = fmin(goal->width * (1u << left), 0.5);
		rc = approach(s, &target, &near, left ? "search" : "final", err);
	}
	return rc;
}

static void report(struct search *s, const struct mlr_goal *g, struct mlr_result *r)
{
	const struct load *l;

	*r = (struct mlr_result){0};
	relevant(s, g, &r->bounds);
	if (!r->bounds.has_lower)
		return;
	l = load_at(s, r->bounds.lower);
	r->throughput = mlr_conditional(g, l->pps, l->trial, l->n);
	if (r->bounds.has_upper)
		r->width = 1 - r->bounds.lower / r->bounds.upper;
}

int mlr_search(struct bench *b, const struct mlr_conf *c, struct mlr_result *result, struct err *err)
{
	struct search s = {.b = b, .c = c};
	int rc = first_guess(&s, err);

	for (unsigned i = 0; !rc && i < c->goals; i++)
		rc = one_goal(&s, &c->goal[i], PRECEDING, err);
	// What was measured for one goal may have moved the bounds of one before.
	for (unsigned i = 0; !rc && i < c->goals; i++)
		rc = one_goal(&s, &c->goal[i], 0, err);
	for (unsigned i = 0; i < c->goals; i++)
		report(&s, &c->goal[i], &result[i]);
	for (size_t i = 0; i < s.loads; i++)
		free(s.load[i].trial);
	free(s.load);
	return rc;
}
