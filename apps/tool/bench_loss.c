// SPDX-License-Identifier: BSD-3-Clause
// bench_loss.c - frame loss rate (RFC 2544, 26.3), back-to-back frames (26.4, RFC 9004), recovery (26.5), reset (26.6)
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/tool/bench_test.h"
#include "apps/tool/util.h"

static json_t *loss_point(const struct bench_case *c, double pps, const struct bench_trial *t, int rc)
{
	json_t *o = json_object();

	bench_set(o, "line_share", pps / (c->line_pps ? c->line_pps : c->max_pps));
	bench_set(o, "pps", pps);
	if (rc)
		json_object_set_new(o, "loss_ratio", json_null()); // no valid trial
	else
		bench_set(o, "loss_ratio", t->loss_ratio);
	return o;
}

// From the maximum down, until two successive loads lose nothing.
int bench_frame_loss(struct bench_case *c, json_t *result, struct err *err)
{
	json_t *points = json_array();
	unsigned free_of_loss = 0;
	double step = c->plan->loss_step;
	int rc = 0, bad = 0;

	json_object_set_new(result, "points", points);
	for (unsigned i = 0; free_of_loss < 2 && i * step < 1 - 1e-9; i++) {
		struct bench_order order = {.size = c->size,
					    .pps = floor(c->max_pps * (1 - i * step)),
					    .duration_s = c->plan->duration_s,
					    .settle_s = c->plan->settle_s,
					    .purpose = "final"};
		struct bench_trial t;

		if (order.pps < 1)
			break;
		rc = bench_try(c->b, &order, &t, err);
		if (rc && rc != -EAGAIN)
			return rc;
		json_array_append_new(points, loss_point(c, order.pps, &t, rc));
		bad = rc ? rc : bad;
		free_of_loss = !rc && !t.lost ? free_of_loss + 1 : 0;
		if (!rc)
			bench_say(c->b, "%u bytes, frame loss at %.0f frames/s: %.4f%%", c->size, order.pps,
				  t.loss_ratio * 100);
	}
	return bad;
}

// Of so many frames any device's ports take hold.
#define PROBE_FRAMES 256u
#define PROBES	     10u
#define BURST_SLOWER 0.7

struct burst {
	struct bench_case *c;
	const char *purpose;
	double pps;
};

// The rate of bursts: the maximum, or less where the generator does not reach it. 0 or -errno.
static int burst_rate(struct bench_case *c, double *pps, struct err *err)
{
	struct bench_order order = {.size = c->size,
				    .pps = c->max_pps,
				    .count = PROBE_FRAMES,
				    .settle_s = c->plan->settle_s,
				    .purpose = "generator"};
	unsigned tries = c->b->tries;
	struct bench_trial t;
	int rc = -EAGAIN;

	c->b->tries = tries < 3 ? tries : 3;
	for (unsigned i = 0; rc == -EAGAIN && i < PROBES; i++) {
		rc = bench_try(c->b, &order, &t, err);
		*pps = order.pps;
		order.pps = floor(order.pps * 0.7);
	}
	c->b->tries = tries;
	return rc;
}

static int ask_burst(void *arg, double frames, bool *pass, struct err *err)
{
	struct burst *a = arg;
	const struct bench_plan *p = a->c->plan;
	struct bench_order order = {.size = a->c->size,
				    .pps = a->pps,
				    .count = (uint64_t)frames,
				    .settle_s = p->settle_s,
				    .purpose = a->purpose};
	struct bench_verify v = {.r = p->method == BENCH_TST009 ? p->r : 1, .z = p->z};
	struct bench_trial t;
	int rc = bench_verified(a->c->b, &order, &v, pass, &t, err);

	if (!rc)
		bench_say(a->c->b, "%u bytes, burst of %.0f frames: lost %llu", a->c->size, frames,
			  (unsigned long long)t.lost);
	return rc;
}

