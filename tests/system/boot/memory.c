// SPDX-License-Identifier: BSD-3-Clause
// memory.c - all RAM is there, above 4 GiB too: the arena takes the largest span, malloc all the
// rest
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/plat.h"

#define MIB   (1u << 20)
#define LIMIT (128 * MIB)

// Every step of [p, p + len) holds its own address: no two pages are the same memory.
static int stamp(char *p, size_t len, size_t step)
{
	for (size_t i = 0; i + 8 <= len; i += step)
		*(uint64_t *)(p + i) = (uint64_t)(p + i);
	for (size_t i = 0; i + 8 <= len; i += step)
		if (*(uint64_t *)(p + i) != (uint64_t)(p + i))
			return -1;
	return 0;
}

// What is allocated is zero; the rest of the arena is there too, up to where the heap begins.
static int arena(void)
{
	size_t size = plat_arena_size(), len = size / 4 < 64 * MIB ? size / 4 : 64 * MIB;
	uint64_t *p = plat_arena_alloc(len, 2 * MIB);

	printf("arena %zu MiB, top iova %llx\n", size / MIB,
	       (unsigned long long)(plat_iova(p) + size));
	if (!p || plat_arena_alloc(plat_arena_free() + 1, 1))
		return -1;
	for (size_t i = 0; i < len / 8; i++)
		if (p[i])
			return -1;
	return stamp((char *)p, size, size > 1024ull * MIB ? 128 * MIB : 2 * MIB);
}

// malloc() gives all the other memory and what the arena has left: at most 128 MiB are tried.
static int heap(void)
{
	size_t total = 0;
	char *first = NULL, *p = NULL;

	while (total < LIMIT && (p = malloc(MIB))) {
		if (!first)
			first = p;
		if (stamp(p, MIB, 4096))
			return -1;
		total += MIB;
	}
	printf("heap %zu MiB%s\n", total / MIB, p ? " and more" : "");
	if (p)
		return 0;
	free(first);
	return malloc(MIB) ? 0 : -1;
}

int main(void)
{
	if (arena())
		return 1;
	return heap() ? 2 : 0;
}
