// SPDX-License-Identifier: BSD-3-Clause
// test_loop.c - the loop on the real clock, its tick and its stop
#include "tests/unit/core/loop_bench.h"

#include <pthread.h>

static void test_real_ends(void **state)
{
	static const uint64_t t[300] = {0};

	setup(CLOCK_REAL);
	b.l.burst = 32;
	add_tape(0, t, 300);
	loop_run(&b.l);
	assert_int_equal(b.p.seens, 300);
	assert_int_equal(b.l.busy_turns, 10); // 9 of 32, one of 12
	assert_int_equal(b.l.turns % LOOP_HOUSEKEEPING, 0);
	assert_true(b.l.busy_cycles >= b.l.source[0].cycles + b.n->stats.cycles);
	teardown();
}

// Linger: a packet that comes back 20 ms after the capture's end is still taken.
static void test_real_lingers(void **state)
{
	static const uint64_t t[] = {0}, late[] = {20000000};

	setup(CLOCK_REAL);
	b.l.linger_ns = NSEC_PER_SEC;
	add_tape(0, t, 1);
	add_tape(1, late, 1);
	b.l.source[1].next_time = NULL;
	loop_run(&b.l);
	assert_int_equal(b.p.seens, 2);
	assert_true(b.l.clock.now >= 20000000 + NSEC_PER_SEC);
	teardown();
}

// Held at the end, released by a timer 20 ms later.
static void work_release_late(struct node *node, uint64_t now)
{
	b.p.due = TIME_NEVER;
	if (now < 20000000)
		b.p.due = 20000000;
	else if (b.p.helds)
		graph_drop_held(node, 0, b.p.held[--b.p.helds]);
}

static void test_real_held_at_end(void **state)
{
	static const uint64_t t[] = {0};

	setup(CLOCK_REAL);
	b.p.pick = pick_hold;
	b.p.work = work_release_late;
	add_tape(0, t, 1);
	loop_run(&b.l);
	test_books(b.l.graph, (struct graph_books){1, 0, 0, 0, 1, 0});
	teardown();
}

static int tick_thrice(void *arg, uint64_t now)
{
	unsigned *ticks = arg;

	return ++*ticks == 3;
}

static void test_tick(void **state)
{
	unsigned ticks = 0;

	setup(CLOCK_REAL);
	add_tape(0, NULL, 0);
	b.l.source[0].next_time = NULL; // has no end: only the tick ends the loop
	b.l.tick = tick_thrice;
	b.l.tick_arg = &ticks;
	loop_run(&b.l);
	assert_int_equal(b.l.turns, 3 * LOOP_HOUSEKEEPING);
	assert_int_equal(b.l.busy_turns, 0);
	assert_int_equal(b.l.source[0].empty, b.l.turns);
	teardown();
}

static void *run_thread(void *arg)
{
	lcore_enter(1);
	loop_run(arg);
	return NULL;
}

static void test_stop(void **state)
{
	pthread_t thread;

	setup(CLOCK_REAL);
	assert_int_equal(pthread_create(&thread, NULL, run_thread, &b.l), 0);
	atomic_store(&b.l.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	teardown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_ends),
		cmocka_unit_test(test_real_lingers),
		cmocka_unit_test(test_real_held_at_end),
		cmocka_unit_test(test_tick),
		cmocka_unit_test(test_stop),
	};

	pool = test_pool(1024);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
