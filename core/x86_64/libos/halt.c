// SPDX-License-Identifier: BSD-3-Clause
// halt.c - an lcore halts until an interrupt: its timer, a queue's MSI-X, or another lcore's wake
#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

static struct sleeper {
	uint32_t halting; // it halts, or is about to: who wakes it must send the interrupt
	uint32_t woken;
} __attribute__((aligned(64))) sleepers[MON_CPU_MAX];

// The legacy interrupt controller, which firmware may have left running, must not end a halt: masked
// here and not at the APIC, since QEMU 7.2 then delivers a request it already holds as vector -1.
static void legacy_pic_off(void)
{
	static int done;

	if (done)
		return;
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	done = 1;
}

// A timer of another rate than QEMU's and KVM's 1 GHz wakes us early, which costs a turn, or late by the
// ratio: callers ask for little at a time.
void machine_halt(uint64_t ns)
{
	legacy_pic_off();
	mon_call(MON_HALT, (long)ns, 0, 0, 0, 0, 0);
}

void plat_halt(uint64_t ns)
{
	struct sleeper *s = &sleepers[lcore_current()];

	if (!ns)
		return;
	// Sequentially consistent with plat_wake(): one of the two sees the other's store. A wake between
	// this look and the halt is an interrupt, which the monitor does not lose.
	__atomic_store_n(&s->halting, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&s->woken, __ATOMIC_SEQ_CST))
		machine_halt(ns < 1000000000 ? ns : 1000000000);
	__atomic_store_n(&s->halting, 0, __ATOMIC_SEQ_CST);
	__atomic_exchange_n(&s->woken, 0, __ATOMIC_SEQ_CST); // what its waker wrote before is seen
}

void plat_wake(unsigned id)
{
	if (id >= acpi_info.cpus)
		return;
	__atomic_store_n(&sleepers[id].woken, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&sleepers[id].halting, __ATOMIC_SEQ_CST))
		mon_call(MON_WAKE, acpi_info.apic_id[id], 0, 0, 0, 0, 0);
}
