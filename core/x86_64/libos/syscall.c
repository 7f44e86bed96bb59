// SPDX-License-Identifier: BSD-3-Clause
// syscall.c - the Linux system calls musl makes, and what the image answers
//
// Signals, files and processes do not exist: their calls succeed where that is harmless and fail by
// name where it is not. An unknown call fails with ENOSYS and is said once.
#define _GNU_SOURCE // CLONE_*
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

long syscall_dispatch(long a, long b, long c, long d, long e, long f, long nr, uint64_t rip);

static void say_unknown(long nr)
{
	static uint64_t said[8];
	char buf[64];
	struct text t = {buf, 0, sizeof(buf)};
	uint64_t bit = 1ull << (nr & 63);

	if ((unsigned long)nr >= 512 ||
	    __atomic_fetch_or(&said[nr / 64], bit, __ATOMIC_RELAXED) & bit)
		return;
	text_str(&t, "weir: system call ");
	text_dec(&t, (uint64_t)nr);
	text_str(&t, " is not there\n");
	console_write(buf, t.len);
}

static long sys_write(long fd, const char *buf, size_t len)
{
	if (fd != 1 && fd != 2)
		return -EBADF;
	console_write(buf, len);
	return (long)len;
}

// One console batch for what stdio hands over in two pieces.
static long sys_writev(long fd, const struct iovec *iov, int n)
{
	long total = 0;

	for (int i = 0; i < n; i++) {
		long r = sys_write(fd, iov[i].iov_base, iov[i].iov_len);

		if (r < 0)
			return r;
		total += r;
	}
	return total;
}

// Output is a terminal, so that stdio flushes it line by line.
static long sys_ioctl(long fd, long request, struct winsize *w)
{
	if (fd < 0 || fd > 2)
		return -EBADF;
	if (request != TIOCGWINSZ)
		return -ENOTTY;
	*w = (struct winsize){24, 80, 0, 0};
	return 0;
}

static long sys_mmap(uint64_t addr, size_t len, long prot, long flags)
{
	if (!(flags & MAP_ANONYMOUS))
		return -ENODEV;
	if (flags & MAP_FIXED) // musl guards the page below its books: it is its own already
		return prot == PROT_NONE ? (long)addr : -EINVAL;
	if (prot & PROT_EXEC)
		return -EACCES;
	return prot == PROT_NONE && len > THREAD_STACK / 4 ? slot_map(len) : heap_map(len);
}

static long sys_munmap(uint64_t addr, size_t len)
{
	return slot_owns(addr) ? slot_unmap(addr, len) : heap_unmap(addr, len);
}

// Rights are fixed: what is asked must be what is there.
static long sys_mprotect(uint64_t addr, size_t len, long prot)
{
	if (prot & PROT_EXEC)
		return -EACCES;
	return memory_readable(addr, len) ? 0 : -ENOMEM;
}

static long sys_clock_gettime(long clock, struct timespec *t)
{
	uint64_t ns;

	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		ns = clock_realtime_ns();
	else if (clock >= 0 && clock <= CLOCK_BOOTTIME)
		ns = clock_monotonic_ns();
	else
		return -EINVAL;
	*t = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
	return 0;
}

static long sys_sleep(long clock, long absolute, const struct timespec *t)
{
	uint64_t ns = (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;

	if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec > 999999999)
		return -EINVAL;
	if (!absolute)
		return sleep_until(clock_monotonic_ns() + ns);
	if (clock == CLOCK_REALTIME)
		ns += clock_monotonic_ns() - clock_realtime_ns();
	return sleep_until(ns);
}

// ARCH_SET_FS (asm/prctl.h): the thread pointer of the boot CPU's thread.
static long sys_arch_prctl(long code, uint64_t addr)
{
	if (code != 0x1002)
		return -EINVAL;
	lcore_entry[lcore_current()].tls = addr;
	__asm__ volatile("wrfsbase %0" : : "r"(addr));
	return 0;
}

static long sys_clone(uint64_t flags, uint64_t stack, uint32_t *ptid, uint32_t *ctid, uint64_t tls,
                      uint64_t r9, uint64_t rip)
{
	const uint64_t thread = CLONE_VM | CLONE_THREAD | CLONE_SETTLS;
	struct lcore_entry e = {.rip = rip, .rsp = stack, .tls = tls, .r9 = r9};
	uint32_t nobody;

	if ((flags & thread) != thread)
		return -ENOSYS; // no processes
	if (flags & CLONE_CHILD_CLEARTID)
		e.tid_clear = ctid;
	return lcore_spawn(&e, flags & CLONE_PARENT_SETTID ? ptid : &nobody);
}

