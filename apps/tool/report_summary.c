// SPDX-License-Identifier: BSD-3-Clause
// report_summary.c - the head of the page, the table of results a frame size, and what was measured
// with what
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/report_priv.h"
#include "apps/tool/util.h"

struct row { // all tests of one frame size
	char label[REPORT_LABEL];
	const json_t *throughput, *latency, *loss, *bursts;
};

struct rows {
	struct row *list;
	size_t n, room;
	bool throughput, latency, loss, bursts;
};

void report_head(const json_t *results, FILE *out)
{
	const json_t *device = json_object_get(results, "device");
	const char *name = report_str(device, "name");

	if (!*name)
		name = "a device without a name";
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src "
	      "'unsafe-inline'\">\n"
	      "<title>Benchmark of ",
	      out);
	report_text(out, name);
	fprintf(out, "</title>\n<style>\n%s</style></head>\n<body>\n<h1>Benchmark of ", report_css);
	report_text(out, name);
	fputs("</h1>\n<p class=\"soft\">Profile ", out);
	report_value(out, json_object_get(results, "profile"));
	fputs(", ", out);
	report_value(out, json_object_get(results, "created"));
	fputs(", measured by Weir ", out);
	report_value(out, json_object_get(results, "weir"));
	fputs("</p>\n", out);
	if (*report_str(device, "note")) {
		fputs("<p>", out);
		report_text(out, report_str(device, "note"));
		fputs("</p>\n", out);
	}
}

static struct row *row_of(struct rows *rows, const json_t *test)
{
	char label[REPORT_LABEL];

	report_label(label, test);
	for (size_t i = 0; i < rows->n; i++)
		if (!strcmp(rows->list[i].label, label))
			return &rows->list[i];
	rows->list = array_add(rows->list, &rows->n, &rows->room, sizeof(*rows->list));
	memcpy(rows->list[rows->n - 1].label, label, sizeof(label));
	return &rows->list[rows->n - 1];
}

static void gather(struct rows *rows, const json_t *tests)
{
	static const struct {
		const char *name;
		size_t at;
		size_t has;
	} kinds[] = {
		{"throughput", offsetof(struct row, throughput), offsetof(struct rows, throughput)},
		{"latency", offsetof(struct row, latency), offsetof(struct rows, latency)},
		{"frame_loss", offsetof(struct row, loss), offsetof(struct rows, loss)},
		{"back_to_back", offsetof(struct row, bursts), offsetof(struct rows, bursts)},
	};

	for (size_t i = 0; i < json_array_size(tests); i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
			const json_t *t = json_array_get(tests, i);

			if (!report_is(t, kinds[k].name))
				continue;
			*(const json_t **)((char *)row_of(rows, t) + kinds[k].at) =
				json_object_get(t, "result");
			*(bool *)((char *)rows + kinds[k].has) = true;
		}
}

// Loss at the highest rate offered.
static double full_load_loss(const json_t *result)
{
	const json_t *points = json_object_get(result, "points");
	double top = -1, loss = NAN;

	for (size_t i = 0; i < json_array_size(points); i++) {
		const json_t *p = json_array_get(points, i);

		if (report_num(p, "pps") > top) {
			top = report_num(p, "pps");
			loss = report_num(p, "loss_ratio");
		}
	}
	return loss;
}

static void heads(FILE *out, const struct rows *rows, const char *pps)
{
	fputs("<thead><tr><th rowspan=\"2\">Frames<small>bytes</small></th>", out);
	if (rows->throughput)
		fputs("<th class=\"group\" colspan=\"4\">Throughput</th>", out);
	if (rows->latency)
		fputs("<th class=\"group\" colspan=\"5\">Latency at throughput, µs</th>", out);
	if (rows->loss)
		fputs("<th class=\"group\">Loss</th>", out);
	if (rows->bursts)
		fputs("<th class=\"group\" colspan=\"2\">Back to back</th>", out);
	fputs("</tr>\n<tr>", out);
	if (rows->throughput)
		fprintf(out, "<th>%s</th><th>± %s</th><th>Gbit/s L1</th><th>of line</th>", pps,
			pps);
	if (rows->latency)
		fputs("<th>mean</th><th>p50</th><th>p99</th><th>p99.9</th><th>max</th>", out);
	if (rows->loss)
		fputs("<th>at full load</th>", out);
	if (rows->bursts)
		fputs("<th>frames</th><th>buffer, ms</th>", out);
	fputs("</tr></thead>\n", out);
}

