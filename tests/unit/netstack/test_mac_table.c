// SPDX-License-Identifier: BSD-3-Clause
// test_mac_table.c - stations of a bridge: bound, ageing, moves, and several lcores at once
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "netstack/mac_table.h"

#define THREADS 4
#define ROUNDS	20000

static uint64_t mac_no(uint64_t i)
{
	return (i * 0x10001 + 1) << 8 & 0xffffffffff00;
}

static void open_table(struct mac_table *t, uint32_t macs, uint32_t age)
{
	struct err err = {""};

	if (mac_table_init(t, macs, age, &err))
		fail_msg("%s", err.text);
}

// Of 4096 stations a 4000th may find no room (mac_table.h), and beyond the bound none does.
static void test_bound(void **state)
{
	struct mac_table t;
	unsigned in = 0, found = 0;

	open_table(&t, 4096, 300);
	for (uint64_t i = 0; i < 4096; i++)
		in += mac_learn(&t, mac_no(i), (uint16_t)(i % 7), 100) == MAC_NEW;
	assert_in_range(in, 4080, 4096);
	assert_int_equal(t.count, in);
	for (uint64_t i = 4096; i < 20000; i++)
		in += mac_learn(&t, mac_no(i), 9, 100) == MAC_NEW;
	assert_true(in <= 4096);
	for (uint64_t i = 0; i < 4096; i++) {
		uint16_t at = mac_find(&t, mac_no(i));

		found += at == i % 7;
		assert_true(at == i % 7 || at == IFACE_NONE);
	}
	assert_in_range(found, 4080, 4096);
	mac_forget(&t, 3);
	for (uint64_t i = 0; i < 4096; i++)
		assert_true(mac_find(&t, mac_no(i)) != 3);
	mac_table_fini(&t);
}

// Whatever the seed, stations that are numbered in steps find room.
static void test_seeds(void **state)
{
	for (unsigned seed = 0; seed < 64; seed++) {
		struct mac_table t;
		unsigned in = 0;

		open_table(&t, 1024, 300);
		t.seed = seed % 2 ? 2 * seed + 1 : ~0ull / (seed + 3) | 1; // small ones, and simple fractions
		for (uint64_t i = 0; i < 1024; i++)
			in += mac_learn(&t, 0x020000000000 + (i << seed % 8), 1, 100) == MAC_NEW;
		assert_in_range(in, 1012, 1024);
		mac_table_fini(&t);
	}
}

static void test_moves(void **state)
{
	struct mac_table t;

	open_table(&t, 8, 300);
	assert_int_equal(mac_learn(&t, mac_no(1), 1, 100), MAC_NEW);
	assert_int_equal(mac_learn(&t, mac_no(1), 1, 101), MAC_KNOWN);
	assert_int_equal(mac_learn(&t, mac_no(1), 2, 101), MAC_MOVED);
	assert_int_equal(mac_find(&t, mac_no(1)), 2);
	assert_int_equal(t.count, 1);
	mac_table_fini(&t);
}

static void sweep_all(struct mac_table *t, uint32_t tick)
{
	for (unsigned i = 0; i < MAC_SWEEP_PART; i++)
		mac_sweep(t, tick);
}

// The clock of ticks runs over after two years.
static void test_ages(void **state)
{
	static const uint32_t starts[] = {0, 1000, UINT32_MAX - 100};

	for (unsigned k = 0; k < 3; k++) {
		uint32_t start = starts[k], age = mac_tick(10 * NSEC_PER_SEC);
		struct mac_table t;

		open_table(&t, 8, 10);
		mac_learn(&t, mac_no(1), 1, start);
		mac_learn(&t, mac_no(2), 1, start + age / 2);
		mac_learn(&t, mac_no(3), 1, start + 3); // another lcore's clock, ahead
		sweep_all(&t, start + 1);
		assert_int_equal(t.count, 3);
		sweep_all(&t, start + age);
		assert_int_equal(t.count, 3);
		sweep_all(&t, start + age + age / 4);
		assert_int_equal(t.count, 1);
		assert_int_equal(mac_find(&t, mac_no(2)), 1);
		sweep_all(&t, start + 2 * age);
		assert_int_equal(t.count, 0);
		mac_table_fini(&t);
	}
}

static void test_goes_through(void **state)
{
	struct mac_table t;
	bool seen[50] = {false};
	uint32_t at = 0, silent;
	uint16_t iface;
	uint8_t mac[6];
	unsigned n = 0;

	open_table(&t, 64, 300);
	for (uint64_t i = 0; i < 50; i++)
		mac_learn(&t, mac_no(i), (uint16_t)i, 100);
	while ((at = mac_next(&t, at, 117, mac, &iface, &silent))) {
		assert_true(eth_mac(mac) == mac_no(iface));
		assert_false(seen[iface]);
		seen[iface] = true;
		assert_int_equal(silent, 17);
		n++;
	}
	assert_int_equal(n, t.count);
	mac_table_fini(&t);
}

static void test_refused(void **state)
{
	struct mac_table t;
	struct err err;

	assert_int_equal(mac_table_init(&t, 0, 300, &err), -EINVAL);
	assert_int_equal(mac_table_init(&t, MACS_MAX + 1, 300, &err), -EINVAL);
	assert_int_equal(mac_table_init(&t, 1, 0, &err), -EINVAL);
	assert_int_equal(mac_table_init(&t, 1, MAC_AGE_MAX + 1, &err), -EINVAL);
}

static struct mac_table shared;

static void *learner(void *arg)
{
	uint64_t self = (uintptr_t)arg;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t mac = mac_no((i * 7919 + self) % 96);
		uint16_t at;

		mac_learn(&shared, mac, (uint16_t)(mac >> 8 & 3), i);
		at = mac_find(&shared, mac);
		// Where it is known, it is known right.
		if (at != IFACE_NONE && at != (mac >> 8 & 3))
			return (void *)1;
		if (!self && i % 64 == 0)
			mac_sweep(&shared, i);
		if (self == 1 && i % 1000 == 0)
			mac_forget(&shared, 2);
	}
	return NULL;
}

// All at once: never a wrong answer, never more than the bound, and the count is right in the end.
static void test_lcores(void **state)
{
	pthread_t thread[THREADS];
	uint32_t at = 0, silent, n = 0;
	uint16_t iface;
	uint8_t mac[6];

	open_table(&shared, 64, 1);
	for (uintptr_t k = 0; k < THREADS; k++)
		assert_int_equal(pthread_create(&thread[k], NULL, learner, (void *)k), 0);
	for (unsigned k = 0; k < THREADS; k++) {
		void *wrong;

		pthread_join(thread[k], &wrong);
		assert_null(wrong);
	}
	while ((at = mac_next(&shared, at, ROUNDS, mac, &iface, &silent)))
		n++;
	assert_int_equal(n, shared.count);
	assert_true(n <= 64);
	mac_table_fini(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound),	 cmocka_unit_test(test_seeds),	cmocka_unit_test(test_moves),
		cmocka_unit_test(test_ages),	cmocka_unit_test(test_goes_through),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_lcores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
