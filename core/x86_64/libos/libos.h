// SPDX-License-Identifier: BSD-3-Clause
// libos.h - what the library OS's files share; nothing outside core/x86_64/ includes it
//
// All of libos/ is compiled without vector registers and without a stack protector: it runs before
// the CPU is known to be good enough, before there is thread-local storage, and inside system
// calls.
#ifndef WEIR_X86_64_LIBOS_H
#define WEIR_X86_64_LIBOS_H

#include <stddef.h>
#include <stdint.h>

#include "core/x86_64/monitor/monitor.h"

#define PAGE_4K 0x1000ull
#define PAGE_2M 0x200000ull
#define GIB_4   0x100000000ull

#define align_up(x, a)   (((x) + (a)-1) & ~((a)-1))
#define align_down(x, a) ((x) & ~((a)-1))

// While the boot tables hold, physical memory below 4 GiB is reached at pa + BOOT_WINDOW. Unit tests
// have their own memory there.
#ifndef BOOT_WINDOW
#define BOOT_WINDOW GIB_4
#endif

// A stretch of physical memory, [start, end).
struct span {
	uint64_t start, end;
};

// --- boot.c, boot_info.c: what the loader said (Xen's PVH start_info), copied out of its memory.
#define RAM_SPANS_MAX 64
#define CMDLINE_MAX   4096
struct boot_info {
	uint64_t rsdp;
	struct span ram[RAM_SPANS_MAX]; // sorted, page-aligned, apart
	unsigned ram_count;
	struct span module; // the first boot module, empty when none
	char cmdline[CMDLINE_MAX + 16]; // a word may be compared past the end
};
extern struct boot_info boot_info;
void boot_info_read(uint64_t start_info);
// 1 when the command line has the word `key=value`.
int boot_option(const char *key_value);
__attribute__((noreturn)) void libc_start(void);

// --- cpu.c
extern struct cpu_traits {
	uint64_t cr4, xcr0;
	uint32_t boot_apic_id;
	uint32_t kvm_base; // CPUID leaf of KVM's signature, 0: none
	int rdrand, rdseed;
} cpu_traits;
void cpu_check(void);

// --- console.c
void console_write(const char *s, size_t len);
void console_puts(const char *s);
// The console is needed whatever happens: forgets who holds it.
void console_break_lock(void);

// --- fmt.c: text into a fixed buffer, for messages that must work without the C library
struct text {
	char *buf;
	size_t len, cap;
};
void text_str(struct text *t, const char *s);
void text_hex(struct text *t, uint64_t v, unsigned digits); // 0: as many as needed, with 0x
void text_dec(struct text *t, uint64_t v);

// --- exit.c
__attribute__((noreturn)) void machine_exit(unsigned value);
// Says `weir: <what>` and ends the machine: EXIT_VALUE_REFUSE and EXIT_VALUE_PANIC. The text names
// the value and the remedy.
__attribute__((noreturn)) void refuse(const char *what, const char *detail);
__attribute__((noreturn)) void panic(const char *what, uint64_t value);

// --- entropy.c
void entropy_init(void);
uint64_t entropy_u64(void);

// --- acpi.c
struct ecam {
	uint64_t base; // 0: none
	uint8_t bus_first, bus_last;
};
extern struct acpi_info {
	uint8_t apic_id[MON_CPU_MAX]; // [0] the boot CPU's
	unsigned cpus, cpus_offered;
	uint64_t lapic;
	struct ecam ecam;
	uint16_t pm_timer; // I/O port, 0: none
	int pm_timer_32;
} acpi_info;
void acpi_read(void);

// --- pci_scan.c, pci.c
void pci_scan(void);
// ECAM through the boot window until the final tables hold, through the direct map from then on.
void pci_tables_ready(void);
// Calls back with each stretch of device memory that must stay reachable.
void pci_for_each_mmio(void (*f)(struct span));

// --- mmio_dev.c
void mmio_dev_scan(void);
void mmio_dev_for_each(void (*f)(struct span));

