// SPDX-License-Identifier: BSD-3-Clause
// arena.c - packet memory, hosted: one sparse memfd, handed out from the front
#define _GNU_SOURCE 1
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define HUGE_PAGE ((size_t)2 << 20)
#define MFD_2MIB  (21u << 26) // MFD_HUGE_2MB of linux/memfd.h, which clashes with sys/mman.h

uint64_t plat_iova_bias; // 0: devices of hosted ports take addresses

static struct {
	uint8_t *base;
	size_t size;
	size_t page;
	size_t used; // atomic
	int fd;
} arena = {.fd = -1};

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

// Maps fd at an address that is a multiple of HUGE_PAGE; NULL when that fails.
static uint8_t *map_aligned(int fd, size_t size)
{
	uint8_t *room = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *base, *end;

	if (room == MAP_FAILED)
		return NULL;
	end = room + size + HUGE_PAGE;
	base = (uint8_t *)(((uintptr_t)room + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	if (mmap(base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
		munmap(room, size + HUGE_PAGE);
		return NULL;
	}
	if (base > room)
		munmap(room, (size_t)(base - room));
	if (end > base + size)
		munmap(base + size, (size_t)(end - base - size));
	return base;
}

static int arena_make(size_t size, unsigned flags, size_t page)
{
	int fd = memfd_create("weir-arena", MFD_CLOEXEC | flags);
	uint8_t *base;
	int rc;

	if (fd < 0)
		return -errno;
	// With huge pages mmap() reserves them, so that a touch later cannot fail.
	if (ftruncate(fd, (off_t)size) || !(base = map_aligned(fd, size))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	// Refused where shmem huge pages are off; then the pages are small ones.
	if (flags == 0)
		(void)madvise(base, size, MADV_HUGEPAGE);
	arena.fd = fd;
	arena.size = size;
	arena.page = page;
	// Release: pairs with the acquire in arena_base().
	__atomic_store_n(&arena.base, base, __ATOMIC_RELEASE);
	return 0;
}

static uint8_t *arena_base(void)
{
	return __atomic_load_n(&arena.base, __ATOMIC_ACQUIRE);
}

int plat_linux_init(size_t bytes)
{
	size_t size;
	int rc = -EBUSY;

	if (bytes > SIZE_MAX / 2)
		return -EINVAL;
	size = bytes ? (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1) : PLAT_LINUX_ARENA_DEFAULT;
	pthread_mutex_lock(&making);
	if (!arena_base()) {
		rc = arena_make(size, MFD_HUGETLB | MFD_2MIB, HUGE_PAGE);
		if (rc)
			rc = arena_make(size, 0, (size_t)sysconf(_SC_PAGESIZE));
	}
	pthread_mutex_unlock(&making);
	return rc;
}

void *plat_arena_alloc(size_t len, size_t align)
{
	uint8_t *base = arena_base();
	size_t used, at;

	if (!base) {
		int rc = plat_linux_init(0);

		if (rc && rc != -EBUSY)
			return NULL;
		base = arena_base();
	}
	if (align == 0 || (align & (align - 1)) || align > arena.size)
		return NULL;
	used = __atomic_load_n(&arena.used, __ATOMIC_RELAXED);
	do {
		at = (((uintptr_t)base + used + align - 1) & ~(align - 1)) - (uintptr_t)base;
		if (at > arena.size || len > arena.size - at)
			return NULL;
	} while (!__atomic_compare_exchange_n(&arena.used, &used, at + len, 0, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return base + at;
}

// A new memfd reads as zeros, and nothing is given back.
void *plat_arena_reserve(size_t len, size_t align)
{
	return plat_arena_alloc(len, align);
}

size_t plat_arena_size(void)
{
	return arena_base() ? arena.size : PLAT_LINUX_ARENA_DEFAULT;
}

size_t plat_arena_free(void)
{
	return plat_arena_size() - __atomic_load_n(&arena.used, __ATOMIC_RELAXED);
}

int plat_linux_arena_fd(void)
{
	return arena_base() ? arena.fd : -1;
}

size_t plat_linux_arena_page(void)
{
	return arena_base() ? arena.page : 0;
}

void *plat_linux_arena_base(void)
{
	return arena_base();
}
