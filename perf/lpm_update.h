// SPDX-License-Identifier: BSD-3-Clause
// lpm_update.h - the prefix table's benchmark: updates of ours and the peers'
#ifndef WEIR_PERF_LPM_UPDATE_H
#define WEIR_PERF_LPM_UPDATE_H

#include "netstack/lpm4.h"
#include "perf/lpm_peers.h"
#include "perf/routes.h"

// All prefixes into an empty table, in their order, which `order` names.
void lpm_bench_adds(const struct routes *r, const char *order, unsigned rounds);

// Withdrawals and announcements in full tables, lookups going on; at most 64 rounds.
void lpm_bench_churn(const struct routes *r, struct lpm4 *t, struct peer_fib *fib, unsigned rounds);

// The first n into rte_lpm.
void lpm_bench_peer_adds(const struct routes *r, uint32_t n);

#endif
