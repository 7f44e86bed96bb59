// SPDX-License-Identifier: BSD-3-Clause
// ip4_stack.c - addresses, routes and neighbors of a router, as its configuration gives them
#include "netstack/ip4_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "netstack/arp.h"
#include "netstack/dhcp.h"
#include "netstack/ip4.h"
#include "netstack/limits.h"

static int check_conf(const struct ip4_conf *c, uint64_t neighbors, struct err *err)
{
	const struct limits l = {neighbors, c->arp_hold, c->pool, "ICMP", c->icmp_rate};

	return limits_check(&l, err);
}

static int make_tables(struct ip4_stack *s, const struct ip4_conf *c, struct err *err)
{
	struct neigh_conf neighbors = {
		.family = &arp_family,
		.stack = s,
		.ifs = c->ifs,
		.pool = c->pool,
		.hops = fib_hops(s->fib),
		.learnt = or_default(c->learnt, IP4_NEIGHBORS) + c->neighbors,
		.hold = or_default(c->arp_hold, IP4_ARP_HOLD),
		.held_max = lcore_share(mempool_count(c->pool) / 8, c->lcore, c->lcores) + 1,
		.reachable = or_default(c->arp_timeout, IP4_ARP_TIMEOUT) * NSEC_PER_SEC,
		.lcore = c->lcore,
	};
	int rc = neigh_init(&s->neighbors, &neighbors, err);

	if (rc)
		return rc;
	s->address = calloc(c->addresses + DHCP_CLIENTS_MAX, sizeof(*s->address));
	if (!s->address)
		return err_set(err, -ENOMEM, "no memory for %u addresses", c->addresses);
	s->lpm = fib_lpm4(s->fib, 0);
	return fib_attach(s->fib, 4, s->lcore, &s->neighbors, err);
}

static struct fib *own_fib(const struct ip4_conf *c, struct err *err)
{
	struct fib_conf conf = {.ifs = c->ifs,
				.hops = c->nexthops,
				.routes4 = c->routes,
				.lcores = c->lcores};

	for (unsigned i = 0; i < c->ifs->n; i++)
		if (c->ifs->iface[i].vrf >= conf.vrfs)
			conf.vrfs = c->ifs->iface[i].vrf + 1u;
	return fib_create(&conf, err);
}

static int make_fib(struct ip4_stack *s, const struct ip4_conf *c, struct err *err)
{
	s->shares = c->lcore0 != NULL;
	if (c->fib)
		s->fib = fib_ref(c->fib);
	else
		s->fib = s->shares ? fib_ref(c->lcore0->fib) : own_fib(c, err);
	s->plain = true;
	for (unsigned i = 0; i < c->ifs->n; i++)
		if (c->ifs->iface[i].vrf || c->ifs->iface[i].urpf || c->ifs->iface[i].redirects)
			s->plain = false;
	return s->fib ? 0 : -ENOMEM;
}

struct ip4_stack *ip4_stack_create(const struct ip4_conf *c, struct err *err)
{
	uint64_t neighbors =
		(uint64_t)or_default(c->learnt, IP4_NEIGHBORS) + c->nexthops + c->neighbors;
	struct ip4_stack *s;

	if (check_conf(c, neighbors, err))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		err_set(err, -ENOMEM, "no memory for a router's tables");
		return NULL;
	}
	s->ifs = ifaces_ref(c->ifs);
	s->lcore = c->lcore;
	if (make_fib(s, c, err) || make_tables(s, c, err)) {
		ip4_stack_destroy(s);
		return NULL;
	}
	s->pool = c->pool;
	s->addresses_max = c->addresses;
	s->lcores = c->lcores ? c->lcores : 1;
	limits_reports(&s->icmp, or_default(c->icmp_rate, IP4_ICMP_RATE),
		       or_default(c->icmp_burst, IP4_ICMP_BURST), c->lcore, c->lcores);
	s->reass_virtual = c->reass_virtual;
	s->services = c->services;
	s->reass = (struct reass_conf){
		.pool = c->pool,
		.ifs = c->ifs,
		.packets = c->reass_packets,
		.timeout = c->reass_timeout,
		.lcore = c->lcore,
		.lcores = c->lcores,
	};
	return s;
}

void ip4_stack_destroy(struct ip4_stack *s)
{
	if (!s)
		return;
	if (s->lpm)
		fib_detach(s->fib, 4, s->lcore);
	neigh_fini(&s->neighbors);
	fib_unref(s->fib);
	ifaces_unref(s->ifs);
	if (s->dhcp && !s->dhcp->node)
		free(s->dhcp);
	free(s->address);
	free(s);
}

