// SPDX-License-Identifier: BSD-3-Clause
// blob_write.c - compile a configuration without errors into a blob
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config.h"
#include "apps/tool/util.h"

struct writer {
	uint8_t *data;
	size_t len, room;
	uint32_t section;
};

static size_t put(struct writer *w, const void *data, size_t n)
{
	size_t at = w->len;

	if (w->len + n > w->room) {
		w->room = 2 * (w->len + n);
		w->data = xrealloc(w->data, w->room);
	}
	if (n)
		memcpy(w->data + at, data, n);
	w->len += n;
	return at;
}

static void pad(struct writer *w)
{
	static const uint8_t zero[8];

	put(w, zero, -w->len % 8);
}

static void section(struct writer *w, uint32_t type, const void *data, size_t count, size_t size)
{
	struct blob_section s = {type, 0, (uint32_t)count, (uint32_t)size};

	pad(w);
	s.offset = (uint32_t)put(w, data, count * size);
	memcpy(w->data + sizeof(struct blob_hdr) + w->section++ * sizeof(s), &s, sizeof(s));
}

static uint32_t string(struct writer *strings, const char *s)
{
	return (uint32_t)put(strings, s, strlen(s) + 1);
}

static void put_ports(struct writer *w, struct writer *strings, const struct config *c)
{
	struct blob_port *ports = xrealloc(NULL, c->n_ports * sizeof(*ports) + 1);
	size_t i;

	for (i = 0; i < c->n_ports; i++) {
		ports[i] = c->ports[i].blob;
		ports[i].name = string(strings, c->ports[i].name);
		ports[i].driver = string(strings, c->ports[i].driver);
		ports[i].args = string(strings, c->ports[i].args);
	}
	section(w, BLOB_PORTS, ports, c->n_ports, sizeof(*ports));
	free(ports);
}

// Which next hop: the first of that address (config_check_routes made one for each).
static int by_via(const void *a, const void *b)
{
	uint32_t x = ((const uint32_t *)a)[0], y = ((const uint32_t *)b)[0];

	return x < y ? -1 : x > y;
}

static void put_routes(struct writer *w, const struct config *c)
{
	struct blob_route4 *routes = xrealloc(NULL, c->n_routes * sizeof(*routes) + 1);
	uint32_t(*via)[2] = xrealloc(NULL, c->n_nexthops * sizeof(*via) + 1);
	size_t i;

	for (i = 0; i < c->n_nexthops; i++) {
		via[i][0] = c->nexthops[i].via;
		via[i][1] = (uint32_t)i;
	}
	qsort(via, c->n_nexthops, sizeof(*via), by_via);
	for (i = 0; i < c->n_routes; i++) {
		const uint32_t *hit =
			bsearch(&c->routes[i].via, via, c->n_nexthops, sizeof(*via), by_via);

		routes[i] = (struct blob_route4){
			.prefix = c->routes[i].prefix,
			.plen = c->routes[i].plen,
			.nexthop = (uint16_t)hit[1],
		};
	}
	section(w, BLOB_ROUTES4, routes, c->n_routes, sizeof(*routes));
	free(routes);
	free(via);
}

void *config_blob(const struct config *c, size_t *len)
{
	struct blob_hdr hdr = {.magic = BLOB_MAGIC, .version = BLOB_VERSION,
			       .sections = BLOB_TYPES - 1};
	static const struct blob_section none[BLOB_TYPES - 1];
	struct writer w = {0}, strings = {0};

	memcpy(hdr.function, c->function, sizeof(hdr.function));
	put(&w, &hdr, sizeof(hdr));
	put(&w, none, sizeof(none));
	string(&strings, "");
	section(&w, BLOB_PARAMS, &c->params, 1, sizeof(c->params));
	put_ports(&w, &strings, c);
	section(&w, BLOB_ADDRS, c->addrs, c->n_addrs, sizeof(*c->addrs));
	section(&w, BLOB_NEXTHOPS, c->nexthops, c->n_nexthops, sizeof(*c->nexthops));
	put_routes(&w, c);
	section(&w, BLOB_NEIGHBORS, c->neighbors, c->n_neighbors, sizeof(*c->neighbors));
	section(&w, BLOB_PATCHES, c->patches, c->n_patches, sizeof(*c->patches));
	section(&w, BLOB_STRINGS, strings.data, strings.len, 1);
	pad(&w);
	free(strings.data);
	hdr.len = (uint32_t)w.len;
	memcpy(w.data, &hdr, sizeof(hdr));
	hdr.crc = crc32c(0, w.data, w.len);
	memcpy(w.data, &hdr, sizeof(hdr));
	*len = w.len;
	return w.data;
}
