// SPDX-License-Identifier: BSD-3-Clause
// clock.c - how fast the TSC ticks, and what time it is
//
// Source for the rate, best first: KVM's clock page (Documentation/virt/kvm/msr.rst), the
// hypervisor's CPUID leaf 0x40000010, CPUID leaf 0x15 (SDM 2A), the PM timer (ACPI 6.4, 4.8.2.1),
// the PIT (Intel 8254).
#include <cpuid.h>
#include <string.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

#define NSEC      1000000000ull
#define PM_HZ     3579545ull
#define PIT_HZ    1193182ull
#define PIT_CMD   0x43
#define PIT_CH2   0x42
#define PORT_B    0x61
#define KVM_CLOCK (1u << 3) // CPUID base + 1, eax: the MSRs at 0x4b564d00

struct kvm_time {
	uint32_t version, pad;
	uint64_t tsc, system_ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad2[2];
};

struct kvm_wall {
	uint32_t version, sec, nsec;
};

// Written by the hypervisor: alone in their cache lines; physical = virtual.
static volatile struct kvm_time kvm_time __attribute__((aligned(64)));
static volatile struct kvm_wall kvm_wall __attribute__((aligned(64)));
static int have_kvm_clock;
static uint64_t hz, tsc_start, ns_mult; // ns = cycles * ns_mult >> 32
static uint64_t wall_start;             // ns since 1970 at tsc_start, 0: not known yet

void clock_prepare(uint64_t *system, uint64_t *wall)
{
	uint32_t a = 0, b, c, d;

	*system = *wall = 0;
	if (cpu_traits.kvm_base)
		__cpuid(cpu_traits.kvm_base + 1, a, b, c, d);
	if (!(a & KVM_CLOCK))
		return;
	have_kvm_clock = 1;
	*system = (uint64_t)&kvm_time | 1;
	*wall = (uint64_t)&kvm_wall;
}

static uint64_t hz_from_kvm(void)
{
	uint64_t v;

	if (!have_kvm_clock || !kvm_time.mul || kvm_time.version & 1)
		return 0;
	v = (uint64_t)(((unsigned __int128)NSEC << 32) / kvm_time.mul);
	return kvm_time.shift < 0 ? v << -kvm_time.shift : v >> kvm_time.shift;
}

static uint64_t hz_from_cpuid(void)
{
	uint32_t a, b, c, d;

	if (cpu_traits.kvm_base) {
		__cpuid(cpu_traits.kvm_base, a, b, c, d);
		if (a >= cpu_traits.kvm_base + 0x10) {
			__cpuid(cpu_traits.kvm_base + 0x10, a, b, c, d);
			if (a)
				return a * 1000ull;
		}
	}
	__cpuid(0, a, b, c, d);
	if (a < 0x15)
		return 0;
	__cpuid(0x15, a, b, c, d);
	return a && b && c ? (uint64_t)c * b / a : 0;
}

static uint32_t read_pm(void)
{
	return inl(acpi_info.pm_timer) & (acpi_info.pm_timer_32 ? 0xffffffff : 0xffffff);
}

static uint32_t read_pit(void)
{
	uint32_t lo;

	outb(PIT_CMD, 0x80); // latch channel 2
	lo = inb(PIT_CH2);
	return 0x10000 - (lo | (uint32_t)inb(PIT_CH2) << 8);
}

// The tightest of eight readings: the machine may be interrupted between timer and TSC.
static uint32_t sample(uint32_t (*read)(void), uint64_t *tsc)
{
	uint64_t best = UINT64_MAX;
	uint32_t value = 0;

	*tsc = 0;
	for (int i = 0; i < 8; i++) {
		uint64_t t0 = tsc_now();
		uint32_t v = read();
		uint64_t t1 = tsc_now();

		if (t1 - t0 < best) {
			best = t1 - t0;
			value = v;
			*tsc = t0 + (t1 - t0) / 2;
		}
	}
	return value;
}

struct timer {
	uint32_t (*read)(void);
	uint64_t hz; // it counts up
	uint32_t mask;
};

