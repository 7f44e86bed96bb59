// SPDX-License-Identifier: BSD-3-Clause
// results.c - what all lcores have sent and measured, added up
#include <inttypes.h>
#include <stdio.h>

#include "apps/pktgen/pktgen_priv.h"

#define STATS_STREAMS 16u // of which figures are told one by one: it is done between turns

static void add_sent(const struct app *app, uint32_t stream, struct gen_count *sum)
{
	const struct pktgen *pg = pktgen_of(app);
	unsigned port = app->blob.streams[stream].port;
	const struct gen *g = pg->lcore[stream % app->port[port].grant.queues].gen[port];
	struct gen_count c;

	if (!g)
		return;
	gen_count(g, stream, &c);
	sum->packets += c.packets;
	sum->bytes += c.bytes;
	sum->due += c.due;
}

// Returns how many of them are signed.
static uint64_t sum_sent(const struct app *app, uint32_t stream, struct gen_count *sum)
{
	bool all = stream == UINT32_MAX;
	uint64_t awaited = 0;

	*sum = (struct gen_count){0};
	for (uint32_t i = all ? 0 : stream; i < (all ? app->blob.n_streams : stream + 1); i++) {
		uint64_t before = sum->packets;

		add_sent(app, i, sum);
		if (app->blob.streams[i].flags & BLOB_STREAM_SIGNED)
			awaited += sum->packets - before;
	}
	return awaited;
}

void pktgen_result(const struct app *app, uint32_t stream, struct pktgen_stream *s)
{
	const struct pktgen *pg = pktgen_of(app);

	s->awaited = sum_sent(app, stream, &s->sent);
	for (unsigned k = 0; k < app->lcores; k++)
		meas_result(pg->lcore[k].meas, stream, &s->got);
}

void pktgen_size(const struct app *app, uint32_t size, uint16_t *len, struct hdr *latency)
{
	const struct pktgen *pg = pktgen_of(app);

	*len = size < pg->sizes ? pg->size[size] : 0;
	for (unsigned k = 0; k < app->lcores; k++)
		meas_size(pg->lcore[k].meas, size, latency);
}

uint32_t pktgen_sizes(const struct app *app)
{
	return pktgen_of(app)->sizes + 1;
}

static void add_pace(struct gen_pace *sum, const struct gen_pace *p)
{
	if (p->late_ns_max > sum->late_ns_max)
		sum->late_ns_max = p->late_ns_max;
	sum->late_ns_sum += p->late_ns_sum;
	sum->late_packets += p->late_packets;
	sum->blocked += p->blocked;
	sum->nombuf += p->nombuf;
	for (unsigned i = 0; i < 4; i++)
		sum->gap[i] += p->gap[i];
}

void pktgen_pace(const struct app *app, struct gen_pace *sum)
{
	const struct pktgen *pg = pktgen_of(app);
	struct gen_pace p;

	*sum = (struct gen_pace){0};
	for (unsigned k = 0; k < app->lcores; k++) {
		for (unsigned i = 0; i < app->ports; i++) {
			if (!pg->lcore[k].gen[i])
				continue;
			gen_pace(pg->lcore[k].gen[i], &p);
			add_pace(sum, &p);
		}
	}
}

void pktgen_foreign(const struct app *app, unsigned port, struct meas_foreign *sum)
{
	const struct pktgen *pg = pktgen_of(app);

	*sum = (struct meas_foreign){0};
	for (unsigned k = 0; k < app->lcores; k++)
		meas_foreign(pg->lcore[k].meas, (uint16_t)port, sum); // which adds
}

uint64_t pktgen_sent(const struct app *app)
{
	struct gen_count c;

	return sum_sent(app, UINT32_MAX, &c);
}

uint64_t pktgen_received(const struct app *app)
{
	const struct pktgen *pg = pktgen_of(app);
	uint64_t n = 0;

	for (unsigned k = 0; k < app->lcores; k++)
		n += meas_packets(pg->lcore[k].meas);
	return n;
}

// --- statistics: the image's console, the control channel ---

