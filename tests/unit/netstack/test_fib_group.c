// SPDX-License-Identifier: BSD-3-Clause
// test_fib_group.c - several paths: their share of flows, and who moves when one goes
#include <errno.h>
#include <stdlib.h>

#include "fib_world.h"

#define FLOWS 20000u

static uint32_t random32(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull; // Knuth, MMIX
	return (uint32_t)(*seed >> 32);
}

static uint32_t hash_of(unsigned flow)
{
	uint64_t seed = flow * 77u + 5;

	random32(&seed);
	return random32(&seed);
}

// Chi-squared of the flows each path of "10.0.1.N" got against its weight.
static double chi_squared(struct fib_world *w, const char *addr, const unsigned *weight, unsigned n)
{
	unsigned got[256] = {0}, total = 0;
	double chi = 0;

	for (unsigned i = 0; i < n; i++)
		total += weight[i];
	for (unsigned i = 0; i < FLOWS; i++)
		got[be32(take(w, 0, addr, hash_of(i))->addr.v4) & 255]++;
	for (unsigned i = 0; i < n; i++) {
		double expected = (double)FLOWS * weight[i] / total, d = got[i + 2] - expected;

		chi += d * d / expected;
	}
	return chi;
}

static void add_paths(struct fib_world *w, const char *prefix, const unsigned *weight, unsigned n)
{
	char text[1024];
	int at = snprintf(text, sizeof(text), "%s via ", prefix);

	for (unsigned i = 0; i < n; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%s10.0.1.%u*%u", i ? "," : "",
			       i + 2, weight[i]);
	assert_int_equal(add(w, text), 0);
}

// Critical values of chi-squared at 0.001 (NIST/SEMATECH e-Handbook, 1.3.6.7.4): 10.828 for 1
// degree of freedom, 13.816 for 2, 37.697 for 15.
static void flows_spread_by_weight(void **state)
{
	static const unsigned two[] = {1, 1}, three[] = {1, 2, 5},
			      all[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	struct fib_world w;

	fib_world_open(&w, 1, 64);
	add_paths(&w, "198.18.0.0/24", two, 2);
	add_paths(&w, "198.18.1.0/24", three, 3);
	add_paths(&w, "198.18.2.0/24", all, 16);
	assert_true(chi_squared(&w, "198.18.0.1", two, 2) < 10.828);
	assert_true(chi_squared(&w, "198.18.1.1", three, 3) < 13.816);
	assert_true(chi_squared(&w, "198.18.2.1", all, 16) < 37.697);
	fib_world_close(&w);
}

static void every_path_has_a_bucket_whatever_its_weight(void **state)
{
	static const unsigned odd[] = {255, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	struct fib_share share[FIB_LEAVES_MAX];
	struct fib_world w;
	union ip_addr a = v4(198, 18, 0, 1);
	unsigned sum = 0;

	fib_world_open(&w, 1, 64);
	add_paths(&w, "198.18.0.0/24", odd, 16);
	assert_int_equal(fib_shares(w.f, 4, fib_lookup(w.f, 4, 0, &a), share), 16);
	for (unsigned i = 0; i < 16; i++) {
		assert_true(share[i].buckets >= 1);
		sum += share[i].buckets;
	}
	assert_int_equal(sum, FIB_BUCKETS);
	fib_world_close(&w);
}

static void note(struct fib_world *w, uint32_t *path)
{
	for (unsigned i = 0; i < FLOWS; i++)
		path[i] = take(w, 0, "198.18.0.1", hash_of(i))->addr.v4;
}

// The neighbor table of lcore 0 says that a next hop has failed, or is back.
static void tell(struct fib_world *w, union ip_addr via, bool up)
{
	uint32_t i = neigh_find4(&w->t4[0], 1, via.v4);

	assert_true(i && w->t4[0].neigh[i].watched);
	w->t4[0].changed(w->t4[0].changed_arg, i, up);
}

static unsigned moved(const uint32_t *before, const uint32_t *after, uint32_t but)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FLOWS; i++)
		n += before[i] != after[i] && before[i] != but;
	return n;
}

static unsigned count(const uint32_t *path, uint32_t of)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FLOWS; i++)
		n += path[i] == of;
	return n;
}

static void only_flows_of_a_failed_path_move(void **state)
{
	static const unsigned four[] = {1, 1, 1, 1};
	static uint32_t before[FLOWS], after[FLOWS], later[FLOWS];
	union ip_addr a = v4(10, 0, 1, 2), b = v4(10, 0, 1, 3);
	struct fib_world w;

	fib_world_open(&w, 1, 64);
	add_paths(&w, "198.18.0.0/24", four, 4);
	note(&w, before);
	tell(&w, a, false);
	note(&w, after);
	assert_int_equal(count(after, a.v4), 0);
	assert_int_equal(moved(before, after, a.v4), 0);
	tell(&w, b, false);
	note(&w, later);
	assert_int_equal(count(later, a.v4) + count(later, b.v4), 0);
	assert_int_equal(moved(after, later, b.v4), 0);
	tell(&w, a, true);
	tell(&w, b, true);
	note(&w, after);
	assert_memory_equal(before, after, sizeof(before));
	for (unsigned i = 2; i < 6; i++) // with none left all are tried
		tell(&w, v4(10, 0, 1, i), false);
	assert_int_equal(take(&w, 0, "198.18.0.1", 1)->kind, ADJ_FORWARD);
	fib_world_close(&w);
}

