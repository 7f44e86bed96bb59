// SPDX-License-Identifier: BSD-3-Clause
// figures.h - what ran, as a flat list of `name value`: one list behind the table, JSON and the tests
//
// Names are dotted: ports.wan.rx.packets, drops.ip4-input.checksum, accounting.balanced. Neighbouring
// names share prefixes, so that the list reads as a tree.
#ifndef WEIR_APPS_TOOL_FIGURES_H
#define WEIR_APPS_TOOL_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FIGURE_NAME_MAX 96

struct figure {
	char name[FIGURE_NAME_MAX];
	uint64_t value;
};

struct figures {
	struct figure *list;
	size_t n, room;
};

// A stats_emit_fn (core/stats.h): arg is a struct figures.
void figures_add(void *arg, const char *name, uint64_t value);
// The figure called name; 0 when there is none.
uint64_t figures_get(const struct figures *f, const char *name);
bool figures_balanced(const struct figures *f);
void figures_free(struct figures *f);

// Ports, drops by `node: reason`, cycles by node, and the books, for people.
void figures_print_table(const struct figures *f, FILE *out);
// Everything as one JSON object; drops as "node.reason".
void figures_print_json(const struct figures *f, FILE *out);

#endif
