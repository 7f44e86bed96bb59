// SPDX-License-Identifier: BSD-3-Clause
// slot.c - thread stacks: as many as there are CPUs, each above a guard that is never mapped
//
// musl maps guard, stack and thread-local storage of a thread in one go, without rights, and then opens
// all but the guard. The slots have that shape from the start, so the sealed page tables need no change.
#include <errno.h>
#include <string.h>

#include "core/x86_64/libos/libos.h"

enum { SLOT_FREE, SLOT_USED, SLOT_LEAVING };

static struct {
	uint32_t state;
	unsigned lcore; // SLOT_LEAVING: still runs on it, until it has ended
} slot[MON_CPU_MAX];
static uint32_t lock;

static int is_free(unsigned i)
{
	return slot[i].state == SLOT_FREE ||
	       (slot[i].state == SLOT_LEAVING &&
		__atomic_load_n(&lcore_entry[slot[i].lcore].state, __ATOMIC_ACQUIRE) == LCORE_FREE);
}

long slot_map(size_t len)
{
	uint64_t va = 0;

	if (len > SLOT_SIZE)
		return -ENOMEM;
	spin_lock(&lock);
	for (unsigned i = 0; i < memory.slot_count && !va; i++)
		if (is_free(i)) {
			slot[i].state = SLOT_USED;
			va = memory.slots + i * SLOT_SIZE;
		}
	spin_unlock(&lock);
	if (!va)
		return -ENOMEM;
	memset((void *)(va + SLOT_GUARD), 0, SLOT_SIZE - SLOT_GUARD);
	return (long)va;
}

int slot_owns(uint64_t addr)
{
	return addr >= memory.slots && addr < memory.slots + memory.slot_count * SLOT_SIZE;
}

// A detached thread unmaps the stack it stands on and then exits.
long slot_unmap(uint64_t addr, size_t len)
{
	unsigned i = (unsigned)((addr - memory.slots) / SLOT_SIZE);
	uint64_t here = (uint64_t)__builtin_frame_address(0);

	if ((addr - memory.slots) % SLOT_SIZE || len > SLOT_SIZE)
		return -EINVAL;
	spin_lock(&lock);
	slot[i].lcore = lcore_current();
	slot[i].state = here >= addr && here < addr + SLOT_SIZE ? SLOT_LEAVING : SLOT_FREE;
	spin_unlock(&lock);
	return 0;
}
