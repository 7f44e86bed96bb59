// SPDX-License-Identifier: BSD-3-Clause
// diag.c - collect and print what is wrong in a configuration
#include "apps/tool/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"

#define VALUE_SHOWN_MAX 60

// The value as one printable line: a hostile file must not write to the user's terminal.
static void put_value(FILE *out, const char *value)
{
	size_t i;

	for (i = 0; value[i] && i < VALUE_SHOWN_MAX; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputs(value[i] ? "…: " : ": ", out);
}

void diag_add(struct diags *d, const char *file, size_t line, size_t column, const char *value,
	      const char *fmt, ...)
{
	struct diag *e;
	size_t len;
	va_list ap;
	FILE *out;

	if (d->total++ >= DIAG_SHOWN_MAX)
		return;
	if (d->n == d->size) {
		d->size = d->size ? 2 * d->size : 16;
		d->list = xrealloc(d->list, d->size * sizeof(*d->list));
	}
	e = &d->list[d->n++];
	*e = (struct diag){.file = xstrdup(file), .line = line, .column = column};
	out = open_memstream(&e->text, &len);
	if (!out)
		die_no_memory();
	if (value)
		put_value(out, value);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fclose(out);
}

static int by_place(const void *a, const void *b)
{
	const struct diag *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

void diag_print(struct diags *d, FILE *out)
{
	size_t i;

	if (d->n)
		qsort(d->list, d->n, sizeof(*d->list), by_place);
	for (i = 0; i < d->n; i++) {
		const struct diag *e = &d->list[i];

		if (e->line)
			fprintf(out, "%s:%zu:%zu: %s\n", e->file, e->line, e->column, e->text);
		else
			fprintf(out, "%s: %s\n", e->file, e->text);
	}
	if (d->total > d->n)
		fprintf(out, "… and %zu more\n", d->total - d->n);
}

void diag_free(struct diags *d)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		free(d->list[i].file);
		free(d->list[i].text);
	}
	free(d->list);
	*d = (struct diags){0};
}
