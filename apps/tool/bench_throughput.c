// SPDX-License-Identifier: BSD-3-Clause
// bench_throughput.c - throughput: RFC 2544, 26.1, by binary search, ETSI TST009's, or MLRsearch
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/tool/bench_test.h"
#include "apps/tool/util.h"

// The generator must be sure to reach what is asked of it.
#define GENERATOR_MARGIN 0.9

int bench_case_max(struct bench_case *c, struct err *err)
{
	const struct bench_plan *p = c->plan;
	struct bench_order order = {.size = c->size,
				    .top = true,
				    .duration_s = fmin(p->duration_s, 0.5),
				    .settle_s = fmin(p->settle_s, 0.5),
				    .purpose = "generator"};
	struct bench_trial t;
	double reached;
	int rc;

	c->max_pps = p->max_pps ? p->max_pps : c->line_pps;
	bench_say(c->b, "%u bytes: how fast the generator and the ports are", c->size);
	c->b->limits.interference = INFINITY; // what was reached was reached
	rc = bench_try(c->b, &order, &t, err);
	c->b->limits.interference = p->limits.interference;
	if (rc)
		return rc;
	reached = t.sending_s > 0 ? (double)t.sent / t.sending_s : 0;
	if (t.blocked) {
		// The ports took no more: what is above that is refused, and counts as lost.
		if (!c->max_pps)
			c->max_pps = reached * 1.5;
	} else if (!c->max_pps || c->max_pps > reached * GENERATOR_MARGIN) {
		c->max_pps = reached * GENERATOR_MARGIN;
		c->generator_max = true;
	}
	c->max_pps = fmax(floor(c->max_pps), 1);
	c->top_pps = t.sending_s > 0 ? fmin((double)t.received / t.sending_s, c->max_pps) : 0;
	return 0;
}

struct asker {
	struct bench_case *c;
	const char *purpose;
};

static int ask(void *arg, double pps, bool *pass, struct err *err)
{
	struct asker *a = arg;
	const struct bench_plan *p = a->c->plan;
	struct bench_order order = {.size = a->c->size,
				    .pps = pps,
				    .duration_s = p->duration_s,
				    .settle_s = p->settle_s,
				    .purpose = a->purpose};
	struct bench_verify v = {.r = p->method == BENCH_TST009 ? p->r : 1, .z = p->z, .loss_ratio = p->loss_ratio};
	struct bench_trial t;
	int rc = bench_verified(a->c->b, &order, &v, pass, &t, err);

	if (!rc)
		bench_say(a->c->b, "%u bytes, throughput: %.0f frames/s: lost %llu of %llu: %s", a->c->size, pps,
			  (unsigned long long)t.lost, (unsigned long long)t.sent, *pass ? "passes" : "fails");
	return rc;
}

static const char *purpose(unsigned i, char buf[32])
{
	snprintf(buf, 32, i ? "repetition %u" : "search", i + 1);
	return buf;
}

// Begins at what came through at top speed.
static int binary(struct bench_case *c, unsigned i, double before, struct mlr_result *r, struct err *err)
{
	struct bench_range range = {.max = c->max_pps,
				    .min = fmax(c->max_pps / 1000, 1e-3),
				    .width = c->plan->resolution,
				    .relative = true,
				    .hint = i ? before : floor(c->top_pps)};
	char text[32];
	struct asker a = {c, purpose(i, text)};
	int rc;

	*r = (struct mlr_result){0};
	rc = bench_bisect(&range, ask, &a, &r->bounds, err);
	r->throughput = r->bounds.has_lower ? r->bounds.lower : 0;
	return rc;
}

static int mlr(struct bench_case *c, struct mlr_result *r, struct err *err)
{
	struct mlr_conf conf = {.goals = c->plan->goals,
				.max = c->max_pps,
				.min = fmax(c->max_pps / 1000, 1),
				.size = c->size,
				.settle_s = c->plan->settle_s};

	for (unsigned g = 0; g < conf.goals; g++)
		conf.goal[g] = c->plan->goal[g];
	return mlr_search(c->b, &conf, r, err);
}

