// SPDX-License-Identifier: BSD-3-Clause
// test_halt_linux.c - halting and waking lcores, hosted. Bounds are one-sided: a halt may always end early.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/lcore.h"
#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define MSEC   1000000ull
#define SECOND (1000 * MSEC)

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

// How long one halt took.
static uint64_t halted(uint64_t ns)
{
	uint64_t from = now_ns();

	plat_halt(ns);
	return now_ns() - from;
}

static void time_ends_it(void **state)
{
	assert_true(halted(20 * MSEC) >= 19 * MSEC);
	halted(0);
}

// A second is the most that is slept at once.
static void never_longer_than_asked_by_much(void **state)
{
	assert_true(halted(UINT64_MAX) < 30 * SECOND);
}

static void wake_before_counts_once(void **state)
{
	plat_wake(0);
	plat_wake(0);
	assert_true(halted(SECOND) < SECOND);
	assert_true(halted(20 * MSEC) >= 19 * MSEC);
	plat_wake(LCORE_MAX); // nobody
}

#define ROUNDS 200

static _Atomic unsigned rounds;

static void *sleeping(void *arg)
{
	lcore_self = 7;
	while (atomic_fetch_add(&rounds, 1) < ROUNDS)
		plat_halt(SECOND);
	return NULL;
}

// Halts of a second each, all ended by the other thread, whatever it meets: before, while it falls asleep,
// asleep.
static void wake_of_another(void **state)
{
	uint64_t from = now_ns();
	unsigned seen = 0, r;
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, sleeping, NULL), 0);
	while ((r = atomic_load(&rounds)) <= ROUNDS) {
		if (r == seen) { // one wake a round: a lost one leaves it asleep for a second
			sched_yield();
			continue;
		}
		seen = r;
		for (unsigned k = 0; k < r * 100; k++)
			__asm__ volatile("pause");
		plat_wake(7);
	}
	pthread_join(t, NULL);
	assert_true(now_ns() - from < ROUNDS / 4 * SECOND);
}

static void descriptors(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t n = 1;

	assert_int_equal(plat_linux_wake_fd(0, fd, true), 0);
	assert_int_equal(plat_linux_wake_fd(0, fd, true), -EEXIST);
	assert_true(halted(20 * MSEC) >= 19 * MSEC);
	assert_int_equal(write(fd, &n, sizeof(n)), sizeof(n));
	assert_true(halted(SECOND) < SECOND);
	assert_true(halted(SECOND) < SECOND); // level-triggered
	assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
	assert_true(halted(20 * MSEC) >= 19 * MSEC);
	assert_int_equal(write(fd, &n, sizeof(n)), sizeof(n));
	assert_int_equal(plat_linux_wake_fd(0, fd, false), 0);
	assert_int_equal(plat_linux_wake_fd(0, fd, false), -ENOENT);
	assert_true(halted(20 * MSEC) >= 19 * MSEC);
	// Another lcore's descriptor is nothing to this one.
	assert_int_equal(plat_linux_wake_fd(3, fd, true), 0);
	assert_true(halted(20 * MSEC) >= 19 * MSEC);
	assert_int_equal(plat_linux_wake_fd(3, fd, false), 0);
	close(fd);
}

static void refusals(void **state)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(plat_linux_wake_fd(0, -1, true), -EBADF);
	assert_int_equal(plat_linux_wake_fd(LCORE_MAX, 0, true), -EINVAL);
	assert_int_equal(plat_linux_wake_fd(0, fileno(f), true), -EPERM);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_ends_it),
		cmocka_unit_test(never_longer_than_asked_by_much),
		cmocka_unit_test(wake_before_counts_once),
		cmocka_unit_test(wake_of_another),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
