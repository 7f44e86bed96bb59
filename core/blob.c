// SPDX-License-Identifier: BSD-3-Clause
// blob.c - check a configuration blob, so that nobody after has to
#include "core/blob.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BAD(err, ...) err_set(err, -EBADMSG, "configuration blob: " __VA_ARGS__)

// Where a section's array and count go, and what an element must measure.
struct section_slot {
	const char *name;
	uint32_t size;
	uint32_t max;
	size_t array; // offsets into struct blob
	size_t count;
};

#define SLOT(label, field, n_field, type, most) \
	{ label, sizeof(type), most, offsetof(struct blob, field), offsetof(struct blob, n_field) }

static const struct section_slot slots[BLOB_TYPES] = {
	[BLOB_STRINGS] = SLOT("strings", strings, n_strings, char, 1u << 20),
	[BLOB_PARAMS] = SLOT("params", params, n_params, struct blob_params, 1),
	[BLOB_PORTS] = SLOT("ports", ports, n_ports, struct blob_port, BLOB_PORTS_MAX),
	[BLOB_ADDRS] = SLOT("addresses", addrs, n_addrs, struct blob_addr, 1u << 16),
	[BLOB_NEXTHOPS] = SLOT("next hops", nexthops, n_nexthops, struct blob_nexthop, 1u << 16),
	[BLOB_ROUTES4] = SLOT("IPv4 routes", routes4, n_routes4, struct blob_route4, 1u << 22),
	[BLOB_NEIGHBORS] = SLOT("neighbors", neighbors, n_neighbors, struct blob_neighbor, 1u << 16),
	[BLOB_PATCHES] = SLOT("patches", patches, n_patches, struct blob_patch, 1u << 10),
};

static int check_header(const struct blob_hdr *h, size_t len, struct err *err)
{
	static const uint8_t zero[4];
	const uint8_t *p = (const uint8_t *)h;
	uint32_t crc;

	if (len < sizeof(*h))
		return BAD(err, "%zu bytes are too few for the header (%zu): pack it again", len,
			   sizeof(*h));
	if (memcmp(h->magic, BLOB_MAGIC, sizeof(h->magic)))
		return BAD(err, "does not begin with " BLOB_MAGIC
				": not made by `weir pack` or `weir boot`");
	if (h->version != BLOB_VERSION)
		return BAD(err, "version %u, this image reads %u: pack it with the weir of this image",
			   h->version, BLOB_VERSION);
	// An initrd may be followed by padding; the blob's own length says where it ends.
	if (h->len > len || h->len < sizeof(*h) || h->len > BLOB_LEN_MAX)
		return BAD(err, "says it is %u bytes long, %zu are there: pack it again", h->len, len);
	crc = crc32c(0, p, offsetof(struct blob_hdr, crc));
	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, p + offsetof(struct blob_hdr, sections),
		     h->len - offsetof(struct blob_hdr, sections));
	if (crc != h->crc)
		return BAD(err,
			   "checksum is %08x, computed %08x: it was changed after it was packed; "
			   "pack it again",
			   h->crc, crc);
	return 0;
}

static int load_section(struct blob *b, const struct blob_section *s, struct err *err)
{
	const struct section_slot *slot;
	const uint8_t *base = (const uint8_t *)b->hdr;
	const void **array;
	uint32_t *count;

	if (s->type == 0 || s->type >= BLOB_TYPES)
		return BAD(err, "section type %u is unknown", s->type);
	slot = &slots[s->type];
	array = (const void **)((char *)b + slot->array);
	count = (uint32_t *)((char *)b + slot->count);
	if (*array)
		return BAD(err, "two sections of %s", slot->name);
	if (s->size != slot->size)
		return BAD(err, "an element of %s measures %u, expected %u", slot->name, s->size,
			   slot->size);
	if (s->count > slot->max)
		return BAD(err, "%u %s, at most %u are allowed", s->count, slot->name, slot->max);
	if (s->offset % 8 || s->offset > b->hdr->len ||
	    (uint64_t)s->count * s->size > b->hdr->len - s->offset)
		return BAD(err, "%s lie outside (offset %u, %u of %u bytes, blob of %u)", slot->name,
			   s->offset, s->count, s->size, b->hdr->len);
	*array = base + s->offset;
	*count = s->count;
	return 0;
}

