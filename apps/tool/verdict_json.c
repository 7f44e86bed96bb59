// SPDX-License-Identifier: BSD-3-Clause
// verdict_json.c - the verdict for programs: docs/verdicts.md has every key
#include <inttypes.h>
#include <stdlib.h>

#include "apps/tool/verdict_say.h"

// Names of ports and nodes have no character that JSON would have to escape; paths of files may.
static void string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			fprintf(out, "\\u%04x", (unsigned char)*s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static void key(FILE *out, const char *name, const char *value)
{
	fprintf(out, ", \"%s\": ", name);
	string(out, value);
}

static void number(FILE *out, const char *name, uint64_t value)
{
	fprintf(out, ", \"%s\": %" PRIu64, name, value);
}

static void print_port(const struct vport *p, FILE *out)
{
	string(out, p->name);
	fprintf(out, ": {\"received\": %" PRIu64 ", \"sent\": %zu", p->received, p->sent.n);
	if (p->golden && !p->fresh) {
		number(out, "golden", p->want.n);
		for (unsigned v = 0; v < V_UNJUDGED; v++)
			number(out, verdict_names[v], p->count[v]);
	}
	fputc('}', out);
}

static void print_fields(const struct vsaid *s, FILE *out)
{
	fputs(", \"fields\": [", out);
	for (unsigned i = 0; i < s->diffs && i < VSAY_FIELDS; i++) {
		fprintf(out, "%s{\"field\": \"%s\", \"occurrence\": %u", i ? ", " : "",
			vfield_name(s->diff[i].id), s->diff[i].nth + 1u);
		key(out, "got", s->diff[i].got);
		key(out, "expected", s->diff[i].want);
		key(out, "text", s->diff[i].text);
		fputc('}', out);
	}
	fputc(']', out);
	if (s->diffs > VSAY_FIELDS)
		number(out, "more_fields", s->diffs - VSAY_FIELDS);
	if (s->late[0])
		key(out, "time", s->late);
}

static void print_packet(const struct verdict_run *r, const struct vsaid *s, FILE *out)
{
	const struct vrecord *from = s->from ? vtrace_record(r->trace, s->from) : NULL;

	fprintf(out, "{\"verdict\": \"%s\"", verdict_names[s->verdict]);
	key(out, "port", s->port);
	number(out, "time_ns", s->time);
	if (s->golden)
		number(out, "golden_packet", s->golden);
	if (s->sent)
		number(out, "sent_packet", s->sent);
	if (from) {
		fputs(", \"cause\": {\"port\": ", out);
		string(out, r->port[from->port].name);
		number(out, "packet", from->number);
		number(out, "time_ns", from->time);
		fputc('}', out);
	}
	if (s->maker[0])
		key(out, "made_by", s->maker);
	if (s->path[0])
		key(out, "path", s->path);
	if (s->end[0])
		key(out, "end", s->end);
	if (s->verdict == V_DIFFERENT)
		print_fields(s, out);
	key(out, "frame", s->frame);
	fputc('}', out);
}

struct rows {
	FILE *out;
	unsigned n;
};

static void print_drop(void *arg, const char *node, const char *reason, uint64_t n)
{
	struct rows *rows = arg;

	fprintf(rows->out, "%s\"%s: %s\": %" PRIu64, rows->n++ ? ", " : "", node, reason, n);
}

void verdict_print_json(const struct verdict_run *r, FILE *out)
{
	struct rows rows = {out, 0};
	struct vsaid s;
	size_t n;
	struct vitem *list = verdict_items(r, false, &n);

	fprintf(out, "{\"format\": \"weir-verdict\", \"version\": 1, \"as_expected\": %s",
		!verdict_compared(r) ? "null" : verdict_good(r) ? "true" : "false");
	number(out, "clock_jumps", r->jumps);
	fputs(",\n\"ports\": {", out);
	for (unsigned i = 0; i < r->ports; i++) {
		fputs(i ? ",\n  " : "\n  ", out);
		print_port(&r->port[i], out);
	}
	fputs("},\n\"dropped\": {", out);
	vtrace_drops(r->trace, print_drop, &rows);
	fputs("},\n\"packets\": [", out);
	for (size_t i = 0; i < n; i++) {
		verdict_say(r, &list[i], &s);
		fputs(i ? ",\n  " : "\n  ", out);
		print_packet(r, &s, out);
	}
	fputs("]}\n", out);
	free(list);
}
