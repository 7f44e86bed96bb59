// SPDX-License-Identifier: BSD-3-Clause
// config_table.c - the routing table as a whole: next hops resolved, nothing twice
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

#define RECURSION_MAX 8u // a next hop that another route leads to, and so on

// --- hops: few, and routes many: a hash of them ---

static uint64_t hash_hop(uint8_t vrf, uint8_t kind, const struct config_path *paths, unsigned n)
{
	uint64_t h = vrf * 4u + kind + 1;

	for (unsigned i = 0; i < n; i++) {
		const struct blob_path *p = &paths[i].blob;
		union ip_addr via;

		memcpy(&via, p->via, 16);
		h = (h ^ via.w[0]) * 0x9e3779b97f4a7c15u;
		h = (h ^ via.w[1] ^ h >> 32) * 0x9e3779b97f4a7c15u;
		h = (h ^ p->iface ^ (uint64_t)p->weight << 16 ^ h >> 29) * 0x9e3779b97f4a7c15u;
	}
	return h ^ h >> 32;
}

static bool same_hop(const struct config *c, const struct config_hop *h, uint8_t vrf, uint8_t kind,
		     const struct config_path *paths, unsigned n)
{
	if (h->vrf != vrf || h->blob.kind != kind || h->blob.paths != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (memcmp(&c->paths[h->blob.first + i].blob, &paths[i].blob, sizeof(paths[i].blob)))
			return false;
	return true;
}

static uint64_t hash_of(const struct config *c, const struct config_hop *h)
{
	return hash_hop(h->vrf, (uint8_t)h->blob.kind, c->paths + h->blob.first, h->blob.paths);
}

static void grow_slots(struct config *c)
{
	size_t n = c->n_hop_slots ? 4 * c->n_hop_slots : 64;

	free(c->hop_slots);
	c->hop_slots = calloc(n, sizeof(*c->hop_slots));
	if (!c->hop_slots)
		die_no_memory();
	c->n_hop_slots = n;
	for (size_t i = 0; i < c->n_hops; i++) {
		size_t s = hash_of(c, &c->hops[i]) % n;

		while (c->hop_slots[s])
			s = (s + 1) % n;
		c->hop_slots[s] = (uint32_t)i + 1;
	}
}

int config_hop(struct config *c, uint8_t vrf, uint8_t kind, const struct config_path *paths, unsigned n)
{
	size_t s;

	if (2 * c->n_hops >= c->n_hop_slots)
		grow_slots(c);
	s = hash_hop(vrf, kind, paths, n) % c->n_hop_slots;
	for (; c->hop_slots[s]; s = (s + 1) % c->n_hop_slots)
		if (same_hop(c, &c->hops[c->hop_slots[s] - 1], vrf, kind, paths, n))
			return (int)c->hop_slots[s] - 1;
	if (c->n_hops == BLOB_HOPS_MAX)
		return -1;
	c->hops = array_add(c->hops, &c->n_hops, &c->room_hops, sizeof(*c->hops));
	c->hops[c->n_hops - 1] = (struct config_hop){
		.blob = {.first = (uint32_t)c->n_paths, .paths = (uint16_t)n, .kind = kind}, .vrf = vrf};
	for (unsigned i = 0; i < n; i++) {
		c->paths = array_add(c->paths, &c->n_paths, &c->room_paths, sizeof(*c->paths));
		c->paths[c->n_paths - 1] = paths[i];
	}
	c->hop_slots[s] = (uint32_t)c->n_hops;
	return (int)c->n_hops - 1;
}

// --- the routes in order ---

static void complain(struct diags *d, const struct config_place *at, uint8_t family,
		     const union ip_addr *value, const char *what)
{
	char buf[IP_TEXT_MAX];

	diag_add(d, at->file, at->line, at->column, ip_text(family, value, buf), "%s", what);
}

static int by_prefix(const void *a, const void *b)
{
	const struct config_route *x = a, *y = b;
	int order;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->vrf != y->vrf)
		return x->vrf < y->vrf ? -1 : 1;
	order = memcmp(&x->prefix, &y->prefix, sizeof(x->prefix));
	if (!order && x->plen != y->plen)
		order = x->plen < y->plen ? -1 : 1;
	return order;
}

static int by_prefix_and_line(const void *a, const void *b)
{
	const struct config_route *x = a, *y = b;
	int order = by_prefix(a, b);

	if (!order && x->place.line != y->place.line)
		order = x->place.line < y->place.line ? -1 : 1;
	return order;
}

static const struct config_route *find(const struct config *c, uint8_t vrf, uint8_t family,
				       const union ip_addr *addr, uint8_t plen)
{
	struct config_route key = {.family = family, .vrf = vrf, .plen = plen};

	key.prefix = ip_mask(addr, family, plen);
	return c->n_routes ? bsearch(&key, c->routes, c->n_routes, sizeof(key), by_prefix) : NULL;
}

const struct config_route *config_route_find(const struct config *c, uint8_t vrf, uint8_t family,
					     const union ip_addr *addr)
{
	const struct config_route *r = NULL;

	for (int plen = ip_bits(family); plen >= 0 && !r; plen--)
		r = find(c, vrf, family, addr, (uint8_t)plen);
	return r;
}

