// SPDX-License-Identifier: BSD-3-Clause
// router_bed6.c - parts of router_run.c: an IPv6 router with a table and eight neighbors
#include "perf/router_bed.h"

#include <string.h>

#include "netstack/iface.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip6_graph.h"

// 2001:db8:net::host
static void address(uint8_t addr[16], uint8_t net, uint8_t host)
{
	static const uint8_t doc[4] = {0x20, 0x01, 0x0d, 0xb8};

	memset(addr, 0, 16);
	memcpy(addr, doc, 4);
	addr[5] = net;
	addr[15] = host;
}

static int fill(struct ip6_stack *s, const struct bed_table *t, unsigned ports, struct err *err)
{
	uint16_t out = (uint16_t)(ports - 1);
	uint8_t net = out ? 2 : 1, addr[16];
	int hop[BED_HOPS], rc;

	address(addr, 1, 1);
	rc = ip6_stack_address(s, 0, addr, 64, err);
	address(addr, net, 1);
	if (!rc && out)
		rc = ip6_stack_address(s, out, addr, 64, err);
	for (unsigned i = 0; !rc && i < BED_HOPS; i++) {
		const uint8_t mac[6] = {2, 0, 0, 0, 1, (uint8_t)i};

		address(addr, net, (uint8_t)(100 + i));
		rc = ip6_stack_neighbor(s, out, addr, mac, err);
		hop[i] = rc ? rc : ip6_stack_nexthop(s, out, addr, err);
		rc = hop[i] < 0 ? hop[i] : 0;
	}
	for (uint32_t i = 0; !rc && i < t->r6.count; i++) {
		const struct route6 *r = t->r6.route + i;

		rc = ip6_stack_route(s, r->prefix, r->len, (uint32_t)hop[r->nh - 1], err);
	}
	return rc;
}

struct node *bed_router6(struct graph *g, struct mempool *pool, const struct bed_table *t,
			 struct node *const *tx, unsigned ports, struct err *err)
{
	struct ifaces *ifs = ifaces_create(ports, 0, err);
	struct ip4_conf conf4 = {.pool = pool, .ifs = ifs};
	struct ip6_conf conf6 = {.pool = pool,
				 .ifs = ifs,
				 .addresses = ports,
				 .nexthops = BED_HOPS,
				 .neighbors = BED_HOPS,
				 .routes = t->r6.count};
	struct ip4_stack *s4;
	struct ip6_stack *s6;
	struct node *in;
	int rc = 0;

	for (uint16_t p = 0; ifs && p < ports; p++)
		rc |= ifaces_port(ifs, p, bed_mac, 1500, err);
	if (!ifs || rc)
		return NULL;
	s4 = ip4_stack_create(&conf4, err);
	s6 = ip6_stack_create(&conf6, err);
	ifaces_unref(ifs);
	if (!s4 || !s6 || fill(s6, t, ports, err))
		return NULL;
	in = ip4_graph_build(g, s4, tx, err);
	return in && !ip6_graph_build(g, s6, tx, err) ? in : NULL;
}
