// SPDX-License-Identifier: BSD-3-Clause
// memory.c - who gets which physical memory, and what lies where
//
//	0            never mapped
//	2 MiB        the image: monitor, text, rodata, data, main stack (4 KiB pages, va = pa),
//	             its symbols, the blob `weir pack` appended
//	low_start    page tables, then one stack slot a secondary CPU (4 KiB pages, va = pa)
//	low_end      2 MiB aligned; from here on RAM in the direct map (2 MiB pages, va = pa + random):
//	             arena from the bottom of the largest span, heap from everywhere else
#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

struct memory memory;

extern char __image_end[], __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern char __data_start[], __guard0[], __guard1[], __guard2[], __main_stack[], __fault_stack[];
extern uint64_t boot_pdpt[]; // entry.S

static uint64_t boot_window[4 * 512] __attribute__((aligned(4096)));

// Patched by finish.py and `weir pack`; volatile, since the compiler must not trust what it sees.
__attribute__((used)) const volatile struct image_part image_syms = {"WEIRSYMS", 0, 0};
__attribute__((used)) const volatile struct image_part image_blob = {"WEIRBLOB", 0, 0};

// Entries that become present need no TLB flush. The directories are filled before they are linked:
// a hypervisor that shadows page tables traps every store to one in use. Below the end of low RAM
// cached, the rest not.
void boot_tables_extend(void)
{
	uint64_t ram_end = 0;

	for (unsigned i = 0; i < boot_info.ram_count; i++)
		if (boot_info.ram[i].end <= GIB_4)
			ram_end = boot_info.ram[i].end;
	for (uint64_t i = 0; i < 4 * 512; i++)
		boot_window[i] = i * PAGE_2M | (i * PAGE_2M < ram_end ? 0x87 : 0x9f);
	for (unsigned i = 0; i < 4; i++)
		boot_pdpt[BOOT_WINDOW / (1ull << 30) + i] = (uint64_t)(boot_window + 512 * i) | 7;
}

static uint64_t image_end(void)
{
	uint64_t end = (uint64_t)__image_end;

	if (image_syms.len && image_syms.paddr + image_syms.len > end)
		end = image_syms.paddr + image_syms.len;
	if (image_blob.len && image_blob.paddr + image_blob.len > end)
		end = image_blob.paddr + image_blob.len;
	return align_up(end, PAGE_4K);
}

static void add_usable(uint64_t start, uint64_t end)
{
	start = align_up(start, PAGE_2M);
	end = align_down(end, PAGE_2M);
	if (start < end)
		memory.usable[memory.usable_count++] = (struct span){start, end};
}

// RAM above low_end, without the pages the boot module touches.
static void plan_usable(void)
{
	struct span m = boot_info.module;

	for (unsigned i = 0; i < boot_info.ram_count; i++) {
		struct span r = boot_info.ram[i];

		if (r.start < memory.low_end)
			r.start = memory.low_end;
		if (r.end > 1ull << 45) // the direct map's reach
			r.end = 1ull << 45;
		if (r.start >= r.end)
			continue;
		if (m.start < r.end && m.end > r.start) {
			add_usable(r.start, align_down(m.start, PAGE_2M));
			r.start = align_up(m.end, PAGE_2M);
		}
		add_usable(r.start, r.end);
	}
}

// Page tables needed: a directory for each GiB the direct map touches (a random base may straddle
// two), device memory scattered at worst, page tables for the low area, and the roots.
static uint64_t table_pages(void)
{
	uint64_t n = 32;

	for (unsigned i = 0; i < boot_info.ram_count; i++)
		n += ((boot_info.ram[i].end - boot_info.ram[i].start) >> 30) + 3;
	return n;
}

static void find_blob(void)
{
	if (image_blob.len)
		memory.blob = (struct span){image_blob.paddr, image_blob.paddr + image_blob.len};
	else
		memory.blob = boot_info.module;
}

