// SPDX-License-Identifier: BSD-3-Clause
// blob_write.c - compile a configuration without errors into a blob
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config.h"
#include "apps/tool/config_frames.h"
#include "apps/tool/util.h"
#include "core/wire.h"

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

static void put_ifaces(struct writer *w, struct writer *strings, const struct config *c)
{
	struct blob_iface *ifaces = xrealloc(NULL, c->n_ifaces * sizeof(*ifaces) + 1);
	uint32_t *vrfs = xrealloc(NULL, c->n_vrfs * sizeof(*vrfs) + 1);

	for (size_t i = 0; i < c->n_ifaces; i++) {
		ifaces[i] = c->ifaces[i].blob;
		ifaces[i].name = string(strings, c->ifaces[i].name);
	}
	for (size_t i = 0; i < c->n_vrfs; i++)
		vrfs[i] = string(strings, c->vrfs[i]);
	section(w, BLOB_IFACES, ifaces, c->n_ifaces, sizeof(*ifaces));
	section(w, BLOB_MEMBERS, c->members, c->n_members, sizeof(*c->members));
	section(w, BLOB_VRFS, vrfs, c->n_vrfs, sizeof(*vrfs));
	section(w, BLOB_ADDRS, c->addrs, c->n_addrs, sizeof(*c->addrs));
	free(ifaces);
	free(vrfs);
}

static void put_hops(struct writer *w, const struct config *c)
{
	struct blob_path *paths = xrealloc(NULL, c->n_paths * sizeof(*paths) + 1);
	struct blob_hop *hops = xrealloc(NULL, c->n_hops * sizeof(*hops) + 1);

	for (size_t i = 0; i < c->n_paths; i++)
		paths[i] = c->paths[i].blob;
	for (size_t i = 0; i < c->n_hops; i++)
		hops[i] = c->hops[i].blob;
	section(w, BLOB_PATHS, paths, c->n_paths, sizeof(*paths));
	section(w, BLOB_HOPS, hops, c->n_hops, sizeof(*hops));
	free(paths);
	free(hops);
}

static void put_routes(struct writer *w, const struct config *c)
{
	struct blob_route4 *routes4 = xrealloc(NULL, c->n_routes * sizeof(*routes4) + 1);
	struct blob_route6 *routes6 = xrealloc(NULL, c->n_routes * sizeof(*routes6) + 1);
	size_t n4 = 0, n6 = 0;

	for (size_t i = 0; i < c->n_routes; i++) {
		const struct config_route *r = &c->routes[i];

		if (r->family == 4) {
			routes4[n4++] = (struct blob_route4){
				be32(r->prefix.v4), r->plen, r->vrf, (uint16_t)r->hop};
			continue;
		}
		routes6[n6] = (struct blob_route6){
			.plen = r->plen, .vrf = r->vrf, .hop = (uint16_t)r->hop};
		memcpy(routes6[n6++].prefix, &r->prefix, 16);
	}
	section(w, BLOB_ROUTES4, routes4, n4, sizeof(*routes4));
	section(w, BLOB_ROUTES6, routes6, n6, sizeof(*routes6));
	free(routes4);
	free(routes6);
}

static void put_streams(struct writer *w, struct writer *strings, const struct config *c)
{
	const struct config_frames *f = c->frames;
	struct blob_stream *streams = xrealloc(NULL, f->n_streams * sizeof(*streams) + 1);

	for (size_t i = 0; i < f->n_streams; i++) {
		streams[i] = f->streams[i];
		streams[i].name = string(strings, f->names[i]);
	}
	section(w, BLOB_STREAMS, streams, f->n_streams, sizeof(*streams));
	section(w, BLOB_VARIANTS, f->variants, f->n_variants, sizeof(*f->variants));
	section(w, BLOB_FIELDS, f->fields, f->n_fields, sizeof(*f->fields));
	section(w, BLOB_BYTES, f->bytes, f->n_bytes, 1);
	free(streams);
}

static void put_replay(struct writer *w, const struct config *c)
{
	section(w, BLOB_PLAYS, &c->replay.play, 1, sizeof(c->replay.play));
	section(w, BLOB_BYTES, c->replay.records, c->replay.records_len, 1);
}

void *config_blob(const struct config *c, size_t *len)
{
	struct blob_hdr hdr = {.magic = BLOB_MAGIC, .version = BLOB_VERSION};
	static const struct blob_section none[BLOB_TYPES - 1];
	struct writer w = {0}, strings = {0};

	memcpy(hdr.function, c->function, sizeof(hdr.function));
	put(&w, &hdr, sizeof(hdr));
	put(&w, none, sizeof(none));
	string(&strings, "");
	section(&w, BLOB_PARAMS, &c->params, 1, sizeof(c->params));
	put_ports(&w, &strings, c);
	put_ifaces(&w, &strings, c);
	put_hops(&w, c);
	put_routes(&w, c);
	section(&w, BLOB_NEIGHBORS, c->neighbors, c->n_neighbors, sizeof(*c->neighbors));
	section(&w, BLOB_PATCHES, c->patches, c->n_patches, sizeof(*c->patches));
	if (c->n_impairs)
		section(&w, BLOB_IMPAIRS, c->impairs, c->n_impairs, sizeof(*c->impairs));
	if (c->frames)
		put_streams(&w, &strings, c);
	if (c->replay.given)
		put_replay(&w, c);
	section(&w, BLOB_STRINGS, strings.data, strings.len, 1);
	pad(&w);
	free(strings.data);
	hdr.len = (uint32_t)w.len;
	hdr.sections = w.section;
	memcpy(w.data, &hdr, sizeof(hdr));
	hdr.crc = crc32c(0, w.data, w.len);
	memcpy(w.data, &hdr, sizeof(hdr));
	*len = w.len;
	return w.data;
}
