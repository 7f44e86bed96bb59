// SPDX-License-Identifier: BSD-3-Clause
// ip6_stack.c - addresses, routes and neighbors of an IPv6 router, as its configuration gives them
#include "netstack/ip6_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/plat.h"
#include "netstack/limits.h"
#include "netstack/mld.h"
#include "netstack/nd.h"

static int check_conf(const struct ip6_conf *c, uint64_t neighbors, struct err *err)
{
	const struct limits l = {neighbors, c->nd_hold, c->pool, "ICMPv6", c->icmp_rate};

	return limits_check(&l, err);
}

static int make_tables(struct ip6_stack *s, const struct ip6_conf *c, struct err *err)
{
	struct neigh_conf neighbors = {
		.family = &nd_family,
		.stack = s,
		.ifs = c->ifs,
		.pool = c->pool,
		.hops = fib_hops(s->fib),
		.learnt = or_default(c->learnt, IP6_NEIGHBORS) + c->neighbors,
		.hold = or_default(c->nd_hold, IP6_ND_HOLD),
		.held_max = lcore_share(mempool_count(c->pool) / 8, c->lcore, c->lcores) + 1,
		.reachable = or_default(c->nd_reachable, IP6_ND_REACHABLE) * NSEC_PER_SEC,
		.lcore = c->lcore,
	};
	int rc = neigh_init(&s->neighbors, &neighbors, err);

	if (rc)
		return rc;
	s->configured_max = c->addresses;
	// Each address brings an anycast address, each interface a link-local one.
	s->addresses_max = 2 * c->addresses + c->ifs->n;
	s->address = calloc(s->addresses_max, sizeof(*s->address));
	s->first = malloc(c->ifs->n * sizeof(*s->first));
	s->mld = calloc(c->ifs->n, sizeof(*s->mld));
	if (!s->address || !s->first || !s->mld)
		return err_set(err, -ENOMEM, "no memory for %u addresses", c->addresses);
	for (unsigned i = 0; i < c->ifs->n; i++) {
		s->first[i] = IP6_ADDRESS_NONE;
		s->mld[i].due = c->lcore ? TIME_NEVER : 0;
		s->mld[i].changes = c->lcore ? 0 : MLD_ROBUSTNESS;
	}
	s->lpm = fib_lpm6(s->fib, 0);
	rc = fib_attach(s->fib, 6, s->lcore, &s->neighbors, err);
	s->attached = !rc;
	return rc ? rc : nd_open(s, err);
}

static struct fib *own_fib(const struct ip6_conf *c, struct err *err)
{
	struct fib_conf conf = {
		.ifs = c->ifs, .hops = c->nexthops, .routes6 = c->routes, .lcores = c->lcores};

	for (unsigned i = 0; i < c->ifs->n; i++)
		if (c->ifs->iface[i].vrf >= conf.vrfs)
			conf.vrfs = c->ifs->iface[i].vrf + 1u;
	return fib_create(&conf, err);
}

static int make_fib(struct ip6_stack *s, const struct ip6_conf *c, struct err *err)
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

static int seed(struct ip6_stack *s, const struct ip6_conf *c, struct err *err)
{
	int rc = c->seed ? 0 : plat_entropy(&s->random, sizeof(s->random));

	if (c->seed)
		s->random = c->seed;
	return rc ? err_set(err, rc, "no random number for fragments and delays") : 0;
}

struct ip6_stack *ip6_stack_create(const struct ip6_conf *c, struct err *err)
{
	uint64_t neighbors =
		(uint64_t)or_default(c->learnt, IP6_NEIGHBORS) + c->nexthops + c->neighbors;
	struct ip6_stack *s;

	if (check_conf(c, neighbors, err))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		err_set(err, -ENOMEM, "no memory for a router's tables");
		return NULL;
	}
	s->ifs = ifaces_ref(c->ifs);
	s->pool = c->pool;
	s->lcore = c->lcore;
	if (seed(s, c, err) || make_fib(s, c, err) || make_tables(s, c, err)) {
		ip6_stack_destroy(s);
		return NULL;
	}
	s->lcores = c->lcores ? c->lcores : 1;
	limits_reports(&s->icmp, or_default(c->icmp_rate, IP6_ICMP_RATE),
		       or_default(c->icmp_burst, IP6_ICMP_BURST), c->lcore, c->lcores);
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

void ip6_stack_destroy(struct ip6_stack *s)
{
	if (!s)
		return;
	nd_close(s);
	if (s->attached)
		fib_detach(s->fib, 6, s->lcore);
	neigh_fini(&s->neighbors);
	fib_unref(s->fib);
	ifaces_unref(s->ifs);
	free(s->address);
	free(s->first);
	free(s->mld);
	free(s);
}

