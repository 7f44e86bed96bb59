// SPDX-License-Identifier: BSD-3-Clause
// lcore.h - which lcore the calling thread is
#ifndef WEIR_CORE_LCORE_H
#define WEIR_CORE_LCORE_H

#define LCORE_MAX  64
#define CACHE_LINE 64

#define cache_aligned __attribute__((aligned(CACHE_LINE)))
#define likely(x)     __builtin_expect(!!(x), 1)
#define unlikely(x)   __builtin_expect(!!(x), 0)
#define always_inline inline __attribute__((always_inline))

// 0 for the thread that runs main(); lcore_enter() sets it for every other polling thread. Per-lcore
// state is indexed by it without a lock, so two threads must never share a number.
// initial-exec: position-independent code would call a function of the dynamic linker for it instead.
extern __thread unsigned lcore_self __attribute__((tls_model("initial-exec")));

// Makes the calling thread lcore `id` (< LCORE_MAX) and pins it. Returns 0 or -errno.
int lcore_enter(unsigned id);

#endif
