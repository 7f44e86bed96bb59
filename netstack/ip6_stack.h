// SPDX-License-Identifier: BSD-3-Clause
// ip6_stack.h - what the IPv6 router's nodes share: addresses, prefixes, neighbors of its
// interfaces
//
// As ip4_stack.h: made by the control path, then given to ip6_graph_build(); one lcore owns it; on
// several lcores each has its own, configured by the same calls in the same order, with the routes of
// lcore 0. Addresses are 16 bytes as on the wire.
//
// An interface takes part once ip6_stack_enable() or ip6_stack_address() named it. It then has a
// link-local address, fe80:: and the EUI-64 of its MAC address, unless it was given another.
// Link-local addresses are in no prefix table: they mean something on their link only, and are
// looked for there.
#ifndef WEIR_NETSTACK_IP6_STACK_H
#define WEIR_NETSTACK_IP6_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/graph.h"
#include "mempool/mempool.h"
#include "netstack/fib.h"
#include "netstack/fib_node.h"
#include "netstack/iface.h"
#include "netstack/ip6.h"
#include "netstack/lpm6.h"
#include "netstack/neigh.h"
#include "netstack/reass.h"
#include "netstack/token_bucket.h"
#include "netstack/udp_service.h"

// Used where a struct ip6_conf has 0.
#define IP6_ICMP_RATE	 1000u // reports a second
#define IP6_ICMP_BURST	 1000u
#define IP6_ND_REACHABLE 30u   // seconds (RFC 4861, 10)
#define IP6_ND_HOLD	 16u   // packets a neighbor
#define IP6_NEIGHBORS	 4096u // learnt, beside those of the configuration

struct ip6_conf {
	struct mempool *pool; // packets that nodes make come from here
	struct ifaces *ifs;   // complete; the stack holds a reference
	uint32_t addresses;   // how many will be added, at most, link-local ones not counted
	uint32_t nexthops;    // the same, and
	uint32_t neighbors;   // the same of static neighbors
	uint32_t learnt;      // neighbors to be learnt; 0: the default, as for all that follow
	uint32_t routes;      // a hint
	// The router's routes, with as many lcores as there are; the stack holds a reference. NULL: its
	// own, of `nexthops` and `routes`, or lcore0's.
	struct fib *fib;
	uint32_t icmp_rate, icmp_burst;
	uint32_t reass_packets, reass_timeout; // reass.h
	bool reass_virtual; // fragments that are forwarded are gathered as well
	struct udp_services services; // of ip6-local
	uint32_t nd_reachable; // seconds
	uint32_t nd_hold;
	uint64_t seed; // of random delays and identifications, for who repeats a run; 0: random
	unsigned lcore, lcores; // whose stack this is, of how many; 0 lcores: 1
	struct ip6_stack
		*lcore0; // of a router on several: lcore 0's stack, which outlives this one's use
};

enum ip6_address_state {
	IP6_VALID,
	IP6_TENTATIVE, // duplicate address detection runs (RFC 4862, 5.4): not used, not answered
		       // for
	IP6_DUPLICATE, // somebody else has it: the same, for good
};

#define IP6_ADDRESS_NONE UINT32_MAX

struct ip6_address { // an address of the router and the on-link prefix it stands in
	union ip_addr addr;
	uint32_t next; // of the same interface; IP6_ADDRESS_NONE ends
	uint16_t iface;
	uint8_t plen;
	uint8_t state;
	bool anycast; // the subnet-router's (RFC 4291, 2.6.1): answered for, never spoken from
	bool made;    // the link-local one of the MAC address
};

#define IP6_FILTER_BITS 12

struct mld;
struct nd;

struct ip6_stack {
	struct lpm6 *lpm; // of the default VRF: to indices of neighbors.adj
	struct neigh_table neighbors;
	struct mempool *pool;
	// A Bloom filter with one hash over our own addresses, which no packet may come from. A hit
	// is looked up in `address`.
	uint64_t filter[(1u << IP6_FILTER_BITS) / 64];
	struct ifaces *ifs;
	struct ip6_address *address;
	uint32_t *first; // of each interface's addresses, link-local first; IP6_ADDRESS_NONE:
			 // without IPv6
	uint32_t addresses, addresses_max;
	uint32_t configured, configured_max; // of these, by ip6_stack_address()
	struct token_bucket icmp;
	uint64_t random;   // state of ip6_stack_random()
	struct fib *fib;
	struct reass_conf reass; // of the nodes that ip6_graph_build() makes
	bool reass_virtual;
	struct udp_services services;
	struct mld *mld;   // an interface each (mld.h)
	struct node *mld_node;
	struct nd *nd; // neighbor discovery (nd.h)
	unsigned lcore, lcores;
	bool attached; // neighbors to fib
	bool shares;   // fib is lcore 0's to change
	bool plain;    // no interface is in another VRF, has its packets' sources checked, or
		       // sends redirects
};

// NULL and err when there is no memory or conf is out of bounds.
struct ip6_stack *ip6_stack_create(const struct ip6_conf *conf, struct err *err);
void ip6_stack_destroy(struct ip6_stack *s); // s may be NULL; it holds no packets any longer

// IPv6 on an interface, with a link-local address of its own making. 0 or -errno; twice is fine. An
// MTU under 1280 is refused: such a link cannot carry IPv6 (RFC 8200, 5).
int ip6_stack_enable(struct ip6_stack *s, uint16_t iface, struct err *err);

