// SPDX-License-Identifier: BSD-3-Clause
// lpm6_peers.h - DPDK's rte_fib6, as the IPv6 prefix table's benchmark needs it
#ifndef WEIR_PERF_LPM6_PEERS_H
#define WEIR_PERF_LPM6_PEERS_H

#include "perf/routes.h"

#include <stdbool.h>
#include <stddef.h>

struct peer_fib6;

// rte_fib6 as a trie with 4-byte next hops (2-byte ones leave room for 32,767 groups, fewer than
// the Internet's table takes); `wide`: lookups by AVX-512 where it has that. NULL: DPDK has said
// why. Others as in lpm_peers.h; peer_start() comes first.
struct peer_fib6 *peer_fib6_create(uint32_t max_routes, bool wide);
struct peer_fib6 *peer_fib6_load(const struct routes6 *r, bool wide);
int peer_fib6_add(struct peer_fib6 *fib, const struct route6 *r);
int peer_fib6_delete(struct peer_fib6 *fib, const struct route6 *r);
void peer_fib6_destroy(struct peer_fib6 *fib);
void peer_fib6_lookup(void *fib, const uint8_t (*addrs)[16], void *nhs, unsigned n);
uint32_t peer_fib6_answer(const void *nhs, unsigned i);
size_t peer_fib6_memory(const struct peer_fib6 *fib);
bool peer_fib6_wide(const struct peer_fib6 *fib);

#endif