static void line(FILE *out, const struct rows *rows, const struct row *r, double pps)
{
	const json_t *ns = json_object_get(r->latency, "latency_ns");
	static const char *const shown[] = {"mean", "p50", "p99", "p99_9", "max"};
	char buf[REPORT_NUM];

	fputs("<tr><td>", out);
	report_text(out, r->label);
	fputs("</td>", out);
	if (rows->throughput) {
		fprintf(out, "<td class=\"main\">%s</td>",
			report_number(buf, report_num(r->throughput, "pps") / pps, 4));
		report_cell(out, report_num(r->throughput, "deviation_pps"), pps, 2);
		report_cell(out, report_num(r->throughput, "l1_bps"), 1e9, 4);
		fprintf(out, "<td>%s</td>",
			report_percent(buf, report_num(r->throughput, "line_share")));
	}
	for (size_t i = 0; rows->latency && i < sizeof(shown) / sizeof(*shown); i++)
		report_cell(out, report_num(ns, shown[i]), 1e3, 4);
	if (rows->loss)
		fprintf(out, "<td>%s</td>", report_percent(buf, full_load_loss(r->loss)));
	if (rows->bursts) {
		report_cell(out, report_num(r->bursts, "frames"), 1, 4);
		report_cell(out, report_num(r->bursts, "corrected_buffer_s"), 1e-3, 3);
	}
	fputs("</tr>\n", out);
}

void report_summary(const json_t *tests, FILE *out)
{
	struct report_unit unit = report_pps_unit(tests);
	struct rows rows = {0};

	gather(&rows, tests);
	fputs("<h2>Summary</h2>\n", out);
	if (rows.n) {
		fputs("<div class=\"wide\"><table id=\"summary\">", out);
		heads(out, &rows, unit.name);
		fputs("<tbody>\n", out);
		for (size_t i = 0; i < rows.n; i++)
			line(out, &rows, &rows.list[i], unit.by);
		fputs("</tbody></table></div>\n", out);
	} else {
		fputs("<p>No test of throughput, latency, loss or bursts.</p>\n", out);
	}
	free(rows.list);
}

static void fact(FILE *out, const char *name, const json_t *value, const char *unit)
{
	if (!value || json_is_null(value))
		return;
	fprintf(out, "<tr><th>%s</th><td>", name);
	report_value(out, value);
	fprintf(out, "%s</td></tr>\n", unit);
}

static void words(FILE *out, const char *name, const json_t *list)
{
	if (!json_array_size(list))
		return;
	fprintf(out, "<tr><th>%s</th><td><code>", name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i)
			fputc(' ', out);
		report_value(out, json_array_get(list, i));
	}
	fputs("</code></td></tr>\n", out);
}

static void port(FILE *out, const json_t *p)
{
	double line = report_num(p, "line_bps");
	char buf[REPORT_NUM];

	fputs("<tr><th>Port ", out);
	report_value(out, json_object_get(p, "name"));
	fputs("</th><td>", out);
	report_value(out, json_object_get(p, "device"));
	if (line > 0)
		fprintf(out, ", line rate %s Gbit/s", report_number(buf, line / 1e9, 6));
	if (*report_str(p, "grant")) {
		fputs("; granted: ", out);
		report_text(out, report_str(p, "grant"));
	}
	fputs("</td></tr>\n", out);
}

void report_setup(const json_t *results, FILE *out)
{
	const json_t *host = json_object_get(results, "host"),
		     *ports = json_object_get(results, "ports");
	const json_t *streams = json_object_get(results, "streams");
	double tsc = report_num(host, "tsc_hz");
	char buf[REPORT_NUM];

	fputs("<h2>What was measured, and with what</h2>\n<table class=\"words\"><tbody>\n", out);
	fact(out, "Device", json_object_get(json_object_get(results, "device"), "name"), "");
	for (size_t i = 0; i < json_array_size(ports); i++)
		port(out, json_array_get(ports, i));
	if (json_array_size(streams))
		fprintf(out, "<tr><th>Streams</th><td>%zu</td></tr>\n", json_array_size(streams));
	fact(out, "Processor", json_object_get(host, "cpu"), "");
	if (tsc > 0)
		fprintf(out, "<tr><th>Time-stamp counter</th><td>%s GHz</td></tr>\n",
			report_number(buf, tsc / 1e9, 4));
	fact(out, "Measuring lcores", json_object_get(host, "lcores"), "");
	fact(out, "Kernel", json_object_get(host, "kernel"), "");
	fact(out, "Hypervisor", json_object_get(host, "hypervisor"), "");
	words(out, "Command", json_object_get(results, "command"));
	fputs("</tbody></table>\n", out);
}
