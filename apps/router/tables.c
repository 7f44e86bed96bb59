// SPDX-License-Identifier: BSD-3-Clause
// tables.c - addresses, routes and neighbors of a router, from its configuration
#include <errno.h>

#include "apps/router/router.h"
#include "core/wire.h"

static int set_addresses(struct ip4_stack *s, const struct blob *b, struct err *err)
{
	for (uint32_t i = 0; i < b->n_addrs; i++) {
		const struct blob_addr *a = &b->addrs[i];
		int rc;

		if (a->family != 4) // IPv6 frames are counted as ip6-unsupported
			continue;
		rc = ip4_stack_address(s, a->iface, be32(load32(a->addr)), a->plen, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int set_routes(struct ip4_stack *s, const struct blob *b, struct err *err)
{
	for (uint32_t i = 0; i < b->n_routes4; i++) {
		const struct blob_route4 *r = &b->routes4[i];
		const struct blob_path *p = &b->paths[b->hops[r->hop].first];
		int rc;

		if (b->hops[r->hop].paths != 1 || p->iface == BLOB_IFACE_ANY)
			return err_set(err, -ENOTSUP, "route %u: a single neighbor is all it can lead to", i);
		rc = ip4_stack_nexthop(s, p->iface, be32(load32(p->via)), err);
		// The routes themselves are lcore 0's; the next hops have the same number everywhere.
		if (rc >= 0 && s->shares)
			rc = 0;
		else if (rc >= 0)
			rc = ip4_stack_route(s, r->prefix, r->plen, (uint32_t)rc, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int set_neighbors(struct ip4_stack *s, const struct blob *b, struct err *err)
{
	for (uint32_t i = 0; i < b->n_neighbors; i++) {
		const struct blob_neighbor *n = &b->neighbors[i];
		int rc = n->family == 4 ? ip4_stack_neighbor(s, n->iface, be32(load32(n->addr)), n->mac, err) : 0;

		if (rc)
			return rc;
	}
	return 0;
}

int router_configure(struct ip4_stack *s, const struct app *app, struct err *err)
{
	int rc = set_addresses(s, &app->blob, err);

	if (!rc)
		rc = set_routes(s, &app->blob, err);
	if (!rc)
		rc = set_neighbors(s, &app->blob, err);
	return rc;
}
