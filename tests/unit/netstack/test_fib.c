// SPDX-License-Identifier: BSD-3-Clause
// test_fib.c - routes of all kinds, VRFs, recursive next hops, and what is refused
#include <errno.h>

#include "fib_world.h"

static void kinds_lead_where_they_say(void **state)
{
	struct fib_world w;

	fib_world_open(&w, 2, 64);
	assert_int_equal(take(&w, 0, "192.0.2.1", 0)->kind, ADJ_NONE);
	assert_int_equal(add(&w, "0.0.0.0/0 via 10.0.1.9"), 0);
	assert_int_equal(add(&w, "192.0.2.0/24 blackhole"), 0);
	assert_int_equal(add(&w, "192.0.2.64/26 unreachable"), 0);
	assert_int_equal(add(&w, "192.0.2.128/25 prohibit"), 0);
	assert_true(goes(&w, "1.2.3.4", "10.0.1.9", 1));
	assert_int_equal(take(&w, 0, "192.0.2.1", 0)->kind, ADJ_BLACKHOLE);
	assert_int_equal(take(&w, 1, "192.0.2.65", 0)->kind, ADJ_UNREACHABLE);
	assert_int_equal(take(&w, 1, "192.0.2.129", 0)->kind, ADJ_PROHIBIT);
	assert_int_equal(take(&w, 0, "10.0.1.1", 0)->kind, ADJ_LOCAL);
	assert_int_equal(take(&w, 0, "10.0.1.0", 0)->kind, ADJ_BROADCAST);
	assert_int_equal(take(&w, 0, "10.0.1.9", 0)->kind, ADJ_GLEAN);
	assert_int_equal(del(&w, "192.0.2.0/24"), 0);
	assert_true(goes(&w, "192.0.2.1", "10.0.1.9", 1));
	assert_int_equal(del(&w, "192.0.2.0/24"), -ESRCH);
	fib_world_close(&w);
}

static void what_is_wrong_is_refused(void **state)
{
	static const char *const wrong[] = {
		"10.9.0.1/16 blackhole",      "10.9.0.0/33 blackhole",
		"224.0.0.0/4 blackhole",      "10.9.0.0/16 via",
		"10.9.0.0/16 via 10.0.1.1", // ourselves
		"10.9.0.0/16 via 10.0.1.0", // a broadcast address
		"10.9.0.0/16 via 224.0.0.1",  "10.9.0.0/16 via 127.0.0.1",
		"10.9.0.0/16 via 10.0.1.9@2", "10.9.0.0/16 via 10.0.1.9@4",
		"10.9.0.0/16 via 10.0.1.9*0",
	};
	struct fib_world w;
	struct fib_route r;
	size_t count;

	fib_world_open(&w, 1, 64);
	count = fib_count(w.f, 4);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(add(&w, wrong[i]), -EINVAL);
	r = route("10.9.0.0/16 via 10.0.1.9");
	r.vrf = 2;
	assert_int_equal(fib_route_add(w.f, &r, NULL), -EINVAL);
	r.vrf = 0;
	r.family = 5;
	assert_int_equal(fib_route_add(w.f, &r, NULL), -EINVAL);
	r.family = 4;
	r.kind = FIB_PROHIBIT + 1;
	assert_int_equal(fib_route_add(w.f, &r, NULL), -EINVAL);
	r.kind = FIB_VIA;
	r.paths = FIB_PATHS_MAX + 1;
	assert_int_equal(fib_route_add(w.f, &r, NULL), -EINVAL);
	assert_int_equal(fib_count(w.f, 4), count);
	// What is on link needs no gateway.
	assert_int_equal(add(&w, "10.0.1.0/24 via 10.0.2.9"), 0);
	assert_int_equal(take(&w, 0, "10.0.1.9", 0)->kind, ADJ_GLEAN);
	assert_int_equal(del(&w, "10.0.1.0/24"), -EEXIST);
	fib_world_close(&w);
}

static void vrfs_are_apart(void **state)
{
	struct fib_world w;

	fib_world_open(&w, 2, 64);
	assert_int_equal(add(&w, "198.18.0.0/15 via 10.0.1.9"), 0);
	assert_int_equal(add(&w, "red:198.18.0.0/15 via 10.0.3.9"), 0);
	assert_int_equal(add(&w, "red:198.51.100.0/24 via 10.0.2.9@2"), 0); // leaks on purpose
	assert_true(goes(&w, "198.18.0.1", "10.0.1.9", 1));
	assert_true(goes(&w, "red:198.18.0.1", "10.0.3.9", 3));
	assert_true(goes(&w, "red:198.51.100.1", "10.0.2.9", 2));
	assert_int_equal(take(&w, 0, "198.51.100.1", 0)->kind, ADJ_NONE);
	assert_int_equal(take(&w, 0, "red:10.0.1.9", 0)->kind, ADJ_NONE);
	assert_int_equal(del(&w, "198.18.0.0/15"), 0);
	assert_int_equal(take(&w, 0, "198.18.0.1", 0)->kind, ADJ_NONE);
	assert_true(goes(&w, "red:198.18.0.1", "10.0.3.9", 3));
	fib_world_close(&w);
}

