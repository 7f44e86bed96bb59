// SPDX-License-Identifier: BSD-3-Clause
// clock.h - time: the TSC, nanoseconds, and the clock a loop hands down
//
// A loop reads its clock once a turn (struct clock, `now`) and hands it down; nodes never read time
// themselves. Real: nanoseconds since the clock was started, by the TSC. Capture: the time stamps of
// the packets being replayed, nanoseconds since 1970, moved by the loop alone.
#ifndef WEIR_CORE_CLOCK_H
#define WEIR_CORE_CLOCK_H

#include <stdint.h>

#define NSEC_PER_SEC 1000000000ull
#define TIME_NEVER   UINT64_MAX

enum clock_kind { CLOCK_REAL, CLOCK_CAPTURE };

struct clock {
	uint64_t now; // ns; what nodes see
	enum clock_kind kind;
	uint32_t shift;     // ns = ((tsc - tsc_start) * mult) >> shift
	uint64_t mult;
	uint64_t tsc_start;
};

// Cycles, not serialising: good for intervals over some tens of cycles.
static inline uint64_t tsc_read(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

// Starts the clock at 0. A capture clock gets its first time from the loop (clock_advance).
void clock_init(struct clock *c, enum clock_kind kind);

// TSC cycles to nanoseconds, exact to 1 part in 10^9 for intervals under 100 years.
uint64_t clock_tsc_to_ns(const struct clock *c, uint64_t cycles);

// Once a turn: brings `now` up to date (real), nothing (capture); clock_turn_at for a caller that has
// just read the TSC.
static inline uint64_t clock_turn_at(struct clock *c, uint64_t tsc)
{
	if (c->kind == CLOCK_REAL)
		c->now = (uint64_t)(((unsigned __int128)(tsc - c->tsc_start) * c->mult) >>
				    c->shift);
	return c->now;
}

static inline uint64_t clock_turn(struct clock *c)
{
	return clock_turn_at(c, tsc_read());
}

// Capture clock: moves to t; never back (a capture whose stamps go back keeps the later time).
static inline void clock_advance(struct clock *c, uint64_t t)
{
	if (t > c->now)
		c->now = t;
}

#endif
