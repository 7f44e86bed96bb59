// SPDX-License-Identifier: BSD-3-Clause
// neigh.h - adjacencies and neighbors: where a next hop is, and what to write in front of its
// packets
//
// An adjacency is what a lookup finds: one cache line that the data path reads. The first few are the
// router itself (ADJ_NONE ... ADJ_GLEAN, one an interface); all others are neighbors, found in a hash
// table by interface and address. adj[i] and neigh[i] are the same neighbor: the half that forwarding
// reads, and the half that ARP keeps. The table is bounded, and so is the number of neighbors that
// have not answered yet, so that a scan of an on-link prefix cannot push out those that have.
//
// One lcore owns a table. Addresses are in network byte order, as in packets.
#ifndef WEIR_NETSTACK_NEIGH_H
#define WEIR_NETSTACK_NEIGH_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "mempool/mbuf.h"
#include "netstack/iface.h"
#include "netstack/ip.h"

enum adj_kind {
	ADJ_NONE,      // no route leads here: the index that LPM4_MISS is mapped to
	ADJ_LOCAL,     // an address of the router
	ADJ_BROADCAST, // of an on-link prefix: never forwarded (RFC 2644)
	ADJ_GLEAN,     // an on-link prefix: the destination itself is the neighbor
	ADJ_FORWARD,   // a neighbor
};

// Indices that every table has.
#define ADJ_INDEX_NONE	    0u
#define ADJ_INDEX_LOCAL	    1u
#define ADJ_INDEX_BROADCAST 2u
#define ADJ_INDEX_GLEAN0    3u // + interface

#define ADJ_ETH_MAX 24u

struct adj {
	uint8_t kind;
	bool ready;	  // eth is valid
	bool used;	  // a packet was sent by it since it was last asked for
	uint8_t eth_len;  // of the Ethernet header: 14, and 4 a tag
	uint16_t iface;	  // it leaves by
	uint16_t tx;	  // that is, by this of the router's outs
	uint16_t mtu;	  // of the interface
	uint16_t spare;
	uint32_t next;	  // in its bucket; 0 ends
	union ip_addr addr; // ADJ_FORWARD: the neighbor's
	uint8_t eth[ADJ_ETH_MAX]; // the header, up to its end
	uint64_t reserved;
} cache_aligned;
static_assert(sizeof(struct adj) == CACHE_LINE, "an adjacency is a cache line");

enum neigh_state {
	NEIGH_FREE,
	NEIGH_IDLE,	  // a next hop of the configuration nobody has asked for
	NEIGH_INCOMPLETE, // asked for, no answer yet
	NEIGH_REACHABLE,
	NEIGH_PROBE,  // known, and asked again whether it is still there
	NEIGH_STATIC, // configured: neither asked for nor aged
};

struct neigh {
	uint64_t due;	    // ns: when its state is looked at again
	struct mbuf *first; // held packets, oldest first, linked by scratch64[0]
	struct mbuf *last;
	uint32_t next_free;
	uint16_t held;
	uint8_t state;
	uint8_t tries; // requests sent
	bool pinned;   // a route's next hop: never deleted
};

struct neigh_table {
	struct ifaces *ifs;
	struct adj *adj;
	struct neigh *neigh;
	uint32_t *bucket;
	unsigned shift; // of the hash: 64 - log2(buckets)
	uint64_t seed;	// odd, random: which addresses share a bucket cannot be told from outside
	uint32_t size;	// adjacencies in all
	uint32_t top;	// the highest index ever used, + 1
	uint32_t free;	// list of those below top
	uint32_t incomplete, incomplete_max;
};

// A table for neighbors on the interfaces ifs (which it holds a reference of), with room for
// `neighbors`. 0 or -errno.
int neigh_init(struct neigh_table *t, struct ifaces *ifs, uint32_t neighbors, struct err *err);
void neigh_fini(struct neigh_table *t); // all are freed; none holds packets any longer

static inline uint32_t neigh_hash(const struct neigh_table *t, uint16_t iface, uint32_t addr)
{
	return (uint32_t)((((uint64_t)iface << 32 | addr) * t->seed) >> t->shift);
}

// The neighbor's index, or 0 when there is none.
static inline uint32_t neigh_find(const struct neigh_table *t, uint16_t iface, uint32_t addr)
{
	uint32_t i = t->bucket[neigh_hash(t, iface, addr)];

	while (i && (t->adj[i].addr.v4 != addr || t->adj[i].iface != iface))
		i = t->adj[i].next;
	return i;
}

// A new neighbor (neigh_find() found none), NEIGH_IDLE. 0 when the table is full.
uint32_t neigh_create(struct neigh_table *t, uint16_t iface, uint32_t addr);

// Forgets a neighbor that holds nothing; a pinned one becomes NEIGH_IDLE.
void neigh_forget(struct neigh_table *t, uint32_t index);

// Changes state, keeping count of the incomplete ones. True, or false when there are too many of
// those.
bool neigh_set_state(struct neigh_table *t, uint32_t index, enum neigh_state state);

// Writes the Ethernet header that leads to mac by the neighbor's interface.
void neigh_set_mac(struct neigh_table *t, uint32_t index, const uint8_t mac[6]);

// The neighbor's MAC address, of a ready adjacency.
static inline const uint8_t *adj_mac(const struct adj *a)
{
	return a->eth + ADJ_ETH_MAX - a->eth_len;
}

// Puts the Ethernet header of a ready adjacency right in front of the network header: any header, and
// one without tags where an untagged one stood.
void adj_put_any(struct mbuf *m, const struct adj *a);

static inline void adj_put_eth(struct mbuf *m, const struct adj *a)
{
	const uint8_t *eth = a->eth + ADJ_ETH_MAX - ETH_HLEN;
	uint8_t *p = m->data;

	if (unlikely(m->l3 != ETH_HLEN || a->eth_len != ETH_HLEN)) {
		adj_put_any(m, a);
		return;
	}
	store64(p, load64(eth)); // 14 bytes as two overlapping words
	store64(p + 6, load64(eth + 6));
}

#endif
