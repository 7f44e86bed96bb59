// SPDX-License-Identifier: BSD-3-Clause
// advice.c - what a running function was given too little of
#include "apps/advice.h"

#include <cpuid.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/noise.h"
#include "core/plat.h"

#define RING_WANTED   1024u // what drivers ask for unless the configuration says
#define NOISE_PERCENT 1u
#define LOOK_MS	      10000u // how long ports are watched for a back end that is not there
#define SENT_ENOUGH   1000u
#define BURST_LONG    128u // packets that one doorbell is enough for, by far

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

static bool noisy(const struct app *app, uint64_t ms, char *line, size_t len)
{
	const struct noise *n = &app->lcore[0].loop.noise;
	uint64_t us = noise_us(n->lost);

	if (us * 100 <= ms * 1000 * NOISE_PERCENT)
		return false;
	snprintf(line, len,
		 "the host took the CPU %" PRIu64 " times in %" PRIu64 " ms, %" PRIu64
		 " us in all: pin the vCPUs, "
		 "see weir doctor there",
		 n->gaps, ms, us);
	return true;
}

// A back end that polls wants no doorbells. Where QEMU found the guest's memory unshared, it serves
// the device itself: it takes every packet, at a doorbell a burst, and none gets anywhere.
static bool unshared(const struct app *app, unsigned port, char *line, size_t len)
{
	const struct port *p = &app->port[port];
	uint64_t doorbells = 0;
	struct port_stats s;

	port_stats(p, &s);
	for (unsigned i = 0; i < s.counters; i++)
		if (!strcmp(s.counter[i].name, "tx-doorbells"))
			doorbells = s.counter[i].value;
	if (s.rx_packets || s.tx_packets < SENT_ENOUGH || doorbells * BURST_LONG < s.tx_packets)
		return false;
	snprintf(line, len,
		 "port %s: a doorbell a burst and nothing comes back: is the memory shared? QEMU: "
		 "share=on "
		 "on its memory-backend, or it falls back on serving the port itself",
		 p->name);
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
	uint64_t ms = (tsc_read() - app->ready_tsc) / (plat_tsc_hz() / 1000);

	while (a->step < noise) {
		unsigned s = a->step++;

		if (s ? amiss(app, (s - 1) / STEPS, (s - 1) % STEPS, line, len)
		      : emulated(line, len))
			return true;
	}
	if (ms < ADVICE_NOISE_MS || ms > LOOK_MS)
		return false;
	if (a->step == noise) {
		a->step++;
		return noisy(app, ms, line, len);
	}
	for (unsigned i = 0; i < app->ports; i++) {
		const uint64_t bit = 1ull << i;

		if (!(a->told & bit) && app->port[i].pmd->can.live && unshared(app, i, line, len)) {
			a->told |= bit;
			return true;
		}
	}
	return false;
}
