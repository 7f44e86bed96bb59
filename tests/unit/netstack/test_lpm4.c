// SPDX-License-Identifier: BSD-3-Clause
// test_lpm4.c - longest-prefix match against a plain search, for every kind of lookup
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lpm4_oracle.h"
#include "core/x86_64/cpu.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define MAX_BULK       200u

// One table for each kind of lookup that this processor has, changed in step with the oracle.
struct tables {
	struct lpm4 *t[2];
	unsigned n;
	struct oracle o;
};

static struct tables make_tables(bool live)
{
	struct tables s = {.n = cpu_has_avx512_vpopcntdq() ? 2 : 1};
	const enum lpm4_simd simd[2] = {LPM4_SIMD_SCALAR, LPM4_SIMD_AVX512};

	for (unsigned i = 0; i < s.n; i++) {
		s.t[i] = lpm4_create(&(struct lpm4_conf){.simd = simd[i]});
		assert_non_null(s.t[i]);
		lpm4_set_live(s.t[i], live);
	}
	return s;
}

static void free_tables(struct tables *s)
{
	for (unsigned i = 0; i < s->n; i++)
		lpm4_destroy(s->t[i]);
	oracle_free(&s->o);
}

static void add(struct tables *s, uint32_t prefix, uint8_t len, uint32_t nh)
{
	for (unsigned i = 0; i < s->n; i++)
		assert_int_equal(lpm4_add(s->t[i], prefix, len, nh), 0);
	oracle_add(&s->o, prefix, len, nh);
}

static void withdraw(struct tables *s, uint32_t prefix, uint8_t len)
{
	for (unsigned i = 0; i < s->n; i++)
		assert_int_equal(lpm4_delete(s->t[i], prefix, len), 0);
	oracle_delete(&s->o, prefix, len);
}

// n addresses by bulk and one by one, in all tables, against the oracle.
static void check(const struct tables *s, const uint32_t *addrs, unsigned n)
{
	uint32_t nhs[MAX_BULK + 1];

	for (unsigned k = 0; k < s->n; k++) {
		nhs[n] = 0xdeadbeef;
		lpm4_lookup_bulk(s->t[k], addrs, nhs, n);
		assert_int_equal(nhs[n], 0xdeadbeef);
		for (unsigned i = 0; i < n; i++) {
			uint32_t want = oracle_lookup(&s->o, addrs[i]);

			if (nhs[i] != want || lpm4_lookup(s->t[k], addrs[i]) != want)
				fail_msg("%s: address 0x%08x: bulk %u, single %u, expected %u",
					 lpm4_simd_name(s->t[k]), addrs[i], nhs[i],
					 lpm4_lookup(s->t[k], addrs[i]), want);
		}
		assert_int_equal(lpm4_count(s->t[k]), oracle_count(&s->o));
	}
}

// The edges of a prefix: its first and last address and their neighbours outside.
static void check_edges(const struct tables *s, uint32_t prefix, uint8_t len)
{
	uint32_t last = prefix | ~oracle_mask(len);
	uint32_t addrs[] = {prefix - 1, prefix, prefix + 1, last - 1, last, last + 1};

	check(s, addrs, 6);
}

static void refuses_bad_arguments(void **state)
{
	struct lpm4 *t = lpm4_create(NULL);

	assert_non_null(t);
	assert_int_equal(lpm4_add(t, IP(10, 0, 0, 1), 24, 1), -EINVAL);
	assert_int_equal(lpm4_add(t, 1, 0, 1), -EINVAL);
	assert_int_equal(lpm4_add(t, 0, 33, 1), -EINVAL);
	assert_int_equal(lpm4_add(t, 0, 8, LPM4_NH_MAX + 1), -EINVAL);
	assert_int_equal(lpm4_delete(t, IP(10, 0, 0, 1), 31), -EINVAL);
	assert_int_equal(lpm4_delete(t, 0, 33), -EINVAL);
	assert_int_equal(lpm4_get(t, 1, 31), -EINVAL);
	for (uint8_t len = 0; len <= 32; len++) {
		assert_int_equal(lpm4_delete(t, 0, len), -ENOENT);
		assert_int_equal(lpm4_get(t, 0, len), -ENOENT);
	}
	assert_int_equal(lpm4_count(t), 0);
	assert_int_equal(lpm4_lookup(t, 0), LPM4_MISS);
	assert_int_equal(lpm4_lookup(t, ~0u), LPM4_MISS);
	assert_string_equal(lpm4_name(t), "");
	lpm4_destroy(t);
	lpm4_destroy(NULL);
}

