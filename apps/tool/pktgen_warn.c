// SPDX-License-Identifier: BSD-3-Clause
// pktgen_warn.c - what was not as it should have been in a trial, why, and what mends it
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/tool/pktgen.h"

#define SHORT_OF 0.999 // of what was asked: below, the rate was not reached

static void warn(struct warnings *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct warnings *w, const char *fmt, ...)
{
	va_list ap;

	if (w->n == WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(w->line[w->n++], sizeof(w->line[0]), fmt, ap);
	va_end(ap);
}

// A port upon a Linux interface: its bursts are system calls, which on a veth do the receiver's work as well.
static const char *calling_port(const struct app *app)
{
	static const char *const drivers[] = {"packet", "tap", "xdp", "pcap"};

	for (unsigned p = 0; p < app->ports; p++)
		for (unsigned i = 0; i < sizeof(drivers) / sizeof(*drivers); i++)
			if (!strcmp(app->port[p].pmd->name, drivers[i]))
				return drivers[i];
	return NULL;
}

// Whether long turns were the host's doing, rather than that of system calls of a port.
static bool host_took(const struct app *app, const struct sample_noise *n)
{
	return !calling_port(app) || n->run_delay_us + n->steal_us > n->lost_us / 2;
}

static void noise(struct warnings *w, const struct app *app, const struct sample *s)
{
	const struct sample_noise *n = &s->noise;
	double ran = (double)s->sending_ns / 1000 * app->lcores;
	char a[TEXT_MAX], b[TEXT_MAX];

	if (n->gaps && !host_took(app, n))
		warn(w,
		     "turns of over %u us: %" PRIu64 ", %s in all, %s the longest: most of it are system calls of the %s: "
		     "port; latency and pacing show it",
		     NOISE_US, n->gaps, text_time(a, n->lost_us * 1000), text_time(b, n->worst_us * 1000),
		     calling_port(app));
	else if (n->gaps)
		warn(w,
		     "noise: the host took the CPU away %" PRIu64
		     " times for over %u us, %s in all, %s the longest: latency and pacing show it",
		     n->gaps, NOISE_US, text_time(a, n->lost_us * 1000), text_time(b, n->worst_us * 1000));
	if (ran > 0 && (double)n->run_delay_us > ran / 1000)
		warn(w,
		     "noise: our threads waited %s for a CPU that others had (%.1f %% of the time): an idle one and "
		     "--cpu mend it",
		     text_time(a, n->run_delay_us * 1000), 100 * (double)n->run_delay_us / ran);
	if (ran > 0 && (double)n->steal_us > ran / 1000)
		warn(w, "noise: the hypervisor took %s of CPU time from this machine (steal)",
		     text_time(a, n->steal_us * 1000));
}

// Less was sent than asked for.
static void rate(struct warnings *w, const struct app *app, const struct sample *s)
{
	const struct gen_count *c = &s->total.sent;
	unsigned before = w->n;
	char percent[TEXT_MAX];

	if (!c->due || (double)c->packets >= SHORT_OF * (double)c->due)
		return;
	warn(w, "rate: %s %% of what was asked for was sent. Why:",
	     text_percent(percent, (double)c->packets / (double)c->due));
	before = w->n;
	if (s->pace.blocked)
		warn(w, "  the port took no more, %" PRIu64 " times: its other side, or the port itself, is the limit",
		     s->pace.blocked);
	if (s->pace.nombuf)
		warn(w, "  no packet buffer was free, %" PRIu64 " times: give more by mbufs: in the file", s->pace.nombuf);
	if (s->noise.run_delay_us > s->sending_ns / 1000 / 1000 || (s->noise.lost_us && host_took(app, &s->noise)))
		warn(w, "  the host took CPU time away: see noise");
	if (s->noise.lost_us && !host_took(app, &s->noise))
		warn(w, "  the system calls of the %s: port take longer than the rate has time for", calling_port(app));
	if (w->n == before)
		warn(w, "  %u lcore%s cannot make more: give more lcores, or fewer fields that change", app->lcores,
		     app->lcores == 1 ? "" : "s");
}

static uint64_t drop_of(const struct app *app, const char *node, const char *reason)
{
	uint64_t sum = 0;

	for (unsigned k = 0; k < app->lcores; k++) {
		const struct node *n = graph_find(app->lcore[k].graph, node);

		for (unsigned d = 0; n && d < n->drops; d++)
			if (!strcmp(n->def->drops[d], reason))
				sum += n->stats.drop[d];
	}
	return sum;
}

// What the transmit nodes dropped counts as sent and lost: it is said that it never left.
static void drops(struct warnings *w, const struct app *app)
{
	static const struct {
		const char *reason, *mend;
	} known[] = {
		{"too-long", "frames are longer than the port takes: give it an mtu:, or shorter frames"},
		{"ring-full", "it took no more"},
		{"port-down", "it was taken down"},
		{"no-buffer", "no packet buffer was free: give more by mbufs:"},
	};
	char node[PORT_NAME_MAX + 8], n[TEXT_MAX];

	for (unsigned p = 0; p < app->ports; p++) {
		snprintf(node, sizeof(node), "tx-%s", app->port[p].name);
		for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
			uint64_t packets = drop_of(app, node, known[i].reason);

			if (packets)
				warn(w, "port %s: %s packets were not sent (%s): %s", app->port[p].name,
				     text_count(n, packets), known[i].reason, known[i].mend);
		}
	}
}

static void unsent(struct warnings *w, const struct app *app)
{
	uint64_t waiting = 0;

	for (unsigned k = 0; k < app->lcores; k++)
		for (unsigned p = 0; p < app->ports; p++)
			if (k < app->port[p].grant.queues)
				waiting += port_tx_backlog(app->lcore[k].tx[p]);
	if (waiting)
		warn(w, "%" PRIu64 " packets that count as sent still waited for a port that took none", waiting);
}

static void received(struct warnings *w, const struct app *app, const struct sample *s)
{
	const struct row *t = &s->total;
	uint64_t foreign = 0, stragglers = 0;
	bool is_signed = false;

	for (uint32_t i = 0; i < app->blob.n_streams; i++)
		is_signed |= app->blob.streams[i].flags & BLOB_STREAM_SIGNED;
	for (unsigned p = 0; p < app->ports; p++) {
		foreign += s->port[p].foreign.foreign;
		stragglers += s->port[p].foreign.stragglers;
	}
	if (!is_signed)
		warn(w, "no stream is signed: what came back cannot be told from other packets (signature: on)");
	else if (t->sent.packets && !t->received && !foreign && !stragglers)
		warn(w, "nothing came back to any port: that is as it should be where the receiver is elsewhere");
	else if (t->sent.packets && !t->received && foreign)
		warn(w, "none of the packets that came back was ours: are signatures cut off or changed on the way?");
	if (t->negative)
		warn(w,
		     "%" PRIu64 " packets came before they were sent: sender and receiver are two machines whose clocks "
		     "differ; their latency is left out",
		     t->negative);
	if (t->unplaced)
		warn(w,
		     "latency: %" PRIu64 " packets found no memory in the histograms: percentiles of some streams leave "
		     "them out",
		     t->unplaced);
}

void warnings_find(struct warnings *w, const struct app *app, const struct sample *s)
{
	struct err err;

	if (pktgen_error(app, &err)) {
		warn(w, "%s", err.text);
		return;
	}
	rate(w, app, s);
	drops(w, app);
	unsent(w, app);
	noise(w, app, s);
	received(w, app, s);
}
