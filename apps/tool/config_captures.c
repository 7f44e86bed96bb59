// SPDX-License-Identifier: BSD-3-Clause
// config_captures.c - read replay's captures: which file, and by which ports its packets leave
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_replay.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

struct capture_reader_yaml {
	struct config_reader *r;
	struct replay_capture *capture;
	bool has_to, has_client, has_server;
};

static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	if (*name == '/' || !slash)
		return xstrdup(name);
	return xasprintf("%.*s/%s", (int)(slash - path), path, name);
}

static void read_file(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct capture_reader_yaml *c = arg;
	const char *name = ydoc_text(y, node, "the name of a capture file");

	if (name && !*name)
		ydoc_error(y, node, "expected the name of a capture file");
	if (name)
		c->capture->file = beside(c->r->path, name);
}

static void read_port(struct ydoc *y, yaml_node_t *node, struct config_reader *r, uint16_t *port)
{
	int i;

	if (node->type == YAML_SCALAR_NODE && !strcmp((const char *)node->data.scalar.value, "nowhere") &&
	    config_port(r->c, "nowhere") < 0) {
		*port = REPLAY_NOWHERE;
		return;
	}
	i = config_port_ref(r, node);
	if (i < 0)
		return;
	*port = (uint16_t)i;
	r->c->replay.play.ports |= 1ull << i;
}

static void read_to(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct capture_reader_yaml *c = arg;

	c->has_to = true;
	read_port(y, node, c->r, &c->capture->port);
}

static void read_client(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct capture_reader_yaml *c = arg;

	c->has_client = true;
	read_port(y, node, c->r, &c->capture->client);
}

static void read_server(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct capture_reader_yaml *c = arg;

	c->has_server = true;
	read_port(y, node, c->r, &c->capture->port);
}

static void read_split(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const char *const names[REPLAY_SPLITS] = {
		[REPLAY_BY_FILE] = "file",	 [REPLAY_BY_INTERFACE] = "interface", [REPLAY_BY_MAC] = "mac",
		[REPLAY_BY_ADDRESS] = "address", [REPLAY_BY_CLIENT] = "client",
	};
	const char *s = ydoc_text(y, node, "file, interface, mac, address or client");

	for (unsigned i = 0; s && i < REPLAY_SPLITS; i++) {
		if (!strcmp(s, names[i])) {
			((struct capture_reader_yaml *)arg)->capture->split = (enum replay_split)i;
			return;
		}
	}
	if (s)
		ydoc_error(y, node, "expected file, interface, mac, address or client");
}

// Both of an interface: files may name them, and always number them.
static void match_interface(struct replay_match *m, const char *s)
{
	unsigned n;

	m->name = xstrdup(s);
	m->number = text_number(s, 0, UINT32_MAX - 1, &n) ? n : UINT32_MAX;
}

static void read_match(struct ydoc *y, yaml_node_t *key, yaml_node_t *value, void *arg)
{
	struct capture_reader_yaml *c = arg;
	struct replay_capture *p = c->capture;
	const char *s = ydoc_text(y, key, "what is compared");
	struct replay_match m = {.number = UINT32_MAX, .port = REPLAY_NOWHERE};

	if (!s)
		return;
	if (p->split == REPLAY_BY_INTERFACE)
		match_interface(&m, s);
	else if (p->split == REPLAY_BY_MAC && !ip_parse_mac(s, m.mac))
		ydoc_error(y, key, "expected a MAC address");
	else if (p->split == REPLAY_BY_ADDRESS && !ip_parse_prefix(s, &m.family, &m.addr, &m.plen))
		ydoc_error(y, key, "expected a prefix, ADDRESS/LENGTH");
	read_port(y, value, c->r, &m.port);
	p->matches = array_add(p->matches, &p->n_matches, &p->room_matches, sizeof(m));
	p->matches[p->n_matches - 1] = m;
}

static void read_matches(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct capture_reader_yaml *c = arg;

	if (c->capture->split == REPLAY_BY_FILE || c->capture->split == REPLAY_BY_CLIENT)
		ydoc_error(y, node, "expected ports: with split: interface, mac or address alone");
	else
		ydoc_names(y, node, "ports", read_match, arg);
}

static void check_capture(struct ydoc *y, yaml_node_t *node, const struct capture_reader_yaml *c)
{
	const struct replay_capture *p = c->capture;
	bool client = p->split == REPLAY_BY_CLIENT;

	if (client && (!c->has_client || !c->has_server || c->has_to))
		ydoc_error(y, node, "expected client: PORT and server: PORT with split: client, and no to:");
	if (!client && (c->has_client || c->has_server))
		ydoc_error(y, node, "expected client: and server: with split: client alone");
	if (p->split == REPLAY_BY_FILE && !c->has_to)
		ydoc_error(y, node, "expected to: PORT, or split: how the capture is split into ports");
}

static void read_capture(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"file", true, read_file},     {"split", false, read_split},   {"to", false, read_to},
		{"ports", false, read_matches}, {"client", false, read_client}, {"server", false, read_server},
		{0},
	};
	struct capture_reader_yaml c = {.r = arg};
	struct replay_conf *r = config_replay(arg);

	r->captures = array_add(r->captures, &r->n_captures, &r->room_captures, sizeof(*r->captures));
	c.capture = &r->captures[r->n_captures - 1];
	c.capture->port = c.capture->client = REPLAY_NOWHERE;
	ydoc_map(y, node, "a capture", keys, &c);
	check_capture(y, node, &c);
}

void config_read_captures(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct replay_conf *r = config_replay(arg);

	ydoc_list(y, node, "captures like {file: FILE, to: PORT}", read_capture, arg);
	if (node->type == YAML_SEQUENCE_NODE && !r->n_captures)
		ydoc_error(y, node, "expected at least one capture");
	else if (r->n_captures && !r->play.ports)
		ydoc_error(y, node, "expected some packets to leave by a port");
}
