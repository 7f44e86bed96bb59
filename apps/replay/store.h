// SPDX-License-Identifier: BSD-3-Clause
// store.h - the packets of a play, each once in a buffer that fits it, so that sending them copies nothing
//
// The buffers come from pools of the store's own, one for each power of two of lengths, and are MBUF_FOREVER: ports
// may have them still when the function is gone; packet memory goes last.
#ifndef WEIR_APPS_REPLAY_STORE_H
#define WEIR_APPS_REPLAY_STORE_H

#include "core/blob.h"
#include "mempool/mempool.h"

#define STORE_POOLS 6u // of 64, 128, … 2,048 bytes; longer packets are chains of the last

struct store_item {
	struct mbuf *m;
	uint64_t time; // ns
};

struct store {
	struct store_item *item;
	uint64_t n;
	struct mempool *pool[STORE_POOLS]; // NULL: of no packet
};

// Makes all buffers, from the arena, with a prefix that ports need. There is nothing to undo. 0 or -errno and err.
int store_fill(struct store *s, const struct blob *b, uint32_t prefix, struct err *err);

#endif
