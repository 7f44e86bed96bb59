// SPDX-License-Identifier: BSD-3-Clause
// test_meas_track.c - order, duplicates, jitter and delay variation against RFCs' definitions, word by word
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "apps/pktgen/meas_priv.h"
#include "apps/pktgen/meas_track.h"

#define MANY 3000u

static struct meas *m;
static struct hdr_pool *copies;

struct arrival {
	uint64_t number; // not cut to 32 bits
	int64_t transit;
	uint64_t now;
};

static struct arrival a[MANY];
static uint64_t first[2 * MANY]; // values of ipdv

static uint64_t rng(void)
{
	static uint64_t s = 0x2545f4914f6cdd1d;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return s;
}

static int start(void **state)
{
	struct meas_conf conf = {.streams = 2, .ports = 1};
	struct err err;

	m = meas_create(&conf, &err);
	assert_non_null(m);
	meas_start(m, 1, 0, 0);
	return 0;
}

static int stop(void **state)
{
	meas_destroy(m);
	return 0;
}

static void arrive(const struct arrival *x)
{
	struct meas_burst b = {0};

	meas_track(m, &m->stream[0], &b, (uint32_t)x->number, x->transit, x->now, 60);
	meas_flush(&b.size);
	meas_flush(&b.ipdv);
}

static struct meas_result result(void)
{
	struct meas_result r = {0};

	hdr_pool_reset(copies);
	hdr_init(&r.latency, copies);
	hdr_init(&r.ipdv, copies);
	meas_result(m, 0, &r);
	return r;
}

struct model {
	uint64_t packets, duplicate, reordered, extent_max, extent_sum, late_ns, ipdvs;
	double jitter;
};

static int by_value(const void *x, const void *y)
{
	uint64_t p = *(const uint64_t *)x, q = *(const uint64_t *)y;

	return (p > q) - (p < q);
}

// RFC 4737, 3.3 and 4.2, over everything that arrived, copies taken out first; RFC 3550, A.8; RFC 5481, 4.1.
static struct model model(unsigned n)
{
	static struct arrival u[MANY];
	struct model r = {0};

	for (unsigned i = 0; i < n; i++) {
		bool copy = false;
		uint64_t highest = 0;
		bool behind = false;

		for (unsigned j = 0; j < r.packets && !copy; j++)
			copy = u[j].number == a[i].number;
		if (copy) {
			r.duplicate++;
			continue;
		}
		for (unsigned j = 0; j < r.packets; j++) {
			if (u[j].number > a[i].number && !behind) { // the first that overtook it
				behind = true;
				r.reordered++;
				r.extent_sum += r.packets - j;
				r.extent_max = r.packets - j > r.extent_max ? r.packets - j : r.extent_max;
				r.late_ns = a[i].now - u[j].now > r.late_ns ? a[i].now - u[j].now : r.late_ns;
			}
			highest = u[j].number > highest ? u[j].number : highest;
		}
		for (unsigned j = 0; j < r.packets; j++)
			if (!behind && u[j].number + 1 == a[i].number)
				first[r.ipdvs++] = (uint64_t)llabs(a[i].transit - u[j].transit);
		if (r.packets) {
			double d = (double)llabs(a[i].transit - u[r.packets - 1].transit);

			r.jitter += (d - r.jitter) / 16;
		}
		u[r.packets++] = a[i];
	}
	qsort(first, r.ipdvs, sizeof(first[0]), by_value);
	return r;
}

static void compare(unsigned n)
{
	struct model want = model(n);
	struct meas_result got;

	for (unsigned i = 0; i < n; i++)
		arrive(&a[i]);
	got = result();
	assert_int_equal(got.packets, want.packets);
	assert_int_equal(got.bytes, 60 * want.packets);
	assert_int_equal(got.duplicate, want.duplicate);
	assert_int_equal(got.reordered, want.reordered);
	assert_int_equal(got.reorder_extent_sum, want.extent_sum);
	assert_int_equal(got.reorder_extent_max, want.extent_max);
	assert_int_equal(got.reorder_late_max_ns, want.late_ns);
	assert_int_equal(got.reorder_unmeasured, 0);
	assert_int_equal(got.late + got.corrupt, 0);
	assert_in_range(got.jitter_ns, want.jitter > 2 ? want.jitter - 2 : 0, want.jitter + 2);
	assert_int_equal(got.ipdv.count, want.ipdvs);
	if (want.ipdvs) {
		assert_int_equal(hdr_min(&got.ipdv), first[0]);
		assert_int_equal(got.ipdv.max, first[want.ipdvs - 1]);
		assert_in_range(hdr_value_at(&got.ipdv, 0.5), first[(want.ipdvs + 1) / 2 - 1],
				first[(want.ipdvs + 1) / 2 - 1] * 1025 / 1024 + 1);
	}
}

static void fill(unsigned i, uint64_t number)
{
	a[i] = (struct arrival){number, 5000 + (int64_t)(rng() % 3000), 1000000 + 700 * i};
}

static void in_order(void **state)
{
	for (unsigned i = 0; i < MANY; i++)
		fill(i, i);
	compare(MANY);
}

