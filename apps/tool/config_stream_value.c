// SPDX-License-Identifier: BSD-3-Clause
// config_stream_value.c - values of a stream's fields: one, a range, a list, random ones, an
// expression
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

struct value_reader {
	struct config_reader *r;
	const struct layer_field *f;
	struct stream_value *v;
	yaml_node_t *from, *to, *step, *list, *random, *expr, *cycle;
	unsigned __int128 first, last, by;
	bool bad;
};

static unsigned __int128 big_endian(const uint8_t *p, unsigned n)
{
	unsigned __int128 v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static bool number_text(const char *s, unsigned bits, unsigned __int128 *v)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(s, &end, s[0] == '0' && s[1] == 'x' ? 16 : 10);
	if (*s < '0' || *s > '9' || *end || errno || (bits < 64 && n >> bits))
		return false;
	*v = n;
	return true;
}

bool stream_value_text(const struct layer_field *f, const char *s, unsigned __int128 *v)
{
	union ip_addr addr;
	uint8_t family, mac[6];

	switch (f->form) {
	case FORM_MAC:
		if (!ip_parse_mac(s, mac))
			return false;
		*v = big_endian(mac, 6);
		return true;
	case FORM_IP4:
	case FORM_IP6:
		if (!ip_parse(s, &family, &addr) || (family == 4) != (f->form == FORM_IP4))
			return false;
		*v = big_endian(addr.v6, family == 4 ? 4 : 16);
		return true;
	case FORM_SWITCH:
		*v = !strcmp(s, "on");
		return *v || !strcmp(s, "off");
	default:
		return number_text(s, f->bits, v);
	}
}

static void expected(const struct value_reader *p, struct ydoc *y, yaml_node_t *node)
{
	static const char *const forms[] = {
		[FORM_MAC] = "a MAC address like \"02:00:00:00:00:01\"",
		[FORM_IP4] = "an IPv4 address like 198.18.0.1",
		[FORM_IP6] = "an IPv6 address like \"2001:2::1\"",
		[FORM_SWITCH] = "on or off",
	};
	const char *more =
		p->f->fixed ? "" : ", or {from: …, to: …}, {list: […]}, {random: […]}, {expr: …}";

	if (p->f->form == FORM_NUMBER)
		ydoc_error(y, node, "expected %s of 0 to %llu%s", p->f->name,
			   (unsigned long long)(UINT64_MAX >> (64 - p->f->bits)), more);
	else
		ydoc_error(y, node, "expected %s%s", forms[p->f->form], more);
}

static bool one(struct value_reader *p, struct ydoc *y, yaml_node_t *node, unsigned __int128 *v)
{
	bool ok = node->type == YAML_SCALAR_NODE &&
		  stream_value_text(p->f, (const char *)node->data.scalar.value, v);

	if (!ok)
		expected(p, y, node);
	p->bad |= !ok;
	return ok;
}

// --- {from: A, to: B, step: N} ---

static void read_from(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;

	p->from = node;
	one(p, y, node, &p->first);
}

static void read_to(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;

	p->to = node;
	one(p, y, node, &p->last);
}

// A number, or of IPv6 an address: 0:0:0:1:: goes from one /64 to the next.
static void read_step(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct layer_field number = {.form = FORM_NUMBER, .bits = 64};
	struct value_reader *p = arg;
	const char *s = ydoc_text(y, node, "a step");

	p->step = node;
	p->bad |= !s;
	if (!s || (stream_value_text(&number, s, &p->by) && p->by) ||
	    (p->f->form == FORM_IP6 && stream_value_text(p->f, s, &p->by) && p->by))
		return;
	ydoc_error(y, node, "expected a step of at least 1; it goes down where to is below from");
	p->bad = true;
}

// --- {list: […]}, {random: [A, B]}, {expr: TEXT, cycle: N} ---

static void read_list_item(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;
	unsigned __int128 v;

	if (!one(p, y, node, &v))
		return;
	if (p->v->count == STREAM_LIST_MAX) {
		if (!p->bad)
			ydoc_error(y, node, "expected at most %u values of a list",
				   STREAM_LIST_MAX);
		p->bad = true;
		return;
	}
	if (!(p->v->count & (p->v->count - 1)))
		p->v->list = xrealloc(p->v->list, (p->v->count ? 2 * p->v->count : 1) * sizeof(v));
	p->v->list[p->v->count++] = v;
}

static void read_list(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;

	p->list = node;
	ydoc_list(y, node, "values", read_list_item, p);
	if (node->type == YAML_SEQUENCE_NODE && !p->v->count && !p->bad)
		ydoc_error(y, node, "expected at least one value");
	p->bad |= !p->v->count;
}

static void read_bound(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;
	unsigned __int128 v;

	if (!one(p, y, node, &v))
		return;
	if (p->v->count++)
		p->last = v;
	else
		p->first = v;
}

static void read_random(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;

	p->random = node;
	ydoc_list(y, node, "two values: [LEAST, MOST]", read_bound, p);
	if (!p->bad && (p->v->count != 2 || p->last < p->first)) {
		ydoc_error(y, node, "expected [LEAST, MOST]");
		p->bad = true;
	}
	p->v->count = 0;
}

static void read_expr(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;
	const char *s = ydoc_text(y, node, "an expression of i, like \"10.0.0.0 + i % 7\"");
	struct err err;

	p->expr = node;
	p->v->expr = s ? expr_parse(s, &err) : NULL;
	p->bad |= !p->v->expr;
	if (s && !p->v->expr)
		ydoc_error(y, node, "%s", err.text);
}

