// SPDX-License-Identifier: BSD-3-Clause
// fib_route.c - routes: what is wrong with one, and what it leads to
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netstack/fib_priv.h"
#include "netstack/ip4.h"

bool fib_within(const union ip_addr *addr, const union ip_addr *prefix, uint8_t plen)
{
	unsigned bytes = plen / 8, bits = plen % 8;

	if (memcmp(addr, prefix, bytes))
		return false;
	return !bits || !((addr->v6[bytes] ^ prefix->v6[bytes]) >> (8 - bits));
}

bool fib_is_zero(const union ip_addr *addr)
{
	return !(addr->w[0] | addr->w[1]);
}

const char *fib_text(uint8_t family, const union ip_addr *a)
{
	static char text[4][48]; // control path: one thread
	static unsigned turn;
	char *to = text[turn++ % 4];
	int n = 0;

	if (family == 4) {
		snprintf(to, sizeof(text[0]), IP4_FMT, IP4_ARGS(be32(a->v4)));
		return to;
	}
	for (unsigned i = 0; i < 16; i += 2)
		n += snprintf(to + n, sizeof(text[0]) - (size_t)n, "%s%x", i ? ":" : "",
			      (unsigned)(a->v6[i] << 8 | a->v6[i + 1]));
	return to;
}

static bool is_link_local(const union ip_addr *a)
{
	return a->v6[0] == 0xfe && (a->v6[1] & 0xc0) == 0x80;
}

static bool is_multicast(uint8_t family, const union ip_addr *a)
{
	return family == 4 ? ip4_multicast(be32(a->v4)) : a->v6[0] == 0xff;
}

static bool has_host_bits(const struct fib_route *r)
{
	uint8_t bits = r->family == 4 ? 32 : 128;

	for (unsigned i = r->plen; i < bits; i++)
		if (r->prefix.v6[i / 8] >> (7 - i % 8) & 1)
			return true;
	return false;
}

int fib_check(const struct fib *f, const struct fib_route *r, struct err *err)
{
	if (r->family != 4 && r->family != 6)
		return err_set(err, -EINVAL, "a route of family %u: there are 4 and 6", r->family);
	if (r->plen > (r->family == 4 ? 32 : 128))
		return err_set(err, -EINVAL, "prefix length %u of a route of IPv%u", r->plen,
			       r->family);
	if (r->vrf >= f->vrfs)
		return err_set(err, -EINVAL, "VRF %u: there are %u", r->vrf, f->vrfs);
	if (has_host_bits(r))
		return err_set(err, -EINVAL, "%s/%u has bits set beyond its length",
			       fib_text(r->family, &r->prefix), r->plen);
	if (r->plen && is_multicast(r->family, &r->prefix))
		return err_set(err, -EINVAL, "%s/%u is multicast: it is not routed",
			       fib_text(r->family, &r->prefix), r->plen);
	if (r->family == 6 && r->plen >= 10 && is_link_local(&r->prefix))
		return err_set(err, -EINVAL, "%s/%u is link-local: it is not routed",
			       fib_text(r->family, &r->prefix), r->plen);
	return 0;
}

static bool on_link(const struct fib *f, uint8_t family, uint16_t iface, const union ip_addr *via)
{
	for (uint32_t i = 0; i < f->onlinks; i++)
		if (f->onlink[i].family == family && f->onlink[i].iface == iface &&
		    fib_within(via, &f->onlink[i].prefix, f->onlink[i].plen))
			return true;
	return false;
}

// The interface of a VRF on whose longest prefix via is, or FIB_IFACE_ANY.
static uint16_t find_iface(const struct fib *f, uint8_t family, unsigned vrf,
			   const union ip_addr *via)
{
	const struct fib_onlink *best = NULL;

	for (uint32_t i = 0; i < f->onlinks; i++) {
		const struct fib_onlink *o = &f->onlink[i];

		if (o->family == family && f->ifs->iface[o->iface].vrf == vrf &&
		    fib_within(via, &o->prefix, o->plen) && (!best || o->plen > best->plen))
			best = o;
	}
	return best ? best->iface : FIB_IFACE_ANY;
}

