// SPDX-License-Identifier: BSD-3-Clause
// lpm4_priv.h - the parts of an lpm4 table, for lpm4*.c only
//
// What readers see (fib, one arena: the root first, then blocks):
//
//   word    bit 31 clear: a next hop; set: a reference (lpm_pool.h) of a block
//   block   uint64_t bitmap; uint16_t leaf[runs]; pad to 4; uint32_t deep[]
//   leaf    bit 15 clear: a next hop; set: low bits are the index, in words from the start of the
//           block, of the word that stands for this /24
//   deep    uint64_t bitmap[4]; uint8_t rank[4] (runs before that word); uint16_t leaf[runs]
//
// What the updating thread keeps (rib):
//
//   page    one a /8: 1,024 slots, and the prefixes of length 8 to 17
//   slot    one a /18: the group of its prefixes of length 18 to 24
//   handle  one a /24 with prefixes of length 25 to 32: their group
#ifndef WEIR_NETSTACK_LPM4_PRIV_H
#define WEIR_NETSTACK_LPM4_PRIV_H

#include "netstack/lpm4.h"
#include "netstack/lpm_arena.h"
#include "netstack/lpm_group.h"

#define LPM4_SLOTS	(1u << 18)
#define LPM4_PAGE_SLOTS 1024u

// Groups of a slot: nodes 2^0 to 2^7-1 hold next hops, 128 + i holds the handle of the i-th /24.
#define LPM4_MID_SHIFT	 24
#define LPM4_MID_HANDLE	 128u
#define LPM4_HANDLE_MASK ((1u << LPM4_MID_SHIFT) - 1)
// Groups of a handle: nodes 2 to 2^9-1.
#define LPM4_LONG_SHIFT 16

struct lpm4_page {
	struct lpm_group slots[LPM4_PAGE_SLOTS];
	uint8_t lens[LPM4_PAGE_SLOTS]; // length + 1 of the match behind nh of each; 0: none
	uint16_t nodes[1024];	       // next hops of lengths 8 to 17 by node
	uint32_t count;		       // prefixes of length 8 and more
};

struct lpm4_handle {
	struct lpm_group group; // where: the next free handle while this one is free
	uint32_t fib;		// word of the deep block; 0: all addresses are alike
	uint16_t all;		// and this is their next hop
	bool stale;		// the group changed since fib was made
};

// Where no prefix longer than /0 matches the answer is def.
typedef void (*lpm4_bulk_fn)(const uint8_t *fib, uint32_t def, const uint32_t *addrs, uint32_t *nhs,
			     unsigned n);

struct lpm4 {
	struct lpm_arena fib;
	lpm4_bulk_fn bulk;
	// Next hop of 0.0.0.0/0 or LPM4_MISS. Kept beside the blocks, where it would show in a
	// hundred thousand places: it comes and goes by one store.
	uint32_t def;

	struct lpm_pool rib;
	struct lpm4_page *pages[256];
	uint16_t nodes[256]; // next hops of lengths 1 to 7 by node
	struct lpm4_handle *handles;
	uint32_t handles_used, handles_size, handles_free; // [0] is not used
	size_t count;
	size_t fib_first, rib_first; // sizes as created
	char name[32];
};

// lpm4.c
// lpm4_renew - the table has become empty; give memory back.
// lpm4_set_default - the next hop of 0.0.0.0/0; LPM4_MISS withdraws it: -ENOENT if it is not there.
void lpm4_clear_nodes(uint16_t *nodes, size_t n); // to LPM_ABSENT
void lpm4_renew(struct lpm4 *t);
int lpm4_set_default(struct lpm4 *t, uint32_t nh);

// lpm4_lookup.c, lpm4_avx512.c
uint32_t lpm4_fib_lookup(const uint8_t *fib, uint32_t addr);
uint32_t lpm4_deep_lookup(const uint8_t *fib, uint32_t word, uint32_t leaf, uint32_t addr);
void lpm4_bulk_scalar(const uint8_t *fib, uint32_t def, const uint32_t *addrs, uint32_t *nhs,
		      unsigned n);
void lpm4_bulk_avx512(const uint8_t *fib, uint32_t def, const uint32_t *addrs, uint32_t *nhs,
		      unsigned n);

// lpm4_fib.c: the updating thread's way to what readers see. Except reserve, none can fail.
// lpm4_fib_reserve - room for an update of one slot, or of those for which lpm4_fib_bound() gave
// bytes and blocks in total. -ENOMEM, -ENOSPC.
// lpm4_fib_update - bring a /18 in line with its slot. lpm4_fib_fill - the same for the 1,024 of a
// /8 that has no page.
int lpm4_fib_reserve(struct lpm4 *t, size_t bytes, size_t blocks);
void lpm4_fib_bound(struct lpm4 *t, struct lpm_group *slot, size_t *bytes, size_t *blocks);
void lpm4_fib_update(struct lpm4 *t, uint32_t index, struct lpm_group *slot);
void lpm4_fib_fill(struct lpm4 *t, uint32_t index, uint32_t nh);

#endif
