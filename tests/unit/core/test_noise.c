// SPDX-License-Identifier: BSD-3-Clause
// test_noise.c - gaps in which the host took the CPU away: what counts, in the loop and beside it
#include "tests/unit/core/loop_bench.h"

#include "core/noise.h"
#include "core/plat.h"

static uint64_t us(uint64_t n)
{
	return plat_tsc_hz() / 1000000 * n;
}

static void spin(uint64_t cycles)
{
	uint64_t end = tsc_read() + cycles;

	while (tsc_read() < end)
		;
}

static void test_limit(void **state)
{
	struct noise n = {0};

	noise_start(&n, true);
	assert_false(noise_suspect(&n, us(50)));
	assert_true(noise_suspect(&n, us(50) + 1));
	noise_gap(&n, us(51), 0);
	noise_gap(&n, us(400), 0);
	noise_gap(&n, us(60), 0);
	assert_int_equal(n.gaps, 3);
	assert_int_equal(noise_us(n.lost), 511);
	assert_int_equal(noise_us(n.worst), 400);
	// Three bursts were worked off: 200 us may be theirs.
	noise_gap(&n, us(200), 3);
	assert_int_equal(n.gaps, 3);
	noise_gap(&n, us(201) + 4, 3);
	assert_int_equal(n.gaps, 4);
	noise_start(&n, false);
	assert_false(noise_suspect(&n, us(1000000)));
	assert_int_equal(n.gaps, 4);
}

// Some gap is there or not; that it ends is what can be told.
static void test_probe(void **state)
{
	uint64_t start = tsc_read();
	struct noise n = {0};

	noise_probe(&n, us(2000));
	assert_true(tsc_read() - start >= us(2000));
	assert_true(n.lost >= n.worst && (n.gaps > 0) == (n.worst > n.limit));
}

static unsigned polls;

// An empty poll in which the host takes the CPU away, on the third turn.
static uint16_t stolen(void *arg, struct mbuf **pkts, uint16_t n)
{
	if (++polls == 3)
		spin(us(3000));
	return 0;
}

static int stop_at_once(void *arg, uint64_t now)
{
	spin(us(200000)); // housekeeping may
	return 1;
}

static void run_stolen(enum clock_kind kind)
{
	setup(kind);
	polls = 0;
	add_tape(0, NULL, 0);
	b.l.source[0].burst = stolen;
	b.l.source[0].next_time = NULL;
	b.l.tick = stop_at_once;
	loop_run(&b.l);
}

static void test_loop_counts(void **state)
{
	run_stolen(CLOCK_REAL);
	assert_true(b.l.noise.gaps >= 1);
	assert_true(noise_us(b.l.noise.worst) >= 3000);
	assert_true(b.l.noise.lost >= b.l.noise.worst);
	teardown();
}

// A capture's files are read between turns, in any time; no packet is late for that.
static void test_capture_clock_does_not(void **state)
{
	run_stolen(CLOCK_CAPTURE);
	assert_int_equal(b.l.noise.gaps, 0);
	teardown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_loop_counts),
		cmocka_unit_test(test_capture_clock_does_not),
	};

	pool = test_pool(1024);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
