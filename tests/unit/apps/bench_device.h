// SPDX-License-Identifier: BSD-3-Clause
// bench_device.h - a simulated device under test: what it forwards follows from a few numbers
#ifndef WEIR_TESTS_UNIT_APPS_BENCH_DEVICE_H
#define WEIR_TESTS_UNIT_APPS_BENCH_DEVICE_H

#include <math.h>
#include <string.h>

#include "apps/tool/bench.h"

struct device {
	double capacity;    // frames a second that it forwards
	double buffer;	    // frames that wait at most
	double loss;	    // of all frames at random
	double noise;	    // of trials: it loses 1% more
	double gap;	    // of trials: the host takes 10% of the time away (and frames get lost)
	double generator;   // frames a second that can be sent; 0: any
	double line;	    // frames a second that its ports take; 0: any
	double latency_ns;
	uint64_t seed;
	unsigned trials;
	double seconds; // of sending, all trials
	unsigned fail_at; // this trial (1: the first) fails with -EIO; 0: none does
};

static double device_random(struct device *d)
{
	d->seed = d->seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(d->seed >> 11) / 9007199254740992.0;
}

static int device_trial(void *arg, const struct bench_order *o, struct bench_trial *t, struct err *err)
{
	struct device *d = arg;
	double most = d->generator ? d->generator : 1e7;
	double pps = !o->top ? o->pps : d->line && d->line < most ? d->line : most;
	double sent = o->count ? (double)o->count : floor(pps * o->duration_s);
	double seconds = sent / pps, lost;

	if (d->fail_at == d->trials + 1)
		return err_set(err, -5, "the simulated rig fails");
	d->trials++;
	d->seconds += seconds;
	t->intended = (uint64_t)sent;
	t->sending_s = seconds;
	t->blocked = o->top && pps < most;
	if (d->generator && pps > d->generator) {
		sent = floor(sent * d->generator / pps);
		t->late_ns_max = 1000000000;
	}
	lost = fmax(0, ceil(sent - d->capacity * seconds - d->buffer - 1e-6));
	if (d->loss)
		lost += floor(sent * d->loss + device_random(d));
	if (d->noise && device_random(d) < d->noise)
		lost += ceil(sent / 100);
	if (d->gap && device_random(d) < d->gap) {
		lost += ceil(sent / 50);
		t->noise.lost_us = (uint64_t)(seconds * 1e5);
	}
	t->sent = (uint64_t)sent;
	t->received = (uint64_t)fmax(0, sent - lost);
	t->way[0] = (struct bench_way){"a", t->sent, t->received};
	t->ways = 1;
	t->latency = (struct bench_dist){.count = t->received,
					 .min = d->latency_ns,
					 .mean = d->latency_ns,
					 .max = d->latency_ns,
					 .p50 = d->latency_ns,
					 .p90 = d->latency_ns,
					 .p99 = d->latency_ns,
					 .p99_9 = d->latency_ns,
					 .p99_99 = d->latency_ns,
					 .p99_999 = d->latency_ns};
	return 0;
}

#define DEVICE_LIMITS {.pace = 0.001, .interference = 0.02}

#endif
