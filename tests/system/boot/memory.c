// SPDX-License-Identifier: BSD-3-Clause
// memory.c - all RAM is there, above 4 GiB too: the arena takes the largest span, malloc all the rest
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/plat.h"

#define STEP (64u << 20)

struct block {
	struct block *next;
	uint64_t stamp;
};

// Touches one page in 64 MiB; what was written must still be there when all is written.
static int stamp(char *p, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i += STEP)
		*(uint64_t *)(p + i) = (uint64_t)(p + i);
	*(uint64_t *)(p + len - 8) = (uint64_t)p;
	for (size_t i = 0; i + 8 <= len - 8; i += STEP)
		if (*(uint64_t *)(p + i) != (uint64_t)(p + i))
			return -1;
	return *(uint64_t *)(p + len - 8) == (uint64_t)p ? 0 : -1;
}

// Half of the arena's span in one piece, contiguous for the device too.
static int arena(void)
{
	size_t len = plat_arena_free() / 2;
	uint64_t *p = plat_arena_alloc(8, 1u << 21);

	printf("arena %zu MiB, top iova %llx\n", plat_arena_size() >> 20,
	       (unsigned long long)(plat_iova(p) + plat_arena_size()));
	if (len > 1u << 30)
		len = 1u << 30; // it is zeroed, and so touched
	p = plat_arena_alloc(len, 4096);
	if (!p || plat_arena_alloc(plat_arena_free() + 1, 1))
		return -1;
	for (size_t i = 0; i < len / 8; i += 512)
		if (p[i])
			return -1;
	return stamp((char *)p, len);
}

int main(int argc, char **argv)
{
	size_t unit = argc > 1 ? (size_t)atoi(argv[1]) << 20 : 1 << 20, total = 0;
	void *first = NULL, *p;

	if (arena())
		return 1;
	while ((p = malloc(unit))) {
		if (!first)
			first = p;
		if (stamp(p, unit))
			return 2;
		total += unit;
	}
	printf("heap %zu MiB\n", total >> 20);
	if (!first || plat_arena_free() > unit + (4u << 20))
		return 3;
	free(first);
	p = malloc(unit);
	return p ? 0 : 4;
}