// RFC 4737, 4.2.1's way of counting: 7 comes first of those that overtake 4, 5 and 6.
static void one_example(void **state)
{
	static const uint64_t number[] = {1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11};
	struct meas_result r;

	for (unsigned i = 0; i < 11; i++) {
		fill(i, number[i]);
		arrive(&a[i]);
	}
	r = result();
	assert_int_equal(r.reordered, 3);
	assert_int_equal(r.reorder_extent_sum, 4 + 5 + 6);
	assert_int_equal(r.reorder_extent_max, 6);
	assert_int_equal(r.reorder_late_max_ns, 6 * 700);
}

static void random_order(unsigned distance, unsigned loss, unsigned copies_of)
{
	uint64_t next = 0;
	unsigned n = 0;

	// Drawn from a window that moves on.
	while (n < MANY) {
		uint64_t x = next + (distance ? rng() % distance : 0);

		if (rng() % 3 == 0 || !distance)
			next++;
		if (loss && rng() % loss == 0)
			continue;
		if (!distance && copies_of && n && rng() % copies_of == 0)
			x = a[n - 1].number;
		fill(n++, x);
	}
	compare(MANY);
}

static void loss_alone(void **state)
{
	random_order(0, 10, 0);
}

static void copies_alone(void **state)
{
	random_order(0, 0, 20);
}

static void near(void **state)
{
	random_order(8, 20, 0);
}

static void far(void **state)
{
	random_order(1000, 5, 0);
}

static void upside_down(void **state)
{
	for (unsigned i = 0; i < MANY; i++)
		fill(i, MANY - 1 - i);
	compare(MANY);
}

// Through 2^32, twice, with everything that may happen there.
static void wraps(void **state)
{
	struct meas_stream *s = &m->stream[0];
	uint64_t base = 0x1fffffc00ull;
	struct meas_result r;

	// As after 2^33 packets, none of which a wrap hides.
	s->next = base;
	s->block = 0;
	for (unsigned i = 0; i < MANY; i++) {
		fill(i, base + i);
		arrive(&a[i]);
	}
	assert_int_equal(s->next, base + MANY);
	arrive(&a[1000]);
	r = result();
	assert_int_equal(r.packets, MANY);
	assert_int_equal(r.reordered, 0);
	assert_int_equal(r.duplicate, 1);
	a[0] = (struct arrival){base + MANY + 20, 5000, 1 << 30}; // twenty are left out
	arrive(&a[0]);
	a[0].number = base + MANY + 10;
	arrive(&a[0]);
	r = result();
	assert_int_equal(r.reordered, 1);
	assert_int_equal(r.corrupt, 0);
}

// 4,096 packets behind is remembered; much further cannot be told.
static void window(void **state)
{
	struct meas_result r;

	for (unsigned i = 0; i < 10000; i++) {
		struct arrival x = {i, 10, i};

		if (i % 5000 != 100)
			arrive(&x);
	}
	for (unsigned i = 10000 - 1 - 4096; i < 10000; i++) {
		struct arrival x = {i, 10, i};

		arrive(&x);
	}
	r = result();
	assert_int_equal(r.packets, 9998);
	assert_int_equal(r.duplicate, 4097);
	assert_int_equal(r.late, 0);
	arrive(&(struct arrival){100, 10, 20000});
	arrive(&(struct arrival){0, 10, 20000});
	r = result();
	assert_int_equal(r.late, 2);
	assert_int_equal(r.packets, 9998);
	arrive(&(struct arrival){10000 + 100000, 10, 20000}); // all before it is forgotten
	arrive(&(struct arrival){9999, 10, 20000});
	arrive(&(struct arrival){10000 + 99990, 10, 20001});
	arrive(&(struct arrival){10000 + 100000 - 4096, 10, 20002});
	r = result();
	assert_int_equal(r.late, 3);
	assert_int_equal(r.reordered, 2);
	assert_int_equal(r.reorder_extent_max, 2);
	assert_int_equal(r.duplicate, 4097);
	arrive(&(struct arrival){UINT32_MAX - 5, 10, 20003}); // before the first there was
	assert_int_equal(result().late, 3);
	assert_int_equal(result().corrupt, 1);
}

static void before_the_first(void **state)
{
	arrive(&(struct arrival){3, 10, 1});
	arrive(&(struct arrival){UINT32_MAX, 10, 2});
	assert_int_equal(result().corrupt, 1);
	assert_int_equal(result().packets, 1);
}

// A link that loses every second packet leaves more gaps than are remembered; what of it is not known is said.
static void many_gaps(void **state)
{
	uint64_t now = 0;
	struct meas_result r;

	arrive(&(struct arrival){10, 10, now});
	for (unsigned i = 0; i < 70000; i++) {
		struct meas_burst b = {0};

		meas_track(m, &m->stream[1], &b, 2 * i + 1, 10, now++, 60);
	}
	arrive(&(struct arrival){5, 10, now});
	r = result();
	assert_int_equal(r.reordered, 1);
	assert_int_equal(r.reorder_unmeasured, 1);
	assert_int_equal(r.reorder_extent_sum, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_order), TEST(one_example), TEST(loss_alone), TEST(copies_alone), TEST(near),
		TEST(far),	TEST(upside_down), TEST(wraps),	     TEST(window),	 TEST(before_the_first),
		TEST(many_gaps),
	};

	copies = hdr_pool_create(256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
