// SPDX-License-Identifier: BSD-3-Clause
// test_lpm_walk.c - the prefixes of a table one after the other: each once, whatever goes meanwhile
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lpm4_oracle.h"
#include "netstack/lpm6.h"

#define N 20000u

static void ip4_gives_each_prefix_once(void **state)
{
	struct lpm4 *t = lpm4_create(NULL);
	uint64_t seed = 3;
	uint32_t prefix;
	size_t seen = 0;
	uint8_t len;
	int nh;

	assert_int_equal(lpm4_first(t, &prefix, &len), -ENOENT);
	for (unsigned i = 0; i < N; i++) {
		uint32_t r = oracle_random(&seed);
		uint8_t l = i < 33 ? (uint8_t)i : r % 33;
		uint32_t p = (i % 3 ? oracle_random(&seed)
				    : 0x0a000000 | (oracle_random(&seed) & 0xffff)) &
			     oracle_mask(l);

		assert_int_equal(lpm4_add(t, p, l, i % 30000), 0);
	}
	for (nh = lpm4_first(t, &prefix, &len); nh >= 0; nh = lpm4_next(t, &prefix, &len)) {
		assert_int_equal(lpm4_get(t, prefix, len), nh);
		seen++;
	}
	assert_int_equal(seen, lpm4_count(t));
	// Each goes as it is given: the next is found all the same, and in the end none is left.
	for (nh = lpm4_first(t, &prefix, &len); nh >= 0; nh = lpm4_next(t, &prefix, &len))
		assert_int_equal(lpm4_delete(t, prefix, len), 0);
	assert_int_equal(lpm4_count(t), 0);
	lpm4_destroy(t);
}

static void random6(uint64_t *seed, uint8_t a[16], uint8_t len)
{
	for (unsigned i = 0; i < 16; i += 4)
		memcpy(a + i, &(uint32_t){oracle_random(seed)}, 4);
	if (oracle_random(seed) % 2)
		memcpy(a, "\x20\x01\x0d\xb8\0\0", 6);
	for (unsigned i = len; i < 128; i++)
		a[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static void ip6_gives_each_prefix_once(void **state)
{
	struct lpm6 *t = lpm6_create(NULL);
	uint64_t seed = 4;
	uint8_t prefix[16], len;
	size_t seen = 0;
	int nh;

	assert_int_equal(lpm6_first(t, prefix, &len), -ENOENT);
	for (unsigned i = 0; i < N; i++) {
		uint8_t l = i < 129 ? (uint8_t)i : oracle_random(&seed) % 129;

		random6(&seed, prefix, l);
		assert_int_equal(lpm6_add(t, prefix, l, i % 30000), 0);
	}
	for (nh = lpm6_first(t, prefix, &len); nh >= 0; nh = lpm6_next(t, prefix, &len)) {
		assert_int_equal(lpm6_get(t, prefix, len), nh);
		seen++;
	}
	assert_int_equal(seen, lpm6_count(t));
	for (nh = lpm6_first(t, prefix, &len); nh >= 0; nh = lpm6_next(t, prefix, &len))
		assert_int_equal(lpm6_delete(t, prefix, len), 0);
	assert_int_equal(lpm6_count(t), 0);
	lpm6_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip4_gives_each_prefix_once),
		cmocka_unit_test(ip6_gives_each_prefix_once),
	};

	return cmocka_run_group_tests_name("lpm_walk", tests, NULL, NULL);
}
