// SPDX-License-Identifier: BSD-3-Clause
// test_router_txn.c - transactions of routes and neighbors happen whole or not at all, and can be
// taken back
//
// This file's posix_memalign(), which the tables of prefixes come from, stands before the C
// library's.
#include <errno.h>
#include <stdlib.h>

#include "apps/router/live.h"
#include "apps/router/router.h"
#include "tests/unit/apps/app_test.h"

#define CONFIG                                                                                     \
	"version: 1\nfunction: router\nports:\n"                                                   \
	"  a: {device: \"null:\", addresses: [192.0.2.1/24, \"2001:db8:1::1/64\"]}\n"              \
	"  b: {device: \"null:\", addresses: [198.51.100.1/24, \"2001:db8:2::1/64\"]}\n"

#define VLANS                                                                                      \
	"version: 1\nfunction: router\nports:\n  a: {device: \"null:\"}\ninterfaces:\n"             \
	"  a.1: {port: a, vlan: 1, addresses: [192.0.2.1/24]}\n"                                   \
	"  a.2: {port: a, vlan: 2, addresses: [198.51.100.1/24]}\n"

const struct function *const function_list[] = {&router_function, NULL};

static bool no_memory;

int posix_memalign(void **p, size_t align, size_t size)
{
	*p = no_memory ? NULL : aligned_alloc(align, (size + align - 1) / align * align);
	return *p ? 0 : ENOMEM;
}

static struct app app;
static struct fib *f;
static struct live *live;
static uint64_t seed = 7;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull; // Knuth, MMIX
	return (uint32_t)(seed >> 33) % n;
}

struct seen {
	union ip_addr prefix;
	uint8_t plen, family;
	struct fib_route r;
};

// All routes there are, in order.
static size_t note(struct seen **out)
{
	size_t n = 0, max = fib_count(f, 4) + fib_count(f, 6);
	struct seen *s = calloc(max + 1, sizeof(*s));

	for (uint8_t family = 4; family <= 6; family += 2) {
		union ip_addr prefix = {.w = {0}};
		uint8_t plen;
		int i;

		for (i = fib_first(f, family, 0, &prefix, &plen); i >= 0;
		     i = fib_next(f, family, 0, &prefix, &plen), n++) {
			assert_true(n < max);
			s[n].prefix = prefix;
			s[n].plen = plen;
			s[n].family = family;
			fib_describe(f, family, (uint32_t)i, &s[n].r);
		}
	}
	*out = s;
	return n;
}

static void same(struct seen *a, size_t na, struct seen *b, size_t nb)
{
	assert_int_equal(na, nb);
	for (size_t i = 0; i < na; i++)
		assert_memory_equal(&a[i], &b[i], sizeof(*a));
}

static struct fib_route random_route(void)
{
	struct fib_route r;

