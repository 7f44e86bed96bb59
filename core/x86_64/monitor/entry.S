// SPDX-License-Identifier: BSD-3-Clause
// entry.S - how a CPU gets from its first instruction to ring 3
//
// Straight-line code without loops: a nested hypervisor may emulate ring 0 instruction by
// instruction. The boot tables map the first 16 MiB, all of it open to ring 3; the library OS adds
// a window on the first 4 GiB, builds the real tables and hands them to MON_SETUP before anything
// else runs.
#include "core/x86_64/monitor/monitor.h"

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18 // XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.quad mon_pvh_entry

	.section .monitor.text, "ax"

// The boot CPU: 32-bit protected mode, paging off, ebx = start_info.
	.code32
	.globl mon_pvh_entry
	.type mon_pvh_entry, @function
mon_pvh_entry:
	rdtsc
	mov %eax, %esi
	mov %edx, %edi
	movl $boot_pdpt + 7, boot_pml4
	movl $boot_pd + 7, boot_pdpt
	.set page, 0
	.rept 8
	movl $(page * 0x200000 + 0x87), boot_pd + 8 * page
	.set page, page + 1
	.endr
	lgdt MON_CPU0 + CPU_GDTR
	mov $CR4_BOOT, %eax
	mov %eax, %cr4
	mov $boot_pml4, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	mov $(EFER_LME | EFER_SCE), %eax
	xor %edx, %edx
	wrmsr
	mov $CR0_BITS, %eax
	mov %eax, %cr0
	ljmp $SEL_KCODE, $1f

	.code64
1:	shl $32, %rdi
	or %rdi, %rsi            // second argument: TSC at entry
	mov %ebx, %edi           // first: start_info
	mov $MON_CPU0, %ebx
	mov $libos_start, %ebp
	jmp enter_ring3

// Any other CPU: real mode, copied to MON_AP_PAGE.
	.code16
	.globl mon_ap_start, mon_ap_end
mon_ap_start:
	lgdtl %cs:(ap_gdtr - mon_ap_start)
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $SEL_KCODE32, $ap_protected
	.balign 4
ap_gdtr:
	.word CPU_GDT_LEN - 1
	.long MON_CPU0 + CPU_GDT
mon_ap_end:

	.code32
ap_protected:
	mov $SEL_KDATA, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $CR4_BOOT, %eax
	mov %eax, %cr4
	mov mon_cr3, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	mov mon_efer, %eax
	xor %edx, %edx
	wrmsr
	mov $CR0_BITS, %eax
	mov %eax, %cr0
	ljmp $SEL_KCODE, $1f

	.code64
1:	mov mon_ap_index, %edi   // first argument: which CPU this is
	mov %edi, %ebx
	shl $12, %ebx
	add $MON_CPU0, %ebx
	movl $0, CPU_TIMER(%rbx) // the INIT has masked it
	lea CPU_RSP0_TOP(%rbx), %rsp
	call load_control
	mov $libos_ap, %ebp
	// fall through

// rbx = this CPU's page, rbp = where in ring 3, rdi and rsi for it.
enter_ring3:
	lea CPU_RSP0_TOP(%rbx), %rsp
	lgdt CPU_GDTR(%rbx)
	lidt idt_ptr
	movb $0x89, CPU_GDT + SEL_TSS + 5(%rbx) // not busy: a CPU that starts again comes by again
	mov $SEL_TSS, %eax
	ltr %ax
	xor %eax, %eax
	mov $MSR_STAR, %ecx
	mov $((SEL_KCODE32 | 3) << 16 | SEL_KCODE), %edx
	wrmsr
	xor %edx, %edx
	mov $MSR_LSTAR, %ecx
	mov $mon_syscall, %eax
	wrmsr
	mov $MSR_SFMASK, %ecx
	mov $0x40700, %eax       // AC DF IF TF
	wrmsr
	push $SEL_UDATA
	push $0
	push $2                  // interrupts stay off in ring 3
	push $SEL_UCODE
	push %rbp
	iretq

// CR4, XCR0, EFER and CR3 as MON_SETUP was given them, and the local APIC. NX must be known before CR3 uses it, and
// SMEP must come after CR3 has taken ring 3's bit off these pages.
	.globl load_control
load_control:
	mov $MSR_EFER, %ecx
	mov mon_efer, %eax
	xor %edx, %edx
	wrmsr
	mov mon_cr3, %rax
	mov %rax, %cr3
	mov mon_cr4, %rax
	mov %rax, %cr4
	xor %ecx, %ecx
	mov mon_xcr0, %eax
	xor %edx, %edx
	xsetbv
	movl $(0x100 | VEC_SPURIOUS), MON_LAPIC + APIC_SVR
	movl $0x400, MON_LAPIC + APIC_LVT1 // NMI: the operator asks where we are
	ret

	.section .bss.boot_tables, "aw", @nobits
	.balign 4096
	.globl boot_pdpt
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pd:
	.skip 4096
