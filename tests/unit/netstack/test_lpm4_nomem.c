// SPDX-License-Identifier: BSD-3-Clause
// test_lpm4_nomem.c - an update that gets no memory changes nothing
//
// This file's posix_memalign(), which the table's arenas come from, stands before the C library's.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lpm4_oracle.h"

static bool no_memory;

int posix_memalign(void **p, size_t align, size_t size)
{
	*p = no_memory ? NULL : aligned_alloc(align, size);
	return *p ? 0 : ENOMEM;
}

static void check(struct lpm4 *t, const struct oracle *o, uint64_t seed)
{
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t addr = 0x0a000000 | (oracle_random(&seed) & 0x1fffff);

		assert_int_equal(lpm4_lookup(t, addr), oracle_lookup(o, addr));
	}
	assert_int_equal(lpm4_count(t), oracle_count(o));
}

static void creation_fails_cleanly(void **state)
{
	no_memory = true;
	errno = 0;
	assert_null(lpm4_create(NULL));
	assert_int_equal(errno, ENOMEM);
	no_memory = false;
}

// Fill until an arena has to grow and cannot; then nothing of that update may show, deleting must
// make room again or say so, and with memory back all goes on.
static void updates_happen_whole_or_not_at_all(void **state)
{
	struct lpm4 *t = lpm4_create(NULL);
	struct oracle o = {0};
	uint64_t seed = 31;
	unsigned failures = 0, added = 0;

	assert_non_null(t);
	for (unsigned i = 0; i < 60000; i++) {
		uint32_t r = oracle_random(&seed);
		uint8_t len = i % 64 == 0 ? 8 + r % 10 : 18 + r % 15;
		uint32_t prefix = (0x0a000000 | (r & 0x1fffff)) & oracle_mask(len);
		int err;

		no_memory = i % 4096 < 3072; // now and then it may grow
		err = lpm4_add(t, prefix, len, i % LPM4_NH_MAX);
		if (err == 0) {
			oracle_add(&o, prefix, len, i % LPM4_NH_MAX);
			added++;
		} else {
			assert_int_equal(err, -ENOMEM);
			failures++;
		}
		if (i % 1000 == 0)
			check(t, &o, i + 1);
	}
	assert_true(failures > 100);
	assert_true(added > 20000);
	no_memory = true;
	for (uint8_t len = 0; len <= 32; len++) {
		for (size_t k = o.count[len]; k-- > 0;) {
			uint32_t prefix = o.routes[len][k].prefix;
			int err = lpm4_delete(t, prefix, len);

			if (err == 0)
				oracle_delete(&o, prefix, len);
			else
				assert_int_equal(err, -ENOMEM);
		}
	}
	check(t, &o, 77);
	no_memory = false;
	for (uint8_t len = 0; len <= 32; len++) {
		while (o.count[len]) {
			uint32_t prefix = o.routes[len][0].prefix;

			assert_int_equal(lpm4_delete(t, prefix, len), 0);
			oracle_delete(&o, prefix, len);
		}
	}
	check(t, &o, 78);
	lpm4_destroy(t);
	oracle_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation_fails_cleanly),
		cmocka_unit_test(updates_happen_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("lpm4_nomem", tests, NULL, NULL);
}
