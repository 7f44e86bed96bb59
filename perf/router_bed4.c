// SPDX-License-Identifier: BSD-3-Clause
// router_bed4.c - parts of router_run.c: an IPv4 router with a table and eight neighbors
#include "perf/router_bed.h"

#include "netstack/iface.h"
#include "netstack/ip4_graph.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static int fill(struct ip4_stack *s, const struct bed_table *t, unsigned ports, struct err *err)
{
	uint16_t out = (uint16_t)(ports - 1);
	uint32_t net = out ? IP(198, 51, 100, 0) : IP(192, 0, 2, 0);
	int hop[BED_HOPS], rc = ip4_stack_address(s, 0, IP(192, 0, 2, 1), 24, err);

	if (!rc && out)
		rc = ip4_stack_address(s, out, net | 1, 24, err);
	for (unsigned i = 0; !rc && i < BED_HOPS; i++) {
		const uint8_t mac[6] = {2, 0, 0, 0, 1, (uint8_t)i};

		rc = ip4_stack_neighbor(s, out, net | (100 + i), mac, err);
		hop[i] = rc ? rc : ip4_stack_nexthop(s, out, net | (100 + i), err);
		rc = hop[i] < 0 ? hop[i] : 0;
	}
	for (uint32_t i = 0; !rc && i < t->r4.count; i++) {
		const struct route *r = t->r4.route + i;

		rc = ip4_stack_route(s, r->prefix, r->len, (uint32_t)hop[r->nh - 1], err);
	}
	return rc;
}

struct node *bed_router4(struct graph *g, struct mempool *pool, const struct bed_table *t,
			 struct node *const *tx, unsigned ports, struct err *err)
{
	struct ip4_conf conf = {.pool = pool,
				.ifs = ifaces_create(ports, 0, err),
				.addresses = ports,
				.nexthops = BED_HOPS,
				.neighbors = BED_HOPS,
				.routes = t->r4.count};
	struct ip4_stack *s;
	int rc = 0;

	for (uint16_t p = 0; conf.ifs && p < ports; p++)
		rc |= ifaces_port(conf.ifs, p, bed_mac, 1500, err);
	if (!conf.ifs || rc)
		return NULL;
	s = ip4_stack_create(&conf, err);
	ifaces_unref(conf.ifs);
	if (!s || fill(s, t, ports, err))
		return NULL;
	return ip4_graph_build(g, s, tx, err);
}
