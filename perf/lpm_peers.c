// SPDX-License-Identifier: BSD-3-Clause
// lpm_peers.c - DPDK's rte_fib and rte_lpm, as the prefix table's benchmark needs them
#include "perf/lpm_peers.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_lpm.h>
#include <rte_malloc.h>
#include <rte_vect.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TBL8 2048u // groups of 256 below a /24: ample for a table of the Internet

struct peer_fib {
	struct rte_fib *fib;
	bool avx512;
	size_t heap_before;
	size_t memory;
};

int peer_start(bool hugepages)
{
	char *argv[] = {"perf-lpm",
			"--no-pci",
			"--no-telemetry",
			"-l",
			"0",
			"--log-level=error",
			"--force-max-simd-bitwidth=512",
			"--in-memory",
			NULL,
			NULL,
			NULL,
			NULL};
	int argc = 8;

	if (!hugepages) { // which --in-memory does not go with
		argv[7] = "--no-shconf";
		argv[argc++] = "--no-huge";
		argv[argc++] = "-m";
		argv[argc++] = "2048";
	}
	return rte_eal_init(argc, argv) < 0 ? -1 : 0;
}

static size_t heap_used(void)
{
	struct rte_malloc_socket_stats s = {0};

	rte_malloc_get_socket_stats(0, &s);
	return s.heap_allocsz_bytes;
}

struct peer_fib *peer_fib_create(unsigned nh_bytes, uint32_t max_routes)
{
	static unsigned serial;
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.default_nh = 0,
		.max_routes = (int)max_routes,
		.dir24_8 = {.nh_sz = nh_bytes == 2 ? RTE_FIB_DIR24_8_2B : RTE_FIB_DIR24_8_4B,
			    .num_tbl8 = TBL8},
	};
	struct peer_fib *p = calloc(1, sizeof(*p));
	char name[32];

	if (!p)
		return NULL;
	snprintf(name, sizeof(name), "fib%u", serial++);
	p->heap_before = heap_used();
	p->fib = rte_fib_create(name, 0, &conf);
	if (!p->fib) {
		fprintf(stderr, "rte_fib_create: %s\n", rte_strerror(rte_errno));
		free(p);
		return NULL;
	}
	p->avx512 = rte_fib_select_lookup(p->fib, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512) == 0;
	return p;
}

int peer_fib_add(struct peer_fib *p, const struct route *r)
{
	return rte_fib_add(p->fib, r->prefix, r->len, r->nh);
}

struct peer_fib *peer_fib_load(unsigned nh_bytes, const struct route *r, uint32_t count)
{
	struct peer_fib *p = peer_fib_create(nh_bytes, count);

	for (uint32_t i = 0; p && i < count; i++) {
		int err = peer_fib_add(p, r + i);

		if (err) {
			fprintf(stderr, "rte_fib_add 0x%08x/%u: %s\n", r[i].prefix, r[i].len,
				strerror(-err));
			return NULL;
		}
	}
	if (p)
		p->memory = heap_used() - p->heap_before;
	return p;
}

void peer_fib_destroy(struct peer_fib *p)
{
	rte_fib_free(p->fib);
	free(p);
}

int peer_fib_delete(struct peer_fib *p, const struct route *r)
{
	return rte_fib_delete(p->fib, r->prefix, r->len);
}

void peer_fib_lookup(void *table, const uint32_t *addrs, void *nhs, unsigned n)
{
	struct peer_fib *p = table;

	rte_fib_lookup_bulk(p->fib, (uint32_t *)(uintptr_t)addrs, nhs, (int)n);
}

uint32_t peer_fib_answer(const void *nhs, unsigned i)
{
	return (uint32_t)((const uint64_t *)nhs)[i];
}

size_t peer_fib_memory(const struct peer_fib *p)
{
	return p->memory;
}

const void *peer_fib_table(const struct peer_fib *p)
{
	return (const char *)rte_fib_get_dp(p->fib) + 4096;
}

const char *peer_fib_simd(const struct peer_fib *p)
{
	return p->avx512 ? "AVX-512" : "its default lookup";
}

// rte_lpm --------------------------------------------------------------------------------------

static uint32_t fib_answer(struct peer_fib *fib, uint32_t addr)
{
	uint64_t nh;

	peer_fib_lookup(fib, &addr, &nh, 1);
	return (uint32_t)nh;
}

