// SPDX-License-Identifier: BSD-3-Clause
// bench_eal.h - DPDK's environment for a peer in this process: no hugepages, devices or files
#ifndef WEIR_PERF_BENCH_EAL_H
#define WEIR_PERF_BENCH_EAL_H

// Starts EAL with `megabytes` of memory on the CPU of lcore 0, and with AVX-512 allowed. Ends the program
// with a message when that fails. Call it before bench_start().
void bench_eal_start(const char *program, unsigned megabytes);

#endif