static void check_twice(struct config *c, struct diags *d)
{
	if (c->n_routes)
		qsort(c->routes, c->n_routes, sizeof(*c->routes), by_prefix_and_line);
	for (size_t i = 1; i < c->n_routes; i++) {
		const struct config_route *a = &c->routes[i - 1], *b = &c->routes[i];
		char text[IP_TEXT_MAX];

		if (!by_prefix(a, b))
			diag_add(d, b->place.file, b->place.line, b->place.column,
				 ip_text(b->family, &b->prefix, text),
				 "this prefix /%u is there already, in %s line %zu: expected it once",
				 b->plen, a->place.file, a->place.line);
	}
}

// --- next hops ---

// Whether the route to addr (of hop `from`, none: UINT32_MAX) leads, maybe by others, to a neighbor.
static bool leads_on(const struct config *c, uint8_t vrf, uint8_t family, const union ip_addr *addr,
		     unsigned depth)
{
	const struct config_route *r;
	const struct config_hop *h;
	const char *fault;

	if (config_onlink(c, vrf, family, addr, &fault) >= 0)
		return true;
	if (fault || depth == RECURSION_MAX)
		return false;
	r = config_route_find(c, vrf, family, addr);
	if (!r)
		return false;
	h = &c->hops[r->hop];
	for (unsigned i = 0; i < h->blob.paths; i++) {
		const struct blob_path *p = &c->paths[h->blob.first + i].blob;
		union ip_addr via;

		memcpy(&via, p->via, 16);
		if (p->iface == BLOB_IFACE_ANY && !leads_on(c, vrf, family, &via, depth + 1))
			return false;
	}
	return true;
}

// What is wrong with a path of a hop of that VRF; NULL when nothing is. Its interface is found.
static const char *resolve(const struct config *c, uint8_t vrf, struct blob_path *p)
{
	const char *fault;
	union ip_addr via;
	int iface;

	memcpy(&via, p->via, 16);
	if (p->family == 6 && ip6_is_link_local(&via)) {
		if (p->iface == BLOB_IFACE_ANY)
			return "expected `interface` with a link-local next hop";
		return c->ifaces[p->iface].blob.vrf == vrf ? NULL : "expected an interface of the same VRF";
	}
	iface = config_onlink(c, vrf, p->family, &via, &fault);
	if (fault)
		return fault;
	if (iface < 0 && p->iface != BLOB_IFACE_ANY)
		return "expected an address on the network of that interface";
	if (iface < 0)
		return leads_on(c, vrf, p->family, &via, 0) ?
			       NULL :
			       "expected an address on the network of a port, or one that another route "
			       "leads to";
	if (p->iface != BLOB_IFACE_ANY && p->iface != iface)
		return "expected an address on the network of that interface";
	p->iface = (uint16_t)iface;
	return NULL;
}

static void resolve_all(struct config *c, struct diags *d)
{
	for (size_t i = 0; i < c->n_hops; i++) {
		const struct config_hop *h = &c->hops[i];

		for (unsigned k = 0; k < h->blob.paths; k++) {
			struct config_path *p = &c->paths[h->blob.first + k];
			const char *fault = resolve(c, h->vrf, &p->blob);
			union ip_addr via;

			memcpy(&via, p->blob.via, 16);
			if (fault)
				complain(d, &p->place, p->blob.family, &via, fault);
		}
	}
}

// --- what an interface's own address says about routes ---

static void refuse(const struct config *c, struct diags *d, const struct blob_addr *a, uint8_t plen,
		   const union ip_addr *addr, const char *what)
{
	uint8_t vrf = (uint8_t)c->ifaces[a->iface].blob.vrf;
	const struct config_route *r = find(c, vrf, a->family, addr, plen);

	if (r)
		complain(d, &r->place, r->family, &r->prefix, what);
}

static void check_connected(const struct config *c, struct diags *d, const struct blob_addr *a)
{
	union ip_addr own, edge;

	memcpy(&own, a->addr, 16);
	refuse(c, d, a, a->plen, &own, "expected another prefix: this is the network of a port");
	if (a->plen == ip_bits(a->family))
		return;
	refuse(c, d, a, ip_bits(a->family), &own,
	       "expected another prefix: this is the router's own address");
	if (a->family == 6 || a->plen >= 31)
		return;
	edge = ip_mask(&own, 4, a->plen);
	refuse(c, d, a, 32, &edge,
	       "expected another prefix: this is a broadcast address of a port's network");
	for (unsigned bit = a->plen; bit < 32; bit++)
		edge.v6[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	refuse(c, d, a, 32, &edge,
	       "expected another prefix: this is a broadcast address of a port's network");
}

void config_check_routes(struct config *c, struct diags *d)
{
	if (c->n_routes > CONFIG_ROUTES_MAX) {
		const struct config_route *r = &c->routes[CONFIG_ROUTES_MAX];

		complain(d, &r->place, r->family, &r->prefix, "expected at most 4194304 routes");
		return;
	}
	check_twice(c, d);
	resolve_all(c, d);
	for (size_t i = 0; i < c->n_addrs; i++)
		check_connected(c, d, &c->addrs[i]);
}