static void refuses_missing_instructions(void **state)
{
	struct lpm4 *t = lpm4_create(&(struct lpm4_conf){.simd = LPM4_SIMD_AVX512});

	if (cpu_has_avx512_vpopcntdq()) {
		assert_string_equal(lpm4_simd_name(t), "avx512");
		lpm4_destroy(t);
	} else {
		assert_null(t);
		assert_int_equal(errno, ENOTSUP);
	}
}

// Every length, nested from /0 to /32 and withdrawn in either order.
static void nests_all_lengths(void **state)
{
	const uint32_t addr = IP(203, 171, 90, 165);

	for (int order = 0; order < 2; order++) {
		struct tables s = make_tables(false);

		for (uint8_t len = 0; len <= 32; len++) {
			add(&s, addr & oracle_mask(len), len, 100 + len);
			assert_int_equal(lpm4_lookup(s.t[0], addr), 100 + len);
			check_edges(&s, addr & oracle_mask(len), len);
		}
		for (uint8_t i = 0; i <= 32; i++) {
			uint8_t len = order ? i : 32 - i;

			assert_int_equal(lpm4_get(s.t[0], addr & oracle_mask(len), len), 100 + len);
			withdraw(&s, addr & oracle_mask(len), len);
			for (uint8_t k = 0; k <= 32; k++)
				check_edges(&s, addr & oracle_mask(k), k);
		}
		assert_int_equal(lpm4_lookup(s.t[0], addr), LPM4_MISS);
		free_tables(&s);
	}
}

static void replaces_next_hops(void **state)
{
	struct tables s = make_tables(false);

	for (uint8_t len = 0; len <= 32; len++) {
		add(&s, IP(128, 0, 0, 0) & oracle_mask(len), len, 1);
		add(&s, IP(128, 0, 0, 0) & oracle_mask(len), len, LPM4_NH_MAX);
		add(&s, IP(128, 0, 0, 0) & oracle_mask(len), len, 0);
		check_edges(&s, IP(128, 0, 0, 0) & oracle_mask(len), len);
	}
	assert_int_equal(lpm4_count(s.t[0]), 33);
	free_tables(&s);
}

// Every address of a /24, every /24 of a /18: the largest groups and blocks there are.
static void fills_blocks(void **state)
{
	struct tables s = make_tables(false);
	uint32_t addrs[64], base = IP(192, 0, 64, 0);

	for (uint8_t len = 18; len <= 24; len++)
		for (uint32_t i = 0; i < 1u << (len - 18); i++)
			add(&s, base | i << (32 - len), len, len * 100 + i);
	for (uint8_t len = 25; len <= 32; len++)
		for (uint32_t i = 0; i < 1u << (len - 24); i++)
			add(&s, base | i << (32 - len), len, len * 1000 + i);
	for (uint32_t i = 0; i < 64; i++)
		add(&s, base | i << 8 | 7, 32, i);
	for (uint32_t a = base - 64; a < base + 2048; a += 64) {
		for (unsigned i = 0; i < 64; i++)
			addrs[i] = a + i;
		check(&s, addrs, 64);
	}
	for (uint32_t i = 0; i < 64; i++)
		check_edges(&s, base | i << 8 | 7, 32);
	for (uint8_t len = 18; len <= 32; len++)
		withdraw(&s, base, len);
	for (uint32_t i = 0; i < 64; i++)
		withdraw(&s, base | i << 8 | 7, 32);
	for (uint32_t i = 0; i < 64; i++)
		check_edges(&s, base | i << 8 | 7, 32);
	free_tables(&s);
}

