// SPDX-License-Identifier: BSD-3-Clause
// config_replay.c - read key replay: how fast, how often, in what length
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/config_replay.h"
#include "apps/tool/util.h"

#define BYTES_MOST   65535u
#define DEFAULT_MBUFS 16384u // of a streamed play: how far the reader may be ahead

struct replay_conf *config_replay(void *arg)
{
	return &((struct config_reader *)arg)->c->replay;
}

// A number with an optional fraction of up to six digits, in millionths; what follows it is in *rest. False:
// none, or over 2^63.
static bool millionths(const char *s, uint64_t *v, const char **rest)
{
	unsigned __int128 n = 0;
	unsigned digits = 0, left = 6;

	for (; *s >= '0' && *s <= '9' && digits < 18; s++, digits++)
		n = n * 10 + (unsigned)(*s - '0');
	if (!digits)
		return false;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9' && left; s++, left--)
			n = n * 10 + (unsigned)(*s - '0');
	for (; left; left--)
		n *= 10;
	*v = (uint64_t)n;
	*rest = s;
	return n <= INT64_MAX;
}

static bool scaled(uint64_t v, uint64_t by, uint64_t per, uint64_t *out)
{
	unsigned __int128 n = (unsigned __int128)v * by / per;

	*out = (uint64_t)n;
	return n && n <= INT64_MAX;
}

// "10k": in units of 1/per.
static bool parse_rate(const char *s, const char *unit, uint64_t per, uint64_t *rate)
{
	static const struct {
		char letter;
		uint64_t by;
	} prefixes[] = {{'k', 1000}, {'M', 1000000}, {'G', 1000000000}};
	uint64_t v, by = 1;
	const char *rest;

	if (!millionths(s, &v, &rest))
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (*rest == prefixes[i].letter)
			by = prefixes[i].by;
	rest += by > 1;
	return (!*rest || !strcmp(rest, unit)) && scaled(v, by * per, 1000000, rate);
}

static bool parse_time(const char *s, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
	const char *rest;
	uint64_t v;

	if (!millionths(s, &v, &rest))
		return false;
	if (!v && !*rest) {
		*ns = 0;
		return true;
	}
	for (unsigned i = 0; i < 4; i++)
		if (!strcmp(rest, units[i].name))
			return scaled(v, units[i].ns, 1000000, ns) || !v;
	return false;
}

#define SPEED "captured, xFACTOR, N pps, top, step, or {pps: N}, {l1: BITS}, {l2: BITS}"

static void speed_text(struct ydoc *y, yaml_node_t *node, struct blob_play *p)
{
	const char *s = ydoc_text(y, node, SPEED), *rest;
	size_t n = s ? strlen(s) : 0;

	if (!s)
		return;
	p->rate = 0;
	if (!strcmp(s, "captured")) {
		p->speed = BLOB_SPEED_CAPTURED;
		p->rate = 1000000;
	} else if (!strcmp(s, "top")) {
		p->speed = BLOB_SPEED_TOP;
	} else if (!strcmp(s, "step")) {
		p->speed = BLOB_SPEED_STEP;
	} else if (*s == 'x' && millionths(s + 1, &p->rate, &rest) && !*rest && p->rate) {
		p->speed = BLOB_SPEED_CAPTURED;
	} else if (n > 3 && !strcmp(s + n - 3, "pps") && parse_rate(s, "pps", 1000, &p->rate)) {
		p->speed = BLOB_SPEED_PPS;
	} else {
		ydoc_error(y, node, "expected " SPEED);
	}
}

static void read_speed_kind(struct ydoc *y, yaml_node_t *node, void *arg, uint16_t speed, uint64_t per)
{
	struct blob_play *p = &config_replay(arg)->play;
	const char *s = ydoc_text(y, node, "a rate like 10k, 2.5M, 1G");

	if (!s)
		return;
	p->speed = speed;
	if (!parse_rate(s, speed == BLOB_SPEED_PPS ? "pps" : "bps", per, &p->rate))
		ydoc_error(y, node, "expected a rate like 10k, 2.5M, 1G");
}

static void read_pps(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_speed_kind(y, node, arg, BLOB_SPEED_PPS, 1000);
}

static void read_l1(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_speed_kind(y, node, arg, BLOB_SPEED_L1, 1);
}

static void read_l2(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_speed_kind(y, node, arg, BLOB_SPEED_L2, 1);
}

