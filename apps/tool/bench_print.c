// SPDX-License-Identifier: BSD-3-Clause
// bench_print.c - results and changes for people, and as JSON
#include <math.h>
#include <string.h>

#include "apps/tool/bench_print.h"

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

const char *bench_rate_text(double pps, char *buf, size_t len)
{
	if (pps >= 1e6)
		snprintf(buf, len, "%.4g Mpps", pps / 1e6);
	else if (pps >= 1e3)
		snprintf(buf, len, "%.4g kpps", pps / 1e3);
	else
		snprintf(buf, len, "%.4g pps", pps);
	return buf;
}

static void throughput(const json_t *r, FILE *out)
{
	char rate[32];

	fprintf(out, "%s", bench_rate_text(number(r, "pps"), rate, sizeof(rate)));
	if (json_is_number(json_object_get(r, "line_share")))
		fprintf(out, ", %.1f%% of the line", 100 * number(r, "line_share"));
	if (*text(r, "limited_by"))
		fprintf(out, ", limited by %s%s", strcmp(text(r, "limited_by"), "max") ? "the " : "--", text(r, "limited_by"));
	else
		fprintf(out, " at least");
	if (json_array_size(json_object_get(r, "repetitions")) > 1)
		fprintf(out, "; deviation %s", bench_rate_text(number(r, "deviation_pps"), rate, sizeof(rate)));
}

static void latency(const json_t *r, const char *key, FILE *out)
{
	const json_t *d = json_object_get(r, key);
	char rate[32];

	fprintf(out, "at %s: median %.1f, 99%% %.1f, 99.9%% %.1f, worst %.1f us",
		bench_rate_text(number(r, "at_pps"), rate, sizeof(rate)), number(d, "p50") / 1e3, number(d, "p99") / 1e3,
		number(d, "p99_9") / 1e3, number(d, "max") / 1e3);
}

static void loss(const json_t *r, FILE *out)
{
	const json_t *points = json_object_get(r, "points");

	for (size_t i = 0; i < json_array_size(points); i++) {
		const json_t *p = json_array_get(points, i);

		fprintf(out, "%s%.*f%%: ", i ? ", " : "", number(p, "line_share") < 0.1, 100 * number(p, "line_share"));
		if (json_is_number(json_object_get(p, "loss_ratio")))
			fprintf(out, "%.3g%%", 100 * number(p, "loss_ratio"));
		else
			fprintf(out, "?");
	}
}

static void burst(const json_t *r, FILE *out)
{
	if (!json_is_number(json_object_get(r, "frames")))
		fprintf(out, "none: %s", text(r, "why"));
	else
		fprintf(out, "%.0f frames (%.0f to %.0f)%s, buffer %.1f us (%.0f frames)", number(r, "frames"), number(r, "min"),
			number(r, "max"), json_is_true(json_object_get(r, "at_limit")) ? " or more" : "",
			number(r, "corrected_buffer_s") * 1e6, number(r, "corrected_frames"));
}

static void one(const json_t *test, FILE *out)
{
	const json_t *r = json_object_get(test, "result");
	const char *name = text(test, "test");

	fprintf(out, "%5.0f  IP%-4s %-13s ", number(test, "frame_size"),
		strcmp(text(test, "ip"), "mix") ? (*text(test, "ip") == '6' ? "v6" : "v4") : " mix", name);
	if (json_is_false(json_object_get(r, "complete")))
		fprintf(out, "INCOMPLETE: %s. ", text(r, "why"));
	if (!strcmp(name, "throughput") && json_is_number(json_object_get(r, "pps")))
		throughput(r, out);
	else if (!strcmp(name, "latency") && json_object_get(r, "latency_ns"))
		latency(r, "latency_ns", out);
	else if (!strcmp(name, "pdv") && json_object_get(r, "pdv_ns"))
		latency(r, "pdv_ns", out);
	else if (!strcmp(name, "frame_loss"))
		loss(r, out);
	else if (!strcmp(name, "back_to_back") && json_object_get(r, "frames"))
		burst(r, out);
	else if (json_object_get(r, "seconds"))
		fprintf(out, "%.3f s", number(r, "seconds"));
	fputc('\n', out);
}

void bench_print(const json_t *results, FILE *out)
{
	const json_t *tests = json_object_get(results, "tests");

	fprintf(out, "bytes         test          result\n");
	for (size_t i = 0; i < json_array_size(tests); i++)
		one(json_array_get(tests, i), out);
}

static void figure(double v, const char *unit, FILE *out)
{
	char rate[32];

	if (!strcmp(unit, "frames/s"))
		fprintf(out, " %12s", bench_rate_text(v, rate, sizeof(rate)));
	else if (!strcmp(unit, "ns"))
		fprintf(out, " %9.1f us", v / 1e3);
	else
		fprintf(out, " %12.4g", v);
}

void bench_print_changes(const struct bench_change *c, size_t n, FILE *out)
{
	fprintf(out, "%-16s %-18s %12s %12s %8s %8s %8s  verdict\n", "test", "", "before", "after", "change", "noise", "noise");
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%-16s %-18s", c[i].test, c[i].what);
		figure(c[i].before, c[i].unit, out);
		if (c[i].verdict == BENCH_MISSING) {
			fprintf(out, " %12s %8s %8s %8s  missing\n", "-", "", "", "");
			continue;
		}
		figure(c[i].after, c[i].unit, out);
		fprintf(out, " %+7.1f%% %7.1f%% %7.1f%%  %s\n", 100 * c[i].change,
			c[i].before != 0 ? 100 * c[i].noise[0] / fabs(c[i].before) : 0,
			c[i].after != 0 ? 100 * c[i].noise[1] / fabs(c[i].after) : 0, bench_verdicts[c[i].verdict]);
	}
}

json_t *bench_changes_json(const struct bench_change *c, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();

		json_object_set_new(o, "test", json_string(c[i].test));
		json_object_set_new(o, "of", json_string(c[i].what));
		json_object_set_new(o, "unit", json_string(c[i].unit));
		bench_set(o, "before", c[i].before);
		if (c[i].verdict != BENCH_MISSING) {
			bench_set(o, "after", c[i].after);
			bench_set(o, "change", c[i].change);
			json_object_set_new(o, "noise", bench_numbers_json(c[i].noise, 2));
		}
		json_object_set_new(o, "verdict", json_string(bench_verdicts[c[i].verdict]));
		json_array_append_new(list, o);
	}
	return list;
}
