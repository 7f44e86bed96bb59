// SPDX-License-Identifier: BSD-3-Clause
// lpm6.c - IPv6 longest-prefix match: the table as a whole
#include "netstack/lpm6_priv.h"
#include "core/x86_64/cpu.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOT_BYTES (LPM6_ARRAY * sizeof(uint32_t))
#define FIRST_ROOM (8u << 10) // for blocks, and for prefixes as well

static_assert(sizeof(struct lpm6_node) == 12, "a full table has 70,000 of them");

static int choose_bulk(struct lpm6 *t, enum lpm6_simd simd)
{
	bool wide = simd != LPM6_SIMD_SCALAR && cpu_has_avx512_vpopcntdq();

	if (simd == LPM6_SIMD_AVX512 && !wide)
		return -ENOTSUP;
	t->bulk = wide ? lpm6_bulk_avx512 : lpm6_bulk_scalar;
	return 0;
}

static int make_root(struct lpm6 *t, size_t routes)
{
	int err;

	// The table of the Internet takes 18 and 6 bytes a prefix.
	err = lpm_pool_init(&t->fib.pool, ROOT_BYTES, ROOT_BYTES + FIRST_ROOM + 16 * routes);
	if (!err)
		err = lpm_pool_init(&t->rib, 0, FIRST_ROOM + 6 * routes);
	if (err)
		return err;
	t->nodes_size = 16 + (uint32_t)routes / 2;
	t->nodes = calloc(t->nodes_size, sizeof(*t->nodes));
	if (!t->nodes)
		return -ENOMEM;
	t->nodes_used = 1;
	t->def = LPM6_MISS;
	t->fib_first = t->fib.pool.size;
	t->rib_first = t->rib.size;
	t->nodes_first = t->nodes_size;
	lpm6_fib_init(t);
	return 0;
}

void lpm6_renew(struct lpm6 *t)
{
	struct lpm6_node *nodes;
	void *old;

	lpm_arena_renew(&t->fib, ROOT_BYTES, t->fib_first);
	if (t->rib.size > t->rib_first && !lpm_pool_renew(&t->rib, 0, t->rib_first, &old))
		free(old);
	if (t->nodes_size == t->nodes_first)
		return;
	nodes = realloc(t->nodes, t->nodes_first * sizeof(*nodes));
	if (!nodes)
		return;
	t->nodes = nodes;
	t->nodes_size = t->nodes_first;
	t->nodes_used = 1; // the root's
	t->nodes_free = t->nodes_spare = 0;
}

struct lpm6 *lpm6_create(const struct lpm6_conf *conf)
{
	static const struct lpm6_conf defaults;
	struct lpm6 *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	conf = conf ? conf : &defaults;
	if (!t)
		goto fail;
	err = choose_bulk(t, conf->simd);
	if (!err)
		err = make_root(t, conf->max_routes < 1u << 22 ? conf->max_routes : 1u << 22);
	if (err)
		goto fail;
	snprintf(t->name, sizeof(t->name), "%s", conf->name ? conf->name : "");
	return t;
fail:
	lpm6_destroy(t);
	errno = -err;
	return NULL;
}

void lpm6_destroy(struct lpm6 *t)
{
	if (!t)
		return;
	lpm_arena_destroy(&t->fib);
	lpm_pool_destroy(&t->rib);
	free(t->nodes);
	free(t);
}

uint32_t lpm6_lookup(const struct lpm6 *t, const uint8_t addr[16])
{
	uint32_t nh = lpm6_fib_lookup(lpm_arena_base(&t->fib), addr);

	return nh == LPM6_MISS ? __atomic_load_n(&t->def, __ATOMIC_RELAXED) : nh;
}

void lpm6_lookup_bulk(const struct lpm6 *t, const uint8_t (*addrs)[16], uint32_t *nhs, unsigned n)
{
	uint32_t def = __atomic_load_n(&t->def, __ATOMIC_RELAXED);

	t->bulk(lpm_arena_base(&t->fib), def, addrs, nhs, n);
}

void lpm6_quiescent(struct lpm6 *t)
{
	lpm_arena_quiescent(&t->fib);
}

void lpm6_set_live(struct lpm6 *t, bool live)
{
	if (live && !t->fib.live) {
		lpm_pool_spare(&t->fib.pool, ROOT_BYTES);
		lpm_pool_spare(&t->rib, 0);
	}
	lpm_arena_set_live(&t->fib, live);
}

size_t lpm6_count(const struct lpm6 *t)
{
	return t->count;
}

size_t lpm6_fib_memory(const struct lpm6 *t)
{
	return t->fib.pool.size;
}

size_t lpm6_memory(const struct lpm6 *t)
{
	return sizeof(*t) + lpm_arena_memory(&t->fib) + t->rib.size +
	       t->nodes_size * sizeof(*t->nodes);
}

const char *lpm6_name(const struct lpm6 *t)
{
	return t->name;
}

const char *lpm6_simd_name(const struct lpm6 *t)
{
	return t->bulk == lpm6_bulk_scalar ? "scalar" : "avx512";
}
