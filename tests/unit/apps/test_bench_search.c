// SPDX-License-Identifier: BSD-3-Clause
// test_bench_search.c - trials that count, and binary searches against devices whose border is known
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bench_device.h"

struct asked {
	struct bench b;
	struct device d;
	struct bench_verify v;
	double duration;
	unsigned asked;
};

static struct asked asked(double capacity)
{
	return (struct asked){.b = {.trial = device_trial, .limits = DEVICE_LIMITS, .tries = 5},
			      .d = {.capacity = capacity, .seed = 1},
			      .v = {.r = 1},
			      .duration = 10};
}

static int ask(void *arg, double x, bool *pass, struct err *err)
{
	struct asked *a = arg;
	struct bench_order o = {.size = 64, .pps = x, .duration_s = a->duration};
	struct bench_trial t;

	a->asked++;
	a->b.arg = &a->d;
	return bench_verified(&a->b, &o, &a->v, pass, &t, err);
}

static int ask_burst(void *arg, double x, bool *pass, struct err *err)
{
	struct asked *a = arg;
	struct bench_order o = {.size = 64, .pps = 1e6, .count = (uint64_t)x, .settle_s = 2};
	struct bench_trial t;

	assert_true(x == floor(x));
	a->asked++;
	a->b.arg = &a->d;
	return bench_verified(&a->b, &o, &a->v, pass, &t, err);
}

static void brackets(const struct bench_bounds *b, double truth, double width)
{
	assert_true(b->has_lower && b->has_upper);
	assert_true(b->lower <= truth && truth < b->upper + 1);
	assert_true(b->upper - b->lower <= width);
}

static void finds_a_limit(void **state)
{
	double truth[] = {123456, 5000, 999999, 500000, 1001};
	struct bench_range r = {.min = 1000, .max = 1000000, .width = 1000};

	for (unsigned i = 0; i < 5; i++) {
		struct asked a = asked(truth[i]);
		struct bench_bounds b;

		assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
		brackets(&b, truth[i], r.width);
		assert_true(a.asked <= 13); // log2(1000) + first + lowest
	}
}

static void hint_takes_fewer(void **state)
{
	struct bench_range r = {.min = 1000, .max = 1000000, .width = 1000, .hint = 300500};
	double truth[] = {301000, 299000, 1500, 990000};

	for (unsigned i = 0; i < 4; i++) {
		struct asked a = asked(truth[i]);
		struct bench_bounds b;

		assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
		brackets(&b, truth[i], r.width);
		assert_true(a.asked <= (i < 2 ? 4 : 20));
	}
}

static void ends_at_its_limits(void **state)
{
	struct bench_range r = {.min = 1000, .max = 1000000, .width = 1000};
	struct asked a = asked(2e6);
	struct bench_bounds b;

	assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
	assert_true(b.has_lower && !b.has_upper && b.lower == r.max);
	assert_int_equal(a.asked, 1);
	a = asked(10);
	assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
	assert_true(!b.has_lower && b.has_upper && b.upper == r.min);
	r.hint = 5000;
	a = asked(10);
	assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
	assert_true(!b.has_lower && b.upper == r.min);
	a = asked(2e6);
	assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
	assert_true(!b.has_upper && b.lower == r.max);
}

// A burst of n frames at rate L leaves n (1 - C/L) in the buffer.
static void finds_a_buffer(void **state)
{
	struct bench_range r = {.min = 1, .max = 2000000, .width = 1, .hint = 64, .whole = true};

	for (unsigned buffer = 1; buffer < 5000; buffer = buffer * 5 + 3) {
		struct asked a = asked(750000);
		struct bench_bounds b;
		double truth = floor(buffer / (1 - 0.75));

		a.d.buffer = buffer;
		assert_int_equal(bench_bisect(&r, ask_burst, &a, &b, NULL), 0);
		assert_true(b.has_lower && b.has_upper);
		assert_true(b.upper == b.lower + 1);
		assert_true(fabs(b.lower - truth) <= 4);
	}
}

