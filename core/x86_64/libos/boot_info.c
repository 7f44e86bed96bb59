// SPDX-License-Identifier: BSD-3-Clause
// boot_info.c - read what the loader left: memory map, command line, boot module
//
// Source: Xen's public/arch-x86/hvm/start_info.h. All of it lies in memory that will be handed out,
// so it is copied first. Addresses at or above the boot tables' reach count as absent.
#include <string.h>

#include "core/x86_64/libos/libos.h"

#define HVM_MAGIC 0x336ec578u
#define E820_RAM  1u

struct hvm_start_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, cmdline, rsdp;
	uint64_t memmap; // version 1 on
	uint32_t memmap_entries, reserved;
};

struct hvm_module {
	uint64_t start, len, cmdline, reserved;
};

struct hvm_memmap {
	uint64_t addr, len;
	uint32_t type, reserved;
};

struct boot_info boot_info;

// Only the first 16 MiB are mapped yet; the loaders put these structures below 1 MiB.
static const void *boot_memory(uint64_t pa, uint64_t len)
{
	return pa && pa < 0x1000000 && len < 0x1000000 - pa ? (const void *)pa : NULL;
}

// Keeps the spans sorted; a RAM span is cut to whole pages.
static void add_ram(uint64_t start, uint64_t len)
{
	struct span *r = boot_info.ram, s;
	unsigned i = boot_info.ram_count;

	if (len > UINT64_MAX - start || i == RAM_SPANS_MAX)
		return;
	s.start = align_up(start, PAGE_4K);
	s.end = align_down(start + len, PAGE_4K);
	if (s.start >= s.end)
		return;
	for (; i && r[i - 1].start > s.start; i--)
		r[i] = r[i - 1];
	r[i] = s;
	boot_info.ram_count++;
}

static void join_neighbours(void)
{
	struct span *r = boot_info.ram;
	unsigned n = 0;

	for (unsigned i = 0; i < boot_info.ram_count; i++) {
		if (n && r[i].start <= r[n - 1].end)
			r[n - 1].end = r[i].end > r[n - 1].end ? r[i].end : r[n - 1].end;
		else
			r[n++] = r[i];
	}
	boot_info.ram_count = n;
}

static void copy_cmdline(const char *from)
{
	for (size_t i = 0; from && from[i]; i++) {
		if (i == CMDLINE_MAX - 1)
			refuse("command line too long", "at most 4,095 bytes");
		boot_info.cmdline[i] = from[i];
	}
}

void boot_info_read(uint64_t start_info)
{
	const struct hvm_start_info *si = boot_memory(start_info, sizeof(*si));
	const struct hvm_memmap *map;
	const struct hvm_module *mod;

	if (!si || si->magic != HVM_MAGIC)
		refuse("no PVH start_info", "boot with QEMU's -kernel");
	map = si->version && si->memmap_entries <= 256
	              ? boot_memory(si->memmap, si->memmap_entries * sizeof(*map))
	              : NULL;
	if (!map)
		refuse("the loader gave no memory map",
		       "PVH version 1 is needed: QEMU 4.0 or later");
	for (uint32_t i = 0; i < si->memmap_entries; i++)
		if (map[i].type == E820_RAM)
			add_ram(map[i].addr, map[i].len);
	join_neighbours();
	mod = si->modules ? boot_memory(si->module_list, sizeof(*mod)) : NULL;
	if (mod && mod->len && mod->start < GIB_4 && mod->len <= GIB_4 - mod->start)
		boot_info.module = (struct span){mod->start, mod->start + mod->len};
	copy_cmdline(boot_memory(si->cmdline, CMDLINE_MAX));
	boot_info.rsdp = si->rsdp;
}

int boot_option(const char *key_value)
{
	size_t len = strlen(key_value);

	for (const char *p = boot_info.cmdline; *p;) {
		if (!memcmp(p, key_value, len) && (p[len] == ' ' || !p[len]))
			return 1;
		while (*p && *p != ' ')
			p++;
		while (*p == ' ')
			p++;
	}
	return 0;
}