static void recursive_next_hops_follow_their_routes(void **state)
{
	struct fib_world w;

	fib_world_open(&w, 2, 64);
	assert_int_equal(add(&w, "198.18.0.0/15 via 172.16.0.1"), 0); // not known yet
	assert_int_equal(take(&w, 1, "198.18.0.1", 0)->kind, ADJ_UNREACHABLE);
	assert_int_equal(add(&w, "172.16.0.0/12 via 10.0.1.9"), 0);
	assert_true(goes(&w, "198.18.0.1", "10.0.1.9", 1));
	assert_int_equal(add(&w, "172.16.0.0/24 via 10.0.2.9"), 0);
	assert_true(goes(&w, "198.18.0.1", "10.0.2.9", 2));
	assert_int_equal(add(&w, "172.16.0.1/32 via 192.0.2.7"), 0); // one more floor
	assert_int_equal(take(&w, 0, "198.18.0.1", 0)->kind, ADJ_UNREACHABLE);
	assert_int_equal(add(&w, "192.0.2.0/24 via 10.0.0.9,10.0.2.9"), 0);
	assert_int_equal(spread(&w, "198.18.0.1", "10.0.0.9", 1000) +
				 spread(&w, "198.18.0.1", "10.0.2.9", 1000),
			 1000);
	assert_in_range(spread(&w, "198.18.0.1", "10.0.0.9", 1000), 400, 600);
	assert_int_equal(add(&w, "192.0.2.0/24 via 10.0.1.3"), 0);
	assert_true(goes(&w, "198.18.0.1", "10.0.1.3", 1));
	assert_int_equal(add(&w, "192.0.2.0/24 blackhole"), 0);
	assert_int_equal(take(&w, 0, "198.18.0.1", 0)->kind, ADJ_BLACKHOLE);
	assert_int_equal(del(&w, "172.16.0.1/32"), 0);
	assert_true(goes(&w, "198.18.0.1", "10.0.2.9", 2));
	assert_int_equal(del(&w, "172.16.0.0/24"), 0);
	assert_int_equal(del(&w, "172.16.0.0/12"), 0);
	assert_int_equal(take(&w, 1, "198.18.0.1", 0)->kind, ADJ_UNREACHABLE);
	fib_world_close(&w);
}

static void loops_are_refused(void **state)
{
	struct fib_world w;
	char text[64];

	fib_world_open(&w, 1, 64);
	assert_int_equal(add(&w, "198.18.0.0/15 via 198.18.0.9"), -ELOOP);
	assert_int_equal(take(&w, 0, "198.18.0.1", 0)->kind, ADJ_NONE);
	assert_int_equal(add(&w, "198.18.0.0/24 via 10.0.1.9"), 0);
	assert_int_equal(add(&w, "198.18.0.0/15 via 198.18.0.9"), 0);
	assert_true(goes(&w, "198.18.7.1", "10.0.1.9", 1));
	assert_int_equal(add(&w, "198.18.0.0/24 via 198.18.7.1"), -ELOOP); // which leads through it
	assert_true(goes(&w, "198.18.0.1", "10.0.1.9", 1));
	// One that comes to be by withdrawing drops.
	assert_int_equal(del(&w, "198.18.0.0/24"), 0);
	assert_int_equal(take(&w, 0, "198.18.7.1", 0)->kind, ADJ_UNREACHABLE);
	assert_int_equal(add(&w, "198.18.0.0/16 via 10.0.2.9"), 0);
	assert_true(goes(&w, "198.19.7.1", "10.0.2.9", 2));
	// A chain as long as is allowed, and one more.
	assert_int_equal(add(&w, "172.16.0.0/32 via 10.0.1.9"), 0);
	for (unsigned i = 1; i < FIB_DEPTH_MAX + 2; i++) {
		snprintf(text, sizeof(text), "172.16.0.%u/32 via 172.16.0.%u", i, i - 1);
		assert_int_equal(add(&w, text), 0);
	}
	snprintf(text, sizeof(text), "172.16.0.%u", FIB_DEPTH_MAX);
	assert_true(goes(&w, text, "10.0.1.9", 1));
	fib_world_close(&w);
}

static void numbers_are_given_back(void **state)
{
	struct fib_world w;
	char text[64];

	fib_world_open(&w, 2, 8);
	for (unsigned i = 0; i < 300; i++) { // of 8 at a time
		snprintf(text, sizeof(text), "198.18.0.0/15 via 10.0.1.%u,10.0.2.%u", i % 200 + 2,
			 i % 100 + 2);
		assert_int_equal(add(&w, text), 0);
		snprintf(text, sizeof(text), "10.0.1.%u", i % 200 + 2);
		assert_in_range(spread(&w, "198.18.0.1", text, 256), 64, 192);
	}
	assert_int_equal(add(&w, "192.0.2.0/24 via 10.0.1.2,10.0.1.3,10.0.1.4,10.0.1.5,10.0.1.6"),
			 -ENOSPC);
	assert_int_equal(take(&w, 0, "192.0.2.1", 0)->kind, ADJ_NONE);
	assert_int_equal(add(&w, "198.18.0.0/15 blackhole"), 0);
	assert_int_equal(add(&w, "192.0.2.0/24 via 10.0.1.2,10.0.1.3,10.0.1.4,10.0.1.5,10.0.1.6"),
			 0);
	fib_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_lead_where_they_say),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(vrfs_are_apart),
		cmocka_unit_test(recursive_next_hops_follow_their_routes),
		cmocka_unit_test(loops_are_refused),
		cmocka_unit_test(numbers_are_given_back),
	};

	return cmocka_run_group_tests_name("fib", tests, NULL, NULL);
}
