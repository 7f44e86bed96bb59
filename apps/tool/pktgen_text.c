// SPDX-License-Identifier: BSD-3-Clause
// pktgen_text.c - numbers as people read them
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/tool/pktgen.h"

const char *text_count(char buf[TEXT_MAX], uint64_t n)
{
	char plain[24];
	size_t len = (size_t)snprintf(plain, sizeof(plain), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = plain[i];
	}
	buf[at] = 0;
	return buf;
}

const char *text_fit(char buf[TEXT_MAX], uint64_t n, int width)
{
	text_count(buf, n);
	return strlen(buf) <= (size_t)width ? buf : text_short(buf, (double)n);
}

// So many decimals that there are three digits.
static int decimals(double v)
{
	return v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
}

const char *text_short(char buf[TEXT_MAX], double n)
{
	static const char units[] = " kMGT";
	unsigned u = 0;

	if (n < 0)
		n = 0;
	while (n >= 999.5 && u + 2 < sizeof(units)) {
		n /= 1000;
		u++;
	}
	if (u)
		snprintf(buf, TEXT_MAX, "%.*f%c", decimals(n), n, units[u]);
	else
		snprintf(buf, TEXT_MAX, "%.*f", n == (double)(uint64_t)n ? 0 : decimals(n), n);
	return buf;
}

const char *text_us(char buf[TEXT_MAX], uint64_t ns)
{
	double us = (double)ns / 1000;

	if (us < 99999.5)
		snprintf(buf, TEXT_MAX, "%.*f", decimals(us), us);
	else if (us < 99999500)
		snprintf(buf, TEXT_MAX, "%.0fms", us / 1000);
	else
		snprintf(buf, TEXT_MAX, "%.0fs", us / 1000000);
	return buf;
}

const char *text_time(char buf[TEXT_MAX], uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double v = (double)ns;
	unsigned u = 0;

	for (; v >= 999.5 && u < 3; u++)
		v /= 1000;
	snprintf(buf, TEXT_MAX, "%.*f %s", u ? decimals(v) : 0, v, units[u]);
	return buf;
}

const char *text_percent(char buf[TEXT_MAX], double share)
{
	double p = share * 100;

	if (share <= 0)
		snprintf(buf, TEXT_MAX, "0");
	else if (share >= 1)
		snprintf(buf, TEXT_MAX, "100");
	else if (p < 0.0001)
		snprintf(buf, TEXT_MAX, "%.0e", p);
	else if (p < 1)
		snprintf(buf, TEXT_MAX, "%.4f", p);
	else if (p < 99.995)
		snprintf(buf, TEXT_MAX, "%.2f", p);
	else
		snprintf(buf, TEXT_MAX, "99.99");
	return buf;
}
