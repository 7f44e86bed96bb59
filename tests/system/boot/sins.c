// SPDX-License-Identifier: BSD-3-Clause
// sins.c - commits the one sin its argument names, after the seal; the machine must end it, and say
// so
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

static const char constant[16] = "constant";
static char ret_in_data[16] = {(char)0xc3};

static void write_to(uint64_t va)
{
	*(volatile char *)va = 1;
}

static void read_from(uint64_t va)
{
	(void)*(volatile char *)va;
}

static void execute(uint64_t va)
{
	((void (*)(void))va)();
}

static void execute_stack(void)
{
	volatile char code[16] = {(char)0xc3};

	execute((uint64_t)code);
}

static void execute_arena(void)
{
	char *p = plat_arena_alloc(64, 64);

	p[0] = (char)0xc3;
	execute((uint64_t)p);
}

static void execute_heap(void)
{
	char *p = malloc(64);

	p[0] = (char)0xc3;
	execute((uint64_t)p);
}

static volatile int endless = 1;

static int recurse(int depth)
{
	volatile char frame[512];

	frame[0] = (char)depth;
	return endless ? recurse(depth + 1) + frame[0] : 0;
}

static void overflow_stack(void)
{
	recurse(0);
}

// A write behind the array, into the frame's canary, as a parser's bug would do.
__attribute__((noinline)) static void smash_canary(void)
{
	char buf[16];
	volatile char *p = buf;

	for (int i = 0; i < 32; i++)
		p[i] = 'A';
}

static void *thread_null(void *arg)
{
	read_from(0);
	return NULL;
}

static void *thread_overflow(void *arg)
{
	recurse(0);
	return NULL;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void wait_for_self(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
}

static void privileged(void)
{
	__asm__ volatile("wrmsr" : : "a"(0), "d"(0), "c"(MSR_LSTAR));
}

// UMIP keeps the GDT's address from ring 3.
static void read_gdt(void)
{
	char gdtr[10];

	__asm__ volatile("sgdt %0" : "=m"(gdtr));
}

// Interrupts stay off: no one may take the CPU away from the loop.
static void interrupts_on(void)
{
	__asm__ volatile("sti");
}

static void ask_monitor(void)
{
	// The words of an INIT in every argument: a wake takes nothing but the CPU's id.
	printf("setup %ld, ipi %ld, wake %ld, unknown %ld\n", mon_call(MON_SETUP, 0, 0, 0, 0, 0, 0),
	       mon_call(MON_IPI, 1, 0x4500, 1, 0, 0, 0),
	       mon_call(MON_WAKE, 0x4500, 0x4500, 0x4500, 0x4500, 0x4500, 0x4500),
	       mon_call(99, 0, 0, 0, 0, 0, 0));
	exit(0);
}

static void trap(void)
{
	__builtin_trap();
}

// The report itself goes wrong: what it takes for readable memory is not.
static void break_report(void)
{
	memory.usable[0].end = 1ull << 44;
	__asm__ volatile("mov %0, %%rbp; ud2" : : "r"(memory.direct + (1ull << 43)));
}

int main(int argc, char **argv);

static void commit(const char *name)
{
	const uint64_t direct = memory.direct;
	const struct {
		const char *name;
		void (*touch)(uint64_t);
		uint64_t at;
		void (*act)(void);
	} sins[] = {
		{"write-text", write_to, (uint64_t)main, NULL},
		{"write-rodata", write_to, (uint64_t)constant, NULL},
		{"write-table", write_to, memory.tables, NULL},
		{"write-table-alias", write_to, direct + memory.tables, NULL},
		{"write-image-alias", write_to, direct + (uint64_t)main, NULL},
		{"write-monitor", write_to, MON_CPU0, NULL},
		{"write-frame", write_to, MON_ALIAS, NULL},
		{"write-apic", write_to, MON_LAPIC, NULL},
		{"write-trampoline", write_to, direct + MON_AP_PAGE, NULL},
		{"read-null", read_from, 0, NULL},
		{"read-low", read_from, MON_AP_PAGE, NULL},
		{"read-monitor", read_from, MON_BASE, NULL},
		{"read-kernel", read_from, 0xffffffff80000000, NULL},
		{"execute-null", execute, 0, NULL},
		{"execute-data", execute, (uint64_t)ret_in_data, NULL},
		{"execute-rodata", execute, (uint64_t)constant, NULL},
		{"execute-monitor", execute, MON_BASE + 0x100, NULL},
		{"execute-noncanonical", execute, 0x0000900000000000, NULL},
		{"execute-stack", NULL, 0, execute_stack},
		{"execute-arena", NULL, 0, execute_arena},
		{"execute-heap", NULL, 0, execute_heap},
		{"overflow-stack", NULL, 0, overflow_stack},
		{"smash-canary", NULL, 0, smash_canary},
		{"abort", NULL, 0, abort},
		{"deadlock", NULL, 0, wait_for_self},
		{"privileged", NULL, 0, privileged},
		{"read-gdt", NULL, 0, read_gdt},
		{"interrupts-on", NULL, 0, interrupts_on},
		{"ask-monitor", NULL, 0, ask_monitor},
		{"break-report", NULL, 0, break_report},
		{"trap", NULL, 0, trap},
	};

	for (unsigned i = 0; i < sizeof(sins) / sizeof(sins[0]); i++)
		if (!strcmp(name, sins[i].name)) {
			if (sins[i].act)
				sins[i].act();
			else
				sins[i].touch(sins[i].at);
		}
}

int main(int argc, char **argv)
{
	void *(*thread)(void *) = NULL;
	pthread_t t;

	if (argc != 2)
		return 1;
	if (!strcmp(argv[1], "thread-null"))
		thread = thread_null;
	if (!strcmp(argv[1], "thread-overflow"))
		thread = thread_overflow;
	if (thread) {
		pthread_create(&t, NULL, thread, NULL);
		pthread_join(t, NULL);
	}
	plat_seal();
	commit(argv[1]);
	printf("unpunished\n");
	return 2;
}