static int check_iface(const struct ip6_stack *s, uint16_t iface, struct err *err)
{
	if (iface >= s->ifs->n)
		return err_set(err, -EINVAL, "interface %u: there are %u", iface, s->ifs->n);
	if (s->ifs->iface[iface].mtu < IP6_MTU_MIN)
		return err_set(err, -EINVAL, "interface %u: an MTU of %u, IPv6 needs %u", iface,
			       s->ifs->iface[iface].mtu, IP6_MTU_MIN);
	return 0;
}

static uint16_t vrf_of(const struct ip6_stack *s, uint16_t iface)
{
	return s->ifs->iface[iface].vrf;
}

static int add_prefix(struct ip6_stack *s, uint16_t iface, const union ip_addr *prefix,
		      uint8_t plen, uint32_t index, struct err *err)
{
	return s->shares ? 0 : fib_own(s->fib, 6, vrf_of(s, iface), prefix, plen, index, err);
}

static void filter_add(struct ip6_stack *s, const uint8_t addr[16])
{
	uint32_t bit = ip6_filter_bit(addr);

	s->filter[bit / 64] |= 1ull << (bit % 64);
}

// Link-local ones come first in their interface's list, others last.
static void put(struct ip6_stack *s, struct ip6_address a)
{
	uint32_t *link = &s->first[a.iface], i = s->addresses++;

	while (*link != IP6_ADDRESS_NONE && !ip6_link_local(a.addr.v6))
		link = &s->address[*link].next;
	a.next = *link;
	*link = i;
	s->address[i] = a;
	filter_add(s, a.addr.v6);
}

// The interface's link-local address of our making, which one of the configuration takes the place
// of.
static struct ip6_address *made_link_local(struct ip6_stack *s, uint16_t iface)
{
	union ip_addr made = ip6_link_local_of(s->ifs->iface[iface].mac);

	for (uint32_t i = s->first[iface]; i != IP6_ADDRESS_NONE; i = s->address[i].next)
		if (s->address[i].made && ip_addr_equal(&s->address[i].addr, &made))
			return &s->address[i];
	return NULL;
}

int ip6_stack_enable(struct ip6_stack *s, uint16_t iface, struct err *err)
{
	int rc = check_iface(s, iface, err);

	if (rc || ip6_stack_enabled(s, iface))
		return rc;
	put(s, (struct ip6_address){.addr = ip6_link_local_of(s->ifs->iface[iface].mac),
				    .iface = iface,
				    .plen = 64,
				    .made = true});
	return 0;
}

// The address itself is there, or its prefix is on another interface. Two of a prefix on one are
// fine; fe80::/10 is on every one.
static bool taken(const struct ip6_stack *s, uint16_t iface, const uint8_t addr[16], uint8_t plen)
{
	for (uint32_t i = 0; i < s->addresses; i++) {
		const struct ip6_address *a = &s->address[i];

		if (ip6_link_local(addr) ? a->iface != iface
					 : vrf_of(s, a->iface) != vrf_of(s, iface))
			continue;
		if (ip6_equal(a->addr.v6, addr) && !a->anycast && !a->made)
			return true;
		if (a->iface != iface && a->plen == plen && plen < 128 &&
		    ip6_prefix_equal(a->addr.v6, addr, plen))
			return true;
	}
	return false;
}

// RFC 4291, 2.6.1; not where two routers have a link to themselves (RFC 6164, 5).
static bool has_anycast(const uint8_t addr[16], uint8_t plen)
{
	return plen < 127 && !ip6_link_local(addr);
}

static int check_address(struct ip6_stack *s, const uint8_t addr[16], uint8_t plen, uint16_t iface,
			 struct err *err)
{
	union ip_addr prefix = ip6_prefix(addr, plen < 128 ? plen : 128);
	char text[IP6_TEXT_MAX];
	int rc = check_iface(s, iface, err);

	if (rc)
		return rc;
	ip6_text(text, addr);
	if (plen == 0 || plen > 128 || !ip6_unicast(addr))
		return err_set(err, -EINVAL, "%s/%u is no address of a host", text, plen);
	if (has_anycast(addr, plen) && ip6_equal(addr, prefix.v6))
		return err_set(err, -EINVAL, "%s/%u is the anycast address of the prefix's routers",
			       text, plen);
	if (taken(s, iface, addr, plen))
		return err_set(err, -EEXIST,
			       "%s/%u: the address or its prefix is on an interface already", text,
			       plen);
	if (s->configured == s->configured_max)
		return err_set(err, -ENOSPC, "over %u addresses", s->configured_max);
	return 0;
}

