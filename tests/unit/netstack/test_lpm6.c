// SPDX-License-Identifier: BSD-3-Clause
// test_lpm6.c - IPv6 longest-prefix match against a plain search, for every kind of lookup
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lpm6_oracle.h"
#include "core/x86_64/cpu.h"

#define MAX_BULK 200u

// 2001:db8:5a5a:a5c3:3c5a:c3a5:5ac3:3ca5
static const oracle6_addr SOMEWHERE =
	(oracle6_addr)0x20010db85a5aa5c3ull << 64 | 0x3c5ac3a55ac33ca5ull;

// One table for each kind of lookup that this processor has, changed in step with the oracle.
struct tables {
	struct lpm6 *t[2];
	unsigned n;
	struct oracle6 o;
};

static struct tables make_tables(bool live)
{
	struct tables s = {.n = cpu_has_avx512_vpopcntdq() ? 2 : 1};
	const enum lpm6_simd simd[2] = {LPM6_SIMD_SCALAR, LPM6_SIMD_AVX512};

	for (unsigned i = 0; i < s.n; i++) {
		s.t[i] = lpm6_create(&(struct lpm6_conf){.simd = simd[i]});
		assert_non_null(s.t[i]);
		lpm6_set_live(s.t[i], live);
	}
	return s;
}

static void free_tables(struct tables *s)
{
	for (unsigned i = 0; i < s->n; i++)
		lpm6_destroy(s->t[i]);
	oracle6_free(&s->o);
}

static void add(struct tables *s, oracle6_addr prefix, unsigned len, uint32_t nh)
{
	uint8_t bytes[16];

	oracle6_bytes(prefix, bytes);
	for (unsigned i = 0; i < s->n; i++)
		assert_int_equal(lpm6_add(s->t[i], bytes, (uint8_t)len, nh), 0);
	oracle6_add(&s->o, prefix, len, nh);
}

static void withdraw(struct tables *s, oracle6_addr prefix, unsigned len)
{
	uint8_t bytes[16];

	oracle6_bytes(prefix, bytes);
	for (unsigned i = 0; i < s->n; i++)
		assert_int_equal(lpm6_delete(s->t[i], bytes, (uint8_t)len), 0);
	oracle6_delete(&s->o, prefix, len);
}

// n addresses by bulk and one by one, in all tables, against the oracle.
static void check(const struct tables *s, const oracle6_addr *addrs, unsigned n)
{
	uint8_t bytes[MAX_BULK + 1][16];
	uint32_t nhs[MAX_BULK + 1];

	for (unsigned i = 0; i < n; i++)
		oracle6_bytes(addrs[i], bytes[i]);
	for (unsigned k = 0; k < s->n; k++) {
		nhs[n] = 0xdeadbeef;
		lpm6_lookup_bulk(s->t[k], bytes, nhs, n);
		assert_int_equal(nhs[n], 0xdeadbeef);
		for (unsigned i = 0; i < n; i++) {
			uint32_t want = oracle6_lookup(&s->o, addrs[i]);

			if (nhs[i] != want || lpm6_lookup(s->t[k], bytes[i]) != want)
				fail_msg("%s: address %016lx%016lx: bulk %u, single %u, wanted %u",
					 lpm6_simd_name(s->t[k]), (uint64_t)(addrs[i] >> 64),
					 (uint64_t)addrs[i], nhs[i], lpm6_lookup(s->t[k], bytes[i]),
					 want);
		}
		assert_int_equal(lpm6_count(s->t[k]), oracle6_count(&s->o));
	}
}

// The edges of a prefix: its first and last address and their neighbours outside.
static void check_edges(const struct tables *s, oracle6_addr prefix, unsigned len)
{
	oracle6_addr last = prefix | ~oracle6_mask(len);
	oracle6_addr addrs[] = {prefix - 1, prefix, prefix + 1, last - 1, last, last + 1};

	check(s, addrs, 6);
}

