// SPDX-License-Identifier: BSD-3-Clause
// test_clock.c - the scale from TSC to nanoseconds, and the two clocks
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/plat.h"

// Against the exact quotient, from a microsecond to a hundred years: within 1 part in 10^9 (and the
// last nanosecond, which is cut off).
static void test_scale(void **state)
{
	uint64_t hz = plat_tsc_hz(), years = 100ull * 365 * 24 * 3600;
	struct clock c;

	clock_init(&c, CLOCK_REAL);
	assert_int_equal(clock_tsc_to_ns(&c, 0), 0);
	for (uint64_t cycles = hz / 1000000; cycles < hz * years; cycles = cycles * 3 / 2 + 1) {
		uint64_t exact = (uint64_t)((unsigned __int128)cycles * NSEC_PER_SEC / hz);
		uint64_t ns = clock_tsc_to_ns(&c, cycles);
		uint64_t error = ns > exact ? ns - exact : exact - ns;

		assert_true(error <= exact / 1000000000 + 1);
	}
}

static void test_real(void **state)
{
	struct clock c;
	uint64_t t = 0;

	clock_init(&c, CLOCK_REAL);
	assert_int_equal(c.now, 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_turn(&c);

		assert_true(now >= t);
		assert_int_equal(now, c.now);
		t = now;
	}
	assert_true(t > 0);
	// A second's worth of cycles after the start it is a second.
	assert_in_range(clock_turn_at(&c, c.tsc_start + plat_tsc_hz()), NSEC_PER_SEC - 1,
			NSEC_PER_SEC + 1);
}

// A capture clock moves only when told, and never back.
static void test_capture(void **state)
{
	struct clock c;

	clock_init(&c, CLOCK_CAPTURE);
	assert_int_equal(clock_turn(&c), 0);
	clock_advance(&c, 1700000000123456789);
	assert_int_equal(clock_turn(&c), 1700000000123456789);
	clock_advance(&c, 5);
	assert_int_equal(clock_turn(&c), 1700000000123456789);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
