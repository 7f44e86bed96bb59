// SPDX-License-Identifier: BSD-3-Clause
// lpm4.c - longest-prefix match: the table as a whole, and the memory that readers may still hold
#include "netstack/lpm4_priv.h"
#include "core/x86_64/cpu.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_BYTES (LPM4_SLOTS * sizeof(uint32_t))
#define FIRST_ROOM (128u << 10) // for blocks, and for prefixes as well

static_assert(sizeof(struct lpm_group) == 8, "a full table has 2^18 of them");

void lpm4_clear_nodes(uint16_t *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		nodes[i] = LPM_ABSENT;
}

static int choose_bulk(struct lpm4 *t, enum lpm4_simd simd)
{
	bool wide = simd != LPM4_SIMD_SCALAR && cpu_has_avx512_vpopcntdq();

	if (simd == LPM4_SIMD_AVX512 && !wide)
		return -ENOTSUP;
	t->bulk = wide ? lpm4_bulk_avx512 : lpm4_bulk_scalar;
	return 0;
}

struct lpm4 *lpm4_create(const struct lpm4_conf *conf)
{
	static const struct lpm4_conf defaults;
	struct lpm4 *t = calloc(1, sizeof(*t));
	size_t routes;
	int err = -ENOMEM;

	conf = conf ? conf : &defaults;
	if (!t)
		goto fail;
	err = choose_bulk(t, conf->simd);
	if (err)
		goto fail;
	// The table of the Internet takes 3.6 and 4.8 bytes a prefix.
	routes = conf->max_routes < 1u << 26 ? conf->max_routes : 1u << 26;
	err = lpm_pool_init(&t->fib.pool, ROOT_BYTES, ROOT_BYTES + FIRST_ROOM + 4 * routes);
	if (!err)
		err = lpm_pool_init(&t->rib, 0, FIRST_ROOM + 5 * routes);
	if (err)
		goto fail;
	t->def = LPM4_MISS;
	t->fib_first = t->fib.pool.size;
	t->rib_first = t->rib.size;
	lpm4_clear_nodes(t->nodes, 256);
	for (uint32_t i = 0; i < LPM4_SLOTS; i += LPM4_PAGE_SLOTS)
		lpm4_fib_fill(t, i, LPM4_MISS);
	snprintf(t->name, sizeof(t->name), "%s", conf->name ? conf->name : "");
	return t;
fail:
	lpm4_destroy(t);
	errno = -err;
	return NULL;
}

void lpm4_renew(struct lpm4 *t)
{
	void *old;

	lpm_arena_renew(&t->fib, ROOT_BYTES, t->fib_first);
	if (t->rib.size > t->rib_first && !lpm_pool_renew(&t->rib, 0, t->rib_first, &old))
		free(old);
	free(t->handles);
	t->handles = NULL;
	t->handles_used = t->handles_size = t->handles_free = 0;
}

void lpm4_destroy(struct lpm4 *t)
{
	if (!t)
		return;
	lpm_arena_destroy(&t->fib);
	lpm_pool_destroy(&t->rib);
	for (unsigned i = 0; i < 256; i++)
		free(t->pages[i]);
	free(t->handles);
	free(t);
}

uint32_t lpm4_lookup(const struct lpm4 *t, uint32_t addr)
{
	uint32_t nh = lpm4_fib_lookup(lpm_arena_base(&t->fib), addr);

	return nh == LPM4_MISS ? __atomic_load_n(&t->def, __ATOMIC_RELAXED) : nh;
}

void lpm4_lookup_bulk(const struct lpm4 *t, const uint32_t *addrs, uint32_t *nhs, unsigned n)
{
	uint32_t def = __atomic_load_n(&t->def, __ATOMIC_RELAXED);

	t->bulk(lpm_arena_base(&t->fib), def, addrs, nhs, n);
}

int lpm4_set_default(struct lpm4 *t, uint32_t nh)
{
	if (t->def == LPM4_MISS && nh == LPM4_MISS)
		return -ENOENT;
	t->count += (t->def == LPM4_MISS) - (nh == LPM4_MISS);
	__atomic_store_n(&t->def, nh, __ATOMIC_RELAXED);
	return 0;
}

void lpm4_quiescent(struct lpm4 *t)
{
	lpm_arena_quiescent(&t->fib);
}

void lpm4_set_live(struct lpm4 *t, bool live)
{
	if (live && !t->fib.live) {
		lpm_pool_spare(&t->fib.pool, ROOT_BYTES);
		lpm_pool_spare(&t->rib, 0);
	}
	lpm_arena_set_live(&t->fib, live);
}

size_t lpm4_count(const struct lpm4 *t)
{
	return t->count;
}

size_t lpm4_fib_memory(const struct lpm4 *t)
{
	return t->fib.pool.size;
}

size_t lpm4_memory(const struct lpm4 *t)
{
	size_t bytes = sizeof(*t) + lpm_arena_memory(&t->fib) + t->rib.size;

	for (unsigned i = 0; i < 256; i++)
		bytes += t->pages[i] ? sizeof(*t->pages[i]) : 0;
	bytes += t->handles_size * sizeof(*t->handles);
	return bytes;
}

const char *lpm4_name(const struct lpm4 *t)
{
	return t->name;
}

const char *lpm4_simd_name(const struct lpm4 *t)
{
	return t->bulk == lpm4_bulk_avx512 ? "avx512" : "scalar";
}
