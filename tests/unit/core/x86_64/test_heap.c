// SPDX-License-Identifier: BSD-3-Clause
// test_heap.c - the arena and the heap never give the same page twice, and lose none
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

#define MIB    (1ull << 20)
#define BLOCKS 128

struct memory memory;

static struct block {
	char *p;
	size_t len;
	char mark;
} block[BLOCKS];

// Two spans of 8 and 32 MiB with a gap between, dirty as after a reset.
static int setup(void **state)
{
	uint64_t base = (uint64_t)mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE,
	                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	base = align_up(base, PAGE_2M);
	memory.direct = 0;
	memory.usable[0] = (struct span){base, base + 8 * MIB};
	memory.usable[1] = (struct span){base + 16 * MIB, base + 48 * MIB};
	memory.usable_count = 2;
	memset((void *)base, 0x5a, 48 * MIB);
	heap_init();
	return 0;
}

static int all(const char *p, size_t len, char c)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != c)
			return 0;
	return 1;
}

static int inside(const char *p, size_t len)
{
	for (unsigned i = 0; i < memory.usable_count; i++)
		if ((uint64_t)p >= memory.usable[i].start &&
		    (uint64_t)p + len <= memory.usable[i].end)
			return 1;
	return 0;
}

static void take(struct block *b, size_t len, char mark)
{
	long r = heap_map(len);

	if (r == -ENOMEM)
		return;
	assert_true(r > 0);
	b->p = (char *)r;
	b->len = len;
	b->mark = mark;
	assert_true(inside(b->p, len));
	assert_true(all(b->p, align_up(len, PAGE_4K), 0));
	memset(b->p, mark, align_up(len, PAGE_4K));
}

static void give(struct block *b)
{
	assert_true(all(b->p, align_up(b->len, PAGE_4K), b->mark));
	assert_int_equal(heap_unmap((uint64_t)b->p, b->len), 0);
	b->p = NULL;
}

// Any order of maps and unmaps: blocks are zero when they come and untouched until they go.
static void random_blocks(void **state)
{
	srand(1);
	for (int i = 0; i < 20000; i++) {
		struct block *b = &block[rand() % BLOCKS];

		if (b->p)
			give(b);
		else
			take(b, (size_t)(rand() % (rand() % 8 ? 65536 : 3 * MIB)) + 1,
			     (char)(rand() | 1));
	}
	for (int i = 0; i < BLOCKS; i++)
		if (block[i].p)
			give(&block[i]);
	// Everything has grown together again: the smaller span is whole, and so is the arena's.
	assert_true(heap_map(7 * MIB) > 0);
	assert_true(plat_arena_free() > 31 * MIB);
}

static void arena_is_apart(void **state)
{
	size_t size = plat_arena_size();
	char *a = plat_arena_alloc(MIB + 1, 64), *b = plat_arena_alloc(64, PAGE_2M);

	assert_non_null(a);
	assert_int_equal((uint64_t)b % PAGE_2M, 0);
	assert_true(b >= a + MIB + 1);
	assert_true(all(a, MIB + 1, 0));
	memset(a, 1, MIB + 1);
	while (heap_map(MIB) > 0) // the heap eats what the arena has left, but not what it gave
		;
	assert_true(all(a, MIB + 1, 1));
	assert_true(plat_arena_size() < size);
	assert_true(plat_arena_free() < 2 * MIB);
	assert_null(plat_arena_alloc(2 * MIB, 1));
	assert_null(plat_arena_alloc(SIZE_MAX, 1));
	assert_int_equal(heap_unmap((uint64_t)a, PAGE_4K), -EINVAL);
}

static void refuses(void **state)
{
	assert_int_equal(heap_map(0), -EINVAL);
	assert_true(heap_map(SIZE_MAX) < 0);
	assert_true(heap_map(1ull << 46) < 0);
	assert_int_equal(heap_unmap(0x1000, PAGE_4K), -EINVAL);
	assert_int_equal(heap_unmap(memory.usable[0].start + 1, PAGE_4K), -EINVAL);
	assert_int_equal(heap_unmap(memory.usable[0].start, 9 * MIB), -EINVAL);
	assert_int_equal(heap_unmap(memory.usable[0].start, 0), -EINVAL);
}

// brk(2): grows and shrinks within its share, zeroed, and answers the old end when asked too much.
static void brk_grows(void **state)
{
	long start = heap_brk(0);

	assert_int_equal(heap_brk((uint64_t)start + 8192), start + 8192);
	assert_true(all((char *)start, 8192, 0));
	memset((char *)start, 1, 8192);
	assert_int_equal(heap_brk((uint64_t)start), start);
	assert_int_equal(heap_brk((uint64_t)start + 8192), start + 8192);
	assert_true(all((char *)start, 8192, 0));
	assert_int_equal(heap_brk((uint64_t)start + 1024 * MIB), start + 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(brk_grows),
		cmocka_unit_test(random_blocks),
		cmocka_unit_test(arena_is_apart),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
