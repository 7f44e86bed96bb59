// SPDX-License-Identifier: BSD-3-Clause
// bench_search.c - binary search for the border between what passes and what fails
//
// With a hint it begins there and strides away, each stride twice the one before, until it has seen both a pass
// and a fail: repetitions, and bursts of unknown length, take far fewer trials so.
#include <math.h>

#include "apps/tool/bench.h"

static double width_at(const struct bench_range *r, double x)
{
	return r->relative ? r->width * x : r->width;
}

static double next(const struct bench_range *r, const struct bench_bounds *b, double *stride)
{
	double x;

	if (b->has_lower && b->has_upper) {
		x = (b->lower + b->upper) / 2;
	} else if (!r->hint) {
		x = (r->min + b->upper) / 2; // as if min had passed; if it comes to that it is tried
		if (b->upper - r->min <= width_at(r, b->upper))
			x = r->min;
	} else {
		*stride *= 2;
		x = b->has_lower ? b->lower + *stride : b->upper - *stride;
	}
	if (r->whole)
		x = floor(x);
	return fmin(fmax(x, r->min), r->max);
}

static bool found(const struct bench_range *r, const struct bench_bounds *b)
{
	if (b->has_lower && b->has_upper)
		return b->upper - b->lower <= width_at(r, b->upper) || (r->whole && b->upper - b->lower <= 1);
	return (b->has_lower && b->lower >= r->max) || (b->has_upper && b->upper <= r->min);
}

int bench_bisect(const struct bench_range *r, bench_ask_fn ask, void *arg, struct bench_bounds *b, struct err *err)
{
	double x = fmin(fmax(r->hint ? r->hint : r->max, r->min), r->max);
	double stride = width_at(r, x);

	*b = (struct bench_bounds){0};
	do {
		bool pass;
		int rc = ask(arg, x, &pass, err);

		if (rc)
			return rc;
		if (pass) {
			b->lower = x;
			b->has_lower = true;
		} else {
			b->upper = x;
			b->has_upper = true;
		}
		x = next(r, b, &stride);
	} while (!found(r, b));
	return 0;
}
