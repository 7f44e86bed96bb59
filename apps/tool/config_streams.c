// SPDX-License-Identifier: BSD-3-Clause
// config_streams.c - read the streams of function pktgen
#include "apps/tool/config_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_frames.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"
#include "pmd/port.h"

#define NAME_MAX_ 31u

static struct config_stream *stream(void *arg)
{
	return ((struct stream_reader *)arg)->s;
}

static void read_port(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config_stream *s = stream(arg);

	s->port_place = config_place(y, node);
	s->port = config_port_ref(((struct stream_reader *)arg)->r, node);
	s->bad |= s->port < 0;
}

static void read_layers(struct ydoc *y, yaml_node_t *node, void *arg)
{
	stream_layers_read(((struct stream_reader *)arg)->r, node, stream(arg));
}

// [ipv4: ADDRESS, udp], or ipv6
static void read_to(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config_reader *r = ((struct stream_reader *)arg)->r;
	struct config_stream *s = stream(arg);
	bool ip6 = node->type == YAML_SCALAR_NODE &&
		   strchr((const char *)node->data.scalar.value, ':');
	uint8_t id = ip6 ? LAYER_IP6 : LAYER_IP4;
	struct stream_value v;

	if (s->layers || s->frame) {
		ydoc_error(y, node, "expected no to: with layers or frame, which say where to");
		s->bad = true;
		return;
	}
	s->bad |= !stream_value_read(r, node, &layer_types[id].field[IP_DST], &v);
	if (s->bad)
		return;
	stream_layer_add(s, 0, LAYER_ETH);
	stream_layer_add(s, 1, id)->value[IP_DST] = v;
	stream_layer_add(s, 2, LAYER_UDP);
}

static void read_via(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config_stream *s = stream(arg);

	s->via_place = config_place(y, node);
	s->bad |= !config_ip(y, node, &s->via_family, &s->via);
}

static void read_signature(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config_stream *s = stream(arg);

	s->bad |= !config_switch(y, node, &s->is_signed);
	if (s->is_signed && s->frame && !s->bad) {
		ydoc_error(y, node, "expected off with frame, which is sent as it is");
		s->bad = true;
	}
}

static void read_copies(struct ydoc *y, yaml_node_t *node, void *arg)
{
	stream(arg)->bad |= !ydoc_u32(y, node, 1, BLOB_STREAMS_MAX, &stream(arg)->copies);
}

// The port comes first, as lengths and layers depend on it; layers before what may stand instead of
// them.
static const struct ydoc_key keys[] = {
	{"port", false, read_port},
	{"layers", false, read_layers},
	{"frame", false, stream_read_frame},
	{"to", false, read_to},
	{"via", false, read_via},
	{"length", false, stream_read_length},
	{"payload", false, stream_read_payload},
	{"signature", false, read_signature},
	{"rate", false, stream_read_rate},
	{"burst", false, stream_read_burst},
	{"shape", false, stream_read_shape},
	{"start", false, stream_read_start},
	{"count", false, stream_read_count},
	{"duration", false, stream_read_duration},
	{"copies", false, read_copies},
	{"seed", false, stream_read_seed},
	{0},
};

static const char *name_fault(const struct config *c, const char *s)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = strspn(s, letters);

	// A dot divides figures' names, @ and # what we add ourselves.
	if (!n || s[n] || n > NAME_MAX_)
		return "expected a name of 1 to 31 letters, digits, _ and -";
	for (size_t i = 0; i < c->n_streams; i++)
		if (!strcmp(c->streams[i].name, s))
			return "a stream of this name is there already";
	return c->n_streams == BLOB_STREAMS_MAX ? "expected at most 10000 streams" : NULL;
}

static void finish(struct stream_reader *p, struct ydoc *y, yaml_node_t *key)
{
	struct config_stream *s = p->s;
	const struct config *c = p->r->c;

	if (s->port < 0 && !s->bad) {
		if (c->n_ports == 1)
			s->port = 0;
		else
			ydoc_error(y, key, "expected key port: there are %zu ports", c->n_ports);
		s->bad |= s->port < 0;
	}
	if (!s->layers && !s->frame && !s->bad) {
		ydoc_error(y, key,
			   "expected key to: ADDRESS, layers: [ipv4: ADDRESS, udp, …] or frame: "
			   "{pcap: FILE}");
		s->bad = true;
	}
	if (s->frame && (s->n_length || s->payload || s->via_family)) {
		ydoc_error(
			y, key,
			"expected no length, payload and via with frame, which is sent as it is");
		s->bad = true;
	}
	if (s->layers && s->layer[s->layers - 1].id == LAYER_ARP)
		s->is_signed = false; // it has no payload
}

static void read_stream(struct ydoc *y, yaml_node_t *key, yaml_node_t *value, void *arg)
{
	struct stream_reader p = {.r = arg};
	struct config *c = p.r->c;
	const char *name = ydoc_text(y, key, "the name of a stream");
	const char *fault = name ? name_fault(c, name) : NULL;

	if (fault)
		ydoc_error(y, key, "%s", fault);
	if (!name || fault)
		return;
	c->streams = array_add(c->streams, &c->n_streams, &c->room_streams, sizeof(*c->streams));
	p.s = &c->streams[c->n_streams - 1];
	*p.s = (struct config_stream){.name = xstrdup(name),
				      .port = -1,
				      .is_signed = true,
				      .copies = 1,
				      .place = config_place(y, key),
				      .blob = {.burst = 1, .seed = (uint32_t)c->n_streams}};
	if (value->type == YAML_MAPPING_NODE)
		ydoc_map(y, value, "a stream", keys, &p);
	else
		ydoc_error(y, value,
			   "expected a stream like {to: 198.18.0.1, length: 64, rate: 1Mpps}");
	p.s->bad |= value->type != YAML_MAPPING_NODE;
	finish(&p, y, key);
}

void config_read_streams(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_names(y, node, "streams", read_stream, arg);
	if (node->type == YAML_MAPPING_NODE &&
	    node->data.mapping.pairs.start == node->data.mapping.pairs.top)
		ydoc_error(y, node, "expected at least one stream");
	((struct config_reader *)arg)->c->has_streams = true;
}

void config_streams_free(struct config *c)
{
	for (size_t i = 0; i < c->n_streams; i++) {
		struct config_stream *s = &c->streams[i];

		for (unsigned k = 0; k < s->layers; k++)
			for (unsigned f = 0; f < STREAM_FIELDS_MAX; f++)
				stream_value_free(&s->layer[k].value[f]);
		free(s->name);
		free(s->layer);
		free(s->length);
		free(s->payload);
		free(s->frame);
	}
	free(c->streams);
	config_frames_free(c->frames);
	c->frames = NULL;
}
