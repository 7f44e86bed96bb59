// SPDX-License-Identifier: BSD-3-Clause
// doctor.c - the list of findings, and reading what they are made of
#include "apps/tool/doctor.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"

#define FILE_MAX (256u << 10)

void doctor_add(struct doctor *d, const char *id, enum severity severity, char *found, char *effect,
		char *mend)
{
	struct finding *f;

	d->list = array_add(d->list, &d->n, &d->room, sizeof(*d->list));
	f = &d->list[d->n - 1];
	f->id = id;
	f->severity = severity;
	f->found = found ? found : xstrdup("");
	f->effect = effect ? effect : xstrdup("");
	f->mend = mend ? mend : xstrdup("");
}

static char *format(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		die_no_memory();
	return s;
}

void doctor_ok(struct doctor *d, const char *id, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	doctor_add(d, id, DOCTOR_OK, format(fmt, ap), NULL, NULL);
	va_end(ap);
}

void doctor_unchecked(struct doctor *d, const char *id, const char *what, const char *why)
{
	doctor_add(d, id, DOCTOR_UNCHECKED, xstrdup(what), xasprintf("not checked: %s", why), NULL);
}

void doctor_free(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->list[i].found);
		free(d->list[i].effect);
		free(d->list[i].mend);
	}
	free(d->list);
	d->list = NULL;
	d->n = d->room = 0;
}

char *doctor_path(const struct doctor *d, const char *fmt, ...)
{
	char *name, *path;
	va_list ap;

	va_start(ap, fmt);
	name = format(fmt, ap);
	va_end(ap);
	path = xasprintf("%s%s", d->root, name);
	free(name);
	return path;
}

char *doctor_read(const struct doctor *d, const char *fmt, ...)
{
	char *name, *path, *text;
	va_list ap;
	size_t n;
	FILE *f;

	va_start(ap, fmt);
	name = format(fmt, ap);
	va_end(ap);
	path = xasprintf("%s%s", d->root, name);
	free(name);
	f = fopen(path, "re");
	free(path);
	if (!f)
		return NULL;
	text = xrealloc(NULL, FILE_MAX + 1);
	n = fread(text, 1, FILE_MAX, f);
	if (ferror(f)) {
		fclose(f);
		free(text);
		return NULL;
	}
	fclose(f);
	text[n] = 0;
	if (n && text[n - 1] == '\n')
		text[n - 1] = 0;
	return xrealloc(text, n + 1);
}

char *doctor_field(const char *text, const char *key)
{
	size_t n = strlen(key);
	const char *line, *p;

	for (line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, key, n))
			continue;
		for (p = line + n; *p == ' ' || *p == '\t'; p++)
			;
		if (*p != ':')
			continue;
		for (p++; *p == ' ' || *p == '\t'; p++)
			;
		return xasprintf("%.*s", (int)strcspn(p, "\n"), p);
	}
	return NULL;
}

bool doctor_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	const char *p;

	for (p = text; (p = strstr(p, word)); p += n)
		if ((p == text || isspace((unsigned char)p[-1])) &&
		    (!p[n] || isspace((unsigned char)p[n])))
			return true;
	return false;
}

bool doctor_cpulist(const char *text, struct cpus *cpus)
{
	memset(cpus, 0, sizeof(*cpus));
	while (*text && *text != '\n') {
		char *end;
		unsigned long a = strtoul(text, &end, 10), b = a;

		if (end == text)
			return false;
		if (*end == '-') {
			text = end + 1;
			b = strtoul(text, &end, 10);
			if (end == text)
				return false;
		}
		for (; a <= b && a < DOCTOR_CPUS; a++) {
			cpus->n += !cpus->has[a];
			cpus->has[a] = true;
		}
		text = *end == ',' ? end + 1 : end;
		if (*end && *end != ',' && *end != '\n')
			return false;
	}
	return true;
}

char *doctor_cputext(const struct cpus *cpus)
{
	char *text = xstrdup("");

	for (unsigned a = 0, b; a < DOCTOR_CPUS; a = b + 1) {
		char *more;

		for (b = a; b + 1 < DOCTOR_CPUS && cpus->has[a] && cpus->has[b + 1]; b++)
			;
		if (!cpus->has[a])
			continue;
		more = a == b ? xasprintf("%s%s%u", text, *text ? "," : "", a)
			      : xasprintf("%s%s%u-%u", text, *text ? "," : "", a, b);
		free(text);
		text = more;
	}
	return text;
}

bool doctor_allowed(const struct doctor *d, struct cpus *cpus)
{
	char *status = doctor_read(d, "/proc/self/status");
	char *list = status ? doctor_field(status, "Cpus_allowed_list") : NULL;
	bool ok = list && doctor_cpulist(list, cpus) && cpus->n;

	free(list);
	free(status);
	return ok;
}

bool doctor_wants_image(const struct doctor *d)
{
	for (size_t i = 0; d->c && i < d->c->n_ports; i++)
		if (!strcmp(d->c->ports[i].driver, "virtio"))
			return true;
	return false;
}
