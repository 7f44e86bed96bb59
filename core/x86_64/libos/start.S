// SPDX-License-Identifier: BSD-3-Clause
// start.S - where ring 3 is entered: boot, system calls, faults, new lcores; and the way out to
// ring 0
#include "core/x86_64/monitor/monitor.h"

	.text

// rdi = start_info, rsi = TSC at entry.
	.globl libos_start
	.type libos_start, @function
libos_start:
	lea __main_stack_top(%rip), %rsp
	xor %ebp, %ebp
	call boot_main
	ud2

// long mon_call(service, a, b, c, d, e, f): the only ud2 that the monitor takes for a service.
	.globl mon_call, mon_gate
	.type mon_call, @function
mon_call:
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	mov %rcx, %rdx
	mov %r8, %r10
	mov %r9, %r8
	mov 8(%rsp), %r9
mon_gate:
	ud2
	ret

// A reflected system call: number in rax, arguments rdi rsi rdx r10 r8 r9, return address in r11's
// high half. Linux's rules: everything but rax, rcx and r11 survives, vector registers too (libos/
// is built without them), and so does the red zone below the caller's stack pointer.
	.globl libos_syscall_entry
	.type libos_syscall_entry, @function
libos_syscall_entry:
	shr $32, %r11
	lea -128(%rsp), %rsp
	push %r11
	push %rbp
	mov %rsp, %rbp
	push %rdi
	push %rsi
	push %rdx
	push %r10
	push %r8
	push %r9
	and $-16, %rsp
	push 8(%rbp)             // 8th argument: where the caller goes on (clone)
	push %rax                // 7th: the number
	mov %r10, %rcx
	call syscall_dispatch
	lea -48(%rbp), %rsp
	pop %r9
	pop %r8
	pop %r10
	pop %rdx
	pop %rsi
	pop %rdi
	pop %rbp
	pop %r11
	lea 128(%rsp), %rsp
	jmp *%r11

// rdi = the fault's frame. The stack may be what broke: take the one for faults, first come.
// Whoever comes second waits for the machine to end; if it does not, the first one's report is what
// broke, and this ends it.
	.globl libos_fault
	.type libos_fault, @function
libos_fault:
	mov $1, %eax
	xchg %eax, fault_lock(%rip)
	test %eax, %eax
	jz 2f
	mov $1 << 27, %ecx
1:	pause
	dec %ecx
	jnz 1b
	mov $EXIT_VALUE_DOUBLE, %eax
	out %eax, $EXIT_PORT
	mov $MON_RESET, %eax
	jmp mon_gate
2:	lea __fault_stack_top(%rip), %rsp
	xor %ebp, %ebp
	call fault_report
	ud2

// A started CPU, edi = its number: becomes the thread that lcore_spawn() laid out (struct
// lcore_entry).
	.globl libos_ap
	.type libos_ap, @function
libos_ap:
	shl $6, %rdi
	lea lcore_entry(%rdi), %rdi
	fninit
	ldmxcsr mxcsr(%rip)
	mov 0(%rdi), %rcx
	mov 8(%rdi), %rsp
	mov 16(%rdi), %rax
	wrfsbase %rax
	mov 24(%rdi), %r9
	movl $2, 32(%rdi)        // LCORE_RUNS
	xor %eax, %eax
	jmp *%rcx

// void lcore_leave(uint32_t *slot, uint32_t *tid, uint32_t *state): the end of a thread. After the
// first two stores its stack may be gone, after the third its CPU may be started anew; so no stack,
// and nothing in between.
	.globl lcore_leave
	.type lcore_leave, @function
lcore_leave:
	mov $MON_PARK, %eax
	movl $0, (%rdi)          // SLOT_FREE
	movl $0, (%rsi)
	movl $0, (%rdx)          // LCORE_FREE
	jmp mon_gate

	.section .rodata
	.balign 4
mxcsr:
	.long 0x1f80
