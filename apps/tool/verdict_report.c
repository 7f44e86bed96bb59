// SPDX-License-Identifier: BSD-3-Clause
// verdict_report.c - the verdict for people: a line a packet that is not as expected, and a summary
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/verdict_say.h"
#include "core/loop.h"

// "packet 17 (wan, 12:00:01.000123)": who is to blame.
static void print_subject(const struct verdict_run *r, const struct vsaid *s, FILE *out)
{
	const struct vrecord *from = s->from ? vtrace_record(r->trace, s->from) : NULL;
	char time[40];

	if (from)
		fprintf(out, "packet %u (%s, %s): ", from->number, r->port[from->port].name,
			verdict_time(r, from->time, time));
	else if (s->record)
		fprintf(out, "timer of %s (%s): ", s->maker, verdict_time(r, s->time, time));
	else
		fprintf(out, "golden packet %u (%s, %s): ", s->golden, s->port,
			verdict_time(r, s->time, time));
}

static void print_fields(const struct vsaid *s, FILE *out)
{
	const char *between = "";

	for (unsigned i = 0; i < s->diffs && i < VSAY_FIELDS; i++, between = "; ")
		fprintf(out, "%s%s", between, s->diff[i].text);
	if (s->diffs > VSAY_FIELDS)
		fprintf(out, "; and %u more fields", s->diffs - VSAY_FIELDS);
	if (s->late[0])
		fprintf(out, "%s%s", between, s->late);
}

static void print_one(const struct verdict_run *r, const struct vsaid *s, FILE *out)
{
	const char *made = s->maker[0] && s->from ? ", made by " : "";

	print_subject(r, s, out);
	fprintf(out, "%s", verdict_names[s->verdict]);
	if (s->record || s->verdict != V_MISSING)
		fprintf(out, " on %s", s->port);
	if (s->golden && s->record)
		fprintf(out, " (golden packet %u)", s->golden);
	fputs(": ", out);
	if (s->verdict == V_DIFFERENT)
		print_fields(s, out);
	else if (s->verdict == V_MOVED)
		fprintf(out, "sent as number %u of the port: %s", s->sent, s->frame);
	else if (s->verdict == V_UNEXPECTED)
		fprintf(out, "%s%s%s", s->frame, made, *made ? s->maker : "");
	else if (s->record)
		fprintf(out, "%s", s->end);
	else
		fprintf(out, "nothing else that came in is like it: %s", s->frame);
	fputc('\n', out);
}

static void tally(const struct vsaid *s, struct vtally *fields, struct vtally *reasons)
{
	for (unsigned i = 0; i < s->diffs && i < VSAY_FIELDS; i++)
		vtally_add(fields, vfield_name(s->diff[i].id));
	if (s->late[0])
		vtally_add(fields, "frame.time");
	if (s->verdict == V_MISSING)
		vtally_add(reasons, s->record ? s->end : "nothing else that came in is like it");
}

static void print_tally(const char *head, const struct vtally *t, FILE *out)
{
	for (size_t i = 0; i < t->n; i++)
		fprintf(out, "%-10s  %8" PRIu64 "  %s\n", i ? "" : head, t->e[i].n, t->e[i].name);
}

struct rows {
	FILE *out;
	unsigned n;
};

static void print_drop(void *arg, const char *node, const char *reason, uint64_t n)
{
	struct rows *rows = arg;

	fprintf(rows->out, "%-10s  %8" PRIu64 "  %s: %s\n", rows->n++ ? "" : "dropped", n, node, reason);
}

static void print_ports(const struct verdict_run *r, FILE *out)
{
	fprintf(out, "\n%-10s  received     sent   golden  expected  different    moved  missing  unexpected\n",
		"port");
	for (unsigned i = 0; i < r->ports; i++) {
		const struct vport *p = &r->port[i];

		fprintf(out, "%-10s  %8" PRIu64 " %8zu", p->name, p->received, p->sent.n);
		if (!p->golden || p->fresh)
			fputs(p->fresh ? "      new\n" : "     none\n", out);
		else
			fprintf(out, " %8zu  %8" PRIu64 "   %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "    %8" PRIu64 "\n",
				p->want.n, p->count[V_EXPECTED], p->count[V_DIFFERENT], p->count[V_MOVED],
				p->count[V_MISSING], p->count[V_UNEXPECTED]);
	}
}

// What makes a capture say less than the wire did.
static void print_cautions(const struct verdict_run *r, FILE *out)
{
	if (r->jumps)
		fprintf(out, "caution: %" PRIu64 " times over %u timers were due before the next packet: the clock "
			"went to it past the rest\n", r->jumps, LOOP_TIMERS_MAX);
	for (unsigned i = 0; i < r->ports; i++) {
		const struct vport *p = &r->port[i];

		if (p->snapped)
			fprintf(out, "caution: %s: %" PRIu64 " packets were cut when captured, and played so\n",
				p->in, p->snapped);
		if (p->want_snapped)
			fprintf(out, "caution: %s: %" PRIu64 " packets were cut when captured, and count as they are\n",
				p->golden, p->want_snapped);
		if (p->too_long)
			fprintf(out, "caution: %s: %" PRIu64 " packets do not fit the packet buffers and were left out\n",
				p->in, p->too_long);
	}
}

static void print_verdict(const struct verdict_run *r, FILE *out)
{
	uint64_t span = r->last > r->first ? r->last - r->first : 0;

	fprintf(out, "%-10s  %s; %.3f s of captures in %.3f s\n", "verdict",
		!verdict_compared(r) ? "none: there is no golden to compare with" : verdict_good(r) ? "as expected" : "different",
		(double)span / NSEC_PER_SEC, (double)r->elapsed_ns / NSEC_PER_SEC);
}

void verdict_print(const struct verdict_run *r, FILE *out)
{
	struct vtally fields = {0}, reasons = {0};
	struct rows rows = {out, 0};
	struct vsaid s;
	size_t n;
	struct vitem *list = verdict_items(r, false, &n);

	for (size_t i = 0; i < n; i++) {
		verdict_say(r, &list[i], &s);
		tally(&s, &fields, &reasons);
		if (!r->lines || i < r->lines)
			print_one(r, &s, out);
	}
	if (r->lines && n > r->lines)
		fprintf(out, "… and %zu more (--lines 0 prints all)\n", n - r->lines);
	print_ports(r, out);
	print_tally("different", &fields, out);
	print_tally("missing", &reasons, out);
	vtrace_drops(r->trace, print_drop, &rows);
	print_cautions(r, out);
	print_verdict(r, out);
	vtally_free(&fields);
	vtally_free(&reasons);
	free(list);
}