// A part appended to the linked image: symbols by finish.py, the configuration by `weir pack`.
// Tools find the struct in the file by its magic and fill in the rest.
struct image_part {
	char magic[8];
	uint64_t paddr, len;
};
extern const volatile struct image_part image_syms, image_blob;

// --- memory.c, paging.c
extern struct memory {
	uint64_t low_start, low_end; // right behind the image: page tables and thread stacks
	uint64_t tables, tables_end; // page tables, within it
	uint64_t slots;              // first thread stack slot
	unsigned slot_count;
	uint64_t direct;                       // va - pa of the direct map, random
	struct span usable[RAM_SPANS_MAX + 2]; // whole 2 MiB pages for arena and heap
	unsigned usable_count;
	struct span blob; // the configuration, wherever it came from
} memory;
void boot_tables_extend(void);
void memory_plan(void);
void paging_build(void);
// What lies at a virtual address, in words, for fault reports.
const char *memory_name(uint64_t va);
// 1 when ring 3 may read [va, va + len) without a fault.
int memory_readable(uint64_t va, size_t len);

// A thread's stack: a guard of SLOT_GUARD bytes, then the stack musl lays out. musl asks for guard
// + stack + thread-local storage in one mapping; this is what it gets at most.
#define SLOT_SIZE    0x80000ull
#define SLOT_GUARD   0x2000ull
#define THREAD_STACK 0x40000ull // musl's default size, told through PT_GNU_STACK

// --- heap.c
void heap_init(void);
long heap_brk(uint64_t want);
long heap_map(size_t len);
long heap_unmap(uint64_t addr, size_t len);

// --- clock.c
void clock_prepare(uint64_t *kvm_system, uint64_t *kvm_wall); // MSR values for MON_SETUP
void clock_calibrate(void);
uint64_t clock_monotonic_ns(void);
uint64_t clock_realtime_ns(void);
static inline uint64_t tsc_now(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

// --- lcore.c, slot.c
enum { LCORE_FREE, LCORE_STARTING, LCORE_RUNS };
// Read and written by start.S.
struct lcore_entry {
	uint64_t rip, rsp, tls, r9;
	uint32_t state;
	uint32_t *tid_clear;  // zeroed when the thread has ended
	uint32_t *slot_clear; // likewise, when it unmapped its own stack
	uint8_t pad[8];
} __attribute__((aligned(64)));
extern struct lcore_entry lcore_entry[MON_CPU_MAX];
void lcores_prepare(void);
unsigned lcore_current(void);
// Starts a thread as clone() would: entered at rip with rax = 0. Returns its tid, stored in *tid
// before it runs, or -EAGAIN when no CPU is left or the machine is sealed.
long lcore_spawn(const struct lcore_entry *thread, uint32_t *tid);
__attribute__((noreturn)) void lcore_exit(void);
unsigned lcores_running(void);
__attribute__((noreturn)) void lcore_leave(uint32_t *slot, uint32_t *tid, uint32_t *state);
long slot_map(size_t len);
int slot_owns(uint64_t addr);
long slot_unmap(uint64_t addr, size_t len);

// --- halt.c: until an interrupt, at most ns (below 4 s)
void machine_halt(uint64_t ns);

// --- futex.c
long futex_call(uint32_t *addr, int op, uint32_t val, const void *timeout, uint32_t *addr2);
long sleep_until(uint64_t monotonic_ns);

// --- fault.c, symbols.c
struct symbol {
	const char *name;
	uint64_t start;
};
int symbol_find(uint64_t addr, struct symbol *s);
__attribute__((noreturn)) void fault_report(const struct mon_frame *f);
extern uint32_t fault_lock;
// Appends the callers above frame pointer rbp.
void backtrace(struct text *t, uint64_t rip, uint64_t rbp);

// --- Small inlines
static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline void spin_lock(uint32_t *l)
{
	while (__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
}

static inline void spin_unlock(uint32_t *l)
{
	__atomic_store_n(l, 0, __ATOMIC_RELEASE);
}

#endif