	memset(&r, 0, sizeof(r));
	r.family = rnd(2) ? 4 : 6;
	r.kind = (uint8_t)(rnd(5) ? FIB_VIA : rnd(4));
	r.owner = (uint8_t)(1 + rnd(3));
	if (r.family == 4) {
		r.plen = (uint8_t)(16 + rnd(17));
		r.prefix.v4 = be32((0x0a000000 | rnd(1 << 18) << 6) & ~0u << (32 - r.plen));
	} else {
		r.plen = (uint8_t)(32 + rnd(17));
		memcpy(r.prefix.v6, "\x2a\0\0\0", 4);
		r.prefix.v6[4] = (uint8_t)rnd(256);
		r.prefix.v6[5] = (uint8_t)rnd(256);
		for (unsigned i = r.plen; i < 48; i++)
			r.prefix.v6[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	}
	r.paths = r.kind == FIB_VIA ? (uint8_t)(1 + rnd(3)) : 0;
	for (unsigned i = 0; i < r.paths; i++) {
		r.path[i] = (struct fib_path){.iface = FIB_IFACE_ANY, .weight = 1};
		if (r.family == 4)
			r.path[i].via.v4 = be32((rnd(2) ? 0xc0000200 : 0xc6336400) | (2 + rnd(4)));
		else
			memcpy(r.path[i].via.v6,
			       (uint8_t[16]){0x20, 1, 0xd, 0xb8, 0,
					     (uint8_t)(1 + rnd(2)), [15] = (uint8_t)(2 + rnd(4))},
			       16);
	}
	return r;
}

static void stage(unsigned n)
{
	struct err err = {""};

	for (unsigned i = 0; i < n; i++) {
		struct fib_route r = random_route();

		if (live_route(live, rnd(3) ? LIVE_REPLACE : LIVE_FORGET, &r, i, &err))
			fail_msg("%s", err.text);
	}
}

static int commit(struct live_result *r)
{
	struct err err = {""};
	unsigned turns = 0;
	int rc;

	while ((rc = live_commit(live, r, &err)) == -EINPROGRESS)
		if (++turns > 2000)
			no_memory = false; // what is taken back waits until there is some
	assert_true((rc == 0) == (err.text[0] == 0));
	return rc;
}

static void end(void)
{
	live_end(live);
	while (live_work(live))
		;
}

static void *start(void)
{
	void *blob;

	test_start(&app, CONFIG, &blob);
	f = router_of(&app)->fib;
	live = router_of(&app)->live;
	return blob;
}

// An operation that must fail stands behind many that do not.
static void stage_wrong(unsigned kind)
{
	struct fib_route r = random_route(), loop = {.family = 4, .plen = 8, .paths = 1};
	struct err err;

	r.prefix = (union ip_addr){.v4 = be32(0xcb007100)};
	r.family = 4;
	r.plen = 24;
	r.kind = FIB_BLACKHOLE;
	r.paths = 0;
	if (kind == 0) {
		assert_int_equal(live_route(live, LIVE_DELETE, &r, 900, &err), 0); // not there
	} else if (kind == 1) {
		assert_int_equal(live_route(live, LIVE_ADD, &r, 899, &err), 0);
		assert_int_equal(live_route(live, LIVE_ADD, &r, 900, &err), 0); // there by then
	} else if (kind == 2) {
		r.prefix.v4 = be32(0xc0000200);
		assert_int_equal(live_route(live, LIVE_REPLACE, &r, 900, &err), 0); // our own
	} else {
		loop.prefix.v4 = be32(0x0b000000);
		loop.path[0] = (struct fib_path){
			.via.v4 = be32(0x0b000001), .iface = FIB_IFACE_ANY, .weight = 1};
		assert_int_equal(live_route(live, LIVE_ADD, &loop, 900, &err), 0);
	}
}

static void a_failure_leaves_all_as_it_was(void **state)
{
	static const int why[] = {-ESRCH, -EEXIST, -EEXIST, -ELOOP};
	void *blob = start();
	struct live_result r;

	for (unsigned i = 0; i < 40; i++) {
		struct seen *before, *after;
		size_t nb, na;

		live_begin(live, false);
		stage(500);
		assert_int_equal(commit(&r), 0);
		assert_int_equal(r.applied, 500);
		end();
		nb = note(&before);
		live_begin(live, false);
		stage(300);
		stage_wrong(i % 4);
		stage(100);
		assert_int_equal(commit(&r), why[i % 4]);
		assert_int_equal(r.at, 900);
		end();
		na = note(&after);
		same(before, nb, after, na);
		free(before);
		free(after);
	}
	test_stop(&app, blob);
}

static void no_memory_leaves_all_as_it_was(void **state)
{
	void *blob = start();
	unsigned failures = 0;

	for (unsigned i = 0; i < 60; i++) {
		struct seen *before, *after;
		struct live_result r;
		size_t nb = note(&before), na;
		int rc;

		live_begin(live, false);
		stage(1000);
		no_memory = i % 4 != 0;
		rc = commit(&r);
		no_memory = false;
		end();
		na = note(&after);
		if (rc) {
			assert_int_equal(rc, -ENOMEM);
			same(before, nb, after, na);
			failures++;
		}
		free(before);
		free(after);
	}
	assert_true(failures > 2);
	test_stop(&app, blob);
}

static void what_was_applied_can_be_taken_back(void **state)
{
	void *blob = start();

	for (unsigned i = 0; i < 20; i++) {
		struct seen *before, *after;
		struct live_result r;
		size_t nb = note(&before), na;

		live_begin(live, false);
		stage(700);
		assert_int_equal(commit(&r), 0);
		if (i % 2) {
			while (live_revert(live))
				;
			na = note(&after);
			same(before, nb, after, na);
			free(after);
		}
		end();
		free(before);
	}
	test_stop(&app, blob);
}

// Both neighbors stay where they are: nothing but the interface says that one is out of reach.
static void paths_leave_an_interface_that_is_set_down(void **state)
{
	struct fib_route r = {.family = 4, .plen = 24, .paths = 2};
	struct fib_share share[FIB_LEAVES_MAX];
	struct err err = {""};
	int hop;
	void *blob;

	test_start(&app, VLANS, &blob);
	f = router_of(&app)->fib;
	r.prefix.v4 = be32(0xcb007100);
	for (unsigned i = 0; i < 2; i++)
		r.path[i] = (struct fib_path){.via.v4 = be32(i ? 0xc6336402 : 0xc0000202),
					      .iface = FIB_IFACE_ANY,
					      .weight = 1};
	for (uint16_t i = 0; i < 3; i++)
		ifaces_link(router_of(&app)->ifs, i, true);
	if (fib_route_add(f, &r, &err))
		fail_msg("%s", err.text);
	hop = fib_get(f, 4, 0, &r.prefix, 24);
	assert_true(router_function.admin(&app, 2, false));
	assert_int_equal(fib_shares(f, 4, (uint32_t)hop, share), 2);
	assert_int_equal(share[0].buckets + share[1].buckets, FIB_BUCKETS);
	assert_true(!share[0].buckets || !share[1].buckets);
	assert_true(router_function.admin(&app, 2, true));
	fib_shares(f, 4, (uint32_t)hop, share);
	assert_int_equal(share[0].buckets, share[1].buckets);
	test_stop(&app, blob);
}

// A hop that came and went has to be told of when the time to take back is there.
static void taking_back_waits_for_what_is_left_to_do(void **state)
{
	struct fib_route lone = {.family = 4, .plen = 24, .paths = 1};
	struct seen *before, *after;
	void *blob = start();
	struct live_result r;
	struct err err;
	size_t nb, na;
	int hop;

	nb = note(&before);
	live_begin(live, false);
	stage(300);
	assert_int_equal(commit(&r), 0);
	while (live_work(live))
		;
	lone.prefix.v4 = be32(0xcb007100);
	lone.path[0] = (struct fib_path){
		.via.v4 = be32(0xc00002c8), .iface = FIB_IFACE_ANY, .weight = 1};
	hop = fib_hop(f, &lone, 0, &err);
	assert_true(hop > 0);
	fib_drop(f, 4, (uint32_t)hop);
	assert_true(live_work(live));
	while (live_revert(live))
		;
	na = note(&after);
	same(before, nb, after, na);
	end();
	free(before);
	free(after);
	test_stop(&app, blob);
}

static void operations_each_for_itself(void **state)
{
	void *blob = start();
	struct live_result r;

	live_begin(live, true);
	for (unsigned kind = 0; kind < 4; kind++)
		stage_wrong(kind);
	stage(50);
	assert_int_equal(commit(&r), 0);
	assert_int_equal(r.refused, 4);
	assert_int_equal(r.applied, 51);
	assert_int_equal(r.error, -ESRCH);
	assert_int_equal(r.at, 900);
	end();
	test_stop(&app, blob);
}

static const struct adj *neighbor(uint32_t addr)
{
	struct neigh_table *t = &router_of(&app)->ip4[0]->neighbors;
	uint32_t i = neigh_find4(t, 0, be32(addr));

	return i && t->neigh[i].state == NEIGH_STATIC ? &t->adj[i] : NULL;
}

static void neighbors_come_and_go_with_their_transaction(void **state)
{
	struct live_neighbor n = {
		.addr.v4 = be32(0xc0000207), .family = 4, .mac = {2, 0, 0, 0, 0, 7}};
	struct live_neighbor wrong = n;
	void *blob = start();
	struct live_result r;
	struct err err;

	live_begin(live, false);
	assert_int_equal(live_neighbor(live, LIVE_ADD, &n, 0, &err), 0);
	assert_int_equal(commit(&r), 0);
	end();
	assert_memory_equal(adj_mac(neighbor(0xc0000207)), n.mac, 6);
	live_begin(live, false);
	n.mac[5] = 8;
	assert_int_equal(live_neighbor(live, LIVE_REPLACE, &n, 0, &err), 0);
	stage_wrong(0);
	assert_int_equal(commit(&r), -ESRCH);
	end();
	assert_int_equal(adj_mac(neighbor(0xc0000207))[5], 7);
	live_begin(live, false);
	assert_int_equal(live_neighbor(live, LIVE_DELETE, &n, 0, &err), 0);
	assert_int_equal(commit(&r), 0);
	assert_null(neighbor(0xc0000207));
	while (live_revert(live))
		;
	assert_int_equal(adj_mac(neighbor(0xc0000207))[5], 7);
	end();
	live_begin(live, false);
	wrong.mac[0] = 1;
	assert_int_equal(live_neighbor(live, LIVE_ADD, &wrong, 0, &err), -EINVAL);
	wrong = n;
	wrong.addr.v4 = be32(0xc0000201); // ourselves
	assert_int_equal(live_neighbor(live, LIVE_ADD, &wrong, 0, &err), -EINVAL);
	wrong.iface = 7;
	assert_int_equal(live_neighbor(live, LIVE_ADD, &wrong, 0, &err), -EINVAL);
	end();
	test_stop(&app, blob);
}

// Numbers of hops come back however often transactions are made, dropped and failed.
static void nothing_is_used_up(void **state)
{
	void *blob = start();
	struct live_result r;

	for (unsigned i = 0; i < 300; i++) {
		live_begin(live, false);
		stage(100); // some hundred groups of three
		if (i % 3 == 0)
			stage_wrong(i % 4);
		if (i % 5)
			commit(&r);
		end();
	}
	test_stop(&app, blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_leaves_all_as_it_was),
		cmocka_unit_test(no_memory_leaves_all_as_it_was),
		cmocka_unit_test(what_was_applied_can_be_taken_back),
		cmocka_unit_test(paths_leave_an_interface_that_is_set_down),
		cmocka_unit_test(taking_back_waits_for_what_is_left_to_do),
		cmocka_unit_test(operations_each_for_itself),
		cmocka_unit_test(neighbors_come_and_go_with_their_transaction),
		cmocka_unit_test(nothing_is_used_up),
	};

	return cmocka_run_group_tests_name("router_txn", tests, NULL, NULL);
}
