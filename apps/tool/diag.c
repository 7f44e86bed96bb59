// SPDX-License-Identifier: BSD-3-Clause
// diag.c - collect and print what is wrong in a configuration
#include "apps/tool/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"

#define VALUE_SHOWN_MAX 60
#define TEXT_SHOWN_MAX	4096

// Text that comes from a hostile file: nothing in it steers the user's terminal. About max bytes, never
// half a UTF-8 character. True when there was more.
static bool put_plain(FILE *out, const char *s, size_t max)
{
	size_t i, escape = 0;

	for (i = 0; s[i]; i++) {
		if (i >= max && (((unsigned char)s[i] & 0xc0) != 0x80 || i >= max + 3))
			break;
		if (!escape)
			escape = text_control(s + i);
		if (escape) {
			fprintf(out, "\\x%02x", (unsigned char)s[i]);
			escape--;
		} else {
			fputc(s[i], out);
		}
	}
	return s[i];
}

void diag_add(struct diags *d, const char *file, size_t line, size_t column, const char *value,
	      const char *fmt, ...)
{
	struct diag *e;
	size_t len;
	va_list ap;
	char *text;
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
		fputs(put_plain(out, value, VALUE_SHOWN_MAX) ? "…: " : ": ", out);
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		die_no_memory();
	va_end(ap);
	put_plain(out, text, TEXT_SHOWN_MAX);
	free(text);
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

		put_plain(out, e->file, TEXT_SHOWN_MAX);
		if (e->line)
			fprintf(out, ":%zu:%zu: %s\n", e->line, e->column, e->text);
		else
			fprintf(out, ": %s\n", e->text);
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
