// SPDX-License-Identifier: BSD-3-Clause
// test_verdict_match.c - lists edited on purpose: the verdicts are the edits
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "apps/tool/verdict_match.h"
#include "tests/unit/apps/verdict_frames.h"

static struct verdict_run run;
static struct vpackets sent, want;
static uint64_t count[VERDICTS];

static void setup(void)
{
	memset(&run, 0, sizeof(run));
	vpackets_free(&sent);
	vpackets_free(&want);
}

static void add_at(struct vpackets *p, unsigned id, uint8_t ttl, uint8_t fill, uint64_t time)
{
	uint8_t f[FRAME_LEN];

	frame_make(f, (uint16_t)id, ttl, fill);
	f[12 - 1] = (uint8_t)(id >> 16); // part of the source MAC: ids beyond 65,535 repeat in the rest
	vpackets_add(p, f, FRAME_LEN, time, &run.ignore);
}

static void add(struct vpackets *p, unsigned id, uint8_t ttl)
{
	add_at(p, id, ttl, (uint8_t)id, id);
}

// Matches; pairs belong together, and every packet has a verdict.
static void judge(void)
{
	memset(count, 0, sizeof(count));
	vpackets_done(&sent);
	vpackets_done(&want);
	verdict_match(&sent, &want, &run);
	for (size_t i = 0; i < sent.n; i++) {
		const struct vpacket *k = &sent.list[i];

		count[k->verdict]++;
		assert_int_equal(k->pair == VNONE, k->verdict == V_UNEXPECTED);
		if (k->pair != VNONE)
			assert_int_equal(want.list[k->pair].pair, i);
	}
	for (size_t i = 0; i < want.n; i++)
		count[V_MISSING] += want.list[i].verdict == V_MISSING;
	assert_int_equal(count[V_UNJUDGED], 0);
}

static void check(uint64_t expected, uint64_t moved, uint64_t different, uint64_t missing, uint64_t unexpected)
{
	judge();
	assert_int_equal(count[V_EXPECTED], expected);
	assert_int_equal(count[V_MOVED], moved);
	assert_int_equal(count[V_DIFFERENT], different);
	assert_int_equal(count[V_MISSING], missing);
	assert_int_equal(count[V_UNEXPECTED], unexpected);
}

static void test_same(void **state)
{
	setup();
	check(0, 0, 0, 0, 0);
	for (unsigned i = 0; i < 5000; i++) {
		add(&sent, i, 63);
		add(&want, i, 63);
	}
	check(5000, 0, 0, 0, 0);
}

// A missing one, an unexpected one, a changed one, at the ends too: none makes another differ.
static void test_edits(void **state)
{
	setup();
	for (unsigned i = 0; i < 3000; i++) {
		if (i != 0 && i != 700 && i != 2999)
			add(&sent, i, i == 5 || i == 1500 ? 62 : 63);
		if (i == 900)
			add(&sent, 40000, 63);
		add(&want, i, 63);
	}
	check(2995, 0, 2, 3, 1);
	assert_int_equal(want.list[700].verdict, V_MISSING);
	assert_int_equal(want.list[1500].verdict, V_DIFFERENT);
}

// Runs longer than the window, on either side.
static void test_long_runs(void **state)
{
	setup();
	for (unsigned i = 0; i < 20000; i++) {
		if (i < 1000 || i >= 8000)
			add(&sent, i, 63);
		if (i < 12000 || i >= 17500)
			add(&want, i, 63);
	}
	check(1000 + 4000 + 2500, 0, 0, 7000, 5500);
}

static void test_all_different(void **state)
{
	setup();
	for (unsigned i = 0; i < 5000; i++) {
		add(&sent, i, 63);
		add(&want, i, 62);
	}
	check(0, 0, 5000, 0, 0);
	setup();
	for (unsigned i = 0; i < 5000; i++) { // every byte of the payload is another, too
		add_at(&sent, i, 63, 1, i);
		add_at(&want, i, 63, 2, i);
	}
	check(0, 0, 5000, 0, 0);
}

// Each pair of neighbors swapped: one of the two keeps its place.
static void test_moved(void **state)
{
	setup();
	for (unsigned i = 0; i < 1000; i++) {
		add(&sent, i ^ 1, 63);
		add(&want, i, 63);
	}
	judge();
	assert_int_equal(count[V_EXPECTED] + count[V_MOVED], 1000);
	assert_in_range(count[V_MOVED], 1, 500);
	assert_int_equal(count[V_MISSING] + count[V_UNEXPECTED] + count[V_DIFFERENT], 0);
	run.ignore_order = true;
	for (size_t i = 0; i < 1000; i++)
		sent.list[i].pair = want.list[i].pair = sent.list[i].gap = want.list[i].gap = VNONE;
	check(1000, 0, 0, 0, 0);
}

// Equal packets are paired in order; what is too many of them is unexpected.
static void test_duplicates(void **state)
{
	setup();
	for (unsigned i = 0; i < 300; i++) {
		add(&want, 5, 63);
		add(&sent, 5, 63);
	}
	for (unsigned i = 0; i < 7; i++)
		add(&sent, 5, 63);
	check(300, 0, 0, 0, 7);
}

static void test_time(void **state)
{
	setup();
	run.timed = true;
	run.tolerance = 10;
	for (unsigned i = 0; i < 100; i++) {
		add_at(&want, i, 63, 0, 1000 * i);
		add_at(&sent, i, 63, 0, 1000 * i + i % 12); // 11 is too late, 0 to 10 are not
	}
	check(92, 0, 8, 0, 0);
	assert_true(sent.list[11].late && !sent.list[10].late);
}

// Random edits of a list without repetitions, as long as they stand alone: the verdicts are their numbers.
static void test_random(void **state)
{
	srand(7);
	for (unsigned round = 0; round < 20; round++) {
		uint64_t e = 0, d = 0, m = 0, u = 0;

		setup();
		for (unsigned i = 0; i < 2000; i++) {
			unsigned what = i % 4 ? 9 : (unsigned)rand() % 10;

			add(&want, i, 63);
			if (what == 0) {
				m++;
				continue;
			}
			add(&sent, i, what == 1 ? 60 : 63);
			d += what == 1;
			e += what != 1;
			if (what == 2) {
				add(&sent, 30000 + i, 63);
				u++;
			}
		}
		check(e, 0, d, m, u);
	}
}

static int teardown(void **state)
{
	setup();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),	 cmocka_unit_test(test_edits),
		cmocka_unit_test(test_long_runs), cmocka_unit_test(test_all_different),
		cmocka_unit_test(test_moved),	 cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_time),	 cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
