// SPDX-License-Identifier: BSD-3-Clause
// test_gen_when.c - when packets are due: rates, lengths, bursts and shapes, on a clock that the test moves
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "apps/pktgen/gen_priv.h"

#define HZ    2599998000u // no round number of cycles a packet
#define START 1000000u

static struct gen_variant variants[3];
static struct gen g;
static struct gen_stream s;

static struct blob_stream stream(void)
{
	return (struct blob_stream){.burst = 1, .rate_kind = BLOB_RATE_PPS, .rate = 1000000000, .seed = 5};
}

static void begin(const struct blob_stream *b, const struct gen_order *order, unsigned n)
{
	static const uint16_t len[3] = {60, 590, 1514}, weight[3] = {7, 4, 1};
	static const struct gen_order none;

	g = (struct gen){.hz = HZ, .start = START, .line_bps = 10000000000};
	s = (struct gen_stream){.variant = variants, .variants = n};
	for (unsigned i = 0; i < n; i++)
		variants[i] = (struct gen_variant){.len = len[i], .weight = weight[i]};
	s.at_left = weight[0];
	gen_exponential_start();
	gen_when_start(&g, &s, b, order ? order : &none);
}

// Packets that are due until so many cycles after the start, asked for as a loop would: at times and in numbers
// that change. Their bytes in *bytes.
static uint64_t until(uint64_t cycles, uint64_t *bytes)
{
	uint64_t n = 0, now = START, sum = 0;

	for (unsigned step = 0; now < START + cycles; step++) {
		now += 700 + step * 7919 % 3000;
		if (now > START + cycles)
			now = START + cycles;
		while (gen_when_next(&s) <= now && gen_when_next(&s) < s.when.end && s.when.left) {
			const struct gen_variant *v[GRAPH_BURST];
			unsigned k = gen_when_due(&s, now, 1 + step % GRAPH_BURST, v);

			assert_true(k >= 1 && k <= 1 + step % GRAPH_BURST);
			for (unsigned i = 0; i < k; i++)
				sum += v[s.variants == 1 ? 0 : i]->len;
			n += k;
		}
	}
	if (bytes)
		*bytes = sum;
	return n;
}

// The packet of number k is due at k / rate: so many until and with t.
static void constant_rate(void **state)
{
	static const uint64_t rates[] = {1000, 123457, 1000000000, 14880952381, 148809523810};

	for (unsigned i = 0; i < 5; i++) {
		struct blob_stream b = stream();
		uint64_t want = (uint64_t)((unsigned __int128)HZ * rates[i] / 1000 / HZ) + 1;

		b.rate = rates[i];
		begin(&b, NULL, 1);
		assert_int_equal(until(HZ, NULL), want);
	}
}

// An hour's drift, by numbers alone: 2^64 parts of a cycle are lost a packet at most.
static void no_drift(void **state)
{
	struct blob_stream b = stream();
	const struct gen_variant *v[1];

	b.rate = 999999937000; // a prime
	begin(&b, NULL, 1);
	for (unsigned i = 0; i < 10000000; i++)
		gen_when_due(&s, gen_when_next(&s), 1, v);
	assert_int_equal(gen_when_next(&s) - START, (uint64_t)((unsigned __int128)10000000 * HZ / 999999937));
}

static void bit_rates(void **state)
{
	static const struct {
		uint8_t kind;
		unsigned over;
		uint64_t rate, bps;
	} k[] = {{BLOB_RATE_L1, 24, 10000000000, 10000000000}, {BLOB_RATE_L2, 4, 1000000000, 1000000000},
		 {BLOB_RATE_LINE, 24, 500000, 5000000000}};

	for (unsigned i = 0; i < 3; i++) {
		struct blob_stream b = stream();
		uint64_t bytes, n;
		double bits;

		b.rate_kind = k[i].kind;
		b.rate = k[i].rate;
		begin(&b, NULL, 3); // simple IMIX
		n = until(HZ / 10, &bytes);
		bits = (double)(bytes + n * k[i].over) * 8;
		// Within the longest frame.
		assert_true(bits >= (double)k[i].bps / 10 && bits <= (double)k[i].bps / 10 + 1538 * 8);
		assert_true(fabs((double)bytes / (double)n - (7 * 60 + 4 * 590 + 1514) / 12.) < 1);
	}
}