static void loss_verification(void **state)
{
	struct bench_range r = {.min = 1000, .max = 1000000, .width = 1000};
	double plain = 0, verified = 0;

	// A fifth of all trials lose although the device could: it misleads a plain search far down.
	for (unsigned i = 0; i < 20; i++) {
		struct bench_bounds b;
		struct asked a = asked(600000);

		a.d.noise = 0.2;
		a.d.seed = i;
		assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
		assert_true(b.lower <= 600000);
		plain += b.lower / 20;
		a = asked(600000);
		a.d.noise = 0.2;
		a.d.seed = i;
		a.v = (struct bench_verify){.r = 4, .z = UINT64_MAX};
		assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
		assert_true(b.lower <= 600000);
		verified += b.lower / 20;
	}
	assert_true(plain < 0.95 * 600000);
	assert_true(verified > 0.98 * 600000);
}

static void z_overrides_verification(void **state)
{
	struct asked a = asked(500000);
	bool pass;

	a.v = (struct bench_verify){.r = 3, .z = UINT64_MAX};
	assert_int_equal(ask(&a, 600000, &pass, NULL), 0);
	assert_false(pass);
	assert_int_equal(a.d.trials, 3);
	a.v.z = 1000; // 10 s: a million frames were lost
	assert_int_equal(ask(&a, 600000, &pass, NULL), 0);
	assert_false(pass);
	assert_int_equal(a.d.trials, 4);
	assert_int_equal(ask(&a, 500000, &pass, NULL), 0);
	assert_true(pass);
	assert_int_equal(a.d.trials, 5);
}

static void acceptable_loss(void **state)
{
	struct bench_range r = {.min = 1000, .max = 1000000, .width = 1000};
	struct asked a = asked(500000);
	struct bench_bounds b;

	a.v.loss_ratio = 0.01; // at 500000/0.99 it loses 1%
	assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
	brackets(&b, 500000 / 0.99, 1000);
}

static unsigned seen, seen_invalid;

static void see(void *arg, const struct bench_trial *t)
{
	seen++;
	seen_invalid += !t->valid;
	assert_true(t->valid == !t->why[0]);
}

// Trials in which the host interfered are repeated, and never decide.
static void interference_does_not_count(void **state)
{
	struct bench_range r = {.min = 1000, .max = 1000000, .width = 1000};
	struct asked a = asked(600000);
	struct bench_bounds b;

	a.d.gap = 0.4;
	a.b.tries = 40;
	a.b.record = see;
	seen = seen_invalid = 0;
	assert_int_equal(bench_bisect(&r, ask, &a, &b, NULL), 0);
	brackets(&b, 600000, 1000);
	assert_true(seen_invalid > 0);
	assert_int_equal(seen, a.d.trials);
	assert_int_equal(a.b.trials, seen);
	assert_int_equal(a.b.invalid, seen_invalid);
	assert_int_equal(seen - seen_invalid, a.asked);
}

static void gives_up_where_nothing_is_valid(void **state)
{
	struct bench_range r = {.min = 1000, .max = 1000000, .width = 1000};
	struct asked a = asked(600000);
	struct bench_bounds b;
	struct err err;

	a.d.gap = 1;
	assert_int_equal(bench_bisect(&r, ask, &a, &b, &err), -EAGAIN);
	assert_int_equal(a.d.trials, 5);
	assert_false(b.has_lower || b.has_upper);
	assert_non_null(strstr(err.text, "the host took"));
	// The generator's limit is below the device's.
	a = asked(600000);
	a.d.generator = 400000;
	assert_int_equal(bench_bisect(&r, ask, &a, &b, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "generator"));
	a = asked(600000);
	a.d.fail_at = 3;
	assert_int_equal(bench_bisect(&r, ask, &a, &b, &err), -5);
	assert_true(b.has_upper);
}

