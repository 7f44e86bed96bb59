// SPDX-License-Identifier: BSD-3-Clause
// thread_wait.h - how long the calling thread could run and had no core
#ifndef WEIR_PERF_THREAD_WAIT_H
#define WEIR_PERF_THREAD_WAIT_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

// ns so far; 0 on a kernel without schedstats: nothing is gated there.
static inline uint64_t wait_ns(void)
{
	FILE *f = fopen("/proc/thread-self/schedstat", "r");
	uint64_t wait = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*u %" SCNu64, &wait) != 1)
		wait = 0;
	fclose(f);
	return wait;
}

#endif