static void only_flows_of_a_withdrawn_path_move(void **state)
{
	static const unsigned four[] = {1, 1, 1, 1};
	static uint32_t before[FLOWS], after[FLOWS];
	union ip_addr last = v4(10, 0, 1, 5);
	struct fib_world w;

	fib_world_open(&w, 1, 64);
	add_paths(&w, "198.18.0.0/24", four, 4);
	note(&w, before);
	add_paths(&w, "198.18.0.0/24", four, 3);
	note(&w, after);
	assert_int_equal(count(after, last.v4), 0);
	assert_int_equal(moved(before, after, last.v4), 0);
	// One more takes what is its own, a quarter, and no more moves than that.
	add_paths(&w, "198.18.0.0/24", four, 4);
	note(&w, before);
	assert_int_equal(moved(after, before, 0), count(before, last.v4));
	assert_in_range(count(before, last.v4), FLOWS * 22 / 100, FLOWS * 28 / 100);
	fib_world_close(&w);
}

static void a_link_that_goes_takes_its_paths_along(void **state)
{
	struct fib_world w;

	fib_world_open(&w, 1, 64);
	assert_int_equal(add(&w, "198.18.0.0/24 via 10.0.1.2,10.0.2.2"), 0);
	assert_in_range(spread(&w, "198.18.0.1", "10.0.2.2", 1000), 400, 600);
	ifaces_link(w.ifs, 2, false);
	fib_link_changed(w.f);
	assert_int_equal(spread(&w, "198.18.0.1", "10.0.1.2", 1000), 1000);
	ifaces_link(w.ifs, 2, true);
	fib_link_changed(w.f);
	assert_in_range(spread(&w, "198.18.0.1", "10.0.2.2", 1000), 400, 600);
	fib_world_close(&w);
}

static void ip6_routes_are_the_same(void **state)
{
	struct fib_world w;

	fib_world_open(&w, 2, 64);
	assert_int_equal(add(&w, "2001:db8:ff::/48 via fe80::9@1,2001:db8:2::9*3"), 0);
	assert_int_equal(add(&w, "2001:db8:fe::/48 via fe80::9"), -EINVAL); // on which interface?
	assert_int_equal(add(&w, "fe80::/10 blackhole"), -EINVAL);
	assert_int_equal(add(&w, "ff05::/16 blackhole"), -EINVAL);
	assert_int_equal(add(&w, "2001:db8:fd::/48 via 2001:db8:ff::1"), 0);
	assert_in_range(spread(&w, "2001:db8:ff::1", "fe80::9", 1000), 200, 300);
	assert_in_range(spread(&w, "2001:db8:fd::1", "2001:db8:2::9", 1000), 700, 800);
	assert_int_equal(add(&w, "red:2001:db8:ff::/48 prohibit"), 0);
	assert_int_equal(take(&w, 1, "red:2001:db8:ff::1", 0)->kind, ADJ_PROHIBIT);
	assert_int_equal(del(&w, "2001:db8:ff::/48"), 0);
	assert_int_equal(take(&w, 1, "2001:db8:fd::1", 0)->kind, ADJ_UNREACHABLE);
	fib_world_close(&w);
}

// RFC 3704, 2.2 (strict: back by the same interface, by one of several paths at least) and 2.3
// (loose: a route that leads somewhere).
static void sources_are_judged_by_their_routes(void **state)
{
	struct fib_world w;
	const struct adj *a;
	union ip_addr addr = v4(198, 18, 0, 1);

	fib_world_open(&w, 1, 64);
	assert_int_equal(add(&w, "198.18.0.0/24 via 10.0.1.2,10.0.2.2"), 0);
	a = &w.t4[0].adj[fib_lookup(w.f, 4, 0, &addr)];
	assert_int_equal(a->kind, ADJ_MULTI);
	assert_true(fib_source_ok(a, 1, true) && fib_source_ok(a, 2, true));
	assert_false(fib_source_ok(a, 0, true));
	assert_true(fib_source_ok(a, 0, false));
	a = &w.t4[0].adj[ADJ_INDEX_GLEAN0 + 2];
	assert_true(fib_source_ok(a, 2, true) && fib_source_ok(a, 1, false));
	assert_false(fib_source_ok(a, 1, true));
	assert_false(fib_source_ok(&w.t4[0].adj[ADJ_INDEX_BLACKHOLE], 1, false)); // RFC 5635
	assert_false(fib_source_ok(&w.t4[0].adj[ADJ_INDEX_NONE], 1, false));
	fib_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_spread_by_weight),
		cmocka_unit_test(every_path_has_a_bucket_whatever_its_weight),
		cmocka_unit_test(only_flows_of_a_failed_path_move),
		cmocka_unit_test(only_flows_of_a_withdrawn_path_move),
		cmocka_unit_test(a_link_that_goes_takes_its_paths_along),
		cmocka_unit_test(ip6_routes_are_the_same),
		cmocka_unit_test(sources_are_judged_by_their_routes),
	};

	return cmocka_run_group_tests_name("fib_group", tests, NULL, NULL);
}
