// SPDX-License-Identifier: BSD-3-Clause
// mac_table.h - which interface of a bridge a station was last heard on (IEEE 802.1D, 7.9)
//
// One table a bridge, which all its lcores read and, rarely, write: a station costs a store when it
// is new, when it moves, and once in a sixteenth of the ageing time to say that it lives; all else
// is reading. A station is a word of 64 bits, its MAC address and the interface, so it changes
// whole; nobody locks. Eight share a cache line, found by a hash whose seed is random: nobody
// outside can aim at one line. A station for which there is no room is not learnt: none is pushed
// out by others, however many those are.
#ifndef WEIR_NETSTACK_MAC_TABLE_H
#define WEIR_NETSTACK_MAC_TABLE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/lcore.h"
#include "netstack/iface.h"

#define MAC_WAYS       8u
#define MACS_MAX       65536u
#define MAC_AGE_MAX    1000000u // seconds: 802.1D's largest
#define MAC_TICK_SHIFT 24	// a tick is 2^24 ns, 17 ms
#define MAC_SWEEP_PART 8u	// a sweep looks at this part of the table,
#define MAC_SWEEPS     64u	// and there are so many in the ageing time

struct mac_bucket {
	uint64_t station[MAC_WAYS]; // MAC address << 16 | interface; 0: free
	uint32_t seen[MAC_WAYS];    // tick
} cache_aligned;
static_assert(sizeof(struct mac_bucket) == 2 * CACHE_LINE, "what a look-up reads is one line");

struct mac_table {
	struct mac_bucket *bucket;
	uint64_t seed;
	unsigned shift; // of the hash
	uint32_t buckets;
	uint32_t max;
	uint32_t age, fresh; // ticks: forgotten after, and told again after
	uint64_t sweep_ns;
	uint32_t sweep_at;	      // bucket; the sweeper's
	uint32_t count cache_aligned; // stations known
};

static inline uint32_t mac_tick(uint64_t now)
{
	return (uint32_t)(now >> MAC_TICK_SHIFT);
}

// For `macs` stations (1 to MACS_MAX), each forgotten when nothing is heard of it for `age` seconds
// (1 to MAC_AGE_MAX), or up to a quarter longer. 0 or -errno.
int mac_table_init(struct mac_table *t, uint32_t macs, uint32_t age, struct err *err);
void mac_table_fini(struct mac_table *t);

// The addresses of a network often count up: by a single multiplication with a random number some numbers
// would lay them into few buckets, which have no room for them all.
static inline struct mac_bucket *mac_bucket(const struct mac_table *t, uint64_t mac48)
{
	uint64_t x = (mac48 ^ t->seed) * 0x9e3779b97f4a7c15u;

	return &t->bucket[((x ^ x >> 32) * 0xd6e8feb86659fd93u) >> t->shift];
}

// The interface of a station, or IFACE_NONE. Any lcore.
static inline uint16_t mac_find(const struct mac_table *t, uint64_t mac48)
{
	const struct mac_bucket *b = mac_bucket(t, mac48);

	for (unsigned i = 0; i < MAC_WAYS; i++) {
		uint64_t s = __atomic_load_n(&b->station[i], __ATOMIC_RELAXED);

		if (s >> 16 == mac48)
			return (uint16_t)s;
	}
	return IFACE_NONE;
}

enum mac_learnt { MAC_KNOWN, MAC_NEW, MAC_MOVED, MAC_FULL };

enum mac_learnt mac_learn_slow(struct mac_table *t, uint64_t mac48, uint16_t iface, uint32_t tick);

// A station (not 0, not a group's address) was heard on an interface. Any lcore.
static inline enum mac_learnt mac_learn(struct mac_table *t, uint64_t mac48, uint16_t iface,
					uint32_t tick)
{
	const struct mac_bucket *b = mac_bucket(t, mac48);

	for (unsigned i = 0; i < MAC_WAYS; i++)
		if (__atomic_load_n(&b->station[i], __ATOMIC_RELAXED) == (mac48 << 16 | iface) &&
		    tick - __atomic_load_n(&b->seen[i], __ATOMIC_RELAXED) < t->fresh)
			return MAC_KNOWN;
	return mac_learn_slow(t, mac48, iface, tick);
}

// Forgets the aged ones of the next part of the table. By one lcore, every sweep_ns.
void mac_sweep(struct mac_table *t, uint32_t tick);

// Forgets all stations of an interface. Any lcore.
void mac_forget(struct mac_table *t, uint16_t iface);

// Goes through the stations: fills mac, iface and the ticks since it was heard of, and gives where
// to go on; from 0 on until 0 comes back.
uint32_t mac_next(const struct mac_table *t, uint32_t at, uint32_t tick, uint8_t mac[6],
		  uint16_t *iface, uint32_t *silent);

#endif
