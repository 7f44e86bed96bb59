// SPDX-License-Identifier: BSD-3-Clause
// arp.h - ARP for IPv4 over Ethernet (RFC 826): the packet, and how neighbors are resolved
#ifndef WEIR_NETSTACK_ARP_H
#define WEIR_NETSTACK_ARP_H

#include <assert.h>
#include <stdint.h>

#include "core/graph.h"
#include "netstack/eth.h"
#include "netstack/iface.h"

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

#define ARP_TRIES 3 // requests before a neighbor counts as unreachable
#define ARP_RETRY                                                                                  \
	NSEC_PER_SEC // between requests to the same neighbor (RFC 1122, 2.3.2.1: at most 1/s)

struct ip4_stack;

// Neighbor `index` has answered or announced itself: mac is in force from now on, and the packets
// held for it leave by node arp-hold's edges.
void arp_resolved(struct ip4_stack *s, uint32_t index, const uint8_t mac[6], uint64_t now);

// Begins to ask for neighbor `index`, which nobody asks for yet (NEIGH_IDLE), by node arp-hold. False: too
// many are asked for.
bool arp_start(struct ip4_stack *s, uint32_t index);

// Makes m, empty, a request: who has addr tells source (network byte order), from the interface to the
// station `to`.
void arp_put_request(struct mbuf *m, const struct iface *iface, const uint8_t to[6], uint32_t source,
		     uint32_t addr);

// From housekeeping of arp-hold: makes the announcements that ip4_stack_announce() asked for.
void arp_announce(struct node *node, struct ip4_stack *s);

// RFC 826's merge of the sender of `arp`, which came in by `iface`. create: it is made when it is new. Its
// index, 0 when it is not known.
uint32_t arp_learn(struct ip4_stack *s, uint16_t iface, const struct arp_hdr *arp, bool create,
		   uint64_t now);

// Among lcores (arp_lcores.c). Tells the others what arp-input has heard in m; made says whether its
// sender is to be made known.
void arp_tell(struct node *node, struct ip4_stack *s, const struct mbuf *m, const struct arp_hdr *arp,
	      bool made);

// In an ARP packet from lcore to lcore: scratch32[SCRATCH_ARP_WORD] is what it says, or to lcore 0 who
// asks; scratch64[SCRATCH_ARP_DUE] until when the sender trusts it.
#define SCRATCH_ARP_WORD 0
#define SCRATCH_ARP_DUE	 1
enum { ARP_SAYS_UPDATE, ARP_SAYS_CREATE };

#endif
