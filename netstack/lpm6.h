// SPDX-License-Identifier: BSD-3-Clause
// lpm6.h - IPv6 longest-prefix match: the router's table of prefixes
//
// Lookup (RFC 4291, 2.4; RFC 7608: all lengths to /128) descends a tree that branches 256 ways at
// bits 0, 8 and 16, by plain arrays of 256 words, and 64 ways from bit 24 on, by blocks:
//
//   block   64-bit bitmap over the 64 parts, a bit where the answer changes, then one 32-bit word
//           a run: popcount of the bitmap up to the part is the index
//   word    a next hop, or where the array or block below lies
//
// in the family of Poptrie (Asai, Ohara, SIGCOMM 2015). The arrays are few and stay in the nearest
// cache; a /32 takes two blocks, a /48 four, and a block with its words is mostly one cache line.
// Measured by perf/lpm6.c in bursts of 64, the Internet's table of 2024 (160,147 prefixes, 16,384
// next hops), beside DPDK 22.11's rte_fib6 as a trie with AVX-512 and 4-byte next hops:
//
//              all told    lookup: random, in prefixes, in order    add in order, shuffled
//   lpm6       4.3 MiB     3, 19, 11 cycles                         680, 1,300 to 1,700 cycles
//   rte_fib6   448 MiB     35, 49, 25 cycles                        3,300, 11,000 to 15,000 cycles
//
// Of the 4.3 MiB lookups read 2.2, 14.5 bytes a prefix. Without vectors a lookup in bulk takes 24
// cycles in prefixes, one by one 54.
//
// Paths are not compressed: a prefix far from all others takes a block each 6 bits. Random host
// routes are the worst, 0.9 KiB each, and 234,000 of them all there may be (2^22 parts).
//
// An update of the full table takes about half a microsecond, that of a short prefix with many
// below it longer, up to 0.15 ms for a /20; a default route one store.
//
// Addresses and prefixes are 16 bytes as on the wire. One thread updates; any lcore looks up,
// without locks, at the same time once lpm6_set_live() was called: an address yields the next hop
// before or after an update, never a third. Memory comes from the C library, in updates only.
#ifndef WEIR_NETSTACK_LPM6_H
#define WEIR_NETSTACK_LPM6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A next hop is a small index (of an adjacency, say). LPM6_MISS is the answer where no prefix
// matches; it may serve as an index too, of an entry that drops.
#define LPM6_NH_MAX 0x7ffeu
#define LPM6_MISS   0x7fffu

enum lpm6_simd {
	LPM6_SIMD_AUTO, // the best that this processor has
	LPM6_SIMD_SCALAR,
	LPM6_SIMD_AVX512, // needs F, DQ, BW, VL and VPOPCNTDQ
};

struct lpm6_conf {
	const char *name;    // for listings; copied; may be NULL
	uint32_t max_routes; // how many to make room for at once: a hint, no limit; 0 is fine
	enum lpm6_simd simd;
};

struct lpm6;

// lpm6_create - an empty table, about 20 KiB.
// NULL and errno: ENOMEM, or ENOTSUP when the processor lacks what conf->simd asks for.
// conf may be NULL for the defaults.
struct lpm6 *lpm6_create(const struct lpm6_conf *conf);

// lpm6_destroy - give everything back. No reader may be left. t may be NULL.
void lpm6_destroy(struct lpm6 *t);

// lpm6_add - prefix/len leads to next hop nh; a prefix that is there already gets the new nh.
// -EINVAL: len over 128, bits set beyond len, or nh over LPM6_NH_MAX. -ENOMEM, -ENOSPC (over 1 GiB,
// or 2^22 parts of the tree): nothing was changed.
int lpm6_add(struct lpm6 *t, const uint8_t prefix[16], uint8_t len, uint32_t nh);

// lpm6_delete - withdraw prefix/len. -EINVAL as above, -ENOENT: not there, -ENOMEM and -ENOSPC:
// nothing was changed.
int lpm6_delete(struct lpm6 *t, const uint8_t prefix[16], uint8_t len);

// lpm6_get - the next hop of exactly prefix/len, or -EINVAL, -ENOENT. The updating thread only.
int lpm6_get(const struct lpm6 *t, const uint8_t prefix[16], uint8_t len);

// lpm6_first, lpm6_next - the first prefix there is, and the one behind *prefix/len, which may have
// gone meanwhile, in some order that depends on the prefixes alone: its next hop, or -ENOENT. The
// updating thread only.
int lpm6_first(const struct lpm6 *t, uint8_t prefix[16], uint8_t *len);
int lpm6_next(const struct lpm6 *t, uint8_t prefix[16], uint8_t *len);

// lpm6_lookup - the next hop of the longest prefix that matches addr, or LPM6_MISS.
uint32_t lpm6_lookup(const struct lpm6 *t, const uint8_t addr[16]);

// lpm6_lookup_bulk - the same for n addresses, any n, of any alignment. Bursts of 16 and more are
// far cheaper an address, since their cache misses overlap.
void lpm6_lookup_bulk(const struct lpm6 *t, const uint8_t (*addrs)[16], uint32_t *nhs, unsigned n);

// lpm6_set_live - from now on readers may run during updates (true) or no longer do (false: the
// caller knows that none runs). Not live, as a table is created, updates reuse memory at once.
// Going live takes room for a quarter more, as growth copies all of it and takes milliseconds.
// Live, memory that an update withdrew waits for lpm6_quiescent().
void lpm6_set_live(struct lpm6 *t, bool live);

// lpm6_quiescent - every reader has been outside of lookup at least once since the last call of
// this function. Memory withdrawn before that last call is reused. The updating thread only; with
// one loop turn a lcore between two calls, calling it from housekeeping will do. A live table that
// is updated and never told grows.
void lpm6_quiescent(struct lpm6 *t);

// lpm6_count - prefixes held. lpm6_memory - bytes allocated, all told. lpm6_fib_memory - of these,
// the bytes that lookups read. lpm6_name - as configured, or "".
size_t lpm6_count(const struct lpm6 *t);
size_t lpm6_memory(const struct lpm6 *t);
size_t lpm6_fib_memory(const struct lpm6 *t);
const char *lpm6_name(const struct lpm6 *t);

// lpm6_simd_name - "avx512" or "scalar": which lookup_bulk was chosen.
const char *lpm6_simd_name(const struct lpm6 *t);

#endif
