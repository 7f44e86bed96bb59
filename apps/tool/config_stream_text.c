// SPDX-License-Identifier: BSD-3-Clause
// config_stream_text.c - numbers with a unit behind: rates, durations, shares
#include <string.h>

#include "apps/tool/config_stream.h"

#define FRACTION_MAX 9u // digits behind the point

const struct text_unit units_si[] = {
	{"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {"T", 1000000000000}, {0},
};

const struct text_unit units_time[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60000000000},
	{"h", 3600000000000},
	{0},
};

static const char *read_digits(const char *s, unsigned max, unsigned __int128 *v, unsigned *n)
{
	for (*n = 0; *s >= '0' && *s <= '9'; s++) {
		if (++*n > max)
			return NULL;
		*v = *v * 10 + (unsigned)(*s - '0');
	}
	return *n ? s : NULL;
}

bool text_scaled(const char *s, const struct text_unit *units, bool bare, uint64_t scale,
		 uint64_t *v)
{
	unsigned __int128 n = 0;
	unsigned whole, fraction = 0;

	s = read_digits(s, 20, &n, &whole);
	if (s && *s == '.')
		s = read_digits(s + 1, FRACTION_MAX, &n, &fraction);
	if (!s)
		return false;
	for (; *s && units->name && strcmp(s, units->name); units++)
		;
	if (*s ? !units->name : !bare)
		return false;
	n *= scale; // below 10^29: what follows may be beyond 128 bits only if it is beyond 64
	if (*s && n > ~(unsigned __int128)0 / units->factor)
		return false;
	n *= *s ? units->factor : 1;
	while (fraction--)
		n /= 10;
	*v = (uint64_t)n;
	return n == *v;
}
