// SPDX-License-Identifier: BSD-3-Clause
// lpm6.c - benchmark of the IPv6 prefix table beside DPDK's rte_fib6 (trie), in the same run
//
// All tables hold the same prefixes and are first compared with each other. Then they take turns
// for a number of rounds; the figures are medians. ratio is the better peer's cycles over ours (or
// over that peer's own): above 1 is faster than the better of the peers.
#include "netstack/lpm6.h"
#include "perf/lpm6_peers.h"
#include "perf/lpm6_live.h"
#include "perf/lpm_peers.h"
#include "perf/lpm_time.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRS	 (1u << 19)
#define CHUNK	 2048u
#define BURST	 64u
#define ROUNDS	 9u
#define CHURN	 50000u
#define PATTERNS 3

typedef uint8_t addr6[16];

struct row {
	const char *name;
	void (*lookup)(void *table, const uint8_t (*addrs)[16], void *nhs, unsigned n);
	uint32_t (*answer)(const void *nhs, unsigned i); // i-th next hop, 0 where none matches
	void *table;
	bool peer;
	double cycles[PATTERNS][ROUNDS];
};

static const char *const pattern_names[PATTERNS] = {"random", "in-prefix", "in-order"};

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static int make_patterns(addr6 *addrs[PATTERNS], const struct routes6 *r)
{
	uint64_t seed = 7;

	for (unsigned p = 0; p < PATTERNS; p++) {
		addrs[p] = malloc(ADDRS * sizeof(addr6));
		if (!addrs[p])
			return -ENOMEM;
		for (uint32_t i = 0; i < ADDRS; i++)
			routes6_draw(r, p > 0, &seed, addrs[p][i]);
	}
	qsort(addrs[2], ADDRS, sizeof(addr6), by_address);
	return 0;
}

static void lookup_lpm6(void *table, const uint8_t (*addrs)[16], void *nhs, unsigned n)
{
	lpm6_lookup_bulk(table, addrs, nhs, n);
}

static void lookup_lpm6_single(void *table, const uint8_t (*addrs)[16], void *nhs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		((uint32_t *)nhs)[i] = lpm6_lookup(table, addrs[i]);
}

static uint32_t answer_lpm6(const void *nhs, unsigned i)
{
	uint32_t nh = ((const uint32_t *)nhs)[i];

	return nh == LPM6_MISS ? 0 : nh;
}

// One turn, as in lpm.c: each chunk of addresses is brought into the cache first, the table is
// not, and the median chunk stands for the turn.
static double time_lookups(const struct row *row, addr6 *addrs)
{
	static addr6 hot[CHUNK];
	static double taken[ADDRS / CHUNK];
	uint64_t nhs[BURST] __attribute__((aligned(64)));

	for (uint32_t c = 0; c < ADDRS / CHUNK; c++) {
		uint64_t from;

		memcpy(hot, addrs + c * CHUNK, sizeof(hot));
		from = __builtin_ia32_rdtsc();
		for (uint32_t i = 0; i < CHUNK; i += BURST)
			row->lookup(row->table, (const uint8_t(*)[16])hot + i, nhs, BURST);
		taken[c] = (double)(__builtin_ia32_rdtsc() - from) / CHUNK;
	}
	return lpm_median(taken, ADDRS / CHUNK);
}

// compare - all rows give the same answers, or the figures would mean nothing.
static int compare(const struct row *rows, unsigned n, addr6 *addrs)
{
	uint64_t want[BURST], got[BURST];

	for (uint32_t i = 0; i < ADDRS; i += BURST) {
		const uint8_t(*burst)[16] = (const uint8_t(*)[16])addrs + i;

		rows->lookup(rows->table, burst, want, BURST);
		for (unsigned k = 1; k < n; k++) {
			rows[k].lookup(rows[k].table, burst, got, BURST);
			for (unsigned j = 0; j < BURST; j++) {
				uint32_t x = rows->answer(want, j), y = rows[k].answer(got, j);

				if (x == y)
					continue;
				fprintf(stderr, "perf-lpm6: address %u: %s says %u, %s says %u\n",
					i + j, rows->name, x, rows[k].name, y);
				return -EINVAL;
			}
		}
	}
	return 0;
}

