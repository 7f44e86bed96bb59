// SPDX-License-Identifier: BSD-3-Clause
// acpi.c - CPUs, local APIC, configuration space and PM timer from the ACPI tables
//
// Source: ACPI 6.4, 5.2.5 (RSDP) to 5.2.12 (MADT), 5.2.9 (FADT); PCI Firmware 3.0, 4.1.2 (MCFG).
// Read with the boot tables, so everything must lie below 4 GiB; a table that is too long, too
// short or has a bad checksum is left out. Without ACPI there is one CPU and no ECAM.
#include <string.h>

#include "core/x86_64/libos/libos.h"

#define TABLE_MAX     (1u << 20)
#define LAPIC_DEFAULT 0xfee00000u

struct sdt {
	char signature[4];
	uint32_t len;
	uint8_t revision, checksum;
	char oem[22];
	uint32_t creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct sdt) == 36, "ACPI 5.2.6");

struct acpi_info acpi_info = {.cpus = 1, .cpus_offered = 1, .lapic = LAPIC_DEFAULT};

static const void *phys(uint64_t pa, uint64_t len)
{
	return pa && pa < GIB_4 && len <= GIB_4 - pa ? (const void *)(pa + BOOT_WINDOW) : NULL;
}

static uint64_t get(const void *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

static int checksum_ok(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (len--)
		sum += *b++;
	return sum == 0;
}

static const struct sdt *table(uint64_t pa)
{
	const struct sdt *t = phys(pa, sizeof(*t));

	if (!t || t->len < sizeof(*t) || t->len > TABLE_MAX || !phys(pa, t->len))
		return NULL;
	return checksum_ok(t, t->len) ? t : NULL;
}

static void add_cpu(uint32_t apic_id, uint32_t flags)
{
	if (!(flags & 1))
		return;
	if (apic_id == cpu_traits.boot_apic_id || apic_id > 254)
		return;
	acpi_info.cpus_offered++;
	if (acpi_info.cpus < MON_CPU_MAX)
		acpi_info.apic_id[acpi_info.cpus++] = (uint8_t)apic_id;
}

static void read_madt(const struct sdt *t)
{
	const uint8_t *p = (const uint8_t *)t, *end = p + t->len;

	if (t->len < 44)
		return;
	acpi_info.lapic = get(p + 36, 4);
	for (p += 44; end - p >= 2 && p[1] >= 2 && p[1] <= end - p; p += p[1]) {
		if (p[0] == 0 && p[1] >= 8)
			add_cpu(p[3], (uint32_t)get(p + 4, 4));
		else if (p[0] == 9 && p[1] >= 16)
			add_cpu((uint32_t)get(p + 4, 4), (uint32_t)get(p + 8, 4));
		else if (p[0] == 5 && p[1] >= 12)
			acpi_info.lapic = get(p + 4, 8);
	}
}

// The first allocation of segment 0.
static void read_mcfg(const struct sdt *t)
{
	const uint8_t *p = (const uint8_t *)t + 44, *end = (const uint8_t *)t + t->len;

	for (; end - p >= 16; p += 16) {
		struct ecam e = {get(p, 8), p[10], p[11]};

		if (get(p + 8, 2) || !e.base || e.base & 0xfffff || e.bus_last < e.bus_first)
			continue;
		if (!phys(e.base, ((uint64_t)e.bus_last + 1) << 20))
			continue;
		acpi_info.ecam = e;
		return;
	}
}

static void read_fadt(const struct sdt *t)
{
	const uint8_t *p = (const uint8_t *)t;

	if (t->len < 116)
		return;
	if (p[91] == 4 && get(p + 76, 4) < 0xfff) // PM_TMR_LEN, PM_TMR_BLK
		acpi_info.pm_timer = (uint16_t)get(p + 76, 4);
	acpi_info.pm_timer_32 = get(p + 112, 4) >> 8 & 1;
}

static uint64_t find_rsdp(void)
{
	for (uint64_t pa = 0xe0000; pa < 0x100000; pa += 16) {
		const char *p = phys(pa, 20);

		if (!memcmp(p, "RSD PTR ", 8) && checksum_ok(p, 20))
			return pa;
	}
	return 0;
}

void acpi_read(void)
{
	uint64_t pa = boot_info.rsdp ? boot_info.rsdp : find_rsdp();
	const uint8_t *rsdp = phys(pa, 36), *entry;
	const struct sdt *root = NULL;
	unsigned width = 8;

	acpi_info.apic_id[0] = (uint8_t)cpu_traits.boot_apic_id;
	if (!rsdp || memcmp(rsdp, "RSD PTR ", 8) || !checksum_ok(rsdp, 20))
		return;
	if (rsdp[15] >= 2)
		root = table(get(rsdp + 24, 8));
	if (!root) {
		root = table(get(rsdp + 16, 4));
		width = 4;
	}
	if (!root)
		return;
	entry = (const uint8_t *)(root + 1);
	for (unsigned n = (root->len - sizeof(*root)) / width; n; n--, entry += width) {
		const struct sdt *t = table(get(entry, width));

		if (t && !memcmp(t->signature, "APIC", 4))
			read_madt(t);
		else if (t && !memcmp(t->signature, "MCFG", 4))
			read_mcfg(t);
		else if (t && !memcmp(t->signature, "FACP", 4))
			read_fadt(t);
	}
}
