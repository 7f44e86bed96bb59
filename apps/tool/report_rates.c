// SPDX-License-Identifier: BSD-3-Clause
// report_rates.c - throughput against the line rate, frame loss curves and back-to-back bursts
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/report_plot.h"
#include "apps/tool/util.h"

// The series of an IP version; the names on the x axis are frame sizes.
static struct plot_series *by_ip(struct plot *p, enum plot_kind kind, const json_t *test)
{
	const char *ip = report_str(test, "ip");
	unsigned colour = !strcmp(ip, "6") ? 1 : !strcmp(ip, "mix") ? 2 : 0;
	static const char *const names[] = {"IPv4", "IPv6", "IPv4 and IPv6 mixed"};

	for (size_t i = 0; i < p->n; i++)
		if (p->series[i].kind == kind && !strcmp(p->series[i].name, names[colour]))
			return &p->series[i];
	return plot_series(p, kind, colour, names[colour]);
}

static size_t size_name(struct plot *p, const json_t *test)
{
	json_t *bare = json_pack("{s:O?}", "frame_size", json_object_get(test, "frame_size"));
	char label[REPORT_LABEL];

	report_label(label, bare); // without the IP version: that is the series
	json_decref(bare);
	return plot_name(p, label);
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_x(const void *a, const void *b)
{
	return by_number(&((const struct plot_point *)a)->x, &((const struct plot_point *)b)->x);
}

// The frame sizes of a kind of test on the x axis by size, in whatever order they were measured.
static void sort_sizes(struct plot *p, const json_t *tests, const char *kind)
{
	size_t n = 0, count = json_array_size(tests);
	double *sizes = xrealloc(NULL, (count + 1) * sizeof(*sizes));

	for (size_t i = 0; i < count; i++) {
		double size = report_num(json_array_get(tests, i), "frame_size");

		if (report_is(json_array_get(tests, i), kind) && !isnan(size))
			sizes[n++] = size;
	}
	qsort(sizes, n, sizeof(*sizes), by_number);
	for (size_t i = 0; i < n; i++) {
		char buf[REPORT_NUM];

		plot_name(p, report_number(buf, sizes[i], 9));
	}
	free(sizes);
}

static void throughput_plots(const json_t *tests, struct report_unit unit, FILE *out)
{
	struct plot rate = {.title = "Frame rate by frame size",
			    .note = "The graph of RFC 2544, section 26.1.",
			    .x.title = "frame size, bytes",
			    .y = {.title = unit.name, .by = unit.by}};
	struct plot share = {.title = "Share of the line rate",
			     .x.title = "frame size, bytes",
			     .y = {.title = "of the line's frame rate", .unit = PLOT_PERCENT}};
	struct plot_series limit = {0}, *s;

	sort_sizes(&rate, tests, "throughput");
	sort_sizes(&share, tests, "throughput");
	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i), *r = json_object_get(t, "result");
		double pps = report_num(r, "pps"), part = report_num(r, "line_share"), x;

		if (!report_is(t, "throughput"))
			continue;
		x = (double)size_name(&rate, t);
		s = by_ip(&rate, PLOT_LINE, t);
		plot_whisker(s, x, pps, report_num(r, "lower_pps"), report_num(r, "upper_pps"));
		if (part > 0)
			plot_point(&limit, x, pps / part);
		x = (double)size_name(&share, t);
		plot_point(by_ip(&share, PLOT_BARS, t), x, part);
	}
	if (limit.n) {
		s = plot_series(&rate, PLOT_EDGE, 6, "what the line allows");
		s->points = limit.points;
		s->n = limit.n;
		s->room = limit.room;
	}
	for (size_t i = 0; i < rate.n; i++)
		if (rate.series[i].n)
			qsort(rate.series[i].points, rate.series[i].n, sizeof(struct plot_point),
			      by_x);
	fputs("<div class=\"plots\">", out);
	plot_draw(&rate, out);
	plot_draw(&share, out);
	fputs("</div>\n", out);
	plot_free(&rate);
	plot_free(&share);
}

static void goals(const json_t *result, double pps, FILE *out)
{
	const json_t *list = json_object_get(result, "goals");
	char a[REPORT_NUM], b[REPORT_NUM];

	fputs("<td>", out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *g = json_array_get(list, i);

		fprintf(out, "%s%s at loss ≤ %s", i ? "; " : "",
			report_number(a, report_num(g, "pps") / pps, 4),
			report_percent(b, report_num(g, "loss_ratio")));
	}
	fputs(json_array_size(list) ? "</td>" : REPORT_ABSENT "</td>", out);
}

static void throughput_row(const json_t *t, double by, FILE *out)
{
	const json_t *r = json_object_get(t, "result");
	char label[REPORT_LABEL], buf[REPORT_NUM];

	fputs("<tr><td>", out);
	report_text(out, report_label(label, t));
	fputs("</td><td>", out);
	report_value(out, json_object_get(t, "method"));
	fprintf(out, "</td><td class=\"main\">%s</td>",
		report_number(buf, report_num(r, "pps") / by, 4));
	report_cell(out, report_num(r, "lower_pps"), by, 4);
	report_cell(out, report_num(r, "upper_pps"), by, 4);
	report_cell(out, report_num(r, "l1_bps"), 1e9, 4);
	report_cell(out, report_num(r, "l2_bps"), 1e9, 4);
	fprintf(out, "<td>%s</td>", report_percent(buf, report_num(r, "line_share")));
	fprintf(out, "<td>%zu</td>", json_array_size(json_object_get(r, "repetitions")));
	report_cell(out, report_num(r, "deviation_pps"), by, 2);
	goals(r, by, out);
	fprintf(out, "<td>%zu</td></tr>\n", json_array_size(json_object_get(t, "trials")));
}

