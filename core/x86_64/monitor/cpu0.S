// SPDX-License-Identifier: BSD-3-Clause
// cpu0.S - the first CPU page, laid out at build time; the library OS copies its head for the
// others
//
// SDM 3A: 3.4.5 (descriptors), 7.7 (64-bit TSS), 19.5.2 of volume 1 (I/O bitmap: one byte of ones
// must follow it).
#include "core/x86_64/monitor/monitor.h"

#define TSS_ADDR (MON_CPU0 + CPU_TSS)

	.section .monitor.cpu, "aw"
	.globl mon_cpu0
mon_cpu0:
	.quad 0
	.quad 0x00af9b000000ffff // ring 0 code
	.quad 0x00cf93000000ffff // ring 0 data
	.quad 0x00cf9b000000ffff // ring 0 code, 32 bits; SYSRET counts from here
	.quad 0x00cff3000000ffff // ring 3 data
	.quad 0x00affb000000ffff // ring 3 code
	.word CPU_TSS_LIMIT, TSS_ADDR & 0xffff
	.byte (TSS_ADDR >> 16) & 0xff, 0x89, 0, TSS_ADDR >> 24
	.quad 0

	.org CPU_GDTR
	.word CPU_GDT_LEN - 1
	.quad MON_CPU0 + CPU_GDT

	.org CPU_TSS_RSP0
	.quad MON_CPU0 + CPU_RSP0_TOP
	.org CPU_TSS_IST1
	.quad MON_CPU0 + CPU_IST1_TOP
	.org CPU_TSS + 102
	.word CPU_IOMAP - CPU_TSS
	.org CPU_IOMAP + CPU_IOMAP_LEN
	.byte 0xff

	.org CPU_VARS
	.globl mon_cr3, mon_cr4, mon_xcr0, mon_efer, mon_ap_index, mon_ready, mon_sealed
mon_cr3:
	.quad 0
mon_cr4:
	.quad 0
mon_xcr0:
	.long 0
mon_efer:
	.long 0
mon_ap_index:
	.long 0
mon_ready:
	.long 0
mon_sealed:
	.long 0
	.org 0x1000
