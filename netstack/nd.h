// SPDX-License-Identifier: BSD-3-Clause
// nd.h - neighbor discovery for IPv6 (RFC 4861, RFC 4862): its messages, nodes and configuration
//
// nd-input takes the ICMPv6 messages 133 to 137 that ip6-local has found to be for us: m->l3 is the
// IPv6 header, m->l4 the ICMPv6 header, whose checksum holds; none came as fragments (RFC 6980).
// nd-hold holds packets whose neighbor is not known, asks for it, makes sure that our addresses are
// ours alone, and advertises the router. What neighbors go through is neigh_state.c's, for ARP as
// well.
//
// Everything that is sent is a finished frame, by the outs (iface.h), on the interface that it is
// about.
#ifndef WEIR_NETSTACK_ND_H
#define WEIR_NETSTACK_ND_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/graph.h"
#include "netstack/icmp6.h"
#include "netstack/ip6.h"
#include "netstack/neigh.h"

struct ip6_stack;

extern const struct neigh_family nd_family;
extern const struct node_def nd_input_node;   // state: the stack
extern const struct node_def nd_hold_node;    // the same, which it frees with the graph
extern const struct node_def nd_learn_node;   // on each of several lcores; state: &s->neighbors
extern const struct node_def nd_resolve_node; // on lcore 0 of several; the same

// Edges: of nd-input the outs, on several lcores then those that tell the others; of nd-hold
// "icmp6-error", the outs, on an lcore but the first then the one that asks lcore 0
// (neigh_lcores.c).
#define ND_INPUT_EDGE_PORT0 0u
#define ND_HOLD_EDGE_PORT0  NEIGH_EDGE_PORT0

// --- from ip6_stack_create() and ip6_stack_destroy() ---

// s->nd for s->addresses_max addresses on s->ifs. 0 or -ENOMEM.
int nd_open(struct ip6_stack *s, struct err *err);
void nd_close(struct ip6_stack *s);

// --- configuration, before the graph runs ---

#define ND_DAD_MAX 10u

// How many times each address is asked for before it is used (RFC 4862, 5.1:
// DupAddrDetectTransmits); 0: it is used at once. After the last ip6_stack_address(), on every
// lcore.
void nd_set_dad(struct ip6_stack *s, unsigned transmits);

struct nd_ra {		     // router advertisements of an interface (RFC 4861, 6.2.1)
	uint16_t interval;   // seconds, at most, between two: 4 to 1800; 0: 600
	uint16_t lifetime;   // as a default router: 0 (none), or interval to 9000 seconds
	bool managed, other; // hosts shall ask DHCPv6 for addresses; for other things
	bool prefixes; // of the interface's addresses are advertised, those of 64 bits for SLAAC
};
#define ND_RA_INTERVAL	   600u
#define ND_RA_INTERVAL_MIN 4u
#define ND_RA_INTERVAL_MAX 1800u
#define ND_RA_LIFETIME_MAX 9000u

// The interface advertises the router, from now on; on every lcore (lcore 0 sends). -EINVAL: a
// value is out of bounds, or IPv6 is not enabled there.
int nd_set_ra(struct ip6_stack *s, uint16_t iface, const struct nd_ra *ra, struct err *err);

// --- while it runs, lcore 0, between turns ---

// The router says on `iface` which addresses it has there (RFC 4861, 7.2.6), since who is on it may
// have forgotten, or look for them elsewhere.
void nd_announce(struct ip6_stack *s, uint16_t iface);

// One of the addresses that turned out to be somebody else's too, and that are not used therefore,
// each once: for people to be told. False: there is none that has not been told.
bool nd_next_duplicate(struct ip6_stack *s, union ip_addr *addr, uint16_t *iface);

// The router is about to end: where it advertises itself it says so (RFC 4861, 6.2.5). One more
// turn sends that.
void nd_end(struct ip6_stack *s);

// --- redirects ---

// From node ip6-lookup: m goes to adjacency `index`. Where it leaves by the interface it came in
// by, that has `redirects`, and its sender reaches the next hop without us, that is told by a
// redirect (RFC 4861, 8.2), emitted by `edge`, which leads to icmp6-error. m stays the caller's.
void nd_redirect(struct node *node, uint8_t edge, const struct mbuf *m, uint32_t index);

// --- the messages; network byte order ---

#define ND_HOPS 255 // of every message: it has passed no router

struct nd_msg { // NS, NA (RFC 4861, 4.3, 4.4)
	uint8_t type, code;
	uint16_t csum;
	uint32_t flags; // of NA
	uint8_t target[16];
} __attribute__((packed));
#define ND_MSG_LEN 24u
static_assert(sizeof(struct nd_msg) == ND_MSG_LEN, "wire format");

// Of nd_msg.flags, host byte order.
#define ND_ROUTER    0x80000000u
#define ND_SOLICITED 0x40000000u
#define ND_OVERRIDE  0x20000000u

struct nd_ra_hdr { // 4.2
	uint8_t type, code;
	uint16_t csum;
	uint8_t hops;
	uint8_t flags;
	uint16_t lifetime;
	uint32_t reachable, retrans;
} __attribute__((packed));
#define ND_RA_LEN 16u
static_assert(sizeof(struct nd_ra_hdr) == ND_RA_LEN, "wire format");

#define ND_RA_MANAGED 0x80
#define ND_RA_OTHER   0x40

// Options (4.6): type, length in units of 8 bytes.
#define ND_OPT_SOURCE 1
#define ND_OPT_TARGET 2
#define ND_OPT_PREFIX 3
#define ND_OPT_MTU    5
#define ND_OPT_NONCE  14 // RFC 7527
#define ND_OPT_UNIT   8u

struct nd_prefix { // 4.6.2
	uint8_t type, len;
	uint8_t plen;
	uint8_t flags;
	uint32_t valid, preferred;
	uint32_t reserved;
	uint8_t prefix[16];
} __attribute__((packed));
#define ND_PREFIX_LEN 32u
static_assert(sizeof(struct nd_prefix) == ND_PREFIX_LEN, "wire format");

#define ND_PREFIX_ONLINK 0x80
#define ND_PREFIX_AUTO	 0x40

#endif