// The figures of n repetitions, of the goal that `got` begins with; each repetition has `goals`.
static double summarize(const struct bench_case *c, const struct mlr_result *got, unsigned n, unsigned goals, json_t *o)
{
	double *v = xrealloc(NULL, (n + 1) * sizeof(*v)), lower = INFINITY, upper = 0, mean;

	for (unsigned i = 0; i < n; i++) {
		const struct bench_bounds *b = &got[i * goals].bounds;

		v[i] = got[i * goals].throughput;
		lower = fmin(lower, b->has_lower ? b->lower : 0);
		upper = b->has_upper ? fmax(upper, b->upper) : INFINITY;
	}
	mean = round(stat_mean(v, n));
	bench_set(o, "pps", mean);
	bench_set(o, "l1_bps", mean * (c->size + 20) * 8);
	bench_set(o, "l2_bps", mean * c->size * 8);
	if (c->line_pps)
		bench_set(o, "line_share", mean / c->line_pps);
	else
		json_object_set_new(o, "line_share", json_null());
	bench_set(o, "lower_pps", n ? lower : 0);
	if (upper && upper < INFINITY)
		bench_set(o, "upper_pps", upper);
	else
		json_object_set_new(o, "upper_pps", json_null());
	json_object_set_new(o, "repetitions", bench_numbers_json(v, n));
	bench_set(o, "deviation_pps", round(stat_deviation(v, n)));
	free(v);
	return mean;
}

static json_t *goals_json(const struct bench_case *c, const struct mlr_result *got, unsigned n)
{
	json_t *list = json_array();

	for (unsigned g = 0; g < c->plan->goals; g++) {
		const struct mlr_goal *goal = &c->plan->goal[g];
		json_t *o = json_object();

		bench_set(o, "loss_ratio", goal->loss_ratio);
		bench_set(o, "exceed_ratio", goal->exceed_ratio);
		bench_set(o, "final_trial_duration_s", goal->final_duration);
		bench_set(o, "duration_sum_s", goal->duration_sum);
		bench_set(o, "width", goal->width);
		summarize(c, got + g, n, c->plan->goals, o);
		json_array_append_new(list, o);
	}
	return list;
}

static const char *limit(const struct bench_case *c)
{
	const struct bench_plan *p = c->plan;
	bool asked = p->max_pps && (!c->line_pps || p->max_pps < c->line_pps);

	return c->bounded ? "device" : c->generator_max ? "generator" : asked ? "max" : "line";
}

static void report(struct bench_case *c, const struct mlr_result *got, unsigned done, json_t *result)
{
	bool by_mlr = c->plan->method == BENCH_MLR;

	c->searched = true;
	c->throughput = summarize(c, got, done, by_mlr ? c->plan->goals : 1, result);
	c->bounded = json_is_number(json_object_get(result, "upper_pps"));
	bench_set(result, "max_pps", c->max_pps);
	bench_set(result, "width_pps", c->throughput * (by_mlr ? c->plan->goal[0].width : c->plan->resolution));
	bench_set(result, "loss_ratio_tolerated", by_mlr ? c->plan->goal[0].loss_ratio : c->plan->loss_ratio);
	json_object_set_new(result, "limited_by", json_string(limit(c)));
	if (by_mlr)
		json_object_set_new(result, "goals", goals_json(c, got, done));
}

int bench_throughput(struct bench_case *c, json_t *result, struct err *err)
{
	const struct bench_plan *p = c->plan;
	unsigned n = p->repeat[BENCH_THROUGHPUT], goals = p->method == BENCH_MLR ? p->goals : 1, done = 0;
	struct mlr_result *got = calloc((size_t)n * goals + 1, sizeof(*got));
	int rc = 0;

	if (!got)
		die_no_memory();
	while (!rc && done < n) {
		double before = done ? got[(done - 1) * goals].throughput : 0;

		if (p->method == BENCH_MLR)
			rc = mlr(c, got + done * goals, err);
		else
			rc = binary(c, done, before, got + done, err);
		// A load that passed in an unfinished search counts where there is no finished one.
		done += !rc || (rc == -EAGAIN && !done && got[0].bounds.has_lower);
	}
	if (done)
		report(c, got, done, result);
	else
		json_object_set_new(result, "pps", json_null());
	if (rc)
		json_object_set_new(result, "limited_by", json_null());
	free(got);
	return rc;
}
