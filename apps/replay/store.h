// SPDX-License-Identifier: BSD-3-Clause
// store.h - the packets of a play, each once in a buffer that fits it, so that sending them copies nothing
//
// The buffers come from pools of the store's own, one for each power of two of lengths. A packet is sent as one more
// owner's: references are taken STORE_LEASE at a time, so that most loops write nothing.
#ifndef WEIR_APPS_REPLAY_STORE_H
#define WEIR_APPS_REPLAY_STORE_H

#include "core/blob.h"
#include "mempool/mempool.h"

#define STORE_LEASE 8192u // a packet's references may be out at once, beside ours: 65,535 are the most
#define STORE_POOLS 6u	  // of 64, 128, … 2,048 bytes; longer packets are chains of the last

struct store_item {
	struct mbuf *m;
	uint64_t time; // ns
};

struct store {
	struct store_item *item;
	uint64_t n;
};

// Makes all buffers, from the arena. 0 or -errno and err.
int store_fill(struct store *s, const struct blob *b, unsigned lcores, struct err *err);
// Takes the store's own reference and those that were not used: `unused` of the packets from `first` on, and
// `unused_before` of those before.
void store_empty(struct store *s, uint64_t first, uint32_t unused, uint32_t unused_before);

// Takes n more references of a packet.
static inline void store_lease(struct mbuf *m, uint16_t n)
{
	for (; m; m = m->next)
		__atomic_add_fetch(&m->refcnt, n, __ATOMIC_RELAXED);
}

#endif
