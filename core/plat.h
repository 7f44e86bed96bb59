// SPDX-License-Identifier: BSD-3-Clause
// plat.h - the platform contract: what core/<platform>/ gives and everything above it may use
//
// Two folders keep it: core/x86_64/ (the image: monitor and library OS) and core/linux/ (hosted).
// Threads are POSIX threads in both: in the image pthread_create() starts the next vCPU, which then
// belongs to that thread for good. The C library is there in both (musl, glibc); stdout and stderr
// are the console in the image.
#ifndef WEIR_CORE_PLAT_H
#define WEIR_CORE_PLAT_H

#include <stddef.h>
#include <stdint.h>

// iova = va - plat_iova_bias: the address a device uses for arena memory. Constant once
// plat_arena_alloc() has returned for the first time. Hosted: 0 (devices there take addresses).
extern uint64_t plat_iova_bias;

static inline uint64_t plat_iova(const void *va)
{
	return (uint64_t)(uintptr_t)va - plat_iova_bias;
}

// Zeroed packet memory from the arena (2 MiB pages in the image; a shared memfd, hosted). align is a
// power of two. Any thread, before the data plane starts; there is no free. NULL when the arena is
// used up. Contiguous in iova as well as in va.
void *plat_arena_alloc(size_t len, size_t align);

// The same with contents undefined: nothing is touched, so nothing is paid for before it is used.
void *plat_arena_reserve(size_t len, size_t align);

// Bytes of the arena in all and still free.
size_t plat_arena_size(void);
size_t plat_arena_free(void);

// lcores this platform can run: vCPUs in the image, CPUs of the affinity mask hosted. At least 1.
unsigned plat_lcore_count(void);

// Binds the calling thread to lcore `id`; called once by every thread that polls. In the image a
// thread already has its vCPU, and this only checks. Returns 0 or -errno.
int plat_lcore_pin(unsigned id);

// Halts the calling lcore until something wakes it: a packet on an armed queue (port.h: arm), a call of
// plat_wake(), or ns nanoseconds gone by (at most about a second). May return early for no reason.
void plat_halt(uint64_t ns);

// Ends plat_halt() of lcore `id`, or the next one it begins. Any thread. Dear in the image (an exit).
void plat_wake(unsigned id);

// Cycles a second of the time-stamp counter (clock.h reads it). Constant.
uint64_t plat_tsc_hz(void);

// len random bytes, from RDSEED/RDRAND in the image, getrandom(2) hosted. Returns 0 or -ENODEV.
int plat_entropy(void *buf, size_t len);

// A console byte if one waits, else -1. Costs a device access: housekeeping only, never a node.
int plat_console_getc(void);

// The configuration blob: linked in by `weir pack`, else the boot module (initrd). NULL when there
// is none, and always NULL hosted. The bytes are read-only and not yet checked (blob.h does that).
const void *plat_blob(size_t *len);

// Makes the page tables and everything read-only for good ("sealed before the first packet"); called
// once, when all memory is allocated and all lcores are started. Hosted: does nothing. 0 or -errno.
int plat_seal(void);

// When the machine passed these points, as TSC values; 0 where the platform cannot know (hosted: all).
struct plat_boot_times {
	uint64_t entry; // first instruction of the image
	uint64_t libos; // ring 3 entered
	uint64_t main;  // main() called
};
extern struct plat_boot_times plat_boot_times;

#endif
