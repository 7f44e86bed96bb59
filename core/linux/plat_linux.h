// SPDX-License-Identifier: BSD-3-Clause
// plat_linux.h - what a hosted program may set beyond plat.h
//
// Main thread, before anything else of plat.h; a program that calls none of it gets the defaults.
#ifndef WEIR_CORE_LINUX_PLAT_LINUX_H
#define WEIR_CORE_LINUX_PLAT_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAT_LINUX_ARENA_DEFAULT ((size_t)256 << 20)

// Makes the packet arena of at least `bytes` (0: the default, 256 MiB). It is one shared memfd, 2 MiB
// aligned, and sparse: memory is taken from the system when it is first used. Huge pages are used when
// the system has enough of them free, else ordinary ones. Without this call the first
// plat_arena_alloc() makes the default. 0, -EBUSY when the arena exists already, or -errno.
int plat_linux_init(size_t bytes);

// The arena's memfd, for a back end that maps our memory, and its page size. -1 before there is an arena.
int plat_linux_arena_fd(void);
size_t plat_linux_arena_page(void);

// The arena's first byte; NULL before there is one.
void *plat_linux_arena_base(void);

// From now on plat_entropy() gives the same bytes in every run, made from `seed`: what is replayed on a capture's
// clock is to come out the same again. No secrets then.
void plat_linux_entropy(uint64_t seed);

// Lets plat_console_getc() read standard input, without blocking (off by default).
void plat_linux_console(bool on);

// For drivers, in open() and close(): fd readable ends plat_halt() of `lcore` (add), or no longer does.
// Level-triggered: a descriptor that stays readable ends every halt at once, so arm() finds or empties what
// there is (-EAGAIN), and disarm() reads a counter (eventfd) back to nothing. Take a descriptor out before
// closing it. Any thread. 0, -EEXIST (added twice), -ENOENT (never added), -EPERM (a file: cannot be waited
// for) or another -errno.
int plat_linux_wake_fd(unsigned lcore, int fd, bool add);

#endif
