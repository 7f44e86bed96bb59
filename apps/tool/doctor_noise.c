// SPDX-License-Identifier: BSD-3-Clause
// doctor_noise.c - poll for a while on every CPU we may use, and count the gaps
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/doctor.h"
#include "apps/tool/util.h"
#include "core/noise.h"
#include "core/plat.h"

#define PERCENT_WARN 1.0

struct probe {
	pthread_t thread;
	unsigned cpu, ms;
	int error;
	struct noise noise;
	uint64_t wait_ns; // for the CPU, while other threads of this machine had it
};

static uint64_t wait_ns(void)
{
	FILE *f = fopen("/proc/thread-self/schedstat", "re");
	uint64_t wait = 0;

	if (f && fscanf(f, "%*u %" SCNu64, &wait) != 1)
		wait = 0;
	if (f)
		fclose(f);
	return wait;
}

static void *run(void *arg)
{
	struct probe *p = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(p->cpu, &set);
	p->error = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	if (p->error)
		return NULL;
	p->wait_ns = wait_ns();
	noise_probe(&p->noise, plat_tsc_hz() / 1000 * p->ms);
	p->wait_ns = wait_ns() - p->wait_ns;
	return NULL;
}

static void tell(struct doctor *d, const struct probe *p)
{
	const struct noise *n = &p->noise;
	uint64_t lost = noise_us(n->lost), waited = p->wait_ns / 1000;
	double percent = 100.0 * (double)lost / ((double)p->ms * 1000);

	if (p->error) {
		char *what = xasprintf("CPU %u", p->cpu);

		doctor_unchecked(d, "host-noise", what, strerror(p->error));
		free(what);
		return;
	}
	if (!n->gaps) {
		doctor_ok(d, "host-noise", "CPU %u: none over %u us in %u ms", p->cpu, NOISE_US,
			  p->ms);
		return;
	}
	doctor_add(d, "host-noise", percent >= PERCENT_WARN ? DOCTOR_WARNING : DOCTOR_NOTE,
		   xasprintf("CPU %u, polled for %u ms: taken away %" PRIu64
			     " times for over %u us, in all "
			     "%" PRIu64 " us (%.1f%%), the longest %" PRIu64 " us; for %" PRIu64
			     " us of it "
			     "other threads of this machine ran",
			     p->cpu, p->ms, n->gaps, NOISE_US, lost, percent, noise_us(n->worst),
			     waited),
		   xstrdup("packets wait as long; at 10 Mpps a ring of 1,024 is full after 100 us, "
			   "and those "
			   "that come then are lost"),
		   xstrdup(2 * waited > lost
				   ? "keep others off: isolcpus, cpusets, taskset (see isolation)"
				   : "interrupts or the hypervisor: see irqbalance, isolation and "
				     "steal; on "
				     "the host below, a CPU of its own for each vCPU"));
}

void doctor_noise(struct doctor *d)
{
	struct cpus cpus;
	struct probe *p;
	unsigned n = 0;

	if (*d->root) {
		doctor_unchecked(d, "host-noise", "gaps while polling",
				 "this is another machine's /proc");
		return;
	}
	if (!d->probe_ms || !doctor_allowed(d, &cpus)) {
		doctor_unchecked(d, "host-noise", "gaps while polling",
				 "the probe was switched off");
		return;
	}
	p = xrealloc(NULL, cpus.n * sizeof(*p));
	memset(p, 0, cpus.n * sizeof(*p));
	plat_tsc_hz(); // measured once, by one thread
	for (unsigned i = 0; i < DOCTOR_CPUS; i++) {
		if (!cpus.has[i])
			continue;
		p[n].cpu = i;
		p[n].ms = d->probe_ms;
		p[n].error = pthread_create(&p[n].thread, NULL, run, &p[n]);
		n += !p[n].error;
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(p[i].thread, NULL);
		tell(d, &p[i]);
	}
	if (n < cpus.n)
		doctor_unchecked(d, "host-noise", "some CPUs", "no thread could be started there");
	free(p);
}
