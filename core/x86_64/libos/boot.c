// SPDX-License-Identifier: BSD-3-Clause
// boot.c - from ring 3's first instruction to main(): the boot order
#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

struct plat_boot_times plat_boot_times;

// Everything runs once, on the boot CPU, in this order. Up to paging_build() the boot tables hold,
// from there on the final ones.
static void (*const boot_steps[])(void) = {
	cpu_check, // is this CPU at least x86-64-v3? (first: all code above libos/ assumes it)
	boot_tables_extend, // boot tables: a window on the first 4 GiB
	entropy_init,       // random numbers, or a refusal
	acpi_read,          // CPUs, APIC, ECAM, timer
	pci_scan,           // devices found, BARs assigned
	mmio_dev_scan,      // devices that the command line names
	memory_plan,        // who gets which memory
	lcores_prepare,     // CPU pages and start code of the others
	paging_build,       // final page tables, handed to the monitor: W^X from here on
	pci_tables_ready,   // configuration space through the direct map
	clock_calibrate,    // how fast the TSC ticks
	heap_init,          // arena and heap
};

__attribute__((noreturn)) void boot_main(uint64_t start_info, uint64_t tsc_entry);

void boot_main(uint64_t start_info, uint64_t tsc_entry)
{
	plat_boot_times.entry = tsc_entry;
	plat_boot_times.libos = tsc_now();
	boot_info_read(start_info);
	for (unsigned i = 0; i < sizeof(boot_steps) / sizeof(boot_steps[0]); i++)
		boot_steps[i]();
	libc_start();
}
