// SPDX-License-Identifier: BSD-3-Clause
// config_stream_length.c - how long a stream's frames are: one length, a sweep, random ones, a mix
#include <stdio.h>
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"

// The mixes as their makers publish them; lengths with FCS, of untagged frames.
static const struct mix {
	const char *name;
	struct stream_length part[5];
	bool shuffled; // in turn, so many of one length would follow each other
} mixes[] = {
	// IP packets of 40 (in the least frame), 576 and 1,500 bytes: 7, 4 and 1.
	{"simple", {{64, 7}, {594, 4}, {1518, 1}}, false},
	{"cisco", {{64, 7}, {594, 4}, {1518, 1}}, false},
	// Shares of 10,000, as traffic generators have them; no standard says so.
	{"tcp", {{90, 5867}, {92, 200}, {594, 2366}, {1518, 1567}}, true},
	{"ipv6", {{84, 5867}, {496, 200}, {594, 2366}, {1518, 1567}}, true},
	// Spirent TestCenter, FAQ11671.
	{"spirent", {{64, 61}, {594, 21}, {1518, 18}}, true},
};

// RFC 6985, 4: the letters of a genome. z is the MTU's.
static const struct stream_length letters[] = {
	{64, 'a'}, {128, 'b'}, {256, 'c'}, {512, 'd'}, {1024, 'e'}, {1280, 'f'}, {1518, 'g'}, {2112, 'h'}, {9000, 'i'}, {0},
};

struct length_reader {
	struct config_reader *r;
	struct config_stream *s;
	yaml_node_t *from, *list, *random, *imix, *genome;
	uint32_t first, last, step, bounds;
	struct stream_length part;
	bool bad;
};

static void add(struct config_stream *s, uint32_t len, uint32_t weight)
{
	s->length = array_add(s->length, &s->n_length, &s->room_length, sizeof(*s->length));
	s->length[s->n_length - 1] = (struct stream_length){(uint16_t)len, (uint16_t)weight};
}

static bool read_one(struct ydoc *y, yaml_node_t *node, uint32_t *len)
{
	return ydoc_u32(y, node, STREAM_LENGTH_MIN, STREAM_LENGTH_MAX, len);
}

static void read_from(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;

	p->from = node;
	p->bad |= !read_one(y, node, &p->first);
}

static void read_to(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;

	p->bad |= !read_one(y, node, &p->last);
}

static void read_step(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;

	p->bad |= !ydoc_u32(y, node, 1, STREAM_LENGTH_MAX, &p->step);
}

static void read_bound(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;

	p->bad |= !read_one(y, node, p->bounds ? &p->last : &p->first);
	p->bounds++;
}

static void read_random(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;

	p->random = node;
	ydoc_list(y, node, "two lengths: [LEAST, MOST]", read_bound, p);
	if (!p->bad && (p->bounds != 2 || p->last < p->first)) {
		ydoc_error(y, node, "expected [LEAST, MOST]");
		p->bad = true;
	}
}

// --- {list: [64, {length: 594, weight: 4}]} ---

static void read_item_length(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;
	uint32_t len = 0;

	p->bad |= !read_one(y, node, &len);
	p->part.len = (uint16_t)len;
}

static void read_item_weight(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;
	uint32_t weight = 0;

	p->bad |= !ydoc_u32(y, node, 1, 65535, &weight);
	p->part.weight = (uint16_t)weight;
}

static void read_item(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"length", true, read_item_length},
		{"weight", false, read_item_weight},
		{0},
	};
	struct length_reader *p = arg;

	p->part = (struct stream_length){0, 1};
	if (node->type == YAML_MAPPING_NODE)
		ydoc_map(y, node, "a length", keys, p);
	else
		read_item_length(y, node, p);
	if (p->s->n_length == STREAM_LENGTH_MAX) {
		if (!p->bad)
			ydoc_error(y, node, "expected at most %u lengths", STREAM_LENGTH_MAX);
		p->bad = true;
	}
	if (p->part.len && !p->bad)
		add(p->s, p->part.len, p->part.weight);
}

