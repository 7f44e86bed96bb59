// SPDX-License-Identifier: BSD-3-Clause
// config_routes.c - read routes, route files and neighbors
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

#define ROUTE_FILE_MAX (256u << 20)
#define LINE_TOKENS    4
#define NEIGHBORS_MAX  (1u << 16) // of a blob

struct route_reader {
	struct config_reader *r;
	struct config_prefix route;
	yaml_node_t *to, *via, *file;
	bool to_ok, via_ok;
};

static void add_route(struct config *c, const struct config_prefix *route)
{
	c->routes = array_add(c->routes, &c->n_routes, &c->room_routes, sizeof(*c->routes));
	c->routes[c->n_routes - 1] = *route;
}

// NULL when (prefix, plen) is a proper IPv4 prefix, else what was expected.
static const char *prefix_fault(const char *s, uint32_t *prefix, uint8_t *plen)
{
	union ip_addr addr;
	uint8_t family;

	if (strchr(s, ':'))
		return "expected an IPv4 prefix: IPv6 is not routed yet";
	if (!ip_parse_prefix(s, &family, &addr, plen))
		return "expected a prefix like 198.51.100.0/24";
	*prefix = ntohl(addr.v4);
	if (*plen < 32 && (*prefix & (UINT32_MAX >> *plen)))
		return "expected a prefix without host bits";
	return NULL;
}

static void read_to(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct route_reader *p = arg;
	const char *s = ydoc_text(y, node, "a prefix like 198.51.100.0/24");
	const char *fault;

	p->to = node;
	if (!s)
		return;
	fault = prefix_fault(s, &p->route.prefix, &p->route.plen);
	if (fault)
		ydoc_error(y, node, "%s", fault);
	p->to_ok = !fault;
}

static void read_via(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct route_reader *p = arg;

	p->via = node;
	p->via_ok = config_ip4(y, node, &p->route.via);
	p->route.place = config_place(y, node);
}

static void read_file(struct ydoc *y, yaml_node_t *node, void *arg)
{
	((struct route_reader *)arg)->file = node;
}

static void read_route(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"to", false, read_to},
		{"via", false, read_via},
		{"file", false, read_file},
		{0},
	};
	struct route_reader p = {.r = arg};

	ydoc_map(y, node, "a route", keys, &p);
	if (node->type != YAML_MAPPING_NODE)
		return;
	if (p.file && !p.to && !p.via)
		config_read_route_file(p.r, p.file);
	else if (p.file || !p.to || !p.via)
		ydoc_error(y, node, "expected a route {to: PREFIX, via: ADDRESS} or {file: NAME}");
	else if (p.to_ok && p.via_ok)
		add_route(p.r->c, &p.route);
}

void config_read_routes(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "routes like {to: PREFIX, via: ADDRESS}", read_route, arg);
}

// --- route files: a line is `PREFIX [via] ADDRESS`, # begins a comment ---

struct route_file {
	struct config *c;
	struct diags *diags;
	const char *name;
	size_t line;
};

static unsigned split(char *s, char *token[LINE_TOKENS])
{
	unsigned n = 0;

	s[strcspn(s, "#\r")] = 0;
	for (; n < LINE_TOKENS; n++) {
		s += strspn(s, " \t");
		if (!*s)
			break;
		token[n] = s;
		s += strcspn(s, " \t");
		if (*s)
			*s++ = 0;
	}
	return n;
}

static void read_line(struct route_file *f, char *line)
{
	struct config_prefix route = {.place = {f->name, f->line, 1}};
	char *token[LINE_TOKENS];
	unsigned n = split(line, token);
	unsigned via = n == 3 && !strcmp(token[1], "via") ? 2 : 1;
	const char *fault;
	union ip_addr addr;
	uint8_t family;

	if (!n)
		return;
	fault = prefix_fault(token[0], &route.prefix, &route.plen);
	if (fault) {
		diag_add(f->diags, f->name, f->line, (size_t)(token[0] - line) + 1, token[0], "%s",
			 fault);
	} else if (n != via + 1) {
		diag_add(f->diags, f->name, f->line, (size_t)(token[n - 1] - line) + 1,
			 token[n - 1], "expected PREFIX via ADDRESS and nothing else");
	} else if (!ip_parse(token[via], &family, &addr) || family != 4) {
		diag_add(f->diags, f->name, f->line, (size_t)(token[via] - line) + 1, token[via],
			 "expected an IPv4 address like 192.0.2.254");
	} else {
		route.via = ntohl(addr.v4);
		route.place.column = (size_t)(token[via] - line) + 1;
		add_route(f->c, &route);
	}
}