struct emitter {
	stats_emit_fn emit;
	void *arg;
	const char *prefix;
};

static void put(const struct emitter *e, const char *figure, uint64_t value)
{
	char name[96];

	snprintf(name, sizeof(name), "%s.%s", e->prefix, figure);
	e->emit(e->arg, name, value);
}

static void put_latency(const struct emitter *e, const struct hdr *h)
{
	if (!h->count)
		return;
	put(e, "latency.min", h->min);
	put(e, "latency.mean", (uint64_t)hdr_mean(h));
	put(e, "latency.p50", hdr_value_at(h, 0.5));
	put(e, "latency.p99", hdr_value_at(h, 0.99));
	put(e, "latency.p99_9", hdr_value_at(h, 0.999));
	put(e, "latency.max", h->max);
}

static void put_stream(const struct app *app, uint32_t stream, const char *prefix, stats_emit_fn emit, void *arg)
{
	const struct emitter e = {emit, arg, prefix};
	struct pktgen_stream s = {0};

	hdr_init(&s.got.latency, pktgen_of(app)->scratch);
	hdr_init(&s.got.ipdv, pktgen_of(app)->scratch);
	pktgen_result(app, stream, &s);
	put(&e, "sent", s.sent.packets);
	put(&e, "due", s.sent.due);
	put(&e, "received", s.got.packets);
	put(&e, "lost", pktgen_lost(&s));
	put(&e, "duplicate", s.got.duplicate);
	put(&e, "reordered", s.got.reordered);
	put(&e, "late", s.got.late);
	put(&e, "corrupt", s.got.corrupt);
	put(&e, "jitter", s.got.jitter_ns);
	put_latency(&e, &s.got.latency);
	hdr_reset(&s.got.latency);
	hdr_reset(&s.got.ipdv);
}

// A name has no dot in it but at its end (core/stats.h).
static void stream_prefix(const struct app *app, uint32_t stream, char *buf, size_t len)
{
	size_t n = (size_t)snprintf(buf, len, "pktgen.streams.%s",
				    blob_str(&app->blob, app->blob.streams[stream].name));

	for (size_t i = sizeof("pktgen.streams.") - 1; i < n && i < len - 1; i++)
		if (buf[i] == '.')
			buf[i] = ':';
}

static void put_foreign(const struct app *app, stats_emit_fn emit, void *arg)
{
	char prefix[48];

	for (unsigned p = 0; p < app->ports; p++) {
		const struct emitter e = {emit, arg, prefix};
		struct meas_foreign f;

		pktgen_foreign(app, p, &f);
		snprintf(prefix, sizeof(prefix), "pktgen.ports.%s", app->port[p].name);
		put(&e, "stragglers", f.stragglers);
		put(&e, "foreign", f.foreign);
		put(&e, "stack", f.stack);
		put(&e, "bad_stream", f.bad_stream);
	}
}

void pktgen_stats(const struct app *app, stats_emit_fn emit, void *arg)
{
	const struct trial *t = &pktgen_of(app)->trial;
	const struct emitter e = {emit, arg, "pktgen"};
	struct gen_pace pace;
	char prefix[64];

	put(&e, "phase", (uint64_t)atomic_load(&t->phase));
	put(&e, "unresolved", t->error ? 1 : 0);
	put(&e, "sending_us", pktgen_sending_ns(app) / 1000);
	put_stream(app, UINT32_MAX, "pktgen.total", emit, arg);
	for (uint32_t i = 0; i < app->blob.n_streams && i < STATS_STREAMS; i++) {
		stream_prefix(app, i, prefix, sizeof(prefix));
		put_stream(app, i, prefix, emit, arg);
	}
	put_foreign(app, emit, arg);
	pktgen_pace(app, &pace);
	put(&e, "pace.late_ns_max", pace.late_ns_max);
	put(&e, "pace.late_packets", pace.late_packets);
	put(&e, "pace.blocked", pace.blocked);
	put(&e, "pace.nombuf", pace.nombuf);
}
