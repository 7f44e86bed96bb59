// SPDX-License-Identifier: BSD-3-Clause
// noise.c - count the gaps in which the host took the CPU away
#include "core/noise.h"

#include "core/clock.h"
#include "core/plat.h"

void noise_start(struct noise *n, bool on)
{
	n->limit = on ? plat_tsc_hz() / 1000000 * NOISE_US : UINT64_MAX;
}

void noise_gap(struct noise *n, uint64_t cycles, unsigned bursts)
{
	if (cycles / (bursts + 1) <= n->limit)
		return;
	n->gaps++;
	n->lost += cycles;
	if (cycles > n->worst)
		n->worst = cycles;
}

void noise_probe(struct noise *n, uint64_t cycles)
{
	uint64_t start = tsc_read(), last = start, now = start;

	noise_start(n, true);
	while (now - start < cycles) {
		now = tsc_read();
		if (noise_suspect(n, now - last))
			noise_gap(n, now - last, 0);
		last = now;
	}
}

uint64_t noise_us(uint64_t cycles)
{
	return cycles / (plat_tsc_hz() / 1000000);
}