static void judges(void **state)
{
	struct bench_limits l = DEVICE_LIMITS;
	struct bench_trial t = {.intended = 10000, .sent = 10000, .received = 9900, .sending_s = 1};

	bench_judge(&t, &l);
	assert_true(t.valid);
	assert_int_equal(t.lost, 100);
	assert_true(fabs(t.loss_ratio - 0.01) < 1e-12);
	t.sent = 9995; // within a thousandth
	bench_judge(&t, &l);
	assert_true(t.valid);
	assert_int_equal(t.lost, 95);
	t.sent = 9900;
	bench_judge(&t, &l);
	assert_false(t.valid);
	assert_non_null(strstr(t.why, "9900 of 10000"));
	// The device's port refused what was due: lost, and the trial counts.
	t.blocked = 7;
	bench_judge(&t, &l);
	assert_true(t.valid);
	assert_int_equal(t.refused, 100);
	assert_int_equal(t.lost, 100);
	assert_true(fabs(t.loss_ratio - 0.01) < 1e-12);
	// More came than was sent (duplicates are counted apart; this is a miscount by nobody): no loss.
	t = (struct bench_trial){.intended = 10, .sent = 10, .received = 12, .sending_s = 1};
	bench_judge(&t, &l);
	assert_int_equal(t.lost, 0);
	// Noise: 2% of 1 s may go.
	t.noise = (struct bench_noise){.lost_us = 12000, .run_delay_us = 15000, .steal_us = 4000};
	bench_judge(&t, &l);
	assert_true(t.valid);
	t.noise.steal_us = 5001;
	bench_judge(&t, &l);
	assert_false(t.valid);
	t = (struct bench_trial){.sending_s = 1};
	bench_judge(&t, &l);
	assert_false(t.valid);
	// A burst that left late because the port was full, or for no such reason.
	t = (struct bench_trial){.order = {.pps = 1e6, .count = 5000},
				 .intended = 5000,
				 .sent = 5000,
				 .received = 5000,
				 .late_ns_max = 1000000,
				 .blocked = 1,
				 .sending_s = 0.006};
	bench_judge(&t, &l);
	assert_true(t.valid);
	assert_int_equal(t.refused, 1000);
	assert_true(fabs(t.loss_ratio - 0.2) < 1e-12);
	t.blocked = 0;
	bench_judge(&t, &l);
	assert_false(t.valid);
	t.order.top = true; // no rate was asked for
	bench_judge(&t, &l);
	assert_true(t.valid);
}

static void statistics(void **state)
{
	double v[] = {2, 4, 4, 4, 5, 5, 7, 9}; // mean 5, sum of squares 32
	double q[] = {15, 20, 35, 40, 50};     // nearest rank: 30% of 5 is the 2nd

	assert_true(stat_mean(v, 8) == 5);
	assert_true(fabs(stat_deviation(v, 8) - sqrt(32.0 / 7)) < 1e-12);
	assert_true(stat_deviation(v, 1) == 0 && stat_mean(v, 0) == 0);
	assert_true(stat_quantile(q, 5, 0.3) == 20);
	assert_true(stat_quantile(q, 5, 0.05) == 15);
	assert_true(stat_quantile(q, 5, 0.4) == 20);
	assert_true(stat_quantile(q, 5, 0.5) == 35);
	assert_true(stat_quantile(q, 5, 1) == 50);
	assert_true(stat_t95(1) == 12.706 && stat_t95(4.9) == 2.776 && stat_t95(1e9) == 1.980);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_limit),
		cmocka_unit_test(hint_takes_fewer),
		cmocka_unit_test(ends_at_its_limits),
		cmocka_unit_test(finds_a_buffer),
		cmocka_unit_test(loss_verification),
		cmocka_unit_test(z_overrides_verification),
		cmocka_unit_test(acceptable_loss),
		cmocka_unit_test(interference_does_not_count),
		cmocka_unit_test(gives_up_where_nothing_is_valid),
		cmocka_unit_test(judges),
		cmocka_unit_test(statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
