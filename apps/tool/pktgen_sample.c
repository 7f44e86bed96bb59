// SPDX-License-Identifier: BSD-3-Clause
// pktgen_sample.c - all figures of a trial at a moment, by the observer
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/tool/pktgen.h"
#include "apps/tool/util.h"

#define PARTS 128u // of histograms: four whole ones

void spread_of(struct spread *s, const struct hdr *h)
{
	*s = (struct spread){.count = h->count};
	if (!h->count)
		return;
	s->min = h->min;
	s->max = h->max;
	s->mean = hdr_mean(h);
	s->deviation = hdr_deviation(h);
	s->p50 = hdr_value_at(h, 0.5);
	s->p90 = hdr_value_at(h, 0.9);
	s->p99 = hdr_value_at(h, 0.99);
	s->p99_9 = hdr_value_at(h, 0.999);
	s->p99_99 = hdr_value_at(h, 0.9999);
	s->p99_999 = hdr_value_at(h, 0.99999);
}

uint16_t spread_of_size(struct spread *s, const struct app *app, uint32_t i, struct hdr_pool *pool)
{
	struct hdr h;
	uint16_t len;

	hdr_init(&h, pool);
	pktgen_size(app, i, &len, &h);
	spread_of(s, &h);
	hdr_reset(&h);
	return len;
}

static void row_of(struct row *r, const struct pktgen_stream *s)
{
	const struct meas_result *got = &s->got;

	*r = (struct row){
		.sent = s->sent,
		.awaited = s->awaited,
		.received = got->packets,
		.received_bytes = got->bytes,
		.lost = pktgen_lost(s),
		.duplicate = got->duplicate,
		.reordered = got->reordered,
		.reorder_extent_max = got->reorder_extent_max,
		.late = got->late,
		.corrupt = got->corrupt,
		.negative = got->negative,
		.unplaced = got->latency.unplaced,
		.jitter_ns = got->jitter_ns,
		.pdv_p99_9 = got->latency.count ? meas_pdv(got, 0.999) : 0,
	};
	spread_of(&r->latency, &got->latency);
	spread_of(&r->ipdv, &got->ipdv);
}

// --- noise ---

// The second word of schedstat of all threads but the observer, who asks: ns in which they waited for a CPU.
static uint64_t run_delay_ns(void)
{
	DIR *d = opendir("/proc/self/task");
	const struct dirent *e;
	uint64_t sum = 0;

	while (d && (e = readdir(d))) {
		char path[64];
		uint64_t delay = 0;
		FILE *f;

		if (e->d_name[0] == '.' || atoi(e->d_name) == gettid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.20s/schedstat", e->d_name);
		f = fopen(path, "r");
		if (f && fscanf(f, "%*u %" SCNu64, &delay) == 1)
			sum += delay;
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return sum;
}

static uint64_t steal_us(void)
{
	uint64_t ticks = 0;
	long hz = sysconf(_SC_CLK_TCK);
	FILE *f = fopen("/proc/stat", "r");

	if (f && fscanf(f, "cpu %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &ticks) != 1)
		ticks = 0;
	if (f)
		fclose(f);
	return hz > 0 ? ticks * 1000000 / (uint64_t)hz : 0;
}

static struct noise_raw {
	uint64_t gaps, lost, worst, delay, steal;
} noise_from;
static struct sample_noise noise_sum; // when it has ended
static bool noise_on, noise_ended;

static struct noise_raw noise_now(const struct app *app)
{
	struct noise_raw n = {.delay = run_delay_ns(), .steal = steal_us()};

	for (unsigned k = 0; k < app->lcores; k++) {
		const struct noise *l = &app->lcore[k].loop.noise;

		n.gaps += l->gaps;
		n.lost += l->lost;
		if (l->worst > n.worst)
			n.worst = l->worst;
	}
	return n;
}

void sample_noise_begin(const struct app *app)
{
	noise_from = noise_now(app);
	noise_on = true;
}

static void take_noise(struct sample_noise *to, const struct app *app)
{
	struct noise_raw n, from = noise_from;

	*to = noise_sum;
	if (!noise_on || noise_ended)
		return;
	n = noise_now(app);
	*to = (struct sample_noise){
		.gaps = n.gaps - from.gaps,
		.lost_us = noise_us(n.lost - from.lost),
		// A gap before the trial, if it was longer, hides those in it: at most what they lost together.
		.worst_us = noise_us(n.worst > from.worst || n.worst < n.lost - from.lost ? n.worst
											  : n.lost - from.lost),
		.run_delay_us = n.delay > from.delay ? (n.delay - from.delay) / 1000 : 0,
		.steal_us = n.steal - from.steal,
	};
}

void sample_noise_end(const struct app *app)
{
	struct sample_noise n;

	take_noise(&n, app);
	noise_sum = n;
	noise_ended = true;
}

// --- samples ---

struct sample *sample_create(uint32_t rows)
{
	struct sample *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->row = calloc(rows + 1u, sizeof(*s->row));
	s->rows = rows;
	s->pool = hdr_pool_create(PARTS);
	if (!s->row || !s->pool) {
		sample_destroy(s);
		return NULL;
	}
	hdr_init(&s->latency, s->pool);
	return s;
}

void sample_destroy(struct sample *s)
{
	if (!s)
		return;
	hdr_pool_destroy(s->pool);
	free(s->row);
	free(s);
}

static void take_row(struct sample *s, const struct app *app, uint32_t stream, struct row *r)
{
	struct pktgen_stream p = {0};

	hdr_init(&p.got.latency, s->pool);
	hdr_init(&p.got.ipdv, s->pool);
	pktgen_result(app, stream, &p);
	row_of(r, &p);
	if (stream == UINT32_MAX) {
		hdr_reset(&s->latency);
		hdr_add(&s->latency, &p.got.latency);
	}
	hdr_reset(&p.got.latency);
	hdr_reset(&p.got.ipdv);
}

void sample_take(struct sample *s, const struct app *app, uint32_t first)
{
	uint32_t n = app->blob.n_streams;

	s->phase = pktgen_phase(app);
	s->elapsed_ns = pktgen_elapsed_ns(app);
	s->sending_ns = pktgen_sending_ns(app);
	take_row(s, app, UINT32_MAX, &s->total);
	s->first = first;
	for (uint32_t i = 0; i < s->rows && first + i < n; i++)
		take_row(s, app, first + i, &s->row[i]);
	pktgen_pace(app, &s->pace);
	for (unsigned p = 0; p < app->ports; p++) {
		struct port_stats stats;

		port_stats(&app->port[p], &stats);
		s->port[p] = (struct sample_port){stats.rx_packets, stats.rx_bytes, stats.tx_packets,
						  stats.tx_bytes, {0}};
		pktgen_foreign(app, p, &s->port[p].foreign);
	}
	take_noise(&s->noise, app);
}

double per_second(uint64_t now, uint64_t before, uint64_t now_ns, uint64_t before_ns)
{
	return now > before && now_ns > before_ns ? (double)(now - before) * 1e9 / (double)(now_ns - before_ns) : 0;
}
