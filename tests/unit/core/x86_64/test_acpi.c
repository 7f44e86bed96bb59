// SPDX-License-Identifier: BSD-3-Clause
// test_acpi.c - CPUs, ECAM and timer from tables laid out as ACPI 6.4 and PCI Firmware 3.0 say; and
// from bad ones
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "core/x86_64/libos/libos.h"

#define RSDP 0xf0000u
#define ROOT 0x10000u
#define TOP  GIB_4

struct boot_info boot_info;
struct cpu_traits cpu_traits;

// The first 4 GiB of physical memory; behind them nothing is readable.
static int map_memory(void **state)
{
	void *p = mmap((void *)BOOT_WINDOW, GIB_4, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	return p == (void *)BOOT_WINDOW ? 0 : -1;
}

static uint8_t *at(uint64_t pa)
{
	return (uint8_t *)(BOOT_WINDOW + pa);
}

static void put(uint64_t pa, uint64_t v, unsigned size)
{
	memcpy(at(pa), &v, size);
}

static void fix_sum(uint64_t pa, size_t len, unsigned where)
{
	uint8_t sum = 0;

	at(pa)[where] = 0;
	for (size_t i = 0; i < len; i++)
		sum += at(pa)[i];
	at(pa)[where] = (uint8_t)-sum;
}

static void put_table(uint64_t pa, const char *signature, uint32_t len)
{
	memcpy(at(pa), signature, 4);
	put(pa + 4, len, 4);
	fix_sum(pa, len, 9);
}

static unsigned root_entries;

// ACPI 5.2.5.3 (RSDP), 5.2.8 (XSDT).
static void begin(uint8_t revision)
{
	memset(at(RSDP), 0, 0x1000);
	memset(at(ROOT), 0, 0x10000);
	memcpy(at(RSDP), "RSD PTR ", 8);
	at(RSDP)[15] = revision;
	put(RSDP + (revision ? 24 : 16), ROOT, revision ? 8 : 4);
	fix_sum(RSDP, 20, 8);
	root_entries = 0;
	boot_info.rsdp = RSDP;
	cpu_traits.boot_apic_id = 0;
	acpi_info = (struct acpi_info){.cpus = 1, .cpus_offered = 1, .lapic = 0xfee00000};
}

static void add(uint64_t pa)
{
	unsigned width = at(RSDP)[15] ? 8 : 4;

	put(ROOT + 36 + root_entries++ * width, pa, width);
	put_table(ROOT, width == 8 ? "XSDT" : "RSDT", 36 + root_entries * width);
}

// ACPI 5.2.12.2: type 0, length 8, uid, APIC id, flags. Returns the next entry's address.
static uint64_t put_cpu(uint64_t pa, uint8_t id, uint32_t flags)
{
	put(pa, 0, 1);
	put(pa + 1, 8, 1);
	put(pa + 2, id, 1);
	put(pa + 3, id, 1);
	put(pa + 4, flags, 4);
	return pa + 8;
}

static void cpus(void **state)
{
	uint64_t p = 0x11000 + 44;

	begin(2);
	put(0x11000 + 36, 0xfee10000, 4);
	p = put_cpu(p, 0, 1); // the boot CPU
	p = put_cpu(p, 2, 1);
	p = put_cpu(p, 3, 0);   // not enabled
	put(p, 9 | 16 << 8, 4); // 5.2.12.12: local x2APIC
	put(p + 4, 7, 4);
	put(p + 8, 1, 4);
	p += 16;
	put_table(0x11000, "APIC", (uint32_t)(p - 0x11000));
	add(0x11000);
	acpi_read();
	assert_int_equal(acpi_info.cpus, 3);
	assert_int_equal(acpi_info.apic_id[0], 0);
	assert_int_equal(acpi_info.apic_id[1], 2);
	assert_int_equal(acpi_info.apic_id[2], 7);
	assert_int_equal(acpi_info.lapic, 0xfee10000);
}

static void more_cpus_than_we_run(void **state)
{
	uint64_t p = 0x11000 + 44;

	begin(2);
	for (unsigned i = 0; i < 200; i++)
		p = put_cpu(p, (uint8_t)i, 1);
	put_table(0x11000, "APIC", (uint32_t)(p - 0x11000));
	add(0x11000);
	acpi_read();
	assert_int_equal(acpi_info.cpus, MON_CPU_MAX);
	assert_int_equal(acpi_info.cpus_offered, 200);
}

static void put_ecam(uint64_t pa, uint64_t base, uint16_t segment, uint8_t first, uint8_t last)
{
	put(pa, base, 8);
	put(pa + 8, segment, 2);
	put(pa + 10, first, 1);
	put(pa + 11, last, 1);
}

// The first usable allocation of segment 0.
static void ecam(void **state)
{
	begin(2);
	put_ecam(0x11000 + 44, 0xb0000000, 1, 0, 255);
	put_ecam(0x11000 + 60, 0xb0000001, 0, 0, 255);   // not aligned
	put_ecam(0x11000 + 76, 0xb0000000, 0, 9, 3);     // backwards
	put_ecam(0x11000 + 92, 0x8000000000, 0, 0, 255); // out of the window
	put_ecam(0x11000 + 108, 0xf8000000, 0, 0, 255);  // across 4 GiB
	put_ecam(0x11000 + 124, 0xe0000000, 0, 0, 127);
	put_table(0x11000, "MCFG", 140);
	add(0x11000);
	acpi_read();
	assert_int_equal(acpi_info.ecam.base, 0xe0000000);
	assert_int_equal(acpi_info.ecam.bus_last, 127);
}

// ACPI 5.2.9: PM_TMR_BLK at 76, PM_TMR_LEN at 91, TMR_VAL_EXT is flag bit 8 at 112; by RSDT.
static void pm_timer(void **state)
{
	begin(0);
	put(0x11000 + 76, 0x608, 4);
	put(0x11000 + 91, 4, 1);
	put(0x11000 + 112, 1 << 8, 4);
	put_table(0x11000, "FACP", 116);
	add(0x11000);
	acpi_read();
	assert_int_equal(acpi_info.pm_timer, 0x608);
	assert_int_equal(acpi_info.pm_timer_32, 1);
}

static void bad_checksum(void **state)
{
	cpus(state);
	begin(2);
	at(0x11000)[9]++;
	add(0x11000);
	acpi_read();
	assert_int_equal(acpi_info.cpus, 1);
	begin(2);
	at(RSDP)[8]++;
	acpi_read();
	assert_int_equal(acpi_info.cpus, 1);
}

// Entries of length 0, 1 and beyond the table's end stop the reading; what came before counts.
static void bad_entries(void **state)
{
	static const uint8_t lengths[] = {0, 1, 9, 255};

	for (unsigned i = 0; i < sizeof(lengths); i++) {
		uint64_t table = TOP - 60, p = table + 44;

		begin(2);
		p = put_cpu(p, 5, 1);
		put_cpu(p, 6, 1);
		put(p + 1, lengths[i], 1);
		put_table(table, "APIC", 60); // ends where memory does
		add(table);
		acpi_read();
		assert_int_equal(acpi_info.cpus, 2);
		assert_int_equal(acpi_info.apic_id[1], 5);
	}
}

static void bad_places(void **state)
{
	static const uint64_t places[] = {0, TOP - 8, TOP - 36, TOP, 1ull << 52, UINT64_MAX};

	put(TOP - 36 + 4, 40, 4); // a header that promises more than there is
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		begin(2);
		add(places[i]);
		acpi_read();
		begin(2);
		put(RSDP + 24, places[i], 8);
		acpi_read();
		boot_info.rsdp = places[i] ? places[i] : 1;
		acpi_read();
		assert_int_equal(acpi_info.cpus, 1);
	}
}

