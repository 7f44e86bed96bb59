// SPDX-License-Identifier: BSD-3-Clause
// advice.c - what a running function was given too little of
#include "apps/advice.h"

#include <cpuid.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/noise.h"
#include "core/plat.h"

#define RING_WANTED   1024u // what drivers ask for unless the configuration says
#define NOISE_PERCENT 1u

// Each: true when it has something to say, in line.

static bool too_few_queues(const struct app *app, unsigned port, char *line, size_t len)
{
	const struct port *p = &app->port[port];
	unsigned want = app->blob.ports[port].queues ? app->blob.ports[port].queues : app->lcores;

	if (p->grant.queues >= want)
		return false;
	snprintf(line, len,
		 "port %s: %u of %u queue pairs, others get their packets handed over: queues=%u "
		 "on the "
		 "netdev, mq=on,vectors=%u on the device",
		 p->name, p->grant.queues, want, want, 2 * want + 2);
	return true;
}

static bool short_rings(const struct app *app, unsigned port, char *line, size_t len)
{
	const struct blob_port *b = &app->blob.ports[port];
	const struct port_grant *g = &app->port[port].grant;
	unsigned rx = b->rx_size ? b->rx_size : RING_WANTED,
		 tx = b->tx_size ? b->tx_size : RING_WANTED;

	if (g->rx_size >= rx && g->tx_size >= tx)
		return false;
	snprintf(line, len,
		 "port %s: rings of %u and %u, bursts and pauses lose packets sooner: "
		 "rx_queue_size=%u,"
		 "tx_queue_size=%u on the device",
		 app->port[port].name, g->rx_size, g->tx_size, rx, tx);
	return true;
}

static bool short_frames(const struct app *app, unsigned port, char *line, size_t len)
{
	unsigned want = app->blob.ports[port].mtu;

	if (app->port[port].grant.mtu >= want)
		return false;
	snprintf(line, len, "port %s: MTU %u of %u: mrg_rxbuf=on (and host_mtu=%u) on the device",
		 app->port[port].name, app->port[port].grant.mtu, want, want);
	return true;
}

// Those the configuration names; what it leaves to the driver is right as it is.
static bool no_offload(const struct app *app, unsigned port, char *line, size_t len)
{
	const struct blob_port *b = &app->blob.ports[port];
	uint32_t less = b->offloads & ~app->port[port].grant.offloads;
	size_t n;

	if (!(b->flags & BLOB_PORT_OFFLOADS) || !less)
		return false;
	n = (size_t)snprintf(line, len, "port %s: done in software, the device does not offer it:",
			     app->port[port].name);
	for (const struct port_offload *o = port_offloads; o->name && n < len; o++)
		if (less & o->bit)
			n += (size_t)snprintf(line + n, len - n, " %s", o->name);
	if (n < len)
		snprintf(line + n, len - n, ": see the back end's features");
	return true;
}

static bool emulated(char *line, size_t len)
{
	unsigned a, b, c, d;

	// "TCGTCGTCGTCG" in EBX, ECX, EDX.
	__cpuid(0x40000000, a, b, c, d);
	if (b != 0x54474354 || c != 0x43544743 || d != 0x47435447)
		return false;
	snprintf(line, len, "emulated by TCG, half the packet rate: -accel kvm -cpu host");
	return true;
}

static bool noisy(const struct app *app, char *line, size_t len)
{
	const struct noise *n = &app->lcore[0].loop.noise;
	uint64_t us = noise_us(n->lost);

	if (us * 100 <= ADVICE_NOISE_MS * 1000 * NOISE_PERCENT)
		return false;
	snprintf(line, len,
		 "the host took the CPU %" PRIu64 " times in %u ms, %" PRIu64
		 " us in all: pin the vCPUs, "
		 "see weir doctor there",
		 n->gaps, ADVICE_NOISE_MS, us);
	return true;
}

static bool (*const of_port[])(const struct app *, unsigned, char *, size_t) = {
	too_few_queues,
	short_rings,
	short_frames,
	no_offload,
};
#define STEPS (unsigned)(sizeof(of_port) / sizeof(of_port[0]))

// Only devices of somebody else's making are short of anything.
static bool amiss(const struct app *app, unsigned port, unsigned what, char *line, size_t len)
{
	const struct pmd *pmd = app->port[port].pmd;

	return pmd && pmd->can.live && of_port[what](app, port, line, len);
}

bool advice_next(struct advice *a, const struct app *app, char *line, size_t len)
{
	const unsigned noise = 1 + app->ports * STEPS;

	while (a->step < noise) {
		unsigned s = a->step++;

		if (s ? amiss(app, (s - 1) / STEPS, (s - 1) % STEPS, line, len)
		      : emulated(line, len))
			return true;
	}
	if (a->step > noise || tsc_read() - app->ready_tsc < plat_tsc_hz() / 1000 * ADVICE_NOISE_MS)
		return false;
	a->step++;
	return noisy(app, line, len);
}