static void read_speed(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"pps", false, read_pps},
		{"l1", false, read_l1},
		{"l2", false, read_l2},
		{0},
	};

	if (node->type != YAML_MAPPING_NODE) {
		speed_text(y, node, &config_replay(arg)->play);
		return;
	}
	if (node->data.mapping.pairs.top - node->data.mapping.pairs.start != 1)
		ydoc_error(y, node, "expected one of pps, l1 and l2");
	ydoc_map(y, node, "a speed", keys, arg);
}

static void read_loops(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct blob_play *p = &config_replay(arg)->play;
	const char *s = ydoc_text(y, node, "forever, or how often");
	unsigned n;

	if (!s)
		return;
	if (!strcmp(s, "forever"))
		p->loops = 0;
	else if (text_number(s, 1, UINT32_MAX, &n))
		p->loops = n;
	else
		ydoc_error(y, node, "expected forever, or how often it is played: 1 and more");
}

static void read_time(struct ydoc *y, yaml_node_t *node, uint64_t *ns)
{
	const char *s = ydoc_text(y, node, "a time like 10ms or 1.5s");

	if (s && !parse_time(s, ns))
		ydoc_error(y, node, "expected a time like 10ms or 1.5s (s, ms, us, ns)");
}

static void read_loop_gap(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_time(y, node, &config_replay(arg)->play.loop_gap_ns);
}

static void read_start(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_time(y, node, &config_replay(arg)->play.start_ns);
}

static void read_max_gap(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_time(y, node, &config_replay(arg)->max_gap_ns);
}

static void read_unique(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct blob_play *p = &config_replay(arg)->play;

	if (ydoc_u32(y, node, 1, UINT32_MAX, &p->step))
		p->flags |= BLOB_PLAY_UNIQUE;
}

static void read_mode(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "preload or stream");

	if (s && strcmp(s, "preload") && strcmp(s, "stream"))
		ydoc_error(y, node, "expected preload or stream");
	config_replay(arg)->stream = s && !strcmp(s, "stream");
}

static void read_truncate(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 14, BYTES_MOST, &config_replay(arg)->truncate);
}

static void read_pad(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 14, BYTES_MOST, &config_replay(arg)->pad);
}

static void read_snapped(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const char *const names[] = {"send", "pad", "skip"};
	const char *s = ydoc_text(y, node, "send, pad or skip");

	for (unsigned i = 0; s && i < 3; i++) {
		if (!strcmp(s, names[i])) {
			config_replay(arg)->snapped = (enum replay_snapped)i;
			return;
		}
	}
	if (s)
		ydoc_error(y, node, "expected send, pad or skip");
}

static void read_checksums(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "keep or fix");

	if (s && strcmp(s, "keep") && strcmp(s, "fix"))
		ydoc_error(y, node, "expected keep or fix");
	config_replay(arg)->fix = s && !strcmp(s, "fix");
}

void config_read_replay(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"captures", true, config_read_captures},
		{"speed", false, read_speed},
		{"loops", false, read_loops},
		{"loop_gap", false, read_loop_gap},
		{"unique", false, read_unique},
		{"start", false, read_start},
		{"max_gap", false, read_max_gap},
		{"mode", false, read_mode},
		{"snapped", false, read_snapped},
		{"truncate", false, read_truncate},
		{"pad", false, read_pad},
		{"checksums", false, read_checksums},
		{"rewrite", false, config_read_rewrites},
		{0},
	};
	struct replay_conf *r = config_replay(arg);
	struct config *c = ((struct config_reader *)arg)->c;

	r->given = true;
	r->play.speed = BLOB_SPEED_CAPTURED;
	r->play.rate = 1000000;
	r->play.loops = 1;
	ydoc_map(y, node, "replay", keys, arg);
	if (r->stream) {
		r->play.flags |= BLOB_PLAY_STREAMED;
		c->params.mbufs = c->params.mbufs ? c->params.mbufs : DEFAULT_MBUFS;
	}
	if (r->truncate && r->pad > r->truncate)
		ydoc_error(y, node, "pad is %u, truncate %u: expected pad to be at most truncate", r->pad, r->truncate);
}

void replay_conf_free(struct replay_conf *r)
{
	for (size_t i = 0; i < r->n_captures; i++) {
		for (size_t k = 0; k < r->captures[i].n_matches; k++)
			free(r->captures[i].matches[k].name);
		free(r->captures[i].matches);
		free(r->captures[i].file);
	}
	for (size_t i = 0; i < r->n_rewrites; i++)
		free(r->rewrites[i].maps);
	free(r->captures);
	free(r->rewrites);
	free(r->records);
	*r = (struct replay_conf){0};
}