static bool bad_string(const struct blob *b, uint32_t off)
{
	return off >= b->n_strings;
}

static int check_ports(const struct blob *b, struct err *err)
{
	uint32_t i;

	for (i = 0; i < b->n_ports; i++) {
		const struct blob_port *p = &b->ports[i];

		if (bad_string(b, p->name) || bad_string(b, p->driver) || bad_string(b, p->args))
			return BAD(err, "port %u: a string lies outside", i);
		if ((p->flags & ~BLOB_PORT_FLAGS) || p->rss >= BLOB_RSS_KINDS)
			return BAD(err, "port %u: flags %#x, rss %u", i, p->flags, p->rss);
	}
	for (i = 0; i < b->n_addrs; i++) {
		const struct blob_addr *a = &b->addrs[i];

		if (a->port >= b->n_ports)
			return BAD(err, "address %u: there is no port %u", i, a->port);
		if (!(a->family == 4 && a->plen <= 32) && !(a->family == 6 && a->plen <= 128))
			return BAD(err, "address %u: family %u with prefix length %u", i, a->family,
				   a->plen);
	}
	for (i = 0; i < b->n_patches; i++)
		if (b->patches[i].from >= b->n_ports || b->patches[i].to >= b->n_ports)
			return BAD(err, "patch %u: there is no port %u or %u", i,
				   b->patches[i].from, b->patches[i].to);
	return 0;
}

static int check_routes(const struct blob *b, struct err *err)
{
	uint32_t i;

	for (i = 0; i < b->n_nexthops; i++)
		if (b->nexthops[i].port >= b->n_ports)
			return BAD(err, "next hop %u: there is no port %u", i,
				   b->nexthops[i].port);
	for (i = 0; i < b->n_neighbors; i++)
		if (b->neighbors[i].port >= b->n_ports)
			return BAD(err, "neighbor %u: there is no port %u", i,
				   b->neighbors[i].port);
	for (i = 0; i < b->n_routes4; i++) {
		const struct blob_route4 *r = &b->routes4[i];

		if (r->plen > 32 || r->nexthop >= b->n_nexthops)
			return BAD(err, "route %u: prefix length %u, next hop %u of %u", i, r->plen,
				   r->nexthop, b->n_nexthops);
		if (r->plen < 32 && (r->prefix & (UINT32_MAX >> r->plen)))
			return BAD(err, "route %u: prefix %08x/%u has host bits", i, r->prefix,
				   r->plen);
	}
	return 0;
}

int blob_open(struct blob *b, const void *data, size_t len, struct err *err)
{
	const struct blob_section *s;
	uint32_t i;
	int rc;

	memset(b, 0, sizeof(*b));
	if (!data || (uintptr_t)data % 8)
		return BAD(err, "%s", data ? "not 8-byte aligned" : "there is none");
	b->hdr = data;
	rc = check_header(b->hdr, len, err);
	if (rc)
		return rc;
	if (b->hdr->sections > (b->hdr->len - sizeof(*b->hdr)) / sizeof(*s))
		return BAD(err, "%u sections do not fit %u bytes", b->hdr->sections, b->hdr->len);
	s = (const struct blob_section *)(b->hdr + 1);
	for (i = 0; i < b->hdr->sections; i++) {
		rc = load_section(b, &s[i], err);
		if (rc)
			return rc;
	}
	if (!b->n_params || !b->n_strings)
		return BAD(err, "the %s section is missing", b->n_params ? "strings" : "params");
	if (b->strings[b->n_strings - 1] || !memchr(b->hdr->function, 0, sizeof(b->hdr->function)))
		return BAD(err, "a string does not end");
	rc = check_ports(b, err);
	return rc ? rc : check_routes(b, err);
}
