// SPDX-License-Identifier: BSD-3-Clause
// test_mmio_dev.c - device windows from the command line, as Linux and QEMU write them; and bad ones
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/mmio_dev.h"
#include "core/x86_64/libos/libos.h"

struct boot_info boot_info;
struct acpi_info acpi_info = {.lapic = 0xfee00000};
struct memory memory;

static unsigned complaints;

void console_puts(const char *s)
{
	complaints++;
}

static struct span seen[64];
static unsigned spans;

static void see(struct span s)
{
	seen[spans++] = s;
}

// How many more windows there are, and in `seen` all of them.
static unsigned scan(const char *cmdline)
{
	unsigned before = mmio_dev_count();

	complaints = spans = 0;
	memset(boot_info.cmdline, 0, sizeof(boot_info.cmdline));
	snprintf(boot_info.cmdline, sizeof(boot_info.cmdline), "%s", cmdline);
	mmio_dev_scan();
	mmio_dev_for_each(see);
	return mmio_dev_count() - before;
}

static int machine(void **state)
{
	boot_info.ram[0] = (struct span){0, 0x9f000};
	boot_info.ram[1] = (struct span){0x100000, 0x8000000};
	boot_info.ram_count = 2;
	memory.direct = 1ull << 40;
	return 0;
}

static void as_qemu_writes_them(void **state)
{
	size_t len = 0;

	assert_int_equal(scan("mode=echo virtio_mmio.device=512@0xfeb00e00:12 x virtio_mmio.device=512@0xfeb00c00:11"),
			 2);
	assert_int_equal(complaints, 0);
	assert_int_equal(seen[0].start, 0xfeb00e00);
	assert_int_equal(seen[0].end, 0xfeb01000);
	assert_int_equal(seen[1].start, 0xfeb00c00);
	assert_int_equal((uintptr_t)mmio_dev_map(1, &len), (1ull << 40) + 0xfeb00c00);
	assert_int_equal(len, 512);
	assert_null(mmio_dev_map(2, &len));
}

static void as_linux_lets_one_write_them(void **state)
{
	assert_int_equal(scan("virtio_mmio.device=4K@0xD0000000:5:0"), 1);
	assert_int_equal(seen[spans - 1].start, 0xd0000000);
	assert_int_equal(seen[spans - 1].end, 0xd0001000);
	assert_int_equal(scan("virtio_mmio.device=0x200@3489660928:5"), 1);
	assert_int_equal(seen[spans - 1].start, 0xd0000000);
}

static void bad_ones(void **state)
{
	static const char *const bad[] = {
		"", "512", "512@", "@0xd0000000", "512@0x", "x@0xd0000000", "-512@0xd0000000",
		"512@0xd0000001",	      // misaligned
		"0@0xd0000000", "252@0xd0000000", // too short for the registers
		"2M@0xd0000000", "99999999999999999999999@0xd0000000", "512@99999999999999999999999",
		"512@0xffffffffff", "4K@0xfffff800", // beyond 4 GiB
		"512@0x1000", "512@0x7fff000",	     // RAM, and a page with RAM in it
		"512@0xfee00000", "512@0xfeffff00", "512@0xfedfff00", // the local APIC's 2 MiB
	};
	char line[128];

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "virtio_mmio.device=%s", bad[i]);
		if (scan(line) || complaints != 1)
			fail_msg("%s: taken, or not told", line);
	}
	assert_int_equal(scan("xvirtio_mmio.device=512@0xd0000000:5"), 0); // another word
	assert_int_equal(complaints, 0);
}

static void too_many(void **state)
{
	for (unsigned i = mmio_dev_count(); i < 32; i++)
		assert_int_equal(scan("virtio_mmio.device=512@0xd0000000:5"), 1);
	assert_int_equal(scan("virtio_mmio.device=512@0xd0000000:5"), 0);
	assert_int_equal(complaints, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_qemu_writes_them),
		cmocka_unit_test(as_linux_lets_one_write_them),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, machine, NULL);
}
