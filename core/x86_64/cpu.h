// SPDX-License-Identifier: BSD-3-Clause
// cpu.h - what this processor can do, asked once at start
//
// Everything is compiled for x86-64-v3 (AVX2, BMI2, POPCNT); wider code asks here first. An
// instruction set counts only if CPUID offers it and the operating system saves its registers:
// XCR0 bits 1, 2, 5, 6 and 7 (SDM volume 1, 13.3 and 15.2). CPUID is intercepted by hypervisors and
// costs microseconds there: ask at start, keep the answer. Any lcore, both homes; not for ring 0
// under nested virtualization, where xgetbv is not emulated.
#ifndef WEIR_CORE_X86_64_CPU_H
#define WEIR_CORE_X86_64_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_regs {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpu_regs cpu_id(uint32_t leaf, uint32_t subleaf)
{
	struct cpu_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

// cpu_xcr0 - register state the operating system has enabled; 0 without XSAVE.
static inline uint64_t cpu_xcr0(void)
{
	uint32_t lo, hi;

	if (!(cpu_id(1, 0).ecx & 1u << 27)) // OSXSAVE
		return 0;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static inline struct cpu_regs cpu_leaf7(void)
{
	struct cpu_regs none = {0};

	return cpu_id(0, 0).eax >= 7 ? cpu_id(7, 0) : none;
}

// cpu_has_avx512 - the F, DQ, BW and VL subsets, and the state to run them.
static inline bool cpu_has_avx512(void)
{
	const uint32_t subsets = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
	const uint64_t state = 0xe6; // SSE, AVX, opmask, upper ZMM halves, ZMM16-31

	return (cpu_leaf7().ebx & subsets) == subsets && (cpu_xcr0() & state) == state;
}

// cpu_has_avx512_vpopcntdq - population count of 64-bit lanes, on top of cpu_has_avx512().
static inline bool cpu_has_avx512_vpopcntdq(void)
{
	return cpu_has_avx512() && (cpu_leaf7().ecx & 1u << 14);
}

#endif
