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
	[BLOB_IFACES] = SLOT("interfaces", ifaces, n_ifaces, struct blob_iface, BLOB_IFACES_MAX),
	[BLOB_MEMBERS] = SLOT("members", members, n_members, uint16_t, BLOB_IFACES_MAX),
	[BLOB_VRFS] = SLOT("VRFs", vrfs, n_vrfs, uint32_t, BLOB_VRFS_MAX),
	[BLOB_PATHS] = SLOT("paths", paths, n_paths, struct blob_path, BLOB_HOPS_MAX * BLOB_PATHS_MAX),
	[BLOB_HOPS] = SLOT("hops", hops, n_hops, struct blob_hop, BLOB_HOPS_MAX),
	[BLOB_ROUTES4] = SLOT("IPv4 routes", routes4, n_routes4, struct blob_route4, 1u << 22),
	[BLOB_ROUTES6] = SLOT("IPv6 routes", routes6, n_routes6, struct blob_route6, 1u << 21),
	[BLOB_NEIGHBORS] = SLOT("neighbors", neighbors, n_neighbors, struct blob_neighbor, 1u << 16),
	[BLOB_BYTES] = SLOT("bytes", bytes, n_bytes, uint8_t, BLOB_LEN_MAX),
	[BLOB_STREAMS] = SLOT("streams", streams, n_streams, struct blob_stream, BLOB_STREAMS_MAX),
	[BLOB_VARIANTS] = SLOT("variants", variants, n_variants, struct blob_variant, 1u << 22),
	[BLOB_FIELDS] = SLOT("fields", fields, n_fields, struct blob_field, 1u << 18),
	[BLOB_IMPAIRS] = SLOT("impairments", impairs, n_impairs, struct blob_impair, 1u << 10),
	[BLOB_PLAYS] = SLOT("plays", plays, n_plays, struct blob_play, 1),
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
	for (i = 0; i < b->n_patches; i++)
		if (b->patches[i].from >= b->n_ports || b->patches[i].to >= b->n_ports)
			return BAD(err, "patch %u: there is no port %u or %u", i,
				   b->patches[i].from, b->patches[i].to);
	return 0;
}

// In what order interfaces stand is part of the format: those of the ports, then each after what it is
// made of.
static int check_iface(const struct blob *b, uint32_t i, struct err *err)
{
	const struct blob_iface *f = &b->ifaces[i];
	bool makes = f->kind == BLOB_IFACE_GROUP || f->kind == BLOB_IFACE_BRIDGE;

	if (bad_string(b, f->name))
		return BAD(err, "interface %u: a string lies outside", i);
	if (f->kind >= BLOB_IFACE_KINDS || f->urpf >= BLOB_URPF_KINDS || f->flags & ~BLOB_IFACE_FLAGS)
		return BAD(err, "interface %u: kind %u, urpf %u, flags %#x", i, f->kind, f->urpf,
			   f->flags);
	if ((i < b->n_ports) != (f->kind == BLOB_IFACE_PORT))
		return BAD(err, "interface %u of kind %u with %u ports", i, f->kind, b->n_ports);
	if (f->vrf > b->n_vrfs)
		return BAD(err, "interface %u: there is no VRF %u", i, f->vrf);
	if (f->kind == BLOB_IFACE_VLAN && (f->parent >= i || !f->vid[0] || f->vid[0] > 4094 || f->vid[1] > 4094))
		return BAD(err, "interface %u: VLAN %u, %u of interface %u", i, f->vid[0], f->vid[1],
			   f->parent);
	if (!makes && f->members)
		return BAD(err, "interface %u of kind %u has members", i, f->kind);
	if (f->members > b->n_members || f->first > b->n_members - f->members)
		return BAD(err, "interface %u: %u members from %u, there are %u", i, f->members,
			   f->first, b->n_members);
	for (uint32_t k = 0; k < f->members; k++)
		if (b->members[f->first + k] >= i)
			return BAD(err, "interface %u: member %u", i, b->members[f->first + k]);
	return 0;
}

static int check_ifaces(const struct blob *b, struct err *err)
{
	int rc = 0;

	if (b->n_ifaces && b->n_ifaces < b->n_ports)
		return BAD(err, "%u interfaces for %u ports", b->n_ifaces, b->n_ports);
	for (uint32_t i = 0; i < b->n_vrfs; i++)
		if (bad_string(b, b->vrfs[i]))
			return BAD(err, "VRF %u: a string lies outside", i);
	for (uint32_t i = 0; !rc && i < b->n_ifaces; i++)
		rc = check_iface(b, i, err);
	for (uint32_t i = 0; !rc && i < b->n_addrs; i++) {
		const struct blob_addr *a = &b->addrs[i];

		if (a->iface >= b->n_ifaces)
			rc = BAD(err, "address %u: there is no interface %u", i, a->iface);
		else if (!(a->family == 4 && a->plen <= 32) && !(a->family == 6 && a->plen <= 128))
			rc = BAD(err, "address %u: family %u with prefix length %u", i, a->family,
				 a->plen);
	}
	for (uint32_t i = 0; !rc && i < b->n_neighbors; i++) {
		const struct blob_neighbor *n = &b->neighbors[i];

		if (n->iface >= b->n_ifaces || (n->family != 4 && n->family != 6))
			rc = BAD(err, "neighbor %u: family %u on interface %u", i, n->family, n->iface);
	}
	return rc;
}

