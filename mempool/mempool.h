// SPDX-License-Identifier: BSD-3-Clause
// mempool.h - fixed-size packet buffers: a LIFO cache per lcore, an MPMC ring behind
//
// Elements are mbufs (mbuf.h has the layout of one). get and put work in bulk, from the calling
// lcore's cache; whole batches go to and come from the common ring when it is full or empty. Any lcore
// may free what another allocated.
//
// Buffers in the cache of one lcore are out of the others' reach: up to (lcores - 1) * cache of them, and
// at most half the pool. A pool for several lcores is made that much larger than its users need.
//
// Audit builds (buildtype=debug): a free buffer is poisoned and checked for writes when it is taken
// again, every buffer knows who holds it, and a double free, a free into the wrong pool or a write
// after free stops the program with a report that names the owners.
#ifndef WEIR_MEMPOOL_MEMPOOL_H
#define WEIR_MEMPOOL_MEMPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/err.h"
#include "core/lcore.h"
#include "mempool/mbuf.h"
#include "mempool/ring.h"

struct mempool_conf {
	const char *name;
	uint32_t count;     // buffers wanted; at least this many are made
	uint32_t data_room; // bytes behind the headroom; 0: MBUF_DATAROOM. A multiple of 64
	uint32_t prefix;    // bytes in front of every mbuf (port drivers'); a multiple of 64
	unsigned lcores;    // lcores that will use it: 0 to lcores - 1; 0: 1. Others may, slowly
	uint32_t cache;     // buffers an lcore keeps at most; 0: the default (512)
};

// From the arena, and for good: arena memory has no free. Before the data plane starts. NULL and err (the
// value that is wrong; how much was wanted, how much there is) when conf is wrong or it does not fit.
struct mempool *mempool_create(const struct mempool_conf *conf, struct err *err);

// The buffer of number i (0 to mempool_count - 1), whoever holds it: drivers prepare their prefix.
struct mbuf *mempool_at(const struct mempool *mp, uint32_t i);

uint32_t mempool_count(const struct mempool *mp);

// Bytes of a buffer behind its headroom.
uint32_t mempool_room(const struct mempool *mp);

// Buffers in the pool now (caches included). Exact only while no lcore is using it.
uint32_t mempool_available(const struct mempool *mp);

// Writes a line for every owner of buffers that are out of the pool ("mempool rx: ip4-rewrite holds 3"),
// audit builds; else the count alone; nothing when all are home. out may be NULL. Returns how many are
// out. Exact only while no lcore is using the pool.
uint32_t mempool_report(const struct mempool *mp, FILE *out);

// n raw buffers (pool invariant of mbuf.h, not reset: data, lengths and flags are undefined): all or
// none. 0, or -ENOBUFS, when what stands in out is undefined.
static inline int mempool_get_bulk(struct mempool *mp, struct mbuf **out, unsigned n);

// Gives n single buffers back. All from mp, each next == NULL, nsegs == 1, refcnt == 1.
static inline void mempool_put_bulk(struct mempool *mp, struct mbuf *const *in, unsigned n);

// One, if the calling lcore's cache has room: for those who must give back one by one. False: it has none, and m is
// still the caller's, for mempool_put_bulk().
static inline bool mempool_put_one(struct mempool *mp, struct mbuf *m);

// Audit builds: names who holds pkts (all segments) from now on (the graph and the drivers call it); else
// nothing. mempool_owner is what buffers that this thread takes and frees are marked with. Owner names
// must live as long as the pool.
extern __thread const char *mempool_owner;
static inline void mempool_own(struct mbuf *const *pkts, unsigned n, const char *owner);

#include "mempool/mempool_inline.h"
#include "mempool/mbuf_inline.h"

#endif