static void print_lookups(struct row *rows, unsigned n)
{
	for (unsigned p = 0; p < PATTERNS; p++) {
		double taken[8], best = 0;

		for (unsigned k = 0; k < n; k++) {
			taken[k] = lpm_median(rows[k].cycles[p], ROUNDS);
			if (rows[k].peer && (best == 0 || taken[k] < best))
				best = taken[k];
		}
		for (unsigned k = 0; k < n; k++)
			printf("lpm6/lookup/%s/%-22s %8.1f cycles/pkt %8.2f Mpps  ratio %.2f\n",
			       pattern_names[p], rows[k].name, taken[k],
			       lpm_tsc_hz / taken[k] / 1e6, best / taken[k]);
	}
}

// Updates --------------------------------------------------------------------------------------

static struct lpm6 *load_lpm6(const struct routes6 *r, const struct lpm6_conf *conf)
{
	struct lpm6 *t = lpm6_create(conf);

	for (uint32_t i = 0; t && i < r->count; i++)
		if (lpm6_add(t, r->route[i].prefix, r->route[i].len, r->route[i].nh))
			return NULL;
	return t;
}

static void bench_adds(const struct routes6 *r, const char *order)
{
	double ours[3], theirs[3], a, b;

	for (unsigned i = 0; i < 3; i++) {
		double from = lpm_cycles();
		struct lpm6 *t = load_lpm6(r, NULL);
		struct peer_fib6 *fib;

		ours[i] = (lpm_cycles() - from) / r->count;
		lpm6_destroy(t);
		fib = peer_fib6_create(r->count, true);
		from = lpm_cycles();
		for (uint32_t k = 0; fib && k < r->count; k++)
			if (peer_fib6_add(fib, r->route + k))
				exit(1);
		theirs[i] = (lpm_cycles() - from) / r->count;
		peer_fib6_destroy(fib);
	}
	a = lpm_median(ours, 3);
	b = lpm_median(theirs, 3);
	printf("lpm6/add/%s/lpm6 %14.1f cycles/add %8.3f Madd/s ratio %.2f\n", order, a,
	       lpm_tsc_hz / a / 1e6, b / a);
	printf("lpm6/add/%s/rte_fib6 %10.1f cycles/add %8.3f Madd/s ratio 1.00\n", order, b,
	       lpm_tsc_hz / b / 1e6);
}

// A withdrawal and a new announcement, of prefixes all over a full table. Cycles for one of either,
// 0 if the table refuses.
static double time_churn(const struct routes6 *r, uint64_t seed, struct lpm6 *t,
			 struct peer_fib6 *fib)
{
	double from = lpm_cycles();
	int err = 0;

	for (uint32_t k = 0; k < CHURN && !err; k++) {
		const struct route6 *x = routes6_pick(r, &seed);

		err = t ? lpm6_delete(t, x->prefix, x->len) : peer_fib6_delete(fib, x);
		if (!err)
			err = t ? lpm6_add(t, x->prefix, x->len, x->nh) : peer_fib6_add(fib, x);
		if (t && k % 64 == 0)
			lpm6_quiescent(t);
	}
	return err ? 0 : (lpm_cycles() - from) / (2 * CHURN);
}

static void bench_churn(const struct routes6 *r, struct lpm6 *t, struct peer_fib6 *fib)
{
	double ours[5], theirs[5], a, b;

	lpm6_set_live(t, true);
	for (unsigned i = 0; i < 5; i++) {
		ours[i] = time_churn(r, 3 + i, t, NULL);
		theirs[i] = time_churn(r, 3 + i, NULL, fib);
	}
	a = lpm_median(ours, 5);
	b = lpm_median(theirs, 5);
	printf("lpm6/update/live/lpm6 %12.1f cycles %8.3f M/s ratio %.2f\n", a,
	       lpm_tsc_hz / a / 1e6, b > 0 ? b / a : 1);
	if (b == 0)
		printf("lpm6/update/live/rte_fib6 runs out of the groups that it reserves\n");
	else
		printf("lpm6/update/live/rte_fib6 %8.1f cycles %8.3f M/s ratio 1.00\n", b,
		       lpm_tsc_hz / b / 1e6);
}