static int check_hops(const struct blob *b, struct err *err)
{
	for (uint32_t i = 0; i < b->n_paths; i++) {
		const struct blob_path *p = &b->paths[i];

		if ((p->family != 4 && p->family != 6) || !p->weight ||
		    (p->iface >= b->n_ifaces && p->iface != BLOB_IFACE_ANY))
			return BAD(err, "path %u: family %u, weight %u, interface %u", i, p->family,
				   p->weight, p->iface);
	}
	for (uint32_t i = 0; i < b->n_hops; i++) {
		const struct blob_hop *h = &b->hops[i];

		if (h->kind >= BLOB_HOP_KINDS || h->paths > BLOB_PATHS_MAX ||
		    !h->paths != (h->kind != BLOB_HOP_VIA))
			return BAD(err, "hop %u: kind %u with %u paths", i, h->kind, h->paths);
		if (h->paths > b->n_paths || h->first > b->n_paths - h->paths)
			return BAD(err, "hop %u: %u paths from %u, there are %u", i, h->paths,
				   h->first, b->n_paths);
		for (uint32_t k = 1; k < h->paths; k++)
			if (b->paths[h->first + k].family != b->paths[h->first].family)
				return BAD(err, "hop %u: paths of two families", i);
	}
	return 0;
}

// A route's hop is there and of its family.
static bool bad_hop(const struct blob *b, uint16_t hop, uint8_t family)
{
	const struct blob_hop *h = &b->hops[hop];

	return hop >= b->n_hops || (h->paths && b->paths[h->first].family != family);
}

// Whether a bit beyond plen is set.
static bool host_bits(const uint8_t prefix[16], uint8_t plen)
{
	unsigned i = plen / 8;

	if (plen % 8 && prefix[i++] & (0xff >> (plen % 8)))
		return true;
	for (; i < 16; i++)
		if (prefix[i])
			return true;
	return false;
}

static int check_routes(const struct blob *b, struct err *err)
{
	for (uint32_t i = 0; i < b->n_routes4; i++) {
		const struct blob_route4 *r = &b->routes4[i];

		if (r->plen > 32 || r->vrf > b->n_vrfs || bad_hop(b, r->hop, 4))
			return BAD(err, "IPv4 route %u: prefix length %u, VRF %u, hop %u of %u", i,
				   r->plen, r->vrf, r->hop, b->n_hops);
		if (r->plen < 32 && (r->prefix & (UINT32_MAX >> r->plen)))
			return BAD(err, "IPv4 route %u: prefix %08x/%u has host bits", i, r->prefix,
				   r->plen);
	}
	for (uint32_t i = 0; i < b->n_routes6; i++) {
		const struct blob_route6 *r = &b->routes6[i];

		if (r->plen > 128 || r->vrf > b->n_vrfs || bad_hop(b, r->hop, 6))
			return BAD(err, "IPv6 route %u: prefix length %u, VRF %u, hop %u of %u", i,
				   r->plen, r->vrf, r->hop, b->n_hops);
		if (host_bits(r->prefix, r->plen))
			return BAD(err, "IPv6 route %u: its prefix of %u bits has host bits", i, r->plen);
	}
	return 0;
}

// A share of a million, or every n-th.
static bool bad_share(const struct blob_impair *p, uint32_t share, uint32_t exact)
{
	return !(p->flags & exact) && share > 1000000;
}

static int check_impairs(const struct blob *b, struct err *err)
{
	if (b->n_impairs && b->n_impairs != b->n_patches)
		return BAD(err, "%u impairments of %u patches", b->n_impairs, b->n_patches);
	for (uint32_t i = 0; i < b->n_impairs; i++) {
		const struct blob_impair *p = &b->impairs[i];

		if (p->flags & ~BLOB_IMPAIR_FLAGS || bad_share(p, p->loss, BLOB_IMPAIR_LOSS_EXACT) ||
		    bad_share(p, p->duplicate, BLOB_IMPAIR_DUPLICATE_EXACT) ||
		    bad_share(p, p->reorder, BLOB_IMPAIR_REORDER_EXACT) ||
		    bad_share(p, p->corrupt, BLOB_IMPAIR_CORRUPT_EXACT))
			return BAD(err, "impairment %u: flags %#x, loss %u, duplicate %u, reorder %u, corrupt %u", i,
				   p->flags, p->loss, p->duplicate, p->reorder, p->corrupt);
		if (p->delay_ns > BLOB_IMPAIR_DELAY_MAX || p->packets > BLOB_IMPAIR_PACKETS_MAX ||
		    p->gap > BLOB_IMPAIR_GAP_MAX || (p->reorder && !p->gap))
			return BAD(err, "impairment %u: delay %llu ns, gap %u, %u packets", i,
				   (unsigned long long)p->delay_ns, p->gap, p->packets);
	}
	return 0;
}

static int check_contents(const struct blob *b, struct err *err)
{
	int rc = check_ports(b, err);

	if (!rc)
		rc = check_impairs(b, err);
	if (!rc && b->params->reass_flags & ~BLOB_REASS_FLAGS)
		rc = BAD(err, "reassembly flags %#x", b->params->reass_flags);
	if (!rc)
		rc = check_ifaces(b, err);
	if (!rc)
		rc = check_hops(b, err);
	if (!rc)
		rc = blob_check_streams(b, err);
	if (!rc)
		rc = blob_check_plays(b, err);
	return rc ? rc : check_routes(b, err);
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
	return check_contents(b, err);
}
