// SPDX-License-Identifier: BSD-3-Clause
// fib_node.h - what lookup nodes of both families do alike: choice among paths, VRFs, reverse paths
#ifndef WEIR_NETSTACK_FIB_NODE_H
#define WEIR_NETSTACK_FIB_NODE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/wire.h"
#include "mempool/mbuf.h"
#include "netstack/fib.h"
#include "netstack/neigh.h"

// What an ADJ_MULTI adjacency points to (adj.multi). Lcore 0 changes it while others read: a word at a
// time, each of them right before and after.
struct fib_multi {
	uint16_t only;				    // all buckets lead there; 0: they differ
	uint16_t bucket[FIB_BUCKETS];		    // numbers of adjacencies
	uint64_t ifaces[IFACES_MAX / 64];	    // the interfaces of all leaves, by bit
} cache_aligned;

static inline const struct fib_multi *fib_multi(const struct adj *a)
{
	return (const struct fib_multi *)(uintptr_t)a->reserved;
}

// The only one of a choice, which needs no hash of the flow; 0: there are several.
static inline uint32_t fib_only(const struct fib_multi *m)
{
	return __atomic_load_n(&m->only, __ATOMIC_RELAXED);
}

// Any 32 bits that are alike for all packets of a flow, to a bucket.
static inline uint32_t fib_choose(const struct fib_multi *m, uint32_t hash)
{
	static_assert(FIB_BUCKETS == 256, "a bucket is 8 bits of the hash");
	uint64_t x = hash * 0x9e3779b97f4a7c15ull;

	return __atomic_load_n(&m->bucket[(x ^ x >> 29) >> 24 & (FIB_BUCKETS - 1)], __ATOMIC_RELAXED);
}

// The end of the run of packets from i on that came in by interfaces of one VRF, which is *vrf.
static inline unsigned fib_run(const struct ifaces *ifs, struct mbuf *const *pkts, unsigned i,
			       unsigned n, uint16_t *vrf)
{
	*vrf = ifs->iface[pkts[i]->port].vrf;
	do
		i++;
	while (i < n && ifs->iface[pkts[i]->port].vrf == *vrf);
	return i;
}

// RFC 3704, 2.2 and 2.3: whether a packet that came in by interface `iface` may have a source whose
// route leads to adjacency a. Strictly: packets to that source leave by iface, all or some of them.
static inline bool fib_source_ok(const struct adj *a, uint16_t iface, bool strict)
{
	uint32_t only;

	switch (a->kind) {
	case ADJ_GLEAN:
	case ADJ_FORWARD:
		return !strict || a->iface == iface;
	case ADJ_MULTI:
		// A choice may lead nowhere: a blackhole of somebody's, a next hop without a route.
		only = fib_only(fib_multi(a));
		if (!strict)
			return !only || only >= ADJ_INDEX_GLEAN0;
		return __atomic_load_n(&fib_multi(a)->ifaces[iface / 64], __ATOMIC_RELAXED) >>
			       (iface % 64) & 1;
	default:
		return false;
	}
}

#endif