static int check_iface(const struct ip4_stack *s, uint16_t iface, struct err *err)
{
	if (iface >= s->ifs->n)
		return err_set(err, -EINVAL, "interface %u: there are %u", iface, s->ifs->n);
	return 0;
}

static int add_prefix(struct ip4_stack *s, uint16_t iface, uint32_t prefix, uint8_t plen,
		      uint32_t index, struct err *err)
{
	union ip_addr to = {.v4 = be32(prefix)};

	return s->shares ? 0 : fib_own(s->fib, 4, s->ifs->iface[iface].vrf, &to, plen, index, err);
}

// The address itself is there, or its prefix is on another interface. Two of a prefix on one are
// fine.
static bool taken(const struct ip4_stack *s, uint16_t iface, uint32_t addr, uint8_t plen)
{
	for (uint32_t i = 0; i < s->addresses; i++) {
		const struct ip4_address *a = &s->address[i];

		if (s->ifs->iface[a->iface].vrf != s->ifs->iface[iface].vrf)
			continue;
		if (a->addr == addr)
			return true;
		if (a->iface != iface && a->plen == plen && plen < 32 &&
		    ((a->addr ^ addr) & ip4_mask(plen)) == 0)
			return true;
	}
	return false;
}

static void filter_add(struct ip4_stack *s, uint32_t addr)
{
	uint32_t bit = ip4_filter_bit(be32(addr));

	s->filter[bit / 64] |= 1ull << (bit % 64);
}

static bool has_broadcast(uint8_t plen)
{
	return plen < 31; // RFC 3021: a /31 is two hosts
}

// One that is forwarded (RFC 2644) has a neighbor's place, that of all.
static int add_forwarded_broadcast(struct ip4_stack *s, uint16_t iface, uint32_t addr,
				   struct err *err)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	union ip_addr a = {.v4 = be32(addr)};
	int rc = neigh_set_static(&s->neighbors, iface, &a, all);

	filter_add(s, addr);
	return rc ? err_set(err, rc, "over %u neighbors and next hops", s->neighbors.size) : 0;
}

static int add_broadcast(struct ip4_stack *s, uint16_t iface, uint32_t addr, struct err *err)
{
	union ip_addr a = {.v4 = be32(addr)};

	filter_add(s, addr);
	if (fib_get(s->fib, 4, s->ifs->iface[iface].vrf, &a, 32) == (int)ADJ_INDEX_LOCAL)
		return 0; // within a longer prefix of ours it is an address
	return add_prefix(s, iface, addr, 32, ADJ_INDEX_BROADCAST, err);
}

// RFC 1812, 4.2.3.1: all ones, and the all zeros of old.
static int add_broadcasts(struct ip4_stack *s, uint16_t iface, uint32_t addr, uint8_t plen,
			  struct err *err)
{
	int rc = has_broadcast(plen) ? add_broadcast(s, iface, addr & ip4_mask(plen), err) : 0;

	if (rc || !has_broadcast(plen))
		return rc;
	if (s->ifs->iface[iface].directed_broadcast)
		return add_forwarded_broadcast(s, iface, addr | ~ip4_mask(plen), err);
	return add_broadcast(s, iface, addr | ~ip4_mask(plen), err);
}

static int check_address(struct ip4_stack *s, uint16_t iface, uint32_t addr, uint8_t plen,
			 struct err *err)
{
	int rc = check_iface(s, iface, err);

	if (rc)
		return rc;
	if (plen == 0 || plen > 32 || !ip4_unicast(addr))
		return err_set(err, -EINVAL, IP4_FMT "/%u is no address of a host", IP4_ARGS(addr),
			       plen);
	if (has_broadcast(plen) &&
	    (addr == (addr & ip4_mask(plen)) || addr == (addr | ~ip4_mask(plen))))
		return err_set(err, -EINVAL, IP4_FMT "/%u is the prefix's broadcast address",
			       IP4_ARGS(addr), plen);
	if (taken(s, iface, addr, plen))
		return err_set(err, -EEXIST,
			       IP4_FMT "/%u: the address or its prefix is on an interface already",
			       IP4_ARGS(addr), plen);
	if (s->addresses == s->addresses_max)
		return err_set(err, -ENOSPC, "over %u addresses", s->addresses_max);
	return 0;
}

int ip4_stack_address(struct ip4_stack *s, uint16_t iface, uint32_t addr, uint8_t plen,
		      struct err *err)
{
	int rc = check_address(s, iface, addr, plen, err);

