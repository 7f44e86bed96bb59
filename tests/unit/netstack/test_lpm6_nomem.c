// SPDX-License-Identifier: BSD-3-Clause
// test_lpm6_nomem.c - an IPv6 update that gets no memory changes nothing
//
// This file's posix_memalign(), which the table's arenas come from, and realloc(), which its nodes
// come from, stand before the C library's.
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lpm6_oracle.h"

static bool no_memory;

int posix_memalign(void **p, size_t align, size_t size)
{
	*p = no_memory ? NULL : aligned_alloc(align, size);
	return *p ? 0 : ENOMEM;
}

void *realloc(void *was, size_t size)
{
	void *p = no_memory ? NULL : malloc(size);
	size_t had = was ? malloc_usable_size(was) : 0;

	if (!p)
		return NULL;
	if (was)
		memcpy(p, was, had < size ? had : size);
	free(was);
	return p;
}

static const oracle6_addr BASE = (oracle6_addr)0x20010db800000000ull << 64;

static void check(struct lpm6 *t, const struct oracle6 *o, uint64_t seed)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < 2000; i++) {
		oracle6_addr addr = BASE | oracle6_random_addr(&seed) >> (32 + i % 64);

		oracle6_bytes(addr, bytes);
		assert_int_equal(lpm6_lookup(t, bytes), oracle6_lookup(o, addr));
	}
	assert_int_equal(lpm6_count(t), oracle6_count(o));
}

static void creation_fails_cleanly(void **state)
{
	no_memory = true;
	errno = 0;
	assert_null(lpm6_create(NULL));
	assert_int_equal(errno, ENOMEM);
	no_memory = false;
}

static int withdraw(struct lpm6 *t, struct oracle6 *o, oracle6_addr prefix, unsigned len)
{
	uint8_t bytes[16];
	int err;

	oracle6_bytes(prefix, bytes);
	err = lpm6_delete(t, bytes, (uint8_t)len);
	if (err == 0)
		oracle6_delete(o, prefix, len);
	return err;
}

// Fill until an arena has to grow and cannot; then nothing of that update may show, deleting must
// make room again or say so, and with memory back all goes on.
static void updates_happen_whole_or_not_at_all(void **state)
{
	struct lpm6 *t = lpm6_create(NULL);
	struct oracle6 o = {0};
	uint64_t seed = 31;
	unsigned failures = 0, added = 0;
	uint8_t bytes[16];

	assert_non_null(t);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned len = i % 64 == 0 ? 8 + i / 64 % 40 : 48 + i % 81;
		oracle6_addr prefix = BASE | oracle6_random_addr(&seed) >> (32 + i % 64);
		int err;

		prefix &= oracle6_mask(len);
		oracle6_bytes(prefix, bytes);
		no_memory = i % 4096 < 3072; // now and then it may grow
		err = lpm6_add(t, bytes, (uint8_t)len, i % LPM6_NH_MAX);
		no_memory = false;
		if (err == 0) {
			oracle6_add(&o, prefix, len, i % LPM6_NH_MAX);
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
	for (unsigned len = 0; len <= 128; len++) {
		for (size_t k = o.count[len]; k-- > 0;) {
			int err = withdraw(t, &o, o.routes[len][k].prefix, len);

			if (err)
				assert_int_equal(err, -ENOMEM);
		}
	}
	check(t, &o, 77);
	no_memory = false;
	for (unsigned len = 0; len <= 128; len++)
		while (o.count[len])
			assert_int_equal(withdraw(t, &o, o.routes[len][0].prefix, len), 0);
	check(t, &o, 78);
	lpm6_destroy(t);
	oracle6_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation_fails_cleanly),
		cmocka_unit_test(updates_happen_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("lpm6_nomem", tests, NULL, NULL);
}