// Counts cycles over 2 ms of a timer; 0 when it stands still.
static uint64_t measure_once(const struct timer *t)
{
	uint64_t t0, t1;
	uint32_t v0 = sample(t->read, &t0), passed;

	do {
		passed = (t->read() - v0) & t->mask;
		if (!passed && tsc_now() - t0 > 1ull << 30)
			return 0;
	} while (passed < t->hz / 500);
	passed = (sample(t->read, &t1) - v0) & t->mask;
	return (uint64_t)((unsigned __int128)(t1 - t0) * t->hz / passed);
}

// A virtual CPU that loses its processor misses turns of the timer: two rates in a row must agree.
static uint64_t measure(const struct timer *t)
{
	uint64_t last = measure_once(t), v;

	for (int tries = 0; last && tries < 50; tries++, last = v) {
		v = measure_once(t);
		if ((v > last ? v - last : last - v) < last / 256)
			return (v + last) / 2;
	}
	return 0;
}

static uint64_t hz_from_timer(void)
{
	const struct timer pm = {read_pm, PM_HZ, acpi_info.pm_timer_32 ? 0xffffffff : 0xffffff};
	const struct timer pit = {read_pit, PIT_HZ, 0xffff};
	uint64_t v = acpi_info.pm_timer ? measure(&pm) : 0;

	if (v)
		return v;
	outb(PORT_B, (inb(PORT_B) & ~3) | 1); // gate on, speaker off
	outb(PIT_CMD, 0xb0);                  // channel 2, both bytes, mode 0
	outb(PIT_CH2, 0xff);
	outb(PIT_CH2, 0xff);
	return measure(&pit);
}

void clock_calibrate(void)
{
	hz = hz_from_kvm();
	if (!hz)
		hz = hz_from_cpuid();
	if (!hz)
		hz = hz_from_timer();
	if (hz < 100000000 || hz > 20000000000)
		refuse("no usable clock",
		       "neither KVM's clock, CPUID, PM timer nor PIT tells the TSC's "
		       "rate; on microvm leave pit=on");
	tsc_start = tsc_now();
	ns_mult = (uint64_t)(((unsigned __int128)NSEC << 32) / hz);
	if (have_kvm_clock && kvm_wall.sec && !(kvm_wall.version & 1))
		wall_start =
			kvm_wall.sec * NSEC + kvm_wall.nsec + kvm_time.system_ns +
			(uint64_t)(((unsigned __int128)(tsc_start - kvm_time.tsc) * ns_mult) >> 32);
}

uint64_t plat_tsc_hz(void)
{
	return hz;
}

uint64_t clock_monotonic_ns(void)
{
	return (uint64_t)(((unsigned __int128)(tsc_now() - tsc_start) * ns_mult) >> 32);
}

static unsigned cmos(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static unsigned bcd(unsigned v, int binary)
{
	return binary ? v : (v >> 4) * 10 + (v & 15);
}

// Seconds since 1970 from the real-time clock (MC146818); 0 when there is none.
static uint64_t read_rtc(void)
{
	static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	unsigned s, mi, h, d, mo, y, binary = cmos(0x0b) & 4;

	if (cmos(0x0a) == 0xff)
		return 0;
	for (unsigned tries = 0; cmos(0x0a) & 0x80; tries++) // update in progress
		if (tries == 1000)
			return 0;
	s = bcd(cmos(0), binary);
	mi = bcd(cmos(2), binary);
	h = bcd(cmos(4), binary);
	d = bcd(cmos(7), binary);
	mo = bcd(cmos(8), binary);
	y = bcd(cmos(9), binary) + 2000;
	if (s > 60 || mi > 59 || h > 23 || !d || d > 31 || !mo || mo > 12)
		return 0;
	d += before[mo - 1] + (mo > 2 && y % 4 == 0) - 1;
	return (((y - 1970) * 365 + (y - 1969) / 4 + d) * 24ull + h) * 3600 + mi * 60 + s;
}

uint64_t clock_realtime_ns(void)
{
	if (!wall_start) {
		uint64_t now = read_rtc() * NSEC;

		wall_start = now > clock_monotonic_ns() ? now - clock_monotonic_ns() : 1;
	}
	return wall_start + clock_monotonic_ns();
}
