// SPDX-License-Identifier: BSD-3-Clause
// lpm.c - benchmark of the prefix table beside DPDK's rte_fib and rte_lpm, in the same run
//
// All tables hold the same prefixes and are first compared with each other. Then they take turns
// for a number of rounds; the figures are medians. ratio is the better peer's cycles over ours (or
// over that peer's own): above 1 is faster than the better of the peers. rte_lpm's table is written
// out from rte_fib's answers, as rte_lpm_add() would take minutes; its adds are measured on the
// first few thousand prefixes, which flatters it, as each add walks all the rules of its length.
#include "netstack/lpm4_priv.h"
#include "core/x86_64/cpu.h"
#include "perf/lpm4_live.h"
#include "perf/lpm_peers.h"
#include "perf/lpm_time.h"
#include "perf/lpm_update.h"
#include "perf/routes.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDRS	 (1u << 20)
#define CHUNK	 4096u
#define MAX_ROWS 8
#define PATTERNS 3

struct options {
	const char *file;
	uint32_t next_hops, rounds, burst, lpm_adds;
	const char *pages;
};

struct row {
	const char *name;
	void (*lookup)(void *table, const uint32_t *addrs, void *nhs, unsigned n);
	uint32_t (*answer)(const void *nhs, unsigned i); // i-th next hop, 0 where none matches
	void *table;
	bool peer;
	double cycles[PATTERNS][64];
};

