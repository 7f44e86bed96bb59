// SPDX-License-Identifier: BSD-3-Clause
// arp.h - ARP for IPv4 over Ethernet (RFC 826): the packet, and what the neighbor table needs of it
#ifndef WEIR_NETSTACK_ARP_H
#define WEIR_NETSTACK_ARP_H

#include <assert.h>
#include <stdint.h>

#include "core/graph.h"
#include "netstack/eth.h"
#include "netstack/iface.h"
#include "netstack/neigh.h"

#define ARP_HTYPE_ETH 1
#define ARP_REQUEST   1
#define ARP_REPLY     2

struct arp_hdr { // network byte order
	uint16_t htype;
	uint16_t ptype;
	uint8_t hlen;
	uint8_t plen;
	uint16_t op;
	uint8_t sha[6];
	uint32_t spa;
	uint8_t tha[6];
	uint32_t tpa;
} __attribute__((packed));
#define ARP_LEN 28u
static_assert(sizeof(struct arp_hdr) == ARP_LEN, "wire format");

struct ip4_stack;
extern const struct neigh_family arp_family;

// Makes m, empty, a request: who has addr tells source (network byte order), from the interface to the
// station `to`.
void arp_put_request(struct mbuf *m, const struct iface *iface, const uint8_t to[6], uint32_t source,
		     uint32_t addr);

// From housekeeping of arp-hold: makes the announcements that ip4_stack_announce() asked for.
void arp_announce(struct node *node, struct ip4_stack *s);

#endif
