// SPDX-License-Identifier: BSD-3-Clause
// util.h - small things of the host tool: memory that is there or ends the program, whole files
#ifndef WEIR_APPS_TOOL_UTIL_H
#define WEIR_APPS_TOOL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/err.h"

_Noreturn void die_no_memory(void);

// How many bytes of s are one control character (C0, DEL, or C1 in UTF-8): 0 when it begins with none.
unsigned text_control(const char *s);

// Decimal digits and nothing else, from min to max.
bool text_number(const char *s, unsigned min, unsigned max, unsigned *v);

// A time: 10us, 1.5ms, 2s, or 2: seconds; up to 1e6 units.
bool text_ns(const char *s, uint64_t *ns);

void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// Grows array (of elements of size bytes) so that element *n exists, zeroed, and counts it.
void *array_add(void *array, size_t *n, size_t *room, size_t size);

// A file's or a pipe's bytes, with a 0 behind; the caller frees. NULL and err: cannot be read, or more
// than max.
char *file_read(const char *path, size_t max, size_t *len, struct err *err);

// Writes a regular file whole or not at all: to a temporary name beside it, then renamed. 0 or -errno;
// -EINVAL when something else (a device, a folder) has that name.
int file_write(const char *path, const void *data, size_t len, unsigned mode, struct err *err);

// Writes a YAML scalar that means the n bytes of s, whatever is in them.
void yaml_quote(FILE *out, const char *s, size_t n);

#endif
