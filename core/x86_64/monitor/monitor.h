// SPDX-License-Identifier: BSD-3-Clause
// monitor.h - what the monitor (ring 0) and the library OS (ring 3) agree on
//
// Included by assembly and C alike. Sources: Intel SDM volume 3A (2.5, 3.4, 6.10, 7.7, 10.6), Xen
// PVH (docs/misc/pvh.pandoc), KVM's cpuid and msr documents.
#ifndef WEIR_X86_64_MONITOR_H
#define WEIR_X86_64_MONITOR_H

// Physical = virtual. image.ld places the monitor's page and the first CPU page here and asserts
// it.
#define MON_BASE     0x200000
#define MON_CPU0     0x201000
#define MON_CPU_MAX  64
#define MON_CPU_SIZE 0x1000
#define MON_END      (MON_CPU0 + MON_CPU_MAX * MON_CPU_SIZE)

// Windows the final page tables provide; one page table covers both.
#define MON_LAPIC 0x3f000000 // supervisor, uncached: the local APIC
#define MON_ALIAS 0x3f100000 // ring 3, read-only: the CPU pages again, with a fault's frame

// Real-mode start page of the other CPUs (SIPI vector 8), written before the final tables hide it.
#define MON_AP_PAGE 0x8000

// A CPU page: GDT, TSS with I/O bitmap, two stacks. The head is copied from CPU 0's and patched.
#define CPU_GDT      0x000
#define CPU_GDT_LEN  0x40
#define CPU_GDTR     0x040
#define CPU_IN_FAULT 0x050
#define CPU_INDEX    0x054
#define CPU_WOKEN    0x058 // an interrupt came that no halt has ended for
#define CPU_TIMER    0x05c // the APIC timer has been set up
#define CPU_TSS      0x080
#define CPU_TSS_RSP0 (CPU_TSS + 4)
#define CPU_TSS_IST1 (CPU_TSS + 36)
#define CPU_IOMAP    0x0e8 // ports 0 to 0xfff are ring 3's: serial, PCI, timers, debug exit, reset
#define CPU_IOMAP_LEN 0x200
#define CPU_HEAD_END (CPU_IOMAP + CPU_IOMAP_LEN + 1)
#define CPU_VARS     0x300 // CPU 0 only: the monitor's few variables
#define CPU_IST1_TOP 0x800
#define CPU_RSP0_TOP 0x1000
#define CPU_TSS_LIMIT (CPU_HEAD_END - CPU_TSS - 1)

// Selectors, in the order SYSRET demands (SDM 5.8.8): user base, +8 data, +16 code.
#define SEL_KCODE   0x08
#define SEL_KDATA   0x10
#define SEL_KCODE32 0x18
#define SEL_UDATA   0x23
#define SEL_UCODE   0x2b
#define SEL_TSS     0x30

// Services: rax at the one `ud2` the monitor answers (mon_gate); arguments rdi rsi rdx r10 r8 r9.
// The result is in rax: 0, or -1 for a call that is not allowed (any more).
#define MON_SETUP 0 // once: CR3, CR4, XCR0, EFER, and two KVM clock MSRs (0: leave alone)
#define MON_IPI   1 // before the seal: APIC id, ICR low word, CPU page the started CPU shall take
#define MON_SEAL  2 // from here on MON_IPI is refused as well
#define MON_HALT  3 // APIC timer ticks at most (0: no timer): halts until an interrupt, one already
                    // past included
#define MON_PARK  4 // halts for good (an INIT brings the CPU back)
#define MON_RESET 5 // triple fault
#define MON_WAKE  6 // APIC id: interrupts that CPU with VEC_WAKE, which ends its MON_HALT
#define MON_LAST  6

// How QEMU ends: value written to isa-debug-exit; the process's status is (value << 1) | 1.
#define EXIT_PORT         0xf4
#define EXIT_VALUE_OK     16 // status 33
#define EXIT_VALUE_APP    17 // status 35: main returned or exited with another code than 0
#define EXIT_VALUE_FAULT  18 // status 37: an exception in ring 3, reported
#define EXIT_VALUE_PANIC  19 // status 39: the library OS gave up, with its reason
#define EXIT_VALUE_REFUSE 20 // status 41: this machine cannot run the image (CPU, memory, entropy)
#define EXIT_VALUE_DOUBLE 21 // status 43: a fault inside the fault report, or in ring 0

#define VEC_NMI      2
#define VEC_UD       6
#define VEC_PF       14
#define VEC_TIMER    32
#define VEC_QUEUE    33 // a device: a packet came on an armed queue
#define VEC_WAKE     34 // another CPU
#define VEC_SPURIOUS 47
#define VEC_COUNT    48

#define CR0_BITS 0x80010033 // PG WP NE ET MP PE
#define CR4_BOOT 0x620      // OSXMMEXCPT OSFXSR PAE

#define MSR_EFER        0xc0000080
#define MSR_STAR        0xc0000081
#define MSR_LSTAR       0xc0000082
#define MSR_SFMASK      0xc0000084
#define MSR_KVM_WALL    0x4b564d00
#define MSR_KVM_SYSTEM  0x4b564d01
#define EFER_SCE        0x001
#define EFER_LME        0x100
#define EFER_NXE        0x800

#define APIC_EOI    0x0b0
#define APIC_SVR    0x0f0
#define APIC_ICR_LO 0x300
#define APIC_ICR_HI 0x310
#define APIC_LVTT   0x320
#define APIC_LVT1   0x360
#define APIC_TICR   0x380
#define APIC_DCR    0x3e0

#ifndef __ASSEMBLER__
#include <stdint.h>

// What a fault leaves on the CPU page; ring 3 reads it through MON_ALIAS.
struct mon_frame {
	uint64_t cr2;
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

// The services' gate (libos/start.S).
long mon_call(long service, long a, long b, long c, long d, long e, long f);

// The monitor's one ring-0 entry for `syscall`, and the real-mode start code to be copied.
extern const char mon_syscall[], mon_ap_start[], mon_ap_end[];
#endif
#endif