static void refuses_bad_arguments(void **state)
{
	const uint8_t one[16] = {[15] = 1}, zero[16] = {0}, ones[16] = {[0 ... 15] = 255};
	struct lpm6 *t = lpm6_create(NULL);

	assert_non_null(t);
	assert_int_equal(lpm6_add(t, one, 127, 1), -EINVAL);
	assert_int_equal(lpm6_add(t, one, 64, 1), -EINVAL);
	assert_int_equal(lpm6_add(t, one, 0, 1), -EINVAL);
	assert_int_equal(lpm6_add(t, zero, 129, 1), -EINVAL);
	assert_int_equal(lpm6_add(t, zero, 255, 1), -EINVAL);
	assert_int_equal(lpm6_add(t, zero, 8, LPM6_NH_MAX + 1), -EINVAL);
	assert_int_equal(lpm6_delete(t, one, 127), -EINVAL);
	assert_int_equal(lpm6_delete(t, zero, 129), -EINVAL);
	assert_int_equal(lpm6_get(t, one, 3), -EINVAL);
	for (unsigned len = 0; len <= 128; len++) {
		assert_int_equal(lpm6_delete(t, zero, (uint8_t)len), -ENOENT);
		assert_int_equal(lpm6_get(t, zero, (uint8_t)len), -ENOENT);
	}
	assert_int_equal(lpm6_count(t), 0);
	assert_int_equal(lpm6_lookup(t, zero), LPM6_MISS);
	assert_int_equal(lpm6_lookup(t, ones), LPM6_MISS);
	assert_string_equal(lpm6_name(t), "");
	lpm6_destroy(t);
	lpm6_destroy(NULL);
}

static void refuses_missing_instructions(void **state)
{
	struct lpm6 *t = lpm6_create(&(struct lpm6_conf){.simd = LPM6_SIMD_AVX512});

	if (cpu_has_avx512_vpopcntdq()) {
		assert_string_equal(lpm6_simd_name(t), "avx512");
		lpm6_destroy(t);
	} else {
		assert_null(t);
		assert_int_equal(errno, ENOTSUP);
	}
}

// Every length, nested from /0 to /128 and withdrawn in either order.
static void nests_all_lengths(void **state)
{
	uint8_t bytes[16];

	for (int order = 0; order < 2; order++) {
		struct tables s = make_tables(false);

		for (unsigned len = 0; len <= 128; len++) {
			add(&s, SOMEWHERE & oracle6_mask(len), len, 100 + len);
			oracle6_bytes(SOMEWHERE, bytes);
			assert_int_equal(lpm6_lookup(s.t[0], bytes), 100 + len);
			check_edges(&s, SOMEWHERE & oracle6_mask(len), len);
		}
		for (unsigned i = 0; i <= 128; i++) {
			unsigned len = order ? i : 128 - i;

			oracle6_bytes(SOMEWHERE & oracle6_mask(len), bytes);
			assert_int_equal(lpm6_get(s.t[0], bytes, (uint8_t)len), 100 + len);
			withdraw(&s, SOMEWHERE & oracle6_mask(len), len);
			for (unsigned k = 0; k <= 128; k += 1 + i % 7)
				check_edges(&s, SOMEWHERE & oracle6_mask(k), k);
		}
		assert_int_equal(lpm6_count(s.t[0]), 0);
		free_tables(&s);
	}
}

static void replaces_next_hops(void **state)
{
	struct tables s = make_tables(false);

	for (unsigned len = 0; len <= 128; len++) {
		add(&s, SOMEWHERE & oracle6_mask(len), len, 1);
		add(&s, SOMEWHERE & oracle6_mask(len), len, LPM6_NH_MAX);
		add(&s, SOMEWHERE & oracle6_mask(len), len, 0);
		check_edges(&s, SOMEWHERE & oracle6_mask(len), len);
	}
	assert_int_equal(lpm6_count(s.t[0]), 129);
	free_tables(&s);
}

