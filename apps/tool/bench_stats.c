// SPDX-License-Identifier: BSD-3-Clause
// bench_stats.c - means, deviations and quantiles of a few values
#include <math.h>
#include <stdlib.h>

#include "apps/tool/bench.h"

double stat_mean(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return n ? sum / (double)n : 0;
}

double stat_deviation(const double *v, size_t n)
{
	double mean = stat_mean(v, n), sum = 0;

	if (n < 2)
		return 0;
	for (size_t i = 0; i < n; i++)
		sum += (v[i] - mean) * (v[i] - mean);
	return sqrt(sum / (double)(n - 1));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double stat_quantile(double *v, size_t n, double share)
{
	double at = ceil(share * (double)n - 1e-9);

	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), by_value);
	return v[at < 1 ? 0 : (size_t)at - 1];
}

double stat_t95(double df)
{
	// Two-sided 95% points, from any table of Student's distribution; between two, the larger one.
	static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
				   2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086};
	size_t n = sizeof(t) / sizeof(*t);

	if (df < 1)
		return t[0];
	if (df <= (double)n)
		return t[(size_t)df - 1];
	return df < 30 ? t[n - 1] : df < 60 ? 2.042 : df < 120 ? 2.000 : 1.980;
}
