// SPDX-License-Identifier: BSD-3-Clause
// report_trials.c - every trial in a table, and the noise of the machine that measured
#include <math.h>
#include <string.h>

#include "apps/tool/report_priv.h"

static const char *const noise_names[] = {"gaps", "lost_us", "worst_us", "steal_us",
					  "run_delay_us"};
#define NOISES (sizeof(noise_names) / sizeof(*noise_names))
#define WORST  2 // a maximum, the others are sums

static bool counts(const json_t *trial)
{
	return !json_is_false(json_object_get(trial, "valid"));
}

static void test_name(FILE *out, const json_t *t)
{
	char label[REPORT_LABEL];

	report_value(out, json_object_get(t, "test"));
	fputs(", ", out);
	report_text(out, report_label(label, t));
}

static void noise_row(const json_t *t, FILE *out)
{
	const json_t *trials = json_object_get(t, "trials");
	double sum[NOISES] = {0}, seconds = 0;
	size_t bad = 0;
	char buf[REPORT_NUM];

	for (size_t i = 0; i < json_array_size(trials); i++) {
		const json_t *trial = json_array_get(trials, i),
			     *noise = json_object_get(trial, "noise");

		bad += !counts(trial);
		seconds += fmax(report_num(trial, "duration_s"), 0);
		for (size_t k = 0; k < NOISES; k++) {
			double v = fmax(report_num(noise, noise_names[k]), 0);

			sum[k] = k == WORST ? fmax(sum[k], v) : sum[k] + v;
		}
	}
	fputs("<tr><td>", out);
	test_name(out, t);
	fprintf(out, "</td><td>%zu</td><td>%zu</td>", json_array_size(trials), bad);
	report_cell(out, seconds, 1, 4);
	for (size_t k = 0; k < NOISES; k++)
		report_cell(out, sum[k], k ? 1e3 : 1, k ? 3 : 12);
	fprintf(out, "<td>%s</td></tr>\n",
		report_percent(buf, seconds > 0 ? sum[1] / 1e6 / seconds : NAN));
}

void report_noise(const json_t *tests, FILE *out)
{
	size_t trials = 0;

	for (size_t i = 0; i < json_array_size(tests); i++)
		trials += json_array_size(json_object_get(json_array_get(tests, i), "trials"));
	if (!trials)
		return;
	fputs("<h2>Noise</h2>\n<div "
	      "class=\"wide\"><table><thead><tr><th>Test</th><th>trials</th><th>not counted</th>"
	      "<th>seconds</th><th>gaps</th><th>lost<small>ms</small></th><th>worst "
	      "gap<small>ms</small></th>"
	      "<th>stolen<small>ms</small></th><th>run "
	      "delay<small>ms</small></th><th>lost<small>of the time</small></th>"
	      "</tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < json_array_size(tests); i++)
		if (json_array_size(json_object_get(json_array_get(tests, i), "trials")))
			noise_row(json_array_get(tests, i), out);
	fputs("</tbody></table></div>\n", out);
}

// A column: where its number stands, what it is divided by, how many digits.
struct column {
	const char *head, *part, *key;
	double by;
	int digits;
};

static const struct column columns[] = {
	{"s", NULL, "duration_s", 1, 4},
	{"sent", NULL, "sent", 1, 15},
	{"received", NULL, "received", 1, 15},
	{"lost", NULL, "lost", 1, 15},
	{"dupli&shy;cate", NULL, "duplicate", 1, 15},
	{"re&shy;ordered", NULL, "reordered", 1, 15},
	{"late", NULL, "late", 1, 15},
	{"corrupt", NULL, "corrupt", 1, 15},
	{"strag&shy;glers", NULL, "stragglers", 1, 15},
	{"foreign", NULL, "foreign", 1, 15},
	{"p50<small>µs</small>", "latency_ns", "p50", 1e3, 4},
	{"p99.9<small>µs</small>", "latency_ns", "p99_9", 1e3, 4},
	{"max<small>µs</small>", "latency_ns", "max", 1e3, 4},
	{"gaps", "noise", "gaps", 1, 15},
	{"lost<small>µs</small>", "noise", "lost_us", 1, 6},
	{"worst<small>µs</small>", "noise", "worst_us", 1, 6},
	{"stolen<small>µs</small>", "noise", "steal_us", 1, 6},
	{"run delay<small>µs</small>", "noise", "run_delay_us", 1, 6},
	{"late<small>sending, µs</small>", "pace", "late_ns_max", 1e3, 3},
	{"blocked", "pace", "blocked", 1, 15},
	{"no mbuf", "pace", "nombuf", 1, 15},
};
#define COLUMNS (sizeof(columns) / sizeof(*columns))

static void trial_row(const json_t *trial, size_t nth, double by, FILE *out)
{
	char buf[REPORT_NUM];

	fprintf(out, "<tr%s><td>%zu</td><td class=\"why\">", counts(trial) ? "" : " class=\"bad\"",
		nth);
	report_value(out, json_object_get(trial, "purpose"));
	fputs("</td>", out);
	report_cell(out, report_num(trial, "intended_pps"), by, 5);
	for (size_t i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];

		report_cell(out,
			    report_num(c->part ? json_object_get(trial, c->part) : trial, c->key),
			    c->by, c->digits);
		if (!strcmp(c->key, "lost"))
			fprintf(out, "<td>%s</td>",
				report_percent(buf, report_num(trial, "loss_ratio")));
	}
	fprintf(out, "<td>%s</td></tr>\n", counts(trial) ? "yes" : "no");
	if (!counts(trial)) { // a row of its own: a column would be squeezed to a letter
		fprintf(out, "<tr class=\"bad\"><td></td><td class=\"why\" colspan=\"%zu\">not counted: ",
			COLUMNS + 4);
		report_value(out, json_object_get(trial, "why_invalid"));
		fputs("</td></tr>\n", out);
	}
}

static void trials_table(const json_t *t, struct report_unit unit, FILE *out)
{
	const json_t *trials = json_object_get(t, "trials");

	fputs("<h3>", out);
	test_name(out, t);
	fprintf(out,
		"</h3>\n<div class=\"wide\"><table><thead><tr><th>#</th><th>purpose</th>"
		"<th>offered<small>%s</small></th>",
		unit.name);
	for (size_t i = 0; i < COLUMNS; i++)
		fprintf(out, "<th>%s</th>%s", columns[i].head,
			strcmp(columns[i].key, "lost") ? "" : "<th>loss</th>");
	fputs("<th>counts</th></tr></thead><tbody>\n", out);
	for (size_t i = 0; i < json_array_size(trials); i++)
		trial_row(json_array_get(trials, i), i + 1, unit.by, out);
	fputs("</tbody></table></div>\n", out);
}

void report_trials(const json_t *tests, FILE *out)
{
	struct report_unit unit = report_pps_unit(tests);
	bool begun = false;

	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);

		if (!json_array_size(json_object_get(t, "trials")))
			continue;
		if (!begun)
			fputs("<section class=\"trials\"><h2>Every trial</h2>\n", out);
		begun = true;
		trials_table(t, unit, out);
	}
	if (begun)
		fputs("</section>\n", out);
}