void memory_plan(void)
{
	uint64_t end, have = 0;

	memory.low_start = image_end();
	memory.tables = memory.low_start;
	memory.slot_count = acpi_info.cpus - 1;
	// The low area's own page tables: one for each 2 MiB of it and of the image.
	end = memory.low_start + memory.slot_count * SLOT_SIZE;
	memory.tables_end = memory.tables + (table_pages() + (end >> 21) + 1) * PAGE_4K;
	memory.slots = memory.tables_end;
	memory.low_end = align_up(memory.slots + memory.slot_count * SLOT_SIZE, PAGE_2M);
	for (unsigned i = 0; i < boot_info.ram_count; i++)
		if (boot_info.ram[i].start <= MON_BASE)
			have = boot_info.ram[i].end;
	if (boot_info.module.start > MON_BASE && boot_info.module.start < have)
		have = boot_info.module.start;
	if (have < memory.low_end || memory.low_end > MON_LAPIC)
		refuse("too little memory",
		       "the image, its configuration and thread stacks do not fit; "
		       "give the machine more (QEMU's -m)");
	plan_usable();
	if (!memory.usable_count)
		refuse("too little memory",
		       "nothing is left for packets; give the machine more (-m)");
	find_blob();
	// 2 MiB steps between 1 TiB and 65 TiB: 25 bits.
	memory.direct = (1ull << 40) + (entropy_u64() & 0x1ffffff) * PAGE_2M;
}

struct place {
	uint64_t start, end;
	const char *name;
	int readable; // from ring 3
};

static int within(uint64_t va, uint64_t start, uint64_t end)
{
	return va >= start && va < end;
}

static struct place place_slot(uint64_t va)
{
	if ((va - memory.slots) % SLOT_SIZE < SLOT_GUARD)
		return (struct place){.name = "guard page of a thread's stack"};
	return (struct place){.name = "a thread's stack", .readable = 1};
}

static struct place place_direct(uint64_t pa)
{
	struct span module = boot_info.module;

	for (unsigned i = 0; i < memory.usable_count; i++)
		if (within(pa, memory.usable[i].start, memory.usable[i].end))
			return (struct place){.name = "arena or heap", .readable = 1};
	if (within(pa, module.start, module.end))
		return (struct place){.name = "configuration blob", .readable = 1};
	return (struct place){.name = "nothing of ours"};
}

static struct place place_of(uint64_t va)
{
	const struct place parts[] = {
		{0, PAGE_4K, "page 0", 0},
		{MON_BASE, MON_END, "monitor", 0},
		{(uint64_t)__text_start, align_up((uint64_t)__text_end, PAGE_4K), "text", 1},
		{(uint64_t)__rodata_start, align_up((uint64_t)__rodata_end, PAGE_4K), "rodata", 1},
		{(uint64_t)__guard0, (uint64_t)__main_stack, "guard page of the main stack", 0},
		{(uint64_t)__main_stack, (uint64_t)__guard1, "main stack", 1},
		{(uint64_t)__guard1, (uint64_t)__fault_stack, "guard page of the fault stack", 0},
		{(uint64_t)__guard2, (uint64_t)__image_end, "guard page", 0},
		{(uint64_t)__data_start, (uint64_t)__image_end, "data", 1},
		{(uint64_t)__image_end, memory.tables, "symbols or configuration blob", 1},
		{memory.tables, memory.tables_end, "page tables", 0},
	};

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (within(va, parts[i].start, parts[i].end))
			return parts[i];
	if (within(va, memory.slots, memory.slots + memory.slot_count * SLOT_SIZE))
		return place_slot(va);
	if (va >> 47)
		return (struct place){.name = "not a user address"};
	return place_direct(va - memory.direct);
}

const char *memory_name(uint64_t va)
{
	return place_of(va).name;
}

int memory_readable(uint64_t va, size_t len)
{
	return va + len > va && place_of(va).readable && place_of(va + len - 1).readable;
}

const void *plat_blob(size_t *len)
{
	uint64_t off = image_blob.len ? 0 : memory.direct;

	*len = memory.blob.end - memory.blob.start;
	return *len ? (const void *)(memory.blob.start + off) : NULL;
}