	if (!rc && plen < 32)
		rc = add_prefix(s, iface, addr & ip4_mask(plen), plen, ADJ_INDEX_GLEAN0 + iface,
				err);
	if (!rc)
		rc = add_broadcasts(s, iface, addr, plen, err);
	if (!rc)
		rc = add_prefix(s, iface, addr, 32, ADJ_INDEX_LOCAL, err);
	if (rc)
		return rc;
	filter_add(s, addr);
	s->address[s->addresses++] = (struct ip4_address){.addr = addr, .iface = iface, .plen = plen};
	return 0;
}

static void filter_again(struct ip4_stack *s)
{
	memset(s->filter, 0, sizeof(s->filter));
	for (uint32_t i = 0; i < s->addresses; i++) {
		const struct ip4_address *a = &s->address[i];

		filter_add(s, a->addr);
		if (has_broadcast(a->plen)) {
			filter_add(s, a->addr & ip4_mask(a->plen));
			filter_add(s, a->addr | ~ip4_mask(a->plen));
		}
	}
}

static void remove_prefix(struct ip4_stack *s, uint16_t iface, uint32_t prefix, uint8_t plen)
{
	union ip_addr from = {.v4 = be32(prefix)};

	if (!s->shares)
		fib_disown(s->fib, 4, s->ifs->iface[iface].vrf, &from, plen, NULL);
}

void ip4_stack_address_remove(struct ip4_stack *s, uint16_t iface, uint32_t addr)
{
	uint32_t i = 0, prefix;
	uint8_t plen;

	while (i < s->addresses && (s->address[i].iface != iface || s->address[i].addr != addr))
		i++;
	if (i == s->addresses)
		return;
	plen = s->address[i].plen;
	prefix = addr & ip4_mask(plen);
	s->address[i] = s->address[--s->addresses];
	remove_prefix(s, iface, addr, 32);
	if (!ip4_stack_onlink(s, iface, addr)) { // else another address needs them
		if (plen < 32)
			remove_prefix(s, iface, prefix, plen);
		if (has_broadcast(plen)) {
			remove_prefix(s, iface, prefix, 32);
			remove_prefix(s, iface, prefix | ~ip4_mask(plen), 32);
		}
	}
	filter_again(s);
}

static int check_neighbor(struct ip4_stack *s, uint16_t iface, uint32_t addr, struct err *err)
{
	int rc = check_iface(s, iface, err);

	if (!rc && (!ip4_unicast(addr) || ip4_stack_forbidden_source(s, iface, addr)))
		rc = err_set(err, -EINVAL,
			     IP4_FMT " is no neighbor's address: it is the router's own, a "
				     "broadcast's, or reserved",
			     IP4_ARGS(addr));
	return rc;
}

int ip4_stack_nexthop(struct ip4_stack *s, uint16_t iface, uint32_t via, struct err *err)
{
	struct fib_route r = {.family = 4,
			      .paths = 1,
			      .path = {{.via.v4 = be32(via), .iface = iface, .weight = 1}}};
	int rc = check_neighbor(s, iface, via, err);

	if (rc)
		return rc;
	rc = fib_hop(s->fib, &r, 0, err); // counted once more, for good
	fib_settle(s->fib);
	return rc;
}

int ip4_stack_route(struct ip4_stack *s, uint32_t prefix, uint8_t plen, uint32_t nexthop,
		    struct err *err)
{
	union ip_addr to = {.v4 = be32(prefix)};

	if (nexthop >= s->neighbors.learnt0 || s->neighbors.adj[nexthop].kind != ADJ_FORWARD)
		return err_set(err, -EINVAL, "next hop %u of a route is not there", nexthop);
	return s->shares ? 0 : fib_route_add_hop(s->fib, 4, 0, &to, plen, nexthop, err);
}

int ip4_stack_neighbor(struct ip4_stack *s, uint16_t iface, uint32_t addr, const uint8_t mac[6],
		       struct err *err)
{
	int rc = check_neighbor(s, iface, addr, err);

	if (rc)
		return rc;
	if (!eth_mac_unicast(mac))
		return err_set(err, -EINVAL,
			       "neighbor " IP4_FMT ": its MAC address is a group's or zero",
			       IP4_ARGS(addr));
	rc = neigh_set_static(&s->neighbors, iface, &(union ip_addr){.v4 = be32(addr)}, mac);
	if (rc)
		return err_set(err, rc, "over %u neighbors and next hops", s->neighbors.size);
	return 0;
}
