// SPDX-License-Identifier: BSD-3-Clause
// fault.c - the last words: cause, address, registers, backtrace; then the machine ends
//
// Runs in ring 3 on its own stack, with nothing but the console. The frame lies in the monitor's
// memory, seen read-only. A fault in here ends the machine from ring 0.
#include "core/x86_64/libos/libos.h"

#define PF_PRESENT 1
#define PF_WRITE   2
#define PF_FETCH   16
#define FRAMES_MAX 32

uint32_t fault_lock;
extern void __stack_chk_fail(void);

static const char *const names[] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound",
	"invalid opcode",
	"no FPU",
	"double fault",
	"vector 9",
	"invalid TSS",
	"segment not present",
	"stack-segment fault",
	"general protection",
	"page fault",
	"vector 15",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD exception",
};

static void say_cause(struct text *t, const struct mon_frame *f)
{
	if (f->vector == VEC_PF) {
		text_str(t, f->error & PF_FETCH   ? "executing "
		            : f->error & PF_WRITE ? "writing "
		                                  : "reading ");
		text_hex(t, f->cr2, 16);
		text_str(t, f->error & PF_PRESENT ? ", not allowed: " : ", not mapped: ");
		text_str(t, memory_name(f->cr2));
	} else if (f->vector == 13 && f->rip - (uint64_t)__stack_chk_fail < 64) {
		text_str(t, "stack smashed: the canary of a function's frame was overwritten");
	} else {
		text_str(t, f->vector < sizeof(names) / sizeof(names[0]) ? names[f->vector]
		                                                         : "exception");
	}
	text_str(t, " (vector ");
	text_dec(t, f->vector);
	text_str(t, ", error ");
	text_hex(t, f->error, 0);
	text_str(t, ")");
}

static void say_place(struct text *t, uint64_t addr)
{
	struct symbol s;

	text_hex(t, addr, 16);
	if (symbol_find(addr, &s)) {
		text_str(t, " ");
		text_str(t, s.name);
		text_str(t, "+");
		text_hex(t, addr - s.start, 0);
	}
	text_str(t, "\n");
}

// Return addresses by frame pointer; code without one (musl's) is skipped over.
void backtrace(struct text *t, uint64_t rip, uint64_t rbp)
{
	text_str(t, "backtrace:\n  ");
	say_place(t, rip);
	for (int i = 0; i < FRAMES_MAX && !(rbp & 7) && memory_readable(rbp, 16); i++) {
		const uint64_t *frame = (const uint64_t *)rbp;

		if (!frame[1])
			break;
		text_str(t, "  ");
		say_place(t, frame[1]);
		if (frame[0] <= rbp) // the stack grows down: anything else is a loop or rubbish
			break;
		rbp = frame[0];
	}
}

static void say_registers(struct text *t, const struct mon_frame *f)
{
	const struct {
		const char *name;
		uint64_t v;
	} r[] = {{"rip ", f->rip}, {"rsp ", f->rsp}, {"flags ", f->rflags}, {"cr2 ", f->cr2},
	         {"rax ", f->rax}, {"rbx ", f->rbx}, {"rcx ", f->rcx},      {"rdx ", f->rdx},
	         {"rsi ", f->rsi}, {"rdi ", f->rdi}, {"rbp ", f->rbp},      {"r8  ", f->r8},
	         {"r9  ", f->r9},  {"r10 ", f->r10}, {"r11 ", f->r11},      {"r12 ", f->r12},
	         {"r13 ", f->r13}, {"r14 ", f->r14}, {"r15 ", f->r15}};

	for (unsigned i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		text_str(t, r[i].name);
		text_hex(t, r[i].v, 16);
		text_str(t, i % 4 == 3 || i == 18 ? "\n" : "  ");
	}
}

void fault_report(const struct mon_frame *f)
{
	static char buf[8192];
	struct text t = {buf, 0, sizeof(buf)};
	int in_monitor = !(f->cs & 3) && f->vector != VEC_NMI; // an NMI may meet a halted CPU

	console_break_lock();
	text_str(&t, in_monitor ? "\nweir: fault in the monitor on lcore "
				: "\nweir: fault on lcore ");
	text_dec(&t, *(const uint32_t *)(align_down((uint64_t)f, PAGE_4K) + CPU_INDEX));
	text_str(&t, ": ");
	say_cause(&t, f);
	text_str(&t, "\n");
	say_registers(&t, f);
	backtrace(&t, f->rip, f->rbp);
	console_write(buf, t.len);
	machine_exit(in_monitor ? EXIT_VALUE_DOUBLE : EXIT_VALUE_FAULT);
}
