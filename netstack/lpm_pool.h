// SPDX-License-Identifier: BSD-3-Clause
// lpm_pool.h - the allocator behind lpm4 and lpm6: small blocks of a few sizes in one growing arena
//
// Blocks are named by a 31-bit reference, half a pointer: size class and offset from the arena's
// base in units of 8 bytes. References survive growth, which copies the arena. A block of at most
// 64 bytes never straddles a cache line. Reference 0 is none: offset 0 is never handed out.
#ifndef WEIR_NETSTACK_LPM_POOL_H
#define WEIR_NETSTACK_LPM_POOL_H

#include <stddef.h>
#include <stdint.h>

#define LPM_CLASSES   15
#define LPM_MAX_BLOCK 3072u // bytes
#define LPM_OFF_BITS  27
#define LPM_OFF_MASK  ((1u << LPM_OFF_BITS) - 1) // reference to offset, in 8 bytes

struct lpm_pool {
	uint8_t *base;
	size_t used, size; // bytes of the arena
	uint32_t free[LPM_CLASSES];
};

// lpm_pool_init - an arena of at least `size` bytes, the first `fixed` of them the caller's own
// (and zero). -ENOMEM.
int lpm_pool_init(struct lpm_pool *p, size_t fixed, size_t size);
void lpm_pool_destroy(struct lpm_pool *p);

// lpm_pool_has - whether allocations that cost up to `bytes` in total cannot fail.
static inline int lpm_pool_has(const struct lpm_pool *p, size_t bytes)
{
	return p->size - p->used >= bytes;
}

// lpm_pool_grow - room for `bytes` more. The old arena goes to *old (NULL if none had to go) for
// the caller to free when nobody reads it any longer. -ENOMEM, -ENOSPC beyond 1 GiB.
int lpm_pool_grow(struct lpm_pool *p, size_t bytes, void **old);

// lpm_pool_spare - while nobody else reads: room for a quarter of what there is besides the first
// `fixed` bytes, if memory allows. Growth takes a copy of all, milliseconds in a large table:
// better now than in the middle of a turn.
void lpm_pool_spare(struct lpm_pool *p, size_t fixed);

// lpm_pool_renew - an arena of `size` bytes again, as lpm_pool_init() made it, with the first
// `fixed` of the one that is now *old, the caller's to free; every block is gone. -ENOMEM: nothing
// changed.
int lpm_pool_renew(struct lpm_pool *p, size_t fixed, size_t size, void **old);

// lpm_pool_cost - how far one block of `bytes` brings the arena nearer to its end, at most, when
// many are allocated; add LPM_POOL_SLACK once.
#define LPM_POOL_SLACK (2 * LPM_MAX_BLOCK)
size_t lpm_pool_cost(size_t bytes);

// lpm_pool_alloc - a block of at least `bytes` (1 to LPM_MAX_BLOCK), contents undefined. The
// caller has made sure of room by lpm_pool_has() or lpm_pool_grow().
uint32_t lpm_pool_alloc(struct lpm_pool *p, size_t bytes);
void lpm_pool_free(struct lpm_pool *p, uint32_t ref);

// lpm_pool_fits - whether a block of ref's class is what `bytes` would get.
int lpm_pool_fits(uint32_t ref, size_t bytes);

static inline void *lpm_pool_at(const struct lpm_pool *p, uint32_t ref)
{
	return p->base + (size_t)(ref & LPM_OFF_MASK) * 8;
}

#endif
