// SPDX-License-Identifier: BSD-3-Clause
// config_stream_stack.c - read the list of a stream's layers
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"

struct stack_reader {
	struct config_reader *r;
	struct config_stream *s;
	bool bad;
};

static unsigned field_index(const struct layer_type *t, const char *name)
{
	unsigned i;

	for (i = 0; t->field[i].name; i++)
		if (!strcmp(t->field[i].name, name))
			break;
	return i;
}

static void unknown_field(struct ydoc *y, yaml_node_t *key, const struct layer_type *t)
{
	char list[200] = "";
	size_t n = 0;

	for (unsigned i = 0; t->field[i].name && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      t->field[i].name);
	ydoc_error(y, key, "unknown field: %s has %s", t->name, list);
}

struct layer_reader {
	struct stack_reader *stack;
	struct stream_layer *l;
};

static void read_field(struct ydoc *y, yaml_node_t *key, yaml_node_t *value, void *arg)
{
	struct layer_reader *p = arg;
	const struct layer_type *t = &layer_types[p->l->id];
	const char *name = ydoc_text(y, key, "a field");
	unsigned i = name ? field_index(t, name) : 0;

	if (name && !t->field[i].name)
		unknown_field(y, key, t);
	else if (name && p->l->value[i].kind != VALUE_AUTO)
		ydoc_error(y, key, "given twice");
	else if (name && stream_value_read(p->stack->r, value, &t->field[i], &p->l->value[i]))
		return;
	p->stack->bad = true;
}

// --- the list ---

struct stream_layer *stream_layer_add(struct config_stream *s, unsigned at, uint8_t id)
{
	s->layer = xrealloc(s->layer, (s->layers + 1) * sizeof(*s->layer));
	memmove(&s->layer[at + 1], &s->layer[at], (s->layers - at) * sizeof(*s->layer));
	s->layer[at] = (struct stream_layer){.id = id};
	s->layers++;
	return &s->layer[at];
}

static bool may_follow(uint8_t under, uint8_t id)
{
	return layer_types[under].next & 1u << id;
}

static void expected_layer(struct ydoc *y, yaml_node_t *node, int under)
{
	unsigned mask = under < 0 ? (1u << LAYER_KINDS) - 1 : layer_types[under].next;
	char list[120] = "";
	size_t n = 0;

	for (unsigned i = 0; i < LAYER_KINDS && n < sizeof(list); i++)
		if (mask & 1u << i)
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
					      layer_types[i].name);
	if (under < 0)
		ydoc_error(y, node, "expected a layer: %s", list);
	else
		ydoc_error(y, node, "expected %s%s behind %s", n ? "one of " : "no layer", list,
			   layer_types[under].name);
}

static struct stream_layer *add_named(struct stack_reader *p, yaml_node_t *node, const char *name)
{
	struct config_stream *s = p->s;
	unsigned id;

	for (id = 0; id < LAYER_KINDS && strcmp(layer_types[id].name, name); id++)
		;
	if (id == LAYER_KINDS) {
		expected_layer(p->r->y, node, -1);
		return NULL;
	}
	if (!s->layers && id != LAYER_ETH) {
		stream_layer_add(s, 0, LAYER_ETH);
		s->layer[0].place = config_place(p->r->y, node);
	}
	if (s->layers && !may_follow(s->layer[s->layers - 1].id, (uint8_t)id)) {
		expected_layer(p->r->y, node, s->layer[s->layers - 1].id);
		return NULL;
	}
	if (s->layers == STREAM_LAYERS_MAX) {
		ydoc_error(p->r->y, node, "expected at most %u layers", STREAM_LAYERS_MAX);
		return NULL;
	}
	stream_layer_add(s, s->layers, (uint8_t)id)->place = config_place(p->r->y, node);
	return &s->layer[s->layers - 1];
}

// NAME, NAME: VALUE or NAME: {…}
static void read_layer(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct stack_reader *p = arg;
	struct layer_reader l = {p, NULL};
	yaml_node_t *key = node, *value = NULL;
	const char *name;

	if (p->bad) // what follows a wrong layer cannot be judged
		return;
	if (node->type == YAML_MAPPING_NODE) {
		yaml_node_pair_t *pair = node->data.mapping.pairs.start;

		if (node->data.mapping.pairs.top - pair != 1) {
			ydoc_error(y, node, "expected one layer an item: [ipv4: {…}, udp: {…}]");
			p->bad = true;
			return;
		}
		key = yaml_document_get_node(&y->doc, pair->key);
		value = yaml_document_get_node(&y->doc, pair->value);
	}
	name = ydoc_text(y, key, "the name of a layer");
	l.l = name ? add_named(p, key, name) : NULL;
	p->bad |= !l.l;
	if (!l.l || !value)
		return;
	if (value->type == YAML_MAPPING_NODE) {
		ydoc_names(y, value, "fields", read_field, &l);
	} else {
		const struct layer_type *t = &layer_types[l.l->id];

		p->bad |=
			!stream_value_read(p->r, value, &t->field[t->brief], &l.l->value[t->brief]);
	}
}

void stream_layers_read(struct config_reader *r, yaml_node_t *node, struct config_stream *s)
{
	struct stack_reader p = {r, s, false};

	s->layers_place = config_place(r->y, node);
	ydoc_list(r->y, node, "layers like [ipv4: {dst: ADDRESS}, udp]", read_layer, &p);
	if (node->type == YAML_SEQUENCE_NODE && !s->layers && !p.bad)
		ydoc_error(r->y, node, "expected at least one layer");
	if (s->layers && s->layer[s->layers - 1].id == LAYER_VXLAN && !p.bad) {
		ydoc_error(r->y, node, "expected eth behind vxlan");
		p.bad = true;
	}
	s->bad |= p.bad || !s->layers;
}
