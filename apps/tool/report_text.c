// SPDX-License-Identifier: BSD-3-Clause
// report_text.c - values of the results as text that is safe in HTML
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/report_priv.h"
#include "apps/tool/util.h"

#define NUM_MAX	 1e18  // more is no measurement
#define NUM_LEAST 1e-18 // less is 0: logarithms of it are of no use to an axis
#define TEXT_MAX 400  // bytes of a text shown

static double number(const json_t *v)
{
	double d = json_is_number(v) ? json_number_value(v) : NAN;

	if (fabs(d) < NUM_LEAST)
		return 0;
	return fabs(d) <= NUM_MAX ? d : NAN;
}

double report_num(const json_t *object, const char *key)
{
	return number(json_object_get(object, key));
}

double report_at(const json_t *array, size_t i)
{
	return number(json_array_get(array, i));
}

const char *report_str(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

double report_max(const json_t *array, const char *key)
{
	double max = 0;

	for (size_t i = 0; i < json_array_size(array); i++)
		max = fmax(max, report_num(json_array_get(array, i), key));
	return max;
}

// Bytes of a character that turns the direction of what follows: it could make a text look like
// another.
static unsigned turns(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] == 0xe2 && u[1] == 0x80 &&
	    ((u[2] >= 0xaa && u[2] <= 0xae) || u[2] == 0x8e || u[2] == 0x8f))
		return 3;
	return u[0] == 0xe2 && u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9 ? 3 : 0;
}

void report_text(FILE *out, const char *text)
{
	for (const char *s = text; *s;) {
		unsigned skip = text_control(s);

		if (!skip)
			skip = turns(s);
		if (skip) {
			fputs("\xef\xbf\xbd", out);
			s += skip;
			continue;
		}
		if (s - text >= TEXT_MAX && ((unsigned char)*s & 0xc0) != 0x80) {
			fputs("…", out);
			return;
		}
		switch (*s) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*s, out);
		}
		s++;
	}
}

void report_value(FILE *out, const json_t *value)
{
	char buf[REPORT_NUM];

	if (json_is_string(value) && *json_string_value(value))
		report_text(out, json_string_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "yes" : "no", out);
	else
		fputs(report_number(buf, number(value), 12), out);
}

const char *report_number(char buf[REPORT_NUM], double v, int digits)
{
	char plain[REPORT_NUM], *to = buf;
	int before, decimals, whole;

	if (!isfinite(v)) {
		strcpy(buf, REPORT_ABSENT);
		return buf;
	}
	before = fabs(v) >= 1 ? (int)floor(log10(fabs(v))) + 1
		 : v == 0     ? 1
			      : (int)ceil(log10(fabs(v)));
	decimals = digits > before ? digits - before : 0;
	if (decimals > 9)
		decimals = 9;
	snprintf(plain, sizeof(plain), "%.*f", decimals, v);
	if (strchr(plain, '.')) { // nothing behind the point that says nothing
		char *end = plain + strlen(plain);

		if (v == floor(v) || digits > 9) {
			while (end[-1] == '0')
				*--end = 0;
			if (end[-1] == '.')
				*--end = 0;
		}
	}
	whole = (int)strspn(plain, "-0123456789");
	for (int i = 0; plain[i] && to < buf + REPORT_NUM - 2; i++) {
		*to++ = plain[i];
		if (plain[i] != '-' && i + 1 < whole && (whole - i - 1) % 3 == 0)
			*to++ = ',';
	}
	*to = 0;
	return buf;
}

void report_cell(FILE *out, double v, double unit, int digits)
{
	char buf[REPORT_NUM];

	fprintf(out, "<td>%s</td>", report_number(buf, v / unit, digits));
}

const char *report_time(char buf[REPORT_NUM], double ns)
{
	static const struct {
		double by;
		const char *name;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}};
	unsigned i = 0;

	if (!isfinite(ns))
		return report_number(buf, ns, 3);
	while (i < 3 && fabs(ns) < units[i].by * 0.9999)
		i++;
	snprintf(buf, REPORT_NUM, "%.4g %s", ns / units[i].by, units[i].name);
	return buf;
}

const char *report_percent(char buf[REPORT_NUM], double share)
{
	if (!isfinite(share))
		return report_number(buf, share, 3);
	snprintf(buf, REPORT_NUM, "%.4g%%", share * 100);
	if (strchr(buf, 'e'))
		snprintf(buf, REPORT_NUM, "%.7f%%", share * 100);
	return buf;
}

bool report_is(const json_t *test, const char *name)
{
	return !strcmp(report_str(test, "test"), name);
}

const char *report_label(char buf[REPORT_LABEL], const json_t *test)
{
	const char *ip = report_str(test, "ip"), *named = report_str(test, "frame_size");
	char number[REPORT_NUM];
	const char *size = named;
	int len;

	if (!*named)
		size = report_number(number, report_num(test, "frame_size"), 9);
	len = (int)strnlen(size, REPORT_LABEL / 2);
	while (len > 0 && ((unsigned char)size[len] & 0xc0) == 0x80)
		len--; // not within a character
	if (!strcmp(ip, "6"))
		snprintf(buf, REPORT_LABEL, "%.*s IPv6", len, size);
	else if (!strcmp(ip, "mix"))
		snprintf(buf, REPORT_LABEL, "%.*s IPv4+6", len, size);
	else
		snprintf(buf, REPORT_LABEL, "%.*s", len, size);
	return buf;
}

struct report_unit report_pps_unit(const json_t *tests)
{
	double max = 0;

	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);

		max = fmax(max, report_num(json_object_get(t, "result"), "pps"));
		max = fmax(max, report_max(json_object_get(t, "trials"), "intended_pps"));
	}
	if (max >= 1e6)
		return (struct report_unit){1e6, "Mpps"};
	return max >= 1e4 ? (struct report_unit){1e3, "kpps"} : (struct report_unit){1, "pps"};
}
