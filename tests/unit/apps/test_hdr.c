// SPDX-License-Identifier: BSD-3-Clause
// test_hdr.c - histograms against sorted arrays of the values themselves; carries, memory, a reader meanwhile
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/hdr.h"

#define VALUES 100000u

static uint64_t value[VALUES];

static uint64_t rng(void)
{
	static uint64_t s = 0x9e3779b97f4a7c15;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return s;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

// The least of the sorted values with at least share of them at or below it.
static uint64_t exact_at(double share)
{
	uint64_t rank = (uint64_t)(share * VALUES + 0.999999);

	return value[rank ? rank - 1 : 0];
}

// To three significant digits, never below: a bucket's highest value.
static void assert_digits(uint64_t got, uint64_t want)
{
	assert_in_range(got, want, want + want / 1024 + 1);
}

static void against_sorted(uint64_t (*draw)(void))
{
	static const double shares[] = {0, 1e-5, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 1};
	struct hdr_pool *pool = hdr_pool_create(HDR_PARTS);
	double mean = 0, squares = 0;
	struct hdr h;

	hdr_init(&h, pool);
	assert_int_equal(hdr_min(&h), 0);
	assert_int_equal(hdr_value_at(&h, 0.5), 0);
	for (unsigned i = 0; i < VALUES; i++) {
		value[i] = draw();
		hdr_record(&h, value[i]);
		mean += (double)value[i] / VALUES;
	}
	for (unsigned i = 0; i < VALUES; i++)
		squares += ((double)value[i] - mean) * ((double)value[i] - mean) / VALUES;
	qsort(value, VALUES, sizeof(value[0]), by_value);
	assert_int_equal(h.count, VALUES);
	assert_int_equal(h.unplaced, 0);
	assert_int_equal(hdr_min(&h), value[0]);
	assert_int_equal(h.max, value[VALUES - 1]);
	assert_true(fabs(hdr_mean(&h) - mean) <= mean * 1e-9);
	assert_true(fabs(hdr_deviation(&h) * hdr_deviation(&h) / squares - 1) <= 0.004);
	for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		assert_digits(hdr_value_at(&h, shares[i]), exact_at(shares[i]));
	hdr_pool_destroy(pool);
}

static uint64_t draw_small(void)
{
	return rng() % 2048;
}

static uint64_t draw_wide(void) // every power of two alike
{
	return rng() >> (23 + rng() % 41);
}

static uint64_t draw_tail(void)
{
	return rng() % 1000 ? 5000 + rng() % 3000 : 1000000 + rng() % 90000000;
}

static void exact(void **state)
{
	against_sorted(draw_small);
	against_sorted(draw_wide);
	against_sorted(draw_tail);
}

struct seen {
	uint64_t n, last_high;
};

static void look(void *arg, uint64_t low, uint64_t high, uint64_t count)
{
	struct seen *s = arg;

	assert_int_equal(low, s->last_high + 1); // nothing between two buckets, none twice
	assert_int_equal(count, 1);
	assert_true(high - low <= low / 1024);
	s->last_high = high;
	s->n++;
}

// One value in every bucket there is, from the definition: a thousandth wide, and whole below 2,048.
static void buckets(void **state)
{
	struct hdr_pool *pool = hdr_pool_create(HDR_PARTS);
	struct seen s = {0, UINT64_MAX};
	struct hdr h;
	uint64_t v = 0;

	hdr_init(&h, pool);
	while (v <= HDR_MAX) {
		uint64_t step = 1;

		hdr_record(&h, v);
		while (v >= 2048 * step)
			step *= 2;
		v += step;
	}
	hdr_each(&h, look, &s);
	assert_int_equal(s.n, HDR_PARTS * HDR_COUNTERS);
	assert_int_equal(s.last_high, HDR_MAX);
	hdr_record(&h, UINT64_MAX); // counts as the highest
	assert_int_equal(h.max, HDR_MAX);
	assert_int_equal(hdr_value_at(&h, 1), HDR_MAX);
	assert_int_equal(h.unplaced, 0);
	hdr_pool_destroy(pool);
}

// What is not placed is counted; memory comes back by hdr_reset().
static void memory(void **state)
{
	struct hdr_pool *pool = hdr_pool_create(1); // 17 units
	struct hdr h, other;

	hdr_init(&h, pool);
	hdr_init(&other, pool);
	for (uint64_t v = 0; v < 2048; v++)
		hdr_record(&h, v);
	assert_int_equal(h.count, 2048);
	assert_int_equal(h.unplaced, 1024);
	assert_int_equal(h.max, 2047);
	hdr_record(&other, 7);
	assert_int_equal(other.unplaced, 1);
	assert_int_equal(hdr_value_at(&other, 1), 0);
	assert_int_equal(other.max, 7);
	hdr_reset(&h);
	assert_int_equal(h.count, 0);
	hdr_reset(&other);
	for (uint64_t v = 0; v < 1024; v++)
		hdr_record(&other, v);
	assert_int_equal(other.unplaced, 0);
	hdr_pool_reset(pool);
	hdr_init(&h, pool);
	hdr_record(&h, 5);
	assert_int_equal(h.unplaced, 0);
	assert_int_equal(hdr_value_at(&h, 1), 5);
	hdr_pool_destroy(pool);
}

static void count_all(void *arg, uint64_t low, uint64_t high, uint64_t count)
{
	*(uint64_t *)arg += count;
}

// Adding a histogram to itself doubles it: beyond 2^32 in each bucket, and in so many that carries take
// several units.
static void carries(void **state)
{
	struct hdr_pool *pool = hdr_pool_create(8), *more = hdr_pool_create(8);
	struct hdr a, b, c;
	uint64_t sum = 0;

	hdr_init(&a, pool);
	hdr_init(&b, more);
	hdr_init(&c, more);
	for (uint64_t v = 0; v < 200; v++)
		hdr_record(&a, 1000000 + 1000 * v);
	hdr_add(&c, &a);
	for (unsigned i = 0; i < 20; i++) {
		b = (struct hdr){0};
		hdr_init(&b, more);
		hdr_add(&b, &a);
		hdr_add(&a, &b);
		hdr_reset(&b);
	}
	for (unsigned i = 0; i < 16; i++) { // 2^36 and one more of each
		hdr_add(&b, &a);
		hdr_add(&a, &b);
		hdr_reset(&b);
	}
	hdr_add(&a, &c);
	assert_int_equal(a.unplaced, 0);
	assert_int_equal(a.count, 200 * ((1ull << 36) + 1));
	hdr_each(&a, count_all, &sum);
	assert_int_equal(sum, a.count);
	assert_true(fabs(hdr_mean(&a) - 1099500) < 0.001);
	assert_digits(hdr_value_at(&a, 0.5), 1099000);
	hdr_subtract(&a, &c);
	assert_int_equal(a.count, 200ull << 36);
	assert_true(fabs(hdr_mean(&a) - 1099500) < 0.001);
	hdr_pool_destroy(pool);
	hdr_pool_destroy(more);
}

// A recorder that crosses HDR_CARRY says what it counted.
static void carry_recorded(void **state)
{
	struct hdr_pool *pool = hdr_pool_create(2), *more = hdr_pool_create(2);
	struct hdr a, b;
	uint64_t sum = 0;

	hdr_init(&a, pool);
	hdr_init(&b, more);
	hdr_record(&a, 77);
	*hdr_counter(&a, hdr_bucket(77)) = HDR_CARRY - 3;
	for (unsigned i = 0; i < 10; i++)
		hdr_record(&a, 77);
	hdr_add(&b, &a);
	hdr_each(&b, count_all, &sum);
	assert_int_equal(sum, HDR_CARRY + 7ull);
	assert_int_equal(b.count, HDR_CARRY + 7ull);
	hdr_pool_destroy(pool);
	hdr_pool_destroy(more);
}

// What came between two copies.
static void between(void **state)
{
	struct hdr_pool *pool = hdr_pool_create(HDR_PARTS), *copies = hdr_pool_create(2 * HDR_PARTS);
	struct hdr h, first, second;

	hdr_init(&h, pool);
	hdr_init(&first, copies);
	hdr_init(&second, copies);
	for (unsigned i = 0; i < 1000; i++)
		hdr_record(&h, draw_wide());
	hdr_add(&first, &h);
	for (unsigned i = 0; i < VALUES; i++) {
		value[i] = draw_tail();
		hdr_record(&h, value[i]);
	}
	hdr_add(&second, &h);
	hdr_subtract(&second, &first);
	qsort(value, VALUES, sizeof(value[0]), by_value);
	assert_int_equal(second.count, VALUES);
	assert_digits(hdr_value_at(&second, 0.999), exact_at(0.999));
	assert_in_range(second.min, value[0] - value[0] / 1024, value[0]);
	assert_digits(second.max, value[VALUES - 1]);
	hdr_subtract(&second, &second);
	assert_int_equal(second.count, 0);
	assert_int_equal(second.max, 0);
	hdr_pool_destroy(pool);
	hdr_pool_destroy(copies);
}

struct shared {
	struct hdr h;
	bool stop;
};

static void *recorder(void *arg)
{
	struct shared *s = arg;

	for (unsigned i = 0; i < 400000; i++)
		hdr_record(&s->h, i * 7919ull % (1 << 20));
	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
	return NULL;
}

// Copies made meanwhile never shrink, agree with themselves, and the last is whole.
static void meanwhile(void **state)
{
	struct hdr_pool *pool = hdr_pool_create(HDR_PARTS), *copies = hdr_pool_create(HDR_PARTS);
	struct shared s = {.stop = false};
	uint64_t last = 0;
	pthread_t thread;
	struct hdr copy;
	bool stop;

	hdr_init(&s.h, pool);
	hdr_init(&copy, copies);
	assert_int_equal(pthread_create(&thread, NULL, recorder, &s), 0);
	do {
		uint64_t sum = 0;

		stop = __atomic_load_n(&s.stop, __ATOMIC_ACQUIRE);
		hdr_reset(&copy);
		hdr_add(&copy, &s.h);
		hdr_each(&copy, count_all, &sum);
		assert_int_equal(sum, copy.count);
		assert_true(copy.count >= last);
		last = copy.count;
	} while (!stop);
	assert_int_equal(last, 400000);
	pthread_join(thread, NULL);
	hdr_pool_destroy(pool);
	hdr_pool_destroy(copies);
}

// A reader whose pool is reset under it finds counters where a directory was: nonsense, but no crash.
static void reset_meanwhile(void **state)
{
	struct hdr_pool *pool = hdr_pool_create(2), *other = hdr_pool_create(2), *own = hdr_pool_create(HDR_PARTS);
	struct hdr first, h, a, sum;

	hdr_init(&first, pool);
	hdr_record(&first, 1); // units 1 and 2
	hdr_init(&h, pool);
	hdr_record(&h, 1); // its directory: 3
	h.carries = 3; // and if that were a list of carries
	hdr_pool_reset(pool);
	hdr_init(&first, pool);
	hdr_init(&a, other);
	hdr_record(&first, 1);
	for (unsigned i = 0; i < HDR_UNIT; i++)
		hdr_record(&first, HDR_UNIT + i); // unit 3: counters
	for (unsigned i = 0; i < 15; i++) { // of 2^30
		hdr_add(&a, &first);
		hdr_add(&first, &a);
	}
	hdr_init(&sum, own);
	hdr_add(&sum, &h);
	hdr_pool_destroy(pool);
	hdr_pool_destroy(other);
	hdr_pool_destroy(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact),    cmocka_unit_test(buckets),	      cmocka_unit_test(memory),
		cmocka_unit_test(carries),  cmocka_unit_test(carry_recorded), cmocka_unit_test(between),
		cmocka_unit_test(meanwhile), cmocka_unit_test(reset_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