static void add_link_local(struct ip6_stack *s, uint16_t iface, const uint8_t addr[16],
			   uint8_t plen)
{
	struct ip6_address *a = made_link_local(s, iface);

	if (!a) {
		put(s, (struct ip6_address){.addr = ip6_addr(addr), .iface = iface, .plen = plen});
		return;
	}
	a->addr = ip6_addr(addr);
	a->plen = plen;
	a->made = false;
	filter_add(s, addr);
}

static int add_global(struct ip6_stack *s, uint16_t iface, const uint8_t addr[16], uint8_t plen,
		      struct err *err)
{
	struct ip6_address a = {.addr = ip6_addr(addr), .iface = iface, .plen = plen};
	union ip_addr prefix = ip6_prefix(addr, plen);
	int rc = 0;

	if (plen < 128)
		rc = add_prefix(s, iface, &prefix, plen, ADJ_INDEX_GLEAN0 + iface, err);
	if (!rc)
		rc = add_prefix(s, iface, &a.addr, 128, ADJ_INDEX_LOCAL, err);
	if (!rc && has_anycast(addr, plen))
		rc = add_prefix(s, iface, &prefix, 128, ADJ_INDEX_LOCAL, err);
	if (rc)
		return rc;
	put(s, a);
	a.addr = prefix;
	a.anycast = true;
	if (has_anycast(addr, plen) && !ip6_stack_find(s, iface, prefix.v6))
		put(s, a);
	return 0;
}

int ip6_stack_address(struct ip6_stack *s, uint16_t iface, const uint8_t addr[16], uint8_t plen,
		      struct err *err)
{
	int rc = check_address(s, addr, plen, iface, err);

	if (!rc)
		rc = ip6_stack_enable(s, iface, err);
	if (!rc && ip6_link_local(addr))
		add_link_local(s, iface, addr, plen);
	else if (!rc)
		rc = add_global(s, iface, addr, plen, err);
	s->configured += !rc;
	return rc;
}

static int check_neighbor(struct ip6_stack *s, uint16_t iface, const uint8_t addr[16],
			  struct err *err)
{
	int rc = check_iface(s, iface, err);
	char text[IP6_TEXT_MAX];

	if (!rc && (!ip6_unicast(addr) || ip6_stack_find(s, iface, addr)))
		rc = err_set(err, -EINVAL,
			     "%s is no neighbor's address: it is the router's own, a group's, or "
			     "reserved",
			     ip6_text(text, addr));
	return rc;
}

int ip6_stack_nexthop(struct ip6_stack *s, uint16_t iface, const uint8_t via[16], struct err *err)
{
	struct fib_route r = {
		.family = 6,
		.paths = 1,
		.path = {{.via = ip6_addr(via), .iface = iface, .weight = 1}},
	};
	int rc = check_neighbor(s, iface, via, err);

	if (rc)
		return rc;
	rc = fib_hop(s->fib, &r, 0, err); // counted once more, for good
	fib_settle(s->fib);
	return rc;
}

int ip6_stack_route(struct ip6_stack *s, const uint8_t prefix[16], uint8_t plen, uint32_t nexthop,
		    struct err *err)
{
	const union ip_addr to = ip6_addr(prefix);

	if (nexthop >= s->neighbors.learnt0 || s->neighbors.adj[nexthop].kind != ADJ_FORWARD)
		return err_set(err, -EINVAL, "next hop %u of a route is not there", nexthop);
	return s->shares ? 0 : fib_route_add_hop(s->fib, 6, 0, &to, plen, nexthop, err);
}

int ip6_stack_neighbor(struct ip6_stack *s, uint16_t iface, const uint8_t addr[16],
		       const uint8_t mac[6], struct err *err)
{
	const union ip_addr key = ip6_addr(addr);
	int rc = check_neighbor(s, iface, addr, err);
	char text[IP6_TEXT_MAX];

	if (rc)
		return rc;
	if (!eth_mac_unicast(mac))
		return err_set(err, -EINVAL, "neighbor %s: its MAC address is a group's or zero",
			       ip6_text(text, addr));
	rc = neigh_set_static(&s->neighbors, iface, &key, mac);
	if (rc)
		return err_set(err, rc, "over %u neighbors and next hops", s->neighbors.size);
	return 0;
}

// splitmix64 over a secret that is its state.
uint64_t ip6_stack_random(struct ip6_stack *s)
{
	uint64_t x = s->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}
