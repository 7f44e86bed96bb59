// SPDX-License-Identifier: BSD-3-Clause
// ip4_stack.h - what the IPv4 router's nodes share: addresses, prefixes, neighbors of its interfaces
//
// Made by the control path (an application reads its configuration and calls these functions), then
// given to ip4_graph_build(). One lcore owns it. Addresses here are in host byte order; byte order
// elsewhere is said where it differs.
//
// A router on several lcores is a stack each. They are configured by the same calls in the same order;
// the prefix table, which nobody writes then, is lcore 0's and shared. Neighbors, what waits for them and
// the limit of ICMP reports are each lcore's own; neigh_lcores.c says how all learn what one hears.
#ifndef WEIR_NETSTACK_IP4_STACK_H
#define WEIR_NETSTACK_IP4_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/graph.h"
#include "mempool/mempool.h"
#include "netstack/eth.h"
#include "netstack/fib.h"
#include "netstack/fib_node.h"
#include "netstack/iface.h"
#include "netstack/lpm4.h"
#include "netstack/neigh.h"
#include "netstack/reass.h"
#include "netstack/token_bucket.h"
#include "netstack/udp_service.h"

// Used where a struct ip4_conf has 0.
#define IP4_ICMP_RATE	1000u // reports a second
#define IP4_ICMP_BURST	1000u
#define IP4_ARP_TIMEOUT 300u  // seconds
#define IP4_ARP_HOLD	16u   // packets a neighbor
#define IP4_NEIGHBORS	4096u // learnt, beside those of the configuration

struct ip4_conf {
	struct mempool *pool; // packets that nodes make come from here
	struct ifaces *ifs;   // complete; the stack holds a reference
	uint32_t addresses;   // how many will be added, at most
	uint32_t nexthops;    // the same, and
	uint32_t neighbors;   // the same of static neighbors
	uint32_t learnt;      // neighbors to be learnt; 0: the default, as for all that follow
	uint32_t routes;      // a hint
	// The router's routes, with as many lcores as there are; the stack holds a reference. NULL: its
	// own, of `nexthops` and `routes`, or lcore0's.
	struct fib *fib;
	uint32_t icmp_rate, icmp_burst;
	uint32_t arp_timeout;
	uint32_t arp_hold;
	uint32_t reass_packets, reass_timeout; // reass.h
	bool reass_virtual; // fragments that are forwarded are gathered as well
	struct udp_services services; // of ip4-local
	unsigned lcore, lcores;	   // whose stack this is, of how many; 0 lcores: 1
	struct ip4_stack *lcore0;  // of a router on several: lcore 0's stack, which outlives this one's use
};

struct dhcp;

struct ip4_address { // an address of the router and the on-link prefix it stands in
	uint32_t addr;
	uint16_t iface;
	uint8_t plen;
};

#define IP4_FILTER_BITS 12

struct ip4_stack {
	struct lpm4 *lpm; // of the default VRF: to indices of neighbors.adj
	struct neigh_table neighbors;
	struct mempool *pool;
	// A Bloom filter with one hash over addresses no packet may come from: our own and the
	// broadcasts of our prefixes. A hit is looked up in `address`.
	uint64_t filter[(1u << IP4_FILTER_BITS) / 64];
	struct ifaces *ifs;
	struct ip4_address *address;
	uint32_t addresses, addresses_max;
	struct token_bucket icmp;
	struct fib *fib;
	unsigned lcore, lcores;
	bool shares;	// fib is lcore 0's to change
	bool plain;	// no interface is in another VRF, or has its packets' sources checked, or
			// sends redirects
	uint64_t announce[IFACES_MAX / 64]; // interfaces, by bit, whose addresses arp-hold has yet to
	bool announces;			    // announce, and whether there are any
	struct reass_conf reass; // of the nodes that ip4_graph_build() makes
	bool reass_virtual;
	struct udp_services services;
	struct dhcp *dhcp; // dhcp.h; NULL: no interface has a client. Its node's, once there is one
};

// NULL and err when there is no memory or conf is out of bounds.
struct ip4_stack *ip4_stack_create(const struct ip4_conf *conf, struct err *err);
void ip4_stack_destroy(struct ip4_stack *s); // s may be NULL; it holds no packets any longer