// addr/plen of an interface, which can have several. One in fe80::/10 takes the place of the
// link-local address of the EUI-64: it comes before others. -EINVAL for one that no host can have,
// -EEXIST when the address is there already or its prefix is on another interface, -ENOSPC over
// conf.addresses.
int ip6_stack_address(struct ip6_stack *s, uint16_t iface, const uint8_t addr[16], uint8_t plen,
		      struct err *err);

// The next hop `via`, a neighbor on a prefix of `iface` or link-local: its index for
// ip6_stack_route(), or -errno. Asking for the same again gives the same index.
int ip6_stack_nexthop(struct ip6_stack *s, uint16_t iface, const uint8_t via[16], struct err *err);

// prefix/plen (no bits beyond plen) by a next hop's index. After the addresses: a route to a prefix
// that is on-link, or to an address of ours, is passed over. 0 or -errno.
int ip6_stack_route(struct ip6_stack *s, const uint8_t prefix[16], uint8_t plen, uint32_t nexthop,
		    struct err *err);

// A neighbor that is configured: never asked for, never aged. 0 or -errno.
int ip6_stack_neighbor(struct ip6_stack *s, uint16_t iface, const uint8_t addr[16],
		       const uint8_t mac[6], struct err *err);

static inline bool ip6_stack_enabled(const struct ip6_stack *s, uint16_t iface)
{
	return s->first[iface] != IP6_ADDRESS_NONE;
}

// The interface's address that is `addr` in whatever state, or whose prefix holds it (never a
// link-local one); NULL.
const struct ip6_address *ip6_stack_own(const struct ip6_stack *s, uint16_t iface,
					const uint8_t addr[16]);
const struct ip6_address *ip6_stack_onlink(const struct ip6_stack *s, uint16_t iface,
					   const uint8_t addr[16]);

// Our address `addr`, on whichever interface of iface's VRF, and a link-local one on iface; NULL.
const struct ip6_address *ip6_stack_find(const struct ip6_stack *s, uint16_t iface,
					 const uint8_t addr[16]);

// The interface's link-local address, valid; NULL.
const struct ip6_address *ip6_stack_link_local(const struct ip6_stack *s, uint16_t iface);

// The address to speak from to `dst` by `iface` (RFC 6724, 5, the rules that apply to a router:
// scope, label, longest common prefix): one of the interface's, or if none has dst's scope, of
// another's. NULL when there is none.
const struct ip6_address *ip6_stack_source(const struct ip6_stack *s, uint16_t iface,
					   const uint8_t dst[16]);

// Whether the interface listens to a group: all nodes, all routers, and the solicited-node groups
// of its addresses in whatever state (RFC 4291, 2.8).
bool ip6_stack_listens(const struct ip6_stack *s, uint16_t iface, const uint8_t group[16]);

// Whether addr is ours: no packet may come from it. iface: where the packet came in, for link-local
// ones.
bool ip6_stack_forbidden_source(const struct ip6_stack *s, uint16_t iface, const uint8_t addr[16]);

// The filter in front of it. False: certainly not forbidden.
static inline uint32_t ip6_filter_bit(const uint8_t src[16])
{
	uint64_t x = load64(src) ^ (load64(src + 8) << 1 | load64(src + 8) >> 63);

	return (uint32_t)((x * 0x9e3779b97f4a7c15ull) >> (64 - IP6_FILTER_BITS));
}

static inline bool ip6_filter_hit(const struct ip6_stack *s, const uint8_t src[16])
{
	uint32_t bit = ip6_filter_bit(src);

	return s->filter[bit / 64] >> (bit % 64) & 1;
}

// Of an ADJ_MULTI adjacency: the index of the one that m's flow takes (ip6_lookup.c).
uint32_t ip6_choose(const struct adj *multi, const struct mbuf *m);

// The adjacency that m takes (its IPv6 header is at m->l3; dst is unicast and not link-local): what the
// prefix table says, of several paths its flow's, and on an on-link prefix the neighbor itself, where it
// is known.
static inline uint32_t ip6_resolve(const struct ip6_stack *s, uint32_t nh, const struct mbuf *m,
				   const uint8_t dst[16])
{
	union ip_addr key;
	const struct adj *a;
	uint32_t n;

	if (nh == LPM6_MISS)
		return ADJ_INDEX_NONE;
	a = &s->neighbors.adj[nh];
	if (a->kind == ADJ_MULTI) {
		nh = ip6_choose(a, m);
		a = &s->neighbors.adj[nh];
	}
	if (a->kind != ADJ_GLEAN)
		return nh;
	key = ip6_addr(dst);
	n = neigh_find6(&s->neighbors, a->iface, &key);
	return n ? n : nh;
}

// The same, looked for in the VRF of the interface m came in by, or is about.
static inline uint32_t ip6_route_of(const struct ip6_stack *s, const struct mbuf *m,
				    const uint8_t dst[16])
{
	const struct lpm6 *lpm = fib_lpm6(s->fib, s->ifs->iface[m->port].vrf);

	return ip6_resolve(s, lpm6_lookup(lpm, dst), m, dst);
}

// A number that cannot be told from those before by who does not know the seed (RFC 7739, 5.3; of
// delays the quality hardly matters).
uint64_t ip6_stack_random(struct ip6_stack *s);

#endif
