// SPDX-License-Identifier: BSD-3-Clause
// dhcp.h - a DHCP client (RFC 2131, RFC 2132): an interface gets its IPv4 address and default route
//
// One an interface, in node "dhcp", which ip4_graph_build() adds when there is any. A client asks, looks by ARP
// whether the address is free (RFC 5227, 2.1), takes it, renews it at half its time, asks anybody at
// seven eighths, and gives it up when its time is over or the server takes it back. What servers say is not
// trusted: an answer is one to the last question, of sound lengths, with an address, a mask and a gateway that a
// host can have there; a lease lasts a minute at least.
//
// Addresses change between turns of lcore 0, so a router with a DHCP client has one lcore.
#ifndef WEIR_NETSTACK_DHCP_H
#define WEIR_NETSTACK_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/graph.h"
#include "netstack/ip4.h"

#define DHCP_CLIENTS_MAX 16u

#define DHCP_SERVER_PORT 67u
#define DHCP_CLIENT_PORT 68u

struct ip4_stack;

enum dhcp_state {
	DHCP_INIT,
	DHCP_SELECTING,
	DHCP_REQUESTING,
	DHCP_CHECKING, // granted; somebody else might have it
	DHCP_BOUND,
	DHCP_RENEWING,
	DHCP_REBINDING,
};

struct dhcp_lease { // addresses in host byte order; times in ns
	uint32_t addr, server, router; // router 0: none
	uint8_t plen;
	uint64_t t1, t2, end; // since the request
};

struct dhcp_client {
	uint16_t iface;
	uint8_t state; // enum dhcp_state
	uint8_t tries;
	bool routed; // the default route is ours
	bool leaving; // the address goes with the next housekeeping
	uint32_t xid;
	uint64_t due, began, asked; // began: of the first question, for `secs`; asked: of the last request
	uint64_t leased;	    // when the request was sent that the lease counts from
	struct dhcp_lease lease, offer;
};

struct dhcp {
	struct ip4_stack *s;
	struct node *node;
	uint64_t random;
	unsigned n;
	struct dhcp_client client[DHCP_CLIENTS_MAX];
};

// The interface gets its address by DHCP. Before ip4_graph_build(). 0; -EINVAL with several lcores, or
// buffers too small for a message; -ENOSPC over DHCP_CLIENTS_MAX; -ENOMEM.
int dhcp_add(struct ip4_stack *s, uint16_t iface, struct err *err);

// Whether m, whose IPv4 header is sound, is for the client of its interface; m->l4 is then set.
bool dhcp_wants(const struct dhcp *d, struct mbuf *m, const struct ip4_hdr *ip);

// By arp-input: somebody on the interface has the address (network byte order).
void dhcp_heard(struct dhcp *d, uint16_t iface, uint32_t addr);

extern const struct node_def dhcp_node;
#define DHCP_EDGE_PORT0 1u

// --- dhcp_message.c ---

#define DHCP_DISCOVER 1
#define DHCP_OFFER    2
#define DHCP_REQUEST  3
#define DHCP_DECLINE  4
#define DHCP_ACK      5
#define DHCP_NAK      6

// What a server says.
struct dhcp_answer {
	uint8_t type;
	struct dhcp_lease lease;
};

// Writes a message of `type` from the client into m, which is empty: behind room for an Ethernet header,
// IPv4 (to all, unless the client renews), UDP, DHCP. m->l3 is set.
void dhcp_write(struct mbuf *m, const struct dhcp *d, const struct dhcp_client *c, uint8_t type,
		uint64_t now);

// Reads an answer to c's question. False: it is none, or says what cannot be.
bool dhcp_read(const struct mbuf *m, const struct dhcp *d, const struct dhcp_client *c,
	       struct dhcp_answer *a);

#endif