// Every prefix there is within the 8 bits from 16 on and the 6 from 30 on: the largest groups,
// arrays and blocks, each part with a node below.
static void fills_nodes(void **state)
{
	const struct {
		unsigned from, to;
	} part[] = {{0, 8}, {16, 24}, {30, 36}, {126, 128}};
	struct tables s = make_tables(false);

	for (unsigned p = 0; p < 4; p++) {
		oracle6_addr base = SOMEWHERE & oracle6_mask(part[p].from);

		for (unsigned len = part[p].from; len <= part[p].to; len++)
			for (oracle6_addr i = 0; i < 1u << (len - part[p].from); i++)
				add(&s, base | (len ? i << (128 - len) : 0), len,
				    len * 200 + (unsigned)i);
		for (oracle6_addr i = 0; part[p].to < 128 && i < 1u << (part[p].to - part[p].from);
		     i++) {
			oracle6_addr below = base | i << (128 - part[p].to) | 7;

			add(&s, below, 128, (unsigned)i);
			check_edges(&s, below, 128);
		}
		for (oracle6_addr i = 0; i < 1u << (part[p].to - part[p].from); i++)
			check_edges(&s, base | i << (128 - part[p].to), part[p].to);
	}
	for (unsigned p = 0; p < 4; p++)
		for (unsigned len = part[p].from; len <= part[p].to; len++)
			if (oracle6_has(&s.o, SOMEWHERE & oracle6_mask(len), len)) {
				withdraw(&s, SOMEWHERE & oracle6_mask(len), len);
				check_edges(&s, SOMEWHERE & oracle6_mask(len), len);
			}
	free_tables(&s);
}

static void takes_any_bulk_size(void **state)
{
	struct tables s = make_tables(false);
	oracle6_addr addrs[MAX_BULK] = {0};
	uint64_t seed = 11;

	for (unsigned i = 0; i < 2000; i++) {
		oracle6_addr a = oracle6_random_addr(&seed);

		a = i % 2 ? a : (SOMEWHERE & oracle6_mask(16)) | a >> 16;
		add(&s, a & oracle6_mask(4 + i % 60), 4 + i % 60, i);
	}
	for (unsigned n = 0; n <= MAX_BULK; n++) {
		for (unsigned i = 0; i < n; i++) {
			addrs[i] = oracle6_random_addr(&seed);
			if (i % 3)
				addrs[i] = (SOMEWHERE & oracle6_mask(16)) | addrs[i] >> 16;
		}
		check(&s, addrs, n);
	}
	free_tables(&s);
}

// One of a few addresses with its bits from `keep` on replaced by others: what is drawn nests,
// collides and comes again.
static oracle6_addr draw(uint64_t *seed, unsigned nets)
{
	uint32_t r = oracle6_random(seed);
	oracle6_addr net = (oracle6_addr)(r % nets + 1) * 0x0123456789abcdefull;
	unsigned keep = (r >> 8) % 129;

	net |= net << 64;
	return (net & oracle6_mask(keep)) | (oracle6_random_addr(seed) & ~oracle6_mask(keep));
}

static void churn(bool live, uint64_t seed, unsigned rounds, unsigned nets, uint32_t next_hops)
{
	struct tables s = make_tables(live);
	oracle6_addr addrs[MAX_BULK] = {0};

	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < 24; i++) {
			unsigned len = oracle6_random(&seed) % 129;
			oracle6_addr at = draw(&seed, nets) & oracle6_mask(len);

			if (oracle6_has(&s.o, at, len) && oracle6_random(&seed) % 2)
				withdraw(&s, at, len);
			else
				add(&s, at, len, oracle6_random(&seed) % next_hops);
		}
		for (unsigned i = 0; i < MAX_BULK; i++)
			addrs[i] = draw(&seed, nets);
		check(&s, addrs, MAX_BULK);
		for (unsigned k = 0; k < s.n && live; k++)
			lpm6_quiescent(s.t[k]);
	}
	for (unsigned len = 0; len <= 128; len++) // and all of it goes again
		while (s.o.count[len])
			withdraw(&s, s.o.routes[len][s.o.count[len] / 2].prefix, len);
	check(&s, addrs, MAX_BULK);
	assert_int_equal(lpm6_count(s.t[0]), 0);
	free_tables(&s);
}

static void survives_churn(void **state)
{
	churn(false, 1, 200, 1, 2);
	churn(false, 2, 200, 2, 5);
	churn(false, 3, 100, 50, 30000);
	churn(true, 4, 200, 2, 3);
	churn(true, 5, 100, 20, 30000);
}

