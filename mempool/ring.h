// SPDX-License-Identifier: BSD-3-Clause
// ring.h - bounded lock-free FIFO of pointers: one producer and consumer (SPSC), or many (MPMC)
//
// Indices run freely and wrap at 2^32; capacity is the size, a power of two. A burst call moves as many
// as fit and returns how many, a bulk call all or none. Every release store is labelled with the
// acquire load it pairs with.
#ifndef WEIR_MEMPOOL_RING_H
#define WEIR_MEMPOOL_RING_H

#include <stddef.h>
#include <stdint.h>

#include "core/lcore.h"

struct ring;

// Bytes that a ring of size (a power of two, 2 to 2^30) needs, and its making in such memory, aligned to
// CACHE_LINE. ring_init returns 0 or -EINVAL.
size_t ring_bytes(uint32_t size);
int ring_init(struct ring *r, uint32_t size);

// Entries now; exact only when nobody is working on the ring.
uint32_t ring_count(const struct ring *r);

// One producer at a time / one consumer at a time.
static inline unsigned ring_spsc_enqueue_burst(struct ring *r, void *const *in, unsigned n);
static inline unsigned ring_spsc_dequeue_burst(struct ring *r, void **out, unsigned n);

// The enqueue in two steps, for a producer that must know how many fit before it gives them away.
static inline unsigned ring_spsc_room(struct ring *r, unsigned n);
static inline void ring_spsc_put(struct ring *r, void *const *in, unsigned n);

// Any number of either. bulk: n or 0. The two ends of a ring may be used in different ways.
static inline unsigned ring_mpmc_enqueue_burst(struct ring *r, void *const *in, unsigned n);
static inline unsigned ring_mpmc_dequeue_burst(struct ring *r, void **out, unsigned n);
static inline unsigned ring_mpmc_enqueue_bulk(struct ring *r, void *const *in, unsigned n);
static inline unsigned ring_mpmc_dequeue_bulk(struct ring *r, void **out, unsigned n);

#include "mempool/ring_inline.h"

#endif
