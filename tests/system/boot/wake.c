// SPDX-License-Identifier: BSD-3-Clause
// wake.c - halts that end: by the timer, by another lcore, before and after the seal; none is missed
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/plat.h"

#define ROUNDS 300
#define SECOND 1000000000ull

static _Atomic unsigned rounds, phases;
static _Atomic uint64_t sent; // TSC
static uint64_t took[ROUNDS];

static uint64_t ns_of(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * SECOND / plat_tsc_hz());
}

static void *sleeper(void *arg)
{
	while (atomic_load(&phases) < 2) {
		unsigned n = atomic_fetch_add(&rounds, 1);

		if (n >= ROUNDS) { // until the next phase
			atomic_fetch_add(&phases, 1);
			while (atomic_load(&rounds))
				;
			continue;
		}
		plat_halt(SECOND);
		took[n] = tsc_read() - atomic_load(&sent);
	}
	return NULL;
}

// Meets the other one before its halt, while it falls asleep, and asleep.
static void wake_all(void)
{
	unsigned seen = 0, n;

	while ((n = atomic_load(&rounds)) <= ROUNDS) {
		if (n == seen) {
			__asm__ volatile("pause");
			continue;
		}
		seen = n;
		for (unsigned k = 0; k < n * 50; k++)
			__asm__ volatile("pause");
		atomic_store(&sent, tsc_read());
		plat_wake(1);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void phase(const char *name)
{
	uint64_t from = tsc_read();
	unsigned now = atomic_load(&phases);

	wake_all();
	from = ns_of(tsc_read() - from);
	while (atomic_load(&phases) == now)
		;
	qsort(took, ROUNDS, sizeof(took[0]), compare);
	printf("%s: %u wakes in %s; median %llu ns\n", name, ROUNDS,
	       from < ROUNDS / 10 * SECOND ? "time" : "too long",
	       (unsigned long long)ns_of(took[ROUNDS / 2]));
}

int main(void)
{
	uint64_t from = tsc_read();
	unsigned halts = 0;
	pthread_t t;

	// Each may end early, not all of them.
	for (; ns_of(tsc_read() - from) < SECOND / 5; halts++)
		plat_halt(SECOND / 50);
	printf("timer: %s\n", halts < 100 ? "halts" : "does not halt");
	plat_wake(0); // a wake beforehand ends the next halt
	from = tsc_read();
	plat_halt(SECOND);
	printf("beforehand: %s\n", ns_of(tsc_read() - from) < SECOND / 2 ? "woken" : "missed");
	plat_wake(1000);
	if (pthread_create(&t, NULL, sleeper, NULL))
		return 1;
	phase("before the seal");
	plat_seal();
	atomic_store(&rounds, 0);
	phase("after the seal");
	atomic_store(&rounds, 0);
	pthread_join(t, NULL);
	return 0;
}
