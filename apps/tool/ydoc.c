// SPDX-License-Identifier: BSD-3-Clause
// ydoc.c - read YAML with places
#include "apps/tool/ydoc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"

#define KEYS_MAX    32u
#define DEPTH_MAX   16   // a configuration needs 4
#define ANCHORS_MAX 1000 // libyaml looks for an alias among all of them

#define TEXT_(n) #n
#define TEXT(n)	 TEXT_(n)

struct shape {
	unsigned documents, depth, anchors;
};

static void not_yaml(struct ydoc *y, const yaml_parser_t *p)
{
	diag_add(y->diags, y->file, p->problem_mark.line + 1, p->problem_mark.column + 1, NULL,
		 "not YAML: %s%s%s", p->context ? p->context : "", p->context ? ", " : "",
		 p->problem ? p->problem : "cannot be read");
}

// What libyaml would take hours over, or pass over in silence; NULL when the event is fine.
static const char *event_fault(const yaml_event_t *e, struct shape *s)
{
	const yaml_char_t *anchor = NULL;

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return s->documents++ ? "a second document: expected one in a file" : NULL;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		s->depth++;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		s->depth++;
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		s->depth--;
		break;
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		break;
	default:
		break;
	}
	if (s->depth > DEPTH_MAX)
		return "nested too deeply: expected at most " TEXT(DEPTH_MAX) " levels";
	if (anchor && s->anchors++ == ANCHORS_MAX)
		return "expected at most " TEXT(ANCHORS_MAX) " anchors";
	return NULL;
}

// The file's events once, before a tree is made of them.
static bool scan(struct ydoc *y, const char *text, size_t len)
{
	struct shape shape = {0};
	const char *fault = NULL;
	yaml_parser_t parser;
	bool more = true;

	if (!yaml_parser_initialize(&parser))
		die_no_memory();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (more && !fault) {
		yaml_event_t e;

		if (!yaml_parser_parse(&parser, &e)) {
			not_yaml(y, &parser);
			yaml_parser_delete(&parser);
			return false;
		}
		fault = event_fault(&e, &shape);
		if (fault)
			diag_add(y->diags, y->file, e.start_mark.line + 1, e.start_mark.column + 1,
				 NULL, "%s", fault);
		more = e.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return !fault;
}

bool ydoc_parse(struct ydoc *y, const char *file, const char *text, size_t len, struct diags *diags)
{
	yaml_parser_t parser;
	bool ok = false;

	*y = (struct ydoc){.file = file, .diags = diags};
	if (!scan(y, text, len))
		return false;
	if (!yaml_parser_initialize(&parser))
		die_no_memory();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &y->doc)) {
		not_yaml(y, &parser);
	} else if (!ydoc_root(y)) {
		diag_add(diags, file, 1, 1, NULL, "empty: expected a configuration (version: 1 …)");
		yaml_document_delete(&y->doc);
	} else {
		ok = true;
	}
	yaml_parser_delete(&parser);
	return ok;
}

void ydoc_free(struct ydoc *y)
{
	yaml_document_delete(&y->doc);
}

yaml_node_t *ydoc_root(struct ydoc *y)
{
	return yaml_document_get_root_node(&y->doc);
}

static const char *node_value(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SCALAR_NODE:
		return (const char *)node->data.scalar.value;
	case YAML_SEQUENCE_NODE:
		return "[…]";
	default:
		return "{…}";
	}
}

void ydoc_error(struct ydoc *y, const yaml_node_t *node, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		die_no_memory();
	va_end(ap);
	diag_add(y->diags, y->file, node->start_mark.line + 1, node->start_mark.column + 1,
		 node_value(node), "%s", text);
	free(text);
}

static yaml_node_t *node_at(struct ydoc *y, int index)
{
	return yaml_document_get_node(&y->doc, index);
}

