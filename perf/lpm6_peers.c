// SPDX-License-Identifier: BSD-3-Clause
// lpm6_peers.c - DPDK's rte_fib6, as the IPv6 prefix table's benchmark needs it
#include "perf/lpm6_peers.h"

#include <rte_errno.h>
#include <rte_fib6.h>
#include <rte_malloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TBL8 262144u // groups of 256 below a /24; rte_fib6 reserves far more than it fills

struct peer_fib6 {
	struct rte_fib6 *fib;
	bool wide;
	size_t heap_before, memory;
};

static size_t heap_used(void)
{
	struct rte_malloc_socket_stats s = {0};

	rte_malloc_get_socket_stats(0, &s);
	return s.heap_allocsz_bytes;
}

struct peer_fib6 *peer_fib6_create(uint32_t max_routes, bool wide)
{
	static unsigned serial;
	struct rte_fib6_conf conf = {
		.type = RTE_FIB6_TRIE,
		.default_nh = 0,
		.max_routes = (int)max_routes * 2,
		.trie = {.nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = TBL8},
	};
	struct peer_fib6 *p = calloc(1, sizeof(*p));
	char name[32];

	if (!p)
		return NULL;
	snprintf(name, sizeof(name), "fib6_%u", serial++);
	p->heap_before = heap_used();
	p->fib = rte_fib6_create(name, 0, &conf);
	if (!p->fib) {
		fprintf(stderr, "rte_fib6_create: %s\n", rte_strerror(rte_errno));
		free(p);
		return NULL;
	}
	p->wide = wide && rte_fib6_select_lookup(p->fib, RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512) == 0;
	if (!wide)
		rte_fib6_select_lookup(p->fib, RTE_FIB6_LOOKUP_TRIE_SCALAR);
	return p;
}

int peer_fib6_add(struct peer_fib6 *p, const struct route6 *r)
{
	return rte_fib6_add(p->fib, r->prefix, r->len, r->nh);
}

int peer_fib6_delete(struct peer_fib6 *p, const struct route6 *r)
{
	return rte_fib6_delete(p->fib, r->prefix, r->len);
}

struct peer_fib6 *peer_fib6_load(const struct routes6 *r, bool wide)
{
	struct peer_fib6 *p = peer_fib6_create(r->count, wide);

	for (uint32_t i = 0; p && i < r->count; i++) {
		int err = peer_fib6_add(p, r->route + i);

		if (err) {
			fprintf(stderr, "rte_fib6_add, prefix %u of length %u: %s\n", i,
				r->route[i].len, strerror(-err));
			return NULL;
		}
	}
	if (p)
		p->memory = heap_used() - p->heap_before;
	return p;
}

void peer_fib6_destroy(struct peer_fib6 *p)
{
	rte_fib6_free(p->fib);
	free(p);
}

void peer_fib6_lookup(void *table, const uint8_t (*addrs)[16], void *nhs, unsigned n)
{
	struct peer_fib6 *p = table;

	rte_fib6_lookup_bulk(p->fib, (uint8_t(*)[16])(uintptr_t)addrs, nhs, (int)n);
}

uint32_t peer_fib6_answer(const void *nhs, unsigned i)
{
	return (uint32_t)((const uint64_t *)nhs)[i];
}

size_t peer_fib6_memory(const struct peer_fib6 *p)
{
	return p->memory;
}

bool peer_fib6_wide(const struct peer_fib6 *p)
{
	return p->wide;
}
