// SPDX-License-Identifier: BSD-3-Clause
// lpm_arena.h - the memory that lookups read: blocks in a pool, and those withdrawn under readers
//
// For lpm*.c only. One thread writes; readers load the pool's base once a call and follow
// references from there, without locks. A block that is withdrawn, and an arena that growth left
// behind, wait in limbo while readers may hold them.
#ifndef WEIR_NETSTACK_LPM_ARENA_H
#define WEIR_NETSTACK_LPM_ARENA_H

#include "netstack/lpm_pool.h"

#include <stdbool.h>

// A word of the table: bit 31 clear, a next hop; set, the reference of a block.
#define LPM_IS_BLOCK (1u << 31)

// Memory withdrawn in the same period between two calls of lpm_arena_quiescent(). An arena grows
// by a quarter at least, so from 16 KiB to 1 GiB it grows 50 times at most.
#define LPM_MAX_ARENAS 64
struct lpm_limbo {
	uint32_t *refs;
	uint32_t count, size;
	uint32_t arenas;
	void *arena[LPM_MAX_ARENAS];
	size_t arena_bytes; // all of them
};

struct lpm_arena {
	struct lpm_pool pool; // readers use pool.base only
	struct lpm_limbo limbo, waiting;
	bool live;
};

// lpm_arena_base - what a reader starts from.
static inline const uint8_t *lpm_arena_base(const struct lpm_arena *a)
{
	return __atomic_load_n(&a->pool.base, __ATOMIC_ACQUIRE);
}

// lpm_arena_reserve - room for blocks that cost `bytes` in total (lpm_pool_cost()) and for
// withdrawing `blocks` of them: neither can fail then. -ENOMEM, -ENOSPC: nothing was changed.
int lpm_arena_reserve(struct lpm_arena *a, size_t bytes, size_t blocks);

// lpm_arena_retire - withdraw the block of a word that readers may still see; a next hop is none.
void lpm_arena_retire(struct lpm_arena *a, uint32_t word);

// lpm_arena_quiescent, lpm_arena_set_live - see lpm4_quiescent(), lpm4_set_live().
void lpm_arena_quiescent(struct lpm_arena *a);
void lpm_arena_set_live(struct lpm_arena *a, bool live);

// lpm_arena_renew - the table is empty: go back to an arena of `size` bytes with the first `fixed`
// of this one, which say so to readers. Does nothing when this one is no larger or memory is short.
void lpm_arena_renew(struct lpm_arena *a, size_t fixed, size_t size);

// lpm_arena_memory - bytes allocated, all told.
size_t lpm_arena_memory(const struct lpm_arena *a);
void lpm_arena_destroy(struct lpm_arena *a);

#endif
