// SPDX-License-Identifier: BSD-3-Clause
// lpm_arena.c - longest-prefix match: the memory that readers may still hold
#include "netstack/lpm_arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int reserve_limbo(struct lpm_limbo *l, size_t blocks)
{
	size_t size = l->size + l->size / 2;
	uint32_t *refs;

	if (l->size - l->count >= blocks)
		return 0;
	if (size < l->count + blocks)
		size = l->count + blocks;
	refs = realloc(l->refs, size * sizeof(*refs));
	if (!refs)
		return -ENOMEM;
	l->refs = refs;
	l->size = (uint32_t)size;
	return 0;
}

static void retire_arena(struct lpm_arena *a, void *old, size_t bytes)
{
	if (!a->live) {
		free(old);
		return;
	}
	a->limbo.arena[a->limbo.arenas++] = old;
	a->limbo.arena_bytes += bytes;
}

int lpm_arena_reserve(struct lpm_arena *a, size_t bytes, size_t blocks)
{
	size_t was = a->pool.size;
	void *old;
	int err;

	if (a->live) {
		err = reserve_limbo(&a->limbo, blocks);
		if (err)
			return err;
		if (a->limbo.arenas == LPM_MAX_ARENAS)
			return -ENOMEM;
	}
	err = lpm_pool_grow(&a->pool, bytes, &old);
	if (err || !old)
		return err;
	retire_arena(a, old, was);
	return 0;
}

static void forget_refs(struct lpm_limbo *l)
{
	free(l->refs);
	l->refs = NULL;
	l->count = l->size = 0;
}

void lpm_arena_renew(struct lpm_arena *a, size_t fixed, size_t size)
{
	size_t was = a->pool.size;
	void *old;

	if (was <= size || (a->live && a->limbo.arenas == LPM_MAX_ARENAS))
		return;
	if (lpm_pool_renew(&a->pool, fixed, size, &old))
		return;
	// Blocks that wait lie in the arena that goes.
	forget_refs(&a->limbo);
	forget_refs(&a->waiting);
	retire_arena(a, old, was);
}

void lpm_arena_retire(struct lpm_arena *a, uint32_t word)
{
	uint32_t ref = word & ~LPM_IS_BLOCK;

	if (!(word & LPM_IS_BLOCK))
		return;
	if (a->live)
		a->limbo.refs[a->limbo.count++] = ref;
	else
		lpm_pool_free(&a->pool, ref);
}

void lpm_arena_quiescent(struct lpm_arena *a)
{
	struct lpm_limbo done = a->waiting;

	for (uint32_t i = 0; i < done.count; i++)
		lpm_pool_free(&a->pool, done.refs[i]);
	for (uint32_t i = 0; i < done.arenas; i++)
		free(done.arena[i]);
	done.count = done.arenas = 0;
	done.arena_bytes = 0;
	a->waiting = a->limbo;
	a->limbo = done;
}

void lpm_arena_set_live(struct lpm_arena *a, bool live)
{
	a->live = live;
	if (live)
		return;
	lpm_arena_quiescent(a);
	lpm_arena_quiescent(a);
}

size_t lpm_arena_memory(const struct lpm_arena *a)
{
	size_t refs = (size_t)a->limbo.size + a->waiting.size;

	return a->pool.size + refs * sizeof(uint32_t) + a->limbo.arena_bytes +
	       a->waiting.arena_bytes;
}

static void free_limbo(struct lpm_limbo *l)
{
	for (uint32_t i = 0; i < l->arenas; i++)
		free(l->arena[i]);
	free(l->refs);
}

void lpm_arena_destroy(struct lpm_arena *a)
{
	lpm_pool_destroy(&a->pool);
	free_limbo(&a->limbo);
	free_limbo(&a->waiting);
	memset(a, 0, sizeof(*a));
}
