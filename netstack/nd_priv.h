// SPDX-License-Identifier: BSD-3-Clause
// nd_priv.h - what the files of neighbor discovery share: its state, and how messages are made
#ifndef WEIR_NETSTACK_ND_PRIV_H
#define WEIR_NETSTACK_ND_PRIV_H

#include "netstack/ip6_stack.h"
#include "netstack/nd.h"

struct nd_iface { // what it advertises
	struct nd_ra ra;
	bool on;
	bool final;	 // it is about to say that it ends
	uint8_t initial; // of the first advertisements, sent so far
	bool sent;	 // one to all, at `last`
	uint64_t last;
	uint64_t due; // the next one
};

struct nd_dad { // of s->address[]
	uint64_t due;
	uint64_t nonce; // RFC 7527: by which our own solicitations are known; 48 bits
	uint8_t sent;
	bool linked; // it has begun
	bool told;   // nd_next_duplicate()
};

struct nd {
	struct nd_iface *iface;
	struct nd_dad *address;
	unsigned dad; // transmits
	bool started;
	uint64_t reachable; // ns, BaseReachableTime; neigh_table.reachable is drawn around it
	uint64_t draw_due;  // when it is drawn again
	uint64_t announce[IFACES_MAX / 64];
	bool announces;
	bool detects; // an address is tentative
};

// What an lcore tells another beside neighbors.
enum {
	ND_TOLD_DUPLICATE = 1, // an address of ours is somebody else's
	ND_TOLD_CLAIM, // somebody asks for it by the nonce in `mac`: lcore 0 knows whether that is
		       // us
	ND_TOLD_SOLICITED, // somebody on `iface` looks for routers
};

// A random time below ns.
uint64_t nd_random(struct ip6_stack *s, uint64_t ns);

// --- nd_packet.c ---

// Makes m, empty, an ICMPv6 message of `len` bytes (zeroed but for type) from src to dst; returns
// it. What is appended afterwards belongs to it. nd_finish() completes it to a frame to the station
// mac; NULL: the one of the group dst.
void *nd_begin(struct mbuf *m, uint8_t type, uint16_t len, const uint8_t src[16],
	       const uint8_t dst[16]);
void nd_finish(struct mbuf *m, const struct iface *iface, const uint8_t mac[6]);

void nd_put_link(struct mbuf *m, uint8_t option,
		 const uint8_t mac[6]); // ND_OPT_SOURCE, ND_OPT_TARGET
void nd_put_nonce(struct mbuf *m, uint64_t nonce);

// Who has target? From src, to dst, which is at mac (NULL: a group).
void nd_put_solicitation(struct mbuf *m, const struct iface *iface, const uint8_t src[16],
			 const uint8_t dst[16], const uint8_t mac[6], const uint8_t target[16]);

// We do. flags: ND_ROUTER is added.
void nd_put_advertisement(struct mbuf *m, const struct iface *iface, const uint8_t dst[16],
			  const uint8_t mac[6], const uint8_t target[16], uint32_t flags);

// --- nd_dad.c ---

// Acts on what is due; returns when to come again. lcore 0 sends.
uint64_t nd_dad_housekeep(struct ip6_stack *s, uint64_t now);

// Somebody has the tentative address `own`, too, or asks for it with that nonce (0: none): it is a
// duplicate, unless that was our own solicitation come back. input: node nd-input, which tells the
// other lcores. Whether it is a duplicate now.
bool nd_dad_conflict(struct node *input, const struct ip6_address *own, uint64_t nonce);

void nd_dad_told(struct ip6_stack *s, const struct neigh_news *news); // by another lcore

// --- nd_ra.c ---

uint64_t nd_ra_housekeep(struct ip6_stack *s, uint64_t now); // lcore 0
// 6.2.7: whether what another router advertises in m, whose options have been checked, goes with
// what we do on that interface.
bool nd_ra_agrees(const struct ip6_stack *s, const struct mbuf *m);
void nd_ra_solicited(struct ip6_stack *s, uint16_t iface, uint64_t now);

#endif