// A file named in YAML is relative to the YAML file's folder.
static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	if (*name == '/' || !slash)
		return xstrdup(name);
	return xasprintf("%.*s/%s", (int)(slash - path), path, name);
}

void config_read_route_file(struct config_reader *r, yaml_node_t *node)
{
	const char *name = ydoc_text(r->y, node, "the name of a file of routes");
	struct config *c = r->c;
	struct route_file f = {.c = c, .diags = r->y->diags};
	struct err err;
	char *text, *line, *end;
	size_t len;

	if (!name)
		return;
	if (!r->allow_files) {
		ydoc_error(r->y, node, "a route file cannot be read here");
		return;
	}
	c->files = array_add(c->files, &c->n_files, &c->room_files, sizeof(*c->files));
	f.name = c->files[c->n_files - 1] = beside(r->path, name);
	text = file_read(f.name, ROUTE_FILE_MAX, &len, &err);
	if (!text) {
		// file_read names the file, as it is found from here; so does the value.
		ydoc_error(r->y, node, "%s: expected a file of routes",
			   err.text + strlen(f.name) + 2);
		return;
	}
	for (line = text; line < text + len && c->n_routes <= CONFIG_ROUTES_MAX; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + len - line));
		if (!end)
			end = text + len;
		*end = 0;
		f.line++;
		// A zero byte would hide the rest of its line.
		if (strlen(line) != (size_t)(end - line))
			diag_add(f.diags, f.name, f.line, strlen(line) + 1, NULL,
				 "a zero byte: expected lines of text, PREFIX via ADDRESS");
		else
			read_line(&f, line);
	}
	free(text);
}

// --- neighbors ---

struct neighbor_reader {
	struct config_reader *r;
	struct blob_neighbor n;
	yaml_node_t *addr;
	int port;
	bool addr_ok, mac_ok;
};

static void read_neighbor_port(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct neighbor_reader *p = arg;

	p->port = config_port_ref(p->r, node);
}

static void read_neighbor_address(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct neighbor_reader *p = arg;

	p->addr = node;
	p->addr_ok = config_ip4(y, node, &p->n.addr);
}

static void read_neighbor_mac(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct neighbor_reader *p = arg;

	p->mac_ok = config_mac(y, node, p->n.mac);
}

static void read_neighbor(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"port", true, read_neighbor_port},
		{"address", true, read_neighbor_address},
		{"mac", true, read_neighbor_mac},
		{0},
	};
	struct neighbor_reader p = {.r = arg, .port = -1};
	struct config *c = p.r->c;
	const char *fault;
	int port;
	size_t i;

	ydoc_map(y, node, "a neighbor", keys, &p);
	if (p.port < 0 || !p.addr_ok || !p.mac_ok)
		return;
	port = config_neighbor_port(c, p.n.addr, &fault);
	if (port < 0) {
		ydoc_error(y, p.addr, "%s", fault);
		return;
	}
	if (port != p.port) {
		ydoc_error(y, p.addr, "is on the network of port %s: expected one of port %s",
			   c->ports[port].name, c->ports[p.port].name);
		return;
	}
	for (i = 0; i < c->n_neighbors; i++) {
		if (c->neighbors[i].addr == p.n.addr) {
			ydoc_error(y, p.addr, "expected once: a neighbor of this address is there "
					      "already");
			return;
		}
	}
	if (c->n_neighbors == NEIGHBORS_MAX) {
		ydoc_error(y, p.addr, "expected at most %u neighbors", NEIGHBORS_MAX);
		return;
	}
	p.n.port = (uint16_t)p.port;
	c->neighbors =
		array_add(c->neighbors, &c->n_neighbors, &c->room_neighbors, sizeof(p.n));
	c->neighbors[c->n_neighbors - 1] = p.n;
}

void config_read_neighbors(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "neighbors like {port: …, address: …, mac: …}", read_neighbor, arg);
}
