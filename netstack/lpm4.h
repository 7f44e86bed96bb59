// SPDX-License-Identifier: BSD-3-Clause
// lpm4.h - IPv4 longest-prefix match: the router's table of prefixes
//
// Lookup (RFC 1812, 5.2.4.3: the longest matching prefix wins) reads a compressed table of two
// levels, in the family of DIR-24-8, Poptrie (Asai, Ohara, SIGCOMM 2015) and DXR:
//
//   root    2^18 words, one a /18: a next hop, or where its block lies
//   block   64-bit bitmap over the 64 /24s of the /18, a bit where the next hop changes, then one
//           16-bit next hop a run: popcount of the bitmap up to the /24 is the index
//   deep    the same for the 256 addresses of a /24, only below a /24 that has longer prefixes
//
// so a lookup reads the root and, for a quarter of all addresses, one more cache line. Measured by
// perf/lpm.c, random addresses in bursts of 64, the Internet's table of 2024 (901,899 prefixes,
// 16,384 next hops), beside DPDK 22.11's rte_fib with AVX-512 and 2-byte next hops:
//
//              lookups read   all told    lookup            add in order, shuffled
//   lpm4       4.1 MiB        11.4 MiB    6 to 9 cycles     310, 700 to 900 cycles
//   rte_fib    32 MiB         385 MiB     23 to 31 cycles   435, 4,900 to 8,700 cycles
//
// In instructions, without vectors: a lookup in bulk 38, one by one 13, an add 1,239. AVX-512 takes
// sixteen addresses through the same steps at once.
//
// An update of the full table takes about half a microsecond, that of a short prefix with many
// below it longer, up to 0.2 ms for a /8; a default route one store.
//
// Addresses and prefixes are in host byte order. One thread updates; any lcore looks up, without
// locks, at the same time once lpm4_set_live() was called: an address yields the next hop before or
// after an update, never a third. Memory comes from the C library, in updates only.
#ifndef WEIR_NETSTACK_LPM4_H
#define WEIR_NETSTACK_LPM4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A next hop is a small index (of an adjacency, say). LPM4_MISS is the answer where no prefix
// matches; it may serve as an index too, of an entry that drops.
#define LPM4_NH_MAX 0x7ffeu
#define LPM4_MISS   0x7fffu

enum lpm4_simd {
	LPM4_SIMD_AUTO, // the best that this processor has
	LPM4_SIMD_SCALAR,
	LPM4_SIMD_AVX512, // needs F, DQ, BW, VL and VPOPCNTDQ
};

struct lpm4_conf {
	const char *name;    // for listings; copied; may be NULL
	uint32_t max_routes; // how many to make room for at once: a hint, no limit; 0 is fine
	enum lpm4_simd simd;
};

struct lpm4;

// lpm4_create - an empty table, about 1.2 MiB.
// NULL and errno: ENOMEM, or ENOTSUP when the processor lacks what conf->simd asks for.
// conf may be NULL for the defaults.
struct lpm4 *lpm4_create(const struct lpm4_conf *conf);

// lpm4_destroy - give everything back. No reader may be left. t may be NULL.
void lpm4_destroy(struct lpm4 *t);

// lpm4_add - prefix/len leads to next hop nh; a prefix that is there already gets the new nh.
// -EINVAL: len over 32, bits set beyond len, or nh over LPM4_NH_MAX. -ENOMEM, -ENOSPC (over 1 GiB):
// nothing was changed.
int lpm4_add(struct lpm4 *t, uint32_t prefix, uint8_t len, uint32_t nh);

// lpm4_delete - withdraw prefix/len. -EINVAL as above, -ENOENT: not there, -ENOMEM and -ENOSPC:
// nothing was changed.
int lpm4_delete(struct lpm4 *t, uint32_t prefix, uint8_t len);

// lpm4_get - the next hop of exactly prefix/len, or -EINVAL, -ENOENT. The updating thread only.
int lpm4_get(const struct lpm4 *t, uint32_t prefix, uint8_t len);

// lpm4_first, lpm4_next - the first prefix there is, and the one behind *prefix/len, which may have
// gone meanwhile, in some order that depends on the prefixes alone: its next hop, or -ENOENT. The
// updating thread only.
int lpm4_first(const struct lpm4 *t, uint32_t *prefix, uint8_t *len);
int lpm4_next(const struct lpm4 *t, uint32_t *prefix, uint8_t *len);

// lpm4_lookup - the next hop of the longest prefix that matches addr, or LPM4_MISS.
uint32_t lpm4_lookup(const struct lpm4 *t, uint32_t addr);

// lpm4_lookup_bulk - the same for n addresses, any n. Bursts of 16 and more are far cheaper an
// address, since their cache misses overlap. addrs and nhs may be the same array.
void lpm4_lookup_bulk(const struct lpm4 *t, const uint32_t *addrs, uint32_t *nhs, unsigned n);

// lpm4_set_live - from now on readers may run during updates (true) or no longer do (false: the
// caller knows that none runs). Not live, as a table is created, updates reuse memory at once.
// Going live takes room for a quarter more, as growth copies all of it and takes milliseconds.
// Live, memory that an update withdrew waits for lpm4_quiescent().
void lpm4_set_live(struct lpm4 *t, bool live);

// lpm4_quiescent - every reader has been outside of lookup at least once since the last call of
// this function. Memory withdrawn before that last call is reused. The updating thread only; with
// one loop turn a lcore between two calls, calling it from housekeeping will do. A live table that
// is updated and never told grows.
void lpm4_quiescent(struct lpm4 *t);

// lpm4_count - prefixes held. lpm4_memory - bytes allocated, all told. lpm4_fib_memory - of these,
// the bytes that lookups read. lpm4_name - as configured, or "".
size_t lpm4_count(const struct lpm4 *t);
size_t lpm4_memory(const struct lpm4 *t);
size_t lpm4_fib_memory(const struct lpm4 *t);
const char *lpm4_name(const struct lpm4 *t);

// lpm4_simd_name - "avx512" or "scalar": which lookup_bulk was chosen.
const char *lpm4_simd_name(const struct lpm4 *t);

#endif
