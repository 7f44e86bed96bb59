// SPDX-License-Identifier: BSD-3-Clause
// ring.c - making a ring
#include "mempool/ring.h"

#include <errno.h>
#include <string.h>

#define RING_MIN 2u
#define RING_MAX (1u << 30)

static bool size_ok(uint32_t size)
{
	return size >= RING_MIN && size <= RING_MAX && (size & (size - 1)) == 0;
}

size_t ring_bytes(uint32_t size)
{
	size_t bytes;

	if (!size_ok(size))
		return 0;
	bytes = sizeof(struct ring) + (size_t)size * sizeof(void *);
	return (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
}

int ring_init(struct ring *r, uint32_t size)
{
	if (!size_ok(size) || ((uintptr_t)r & (CACHE_LINE - 1)))
		return -EINVAL;
	memset(r, 0, sizeof(*r));
	r->size = size;
	r->mask = size - 1;
	return 0;
}

void ring_write_wrapping(struct ring *r, uint32_t at, void *const *in, unsigned n)
{
	uint32_t end = r->size - at;

	ring_copy(&r->slot[at], in, end);
	ring_copy(&r->slot[0], in + end, n - end);
}

void ring_read_wrapping(const struct ring *r, uint32_t at, void **out, unsigned n)
{
	uint32_t end = r->size - at;

	ring_copy(out, &r->slot[at], end);
	ring_copy(out + end, &r->slot[0], n - end);
}

uint32_t ring_count(const struct ring *r)
{
	uint32_t cons = __atomic_load_n(&r->cons.tail, __ATOMIC_ACQUIRE);
	uint32_t count = __atomic_load_n(&r->prod.tail, __ATOMIC_ACQUIRE) - cons;

	return count < r->size ? count : r->size; // both may have moved in between
}