static void read_list(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;

	p->list = node;
	ydoc_list(y, node, "lengths like 64 or {length: 594, weight: 4}", read_item, p);
	if (node->type == YAML_SEQUENCE_NODE && !p->s->n_length && !p->bad)
		ydoc_error(y, node, "expected at least one length");
}

// --- {imix: simple}, {genome: aaafg} ---

static void read_imix(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;
	const char *s = ydoc_text(y, node, "the name of a mix");
	char list[80] = "";
	size_t n = 0;

	p->imix = node;
	for (size_t i = 0; s && i < sizeof(mixes) / sizeof(*mixes); i++) {
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", mixes[i].name);
		if (strcmp(mixes[i].name, s))
			continue;
		for (const struct stream_length *l = mixes[i].part; l->len; l++)
			add(p->s, l->len, l->weight);
		p->s->shuffled = mixes[i].shuffled;
		return;
	}
	if (s)
		ydoc_error(y, node, "expected the name of a mix: %s", list);
	p->bad = true;
}

static uint32_t letter(const struct length_reader *p, char c)
{
	uint16_t mtu = p->s->port < 0 ? 0 : p->r->c->ports[p->s->port].blob.mtu;

	if (c == 'z')
		return (mtu ? mtu : 1500u) + 14 + STREAM_FCS;
	for (const struct stream_length *l = letters; l->len; l++)
		if (l->weight == c)
			return l->len;
	return 0;
}

static void read_genome(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;
	const char *s = ydoc_text(y, node, "letters of RFC 6985"), *c;

	p->genome = node;
	for (c = s; s && *c && letter(p, *c); c++) {
		struct stream_length *last = p->s->n_length ? &p->s->length[p->s->n_length - 1] : NULL;
		uint32_t len = letter(p, *c);

		if (last && last->len == len && last->weight < 65535)
			last->weight++;
		else
			add(p->s, len, 1);
	}
	if (s && (*c || c == s))
		ydoc_error(y, node, "expected letters of RFC 6985: a 64, b 128, c 256, d 512, e 1024, f 1280, "
				    "g 1518, h 2112, i 9000, z the MTU");
	p->bad |= !s || *c || c == s;
}

static void read_order(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct length_reader *p = arg;
	const char *s = ydoc_text(y, node, "turn or random");

	p->s->shuffled = s && !strcmp(s, "random");
	if (s && !p->s->shuffled && strcmp(s, "turn")) {
		ydoc_error(y, node, "expected turn or random");
		p->bad = true;
	}
}

static void finish(struct length_reader *p, struct ydoc *y, yaml_node_t *node)
{
	if (!!p->from + !!p->list + !!p->random + !!p->imix + !!p->genome != 1 || (p->from && !p->last) ||
	    (!p->from && (p->step || (p->last && !p->random)))) {
		if (!p->bad)
			ydoc_error(y, node, "expected a length, or one of {from: A, to: B, step: N}, {random: "
					    "[A, B]}, {list: [A, {length: B, weight: N}]}, {imix: NAME}, {genome: "
					    "LETTERS}");
		p->bad = true;
	}
	if (p->bad)
		return;
	if (p->from && p->last < p->first) {
		ydoc_error(y, node, "expected to at least from");
		p->bad = true;
	}
	if (!p->step)
		p->step = 1;
	for (uint32_t len = p->first; (p->from || p->random) && len <= p->last; len += p->step)
		add(p->s, len, 1);
	p->s->shuffled |= !!p->random;
}

void stream_read_length(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"from", false, read_from},	{"to", false, read_to},		{"step", false, read_step},
		{"random", false, read_random}, {"list", false, read_list},	{"imix", false, read_imix},
		{"genome", false, read_genome}, {"order", false, read_order},	{0},
	};
	struct stream_reader *r = arg;
	struct length_reader p = {.r = r->r, .s = r->s};
	uint32_t len;

	p.s->length_place = config_place(y, node);
	if (node->type == YAML_MAPPING_NODE) {
		ydoc_map(y, node, "a length", keys, &p);
		finish(&p, y, node);
	} else if (read_one(y, node, &len)) {
		add(p.s, len, 1);
	} else {
		p.bad = true;
	}
	p.s->bad |= p.bad;
}
