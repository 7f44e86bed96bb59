// SPDX-License-Identifier: BSD-3-Clause
// fpm_report.c - what weir fpm tells its user
#include <inttypes.h>
#include <stdio.h>

#include "apps/tool/fpm_report.h"

static void text(const struct fpm_status *s)
{
	const struct fpm_table *t = s->table;
	struct ctl_feed_totals w = fpm_weir_totals(s->weir);

	fprintf(stderr,
		"weir fpm: FRR %s, Weir %s: %zu routes for Weir, %zu changes to tell it; FRR said "
		"%" PRIu64 " routes, %" PRIu64 " withdrawals, %" PRIu64
		" next hops; Weir did %" PRIu64 " of %" PRIu64 " operations, lost %" PRIu64
		" packets, longest turn %" PRIu64 " us\n",
		s->frr ? s->synced ? "connected" : "connected, announcing anew" : "not connected",
		s->weir->c ? "connected" : "not connected", t->count[FPM_APPLIED], t->changes,
		t->totals.routes, t->totals.withdrawals, t->totals.nexthops, w.applied,
		w.operations, w.lost, w.turn_ns / 1000);
	for (unsigned why = FPM_APPLIED + 1; why < FPM_WHYS; why++)
		if (t->count[why])
			fprintf(stderr, "weir fpm:   %zu routes %s\n", t->count[why],
				fpm_why_text[why]);
	if (w.refused)
		fprintf(stderr, "weir fpm:   %" PRIu64 " operations refused by Weir: %s\n",
			w.refused, s->weir->refused);
	if (s->weir->cut + t->totals.narrow_paths)
		fprintf(stderr,
			"weir fpm:   %" PRIu64
			" paths of routes left out (Weir takes %u a route)\n",
			s->weir->cut + t->totals.narrow_paths, CTL_PATHS_MAX);
	if (t->totals.others)
		fprintf(stderr,
			"weir fpm:   %" PRIu64 " messages that are no routes of IPv4 or IPv6\n",
			t->totals.others);
	if (t->totals.full)
		fprintf(stderr,
			"weir fpm:   %" PRIu64 " messages beyond %u routes and %u next hops\n",
			t->totals.full, FPM_ROUTES_MAX, FPM_NEXTHOPS_MAX);
	if (s->broken || s->resets)
		fprintf(stderr,
			"weir fpm:   %" PRIu64 " broken messages, %" PRIu64
			" broken connections: %s\n",
			s->broken, s->resets, s->broken_text);
}

static void json_line(const struct fpm_status *s)
{
	const struct fpm_table *t = s->table;
	struct ctl_feed_totals w = fpm_weir_totals(s->weir);

	printf("{\"frr\": %s, \"weir\": %s, \"synced\": %s, \"waiting\": %zu, \"routes\": {",
	       s->frr ? "true" : "false", s->weir->c ? "true" : "false",
	       s->synced ? "true" : "false", t->changes);
	for (unsigned why = 0; why < FPM_WHYS; why++)
		printf("%s\"%s\": %zu", why ? ", " : "", fpm_why_name[why], t->count[why]);
	printf("}, \"messages\": {\"routes\": %" PRIu64 ", \"withdrawals\": %" PRIu64
	       ", \"nexthops\": %" PRIu64 ", \"others\": %" PRIu64 ", \"broken\": %" PRIu64
	       ", \"full\": %" PRIu64 "}",
	       t->totals.routes, t->totals.withdrawals, t->totals.nexthops, t->totals.others,
	       s->broken, t->totals.full);
	printf(", \"swept\": %" PRIu64 ", \"paths_left_out\": %" PRIu64 ", \"operations\": %" PRIu64
	       ", \"applied\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"longest_turn_ns\": %" PRIu64 "}\n",
	       s->swept, s->weir->cut + t->totals.narrow_paths, w.operations, w.applied, w.refused,
	       w.lost, w.turn_ns);
	fflush(stdout);
}

void fpm_report(const struct fpm_status *s, bool json)
{
	if (json)
		json_line(s);
	else
		text(s);
}
