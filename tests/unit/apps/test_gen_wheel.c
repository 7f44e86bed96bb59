// SPDX-License-Identifier: BSD-3-Clause
// test_gen_wheel.c - whatever waits in the wheel comes when it is due, in that order, against a plain list
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "apps/pktgen/gen_wheel.h"

#define ENTRIES 300
#define TICK	(1u << GEN_TICK_SHIFT)

static struct gen_wheel w;
static struct gen_link link[ENTRIES];

static uint64_t draw(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 20) % n;
}

// Periods of all sizes: within a slot, a level, the next, and beyond the wheel.
static uint64_t period(uint64_t *state)
{
	return 1 + draw(state, 1ull << (4 + draw(state, 36)));
}

static void all_in_time(void **state)
{
	uint64_t seed = 1, now = 123456789, last = 0, moved = 0;

	gen_wheel_start(&w, now);
	for (unsigned i = 0; i < ENTRIES; i++) {
		link[i].due = now + period(&seed);
		gen_wheel_add(&w, &link[i]);
	}
	for (unsigned step = 0; step < 20000; step++) {
		uint64_t before = last;
		struct gen_link *l;

		now += period(&seed) % (1ull << (10 + draw(&seed, 24)));
		last = 0;
		while ((l = gen_wheel_take(&w, now))) {
			uint64_t slot = l->due >> GEN_TICK_SHIFT;

			assert_true(slot < now >> GEN_TICK_SHIFT);
			assert_true(slot >= before);
			before = slot;
			// It may be due again at once, which is now.
			l->due = now + period(&seed);
			gen_wheel_add(&w, l);
			moved++;
		}
		// Nothing that is due was left.
		for (unsigned i = 0; i < ENTRIES; i++)
			assert_true(link[i].due >> GEN_TICK_SHIFT >= now >> GEN_TICK_SHIFT);
	}
	assert_true(moved > 1000);
}

static void late_ones_come_next(void **state)
{
	gen_wheel_start(&w, 100 * TICK);
	link[0].due = 110 * TICK;
	link[1].due = 110 * TICK + 1;
	link[2].due = 5; // long ago
	gen_wheel_add(&w, &link[0]);
	gen_wheel_add(&w, &link[1]);
	assert_null(gen_wheel_take(&w, 110 * TICK + 2)); // the slot has not ended
	assert_ptr_equal(gen_wheel_take(&w, 111 * TICK), &link[0]);
	gen_wheel_add(&w, &link[2]);
	assert_ptr_equal(gen_wheel_take(&w, 111 * TICK), &link[1]);
	gen_wheel_back(&w, &link[1]);
	gen_wheel_again(&w, &link[0]);
	assert_ptr_equal(gen_wheel_take(&w, 111 * TICK), &link[1]);
	assert_ptr_equal(gen_wheel_take(&w, 111 * TICK), &link[2]);
	assert_ptr_equal(gen_wheel_take(&w, 111 * TICK), &link[0]);
	assert_null(gen_wheel_take(&w, 1000000 * TICK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_in_time),
		cmocka_unit_test(late_ones_come_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
