// SPDX-License-Identifier: BSD-3-Clause
// test_lcore.c - a thread's lcore number
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/lcore.h"

static void *enter(void *arg)
{
	unsigned *seen = arg;

	seen[0] = lcore_self; // before: the main thread's number, as of any thread not entered
	seen[1] = lcore_enter(1) == 0 ? lcore_self : LCORE_MAX;
	return NULL;
}

static void test_numbers(void **state)
{
	unsigned seen[2];
	pthread_t thread;

	assert_int_equal(lcore_self, 0);
	assert_int_equal(lcore_enter(LCORE_MAX), -EINVAL);
	assert_int_equal(lcore_self, 0);
	assert_int_equal(pthread_create(&thread, NULL, enter, seen), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(seen[0], 0);
	assert_int_equal(seen[1], 1);
	assert_int_equal(lcore_self, 0); // another thread's number is not ours
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
