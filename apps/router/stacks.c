// SPDX-License-Identifier: BSD-3-Clause
// stacks.c - the stacks of an lcore: addresses and neighbors, from the configuration
#include <errno.h>
#include <string.h>

#include "apps/router/router.h"
#include "core/wire.h"
#include "netstack/dhcp.h"
#include "netstack/nd.h"

static uint32_t count_addresses(const struct blob *b, uint8_t family)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n_addrs; i++)
		n += b->addrs[i].family == family;
	return n;
}

static int add_address(const struct router *r, unsigned lcore, const struct blob_addr *a, struct err *err)
{
	if (a->family == 4)
		return ip4_stack_address(r->ip4[lcore], a->iface, be32(load32(a->addr)), a->plen, err);
	return ip6_stack_address(r->ip6[lcore], a->iface, a->addr, a->plen, err);
}

static int add_neighbor(const struct router *r, unsigned lcore, const struct blob_neighbor *n,
			struct err *err)
{
	if (n->family == 4)
		return ip4_stack_neighbor(r->ip4[lcore], n->iface, be32(load32(n->addr)), n->mac, err);
	if (!r->ip6[lcore])
		return err_set(err, -EINVAL, "an IPv6 neighbor, but no interface has an IPv6 address");
	return ip6_stack_neighbor(r->ip6[lcore], n->iface, n->addr, n->mac, err);
}

static int make_ip4(struct app_lcore *l, struct err *err)
{
	const struct app *app = l->app;
	struct router *r = router_of(app);
	const struct blob *b = &app->blob;
	struct ip4_conf conf = {
		.pool = app->pool,
		.ifs = r->ifs,
		.fib = r->fib,
		.addresses = count_addresses(b, 4),
		.neighbors = b->n_neighbors,
		.icmp_rate = b->params->icmp_rate,
		.icmp_burst = b->params->icmp_burst,
		.arp_timeout = b->params->arp_timeout,
		.arp_hold = b->params->arp_hold,
		.reass_packets = b->params->reass_packets,
		.reass_timeout = b->params->reass_timeout,
		.reass_virtual = b->params->reass_flags & BLOB_REASS_VIRTUAL,
		.services = {.echo = b->params->echo_port, .twamp = b->params->twamp_port},
		.lcore = l->id,
		.lcores = app->lcores,
		.lcore0 = r->ip4[0],
	};

	r->ip4[l->id] = ip4_stack_create(&conf, err);
	return r->ip4[l->id] ? 0 : -EINVAL;
}

static int make_ip6(struct app_lcore *l, struct err *err)
{
	const struct app *app = l->app;
	struct router *r = router_of(app);
	const struct blob *b = &app->blob;
	struct ip6_conf conf = {
		.pool = app->pool,
		.ifs = r->ifs,
		.fib = r->fib,
		.addresses = count_addresses(b, 6),
		.neighbors = b->n_neighbors,
		.icmp_rate = b->params->icmp_rate,
		.icmp_burst = b->params->icmp_burst,
		.nd_reachable = b->params->nd_reachable,
		.nd_hold = b->params->nd_hold,
		.reass_packets = b->params->reass_packets,
		.reass_timeout = b->params->reass_timeout,
		.reass_virtual = b->params->reass_flags & BLOB_REASS_VIRTUAL,
		// A capture played again gives the same packets again.
		.seed = l->loop.clock.kind == CLOCK_CAPTURE ? 1 + l->id : 0,
		.services = {.echo = b->params->echo_port, .twamp = b->params->twamp_port},
		.lcore = l->id,
		.lcores = app->lcores,
		.lcore0 = r->ip6[0],
	};

	if (!conf.addresses)
		return 0;
	r->ip6[l->id] = ip6_stack_create(&conf, err);
	return r->ip6[l->id] ? 0 : -EINVAL;
}

static int set_ra(struct ip6_stack *s, const struct blob *b, struct err *err)
{
	int rc = 0;

	for (uint16_t i = 0; !rc && i < b->n_ifaces; i++) {
		const struct blob_iface *f = &b->ifaces[i];
		struct nd_ra ra = {
			.interval = f->ra_interval,
			.lifetime = f->ra_lifetime,
			.managed = f->flags & BLOB_IFACE_RA_MANAGED,
			.other = f->flags & BLOB_IFACE_RA_OTHER,
			.prefixes = f->flags & BLOB_IFACE_RA_PREFIXES,
		};

		if (f->ra_interval)
			rc = nd_set_ra(s, i, &ra, err);
	}
	return rc;
}

int router_stacks(struct app_lcore *l, struct err *err)
{
	struct router *r = router_of(l->app);
	const struct blob *b = &l->app->blob;
	int rc = make_ip4(l, err);

	if (!rc)
		rc = make_ip6(l, err);
	for (uint32_t i = 0; !rc && i < b->n_addrs; i++)
		rc = add_address(r, l->id, &b->addrs[i], err);
	for (uint32_t i = 0; !rc && i < b->n_neighbors; i++)
		rc = add_neighbor(r, l->id, &b->neighbors[i], err);
	for (uint16_t i = 0; !rc && i < b->n_ifaces; i++)
		if (b->ifaces[i].flags & BLOB_IFACE_DHCP)
			rc = dhcp_add(r->ip4[l->id], i, err);
	if (rc || !r->ip6[l->id])
		return rc;
	nd_set_dad(r->ip6[l->id], b->params->nd_dad);
	return set_ra(r->ip6[l->id], b, err);
}
