// SPDX-License-Identifier: BSD-3-Clause
// clock.c - the scale from TSC cycles to nanoseconds
#include "core/clock.h"

#include "core/plat.h"

void clock_init(struct clock *c, enum clock_kind kind)
{
	uint64_t hz = plat_tsc_hz();

	// mult = ns per cycle with 40 bits of fraction, rounded: for any TSC of 100 MHz to 10 GHz its
	// error is under 1 part in 10^11, and the 128-bit product cannot overflow.
	c->shift = 40;
	c->mult = (uint64_t)((((unsigned __int128)NSEC_PER_SEC << c->shift) + hz / 2) / hz);
	c->kind = kind;
	c->now = 0;
	c->tsc_start = tsc_read();
}

uint64_t clock_tsc_to_ns(const struct clock *c, uint64_t cycles)
{
	return (uint64_t)(((unsigned __int128)cycles * c->mult) >> c->shift);
}