static long sys_kill(long sig)
{
	if (sig)
		panic(sig == SIGABRT ? "abort() was called" : "raise() was called", (uint64_t)sig);
	return 0;
}

// What the last write to the console could not tell: exit status 0 is success, any other the
// application's.
static __attribute__((noreturn)) void sys_exit_group(long code)
{
	char buf[64];
	struct text t = {buf, 0, sizeof(buf)};

	if (!code)
		machine_exit(EXIT_VALUE_OK);
	text_str(&t, "weir: exit status ");
	text_dec(&t, (uint64_t)(code & 255));
	text_str(&t, "\n");
	console_write(buf, t.len);
	machine_exit(EXIT_VALUE_APP);
}

static long sys_sched_getaffinity(size_t len, uint8_t *mask)
{
	unsigned n = plat_lcore_count();

	if (len < 8)
		return -EINVAL;
	memset(mask, 0, 8);
	for (unsigned i = 0; i < n; i++)
		mask[i / 8] |= (uint8_t)(1 << i % 8);
	return 8;
}

long syscall_dispatch(long a, long b, long c, long d, long e, long f, long nr, uint64_t rip)
{
	switch (nr) {
	case SYS_write:
		return sys_write(a, (const char *)b, (size_t)c);
	case SYS_writev:
		return sys_writev(a, (const struct iovec *)b, (int)c);
	case SYS_read: // nothing is ever typed at libc's stdin
	case SYS_readv:
		return a ? -EBADF : 0;
	case SYS_ioctl:
		return sys_ioctl(a, b, (struct winsize *)c);
	case SYS_brk:
		return heap_brk((uint64_t)a);
	case SYS_mmap:
		return sys_mmap((uint64_t)a, (size_t)b, c, d);
	case SYS_munmap:
		return sys_munmap((uint64_t)a, (size_t)b);
	case SYS_mprotect:
		return sys_mprotect((uint64_t)a, (size_t)b, c);
	case SYS_mremap:
		return -ENOMEM; // realloc copies
	case SYS_clock_gettime:
		return sys_clock_gettime(a, (struct timespec *)b);
	case SYS_nanosleep:
		return sys_sleep(CLOCK_MONOTONIC, 0, (const struct timespec *)a);
	case SYS_clock_nanosleep:
		return sys_sleep(a, b, (const struct timespec *)c);
	case SYS_futex:
		return futex_call((uint32_t *)a, (int)b, (uint32_t)c, (const void *)d,
		                  (uint32_t *)e);
	case SYS_clone:
		return sys_clone((uint64_t)a, (uint64_t)b, (uint32_t *)c, (uint32_t *)d,
		                 (uint64_t)e, (uint64_t)f, rip);
	case SYS_set_tid_address:
		lcore_entry[lcore_current()].tid_clear = (uint32_t *)a;
		return lcore_current() + 1;
	case SYS_arch_prctl:
		return sys_arch_prctl(a, (uint64_t)b);
	case SYS_getrandom:
		return plat_entropy((void *)a, (size_t)b) ? -EIO : b;
	case SYS_sched_getaffinity:
		return sys_sched_getaffinity((size_t)b, (uint8_t *)c);
	case SYS_gettid:
		return lcore_current() + 1;
	case SYS_getpid:
		return 1;
	case SYS_tkill:
	case SYS_kill:
		return sys_kill(b);
	case SYS_tgkill:
		return sys_kill(c);
	case SYS_exit:
		lcore_exit();
	case SYS_exit_group:
		sys_exit_group(a);
	case SYS_open:
	case SYS_openat:
		return -ENOENT;
	case SYS_lseek:
		return -ESPIPE;
	case SYS_close:
	case SYS_madvise:
	case SYS_sched_yield:
	case SYS_rt_sigaction:
	case SYS_rt_sigprocmask:
	case SYS_set_robust_list:
	case SYS_membarrier:
		return 0;
	}
	say_unknown(nr);
	return -ENOSYS;
}