static bool unicast(uint8_t family, const union ip_addr *a)
{
	static const union ip_addr loopback = {.v6 = {[15] = 1}};

	if (family == 4)
		return ip4_unicast(be32(a->v4));
	return !is_multicast(6, a) && !fib_is_zero(a) && !ip_addr_equal(a, &loopback);
}

static int check_via(const struct fib *f, uint8_t family, unsigned vrf, const struct fib_path *p,
		     struct err *err)
{
	int own = fib_get(f, family, vrf, &p->via, family == 4 ? 32 : 128);

	if (!unicast(family, &p->via))
		return err_set(err, -EINVAL, "%s is no host's address", fib_text(family, &p->via));
	if (own == (int)ADJ_INDEX_LOCAL || own == (int)ADJ_INDEX_BROADCAST)
		return err_set(err, -EINVAL, "%s is the router's own address, or a broadcast's",
			       fib_text(family, &p->via));
	if (p->iface == FIB_IFACE_ANY && family == 6 && is_link_local(&p->via))
		return err_set(err, -EINVAL, "next hop %s is link-local: it needs an interface",
			       fib_text(family, &p->via));
	if (p->iface == FIB_IFACE_ANY || on_link(f, family, p->iface, &p->via) ||
	    (family == 6 && is_link_local(&p->via)))
		return 0;
	return err_set(err, -EINVAL, "%s is on no prefix of interface %s",
		       fib_text(family, &p->via), f->ifs->iface[p->iface].name);
}

int fib_check_host(const struct fib *f, uint8_t family, uint16_t iface, const union ip_addr *addr,
		   struct err *err)
{
	struct fib_path p = {.via = *addr, .iface = iface, .weight = 1};

	return check_via(f, family, f->ifs->iface[iface].vrf, &p, err);
}

// Checks a path, and finds its interface where via is on link.
static int check_path(const struct fib *f, const struct fib_route *r, struct fib_path *p,
		      struct err *err)
{
	unsigned vrf = r->vrf;
	int rc;

	if (!p->weight)
		return err_set(err, -EINVAL, "a path of weight 0: from 1 to 255");
	if (p->iface != FIB_IFACE_ANY && p->iface >= f->ifs->n)
		return err_set(err, -EINVAL, "interface %u: there are %u", p->iface, f->ifs->n);
	if (r->family == 4 && (p->via.w[0] >> 32 || p->via.w[1]))
		return err_set(err, -EINVAL, "an IPv4 next hop of more than 4 bytes");
	if (fib_is_zero(&p->via))
		return p->iface != FIB_IFACE_ANY
			       ? 0
			       : err_set(err, -EINVAL, "a path without next hop and interface");
	if (p->iface != FIB_IFACE_ANY)
		vrf = f->ifs->iface[p->iface].vrf;
	rc = check_via(f, r->family, vrf, p, err);
	if (!rc && p->iface == FIB_IFACE_ANY)
		p->iface = find_iface(f, r->family, r->vrf, &p->via);
	return rc;
}

static int check_paths(const struct fib *f, struct fib_route *r, struct err *err)
{
	int rc = 0;

	if (r->kind > FIB_PROHIBIT)
		return err_set(err, -EINVAL, "a route of kind %u: there are %u", r->kind,
			       FIB_PROHIBIT + 1);
	if (r->kind != FIB_VIA && r->paths)
		return err_set(err, -EINVAL, "a route that leads nowhere, with %u next hops",
			       r->paths);
	if (r->kind == FIB_VIA && (!r->paths || r->paths > FIB_PATHS_MAX))
		return err_set(err, -EINVAL, "%u next hops of a route: 1 to %u", r->paths,
			       FIB_PATHS_MAX);
	for (unsigned i = 0; i < r->paths && !rc; i++)
		rc = check_path(f, r, &r->path[i], err);
	return rc;
}

static int leaf(struct fib *f, const struct fib_route *r, struct err *err)
{
	int index = fib_leaf_take(f, r->family, r->path[0].iface, &r->path[0].via);

	if (index < 0)
		err_set(err, index, "over %u next hops: raise the number of hops", f->hops);
	return index;
}

