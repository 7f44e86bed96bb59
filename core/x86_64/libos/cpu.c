// SPDX-License-Identifier: BSD-3-Clause
// cpu.c - is this CPU at least x86-64-v3, and which protections does it offer?
//
// Source: x86-64 psABI 1.0 (microarchitecture levels), SDM 2A CPUID, 3A 2.5 (CR4) and 2.6 (XCR0).
// CPUID costs an exit under a hypervisor, so each leaf is read once.
#include <cpuid.h>

#include "core/x86_64/libos/libos.h"

struct cpu_traits cpu_traits;

struct leaves {
	uint32_t l1c, l1d, l7b, l7c, x1c, x1d, xcr0;
};

// x86-64-v3, and three features the image itself needs.
static const struct need {
	const char *name;
	uint8_t word; // index of uint32_t in struct leaves
	uint8_t bit;
} needs[] = {
	{"nx", 5, 20},   {"cx16", 0, 13},   {"lahf_lm", 4, 0},  {"popcnt", 0, 23}, {"sse3", 0, 0},
	{"ssse3", 0, 9}, {"sse4_1", 0, 19}, {"sse4_2", 0, 20},  {"movbe", 0, 22},  {"xsave", 0, 26},
	{"avx", 0, 28},  {"f16c", 0, 29},   {"fma", 0, 12},     {"bmi1", 2, 3},    {"avx2", 2, 5},
	{"bmi2", 2, 8},  {"abm", 4, 5},     {"fsgsbase", 2, 0},
};

static const struct {
	uint8_t word, bit, cr4;
} protections[] = {
	{2, 7, 20},  // SMEP
	{2, 20, 21}, // SMAP
	{3, 2, 11},  // UMIP
	{2, 0, 16},  // FSGSBASE: thread pointers without the monitor
	{0, 26, 18}, // OSXSAVE
};

static uint32_t kvm_signature(void)
{
	uint32_t a, b, c, d;

	for (uint32_t leaf = 0x40000000; leaf < 0x40000200; leaf += 0x100) {
		__cpuid(leaf, a, b, c, d);
		if (b == 0x4b4d564b && c == 0x564b4d56 && d == 0x4d) // "KVMKVMKVM"
			return leaf;
	}
	return 0;
}

// Nested KVM may hide LZCNT's CPUID bit though the CPU has it. Without it the opcode is BSR, and
// gives 0, not 63.
static int lzcnt_works(void)
{
	uint64_t r;

	__asm__("lzcnt %1, %0" : "=r"(r) : "r"(1ull) : "cc");
	return r == 63;
}

static void missing(const uint32_t *words)
{
	char buf[256];
	struct text t = {buf, 0, sizeof(buf)};

	for (unsigned i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!(words[needs[i].word] >> needs[i].bit & 1)) {
			text_str(&t, t.len ? " " : "");
			text_str(&t, needs[i].name);
		}
	if (!t.len)
		return;
	text_str(&t, "; needed is x86-64-v3: -cpu host with KVM, -cpu max with TCG");
	refuse("this CPU lacks", buf);
}

void cpu_check(void)
{
	struct leaves l = {0};
	const uint32_t *words = &l.l1c;
	uint32_t a, b, c, d, max;

	__cpuid(0, max, b, c, d);
	__cpuid(1, a, b, l.l1c, l.l1d);
	cpu_traits.boot_apic_id = b >> 24;
	if (max >= 7)
		__cpuid_count(7, 0, a, l.l7b, l.l7c, d);
	__cpuid(0x80000001, a, b, l.x1c, l.x1d);
	l.x1c |= (uint32_t)lzcnt_works() << 5;
	missing(words);
	__cpuid_count(0xd, 0, l.xcr0, b, c, d);
	cpu_traits.xcr0 = l.xcr0 & 0xe7; // x87 SSE AVX, and AVX-512's three or none
	if ((cpu_traits.xcr0 & 0xe0) != 0xe0)
		cpu_traits.xcr0 &= 7;
	if (cpu_traits.xcr0 < 7)
		refuse("this CPU cannot save AVX state",
		       "use -cpu host with KVM, -cpu max with TCG");
	cpu_traits.cr4 = CR4_BOOT;
	for (unsigned i = 0; i < sizeof(protections) / sizeof(protections[0]); i++)
		if (words[protections[i].word] >> protections[i].bit & 1)
			cpu_traits.cr4 |= 1ull << protections[i].cr4;
	cpu_traits.rdrand = l.l1c >> 30 & 1;
	cpu_traits.rdseed = l.l7b >> 18 & 1;
	cpu_traits.kvm_base = l.l1c >> 31 ? kvm_signature() : 0;
}
