// SPDX-License-Identifier: BSD-3-Clause
// lpm_peers.h - DPDK's rte_fib and rte_lpm, as the prefix table's benchmark needs them
#ifndef WEIR_PERF_LPM_PEERS_H
#define WEIR_PERF_LPM_PEERS_H

#include "perf/routes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_fib;
struct peer_lpm;

// peer_start - start DPDK's EAL, with AVX-512 allowed. 0 or -1 (EAL has said why).
int peer_start(bool hugepages);

// Lookups write next hops in the shape of the library; answer reads one of them, 0 for no match.

// rte_fib, DIR-24-8 with next hops of nh_bytes; lookups by AVX-512 where it has that. NULL, or
// negative errno, when DPDK refuses.
struct peer_fib *peer_fib_create(unsigned nh_bytes, uint32_t max_routes);
int peer_fib_add(struct peer_fib *fib, const struct route *r);
int peer_fib_delete(struct peer_fib *fib, const struct route *r);
struct peer_fib *peer_fib_load(unsigned nh_bytes, const struct route *r, uint32_t count);
void peer_fib_destroy(struct peer_fib *fib);
void peer_fib_lookup(void *fib, const uint32_t *addrs, void *nhs, unsigned n);
uint32_t peer_fib_answer(const void *nhs, unsigned i);
size_t peer_fib_memory(const struct peer_fib *fib);
const void *peer_fib_table(const struct peer_fib *fib);
const char *peer_fib_simd(const struct peer_fib *fib);

// rte_lpm, its lookup table written from what `fib` answers; r tells which /24s have longer ones.
struct peer_lpm *peer_lpm_write(struct peer_fib *fib, const struct route *r, uint32_t count);
void peer_lpm_lookup(void *lpm, const uint32_t *addrs, void *nhs, unsigned n);
void peer_lpm_lookup_x4(void *lpm, const uint32_t *addrs, void *nhs, unsigned n);
uint32_t peer_lpm_answer(const void *nhs, unsigned i);
size_t peer_lpm_memory(const struct peer_lpm *lpm);
// Cycles an rte_lpm_add() of the first n prefixes, 0 on error.
double peer_lpm_time_adds(const struct route *r, uint32_t n);

// peer_describe_pages - what backs the memory at p: "4 kB pages", "2048 kB pages", ...
void peer_describe_pages(const void *p, char *text, size_t size);

#endif