static void bursts(void **state)
{
	struct blob_stream b = stream();
	const struct gen_variant *v[GRAPH_BURST];

	b.burst = 5;
	begin(&b, NULL, 1);
	assert_int_equal(gen_when_due(&s, START, 3, v), 3);
	assert_int_equal(gen_when_next(&s), START);
	assert_int_equal(gen_when_due(&s, START, 64, v), 2);
	assert_int_equal(gen_when_next(&s), START + HZ / 200000);
	begin(&b, NULL, 1);
	assert_int_equal(until(HZ, NULL), 1000005);
}

static void on_off(void **state)
{
	struct blob_stream b = stream();

	b.shape = BLOB_SHAPE_ONOFF;
	b.on_us = 100;
	b.off_us = 300;
	begin(&b, NULL, 1);
	// 100 packets in each of 25 times 100 us, and the one at the next beginning.
	assert_int_equal(until(HZ / 100, NULL), 2501);
	// On for less than a packet takes: the rate is that of the time it is on.
	b.rate = 1000000;
	b.on_us = 10;
	b.off_us = 10;
	begin(&b, NULL, 1);
	assert_int_equal(until(HZ, NULL), 501);
}

static void poisson(void **state)
{
	struct blob_stream b = stream();
	const struct gen_variant *v[1];
	double sum = 0, squares = 0, mean = HZ / 1e6;
	unsigned n = 2000000, short_ones = 0;

	b.shape = BLOB_SHAPE_POISSON;
	begin(&b, NULL, 1);
	for (unsigned i = 0; i < n; i++) {
		uint64_t at = gen_when_next(&s);
		double gap;

		gen_when_due(&s, at, 1, v);
		gap = (double)(gen_when_next(&s) - at) / mean;
		sum += gap;
		squares += gap * gap;
		short_ones += gap < log(2);
	}
	// Mean 1, mean of squares 2, median ln 2; four deviations of each estimate at most.
	assert_true(fabs(sum / n - 1) < 4 / sqrt(n));
	assert_true(fabs(squares / n - 2) < 4 * sqrt(20. / n));
	assert_true(fabs((double)short_ones / n - 0.5) < 4 * 0.5 / sqrt(n));
}

static void exponential_is_a_logarithm(void **state)
{
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t r = i * 0x9e3779b97f4a7c15u >> i % 64 | 1, e = gen_exponential(r);

		assert_true(fabs((double)e / 4294967296. + log((double)r / 18446744073709551616.)) < 3e-7);
	}
	assert_true(gen_exponential(0) == gen_exponential(1));
	assert_true(gen_exponential(UINT64_MAX) < 2000);
}

static void ends(void **state)
{
	struct blob_stream b = stream();
	struct gen_order order = {.duration_ns = 1000000};

	b.count = 77;
	begin(&b, NULL, 1);
	assert_int_equal(until(HZ, NULL), 77);
	b.count = 0;
	b.duration_ns = 10000000;
	begin(&b, NULL, 1);
	assert_int_equal(until(HZ, NULL), 10000);
	b.start_ns = 500000;
	begin(&b, &order, 1); // of the trial, whenever the stream starts
	assert_int_equal(until(HZ, NULL), 500);
	assert_int_equal(gen_when_behind(&s, START + HZ), 0);
}

static void orders(void **state)
{
	uint64_t rate[] = {2000000000};
	struct blob_stream b = stream();
	struct gen_order order = {.rate = rate, .count = 3, .burst = 2};

	begin(&b, &order, 1);
	assert_int_equal(gen_when_next(&s), START);
	assert_int_equal(until(HZ, NULL), 3);
	order.count = 0;
	begin(&b, &order, 1);
	assert_int_equal(until(HZ, NULL), 2000002);
	rate[0] = 0;
	begin(&b, &order, 1);
	assert_true(s.ended);
	rate[0] = UINT64_MAX;
	begin(&b, &order, 1);
	assert_true(s.top && !s.ended);
}