// Where the loader does not say: ACPI 5.2.5.1, on 16-byte boundaries below 1 MiB.
static void searched(void **state)
{
	cpus(state);
	acpi_info.cpus = 1;
	boot_info.rsdp = 0;
	acpi_read();
	assert_int_equal(acpi_info.cpus, 3);
}

// Any byte of the tables may be anything: nothing outside memory is read.
static void mutated(void **state)
{
	srand(2);
	for (int i = 0; i < 20000; i++) {
		uint64_t table = TOP - 60;

		begin(2);
		put_cpu(put_cpu(table + 44, 5, 1), 6, 1);
		put_table(table, i & 1 ? "APIC" : "MCFG", 60);
		add(table);
		for (int n = rand() % 4; n >= 0; n--)
			at(rand() & 1 ? table : ROOT)[rand() % 60] = (uint8_t)rand();
		fix_sum(table, 60, 9);
		fix_sum(ROOT, 44, 9);
		acpi_read();
		assert_in_range(acpi_info.cpus, 1, MON_CPU_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpus),         cmocka_unit_test(more_cpus_than_we_run),
		cmocka_unit_test(ecam),         cmocka_unit_test(pm_timer),
		cmocka_unit_test(bad_checksum), cmocka_unit_test(bad_entries),
		cmocka_unit_test(bad_places),   cmocka_unit_test(searched),
		cmocka_unit_test(mutated),
	};

	return cmocka_run_group_tests(tests, map_memory, NULL);
}
