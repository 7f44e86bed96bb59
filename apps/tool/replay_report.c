// SPDX-License-Identifier: BSD-3-Clause
// replay_report.c - what weir replay prints at its end
#include "apps/tool/replay_report.h"

#include <stdio.h>

#include "apps/tool/figures.h"

bool replay_report(struct app *app, const struct replay_tally *t, bool json)
{
	struct figures f = {0};
	bool balanced;

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
	if (json)
		figures_print_json(&f, stdout);
	else
		figures_print_table(&f, stdout);
	figures_free(&f);
	return balanced;
}