static struct rte_lpm_tbl_entry entry(uint32_t nh, bool group)
{
	return (struct rte_lpm_tbl_entry){
		.next_hop = nh, .valid = nh != 0 || group, .valid_group = group, .depth = 24};
}

// write_group - the addresses of one /24 into a tbl8 group of their own.
static void write_group(struct rte_lpm *lpm, struct peer_fib *fib, uint32_t prefix, uint32_t group)
{
	for (uint32_t i = 0; i < 256; i++)
		lpm->tbl8[group * 256 + i] = entry(fib_answer(fib, prefix | i), false);
	lpm->tbl24[prefix >> 8] = entry(group, true);
}

struct peer_lpm *peer_lpm_write(struct peer_fib *fib, const struct route *r, uint32_t count)
{
	struct rte_lpm_config conf = {.max_rules = 1, .number_tbl8s = TBL8};
	struct rte_lpm *lpm = rte_lpm_create("lpm", 0, &conf);
	uint32_t groups = 0;

	if (!lpm) {
		fprintf(stderr, "rte_lpm_create: %s\n", rte_strerror(rte_errno));
		return NULL;
	}
	for (uint32_t i = 0; i < RTE_LPM_TBL24_NUM_ENTRIES; i++)
		lpm->tbl24[i] = entry(fib_answer(fib, i << 8), false);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t prefix = r[i].prefix & ~255u;

		if (r[i].len <= 24 || lpm->tbl24[prefix >> 8].valid_group)
			continue;
		if (groups == TBL8)
			return NULL;
		write_group(lpm, fib, prefix, groups++);
	}
	return (struct peer_lpm *)lpm;
}

void peer_lpm_lookup(void *table, const uint32_t *addrs, void *nhs, unsigned n)
{
	rte_lpm_lookup_bulk((struct rte_lpm *)table, addrs, (uint32_t *)nhs, n);
}

void peer_lpm_lookup_x4(void *table, const uint32_t *addrs, void *nhs, unsigned n)
{
	uint32_t *to = nhs;
	unsigned i = 0;

	for (; i + 4 <= n; i += 4)
		rte_lpm_lookupx4(table, _mm_loadu_si128((const __m128i *)(addrs + i)), to + i, 0);
	if (i < n)
		peer_lpm_lookup(table, addrs + i, to + i, n - i);
}

uint32_t peer_lpm_answer(const void *nhs, unsigned i)
{
	return ((const uint32_t *)nhs)[i] & 0xffffff; // the rest are flags; 0 where invalid
}

size_t peer_lpm_memory(const struct peer_lpm *lpm)
{
	return sizeof(struct rte_lpm) + TBL8 * 256 * sizeof(struct rte_lpm_tbl_entry);
}

double peer_lpm_time_adds(const struct route *r, uint32_t n)
{
	struct rte_lpm_config conf = {.max_rules = n, .number_tbl8s = TBL8};
	struct rte_lpm *lpm = rte_lpm_create("adds", 0, &conf);
	uint64_t from = __builtin_ia32_rdtsc(), cycles;

	for (uint32_t i = 0; lpm && i < n; i++)
		if (rte_lpm_add(lpm, r[i].prefix, r[i].len, r[i].nh))
			return 0;
	cycles = __builtin_ia32_rdtsc() - from;
	rte_lpm_free(lpm);
	return lpm ? (double)cycles / n : 0;
}

void peer_describe_pages(const void *p, char *text, size_t size)
{
	FILE *in = fopen("/proc/self/smaps", "r");
	unsigned long low, high, kb, page = 0, thp = 0;
	bool here = false;
	char line[256];

	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%lx-%lx ", &low, &high) == 2)
			here = (uintptr_t)p >= low && (uintptr_t)p < high;
		else if (here && sscanf(line, "KernelPageSize: %lu kB", &kb) == 1)
			page = kb;
		else if (here && (sscanf(line, "AnonHugePages: %lu kB", &kb) == 1 ||
				  sscanf(line, "ShmemPmdMapped: %lu kB", &kb) == 1))
			thp += kb;
	}
	if (in)
		fclose(in);
	snprintf(text, size, "%lu kB pages, %lu kB of them transparent hugepages", page, thp);
}
