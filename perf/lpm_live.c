// SPDX-License-Identifier: BSD-3-Clause
// lpm_live.c - the prefix tables' benchmark: updates while another thread looks up
//
// Each has a CPU of its own if the machine has two. On a busy one the figures by processor time are
// the better: they leave out when a thread waited for its CPU.
#include "perf/lpm_live.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "perf/lpm_time.h"
#include "perf/routes.h"

#define UPDATES 400000u // half of them withdrawals
#define BATCH	64u	// updates between two looks at the reader

struct reader {
	const struct lpm_live *l;
	unsigned long bursts;
	unsigned long wrong;
	double cycles;
	bool stop;
};

static void *read_on(void *arg)
{
	struct reader *r = arg;
	double from = lpm_cycles();
	uint64_t seed = 5;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		r->wrong += r->l->read(r->l->arg, &seed);
		__atomic_fetch_add(&r->bursts, 1, __ATOMIC_RELEASE);
	}
	r->cycles = lpm_cycles() - from;
	return NULL;
}

static double wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// As housekeeping would: no waiting. A period ends when the reader has ended two bursts in it.
static void look(const struct reader *r, unsigned long *since)
{
	unsigned long now = __atomic_load_n(&r->bursts, __ATOMIC_ACQUIRE);

	if (now < *since + 2)
		return;
	*since = now;
	r->l->quiescent(r->l->arg);
}

static int update(const struct lpm_live *l, const struct reader *r)
{
	unsigned long since = 0;
	uint64_t seed = 9;

	for (uint32_t k = 0; k < UPDATES; k += 2) {
		uint32_t i = (uint32_t)((uint64_t)routes_random(&seed) * l->prefixes >> 32) & ~1u;
		int err = l->withdraw(l->arg, i);

		if (!err)
			err = l->announce(l->arg, i);
		if (err)
			return err;
		if (k % BATCH == 0)
			look(r, &since);
	}
	return 0;
}

bool lpm_bench_live(const struct lpm_live *l)
{
	struct reader r = {.l = l};
	pthread_t thread;
	double from, took, cycles, lookups;
	int err;

	if (pthread_create(&thread, NULL, read_on, &r))
		return false;
	while (__atomic_load_n(&r.bursts, __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	from = wall();
	cycles = lpm_cycles();
	err = update(l, &r);
	cycles = lpm_cycles() - cycles;
	took = wall() - from;
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	lookups = (double)r.bursts * LPM_LIVE_BURST;
	printf("%s/live/updates %8.1f cycles %8.3f M/s; by the wall clock %.3f M/s\n", l->name,
	       cycles / UPDATES, UPDATES / cycles * lpm_tsc_hz / 1e6, UPDATES / took / 1e6);
	printf("%s/live/lookups meanwhile %8.1f cycles, %.1f million, %lu wrong\n", l->name,
	       r.cycles / lookups, lookups / 1e6, r.wrong);
	return !err && r.wrong == 0;
}
