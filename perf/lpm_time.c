// SPDX-License-Identifier: BSD-3-Clause
// lpm_time.c - the prefix table's benchmark: cycles of this thread, medians
#include "perf/lpm_time.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

double lpm_tsc_hz;

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double lpm_cycles(void)
{
	return seconds(CLOCK_THREAD_CPUTIME_ID) * lpm_tsc_hz;
}

void lpm_measure_tsc(void)
{
	double from = seconds(CLOCK_MONOTONIC);
	uint64_t tsc = __builtin_ia32_rdtsc();

	usleep(100000);
	lpm_tsc_hz = (double)(__builtin_ia32_rdtsc() - tsc) / (seconds(CLOCK_MONOTONIC) - from);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double lpm_median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}
