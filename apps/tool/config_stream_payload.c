// SPDX-License-Identifier: BSD-3-Clause
// config_stream_payload.c - what is behind a stream's headers
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"
#include "core/wire.h"
#include "netstack/eth.h"

static struct config_stream *stream(void *arg)
{
	return ((struct stream_reader *)arg)->s;
}

static bool read_pattern(struct config_stream *s, const char *text)
{
	static const char *const patterns[PATTERNS] = {"zeros", "increment", "random"};

	for (uint8_t i = 0; i < PATTERNS; i++) {
		if (!strcmp(text, patterns[i])) {
			s->pattern = i;
			return true;
		}
	}
	return false;
}

static bool set_payload(struct ydoc *y, yaml_node_t *node, struct config_stream *s,
			const void *data, size_t len)
{
	if (s->payload) {
		ydoc_error(y, node, "expected one of text, hex and capture");
		return false;
	}
	if (!len || len > STREAM_LENGTH_MAX) {
		ydoc_error(y, node, "expected 1 to %u bytes", STREAM_LENGTH_MAX);
		return false;
	}
	s->payload = xrealloc(NULL, len);
	memcpy(s->payload, data, len);
	s->payload_len = len;
	return true;
}

static void read_text(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "text");

	stream(arg)->bad |= !s || !set_payload(y, node, stream(arg), s, strlen(s));
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Pairs of hex digits, with blanks and colons between as one likes. Bytes written to out; -1: it is
// something else.
static long hex_bytes(const char *s, uint8_t *out)
{
	long n = 0;

	for (; *s; s++) {
		if (*s == ' ' || *s == ':' || *s == '\n')
			continue;
		if (digit(s[0]) < 0 || digit(s[1]) < 0)
			return -1;
		out[n++] = (uint8_t)(digit(s[0]) << 4 | digit(s[1]));
		s++;
	}
	return n;
}

static void read_hex(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "bytes like \"de ad be ef\"");
	uint8_t *data = s ? xrealloc(NULL, strlen(s) / 2 + 1) : NULL;
	long n = s ? hex_bytes(s, data) : 0;

	if (n < 0)
		ydoc_error(y, node, "expected bytes as pairs of hex digits like \"de ad be ef\"");
	stream(arg)->bad |= !s || n < 0 || !set_payload(y, node, stream(arg), data, (size_t)n);
	free(data);
}

static void read_payload_capture(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct stream_capture p;
	bool ok = stream_capture_read(((struct stream_reader *)arg)->r, node, false, &p);

	stream(arg)->bad |= !ok || !set_payload(y, node, stream(arg), p.data, p.len);
	free(p.data);
}

// A whole frame: the port's, the lengths' and the layers' place is taken.
void stream_read_frame(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config_stream *s = stream(arg);
	struct stream_capture p;

	if (!stream_capture_read(((struct stream_reader *)arg)->r, node, true, &p)) {
		s->bad = true;
	} else if (s->layers || p.len < ETH_HLEN) {
		ydoc_error(y, node,
			   s->layers ? "expected layers or frame, not both"
				     : "expected a frame of at least 14 bytes");
		s->bad = true;
		free(p.data);
	} else {
		s->frame = p.data;
		s->frame_len = p.len;
		s->is_signed = false; // it is sent as it is
	}
}

static void read_fill(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "zeros, increment, random or repeat");

	if (!s)
		return;
	stream(arg)->repeat = !strcmp(s, "repeat");
	if (!stream(arg)->repeat && !read_pattern(stream(arg), s))
		ydoc_error(y, node, "expected zeros, increment, random or repeat");
}

void stream_read_payload(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"text", false, read_text},
		{"hex", false, read_hex},
		{"capture", false, read_payload_capture},
		{"fill", false, read_fill},
		{0},
	};
	const char *expected =
		"zeros, increment, random, {text: …}, {hex: …} or {capture: {pcap: FILE}}";
	const char *s;

	if (node->type == YAML_MAPPING_NODE) {
		ydoc_map(y, node, "a payload", keys, arg);
		if (stream(arg)->repeat && !stream(arg)->payload && !stream(arg)->bad)
			ydoc_error(y, node, "expected text, hex or capture to repeat");
		stream(arg)->bad |= stream(arg)->repeat && !stream(arg)->payload;
		return;
	}
	s = ydoc_text(y, node, expected);
	if (s && !read_pattern(stream(arg), s))
		ydoc_error(y, node, "expected %s", expected);
}

void stream_body(const struct config_stream *s, unsigned len, struct stream_body *b)
{
	uint32_t x = 0x9e3779b9u ^ s->blob.seed;
	uint32_t sum = 0;
	unsigned i;

	b->len = len;
	b->data = xrealloc(NULL, len + 1);
	b->sum = xrealloc(NULL, (len / 2 + 1) * sizeof(*b->sum));
	for (i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		b->data[i] = s->pattern == PATTERN_RANDOM      ? (uint8_t)(x >> 24)
			     : s->pattern == PATTERN_INCREMENT ? (uint8_t)i
							       : 0;
	}
	if (s->frame)
		memcpy(b->data, s->frame + s->frame_len - len, len);
	for (i = 0; s->payload && i < len && (s->repeat || i < s->payload_len); i++)
		b->data[i] = s->payload[i % s->payload_len];
	for (i = 0; i <= len / 2; i++) {
		b->sum[i] = sum;
		if (i < len / 2)
			sum += load16(b->data + 2 * i);
	}
}

void stream_body_free(struct stream_body *b)
{
	free(b->data);
	free(b->sum);
}