static void burst_result(const struct bench_case *c, double pps, const double *v, size_t n, bool at_limit,
			 json_t *result)
{
	double mean = stat_mean(v, n), low = v[0], high = v[0];
	double implied = mean / pps; // RFC 9004, 6.4
	double corrected = implied - implied * fmin(c->throughput / pps, 1);

	for (size_t i = 1; i < n; i++) {
		low = fmin(low, v[i]);
		high = fmax(high, v[i]);
	}
	bench_set(result, "frames", mean);
	json_object_set_new(result, "repetitions", bench_numbers_json(v, n));
	bench_set(result, "min", low);
	bench_set(result, "max", high);
	bench_set(result, "deviation", stat_deviation(v, n));
	bench_set(result, "implied_buffer_s", implied);
	bench_set(result, "corrected_buffer_s", corrected);
	bench_set(result, "corrected_frames", corrected * pps);
	json_object_set_new(result, "at_limit", json_boolean(at_limit));
}

// RFC 9004, 6.1: where no load is too much, no burst is too long.
static int no_bursts(json_t *result, const char *why)
{
	json_object_set_new(result, "frames", json_null());
	json_object_set_new(result, "why", json_string(why));
	return 0;
}

// Repetitions of the search at a rate; *done of them are in v.
static int bursts(struct bench_case *c, double pps, double most, double *v, unsigned *done, bool *at_limit, struct err *err)
{
	unsigned n = c->plan->repeat[BENCH_BACK_TO_BACK];
	char text[32];
	int rc = 0;

	for (*done = 0; !rc && *done < n; *done += !rc) {
		struct bench_range range = {.min = 1, .max = most, .width = c->plan->burst_step, .whole = true};
		struct burst a = {c, text, pps};
		struct bench_bounds b;

		snprintf(text, sizeof(text), "repetition %u", *done + 1);
		range.hint = *done && v[*done - 1] > 1 ? v[*done - 1] : 64;
		rc = bench_bisect(&range, ask_burst, &a, &b, err);
		v[*done] = b.has_lower ? b.lower : 0;
		*at_limit |= !rc && !b.has_upper;
	}
	return rc;
}

int bench_back_to_back(struct bench_case *c, json_t *result, struct err *err)
{
	const struct bench_plan *p = c->plan;
	double *v = xrealloc(NULL, (p->repeat[BENCH_BACK_TO_BACK] + 1) * sizeof(*v)), most, pps;
	unsigned done = 0;
	bool at_limit = false;
	int rc;

	if (!c->bounded) {
		free(v);
		return no_bursts(result, "no frame is lost at the maximum rate, so that no burst is too long");
	}
	rc = burst_rate(c, &pps, err);
	// Longer bursts may be too fast for the generator where short ones were not.
	for (; !rc && pps > c->throughput; pps = floor(pps * BURST_SLOWER)) {
		most = fmax(floor(p->burst_s * pps), 2);
		bench_set(result, "at_pps", pps);
		bench_set(result, "step_frames", p->burst_step);
		bench_set(result, "longest_frames", most);
		rc = bursts(c, pps, most, v, &done, &at_limit, err);
		if (rc != -EAGAIN || done)
			break;
		rc = 0;
	}
	if (done)
		burst_result(c, pps, v, done, at_limit, result);
	else if (!rc)
		rc = no_bursts(result, "the generator sends no burst faster than the throughput");
	free(v);
	return rc;
}

// One trial in which something happens. An invalid one is repeated, but for a reset's: the device was away.
static int timed(struct bench_case *c, enum bench_kind kind, const struct bench_order *order, double *seconds,
		 struct err *err)
{
	struct bench_trial t;
	int rc;

	for (unsigned i = 0; i < c->b->tries; i++) {
		t = (struct bench_trial){.order = *order};
		if (kind == BENCH_RECOVERY)
			rc = c->rig->recover(c->b->arg, order, order->pps / 2, &t, seconds, err);
		else
			rc = c->rig->reset(c->b->arg, order, c->plan->reset_command, &t, seconds, err);
		if (rc)
			return rc;
		bench_judge(&t, &c->b->limits);
		c->b->trials++;
		c->b->invalid += !t.valid;
		if (c->b->record)
			c->b->record(c->b->record_arg, &t);
		bench_trial_free(&t);
		if (t.valid || kind == BENCH_RESET)
			return 0;
	}
	return err_set(err, -EAGAIN, "no valid trial in %u: %s", c->b->tries, t.why);
}

