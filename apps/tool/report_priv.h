// SPDX-License-Identifier: BSD-3-Clause
// report_priv.h - what the parts of the report share: values and text of the results, sections
#ifndef WEIR_APPS_TOOL_REPORT_PRIV_H
#define WEIR_APPS_TOOL_REPORT_PRIV_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REPORT_NUM    40  // room for a number as text
#define REPORT_LABEL  48  // room for the name of a row or a line
#define REPORT_SERIES 8	  // lines a plot shows at most: as many as can be told apart
#define REPORT_ABSENT "–" // in place of a value that is not there

// A member of an object as a number: NAN when it is not there, not a number or beyond 10^18.
double report_num(const json_t *object, const char *key);
// An element of an array, alike.
double report_at(const json_t *array, size_t i);
// A member as text; "" when it is not there or not a string.
const char *report_str(const json_t *object, const char *key);
// The largest of a member over an array of objects; 0 for none.
double report_max(const json_t *array, const char *key);

// Text for HTML, between tags or in an attribute's quotes: escaped, of control characters freed,
// cut.
void report_text(FILE *out, const char *text);
// A string, number or boolean as such text; REPORT_ABSENT for anything else.
void report_value(FILE *out, const json_t *value);

// v with so many significant digits (all of them before the point) and commas: "8,910", "0.8127".
const char *report_number(char buf[REPORT_NUM], double v, int digits);
// A cell: <td> with a number divided by unit.
void report_cell(FILE *out, double v, double unit, int digits);
// Nanoseconds with their unit: "4.21 µs". For axes and sentences.
const char *report_time(char buf[REPORT_NUM], double ns);
// A share as percent: "94.1%", "0.001%".
const char *report_percent(char buf[REPORT_NUM], double share);
// "64", "84 IPv6": what a test was about. ip "4" is not said when everything is IPv4.
const char *report_label(char buf[REPORT_LABEL], const json_t *test);
bool report_is(const json_t *test, const char *name);

// The unit of all packet rates on the page, fit for the greatest: divisor and name.
struct report_unit {
	double by;
	const char *name;
};
struct report_unit report_pps_unit(const json_t *tests);

// Parts of the page, each a section or nothing when no test is about it.
void report_head(const json_t *results, FILE *out);
void report_summary(const json_t *tests, FILE *out);
void report_setup(const json_t *results, FILE *out);
void report_throughput(const json_t *tests, FILE *out);
void report_latency(const json_t *tests, FILE *out);
void report_variation(const json_t *tests, FILE *out);
void report_loss(const json_t *tests, FILE *out);
void report_bursts(const json_t *tests, FILE *out);
void report_outages(const json_t *tests, FILE *out);
void report_noise(const json_t *tests, FILE *out);
void report_trials(const json_t *tests, FILE *out);
extern const char report_css[];

#endif
