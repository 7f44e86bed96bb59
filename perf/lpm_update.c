// SPDX-License-Identifier: BSD-3-Clause
// lpm_update.c - the prefix table's benchmark: adding prefixes, and changing those of a full table
#include "perf/lpm_update.h"

#include <stdio.h>
#include <stdlib.h>

#include "perf/lpm_time.h"

#define CHURN 100000u

static double time_lpm4_adds(const struct routes *r)
{
	struct lpm4 *t = lpm4_create(NULL);
	double from = lpm_cycles();
	double taken;

	for (uint32_t i = 0; i < r->count; i++)
		if (!t || lpm4_add(t, r->route[i].prefix, r->route[i].len, r->route[i].nh))
			exit(1);
	taken = lpm_cycles() - from;
	lpm4_destroy(t);
	return taken / r->count;
}

static double time_fib_adds(const struct routes *r)
{
	struct peer_fib *fib = peer_fib_create(4, r->count);
	double from = lpm_cycles();
	double taken;

	for (uint32_t i = 0; i < r->count; i++)
		if (!fib || peer_fib_add(fib, r->route + i))
			exit(1);
	taken = lpm_cycles() - from;
	peer_fib_destroy(fib);
	return taken / r->count;
}

// A withdrawal and a new announcement, of prefixes all over a full table. Cycles for one of either.
static double time_lpm4_churn(struct lpm4 *t, const struct routes *r)
{
	double from = lpm_cycles();
	uint64_t seed = 3;

	for (uint32_t i = 0; i < CHURN; i++) {
		const struct route *k = routes_pick(r, &seed);

		if (lpm4_delete(t, k->prefix, k->len) || lpm4_add(t, k->prefix, k->len, k->nh))
			exit(1);
		if (i % 64 == 0)
			lpm4_quiescent(t);
	}
	return (lpm_cycles() - from) / (2 * CHURN);
}

static double time_fib_churn(struct peer_fib *fib, const struct routes *r)
{
	double from = lpm_cycles();
	uint64_t seed = 3;

	for (uint32_t i = 0; i < CHURN; i++) {
		const struct route *k = routes_pick(r, &seed);

		if (peer_fib_delete(fib, k) || peer_fib_add(fib, k))
			exit(1);
	}
	return (lpm_cycles() - from) / (2 * CHURN);
}

static void print_adds(const char *order, const char *name, double cycles, double ratio)
{
	printf("lpm/%s/%-26s %8.1f cycles/add %8.3f Madd/s ratio %.2f\n", order, name, cycles,
	       lpm_tsc_hz / cycles / 1e6, ratio);
}

void lpm_bench_adds(const struct routes *r, const char *order, unsigned rounds)
{
	double ours[5], fib[5], a, b;

	rounds = rounds < 5 ? rounds : 5;
	for (unsigned i = 0; i < rounds; i++) {
		ours[i] = time_lpm4_adds(r);
		fib[i] = time_fib_adds(r);
	}
	a = lpm_median(ours, rounds);
	b = lpm_median(fib, rounds);
	print_adds(order, "lpm4", a, b / a);
	print_adds(order, "rte_fib", b, 1);
	printf("lpm/%s/load/lpm4 %26.3f s for %u prefixes, rte_fib %.3f s\n", order,
	       a * r->count / lpm_tsc_hz, r->count, b * r->count / lpm_tsc_hz);
}

void lpm_bench_churn(const struct routes *r, struct lpm4 *t, struct peer_fib *fib, unsigned rounds)
{
	double ours[64], theirs[64], a, b;

	lpm4_set_live(t, true);
	for (unsigned i = 0; i < rounds; i++) {
		ours[i] = time_lpm4_churn(t, r);
		theirs[i] = time_fib_churn(fib, r);
	}
	a = lpm_median(ours, rounds);
	b = lpm_median(theirs, rounds);
	print_adds("update/live", "lpm4", a, b / a);
	print_adds("update/live", "rte_fib", b, 1);
}

void lpm_bench_peer_adds(const struct routes *r, uint32_t n)
{
	double cycles = peer_lpm_time_adds(r->route, n < r->count ? n : r->count);

	if (cycles > 0)
		printf("lpm/add/first-%u/rte_lpm %18.1f cycles/add\n", n < r->count ? n : r->count,
		       cycles);
}
