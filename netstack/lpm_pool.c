// SPDX-License-Identifier: BSD-3-Clause
// lpm_pool.c - small blocks of a few sizes in one growing arena
#include "netstack/lpm_pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE	  64u
#define PAGE	  4096u
#define MAX_ARENA ((size_t)8 << LPM_OFF_BITS)

// Sizes in bytes. Below a line they are carved from a whole line, so that none straddles two.
static const uint16_t class_bytes[LPM_CLASSES] = {16,  24,  32,	 48,   64,   128,  192, 256,
						  384, 512, 768, 1024, 1536, 2048, 3072};
// Class of a size: up to a line by units of 8 bytes, above by lines.
static const uint8_t class_of_unit[9] = {0, 0, 0, 1, 2, 3, 3, 4, 4};
static const uint8_t class_of_line[49] = {4,  4,  5,  6,  7,  8,  8,  9,  9,  10, 10, 10, 10,
					  11, 11, 11, 11, 12, 12, 12, 12, 12, 12, 12, 12, 13,
					  13, 13, 13, 13, 13, 13, 13, 14, 14, 14, 14, 14, 14,
					  14, 14, 14, 14, 14, 14, 14, 14, 14, 14};

#define CLASS_16   0
#define CLASS_LINE 4

static_assert(LPM_CLASSES <= 1 << (31 - LPM_OFF_BITS), "a class fits a reference");

static unsigned class_of(size_t bytes)
{
	if (bytes <= LINE)
		return class_of_unit[(bytes + 7) / 8];
	return class_of_line[(bytes + LINE - 1) / LINE];
}

static void *arena_alloc(size_t *size)
{
	void *arena;

	*size = (*size + PAGE - 1) / PAGE * PAGE;
	return posix_memalign(&arena, PAGE, *size) ? NULL : arena;
}

int lpm_pool_init(struct lpm_pool *p, size_t fixed, size_t size)
{
	memset(p, 0, sizeof(*p));
	p->used = (fixed + LINE - 1) / LINE * LINE;
	if (p->used == 0)
		p->used = LINE; // so that no block has offset 0
	p->size = size > p->used ? size : p->used;
	p->base = arena_alloc(&p->size);
	if (!p->base)
		return -ENOMEM;
	memset(p->base, 0, p->used);
	return 0;
}

void lpm_pool_destroy(struct lpm_pool *p)
{
	free(p->base);
	memset(p, 0, sizeof(*p));
}

int lpm_pool_grow(struct lpm_pool *p, size_t bytes, void **old)
{
	size_t size = p->size + p->size / 4;
	uint8_t *base;

	*old = NULL;
	if (lpm_pool_has(p, bytes))
		return 0;
	if (bytes > MAX_ARENA - p->used)
		return -ENOSPC;
	if (size < p->used + bytes)
		size = p->used + bytes;
	if (size > MAX_ARENA)
		size = MAX_ARENA;
	base = arena_alloc(&size);
	if (!base)
		return -ENOMEM;
	memcpy(base, p->base, p->used);
	*old = p->base;
	p->size = size;
	// Readers load the base without a lock: everything in the copy comes before it.
	__atomic_store_n(&p->base, base, __ATOMIC_RELEASE);
	return 0;
}

void lpm_pool_spare(struct lpm_pool *p, size_t fixed)
{
	void *old = NULL;

	if (p->used > fixed && !lpm_pool_grow(p, (p->used - fixed) / 4, &old))
		free(old);
}

int lpm_pool_renew(struct lpm_pool *p, size_t fixed, size_t size, void **old)
{
	struct lpm_pool fresh;
	int err = lpm_pool_init(&fresh, fixed, size);

	if (err)
		return err;
	memcpy(fresh.base, p->base, fixed);
	*old = p->base;
	memcpy(p->free, fresh.free, sizeof(p->free));
	p->used = fresh.used;
	p->size = fresh.size;
	__atomic_store_n(&p->base, fresh.base, __ATOMIC_RELEASE);
	return 0;
}

size_t lpm_pool_cost(size_t bytes)
{
	unsigned class = class_of(bytes);

	return class >= CLASS_LINE ? class_bytes[class] : LINE / (LINE / class_bytes[class]);
}

static uint32_t make_ref(unsigned class, size_t byte_off)
{
	return (uint32_t) class << LPM_OFF_BITS | (uint32_t)(byte_off / 8);
}

// carve - a line in equal parts, all but the first free; what is left over in 16-byte blocks.
static uint32_t carve(struct lpm_pool *p, unsigned class, size_t line)
{
	unsigned size = class_bytes[class], at = size;

	for (; at + size <= LINE; at += size)
		lpm_pool_free(p, make_ref(class, line + at));
	for (; at + class_bytes[CLASS_16] <= LINE; at += class_bytes[CLASS_16])
		lpm_pool_free(p, make_ref(CLASS_16, line + at));
	return make_ref(class, line);
}

uint32_t lpm_pool_alloc(struct lpm_pool *p, size_t bytes)
{
	unsigned class = class_of(bytes);
	uint32_t ref = p->free[class];
	size_t at = p->used;

	if (ref) {
		p->free[class] = *(uint32_t *)lpm_pool_at(p, ref);
		return ref;
	}
	p->used += class < CLASS_LINE ? LINE : class_bytes[class];
	assert(p->used <= p->size);
	return class < CLASS_LINE ? carve(p, class, at) : make_ref(class, at);
}

void lpm_pool_free(struct lpm_pool *p, uint32_t ref)
{
	unsigned class = ref >> LPM_OFF_BITS;

	*(uint32_t *)lpm_pool_at(p, ref) = p->free[class];
	p->free[class] = ref;
}

int lpm_pool_fits(uint32_t ref, size_t bytes)
{
	return ref >> LPM_OFF_BITS == class_of(bytes);
}