static void takes_any_bulk_size(void **state)
{
	struct tables s = make_tables(false);
	uint32_t addrs[MAX_BULK];
	uint64_t seed = 11;

	for (unsigned i = 0; i < 500; i++)
		add(&s, oracle_random(&seed) & oracle_mask(8 + i % 25), 8 + i % 25, i);
	for (unsigned n = 0; n <= MAX_BULK; n++) {
		for (unsigned i = 0; i < n; i++)
			addrs[i] = oracle_random(&seed);
		check(&s, addrs, n);
	}
	for (unsigned k = 0; k < s.n; k++) { // in place
		uint32_t same[MAX_BULK];

		memcpy(same, addrs, sizeof(same));
		lpm4_lookup_bulk(s.t[k], same, same, MAX_BULK);
		for (unsigned i = 0; i < MAX_BULK; i++)
			assert_int_equal(same[i], oracle_lookup(&s.o, addrs[i]));
	}
	free_tables(&s);
}

// churn - random updates among few networks, so that they nest, collide and come again; few next
// hops, so that neighbours melt together and part. Addresses are drawn near the prefixes.
static void churn(bool live, uint64_t seed, unsigned rounds, unsigned nets, uint32_t next_hops)
{
	struct tables s = make_tables(live);
	uint32_t addrs[MAX_BULK];

	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < 24; i++) {
			uint32_t r = oracle_random(&seed), net = (r >> 8) % nets * 0x01234567u;
			uint8_t len = r % 33;
			uint32_t at = net + (oracle_random(&seed) & 0x7fff);

			at &= oracle_mask(len);
			if (oracle_has(&s.o, at, len) && r & 0x80000000)
				withdraw(&s, at, len);
			else
				add(&s, at, len, oracle_random(&seed) % next_hops);
		}
		for (unsigned i = 0; i < MAX_BULK; i++) {
			uint32_t r = oracle_random(&seed);

			addrs[i] = (r >> 20) % nets * 0x01234567u + (r & 0xffff) - 0x2000;
		}
		check(&s, addrs, MAX_BULK);
		for (unsigned k = 0; k < s.n && live; k++)
			lpm4_quiescent(s.t[k]);
	}
	for (uint8_t len = 0; len <= 32; len++) // and all of it goes again
		while (s.o.count[len])
			withdraw(&s, s.o.routes[len][s.o.count[len] / 2].prefix, len);
	check(&s, addrs, MAX_BULK);
	assert_int_equal(lpm4_count(s.t[0]), 0);
	free_tables(&s);
}

static void survives_churn(void **state)
{
	churn(false, 1, 300, 3, 2);
	churn(false, 2, 300, 7, 5);
	churn(false, 3, 200, 50, 30000);
	churn(true, 4, 200, 7, 3);
	churn(true, 5, 200, 20, 30000);
}

// Updates that undo each other must come back to the memory they started from.
static void reuses_memory(void **state)
{
	struct lpm4 *t = lpm4_create(NULL);
	uint64_t seed = 99;
	size_t after_first = 0;

	for (int live = 0; live < 2; live++) {
		lpm4_set_live(t, live);
		for (int round = 0; round < 12; round++) {
			for (unsigned i = 0; i < 20000; i++) {
				uint64_t pick = seed + i;
				uint32_t prefix = oracle_random(&pick) & oracle_mask(16 + i % 17);

				assert_int_equal(lpm4_add(t, prefix, 16 + i % 17, i), 0);
				if (live && i % 64 == 0)
					lpm4_quiescent(t);
			}
			for (unsigned i = 0; i < 20000; i++) {
				uint64_t pick = seed + i;
				uint32_t prefix = oracle_random(&pick) & oracle_mask(16 + i % 17);
				int err = lpm4_delete(t, prefix, 16 + i % 17);

				assert_true(err == 0 || err == -ENOENT); // drawn twice
				if (live && i % 64 == 0)
					lpm4_quiescent(t);
			}
			assert_int_equal(lpm4_count(t), 0);
			if (round == 1)
				after_first = lpm4_memory(t);
		}
		assert_int_equal(lpm4_memory(t), after_first);
	}
	lpm4_destroy(t);
}

