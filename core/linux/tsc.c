// SPDX-License-Identifier: BSD-3-Clause
// tsc.c - the rate of the time-stamp counter: from the processor, else measured
#include <cpuid.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "core/clock.h"
#include "core/plat.h"

#define HZ_MIN       100000000ull
#define HZ_MAX       10000000000ull
#define CALIBRATE_NS 20000000ull
#define TRIES        16

static uint64_t tsc_hz;
static pthread_once_t tsc_once = PTHREAD_ONCE_INIT;

// SDM volume 2A, CPUID leaf 15H: TSC = crystal (ECX) * EBX / EAX. 0 when the leaf does not say.
static uint64_t hz_of_cpuid(void)
{
	unsigned a, b, c, d;
	uint64_t hz;

	if (!__get_cpuid_count(0x15, 0, &a, &b, &c, &d) || !a || !b || !c)
		return 0;
	hz = (uint64_t)c * b / a;
	return hz >= HZ_MIN && hz <= HZ_MAX ? hz : 0;
}

struct stamp {
	uint64_t tsc, ns;
};

// Both clocks at one moment: of some tries the one that was interrupted least.
static struct stamp both_clocks(void)
{
	struct stamp best = {0, 0};
	uint64_t best_gap = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		struct timespec ts;
		uint64_t before = tsc_read(), gap;

		clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
		gap = tsc_read() - before;
		if (gap >= best_gap)
			continue;
		best_gap = gap;
		best.tsc = before + gap / 2;
		best.ns = (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
	}
	return best;
}

static uint64_t hz_measured(void)
{
	struct timespec wait = {.tv_nsec = CALIBRATE_NS};
	struct stamp from = both_clocks(), to;

	nanosleep(&wait, NULL); // a signal only makes it shorter
	do
		to = both_clocks();
	while (to.ns - from.ns < CALIBRATE_NS / 4);
	return (uint64_t)((unsigned __int128)(to.tsc - from.tsc) * NSEC_PER_SEC / (to.ns - from.ns));
}

static void tsc_find(void)
{
	tsc_hz = hz_of_cpuid();
	if (!tsc_hz)
		tsc_hz = hz_measured();
}

uint64_t plat_tsc_hz(void)
{
	pthread_once(&tsc_once, tsc_find);
	return tsc_hz;
}
