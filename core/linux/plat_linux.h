// SPDX-License-Identifier: BSD-3-Clause
// plat_linux.h - what a hosted program may set beyond plat.h
//
// Main thread, before anything else of plat.h; a program that calls none of it gets the defaults.
#ifndef WEIR_CORE_LINUX_PLAT_LINUX_H
#define WEIR_CORE_LINUX_PLAT_LINUX_H

#include <stdbool.h>
#include <stddef.h>

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

// Lets plat_console_getc() read standard input, without blocking (off by default).
void plat_linux_console(bool on);

#endif
