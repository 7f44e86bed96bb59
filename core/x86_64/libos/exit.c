// SPDX-License-Identifier: BSD-3-Clause
// exit.c - the ways a machine ends
#include "core/x86_64/libos/libos.h"

// isa-debug-exit ends QEMU with a status of our choice. Where it is absent the machine is reset
// (QEMU with -no-reboot ends with 0): chipset, keyboard controller, triple fault, whichever works.
void machine_exit(unsigned value)
{
	outl(EXIT_PORT, value);
	outb(0xcf9, 0x06);
	outb(0x64, 0xfe);
	mon_call(MON_RESET, 0, 0, 0, 0, 0, 0);
	for (;;)
		cpu_pause();
}

void refuse(const char *what, const char *detail)
{
	char buf[512];
	struct text t = {buf, 0, sizeof(buf)};

	text_str(&t, "weir: cannot start: ");
	text_str(&t, what);
	text_str(&t, ": ");
	text_str(&t, detail);
	text_str(&t, "\n");
	console_write(buf, t.len);
	machine_exit(EXIT_VALUE_REFUSE);
}

void panic(const char *what, uint64_t value)
{
	static char buf[4096];
	struct text t = {buf, 0, sizeof(buf)};

	spin_lock(&fault_lock); // the first to give up speaks
	console_break_lock();
	text_str(&t, "weir: panic: ");
	text_str(&t, what);
	text_str(&t, " (");
	text_hex(&t, value, 0);
	text_str(&t, ") on lcore ");
	text_dec(&t, lcore_current());
	text_str(&t, "\n");
	backtrace(&t, (uint64_t)__builtin_return_address(0),
	          *(uint64_t *)__builtin_frame_address(0));
	console_write(buf, t.len);
	machine_exit(EXIT_VALUE_PANIC);
}
