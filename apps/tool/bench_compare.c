// SPDX-License-Identifier: BSD-3-Clause
// bench_compare.c - two results: what changed, and whether it is more than noise
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/bench_test.h"
#include "apps/tool/util.h"

// The noise of a figure that was measured once is not known: so much of it is assumed.
#define NOISE_ASSUMED 0.05
#define VALUES_MAX    1000u

const char *const bench_verdicts[] = {"same", "within noise", "better", "worse", "missing"};

struct figure_of { // where a figure of a test is
	const char *test, *name, *unit;
	const char *key;  // of result.repetitions[]: NULL, a number; else an object's, and
	const char *part; // its member
	const char *width; // of result: what the search cannot tell apart
	int better;	   // 1: more is better
	double floor;	   // a smaller difference is none
};

static const struct figure_of figures[] = {
	{"throughput", "throughput", "frames/s", NULL, NULL, "width_pps", 1, 0},
	{"latency", "latency, median", "ns", "latency_ns", "p50", NULL, -1, 0},
	{"latency", "latency, 99.9%", "ns", "latency_ns", "p99_9", NULL, -1, 0},
	{"pdv", "PDV, 99.9%", "ns", "pdv_ns", "p99_9", NULL, -1, 0},
	{"frame_loss", "mean loss ratio", "", NULL, NULL, NULL, -1, 0.001},
	{"back_to_back", "back-to-back", "frames", NULL, NULL, "step_frames", 1, 0},
	{"recovery", "recovery", "s", NULL, NULL, NULL, -1, 0.002},
	{"reset", "reset", "s", NULL, NULL, NULL, -1, 0.002},
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static size_t repetitions(const json_t *test, const struct figure_of *f, double v[VALUES_MAX])
{
	const json_t *list = json_object_get(json_object_get(test, "result"), "repetitions");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list) && n < VALUES_MAX; i++) {
		const json_t *x = json_array_get(list, i);

		if (f->key)
			x = json_object_get(json_object_get(x, f->key), f->part);
		if (json_is_number(x))
			v[n++] = json_number_value(x);
	}
	return n;
}

// The loss at the loads that both tried.
static bool mean_loss(const json_t *test, const json_t *other, double *mean)
{
	const json_t *a = json_object_get(json_object_get(test, "result"), "points");
	const json_t *b = json_object_get(json_object_get(other, "result"), "points");
	double sum = 0;
	unsigned n = 0;

	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *p = json_array_get(a, i), *loss = json_object_get(p, "loss_ratio");
		double share = json_number_value(json_object_get(p, "line_share"));

		for (size_t k = 0; json_is_number(loss) && k < json_array_size(b); k++) {
			const json_t *q = json_array_get(b, k);

			if (fabs(json_number_value(json_object_get(q, "line_share")) - share) < 0.005 &&
			    json_is_number(json_object_get(q, "loss_ratio"))) {
				sum += json_number_value(loss);
				n++;
				break;
			}
		}
	}
	*mean = n ? sum / n : 0;
	return n;
}

// The mean of a figure in a test, and its noise. False: it has none.
static bool measure(const json_t *test, const json_t *other, const struct figure_of *f, double *mean, double *noise,
		    size_t *n)
{
	double v[VALUES_MAX];

	if (!strcmp(f->test, "frame_loss")) {
		*n = 1;
		*noise = 0;
		if (!mean_loss(test, other, mean))
			return false;
	} else {
		*n = repetitions(test, f, v);
		if (!*n)
			return false;
		*mean = stat_mean(v, *n);
		*noise = stat_t95((double)*n - 1) * stat_deviation(v, *n) / sqrt((double)*n);
	}
	if (*n == 1)
		*noise = fabs(*mean) * NOISE_ASSUMED;
	return true;
}

static double width_of(const json_t *test, const struct figure_of *f)
{
	return f->width ? json_number_value(json_object_get(json_object_get(test, "result"), f->width)) : 0;
}

static const json_t *same_test(const json_t *tests, const json_t *like)
{
	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);

		if (!strcmp(text_of(t, "test"), text_of(like, "test")) && !strcmp(text_of(t, "ip"), text_of(like, "ip")) &&
		    json_integer_value(json_object_get(t, "frame_size")) ==
			    json_integer_value(json_object_get(like, "frame_size")))
			return t;
	}
	return NULL;
}

static enum bench_verdict judge(const struct bench_change *c, double width, int better)
{
	double by = c->after - c->before;

	if (fabs(by) <= width / 2)
		return BENCH_SAME;
	if (fabs(by) <= sqrt(c->noise[0] * c->noise[0] + c->noise[1] * c->noise[1]))
		return BENCH_WITHIN_NOISE;
	return (by > 0) == (better > 0) ? BENCH_BETTER : BENCH_WORSE;
}

// Nothing of a file goes to a terminal as it is.
static const char *ip_name(const char *ip)
{
	return !strcmp(ip, "4") ? "IPv4" : !strcmp(ip, "6") ? "IPv6" : !strcmp(ip, "mix") ? "IP mix" : "IP?";
}

static bool compare(const json_t *a, const json_t *b, const struct figure_of *f, struct bench_change *c)
{
	double width = fmax(2 * f->floor, fmax(width_of(a, f), b ? width_of(b, f) : 0));

	*c = (struct bench_change){.unit = f->unit};
	snprintf(c->test, sizeof(c->test), "%s", f->name);
	snprintf(c->what, sizeof(c->what), "%lld bytes, %s", (long long)json_integer_value(json_object_get(a, "frame_size")),
		 ip_name(text_of(a, "ip")));
	if (b && !strcmp(f->test, "frame_loss") && !mean_loss(a, b, &c->before))
		return false; // no load in common
	if (!measure(a, b ? b : a, f, &c->before, &c->noise[0], &c->n[0]))
		return false;
	if (!b || !measure(b, a, f, &c->after, &c->noise[1], &c->n[1])) {
		c->verdict = BENCH_MISSING;
		return true;
	}
	c->noise[0] += width / 2;
	c->noise[1] += width / 2;
	c->change = c->before != 0 ? c->after / c->before - 1 : 0;
	c->verdict = judge(c, width, f->better);
	return true;
}

static bool is_result(const json_t *o)
{
	return !strcmp(text_of(o, "format"), "weir-bench") && json_integer_value(json_object_get(o, "version")) == 1 &&
	       json_is_array(json_object_get(o, "tests"));
}

struct bench_change *bench_compare(const json_t *a, const json_t *b, size_t *n, struct err *err)
{
	const json_t *tests = json_object_get(a, "tests");
	size_t room = 1;
	struct bench_change *list = xrealloc(NULL, room * sizeof(*list)), c;

	*n = 0;
	if (!is_result(a) || !is_result(b)) {
		free(list);
		err_set(err, -EINVAL, "%s: expected \"format\": \"weir-bench\", \"version\": 1 and \"tests\"",
			is_result(a) ? "AFTER" : "BEFORE");
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);

		for (size_t k = 0; k < sizeof(figures) / sizeof(*figures); k++) {
			if (strcmp(figures[k].test, text_of(t, "test")) ||
			    !compare(t, same_test(json_object_get(b, "tests"), t), &figures[k], &c))
				continue;
			list = array_add(list, n, &room, sizeof(*list));
			list[*n - 1] = c;
		}
	}
	return list;
}
