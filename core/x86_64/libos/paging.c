// SPDX-License-Identifier: BSD-3-Clause
// paging.c - the final page tables, built in ring 3 under the boot tables and handed to the monitor
// once
//
// Source: SDM 3A 4.5. No page of theirs is reachable from ring 3 afterwards, nothing is both
// writable and executable, and no physical page of the image is mapped a second time with other
// rights.
#include <string.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

#define P_PRESENT 0x001ull
#define P_WRITE   0x002ull
#define P_USER    0x004ull
#define P_UC      0x018ull // PWT PCD: PAT entry 3, uncached
#define P_LARGE   0x080ull
#define P_NX      (1ull << 63)
#define P_ADDR    0x000ffffffffff000ull

#define R_X (P_PRESENT | P_USER)
#define R   (P_PRESENT | P_USER | P_NX)
#define RW  (P_PRESENT | P_USER | P_WRITE | P_NX)

extern char __image_end[], __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern char __data_start[], __main_stack[], __guard1[], __fault_stack[], __guard2[], __guard0[];

uint64_t plat_iova_bias;
static uint64_t next_table;

static uint64_t *table_at(uint64_t pa)
{
	return (uint64_t *)(pa + BOOT_WINDOW);
}

// Physical address of an empty table.
static uint64_t new_table(void)
{
	uint64_t pa = next_table;

	if (pa == memory.tables_end)
		panic("paging: too few page tables planned", pa);
	next_table += PAGE_4K;
	memset(table_at(pa), 0, PAGE_4K);
	return pa;
}

// The entry of va at `level` (1: 4 KiB, 2: 2 MiB), tables above it made as needed.
static uint64_t *entry_of(uint64_t va, unsigned level)
{
	uint64_t *t = table_at(memory.tables);

	for (unsigned l = 4;; l--) {
		uint64_t *e = t + (va >> (12 + 9 * (l - 1)) & 511);

		if (l == level)
			return e;
		if (!*e)
			*e = new_table() | P_PRESENT | P_WRITE | P_USER;
		t = table_at(*e & P_ADDR);
	}
}

static void map_small(uint64_t va, uint64_t end, uint64_t pa, uint64_t rights)
{
	for (; va < end; va += PAGE_4K, pa += PAGE_4K)
		*entry_of(va, 1) = pa | rights;
}

// Whole directories at a time: 64 GiB are 32,768 entries.
static void map_large(uint64_t va, uint64_t end, uint64_t pa, uint64_t rights)
{
	while (va < end) {
		uint64_t *e = entry_of(va, 2);

		do {
			*e++ = pa | rights | P_LARGE;
			va += PAGE_2M;
			pa += PAGE_2M;
		} while (va < end && va & ((1u << 30) - 1));
	}
}

static void map_direct(struct span s, uint64_t rights)
{
	s.start = align_down(s.start, PAGE_2M);
	s.end = align_up(s.end, PAGE_2M);
	map_large(memory.direct + s.start, memory.direct + s.end, s.start, rights);
}

static void map_same(const char *start, const char *end, uint64_t rights)
{
	map_small((uint64_t)start, (uint64_t)end, (uint64_t)start, rights);
}

static void map_image(void)
{
	map_same((char *)MON_BASE, (char *)MON_CPU0, P_PRESENT);
	map_same((char *)MON_CPU0, (char *)MON_END, P_PRESENT | P_WRITE | P_NX);
	map_same(__text_start, __text_end, R_X);
	map_same(__rodata_start, __rodata_end, R);
	map_same(__data_start, __guard0, RW);
	map_same(__main_stack, __guard1, RW);
	map_same(__fault_stack, __guard2, RW);
	map_same(__image_end, (char *)memory.low_start, R); // symbols, blob
}

static void map_stacks(void)
{
	for (unsigned i = 0; i < memory.slot_count; i++) {
		uint64_t slot = memory.slots + i * SLOT_SIZE;

		map_small(slot + SLOT_GUARD, slot + SLOT_SIZE, slot + SLOT_GUARD, RW);
	}
}

static void map_windows(void)
{
	map_small(MON_LAPIC, MON_LAPIC + PAGE_4K, acpi_info.lapic,
	          P_PRESENT | P_WRITE | P_NX | P_UC);
	map_small(MON_ALIAS, MON_ALIAS + acpi_info.cpus * PAGE_4K, MON_CPU0, R);
}

// 2 MiB steps: neighbours in the device window come along; RAM never does, it ends at one.
static void map_mmio(struct span s)
{
	map_direct(s, RW | P_UC);
}

void paging_build(void)
{
	uint64_t kvm_system, kvm_wall;

	next_table = memory.tables;
	new_table();
	map_image();
	map_stacks();
	map_windows();
	for (unsigned i = 0; i < memory.usable_count; i++)
		map_direct(memory.usable[i], RW);
	if (boot_info.module.start != boot_info.module.end)
		map_direct(boot_info.module, R);
	pci_for_each_mmio(map_mmio);
	mmio_dev_for_each(map_mmio);
	// Seen by ring 0 alone, and by it read-only: a write from ring 3 is a protection fault.
	map_small(memory.tables, memory.tables_end, memory.tables, P_PRESENT | P_NX);

	plat_iova_bias = memory.direct;
	clock_prepare(&kvm_system, &kvm_wall);
	if (mon_call(MON_SETUP, (long)memory.tables, (long)cpu_traits.cr4, (long)cpu_traits.xcr0,
	             EFER_SCE | EFER_LME | EFER_NXE, (long)kvm_system, (long)kvm_wall))
		panic("paging: the monitor refused the page tables", memory.tables);
}

int plat_seal(void)
{
	mon_call(MON_SEAL, 0, 0, 0, 0, 0, 0);
	return 0;
}