int fib_hop(struct fib *f, const struct fib_route *route, uint32_t like, struct err *err)
{
	struct fib_route r = *route;
	int rc = fib_check(f, &r, err);

	if (!rc)
		rc = check_paths(f, &r, err);
	if (rc)
		return rc;
	if (!r.owner)
		r.owner = FIB_OWNER_USUAL;
	if (r.owner == FIB_OWNER_USUAL && r.kind != FIB_VIA)
		return (int)(r.kind - FIB_BLACKHOLE + ADJ_INDEX_BLACKHOLE);
	if (r.owner == FIB_OWNER_USUAL && r.paths == 1 && r.path[0].iface != FIB_IFACE_ANY &&
	    !fib_is_zero(&r.path[0].via))
		return leaf(f, &r, err);
	return fib_group_take(f, &r, like, err);
}

void fib_describe(const struct fib *f, uint8_t family, uint32_t index, struct fib_route *r)
{
	const struct fib_group *g = fib_group_at(f, family, index);

	r->family = family;
	r->kind = FIB_VIA;
	r->owner = fib_is_own(f, index) ? 0 : FIB_OWNER_USUAL;
	r->paths = 0;
	if (g) {
		r->kind = g->route.kind;
		r->owner = g->route.owner;
		r->paths = g->route.paths;
		memcpy(r->path, g->route.path, sizeof(r->path));
	} else if (fib_is_hop(f, index)) {
		const struct fib_hop *h = &f->half[family == 6].hop[fib_slot(f, index)];

		r->paths = 1;
		r->path[0] = (struct fib_path){.via = h->via, .iface = h->iface, .weight = 1};
	} else if (index >= ADJ_INDEX_GLEAN0) {
		r->paths = 1;
		r->path[0] = (struct fib_path){.iface = (uint16_t)(index - ADJ_INDEX_GLEAN0),
					       .weight = 1};
	} else if (index >= ADJ_INDEX_BLACKHOLE) {
		r->kind = (uint8_t)(index - ADJ_INDEX_BLACKHOLE + FIB_BLACKHOLE);
	}
}

static int swap_error(struct err *err, int rc, uint8_t family, const union ip_addr *prefix,
		      uint8_t plen)
{
	if (rc == -ELOOP)
		return err_set(err, rc, "the next hop of %s/%u would be reached by %s/%u itself",
			       fib_text(family, prefix), plen, fib_text(family, prefix), plen);
	return err_set(err, rc, "%s/%u does not go into the prefix table: %s",
		       fib_text(family, prefix), plen, strerror(-rc));
}

int fib_route_add_hop(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		      uint8_t plen, uint32_t hop, struct err *err)
{
	uint32_t old;
	int rc = fib_swap(f, family, vrf, prefix, plen, hop, &old);

	if (rc == -EEXIST) // on link: needs no gateway
		return 0;
	if (rc)
		return swap_error(err, rc, family, prefix, plen);
	fib_hold(f, family, hop);
	if (old != FIB_NONE)
		fib_drop(f, family, old);
	if (f->half[0].dirty || f->half[1].dirty || fib_wants_sync(f))
		fib_settle(f);
	return 0;
}

int fib_route_add(struct fib *f, const struct fib_route *r, struct err *err)
{
	int rc = fib_check(f, r, err), was, hop;

	if (rc)
		return rc;
	was = fib_get(f, r->family, r->vrf, &r->prefix, r->plen);
	hop = fib_hop(f, r, was > 0 ? (uint32_t)was : 0, err);
	if (hop < 0)
		return hop;
	rc = fib_route_add_hop(f, r->family, r->vrf, &r->prefix, r->plen, (uint32_t)hop, err);
	fib_drop(f, r->family, (uint32_t)hop);
	fib_settle(f);
	return rc;
}

int fib_route_delete(struct fib *f, const struct fib_route *r, struct err *err)
{
	uint32_t old;
	int rc = fib_check(f, r, err);

	if (rc)
		return rc;
	rc = fib_swap(f, r->family, r->vrf, &r->prefix, r->plen, FIB_NONE, &old);
	if (!rc && old == FIB_NONE)
		return err_set(err, -ESRCH, "%s/%u: there is no such route",
			       fib_text(r->family, &r->prefix), r->plen);
	if (rc)
		return swap_error(err, rc, r->family, &r->prefix, r->plen);
	fib_drop(f, r->family, old);
	fib_settle(f);
	return 0;
}
