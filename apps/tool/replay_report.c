// SPDX-License-Identifier: BSD-3-Clause
// replay_report.c - what weir replay prints at its end
#include "apps/tool/replay_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "apps/replay/replay.h"
#include "apps/tool/figures.h"

static double us(uint64_t ns)
{
	return (double)ns / 1000;
}

static void print_result(const struct app *app, const struct replay_count *c)
{
	const struct hdr *e = replay_error(app);
	double s = (double)c->ns / 1e9;

	printf("sent %" PRIu64 " packets, %" PRIu64 " bytes, in %.6f s: %.0f packets/s, %.3f Mbit/s (without FCS)\n",
	       c->packets, c->bytes, s, s > 0 ? (double)c->packets / s : 0,
	       s > 0 ? (double)c->bytes * 8e-6 / s : 0);
	if (e->count)
		printf("behind its time, us: median %.2f, 90%% %.2f, 99%% %.2f, 99.9%% %.2f, 99.99%% %.2f, most %.2f; "
		       "%" PRIu64 " over 1 ms\n",
		       us(hdr_value_at(e, 0.5)), us(hdr_value_at(e, 0.9)), us(hdr_value_at(e, 0.99)),
		       us(hdr_value_at(e, 0.999)), us(hdr_value_at(e, 0.9999)), us(e->max), c->late);
	if (c->underruns)
		printf("%" PRIu64 " times the reader had not brought a packet in time: expected --preload, or another "
		       "CPU for it\n",
		       c->underruns);
	putchar('\n');
}

bool replay_report(struct app *app, const struct replay_tally *t, bool json)
{
	struct replay_count c;
	struct figures f = {0};
	bool balanced;

	replay_count(app, &c);
	app_stats(app, figures_add, &f);
	figures_add(&f, "replay.read", t->read);
	figures_add(&f, "replay.nowhere", t->nowhere);
	figures_add(&f, "replay.other_link", t->other_link);
	figures_add(&f, "replay.snapped", t->snapped);
	figures_add(&f, "replay.skipped", t->skipped);
	figures_add(&f, "replay.backwards", t->backwards);
	figures_add(&f, "replay.bad_times", t->bad_times);
	figures_add(&f, "replay.cut_gaps", t->cut_gaps);
	balanced = figures_balanced(&f);
	if (json) {
		figures_print_json(&f, stdout);
	} else {
		print_result(app, &c);
		figures_print_table(&f, stdout);
	}
	figures_free(&f);
	return balanced;
}