static int repeat_seconds(struct bench_case *c, enum bench_kind kind, const struct bench_order *order, json_t *result,
			  struct err *err)
{
	unsigned n = c->plan->repeat[kind], done = 0;
	double *v = xrealloc(NULL, (n + 1) * sizeof(*v));
	int rc = 0;

	for (; !rc && done < n; done += !rc) {
		rc = timed(c, kind, order, &v[done], err);
		if (!rc)
			bench_say(c->b, "%u bytes, %s: %.3f s", c->size, bench_kinds[kind], v[done]);
	}
	if (done) {
		bench_set(result, "seconds", stat_mean(v, done));
		json_object_set_new(result, "repetitions", bench_numbers_json(v, done));
		bench_set(result, "deviation_s", stat_deviation(v, done));
	}
	free(v);
	return rc;
}

int bench_recovery(struct bench_case *c, json_t *result, struct err *err)
{
	struct bench_order order = {.size = c->size,
				    .pps = fmin(floor(c->throughput * 1.1), c->max_pps),
				    .duration_s = c->plan->recovery_s,
				    .settle_s = c->plan->settle_s,
				    .purpose = "final"};

	bench_set(result, "overload_pps", order.pps);
	bench_set(result, "then_pps", order.pps / 2);
	if (order.pps < 2)
		return err_set(err, -EAGAIN, "there is no load at which frames pass without loss");
	return repeat_seconds(c, BENCH_RECOVERY, &order, result, err);
}

int bench_reset(struct bench_case *c, json_t *result, struct err *err)
{
	struct bench_order order = {.size = c->size,
				    .pps = c->throughput,
				    .duration_s = 120,
				    .settle_s = c->plan->settle_s,
				    .purpose = "final"};

	bench_set(result, "at_pps", order.pps);
	json_object_set_new(result, "command", json_string(c->plan->reset_command));
	if (order.pps < 1)
		return err_set(err, -EAGAIN, "there is no load at which frames pass without loss");
	return repeat_seconds(c, BENCH_RESET, &order, result, err);
}

double bench_recovery_s(const struct bench_sample *s, size_t n, uint64_t slack)
{
	uint64_t final = n ? s[n - 1].sent - s[n - 1].received : 0;
	size_t last = 0;

	for (size_t i = 1; i < n; i++) {
		uint64_t open = s[i].sent - s[i].received;

		if (open + slack < final || open > final + slack)
			last = i;
	}
	return last ? s[last + 1 < n ? last + 1 : last].t - s[0].t : 0;
}

double bench_gap_s(const struct bench_sample *s, size_t n)
{
	double longest = 0;
	size_t last = 0; // before which frames came

	for (size_t i = 1; i < n; i++) {
		if (s[i].received == s[i - 1].received)
			continue;
		if (last && i > last + 1 && s[i].t - s[last].t > longest)
			longest = s[i].t - s[last].t;
		last = i;
	}
	return longest;
}

int bench_test(struct bench_case *c, enum bench_kind kind, json_t *result, struct err *err)
{
	int rc = kind == BENCH_THROUGHPUT     ? bench_throughput(c, result, err)
		 : kind == BENCH_LATENCY      ? bench_latency(c, result, NULL, err)
		 : kind == BENCH_PDV	      ? bench_latency(c, NULL, result, err)
		 : kind == BENCH_FRAME_LOSS   ? bench_frame_loss(c, result, err)
		 : kind == BENCH_BACK_TO_BACK ? bench_back_to_back(c, result, err)
		 : kind == BENCH_RECOVERY     ? bench_recovery(c, result, err)
					      : bench_reset(c, result, err);

	json_object_set_new(result, "complete", json_boolean(!rc));
	if (rc)
		json_object_set_new(result, "why", json_string(err->text));
	return rc;
}
