// SPDX-License-Identifier: BSD-3-Clause
// bench.h - one measurement beside its peers in the same run
//
// All sides of a comparison run in turns, round after round, in changing order: what the machine does
// meanwhile hits all alike. A turn in which a thread waited for its core (schedstat) for more than 5% of
// a round is thrown away and run again. What is printed are medians; the ratio is the median over the
// turns of (quickest peer's cycles / our cycles): above 1, we are faster. Its quartiles say how steady
// that is.
#ifndef WEIR_PERF_BENCH_H
#define WEIR_PERF_BENCH_H

#include <stdint.h>

#define BENCH_SIDES_MAX 4

struct bench_round {
	uint64_t packets; // the side says how many it moved
	uint64_t cycles;  // 0: the time of the call; else what the side measured itself
	uint64_t wait_ns; // 0, or the longest that another thread of the side waited for its core
};

struct bench_side {
	const char *name; // "weir", "rte_ring"
	// Runs one round: 0.5 to 2 ms, so that it fits into a time slice when the core is shared.
	void (*run)(void *arg, struct bench_round *round);
	void *arg;
};

// Reads --json FILE, --rounds N and --help, and prints the header. Ends the program on a wrong argument (2).
// title says what is measured, unit what is counted ("pkt", "lookup").
void bench_start(int argc, char **argv, const char *title, const char *unit);

// Measures and prints one line. sides[0] is ours, the others are the peers (none: no ratio).
void bench_compare(const char *name, const struct bench_side *sides, unsigned count);

// Prints the host's noise (core/noise.h), probed before and after all lines, and JSON's end. Returns the program's
// exit code: 0, 1 when the JSON could not be written, or 3 when a line has no figure
// because the cores were never free enough.
int bench_end(void);

// For sides with threads of their own: nanoseconds that the calling thread has waited for a core so far.
uint64_t bench_wait_ns(void);

// Of n > 0 values, which it sorts. q is 0 to 1: 0.5 is the median.
double bench_quantile(double *values, unsigned n, double q);

#endif
