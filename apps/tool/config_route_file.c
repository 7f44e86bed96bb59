// SPDX-License-Identifier: BSD-3-Clause
// config_route_file.c - read a file of routes
//
// A line is `PREFIX [via] ADDRESS`, `PREFIX via ADDRESS [interface NAME] [weight N] via …`, or
// `PREFIX blackhole` (unreachable, prohibit); # begins a comment.
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

#define ROUTE_FILE_MAX (256u << 20)
#define LINE_TOKENS    (1 + 6 * BLOB_PATHS_MAX + 1)

struct route_file {
	struct config *c;
	struct diags *diags;
	const char *name;
	size_t line;
	uint8_t vrf;
	// Of the line:
	char *text;
	char *token[LINE_TOKENS];
	unsigned n, at;
	struct config_route route;
	struct config_path path[BLOB_PATHS_MAX];
	unsigned paths;
	uint8_t kind;
};

static void split(struct route_file *f, char *s)
{
	f->text = s;
	f->n = 0;
	s[strcspn(s, "#\r")] = 0;
	for (; f->n < LINE_TOKENS; f->n++) {
		s += strspn(s, " \t");
		if (!*s)
			break;
		f->token[f->n] = s;
		s += strcspn(s, " \t");
		if (*s)
			*s++ = 0;
	}
}

static bool fault(const struct route_file *f, unsigned token, const char *what)
{
	const char *t = f->token[token];

	diag_add(f->diags, f->name, f->line, (size_t)(t - f->text) + 1, t, "%s", what);
	return false;
}

// The token at hand, if it is that word: then the next is.
static bool word(struct route_file *f, const char *w)
{
	if (f->at == f->n || strcmp(f->token[f->at], w))
		return false;
	f->at++;
	return true;
}

static bool path_options(struct route_file *f, struct config_path *p)
{
	unsigned weight;
	int iface;

	if (word(f, "interface")) {
		iface = f->at < f->n ? config_iface(f->c, f->token[f->at]) : -1;
		if (iface < 0)
			return fault(f, f->at < f->n ? f->at : f->n - 1,
				     "expected the name of a port or interface");
		p->blob.iface = (uint16_t)iface;
		f->at++;
	}
	if (word(f, "weight")) {
		if (f->at == f->n || !text_number(f->token[f->at], 1, 255, &weight))
			return fault(f, f->at < f->n ? f->at : f->n - 1, "expected a weight from 1 to 255");
		p->blob.weight = (uint8_t)weight;
		f->at++;
	}
	return true;
}

static bool path(struct route_file *f)
{
	struct config_path *p = &f->path[f->paths];
	const char *expected = f->route.family == 4 ? "expected an IPv4 address like 192.0.2.254" :
						      "expected an IPv6 address like 2001:db8::1";
	union ip_addr via;
	unsigned at = f->at < f->n ? f->at : f->n - 1;

	if (f->paths == BLOB_PATHS_MAX)
		return fault(f, at, "expected at most 16 next hops of a route");
	*p = (struct config_path){.blob = {.iface = BLOB_IFACE_ANY, .weight = 1}};
	if (f->at == f->n || !ip_parse(f->token[f->at], &p->blob.family, &via) ||
	    p->blob.family != f->route.family)
		return fault(f, at, expected);
	memcpy(p->blob.via, &via, 16);
	p->place = (struct config_place){f->name, f->line, (size_t)(f->token[f->at] - f->text) + 1};
	f->at++;
	f->paths++;
	return path_options(f, p);
}

static bool parse(struct route_file *f)
{
	const char *bad = config_prefix_fault(f->token[0], &f->route);

	if (bad)
		return fault(f, 0, bad);
	f->at = 1;
	if (word(f, "blackhole"))
		f->kind = BLOB_HOP_BLACKHOLE;
	else if (word(f, "unreachable"))
		f->kind = BLOB_HOP_UNREACHABLE;
	else if (word(f, "prohibit"))
		f->kind = BLOB_HOP_PROHIBIT;
	else {
		word(f, "via");
		do
			if (!path(f))
				return false;
		while (word(f, "via"));
	}
	if (f->at < f->n)
		return fault(f, f->n - 1, "expected PREFIX via ADDRESS and nothing else");
	return true;
}

static void read_line(struct route_file *f, char *line)
{
	int hop;

	split(f, line);
	f->route = (struct config_route){.vrf = f->vrf, .place = {f->name, f->line, 1}};
	f->paths = 0;
	f->kind = BLOB_HOP_VIA;
	if (!f->n || !parse(f))
		return;
	hop = config_hop(f->c, f->vrf, f->kind, f->path, f->paths);
	if (hop < 0) {
		fault(f, 0, "expected at most 8000 different next hops");
		return;
	}
	f->route.hop = (uint32_t)hop;
	config_route_add(f->c, &f->route);
}

char *config_beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	if (*name == '/' || !slash)
		return xstrdup(name);
	return xasprintf("%.*s/%s", (int)(slash - path), path, name);
}

static void read_lines(struct route_file *f, char *text, size_t len)
{
	char *line, *end;

	for (line = text; line < text + len && f->c->n_routes <= CONFIG_ROUTES_MAX; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + len - line));
		if (!end)
			end = text + len;
		*end = 0;
		f->line++;
		// A zero byte would hide the rest of its line.
		if (strlen(line) != (size_t)(end - line))
			diag_add(f->diags, f->name, f->line, strlen(line) + 1, NULL,
				 "a zero byte: expected lines of text, PREFIX via ADDRESS");
		else
			read_line(f, line);
	}
}

void config_read_route_file(struct config_reader *r, yaml_node_t *node, uint8_t vrf)
{
	const char *name = ydoc_text(r->y, node, "the name of a file of routes");
	struct config *c = r->c;
	struct route_file f = {.c = c, .diags = r->y->diags, .vrf = vrf};
	struct err err;
	char *text;
	size_t len;

	if (!name)
		return;
	if (!r->allow_files) {
		ydoc_error(r->y, node, "a route file cannot be read here");
		return;
	}
	c->files = array_add(c->files, &c->n_files, &c->room_files, sizeof(*c->files));
	f.name = c->files[c->n_files - 1] = config_beside(r->path, name);
	text = file_read(f.name, ROUTE_FILE_MAX, &len, &err);
	if (!text) {
		// file_read names the file, as it is found from here; so does the value.
		ydoc_error(r->y, node, "%s: expected a file of routes",
			   err.text + strlen(f.name) + 2);
		return;
	}
	read_lines(&f, text, len);
	free(text);
}
