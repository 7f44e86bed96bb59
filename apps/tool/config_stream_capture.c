// SPDX-License-Identifier: BSD-3-Clause
// config_stream_capture.c - bytes of a packet of a capture: a whole frame, or a payload
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"
#include "pmd/pcap/reader.h"

static void read_file(struct ydoc *y, yaml_node_t *node, void *arg)
{
	((struct stream_capture *)arg)->file = node;
}

static void read_packet(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct stream_capture *p = arg;

	p->bad |= !ydoc_u32(y, node, 1, UINT32_MAX, &p->packet);
}

static void read_skip(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct stream_capture *p = arg;

	p->bad |= !ydoc_u32(y, node, 0, 65535, &p->skip);
}

static void copy(struct stream_capture *p, struct ydoc *y, const struct capture_reader *r)
{
	if (!r->data)
		ydoc_error(y, p->file, "%s: expected a capture of at least %u packets",
			   r->error ? r->err.text + strlen(r->path) + 2 : "ends", p->packet);
	else if (r->caplen < r->len)
		ydoc_error(y, p->file, "packet %u was cut to %u of %u bytes: expected a whole one",
			   p->packet, r->caplen, r->len);
	else if (r->len <= p->skip || r->len - p->skip > STREAM_LENGTH_MAX - STREAM_FCS)
		ydoc_error(y, p->file,
			   "packet %u has %u bytes: expected 1 to %u behind the first %u",
			   p->packet, r->len, STREAM_LENGTH_MAX - STREAM_FCS, p->skip);
	else {
		p->len = r->len - p->skip;
		p->data = xrealloc(NULL, p->len);
		memcpy(p->data, r->data + p->skip, p->len);
	}
}

static void load(struct stream_capture *p, struct ydoc *y, struct config_reader *r)
{
	const char *name = ydoc_text(y, p->file, "the name of a capture");
	struct capture_reader reader;
	struct err err;
	char *path;

	if (name && !r->allow_files)
		ydoc_error(y, p->file, "a capture cannot be read here");
	if (!name || !r->allow_files)
		return;
	path = config_beside(r->path, name);
	if (capture_open(&reader, path, &err)) {
		// It names the file, as it is found from here; so does the value.
		ydoc_error(y, p->file, "%s", err.text + strlen(path) + 2);
	} else {
		for (uint32_t i = 1; i < p->packet && reader.data; i++)
			capture_next(&reader);
		copy(p, y, &reader);
		capture_close(&reader);
	}
	free(path);
}

bool stream_capture_read(struct config_reader *r, yaml_node_t *node, bool whole,
			 struct stream_capture *p)
{
	static const struct ydoc_key keys[] = {
		{"pcap", true, read_file},
		{"packet", false, read_packet},
		{"skip", false, read_skip},
		{0},
	};

	*p = (struct stream_capture){.packet = 1};
	ydoc_map(r->y, node, whole ? "a frame" : "a payload of a capture", keys, p);
	if (whole && p->skip) {
		ydoc_error(r->y, node, "expected no skip: the whole frame is sent");
		p->bad = true;
	}
	if (p->file && !p->bad)
		load(p, r->y, r);
	return p->data;
}
