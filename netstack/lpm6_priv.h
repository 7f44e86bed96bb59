// SPDX-License-Identifier: BSD-3-Clause
// lpm6_priv.h - the parts of an lpm6 table, for lpm6*.c only
//
// The tree: level k stands for the bits from lpm6_pos(k) to lpm6_pos(k + 1): levels 0 to 2 for 8
// bits each, the others for 6. The last reaches beyond bit 128 and has four bits less to tell.
//
// What readers see (fib, one arena, the array of level 0 first):
//
//   word    bit 31 clear: a next hop; set: a reference (lpm_pool.h)
//   array   uint32_t word[256], of levels 0 to 2
//   block   uint64_t bitmap; uint32_t word[runs], of the others
//
// What the updating thread keeps (rib): nodes, each the group (lpm_group.h) of its prefixes, which
// are those that end within the bits of its level, and of the nodes below it. Node 0 is the root.
// A node is there as long as its group has an entry, the root always; and with it its array or
// block, even when one next hop is all that it says. So how a node's block looks hangs on the node
// alone and on the next hop it inherits, never on what is below.
#ifndef WEIR_NETSTACK_LPM6_PRIV_H
#define WEIR_NETSTACK_LPM6_PRIV_H

#include "netstack/lpm6.h"
#include "netstack/lpm_arena.h"
#include "netstack/lpm_group.h"

#define LPM6_ARRAYS 3u	// levels
#define LPM6_LEVELS 21u // 3 and 18 of 6 bits
#define LPM6_ARRAY  256u

// Lookups take the bits of 10 levels of blocks, from bit 24 to bit 84, from one 64-bit key.
#define LPM6_KEY_LEVELS 10u

// Entries of groups: nodes of the binary tree below the first child hold next hops, the others
// the number of the node below.
#define LPM6_SHIFT	22
#define LPM6_VALUE_MASK ((1u << LPM6_SHIFT) - 1)

typedef unsigned __int128 lpm6_key; // an address, host byte order

struct lpm6_node {
	struct lpm_group group; // where: the next free node while this one is free
	uint32_t word;		// of its array or block
};

// Where no prefix longer than /0 matches the answer is def.
typedef void (*lpm6_bulk_fn)(const uint8_t *fib, uint32_t def, const uint8_t (*addrs)[16],
			     uint32_t *nhs, unsigned n);

struct lpm6 {
	struct lpm_arena fib;
	lpm6_bulk_fn bulk;
	// Next hop of ::/0 or LPM6_MISS. Kept beside the blocks, where it would show in all of
	// them: it comes and goes by one store.
	uint32_t def;

	struct lpm_pool rib;
	struct lpm6_node *nodes;
	uint32_t nodes_used, nodes_size;
	uint32_t nodes_free, nodes_spare; // a list, ended by 0; how many are in it
	size_t count;
	size_t fib_first, rib_first; // sizes as created
	uint32_t nodes_first;
	char name[32];
};

static inline unsigned lpm6_bits(unsigned level)
{
	return level < LPM6_ARRAYS ? 8 : 6;
}

static inline unsigned lpm6_pos(unsigned level)
{
	return level <= LPM6_ARRAYS ? 8 * level : 6 * level + 6;
}

// lpm6_part - the part of its level that an address falls into.
static inline unsigned lpm6_part(lpm6_key addr, unsigned level)
{
	return (unsigned)(addr << lpm6_pos(level) >> (128 - lpm6_bits(level)));
}

// lpm6_child - the entry of a group that stands for the node below at `part`; children start at 0.
static inline uint32_t lpm6_child(unsigned level, unsigned part)
{
	return (2u << lpm6_bits(level)) + part;
}

static inline lpm6_key lpm6_load(const uint8_t addr[16])
{
	uint64_t half[2];

	__builtin_memcpy(half, addr, 16);
	return (lpm6_key)__builtin_bswap64(half[0]) << 64 | __builtin_bswap64(half[1]);
}

// lpm6.c: the table has become empty; give memory back.
void lpm6_renew(struct lpm6 *t);

// lpm6_lookup.c, lpm6_avx512.c
// lpm6_fib_deeper - the answer for an address whose word after the first key is a block.
uint32_t lpm6_fib_lookup(const uint8_t *fib, const uint8_t addr[16]);
uint32_t lpm6_fib_deeper(const uint8_t *fib, uint32_t word, const uint8_t addr[16]);
void lpm6_bulk_scalar(const uint8_t *fib, uint32_t def, const uint8_t (*addrs)[16], uint32_t *nhs,
		      unsigned n);
void lpm6_bulk_avx512(const uint8_t *fib, uint32_t def, const uint8_t (*addrs)[16], uint32_t *nhs,
		      unsigned n);

// lpm6_fib.c: the updating thread's way to what readers see. Only reserve can fail.
// lpm6_fib_init - the array of the root, all misses; the arena has room for it.
// lpm6_fib_reserve - room for settling node i of `level`, all below it, and those above it, new
// ones among them. -ENOMEM, -ENOSPC.
// lpm6_fib_settle - bring node i, whose group changed, in line, and what it hands down with it.
// lpm6_fib_point - node i's array or block moved: let it be found at `part` of the node above.
void lpm6_fib_init(struct lpm6 *t);
int lpm6_fib_reserve(struct lpm6 *t, uint32_t i, unsigned level);
void lpm6_fib_settle(struct lpm6 *t, uint32_t i, unsigned level);
void lpm6_fib_point(struct lpm6 *t, uint32_t above, unsigned level, unsigned part, uint32_t i);

#endif
