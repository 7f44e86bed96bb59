// SPDX-License-Identifier: BSD-3-Clause
// bench_latency.c - latency (RFC 2544, 26.2; RFC 8219, 7.2), PDV and IPDV (RFC 8219, 7.3) at the throughput
//
// RFC 2544 tags one frame a trial, RFC 8219 five hundred; here every frame has its time stamp.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/tool/bench_test.h"
#include "apps/tool/util.h"

struct seen {
	struct bench_dist latency, pdv, ipdv;
};

// Means of the repetitions' figures; min and max are of all.
static struct bench_dist together(const struct seen *s, unsigned n, size_t which)
{
	struct bench_dist sum = {0};

	for (unsigned i = 0; i < n; i++) {
		const struct bench_dist *d = (const void *)((const char *)&s[i] + which);

		sum.count += d->count;
		sum.min = i ? fmin(sum.min, d->min) : d->min;
		sum.max = fmax(sum.max, d->max);
		sum.mean += d->mean / n;
		sum.deviation += d->deviation / n;
		sum.p50 += d->p50 / n;
		sum.p90 += d->p90 / n;
		sum.p99 += d->p99 / n;
		sum.p99_9 += d->p99_9 / n;
		sum.p99_99 += d->p99_99 / n;
		sum.p99_999 += d->p99_999 / n;
	}
	return sum;
}

static json_t *dist_of(const struct seen *s, unsigned n, size_t which)
{
	struct bench_dist d = together(s, n, which);

	return bench_dist_json(&d);
}

// RFC 8219, 7.2: the median of the repetitions, with their 1st and 99th percentiles.
static json_t *spread(double *v, unsigned n)
{
	json_t *o = json_object();

	bench_set(o, "p1", stat_quantile(v, n, 0.01));
	bench_set(o, "median", stat_quantile(v, n, 0.5));
	bench_set(o, "p99", stat_quantile(v, n, 0.99));
	return o;
}

static void latency_result(const struct seen *s, unsigned n, json_t *result)
{
	double *typical = xrealloc(NULL, n * sizeof(double)), *worst = xrealloc(NULL, n * sizeof(double));
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_array_append_new(list, json_pack("{s:o}", "latency_ns", bench_dist_json(&s[i].latency)));
		typical[i] = s[i].latency.p50;
		worst[i] = s[i].latency.p99_9;
	}
	json_object_set_new(result, "latency_ns", dist_of(s, n, offsetof(struct seen, latency)));
	json_object_set_new(result, "typical_latency_ns", spread(typical, n));
	json_object_set_new(result, "worst_case_latency_ns", spread(worst, n));
	json_object_set_new(result, "repetitions", list);
	free(typical);
	free(worst);
}

static void pdv_result(const struct seen *s, unsigned n, json_t *result)
{
	double *pdv = xrealloc(NULL, n * sizeof(double)), *ipdv = xrealloc(NULL, n * sizeof(double));
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_array_append_new(list, json_pack("{s:o,s:o}", "pdv_ns", bench_dist_json(&s[i].pdv), "ipdv_ns",
						      bench_dist_json(&s[i].ipdv)));
		pdv[i] = s[i].pdv.p99_9;
		ipdv[i] = s[i].ipdv.p50;
	}
	json_object_set_new(result, "pdv_ns", dist_of(s, n, offsetof(struct seen, pdv)));
	json_object_set_new(result, "ipdv_ns", dist_of(s, n, offsetof(struct seen, ipdv)));
	json_object_set_new(result, "pdv_p99_9_ns", spread(pdv, n)); // 7.3.1: D99.9 - Dmin
	json_object_set_new(result, "ipdv_median_ns", spread(ipdv, n));
	json_object_set_new(result, "repetitions", list);
	free(pdv);
	free(ipdv);
}

static void keep_ccdf(const struct bench_trial *t, json_t *into)
{
	json_t *ccdf = json_array();

	for (size_t i = 0; i < t->n_ccdf; i++)
		json_array_append_new(ccdf, json_pack("[I,f]", (json_int_t)t->ccdf[i].ns, t->ccdf[i].above));
	json_object_set_new(into, "ccdf", ccdf);
}

struct keeper { // of the last valid trial's CCDF, which bench_try() frees
	void (*record)(void *arg, const struct bench_trial *t);
	void *arg;
	json_t *into;
};

static void keep(void *arg, const struct bench_trial *t)
{
	struct keeper *k = arg;

	if (t->valid && t->n_ccdf)
		keep_ccdf(t, k->into);
	if (k->record)
		k->record(k->arg, t);
}

static int repeat(struct bench_case *c, double pps, unsigned n, struct seen *s, unsigned *done, struct err *err)
{
	struct bench_order order = {.size = c->size,
				    .pps = pps,
				    .duration_s = c->plan->latency_s,
				    .settle_s = c->plan->settle_s,
				    .ccdf = true};
	struct bench_trial t;
	char text[32];
	int rc = 0;

	for (*done = 0; *done < n; ++*done) {
		snprintf(text, sizeof(text), n > 1 ? "repetition %u" : "final", *done + 1);
		order.purpose = text;
		rc = bench_try(c->b, &order, &t, err);
		if (rc)
			return rc;
		if (!t.latency.count)
			return err_set(err, -EAGAIN, "nothing was received at %.0f frames/s", pps);
		s[*done] = (struct seen){t.latency, t.pdv, t.ipdv};
		bench_say(c->b, "%u bytes, latency at %.0f frames/s: median %.1f us, 99.9%% %.1f us", c->size, pps,
			  t.latency.p50 / 1e3, t.latency.p99_9 / 1e3);
	}
	return 0;
}

static bool has(const struct bench_case *c, enum bench_kind k)
{
	return c->plan->kinds & 1u << k;
}

int bench_latency(struct bench_case *c, json_t *result, json_t *pdv, struct err *err)
{
	unsigned n = c->plan->repeat[has(c, BENCH_LATENCY) ? BENCH_LATENCY : BENCH_PDV], done = 0;
	double pps = floor(c->throughput * c->plan->latency_load);
	struct keeper k = {c->b->record, c->b->record_arg, result ? result : pdv};
	struct seen *s;
	int rc;

	if (pps < 1)
		return err_set(err, -EAGAIN, "there is no load at which frames pass without loss");
	s = xrealloc(NULL, (n + 1) * sizeof(*s));
	for (unsigned i = 0; i < 2; i++) {
		json_t *o = i ? pdv : result;

		if (!o)
			continue;
		bench_set(o, "at_pps", pps);
		bench_set(o, "load_share", c->plan->latency_load);
	}
	c->b->record = keep;
	c->b->record_arg = &k;
	rc = repeat(c, pps, n, s, &done, err);
	c->b->record = k.record;
	c->b->record_arg = k.arg;
	if (done && result)
		latency_result(s, done, result);
	if (done && pdv)
		pdv_result(s, done, pdv);
	free(s);
	return rc;
}