static int by_address(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

// Patterns of addresses ------------------------------------------------------------------------

static const char *const pattern_names[PATTERNS] = {"random", "in-prefix", "in-order"};

static uint32_t draw(const struct routes *r, bool in_prefix, uint64_t *seed)
{
	uint32_t addr = routes_random(seed);
	const struct route *in = routes_pick(r, seed);

	return in_prefix ? in->prefix | (uint32_t)((uint64_t)addr >> in->len) : addr;
}

static int make_patterns(uint32_t *addrs[PATTERNS], const struct routes *r)
{
	uint64_t seed = 7;

	for (unsigned p = 0; p < PATTERNS; p++) {
		addrs[p] = malloc(ADDRS * sizeof(uint32_t));
		if (!addrs[p])
			return -ENOMEM;
		for (uint32_t i = 0; i < ADDRS; i++)
			addrs[p][i] = draw(r, p > 0, &seed);
	}
	qsort(addrs[2], ADDRS, sizeof(uint32_t), by_address);
	return 0;
}

// Lookups --------------------------------------------------------------------------------------

static void lookup_lpm4(void *table, const uint32_t *addrs, void *nhs, unsigned n)
{
	lpm4_lookup_bulk(table, addrs, nhs, n);
}

static void lookup_lpm4_single(void *table, const uint32_t *addrs, void *nhs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		((uint32_t *)nhs)[i] = lpm4_lookup(table, addrs[i]);
}

static uint32_t answer_lpm4(const void *nhs, unsigned i)
{
	uint32_t nh = ((const uint32_t *)nhs)[i];

	return nh == LPM4_MISS ? 0 : nh;
}

// One turn. In a router the addresses come out of headers that were just parsed, so each chunk is
// brought into the cache first; the table is not. The median chunk stands for the turn: those in
// which the thread lost its processor do not count.
static double time_lookups(const struct row *row, const uint32_t *addrs, unsigned burst)
{
	static uint32_t hot[CHUNK];
	static double taken[ADDRS / CHUNK];
	uint64_t nhs[512] __attribute__((aligned(64)));

	for (uint32_t c = 0; c < ADDRS / CHUNK; c++) {
		uint64_t from;

		memcpy(hot, addrs + c * CHUNK, sizeof(hot));
		from = __builtin_ia32_rdtsc();
		for (uint32_t i = 0; i + burst <= CHUNK; i += burst)
			row->lookup(row->table, hot + i, nhs, burst);
		taken[c] = (double)(__builtin_ia32_rdtsc() - from) / (CHUNK / burst * burst);
	}
	return lpm_median(taken, ADDRS / CHUNK);
}

static int compare_burst(const struct row *a, const struct row *b, const uint32_t *addrs)
{
	uint64_t want[64], got[64];

	a->lookup(a->table, addrs, want, 64);
	b->lookup(b->table, addrs, got, 64);
	for (unsigned i = 0; i < 64; i++) {
		uint32_t x = a->answer(want, i), y = b->answer(got, i);

		if (x == y)
			continue;
		fprintf(stderr, "perf-lpm: address 0x%08x: %s says %u, %s says %u\n", addrs[i],
			a->name, x, b->name, y);
		return -EINVAL;
	}
	return 0;
}

// compare - all rows give the same answers, or the figures would mean nothing.
static int compare(const struct row *rows, unsigned n, uint32_t *addrs[PATTERNS])
{
	for (unsigned p = 0; p < PATTERNS; p++)
		for (uint32_t i = 0; i < ADDRS; i += 64)
			for (unsigned k = 1; k < n; k++)
				if (compare_burst(rows, rows + k, addrs[p] + i))
					return -EINVAL;
	return 0;
}

static void print_lookups(struct row *rows, unsigned n, unsigned rounds)
{
	for (unsigned p = 0; p < PATTERNS; p++) {
		double taken[MAX_ROWS], best = 0;

		for (unsigned k = 0; k < n; k++) {
			taken[k] = lpm_median(rows[k].cycles[p], rounds);
			if (rows[k].peer && (best == 0 || taken[k] < best))
				best = taken[k];
		}
		for (unsigned k = 0; k < n; k++)
			printf("lpm/lookup/%s/%-22s %8.1f cycles/pkt %8.2f Mpps  ratio %.2f\n",
			       pattern_names[p], rows[k].name, taken[k],
			       lpm_tsc_hz / taken[k] / 1e6, best / taken[k]);
	}
}

static int bench_lookups(struct row *rows, unsigned n, uint32_t *addrs[PATTERNS],
			 const struct options *o)
{
	int err = compare(rows, n, addrs);

	if (err)
		return err;
	for (unsigned r = 0; r < o->rounds; r++)
		for (unsigned p = 0; p < PATTERNS; p++)
			for (unsigned k = 0; k < n; k++) {
				struct row *row = rows + (k + r) % n;

				row->cycles[p][r] = time_lookups(row, addrs[p], o->burst);
			}
	print_lookups(rows, n, o->rounds);
	return 0;
}

// The run --------------------------------------------------------------------------------------

static struct lpm4 *load_lpm4(const struct routes *r, enum lpm4_simd simd)
{
	struct lpm4 *t = lpm4_create(&(struct lpm4_conf){.simd = simd, .max_routes = r->count});

	for (uint32_t i = 0; t && i < r->count; i++)
		if (lpm4_add(t, r->route[i].prefix, r->route[i].len, r->route[i].nh))
			return NULL;
	return t;
}

static void print_memory(const char *name, size_t bytes, uint32_t count, const void *lookups)
{
	char pages[64];

	peer_describe_pages(lookups, pages, sizeof(pages));
	printf("lpm/memory/%-29s %8.2f MiB %8.1f bytes/prefix; lookups read %s\n", name,
	       (double)bytes / (1 << 20), (double)bytes / count, pages);
}

static int add_peers(struct row *rows, unsigned *n, const struct routes *r, struct peer_fib **fib)
{
	static const char *const names[2] = {"rte_fib-2B", "rte_fib-4B"};
	struct peer_lpm *lpm;

	for (unsigned i = 0; i < 2; i++) {
		*fib = peer_fib_load(2 << i, r->route, r->count);
		if (!*fib)
			return -ENOMEM;
		rows[(*n)++] = (struct row){.name = names[i],
					    .lookup = peer_fib_lookup,
					    .answer = peer_fib_answer,
					    .table = *fib,
					    .peer = true};
		print_memory(names[i], peer_fib_memory(*fib), r->count, peer_fib_table(*fib));
		printf("lpm/peer/%s uses %s\n", names[i], peer_fib_simd(*fib));
	}
	lpm = peer_lpm_write(*fib, r->route, r->count);
	if (!lpm)
		return -ENOMEM;
	rows[(*n)++] = (struct row){.name = "rte_lpm",
				    .lookup = peer_lpm_lookup,
				    .answer = peer_lpm_answer,
				    .table = lpm,
				    .peer = true};
	rows[(*n)++] = (struct row){.name = "rte_lpm-x4",
				    .lookup = peer_lpm_lookup_x4,
				    .answer = peer_lpm_answer,
				    .table = lpm,
				    .peer = true};
	print_memory("rte_lpm", peer_lpm_memory(lpm), r->count, lpm);
	return 0;
}

static void add_ours(struct row *rows, unsigned *n, struct lpm4 *best, struct lpm4 *scalar)
{
	if (best->bulk != scalar->bulk)
		rows[(*n)++] = (struct row){.name = "lpm4-avx512",
					    .lookup = lookup_lpm4,
					    .answer = answer_lpm4,
					    .table = best};
	rows[(*n)++] = (struct row){.name = "lpm4-scalar",
				    .lookup = lookup_lpm4,
				    .answer = answer_lpm4,
				    .table = scalar};
	rows[(*n)++] = (struct row){.name = "lpm4-one-by-one",
				    .lookup = lookup_lpm4_single,
				    .answer = answer_lpm4,
				    .table = scalar};
}

static int run(struct routes *r, const struct options *o)
{
	struct lpm4 *best = load_lpm4(r, LPM4_SIMD_AUTO), *scalar = load_lpm4(r, LPM4_SIMD_SCALAR);
	uint32_t *addrs[PATTERNS];
	struct row rows[MAX_ROWS];
	struct peer_fib *fib;
	unsigned n = 0;

	if (!best || !scalar)
		return -ENOMEM;
	printf("lpm/table %u prefixes, %u next hops, bursts of %u, %u rounds, TSC %.2f GHz\n",
	       r->count, o->next_hops, o->burst, o->rounds, lpm_tsc_hz / 1e9);
	print_memory("lpm4", lpm4_memory(best), r->count, best->fib.pool.base);
	printf("lpm/memory/lpm4-of-which-lookups %12.2f MiB\n",
	       (double)best->fib.pool.used / (1 << 20));
	add_ours(rows, &n, best, scalar);
	if (add_peers(rows, &n, r, &fib) || make_patterns(addrs, r))
		return -ENOMEM;
	if (bench_lookups(rows, n, addrs, o))
		return -EINVAL;
	lpm_bench_churn(r, best, fib, o->rounds);
	lpm_bench_adds(r, "add/as-given", o->rounds);
	routes_shuffle(r);
	lpm_bench_adds(r, "add/shuffled", o->rounds);
	lpm_bench_peer_adds(r, o->lpm_adds);
	return lpm4_bench_live(r);
}

static const char usage[] =
	"usage: perf-lpm [--routes FILE] [--next-hops N] [--rounds N] [--burst N]\n"
	"                [--pages 4k|huge] [--lpm-adds N]\n"
	"  --routes FILE   prefixes, one a line, plain or gzip; default: 900,000 random ones with\n"
	"                  the lengths of the Internet's table\n"
	"  --next-hops N   assigned by a hash of the prefix, default 16384, at most 32000\n"
	"  --rounds N      default 9, at most 63\n"
	"  --burst N       addresses a call, default 64, at most 512\n"
	"  --pages huge    2 MiB pages from the kernel's pool for all tables, ours too; needs\n"
	"                  about 1.5 GiB of them. Default 4k: no hugepages, no root\n"
	"  --lpm-adds N    how many adds of rte_lpm to measure, default 20000\n";

static uint32_t number(const char *text, uint32_t low, uint32_t high, const char *option)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*end || v < low || v > high) {
		fprintf(stderr, "perf-lpm: --%s %s: expected %u to %u\n", option, text, low, high);
		exit(2);
	}
	return (uint32_t)v;
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"routes", 1, NULL, 'r'}, {"next-hops", 1, NULL, 'n'}, {"rounds", 1, NULL, 'k'},
		{"burst", 1, NULL, 'b'},  {"pages", 1, NULL, 'p'},     {"lpm-adds", 1, NULL, 'l'},
		{"help", 0, NULL, 'h'},	  {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'r':
			o->file = optarg;
			break;
		case 'n':
			o->next_hops = number(optarg, 1, 32000, "next-hops");
			break;
		case 'k':
			o->rounds = number(optarg, 1, 63, "rounds");
			break;
		case 'b':
			o->burst = number(optarg, 1, 512, "burst");
			break;
		case 'l':
			o->lpm_adds = number(optarg, 1, 10000000, "lpm-adds");
			break;
		case 'p':
			o->pages = optarg;
			break;
		default:
			fputs(usage, c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 2);
		}
	}
}

// Ours come from malloc: glibc takes hugepages for it if told before the program starts.
static void want_hugepages(char **argv)
{
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=2", 1);
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	struct options o = {
		.next_hops = 16384, .rounds = 9, .burst = 64, .lpm_adds = 20000, .pages = "4k"};
	struct routes r;
	bool huge;
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argc, argv, &o);
	huge = !strcmp(o.pages, "huge");
	if (!huge && strcmp(o.pages, "4k")) {
		fprintf(stderr, "perf-lpm: --pages %s: expected 4k or huge\n", o.pages);
		return 2;
	}
	if (huge)
		want_hugepages(argv);
	err = o.file ? routes_load(&r, o.file) : routes_synthetic(&r, 900000);
	if (err) {
		fprintf(stderr, "perf-lpm: --routes %s: %s\n", o.file ? o.file : "(random)",
			strerror(-err));
		return 1;
	}
	routes_assign(&r, o.next_hops);
	lpm_measure_tsc();
	if (peer_start(huge))
		return 1;
	err = run(&r, &o);
	if (err)
		fprintf(stderr, "perf-lpm: %s\n", strerror(-err));
	routes_free(&r);
	return err ? 1 : 0;
}
