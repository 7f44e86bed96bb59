// SPDX-License-Identifier: BSD-3-Clause
// lpm4_pool.h - the allocator behind lpm4: small blocks of a few sizes in one growing arena
//
// Blocks are named by a 31-bit reference, half a pointer: size class and offset from the arena's
// base in units of 8 bytes. References survive growth, which copies the arena. A block of at most
// 64 bytes never straddles a cache line. Reference 0 is none: offset 0 is never handed out.
#ifndef WEIR_NETSTACK_LPM4_POOL_H
#define WEIR_NETSTACK_LPM4_POOL_H

#include <stddef.h>
#include <stdint.h>

#define LPM4_CLASSES   14
#define LPM4_MAX_BLOCK 2048u // bytes
#define LPM4_OFF_BITS  27
#define LPM4_OFF_MASK  ((1u << LPM4_OFF_BITS) - 1) // reference to offset, in 8 bytes

struct lpm4_pool {
	uint8_t *base;
	size_t used, size; // bytes of the arena
	uint32_t free[LPM4_CLASSES];
};

// lpm4_pool_init - an arena of at least `size` bytes, the first `fixed` of them the caller's own
// (and zero). -ENOMEM.
int lpm4_pool_init(struct lpm4_pool *p, size_t fixed, size_t size);
void lpm4_pool_destroy(struct lpm4_pool *p);

// lpm4_pool_has - whether allocations that cost up to `bytes` in total cannot fail.
static inline int lpm4_pool_has(const struct lpm4_pool *p, size_t bytes)
{
	return p->size - p->used >= bytes;
}

// lpm4_pool_grow - room for `bytes` more. The old arena goes to *old (NULL if none had to go) for
// the caller to free when nobody reads it any longer. -ENOMEM, -ENOSPC beyond 1 GiB.
int lpm4_pool_grow(struct lpm4_pool *p, size_t bytes, void **old);

// lpm4_pool_cost - how far one block of `bytes` brings the arena nearer to its end, at most, when
// many are allocated; add LPM4_POOL_SLACK once.
#define LPM4_POOL_SLACK (2 * LPM4_MAX_BLOCK)
size_t lpm4_pool_cost(size_t bytes);

// lpm4_pool_alloc - a block of at least `bytes` (1 to LPM4_MAX_BLOCK), contents undefined. The
// caller has made sure of room by lpm4_pool_has() or lpm4_pool_grow().
uint32_t lpm4_pool_alloc(struct lpm4_pool *p, size_t bytes);
void lpm4_pool_free(struct lpm4_pool *p, uint32_t ref);

// lpm4_pool_fits - whether a block of ref's class is what `bytes` would get.
int lpm4_pool_fits(uint32_t ref, size_t bytes);

static inline void *lpm4_pool_at(const struct lpm4_pool *p, uint32_t ref)
{
	return p->base + (size_t)(ref & LPM4_OFF_MASK) * 8;
}

#endif
