// SPDX-License-Identifier: BSD-3-Clause
// diag.h - what is wrong in a configuration: all of it at once, each with its place
#ifndef WEIR_APPS_TOOL_DIAG_H
#define WEIR_APPS_TOOL_DIAG_H

#include <stddef.h>
#include <stdio.h>

#define DIAG_SHOWN_MAX 100u // more are counted, not shown

struct diag {
	char *file;
	size_t line, column; // from 1; 0: the whole file
	char *text;          // "value: what was expected"
};

struct diags {
	struct diag *list;
	size_t n, size;
	size_t total; // also those beyond DIAG_SHOWN_MAX
};

// Adds one. value is quoted as it stands in the file (cut and made printable); NULL leaves it out.
void diag_add(struct diags *d, const char *file, size_t line, size_t column, const char *value,
	      const char *fmt, ...) __attribute__((format(printf, 6, 7)));

// Prints them by file and line: `F:line:column: value: what was expected`.
void diag_print(struct diags *d, FILE *out);
void diag_free(struct diags *d);

#endif