static bool any(const json_t *tests, const char *name)
{
	for (size_t i = 0; i < json_array_size(tests); i++)
		if (report_is(json_array_get(tests, i), name))
			return true;
	return false;
}

void report_throughput(const json_t *tests, FILE *out)
{
	struct report_unit unit = report_pps_unit(tests);

	if (!any(tests, "throughput"))
		return;
	fputs("<h2>Throughput</h2>\n", out);
	throughput_plots(tests, unit, out);
	fprintf(out,
		"<div "
		"class=\"wide\"><table><thead><tr><th>Frames</th><th>Method</th><th>%s</"
		"th><th>lower</th>"
		"<th>upper bound</th><th>Gbit/s L1</th><th>L2</th><th>of "
		"line</th><th>repeated</th><th>deviation</th>"
		"<th>goals, %s</th><th>trials</th></tr></thead><tbody>\n",
		unit.name, unit.name);
	for (size_t i = 0; i < json_array_size(tests); i++)
		if (report_is(json_array_get(tests, i), "throughput"))
			throughput_row(json_array_get(tests, i), unit.by, out);
	fputs("</tbody></table></div>\n", out);
}

void report_loss(const json_t *tests, FILE *out)
{
	struct plot p = {.title = "Frame loss rate",
			 .note = "The graph of RFC 2544, section 26.3.",
			 .x = {.title = "offered, share of the line rate", .unit = PLOT_PERCENT},
			 .y = {.title = "frames lost", .unit = PLOT_PERCENT}};
	struct report_unit unit = report_pps_unit(tests);
	bool shares = false;
	unsigned colour = 0;

	if (!any(tests, "frame_loss"))
		return;
	for (size_t i = 0; i < json_array_size(tests); i++)
		if (report_is(json_array_get(tests, i), "frame_loss"))
			shares |=
				report_max(json_object_get(json_object_get(json_array_get(tests, i),
									   "result"),
							   "points"),
					   "line_share") > 0;
	if (shares) {
		p.x.high = 1;
	} else {
		p.x.unit = PLOT_NUMBER;
		p.x.by = unit.by;
		p.x.title = unit.name;
	}
	fputs("<h2>Frame loss</h2>\n", out);
	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);
		const json_t *points = json_object_get(json_object_get(t, "result"), "points");
		struct plot_series *s;
		char label[REPORT_LABEL];

		if (!report_is(t, "frame_loss"))
			continue;
		s = plot_series(&p, PLOT_LINE, colour++, report_label(label, t));
		for (size_t k = 0; k < json_array_size(points); k++) {
			const json_t *at = json_array_get(points, k);

			plot_point(s, report_num(at, shares ? "line_share" : "pps"),
				   report_num(at, "loss_ratio"));
			if (report_num(at, "line_share") > 1)
				p.x.high = 0; // as the points say
		}
	}
	fputs("<div class=\"plots\">", out);
	plot_draw(&p, out);
	fputs("</div>\n", out);
	plot_free(&p);
}

static void bursts_row(const json_t *t, FILE *out)
{
	const json_t *r = json_object_get(t, "result");
	char label[REPORT_LABEL];

	fputs("<tr><td>", out);
	report_text(out, report_label(label, t));
	fputs("</td>", out);
	fprintf(out, "<td>%zu</td>", json_array_size(json_object_get(r, "repetitions")));
	report_cell(out, report_num(r, "frames"), 1, 4);
	report_cell(out, report_num(r, "min"), 1, 4);
	report_cell(out, report_num(r, "max"), 1, 4);
	report_cell(out, report_num(r, "deviation"), 1, 3);
	report_cell(out, report_num(r, "corrected_frames"), 1, 4);
	report_cell(out, report_num(r, "corrected_buffer_s"), 1e-3, 3);
	fputs("</tr>\n", out);
}

// A dot a repetition, spread sideways in a fixed order so that equal ones can be told apart.
static void bursts_points(struct plot *p, const json_t *t)
{
	const json_t *r = json_object_get(t, "result"), *list = json_object_get(r, "repetitions");
	char label[REPORT_LABEL];
	double x = (double)plot_name(p, report_label(label, t));
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++)
		plot_point(&p->series[0], x + ((double)(i * 7 % 11) / 10 - 0.5) * 0.4,
			   report_at(list, i));
	plot_point(&p->series[1], x, report_num(r, "frames"));
}

void report_bursts(const json_t *tests, FILE *out)
{
	struct plot p = {.title = "Longest bursts without loss",
			 .note = "Every repetition, and their mean (RFC 9004).",
			 .x.title = "frame size, bytes",
			 .y.title = "frames back to back"};

	if (!any(tests, "back_to_back"))
		return;
	fputs("<h2>Back-to-back frames</h2>\n", out);
	plot_series(&p, PLOT_DOTS, 0, "a repetition");
	plot_series(&p, PLOT_MEAN, 1, "mean");
	for (size_t i = 0; i < json_array_size(tests); i++)
		if (report_is(json_array_get(tests, i), "back_to_back"))
			bursts_points(&p, json_array_get(tests, i));
	fputs("<div class=\"plots\">", out);
	plot_draw(&p, out);
	fputs("</div>\n<div "
	      "class=\"wide\"><table><thead><tr><th>Frames</th><th>repetitions</th><th>mean</"
	      "th><th>least</th>"
	      "<th>most</th><th>deviation</th><th>corrected<small>frames buffered</small></th>"
	      "<th>buffer<small>ms</small></th></tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < json_array_size(tests); i++)
		if (report_is(json_array_get(tests, i), "back_to_back"))
			bursts_row(json_array_get(tests, i), out);
	fputs("</tbody></table></div>\n", out);
	plot_free(&p);
}