static void read_cycle(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;
	uint32_t n;

	p->cycle = node;
	if (ydoc_u32(y, node, 1, STREAM_LIST_MAX, &n))
		p->v->count = n;
	else
		p->bad = true;
}

static void read_every(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;

	p->bad |= !ydoc_u32(y, node, 1, UINT32_MAX, &p->v->every);
}

static void read_per(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct value_reader *p = arg;
	const char *s = ydoc_text(y, node, "packet or copy");

	if (s && !strcmp(s, "copy"))
		p->v->per_copy = true;
	else if (!s || strcmp(s, "packet"))
		p->bad = true;
	if (s && p->bad && strcmp(s, "copy") && strcmp(s, "packet"))
		ydoc_error(y, node, "expected packet or copy");
}

static bool range(struct value_reader *p, struct ydoc *y)
{
	bool down = p->to && p->last < p->first;
	unsigned __int128 step = p->by ? p->by : 1, span, n;

	if (!p->to) // as far as copies go, or the field
		p->last = p->f->bits == 128 ? ~(unsigned __int128)0
					    : ((unsigned __int128)1 << p->f->bits) - 1;
	span = down ? p->first - p->last : p->last - p->first;
	n = span / step;
	if (n >= UINT64_MAX && p->to) {
		ydoc_error(y, p->to, "expected less than 2^64 values");
		return false;
	}
	p->v->kind = VALUE_RANGE;
	p->v->first = p->first;
	p->v->step = down ? -step : step;
	p->v->count = n >= UINT64_MAX ? UINT64_MAX : (uint64_t)n + 1;
	return true;
}

// One that is the same for all copies is a list at once.
static bool expression(struct value_reader *p, struct ydoc *y)
{
	struct stream_value list;
	struct err err;

	if (p->v->per_copy || expr_of_copy(p->v->expr))
		return true;
	if (stream_value_copy(&list, p->v, p->f, 0, 0, &err)) {
		ydoc_error(y, p->expr, "%s", err.text);
		return false;
	}
	expr_free(p->v->expr);
	*p->v = list;
	return true;
}

static bool finish(struct value_reader *p, struct ydoc *y, yaml_node_t *node)
{
	unsigned ways = !!p->from + !!p->list + !!p->random + !!p->expr;

	if (ways != 1 || ((p->to || p->step) && !p->from) ||
	    (p->from && !p->to && !p->v->per_copy) || !p->cycle != (!p->expr || p->v->per_copy)) {
		ydoc_error(y, node,
			   "expected one of {from: A, to: B}, {list: [A, …]}, {random: [A, B]}, "
			   "{expr: TEXT, cycle: N}; per: copy needs no to and no cycle");
		return false;
	}
	if (p->bad)
		return false;
	if (p->from)
		return range(p, y);
	p->v->kind = p->list ? VALUE_LIST : p->random ? VALUE_RANDOM : VALUE_EXPR;
	if (p->random) {
		p->v->first = p->first;
		p->v->span = p->last - p->first;
	}
	return !p->expr || expression(p, y);
}

// A-B in one word: {from: A, to: B}. Whether it is.
static bool short_range(struct value_reader *p, yaml_node_t *node)
{
	const char *s = (const char *)node->data.scalar.value, *dash = strchr(s, '-');
	char from[64];

	if (!dash || dash - s >= (long)sizeof(from))
		return false;
	memcpy(from, s, (size_t)(dash - s));
	from[dash - s] = 0;
	if (!stream_value_text(p->f, from, &p->first) ||
	    !stream_value_text(p->f, dash + 1, &p->last))
		return false;
	p->from = p->to = node;
	return true;
}

static bool read_scalar(struct value_reader *p, struct ydoc *y, yaml_node_t *node)
{
	if (!ydoc_text(y, node, p->f->name))
		return false;
	if (!p->f->fixed && short_range(p, node))
		return range(p, y);
	if (!one(p, y, node, &p->v->first))
		return false;
	p->v->kind = VALUE_ONE;
	return true;
}

bool stream_value_read(struct config_reader *r, yaml_node_t *node, const struct layer_field *f,
		       struct stream_value *v)
{
	static const struct ydoc_key keys[] = {
		{"from", false, read_from},	{"to", false, read_to},
		{"step", false, read_step},	{"list", false, read_list},
		{"random", false, read_random}, {"expr", false, read_expr},
		{"cycle", false, read_cycle},	{"every", false, read_every},
		{"per", false, read_per},	{0},
	};
	struct value_reader p = {.r = r, .f = f, .v = v};
	bool ok;

	*v = (struct stream_value){.every = 1, .place = config_place(r->y, node)};
	if (node->type == YAML_SCALAR_NODE) {
		ok = read_scalar(&p, r->y, node);
	} else if (f->fixed || node->type != YAML_MAPPING_NODE) {
		expected(&p, r->y, node);
		ok = false;
	} else {
		ydoc_map(r->y, node, "values", keys, &p);
		ok = finish(&p, r->y, node);
	}
	if (!ok) {
		stream_value_free(v);
		*v = (struct stream_value){.every = 1, .place = v->place};
	}
	return ok;
}

void stream_value_free(struct stream_value *v)
{
	free(v->list);
	expr_free(v->expr);
	v->list = NULL;
	v->expr = NULL;
}
