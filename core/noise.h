// SPDX-License-Identifier: BSD-3-Clause
// noise.h - host noise: time in which the lcore did not run although its loop wanted to
//
// A polling loop reads the TSC every turn. When a turn took much longer than what it did can have
// taken, something below took the CPU away: another thread, an interrupt, the hypervisor. It shows
// as latency and as packets lost at a full ring, and nothing in the packets' own figures says so.
// One lcore.
#ifndef WEIR_CORE_NOISE_H
#define WEIR_CORE_NOISE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/lcore.h"

#define NOISE_US 50u // a gap is longer

struct noise {
	uint64_t limit; // cycles of NOISE_US
	uint64_t gaps;
	uint64_t lost, worst; // cycles, of all gaps and of the longest
};

// Sets the limit; what was counted stays. With on false nothing is counted from now on.
void noise_start(struct noise *n, bool on);

// On the path of every turn: whether these cycles call for noise_gap().
static always_inline bool noise_suspect(const struct noise *n, uint64_t cycles)
{
	return unlikely(cycles > n->limit);
}

// A turn of so many cycles, in which `bursts` bursts of packets were (or can have been) worked off:
// each may take a limit of its own before the rest counts as a gap.
void noise_gap(struct noise *n, uint64_t cycles, unsigned bursts);

// Polls the TSC of the calling thread's CPU for that long and counts.
void noise_probe(struct noise *n, uint64_t cycles);

// Cycles as whole microseconds.
uint64_t noise_us(uint64_t cycles);

#endif
