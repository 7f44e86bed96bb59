// SPDX-License-Identifier: BSD-3-Clause
// config_stream_rate.c - when a stream's packets go: rate, shape, bursts, begin and end
#include <stdio.h>
#include <string.h>

#include "apps/tool/config_stream.h"

#define LINE_UNITS 10000u // millionths in a percent
#define YEAR_NS	   (366 * UINT64_C(86400000000000))

static struct config_stream *stream(void *arg)
{
	return ((struct stream_reader *)arg)->s;
}

static const struct rate_kind {
	const char *key, *unit, *expected;
	uint64_t scale, max;
} kinds[BLOB_RATE_KINDS] = {
	[BLOB_RATE_PPS] = {"pps", "pps", "packets a second like 1M, at least 0.001", 1000, UINT64_C(1000000000000)},
	[BLOB_RATE_L1] = {"l1", NULL, "bit/s like 10G", 1, UINT64_C(10000000000000)},
	[BLOB_RATE_L2] = {"l2", NULL, "bit/s like 10G", 1, UINT64_C(10000000000000)},
	[BLOB_RATE_LINE] = {"line", "%", "a share of the line rate like 50%", LINE_UNITS, 100 * LINE_UNITS},
};

// "50%" and so on; percent: with that at the end.
static bool rate_text(const char *s, uint8_t kind, uint64_t *rate)
{
	static const struct text_unit percent[] = {{"%", 1}, {0}};
	bool line = kind == BLOB_RATE_LINE;

	return text_scaled(s, line ? percent : units_si, !line, kinds[kind].scale, rate) && *rate &&
	       *rate <= kinds[kind].max;
}

static void set_rate(struct config_stream *s, uint8_t kind, uint64_t rate)
{
	s->blob.rate_kind = kind;
	s->blob.rate = rate;
}

static void read_kind(struct ydoc *y, yaml_node_t *node, void *arg, uint8_t kind)
{
	struct config_stream *s = stream(arg);
	const char *text = ydoc_text(y, node, kinds[kind].expected);
	uint64_t rate;

	if (text && s->blob.rate_kind != BLOB_RATE_TOP)
		ydoc_error(y, node, "expected one of pps, l1, l2 and line");
	else if (text && rate_text(text, kind, &rate))
		set_rate(s, kind, rate);
	else if (text)
		ydoc_error(y, node, "expected %s", kinds[kind].expected);
}

static void read_pps(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_kind(y, node, arg, BLOB_RATE_PPS);
}

static void read_l1(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_kind(y, node, arg, BLOB_RATE_L1);
}

static void read_l2(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_kind(y, node, arg, BLOB_RATE_L2);
}

static void read_line(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_kind(y, node, arg, BLOB_RATE_LINE);
}

// "50%", "1Mpps", "top"
static bool rate_word(struct config_stream *s, const char *text)
{
	size_t n = strlen(text);
	char number[40];
	uint64_t rate;

	if (!strcmp(text, "top"))
		return true;
	if (rate_text(text, BLOB_RATE_LINE, &rate)) {
		set_rate(s, BLOB_RATE_LINE, rate);
		return true;
	}
	if (n < 4 || n >= sizeof(number) || strcmp(text + n - 3, "pps"))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)n - 3, text);
	if (!rate_text(number, BLOB_RATE_PPS, &rate))
		return false;
	set_rate(s, BLOB_RATE_PPS, rate);
	return true;
}

void stream_read_rate(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"pps", false, read_pps}, {"l1", false, read_l1}, {"l2", false, read_l2},
		{"line", false, read_line}, {0},
	};
	const char *expected = "top, a rate like 1Mpps or 50%, or {pps: 1M}, {l1: 10G}, {l2: 10G}, {line: 50%}";
	const char *s;

	if (node->type == YAML_MAPPING_NODE) {
		ydoc_map(y, node, "a rate", keys, arg);
		if (node->data.mapping.pairs.start == node->data.mapping.pairs.top)
			ydoc_error(y, node, "expected %s", expected);
		return;
	}
	s = ydoc_text(y, node, expected);
	if (s && !rate_word(stream(arg), s))
		ydoc_error(y, node, "expected %s", expected);
}

void stream_read_burst(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 1u << 20, &stream(arg)->blob.burst);
}

// --- shape ---

static bool read_time(struct ydoc *y, yaml_node_t *node, uint64_t least, uint64_t most, const char *expected,
		      uint64_t *ns)
{
	const char *s = ydoc_text(y, node, expected);

	if (!s)
		return false;
	if (text_scaled(s, units_time, false, 1, ns) && *ns >= least && *ns <= most)
		return true;
	ydoc_error(y, node, "expected %s", expected);
	return false;
}

static void read_half(struct ydoc *y, yaml_node_t *node, uint32_t *us)
{
	uint64_t ns;

	if (!read_time(y, node, 1000, 3600000000000, "a time of 1us to 1h like 10ms", &ns))
		return;
	if (ns % 1000)
		ydoc_error(y, node, "expected whole microseconds");
	*us = (uint32_t)(ns / 1000);
}

static void read_on(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_half(y, node, &stream(arg)->blob.on_us);
}

static void read_off(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_half(y, node, &stream(arg)->blob.off_us);
}

void stream_read_shape(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {{"on", true, read_on}, {"off", true, read_off}, {0}};
	const char *expected = "constant, poisson or {on: 10ms, off: 5ms}";
	struct config_stream *s = stream(arg);
	const char *text;

	if (node->type == YAML_MAPPING_NODE) {
		s->blob.shape = BLOB_SHAPE_ONOFF;
		ydoc_map(y, node, "a shape", keys, arg);
		return;
	}
	text = ydoc_text(y, node, expected);
	if (text && !strcmp(text, "poisson"))
		s->blob.shape = BLOB_SHAPE_POISSON;
	else if (text && strcmp(text, "constant"))
		ydoc_error(y, node, "expected %s", expected);
}

// --- begin and end ---

void stream_read_start(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_time(y, node, 0, YEAR_NS, "a time after the beginning like 10ms, at most a year",
		  &stream(arg)->blob.start_ns);
}

void stream_read_duration(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_time(y, node, 1, YEAR_NS, "a duration like 60s, at most a year", &stream(arg)->blob.duration_ns);
}

void stream_read_count(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "packets, like 1M");
	uint64_t n = 0;

	if (s && (!text_scaled(s, units_si, true, 1, &n) || !n))
		ydoc_error(y, node, "expected a number of packets like 1000 or 1M");
	stream(arg)->blob.count = n;
}

void stream_read_seed(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 0, UINT32_MAX, &stream(arg)->blob.seed);
}
