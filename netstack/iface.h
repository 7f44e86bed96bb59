// SPDX-License-Identifier: BSD-3-Clause
// iface.h - interfaces: what addresses, routes and neighbors belong to
//
// An interface is a port, or something made of ports. Those of a router are numbered: 0 and on the
// ports, as the application numbers them, behind these the others. Node eth-input finds the interface
// a frame came in by and writes its number into mbuf.port, where a driver has put the port's; from
// there on no node speaks of ports.
//
// An interface sends by one of the `outs` of its router: the nodes that take finished frames, those
// of the ports first. Every node that sends has an edge to each: XXX_EDGE_PORT0 + iface.tx.
//
// Made by the control path before the stacks that use it; the data path only reads. All lcores share
// one table. Reference counted, by the main thread.
#ifndef WEIR_NETSTACK_IFACE_H
#define WEIR_NETSTACK_IFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "mempool/mbuf.h"
#include "netstack/eth.h"

#define IFACES_MAX	1024u
#define IFACE_PORTS_MAX 64u
#define IFACE_OUTS_MAX	96u // ports, and what else takes finished frames

#define IFACE_TAGS_MAX 2u
#define IFACE_HLEN_MAX (ETH_HLEN + 4 * IFACE_TAGS_MAX)

#define IFACE_MTU_MIN 68u // RFC 791, 3.2: what every link carries

struct iface {
	uint64_t mac48; // the same as mac, for comparing
	uint8_t mac[6];
	uint16_t mtu;	  // IP bytes
	uint16_t tx;	  // which of the outs it sends by
	uint16_t vrf;	  // 0: the default one
	uint8_t hlen;	  // of the Ethernet header of what it sends: 14, 18 or 22
	uint8_t tag[8];	  // what stands between source address and EtherType: hlen - 14 bytes
};

struct ifaces {
	unsigned ports; // the first of them are
	unsigned n;	// in all
	unsigned outs;
	unsigned refs;
	struct iface iface[];
};

// A table of `ports` ports and room for `more` interfaces. Each port is its own interface, not yet
// set. NULL and err when there are too many, or no memory.
struct ifaces *ifaces_create(unsigned ports, unsigned more, struct err *err);
struct ifaces *ifaces_ref(struct ifaces *ifs);
void ifaces_unref(struct ifaces *ifs); // may be NULL

// Port number `port` with its MAC address, unicast, and its MTU. 0 or -EINVAL.
int ifaces_port(struct ifaces *ifs, uint16_t port, const uint8_t mac[6], uint16_t mtu,
		struct err *err);

// Moves the front of m so that hlen bytes stand before its network header (m->l3), whatever was there.
void iface_make_room(struct mbuf *m, uint16_t hlen);

// Puts the Ethernet header of a frame of `type` (host byte order) from the interface to the station
// `to` right in front of m's network header (m->l3).
void iface_put_eth(const struct iface *i, struct mbuf *m, const uint8_t to[6], uint16_t type);

#endif
