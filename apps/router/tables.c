// SPDX-License-Identifier: BSD-3-Clause
// tables.c - the routes of a router, from its configuration
//
// A full table leads to few hops: each is made once, when the first route names it.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/router/router.h"
#include "core/ctl.h"
#include "core/wire.h"
#include "netstack/fib.h"

struct hops { // by family, VRF and number of the blob: the fib's + 1
	struct fib *fib;
	const struct blob *b;
	uint32_t *made;
	unsigned vrfs;
};

static void describe(const struct blob *b, uint16_t hop, uint8_t family, uint8_t vrf, struct fib_route *r)
{
	static const uint8_t kinds[BLOB_HOP_KINDS] = {
		[BLOB_HOP_VIA] = FIB_VIA,
		[BLOB_HOP_BLACKHOLE] = FIB_BLACKHOLE,
		[BLOB_HOP_UNREACHABLE] = FIB_UNREACHABLE,
		[BLOB_HOP_PROHIBIT] = FIB_PROHIBIT,
	};
	const struct blob_hop *h = &b->hops[hop];

	*r = (struct fib_route){.family = family,
				.kind = kinds[h->kind],
				.paths = (uint8_t)h->paths,
				.vrf = vrf,
				.owner = CTL_OWNER_CONFIG};
	for (unsigned i = 0; i < h->paths; i++) {
		const struct blob_path *p = &b->paths[h->first + i];

		memcpy(&r->path[i].via, p->via, sizeof(r->path[i].via));
		r->path[i].iface = p->iface == BLOB_IFACE_ANY ? FIB_IFACE_ANY : p->iface;
		r->path[i].weight = p->weight;
	}
}

static int add(struct hops *h, uint16_t hop, uint8_t family, uint8_t vrf, const union ip_addr *prefix,
	       uint8_t plen, struct err *err)
{
	uint32_t *made = &h->made[((size_t)(family == 6) * h->vrfs + vrf) * h->b->n_hops + hop];
	struct fib_route r;
	int rc;

	if (!*made) {
		describe(h->b, hop, family, vrf, &r);
		rc = fib_hop(h->fib, &r, 0, err);
		if (rc < 0)
			return rc;
		*made = (uint32_t)rc + 1;
	}
	return fib_route_add_hop(h->fib, family, vrf, prefix, plen, *made - 1, err);
}

static int add_all(struct hops *h, struct err *err)
{
	const struct blob *b = h->b;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < b->n_routes4; i++) {
		const struct blob_route4 *r = &b->routes4[i];
		const union ip_addr prefix = {.v4 = be32(r->prefix)};

		rc = add(h, r->hop, 4, r->vrf, &prefix, r->plen, err);
	}
	for (uint32_t i = 0; !rc && i < b->n_routes6; i++) {
		const struct blob_route6 *r = &b->routes6[i];
		union ip_addr prefix;

		memcpy(&prefix, r->prefix, sizeof(prefix));
		rc = add(h, r->hop, 6, r->vrf, &prefix, r->plen, err);
	}
	return rc;
}

// What is made once is counted once too often when its routes are in.
static void let_go(struct hops *h)
{
	size_t n = (size_t)h->vrfs * h->b->n_hops;

	for (size_t i = 0; i < 2 * n; i++)
		if (h->made[i])
			fib_drop(h->fib, i < n ? 4 : 6, h->made[i] - 1);
}

int router_routes(const struct app *app, struct err *err)
{
	struct hops h = {.fib = router_of(app)->fib, .b = &app->blob, .vrfs = app->blob.n_vrfs + 1};
	int rc;

	if (!h.b->n_hops)
		return 0;
	h.made = calloc((size_t)2 * h.vrfs * h.b->n_hops, sizeof(*h.made));
	if (!h.made)
		return err_set(err, -ENOMEM, "no memory for %u next hops", h.b->n_hops);
	rc = add_all(&h, err);
	let_go(&h);
	free(h.made);
	if (!rc)
		fib_settle(h.fib);
	return rc;
}
