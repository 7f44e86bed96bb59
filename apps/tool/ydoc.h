// SPDX-License-Identifier: BSD-3-Clause
// ydoc.h - a YAML file with places: libyaml's document, and readers that say what they expected
//
// Every reader takes the node it reads and returns false after adding a diag, so that a caller reads on
// and all errors come out at once.
#ifndef WEIR_APPS_TOOL_YDOC_H
#define WEIR_APPS_TOOL_YDOC_H

#include <stdbool.h>
#include <stdint.h>
#include <yaml.h>

#include "apps/tool/diag.h"

struct ydoc {
	const char *file; // as the user named it
	yaml_document_t doc;
	struct diags *diags;
};

// Parses text. false after a diag: not YAML, empty, or more than one document.
bool ydoc_parse(struct ydoc *y, const char *file, const char *text, size_t len, struct diags *diags);
void ydoc_free(struct ydoc *y);
yaml_node_t *ydoc_root(struct ydoc *y);

// A diag at node, with its value.
void ydoc_error(struct ydoc *y, const yaml_node_t *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct ydoc_key { // a key that a mapping may have
	const char *name;
	bool required;
	void (*read)(struct ydoc *y, yaml_node_t *value, void *arg);
};

// Reads a mapping: calls read for each key present in the table's order, complains of keys unknown,
// given twice or missing. what: "a port". The table ends with a NULL name.
void ydoc_map(struct ydoc *y, yaml_node_t *node, const char *what, const struct ydoc_key *keys,
	      void *arg);

// Calls each for every element of a list / pair of a mapping with names as keys.
void ydoc_list(struct ydoc *y, yaml_node_t *node, const char *what,
	       void (*each)(struct ydoc *y, yaml_node_t *item, void *arg), void *arg);
void ydoc_names(struct ydoc *y, yaml_node_t *node, const char *what,
		void (*each)(struct ydoc *y, yaml_node_t *name, yaml_node_t *value, void *arg),
		void *arg);

// The text of a scalar; NULL after a diag.
const char *ydoc_text(struct ydoc *y, yaml_node_t *node, const char *what);
bool ydoc_u32(struct ydoc *y, yaml_node_t *node, uint32_t min, uint32_t max, uint32_t *v);

#endif