// What 100,000 prefixes took is given back with the last of them, once no reader can hold it.
static void gives_memory_back(void **state)
{
	for (int live = 0; live < 2; live++) {
		struct lpm4 *t = lpm4_create(NULL);
		size_t start = lpm4_memory(t);

		lpm4_set_live(t, live);
		for (int gone = 0; gone < 2; gone++) {
			for (uint32_t i = 0; i < 100000; i++) {
				uint32_t at = i * 2654435761u;

				assert_int_equal(gone ? lpm4_delete(t, at, 32)
						      : lpm4_add(t, at, 32, i % 9000),
						 0);
				if (i % 1000 == 0)
					lpm4_quiescent(t);
			}
			if (!gone)
				assert_true(lpm4_memory(t) > 4 * start);
		}
		lpm4_quiescent(t);
		lpm4_quiescent(t);
		assert_int_equal(lpm4_memory(t), start);
		assert_int_equal(lpm4_lookup(t, 0), LPM4_MISS);
		assert_int_equal(lpm4_add(t, 0, 32, 7), 0);
		assert_int_equal(lpm4_lookup(t, 0), 7);
		lpm4_destroy(t);
	}
}

// The demo image routes in 32 MiB of RAM altogether: a small table must be small.
static void small_table_is_small(void **state)
{
	struct tables s = make_tables(false);

	add(&s, 0, 0, 1);
	for (uint32_t i = 0; i < 9; i++)
		add(&s, IP(10 + 20 * i, i, i, 0), 24, i);
	for (unsigned k = 0; k < s.n; k++) {
		assert_true(lpm4_memory(s.t[k]) <= 2u << 20);
		assert_true(lpm4_fib_memory(s.t[k]) < lpm4_memory(s.t[k]));
	}
	free_tables(&s);
}

// A million host routes in one /12, which DIR-24-8 tables cannot hold (4,096 /24s below).
static void holds_host_routes(void **state)
{
	struct lpm4 *t = lpm4_create(NULL);

	for (uint32_t i = 0; i < 1u << 20; i++)
		assert_int_equal(lpm4_add(t, IP(10, 16, 0, 0) + i, 32, i % LPM4_NH_MAX), 0);
	assert_int_equal(lpm4_count(t), 1u << 20);
	for (uint32_t i = 0; i < 1u << 20; i++)
		assert_int_equal(lpm4_lookup(t, IP(10, 16, 0, 0) + i), i % LPM4_NH_MAX);
	assert_int_equal(lpm4_lookup(t, IP(10, 15, 255, 255)), LPM4_MISS);
	assert_int_equal(lpm4_lookup(t, IP(10, 32, 0, 0)), LPM4_MISS);
	lpm4_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_arguments),
		cmocka_unit_test(refuses_missing_instructions),
		cmocka_unit_test(nests_all_lengths),
		cmocka_unit_test(replaces_next_hops),
		cmocka_unit_test(fills_blocks),
		cmocka_unit_test(takes_any_bulk_size),
		cmocka_unit_test(survives_churn),
		cmocka_unit_test(reuses_memory),
		cmocka_unit_test(gives_memory_back),
		cmocka_unit_test(small_table_is_small),
		cmocka_unit_test(holds_host_routes),
	};

	return cmocka_run_group_tests_name("lpm4", tests, NULL, NULL);
}
