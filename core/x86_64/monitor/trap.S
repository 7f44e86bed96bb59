// SPDX-License-Identifier: BSD-3-Clause
// trap.S - everything that can bring a CPU back to ring 0: system calls, services, faults,
// interrupts
//
// The monitor never reads or writes ring 3's memory: it answers in registers, and a fault's frame
// stays on the CPU page, which ring 3 may read through MON_ALIAS.
#include "core/x86_64/monitor/monitor.h"

	.section .monitor.trap, "ax"
	.code64
mon_base:

// `syscall`: rcx = return address, r11 = flags. SYSRET loads its flags from the low half of r11, so
// the return address (the image lies below 4 GiB) travels to ring 3 in the high half; nothing else
// moves.
	.globl mon_syscall
	.type mon_syscall, @function
mon_syscall:
	shl $32, %rcx
	or %rcx, %r11
	mov $libos_syscall_entry, %ecx
	sysretq

// Page fault. A nested hypervisor may leave `syscall` in ring 3, where fetching mon_syscall faults:
// the same reflection, by the fault's frame.
page_fault:
	cmpq $mon_syscall, 8(%rsp)
	jne 1f
	testb $3, 16(%rsp)
	jz 1f
	mov %rcx, %r11
	shl $32, %r11
	movq $libos_syscall_entry, 8(%rsp)
	add $8, %rsp
	iretq
1:	push $VEC_PF
	jmp fault

// Undefined opcode: a service when it is the gate's own ud2, a fault otherwise.
undefined:
	cmpq $mon_gate, (%rsp)
	jne 1f
	addq $2, (%rsp)
	cmp $MON_LAST, %rax
	ja refuse
	jmp *services(, %rax, 8)
1:	push $0
	push $VEC_UD
	// fall through

// Stack: vector, error, rip, cs, rflags, rsp, ss. Every fault, ring 0's too (an NMI while halted), is
// reported by ring 3, at libos_fault with rdi = the frame's alias; a second one on this CPU ends here.
fault:
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %cr2, %rax
	push %rax
	mov %rsp, %rbx
	and $~(MON_CPU_SIZE - 1), %rbx
	btsl $0, CPU_IN_FAULT(%rbx)
	jc die
	mov %rsp, %rdi
	cmpl $0, mon_ready       // the boot tables have no alias, but leave the page itself open
	je 1f
	add $(MON_ALIAS - MON_CPU0), %rdi
1:
	push $SEL_UDATA
	push $0
	push $2
	push $SEL_UCODE
	push $libos_fault
	iretq

die:
	mov $EXIT_VALUE_DOUBLE, %eax
	out %eax, $EXIT_PORT
triple:
	lidt idt_none
	ud2
1:	hlt
	jmp 1b

// They end a halt, and that is all. Ring 3 runs with interrupts off, so that they wait for the next one;
// where a nested hypervisor delivers them all the same, the next one learns of them by CPU_WOKEN. This
// stack lies in the CPU's page.
interrupt:
	push %rax
	mov %rsp, %rax
	and $~(MON_CPU_SIZE - 1), %rax
	movl $1, CPU_WOKEN(%rax)
	movl $0, MON_LAPIC + APIC_EOI
	pop %rax
	iretq

refuse:
	mov $-1, %rax
	iretq

setup:
	btsl $0, mon_ready
	jc refuse
	mov %rdi, mon_cr3
	mov %rsi, mon_cr4
	mov %edx, mon_xcr0
	mov %r10d, mon_efer
	call load_control
	mov %r8, %rax
	mov $MSR_KVM_SYSTEM, %ecx
	call clock_msr
	mov %r9, %rax
	mov $MSR_KVM_WALL, %ecx
	call clock_msr
	xor %eax, %eax
	iretq

clock_msr:                       // rax = value, 0 for none; ecx = MSR
	test %rax, %rax
	jz 1f
	mov %rax, %rdx
	shr $32, %rdx
	wrmsr
1:	ret

ipi:
	cmpl $0, mon_sealed
	jne refuse
	cmp $MON_CPU_MAX, %rdx
	jae refuse
	mov %edx, mon_ap_index
	shl $24, %edi
	mov %edi, MON_LAPIC + APIC_ICR_HI
	mov %esi, MON_LAPIC + APIC_ICR_LO
	xor %eax, %eax
	iretq

seal:
	movl $1, mon_sealed
	xor %eax, %eax
	iretq

// The timer is one-shot. It is left running when something else ends the halt: the next halt sets it anew,
// and if there is none, one that finds it past ends early. An interrupt between the look at CPU_WOKEN and
// `hlt` waits until `hlt` runs (SDM 2B, STI: the one instruction behind it is still guarded).
halt:
	mov %rsp, %rdx
	and $~(MON_CPU_SIZE - 1), %rdx
	cmpl $0, CPU_WOKEN(%rdx)
	jne 2f
	btsl $0, CPU_TIMER(%rdx)
	jc 1f
	movl $0xb, MON_LAPIC + APIC_DCR
	movl $VEC_TIMER, MON_LAPIC + APIC_LVTT
1:	mov %edi, MON_LAPIC + APIC_TICR
	sti
	hlt
	cli
2:	movl $0, CPU_WOKEN(%rdx)
	xor %eax, %eax
	iretq

// Of what a CPU can send another, this one interrupt is left after the seal.
wake:
	shl $24, %edi
	mov %edi, MON_LAPIC + APIC_ICR_HI
	movl $(0x4000 | VEC_WAKE), MON_LAPIC + APIC_ICR_LO // fixed, edge, one CPU by its id
	xor %eax, %eax
	iretq

park:
	cli
	hlt
	jmp park

// Vectors: 8, 10-14, 17, 21, 29 and 30 push an error code themselves (SDM 6.3.1).
	.balign 16
vectors:
	.set vec, 0
	.rept VEC_COUNT
	.balign 16
	.if vec == VEC_UD
	jmp undefined
	.elseif vec == VEC_PF
	jmp page_fault
	.elseif vec >= 32
	jmp interrupt
	.else
	.if vec != 8 && (vec < 10 || vec > 13) && vec != 17 && vec != 21 && vec < 29 || vec == 31
	push $0
	.endif
	push $vec
	jmp fault
	.endif
	.set vec, vec + 1
	.endr

	.balign 8
services:
	.quad setup, ipi, seal, halt, park, triple, wake
	.globl idt_ptr
idt_ptr:
	.word VEC_COUNT * 16 - 1
	.quad idt
	.balign 4
idt_none:
	.word 0
	.quad 0

// Gates hold the handler's address in pieces, which a linker cannot make: the monitor's fixed base
// leaves only the distance from it, and that the assembler knows. NMI, #DF and #MC use their own
// stack.
	.balign 16
idt:
	.set vec, 0
	.rept VEC_COUNT
	.word vectors - mon_base + vec * 16, SEL_KCODE
	.byte (vec == 2 || vec == 8 || vec == 18) & 1, 0x8e
	.word MON_BASE >> 16
	.quad 0
	.set vec, vec + 1
	.endr
