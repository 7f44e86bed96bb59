// SPDX-License-Identifier: BSD-3-Clause
// group.h - static port groups: several ports as one link (802.1AX without its protocol)
//
// What is sent to a group leaves by one of its members whose link is up; which, the hash of its
// flow says, the same for both directions: addresses and ports of IPv4 and IPv6, MAC addresses of
// everything else, as frames have them or as the port or RSS has said (MBUF_HASH). A slot of the
// table belongs to the first live one of its own order of all members: when a member goes, its
// slots alone go to others, evenly, and when it comes back, they come back. What any member
// receives is the group's.
#ifndef WEIR_NETSTACK_GROUP_H
#define WEIR_NETSTACK_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/graph.h"
#include "mempool/mbuf.h"

#define GROUP_MEMBERS_MAX 16u
#define GROUP_SLOTS	  1024u // a power of two
#define GROUP_NO_MEMBER	  0xffu

struct group {				    // written by lcore 0, a byte at a time; read by all
	uint8_t slot[GROUP_SLOTS];	    // number of a member in member[], or GROUP_NO_MEMBER
	uint16_t member[GROUP_MEMBERS_MAX]; // ports
	unsigned n;
	uint32_t live; // a bit a member
};

// NULL: no memory. All members are live.
struct group *group_create(const uint16_t *member, unsigned n);

// Says which members can send: a bit each.
void group_set_live(struct group *g, uint32_t live);

// The flow's hash, all of whose 32 bits count; the same for both directions of a flow.
uint32_t group_hash(const struct mbuf *m);

// The member for a flow, or GROUP_NO_MEMBER.
static inline uint8_t group_pick(const struct group *g, uint32_t hash)
{
	// The low bits of RSS have already chosen the lcore: all bits have a say here.
	uint32_t slot = (hash * 0x9e3779b1u) >> (32 - __builtin_ctz(GROUP_SLOTS));

	return __atomic_load_n(&g->slot[slot], __ATOMIC_RELAXED);
}

struct ifaces;

// Adds node out-NAME of group number `iface`, with an edge to each member's place in tx[]. Drops:
// "no-member" (none can send), "interface-down" (by the user's wish).
struct node *group_out_add(struct graph *g, struct ifaces *ifs, uint16_t iface,
			   struct node *const *tx, struct err *err);

#endif