static void print_memory(const char *name, size_t bytes, uint32_t count)
{
	printf("lpm6/memory/%-20s %8.2f MiB %8.1f bytes/prefix\n", name, (double)bytes / (1 << 20),
	       (double)bytes / count);
}

static int run(struct routes6 *r)
{
	struct lpm6 *best = load_lpm6(r, NULL);
	struct lpm6 *scalar = load_lpm6(r, &(struct lpm6_conf){.simd = LPM6_SIMD_SCALAR});
	struct peer_fib6 *wide = peer_fib6_load(r, true), *plain = peer_fib6_load(r, false);
	addr6 *addrs[PATTERNS];

	if (!best || !scalar || !wide || !plain || make_patterns(addrs, r))
		return -ENOMEM;
	struct row rows[] = {
		{"lpm6-best", lookup_lpm6, answer_lpm6, best, false, {{0}}},
		{"lpm6-scalar", lookup_lpm6, answer_lpm6, scalar, false, {{0}}},
		{"lpm6-one-by-one", lookup_lpm6_single, answer_lpm6, scalar, false, {{0}}},
		{peer_fib6_wide(wide) ? "rte_fib6-avx512" : "rte_fib6",
		 peer_fib6_lookup,
		 peer_fib6_answer,
		 wide,
		 true,
		 {{0}}},
		{"rte_fib6-scalar", peer_fib6_lookup, peer_fib6_answer, plain, true, {{0}}},
	};
	const unsigned n = sizeof(rows) / sizeof(rows[0]);

	printf("lpm6/table %u prefixes, bursts of %u, %u rounds, TSC %.2f GHz; lpm6-best is %s\n",
	       r->count, BURST, ROUNDS, lpm_tsc_hz / 1e9, lpm6_simd_name(best));
	print_memory("lpm6", lpm6_memory(best), r->count);
	print_memory("lpm6-lookups-read", lpm6_fib_memory(best), r->count);
	print_memory("rte_fib6", peer_fib6_memory(wide), r->count);
	for (unsigned p = 0; p < PATTERNS; p++)
		if (compare(rows, n, addrs[p]))
			return -EINVAL;
	for (unsigned k = 0; k < ROUNDS; k++)
		for (unsigned p = 0; p < PATTERNS; p++)
			for (unsigned i = 0; i < n; i++)
				rows[(i + k) % n].cycles[p][k] =
					time_lookups(rows + (i + k) % n, addrs[p]);
	print_lookups(rows, n);
	bench_churn(r, best, wide);
	peer_fib6_destroy(plain);
	peer_fib6_destroy(wide);
	if (lpm6_bench_live(r))
		return -EIO;
	bench_adds(r, "as-given");
	routes6_shuffle(r);
	bench_adds(r, "shuffled");
	return 0;
}

int main(int argc, char **argv)
{
	struct routes6 r;
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--routes"))) {
		fputs("usage: perf-lpm6 [--routes FILE]\n"
		      "  --routes FILE   prefixes, one a line, plain or gzip; default: 160,000\n"
		      "                  random ones that resemble the Internet's table\n",
		      stderr);
		return 2;
	}
	err = argc == 3 ? routes6_load(&r, argv[2]) : routes6_synthetic(&r, 160000);
	if (err) {
		fprintf(stderr, "perf-lpm6: --routes %s: %s\n", argc == 3 ? argv[2] : "(random)",
			strerror(-err));
		return 1;
	}
	routes6_assign(&r, 16384);
	lpm_measure_tsc();
	if (peer_start(false))
		return 1;
	err = run(&r);
	if (err)
		fprintf(stderr, "perf-lpm6: %s\n", strerror(-err));
	routes6_free(&r);
	return err ? 1 : 0;
}
