// SPDX-License-Identifier: BSD-3-Clause
// bench_try.c - trials that count: what makes one invalid, and repetition of those
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/bench.h"
#include "apps/tool/util.h"

// A burst is behind its time only by more than this, and this share of its length.
#define LATE_NS	   100000.0
#define LATE_SHARE 0.05

void bench_trial_free(struct bench_trial *t)
{
	free(t->ccdf);
	t->ccdf = NULL;
	t->n_ccdf = 0;
}

void bench_say(struct bench *b, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!b->progress)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	b->progress(b->record_arg, text);
}

static void invalid(struct bench_trial *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void invalid(struct bench_trial *t, const char *fmt, ...)
{
	va_list ap;

	t->valid = false;
	va_start(ap, fmt);
	vsnprintf(t->why, sizeof(t->why), fmt, ap);
	va_end(ap);
}

// Frames that should have left, and did not when they should.
static uint64_t missing(const struct bench_trial *t)
{
	double behind, length;

	if (t->order.top)
		return 0;
	if (!t->order.count || t->intended > t->sent)
		return t->intended > t->sent ? t->intended - t->sent : 0;
	// A burst is sent whole, if late.
	length = (double)t->intended / t->order.pps * 1e9;
	behind = (double)t->late_ns_max;
	if (behind <= LATE_NS + LATE_SHARE * length)
		return 0;
	return (uint64_t)fmin(behind * t->order.pps / 1e9, (double)t->intended);
}

static void judge_host(struct bench_trial *t, const struct bench_limits *l)
{
	const struct bench_noise *n = &t->noise;
	double us = (t->sending_s + (t->order.count ? t->order.settle_s : 0)) * 1e6;
	uint64_t waited = n->lost_us > n->run_delay_us ? n->lost_us : n->run_delay_us;

	if ((double)(waited + n->steal_us) > us * l->interference)
		invalid(t, "the host took %.1f ms of %.1f ms away (gaps %.1f, run delay %.1f, steal %.1f ms); at most %g%% may be",
			(double)(waited + n->steal_us) / 1e3, us / 1e3, (double)n->lost_us / 1e3,
			(double)n->run_delay_us / 1e3, (double)n->steal_us / 1e3, l->interference * 100);
}

void bench_judge(struct bench_trial *t, const struct bench_limits *l)
{
	uint64_t gone = t->sent > t->received ? t->sent - t->received : 0;
	uint64_t late = missing(t);
	double expected = (double)t->intended;

	t->valid = true;
	t->why[0] = 0;
	t->refused = 0;
	// The port took no more: the device's doing, as if it had lost them (RFC 2285: the offered load is below the
	// intended one). If the port did take all it was given, the generator was too slow, and nobody knows what
	// the device would have done.
	if (t->blocked && late)
		t->refused = late;
	else if ((double)late > expected * l->pace && late > 1)
		invalid(t, "the generator sent %llu of %llu frames in time", (unsigned long long)(t->intended - late),
			(unsigned long long)t->intended);
	t->lost = gone + t->refused;
	if (!t->sent)
		invalid(t, "nothing was sent");
	else
		t->loss_ratio = (double)t->lost / (double)(t->sent + (t->order.count ? 0 : t->refused));
	if (t->loss_ratio > 1)
		t->loss_ratio = 1;
	if (t->valid)
		judge_host(t, l);
}

int bench_try(struct bench *b, const struct bench_order *order, struct bench_trial *t, struct err *err)
{
	unsigned tries = b->tries ? b->tries : 1;
	int rc;

	for (unsigned i = 0; i < tries; i++) {
		*t = (struct bench_trial){.order = *order};
		rc = b->trial(b->arg, order, t, err);
		if (rc)
			return rc;
		bench_judge(t, &b->limits);
		b->trials++;
		b->invalid += !t->valid;
		if (b->record)
			b->record(b->record_arg, t);
		bench_trial_free(t);
		if (t->valid)
			return 0;
	}
	return err_set(err, -EAGAIN, "no valid trial in %u at %.0f frames/s: %s", tries, order->pps, t->why);
}

int bench_verified(struct bench *b, const struct bench_order *order, const struct bench_verify *v, bool *pass,
		   struct bench_trial *t, struct err *err)
{
	int rc;

	*pass = false;
	for (unsigned i = 0; i < v->r; i++) {
		rc = bench_try(b, order, t, err);
		if (rc)
			return rc;
		*pass = t->loss_ratio <= v->loss_ratio;
		if (*pass || t->lost > v->z)
			break;
	}
	return 0;
}