// Updates that undo each other must come back to the memory they started from.
static void reuses_memory(void **state)
{
	struct lpm6 *t = lpm6_create(NULL);
	size_t after_first = 0;
	uint8_t bytes[16];

	for (int live = 0; live < 2; live++) {
		lpm6_set_live(t, live);
		for (int round = 0; round < 12; round++) {
			for (int gone = 0; gone < 2; gone++) {
				uint64_t seed = 99;

				for (unsigned i = 0; i < 10000; i++) {
					unsigned len = 20 + i % 45;
					int err;

					oracle6_bytes(draw(&seed, 5) & oracle6_mask(len), bytes);
					err = gone ? lpm6_delete(t, bytes, (uint8_t)len)
						   : lpm6_add(t, bytes, (uint8_t)len, i);
					assert_true(err == 0 || (gone && err == -ENOENT));
					if (live && i % 64 == 0)
						lpm6_quiescent(t);
				}
			}
			assert_int_equal(lpm6_count(t), 0);
			if (round == 1)
				after_first = lpm6_memory(t);
		}
		assert_int_equal(lpm6_memory(t), after_first);
	}
	lpm6_destroy(t);
}

// What 50,000 prefixes took is given back with the last of them, once no reader can hold it.
static void gives_memory_back(void **state)
{
	for (int live = 0; live < 2; live++) {
		struct lpm6 *t = lpm6_create(NULL);
		size_t start = lpm6_memory(t);
		uint8_t bytes[16];

		lpm6_set_live(t, live);
		for (int gone = 0; gone < 2; gone++) {
			for (uint32_t i = 0; i < 50000; i++) {
				oracle6_bytes(((oracle6_addr)i * 2654435761u) << 64, bytes);
				assert_int_equal(gone ? lpm6_delete(t, bytes, 64)
						      : lpm6_add(t, bytes, 64, i % 9000),
						 0);
				if (i % 1000 == 0)
					lpm6_quiescent(t);
			}
			if (!gone)
				assert_true(lpm6_memory(t) > 10 * start);
		}
		lpm6_quiescent(t);
		lpm6_quiescent(t);
		assert_int_equal(lpm6_memory(t), start);
		assert_int_equal(lpm6_lookup(t, bytes), LPM6_MISS);
		assert_int_equal(lpm6_add(t, bytes, 64, 7), 0);
		assert_int_equal(lpm6_lookup(t, bytes), 7);
		lpm6_destroy(t);
	}
}

// The demo image routes in 32 MiB of RAM altogether, and there may be many VRFs.
static void small_table_is_small(void **state)
{
	struct tables s = make_tables(false);

	assert_true(lpm6_memory(s.t[0]) <= 32u << 10);
	add(&s, 0, 0, 1);
	for (unsigned i = 0; i < 9; i++)
		add(&s, SOMEWHERE & oracle6_mask(32 + 8 * i), 32 + 8 * i, i);
	for (unsigned k = 0; k < s.n; k++) {
		assert_true(lpm6_memory(s.t[k]) <= 64u << 10);
		assert_true(lpm6_fib_memory(s.t[k]) < lpm6_memory(s.t[k]));
	}
	free_tables(&s);
}

// A million host routes in one /108.
static void holds_host_routes(void **state)
{
	struct lpm6 *t = lpm6_create(NULL);
	oracle6_addr base = SOMEWHERE & oracle6_mask(108);
	uint8_t bytes[16];

	for (uint32_t i = 0; i < 1u << 20; i++) {
		oracle6_bytes(base + i, bytes);
		assert_int_equal(lpm6_add(t, bytes, 128, i % LPM6_NH_MAX), 0);
	}
	assert_int_equal(lpm6_count(t), 1u << 20);
	for (uint32_t i = 0; i < 1u << 20; i++) {
		oracle6_bytes(base + i, bytes);
		assert_int_equal(lpm6_lookup(t, bytes), i % LPM6_NH_MAX);
	}
	oracle6_bytes(base - 1, bytes);
	assert_int_equal(lpm6_lookup(t, bytes), LPM6_MISS);
	oracle6_bytes(base + (1u << 20), bytes);
	assert_int_equal(lpm6_lookup(t, bytes), LPM6_MISS);
	lpm6_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_arguments),
		cmocka_unit_test(refuses_missing_instructions),
		cmocka_unit_test(nests_all_lengths),
		cmocka_unit_test(replaces_next_hops),
		cmocka_unit_test(fills_nodes),
		cmocka_unit_test(takes_any_bulk_size),
		cmocka_unit_test(survives_churn),
		cmocka_unit_test(reuses_memory),
		cmocka_unit_test(gives_memory_back),
		cmocka_unit_test(small_table_is_small),
		cmocka_unit_test(holds_host_routes),
	};

	return cmocka_run_group_tests_name("lpm6", tests, NULL, NULL);
}