// What is given up counts, so that packets due, sent and given up agree whenever one looks.
static void arrears(void **state)
{
	for (unsigned shape = 0; shape < 3; shape++) {
		struct blob_stream b = stream();
		const struct gen_variant *v[GRAPH_BURST];
		uint64_t due, n = 0;

		b.shape = shape == 2 ? BLOB_SHAPE_ONOFF : BLOB_SHAPE_CONSTANT;
		b.on_us = 50;
		b.off_us = 50;
		b.burst = shape == 1 ? 10 : 1;
		begin(&b, NULL, 1);
		due = gen_when_behind(&s, START + HZ / 2);
		// At both ends; on and off are whole cycles.
		if (shape < 2)
			assert_int_equal(due, shape ? 500010 : 500001);
		else
			assert_true(due >= 249990 && due <= 250002);
		gen_when_skip(&s, START + HZ / 2 - HZ / 1000);
		assert_true(s.skipped >= (shape == 2 ? 249000u : 498990u) && s.skipped <= 499000);
		assert_int_equal(gen_when_behind(&s, START + HZ / 2) + s.skipped, due);
		while (gen_when_next(&s) <= START + HZ / 2)
			n += gen_when_due(&s, START + HZ / 2, GRAPH_BURST, v);
		assert_int_equal(n + s.skipped, due);
	}
}

// Rates at the ends of what can be said do not hang, crash or stand still.
static void absurd_rates(void **state)
{
	for (unsigned i = 0; i < 12; i++) {
		struct blob_stream b = stream();
		const struct gen_variant *v[GRAPH_BURST];
		uint64_t before;

		b.rate_kind = (uint8_t)(BLOB_RATE_PPS + i % 3);
		b.rate = i & 4 ? UINT64_MAX : 1;
		b.burst = i & 8 ? UINT32_MAX : 1;
		begin(&b, NULL, 3);
		before = gen_when_next(&s);
		for (unsigned k = 0; k < 100 && gen_when_next(&s) < UINT64_MAX / 4; k++)
			gen_when_due(&s, gen_when_next(&s), GRAPH_BURST, v);
		assert_true(gen_when_next(&s) >= before);
		gen_when_behind(&s, START + HZ);
	}
}

// A stream that takes turns with others begins a part of its period later, on/off too.
static void turns(void **state)
{
	uint64_t rate[] = {1000000000};
	struct gen_order order = {.rate = rate};
	struct blob_stream b = stream();

	for (unsigned k = 0; k < 4; k++) {
		begin(&b, &order, 1);
		gen_when_shift(&s, k, 4);
		assert_in_range(gen_when_next(&s), START + HZ / 4000000 * k, START + HZ / 4000000 * k + k + 1);
		assert_int_equal(until(HZ / 100, NULL), k ? 10000 : 10001);
	}
	b.shape = BLOB_SHAPE_ONOFF;
	b.on_us = 1;
	b.off_us = 10;
	rate[0] = 100000000; // half a period is behind 5 times on, and off
	begin(&b, &order, 1);
	gen_when_shift(&s, 1, 2);
	assert_in_range(gen_when_next(&s), START + HZ / 1000000 * 55, START + HZ / 1000000 * 55 + 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constant_rate),
		cmocka_unit_test(no_drift),
		cmocka_unit_test(bit_rates),
		cmocka_unit_test(bursts),
		cmocka_unit_test(on_off),
		cmocka_unit_test(poisson),
		cmocka_unit_test(exponential_is_a_logarithm),
		cmocka_unit_test(ends),
		cmocka_unit_test(orders),
		cmocka_unit_test(arrears),
		cmocka_unit_test(absurd_rates),
		cmocka_unit_test(turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
