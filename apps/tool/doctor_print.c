// SPDX-License-Identifier: BSD-3-Clause
// doctor_print.c - findings for people, the worst first, and as JSON
#include <stdlib.h>
#include <string.h>

#include "apps/tool/doctor.h"

static const char *const names[DOCTOR_SEVERITIES] = {"error", "warning", "note", "unchecked", "ok"};

static void print_one(const struct finding *f, FILE *out)
{
	fprintf(out, "%-9s %s: %s\n", names[f->severity], f->id, f->found);
	if (*f->effect)
		fprintf(out, "          %s%s\n",
			f->severity == DOCTOR_UNCHECKED ? "" : "effect: ", f->effect);
	if (*f->mend)
		fprintf(out, "          mend:   %s\n", f->mend);
}

void doctor_print(const struct doctor *d, bool all, FILE *out)
{
	unsigned count[DOCTOR_SEVERITIES] = {0};

	for (unsigned s = 0; s < DOCTOR_SEVERITIES; s++) {
		for (size_t i = 0; i < d->n; i++) {
			if (d->list[i].severity != s)
				continue;
			count[s]++;
			if (s != DOCTOR_OK || all)
				print_one(&d->list[i], out);
		}
	}
	fprintf(out, "%u errors, %u warnings, %u notes, %u not checked, %u good%s\n",
		count[DOCTOR_ERROR], count[DOCTOR_WARNING], count[DOCTOR_NOTE],
		count[DOCTOR_UNCHECKED], count[DOCTOR_OK],
		all || !count[DOCTOR_OK] ? "" : " (--all shows them)");
}

static void json_string(const char *s, FILE *out)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			fprintf(out, "\\u%04x", *s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

void doctor_print_json(const struct doctor *d, bool all, FILE *out)
{
	bool first = true;

	fputc('[', out);
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->list[i];

		if (f->severity == DOCTOR_OK && !all)
			continue;
		fprintf(out, "%s\n  {\"id\": \"%s\", \"severity\": \"%s\", \"found\": ",
			first ? "" : ",", f->id, names[f->severity]);
		json_string(f->found, out);
		fputs(", \"effect\": ", out);
		json_string(f->effect, out);
		fputs(", \"mend\": ", out);
		json_string(f->mend, out);
		fputc('}', out);
		first = false;
	}
	fputs("\n]\n", out);
}