const char *ydoc_text(struct ydoc *y, yaml_node_t *node, const char *what)
{
	const char *s;

	if (node->type != YAML_SCALAR_NODE) {
		ydoc_error(y, node, "expected %s", what);
		return NULL;
	}
	s = (const char *)node->data.scalar.value;
	if (strlen(s) != node->data.scalar.length) {
		ydoc_error(y, node, "expected %s, without a zero byte", what);
		return NULL;
	}
	return s;
}

static unsigned key_index(const struct ydoc_key *keys, const char *name)
{
	unsigned i;

	for (i = 0; keys[i].name; i++)
		if (!strcmp(keys[i].name, name))
			break;
	return i;
}

static void unknown_key(struct ydoc *y, yaml_node_t *key, const char *what,
			const struct ydoc_key *keys)
{
	char list[256] = "";
	unsigned i;

	for (i = 0; keys[i].name; i++) {
		size_t n = strlen(list);

		snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", keys[i].name);
	}
	ydoc_error(y, key, "unknown key: %s has %s", what, list);
}

void ydoc_map(struct ydoc *y, yaml_node_t *node, const char *what, const struct ydoc_key *keys,
	      void *arg)
{
	yaml_node_t *value[KEYS_MAX] = {0};
	yaml_node_pair_t *pair;
	const char *name;
	unsigned i;

	if (node->type != YAML_MAPPING_NODE) {
		ydoc_error(y, node, "expected %s: a mapping with key %s", what, keys[0].name);
		return;
	}
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = node_at(y, pair->key);

		name = ydoc_text(y, key, "a key");
		if (!name)
			continue;
		i = key_index(keys, name);
		if (!keys[i].name)
			unknown_key(y, key, what, keys);
		else if (value[i])
			ydoc_error(y, key, "given twice, first in line %zu",
				   value[i]->start_mark.line + 1);
		else
			value[i] = node_at(y, pair->value);
	}
	for (i = 0; keys[i].name; i++) {
		if (value[i])
			keys[i].read(y, value[i], arg);
		else if (keys[i].required)
			ydoc_error(y, node, "expected key %s in %s", keys[i].name, what);
	}
}

void ydoc_list(struct ydoc *y, yaml_node_t *node, const char *what,
	       void (*each)(struct ydoc *y, yaml_node_t *item, void *arg), void *arg)
{
	yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE) {
		ydoc_error(y, node, "expected a list of %s", what);
		return;
	}
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++)
		each(y, node_at(y, *item), arg);
}

void ydoc_names(struct ydoc *y, yaml_node_t *node, const char *what,
		void (*each)(struct ydoc *y, yaml_node_t *name, yaml_node_t *value, void *arg),
		void *arg)
{
	yaml_node_pair_t *pair;

	if (node->type != YAML_MAPPING_NODE) {
		ydoc_error(y, node, "expected %s by name", what);
		return;
	}
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++)
		each(y, node_at(y, pair->key), node_at(y, pair->value), arg);
}

static void expected_number(struct ydoc *y, yaml_node_t *node, uint32_t min, uint32_t max)
{
	if (min == max)
		ydoc_error(y, node, "expected %u, the only value there is", min);
	else
		ydoc_error(y, node, "expected a number from %u to %u", min, max);
}

bool ydoc_u32(struct ydoc *y, yaml_node_t *node, uint32_t min, uint32_t max, uint32_t *v)
{
	const char *s;
	char *end;
	unsigned long long n;

	if (node->type != YAML_SCALAR_NODE) {
		expected_number(y, node, min, max);
		return false;
	}
	s = ydoc_text(y, node, "a number");
	if (!s)
		return false;
	errno = 0;
	n = strtoull(s, &end, 10);
	// strtoull takes signs, blanks and "": a number here is digits.
	if (*s < '0' || *s > '9' || *end || errno || n < min || n > max) {
		expected_number(y, node, min, max);
		return false;
	}
	*v = (uint32_t)n;
	return true;
}
