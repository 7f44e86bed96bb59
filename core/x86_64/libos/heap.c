// SPDX-License-Identifier: BSD-3-Clause
// heap.c - the arena for packets and, behind musl's malloc, pages for everything else
//
// The arena grows from the bottom of the largest span of memory; the heap takes the other spans,
// then the top of the largest one, so that either may use what the other leaves. Free pages are
// kept in lists inside themselves, sorted by address.
#include <errno.h>
#include <string.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

struct hole {
	struct hole *next;
	uint64_t len;
};

static uint32_t lock;
static struct hole *holes;
static uint64_t arena_start, arena_next, arena_end; // between next and end: nobody's yet
static uint64_t brk_start, brk_now, brk_end;

static void hole_add(uint64_t va, uint64_t len)
{
	struct hole **at = &holes, *h = (struct hole *)va, *before = NULL;

	while (*at && *at < h) {
		before = *at;
		at = &before->next;
	}
	h->next = *at;
	h->len = len;
	*at = h;
	if (h->next && va + h->len == (uint64_t)h->next) {
		h->len += h->next->len;
		h->next = h->next->next;
	}
	if (before && (uint64_t)before + before->len == va) {
		before->len += h->len;
		before->next = h->next;
	}
}

// First fit.
static uint64_t hole_take(uint64_t len)
{
	for (struct hole **at = &holes; *at; at = &(*at)->next) {
		struct hole *h = *at;

		if (h->len < len)
			continue;
		h->len -= len;
		if (!h->len)
			*at = h->next;
		return (uint64_t)h + h->len; // from its end: the head need not move
	}
	return 0;
}

// Pages of a list, or else those the arena has not taken yet, in 2 MiB steps.
static uint64_t take(uint64_t len)
{
	uint64_t va = hole_take(len), step = align_up(len, PAGE_2M);

	if (va || step < len || step > arena_end - align_up(arena_next, PAGE_4K))
		return va;
	arena_end -= step;
	hole_add(arena_end, step);
	return hole_take(len);
}

// What lies free at the arena's end is the arena's again.
static void give_back(void)
{
	for (struct hole **at = &holes; *at; at = &(*at)->next)
		if ((uint64_t)*at == arena_end) {
			arena_end += (*at)->len;
			*at = (*at)->next;
			return;
		}
}

void heap_init(void)
{
	unsigned largest = 0;

	for (unsigned i = 1; i < memory.usable_count; i++)
		if (memory.usable[i].end - memory.usable[i].start >
		    memory.usable[largest].end - memory.usable[largest].start)
			largest = i;
	arena_start = memory.direct + memory.usable[largest].start;
	arena_next = arena_start;
	arena_end = memory.direct + memory.usable[largest].end;
	for (unsigned i = 0; i < memory.usable_count; i++)
		if (i != largest)
			hole_add(memory.direct + memory.usable[i].start,
			         memory.usable[i].end - memory.usable[i].start);
	// musl's malloc keeps its books in brk memory, one page for some hundred blocks.
	brk_end = (arena_end - arena_start) >> 6;
	brk_end = align_down(brk_end > 16 << 20 ? 16 << 20 : brk_end, PAGE_4K);
	brk_start = take(brk_end);
	brk_now = brk_start;
	brk_end += brk_start;
}

long heap_brk(uint64_t want)
{
	if (want < brk_start || want > brk_end)
		return (long)brk_now;
	if (want > brk_now)
		memset((void *)brk_now, 0, want - brk_now);
	brk_now = want;
	return (long)brk_now;
}

// Zeroed whole pages. Memory may hold anything after a reset, so it is always cleared.
long heap_map(size_t len)
{
	uint64_t va;

	len = align_up(len, PAGE_4K);
	if (!len || len > arena_end)
		return -EINVAL;
	spin_lock(&lock);
	va = take(len);
	spin_unlock(&lock);
	if (!va)
		return -ENOMEM;
	memset((void *)va, 0, len);
	return (long)va;
}

static int owned(uint64_t va, uint64_t len)
{
	for (unsigned i = 0; i < memory.usable_count; i++) {
		uint64_t start = memory.direct + memory.usable[i].start;
		uint64_t end = memory.direct + memory.usable[i].end;

		if (va >= start && va < end)
			return len <= end - va && (va + len <= arena_start || va >= arena_end);
	}
	return 0;
}

long heap_unmap(uint64_t va, size_t len)
{
	len = align_up(len, PAGE_4K);
	if (va & (PAGE_4K - 1) || !len)
		return -EINVAL;
	spin_lock(&lock);
	if (!owned(va, len)) {
		spin_unlock(&lock);
		return -EINVAL;
	}
	hole_add(va, len);
	give_back();
	spin_unlock(&lock);
	return 0;
}

void *plat_arena_reserve(size_t len, size_t align)
{
	uint64_t va;

	spin_lock(&lock);
	va = align_up(arena_next, align ? align : 1);
	if (va < arena_next || va > arena_end || len > arena_end - va) {
		spin_unlock(&lock);
		return NULL;
	}
	arena_next = va + len;
	spin_unlock(&lock);
	return (void *)va;
}

void *plat_arena_alloc(size_t len, size_t align)
{
	void *p = plat_arena_reserve(len, align);

	// A machine that was reset finds its memory as it left it.
	return p ? memset(p, 0, len) : NULL;
}

size_t plat_arena_size(void)
{
	return arena_end - arena_start;
}

size_t plat_arena_free(void)
{
	return arena_end - arena_next;
}