// addr/plen of an interface, which can have several. -EINVAL for one that no host can have, -EEXIST when
// the address is there already or its prefix is on another interface, -ENOSPC over conf.addresses.
int ip4_stack_address(struct ip4_stack *s, uint16_t iface, uint32_t addr, uint8_t plen,
		      struct err *err);

// Between turns, or before: the address goes, and its prefix. Neighbors stay as they are.
void ip4_stack_address_remove(struct ip4_stack *s, uint16_t iface, uint32_t addr);

// The next hop `via`, a neighbor on a prefix of `iface`: its index for ip4_stack_route(), or -errno.
// Asking for the same again gives the same index.
int ip4_stack_nexthop(struct ip4_stack *s, uint16_t iface, uint32_t via, struct err *err);

// prefix/plen (no bits beyond plen) by a next hop's index. After the addresses: a route to a prefix
// that is on-link, or to an address of ours, is passed over, since those need no gateway. 0 or
// -errno.
int ip4_stack_route(struct ip4_stack *s, uint32_t prefix, uint8_t plen, uint32_t nexthop,
		    struct err *err);

// A neighbor that is configured: never asked for, never aged. 0 or -errno.
int ip4_stack_neighbor(struct ip4_stack *s, uint16_t iface, uint32_t addr, const uint8_t mac[6],
		       struct err *err);

// Between turns, with the graph built: the router says on `iface` which addresses it has there (RFC 5227, 2.3),
// since who is on it may have forgotten, or look for them elsewhere.
void ip4_stack_announce(struct ip4_stack *s, uint16_t iface);

// The address of `iface` to speak from to `peer` (a neighbor's address): the one whose prefix holds
// it, else the interface's first, else the first of another interface of its VRF (RFC 1812, 4.3.2.4); 0
// when there is none.
uint32_t ip4_stack_source(const struct ip4_stack *s, uint16_t iface, uint32_t peer);

// Whether addr is an address of the router.
bool ip4_stack_mine(const struct ip4_stack *s, uint32_t addr);

// The interface's address that is `addr`, or whose prefix holds it; NULL.
const struct ip4_address *ip4_stack_own(const struct ip4_stack *s, uint16_t iface, uint32_t addr);
const struct ip4_address *ip4_stack_onlink(const struct ip4_stack *s, uint16_t iface, uint32_t addr);

// Whether addr is ours, or a broadcast address of a prefix of ours, in the VRF of `iface`: no packet may
// come from it there.
bool ip4_stack_forbidden_source(const struct ip4_stack *s, uint16_t iface, uint32_t addr);

// The filter in front of it; src in network byte order. False: certainly not forbidden.
static inline uint32_t ip4_filter_bit(uint32_t src)
{
	return (src * 0x9e3779b1u) >> (32 - IP4_FILTER_BITS);
}

static inline bool ip4_filter_hit(const struct ip4_stack *s, uint32_t src)
{
	uint32_t bit = ip4_filter_bit(src);

	return s->filter[bit / 64] >> (bit % 64) & 1;
}

// From process() of ip4-lookup: m will leave by the adjacency. Tells its sender of a better hop, where the
// interface does so and there is one, by `edge`, which leads to icmp-error.
void ip4_redirect(struct node *node, uint8_t edge, const struct mbuf *m, uint32_t index);

// Of an ADJ_MULTI adjacency: the index of the one that m's flow takes (ip4_lookup.c).
uint32_t ip4_choose(const struct adj *multi, const struct mbuf *m);

// The adjacency that m takes (its IPv4 header is at m->l3): what lpm says, of several paths its
// flow's, and on an on-link prefix the neighbor itself, where it is known.
static inline uint32_t ip4_resolve(const struct ip4_stack *s, uint32_t nh, const struct mbuf *m, uint32_t dst)
{
	const struct adj *a;
	uint32_t n;

	if (nh == LPM4_MISS)
		return ADJ_INDEX_NONE;
	a = &s->neighbors.adj[nh];
	if (a->kind == ADJ_MULTI) {
		nh = ip4_choose(a, m);
		a = &s->neighbors.adj[nh];
	}
	if (a->kind != ADJ_GLEAN)
		return nh;
	n = neigh_find4(&s->neighbors, a->iface, dst);
	return n ? n : nh;
}

#endif
