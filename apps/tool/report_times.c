// SPDX-License-Identifier: BSD-3-Clause
// report_times.c - latency, its variation, and how long a device is away
#include <math.h>
#include <string.h>

#include "apps/tool/report_plot.h"

#define SHARE_LEAST 1e-6 // the lowest share a distribution is drawn to

static const char *const percentiles[][2] = {
	{"count", "packets"}, {"min", "min"},	      {"mean", "mean"}, {"deviation", "deviation"},
	{"p50", "p50"},	      {"p90", "p90"},	      {"p99", "p99"},	{"p99_9", "p99.9"},
	{"p99_99", "p99.99"}, {"p99_999", "p99.999"}, {"max", "max"},
};
#define PERCENTILES (sizeof(percentiles) / sizeof(*percentiles))

static void table_begin(FILE *out, const char *what, bool rate)
{
	fprintf(out, "<div class=\"wide\"><table><thead><tr><th>Frames<small>%s</small></th>",
		what);
	if (rate)
		fputs("<th>offered<small>pps</small></th>", out);
	for (size_t i = 0; i < PERCENTILES; i++)
		fprintf(out, "<th>%s</th>", percentiles[i][1]);
	fputs("</tr></thead><tbody>\n", out);
}

static void table_row(FILE *out, const json_t *test, const json_t *ns, bool rate)
{
	char label[REPORT_LABEL];

	fputs("<tr><td>", out);
	report_text(out, report_label(label, test));
	fputs("</td>", out);
	if (rate)
		report_cell(out, report_num(json_object_get(test, "result"), "at_pps"), 1, 6);
	for (size_t i = 0; i < PERCENTILES; i++)
		report_cell(out, report_num(ns, percentiles[i][0]), i ? 1e3 : 1, i ? 4 : 12);
	fputs("</tr>\n", out);
}

// Pairs of [nanoseconds, share above].
static void ccdf_points(struct plot_series *s, const json_t *pairs)
{
	double last = NAN;

	for (size_t i = 0; s && i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		double ns = report_at(pair, 0), share = report_at(pair, 1);

		if (!(ns > 0) || !(share >= 0) || ns < last)
			continue;
		last = ns;
		plot_point(s, ns, fmin(share, 1)); // at a share of 0 the line falls to the axis
	}
}

void report_latency(const json_t *tests, FILE *out)
{
	struct plot p = {.title = "Latency at throughput: share of frames that took longer",
			 .note = "The last repetition; in the table percentiles are means of all.",
			 .x = {.title = "latency", .unit = PLOT_TIME, .log = true},
			 .y = {.title = "share of frames above",
			       .unit = PLOT_PERCENT,
			       .log = true,
			       .low = SHARE_LEAST,
			       .high = 1}};
	unsigned colour = 0;
	bool any = false;

	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);
		const json_t *ccdf = json_object_get(json_object_get(t, "result"), "ccdf");
		char label[REPORT_LABEL];

		if (!report_is(t, "latency"))
			continue;
		any = true;
		if (json_array_size(ccdf))
			ccdf_points(plot_series(&p, PLOT_STEP, colour++, report_label(label, t)),
				    ccdf);
	}
	if (!any)
		return;
	fputs("<h2>Latency</h2>\n<div class=\"plots\">", out);
	plot_draw(&p, out);
	plot_free(&p);
	fputs("</div>\n", out);
	table_begin(out, "latency, µs", true);
	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);

		if (report_is(t, "latency"))
			table_row(out, t,
				  json_object_get(json_object_get(t, "result"), "latency_ns"),
				  true);
	}
	fputs("</tbody></table></div>\n", out);
}

static void variation_plot(const json_t *tests, const char *member, const char *title, FILE *out)
{
	static const char *const shown[] = {"p50", "p99", "p99_9", "max"};
	static const char *const names[] = {"p50", "p99", "p99.9", "max"};
	struct plot p = {.title = title,
			 .x.title = "frame size, bytes",
			 .y = {.title = "variation", .unit = PLOT_TIME, .log = true}};

	for (unsigned k = 0; k < 4; k++)
		plot_series(&p, PLOT_DOTS, k, names[k]);
	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);
		const json_t *ns = json_object_get(json_object_get(t, "result"), member);
		char label[REPORT_LABEL];
		double x;

		if (!report_is(t, "pdv") || !json_is_object(ns))
			continue;
		x = (double)plot_name(&p, report_label(label, t));
		for (unsigned k = 0; k < 4; k++)
			if (report_num(ns, shown[k]) > 0)
				plot_point(&p.series[k], x, report_num(ns, shown[k]));
	}
	plot_draw(&p, out);
	plot_free(&p);
}

void report_variation(const json_t *tests, FILE *out)
{
	static const char *const members[] = {"pdv_ns", "ipdv_ns"};
	static const char *const names[] = {"PDV, µs", "IPDV, µs"};
	bool any = false;

	for (size_t i = 0; i < json_array_size(tests); i++)
		any |= report_is(json_array_get(tests, i), "pdv");
	if (!any)
		return;
	fputs("<h2>Delay variation</h2>\n<p>PDV: above the least delay of the trial; IPDV: of one "
	      "frame against the one "
	      "before, without sign (RFC 5481, RFC 8219).</p>\n<div class=\"plots\">",
	      out);
	variation_plot(tests, members[0], "Packet delay variation (PDV)", out);
	variation_plot(tests, members[1], "Inter-packet delay variation (IPDV)", out);
	fputs("</div>\n", out);
	for (unsigned m = 0; m < 2; m++) {
		table_begin(out, names[m], false);
		for (size_t i = 0; i < json_array_size(tests); i++) {
			const json_t *t = json_array_get(tests, i);
			const json_t *ns =
				json_object_get(json_object_get(t, "result"), members[m]);

			if (report_is(t, "pdv") && json_is_object(ns))
				table_row(out, t, ns, false);
		}
		fputs("</tbody></table></div>\n", out);
	}
}

static void outage_row(const json_t *t, FILE *out)
{
	const json_t *r = json_object_get(t, "result"), *list = json_object_get(r, "repetitions");
	char label[REPORT_LABEL], buf[REPORT_NUM];

	fprintf(out, "<tr><td>%s</td><td>",
		report_is(t, "reset") ? "reset" : "recovery from overload");
	report_text(out, report_label(label, t));
	fprintf(out, "</td><td class=\"main\">%s</td><td class=\"why\">",
		report_time(buf, report_num(r, "seconds") * 1e9));
	for (size_t i = 0; i < json_array_size(list); i++)
		fprintf(out, "%s%s", i ? ", " : "", report_time(buf, report_at(list, i) * 1e9));
	fputs("</td></tr>\n", out);
}

void report_outages(const json_t *tests, FILE *out)
{
	bool begun = false;

	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);

		if (!report_is(t, "recovery") && !report_is(t, "reset"))
			continue;
		if (!begun)
			fputs("<h2>Recovery and reset</h2>\n<div "
			      "class=\"wide\"><table><thead><tr><th>After</th>"
			      "<th>frames</th><th>time</th><th>repetitions</th></tr></"
			      "thead><tbody>\n",
			      out);
		begun = true;
		outage_row(t, out);
	}
	if (begun)
		fputs("</tbody></table></div>\n", out);
}
