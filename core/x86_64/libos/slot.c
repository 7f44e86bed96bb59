// SPDX-License-Identifier: BSD-3-Clause
// slot.c - thread stacks: as many as there are CPUs, each above a guard that is never mapped
//
// musl maps guard, stack and thread-local storage of a thread in one go, without rights, and then
// opens all but the guard. The slots have that shape from the start, so the sealed page tables need
// no change.
#include <errno.h>
#include <string.h>

#include "core/x86_64/libos/libos.h"

enum { SLOT_FREE, SLOT_USED };

static uint32_t state[MON_CPU_MAX];
static uint32_t lock;

long slot_map(size_t len)
{
	uint64_t va = 0;

	if (len > SLOT_SIZE)
		return -ENOMEM;
	spin_lock(&lock);
	for (unsigned i = 0; i < memory.slot_count && !va; i++)
		if (__atomic_load_n(&state[i], __ATOMIC_ACQUIRE) == SLOT_FREE) {
			state[i] = SLOT_USED;
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

// A detached thread unmaps the stack it stands on and then exits: the slot is free when it has.
long slot_unmap(uint64_t addr, size_t len)
{
	unsigned i = (unsigned)((addr - memory.slots) / SLOT_SIZE);
	uint64_t here = (uint64_t)__builtin_frame_address(0);

	if ((addr - memory.slots) % SLOT_SIZE || len > SLOT_SIZE)
		return -EINVAL;
	if (here >= addr && here < addr + SLOT_SIZE)
		lcore_entry[lcore_current()].slot_clear = &state[i];
	else
		__atomic_store_n(&state[i], SLOT_FREE, __ATOMIC_RELEASE);
	return 0;
}
