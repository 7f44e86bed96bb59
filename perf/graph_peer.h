// SPDX-License-Identifier: BSD-3-Clause
// graph_peer.h - the same chains of idle nodes in DPDK's rte_graph
#ifndef WEIR_PERF_GRAPH_PEER_H
#define WEIR_PERF_GRAPH_PEER_H

#include "perf/bench.h"

#define GRAPH_PEER_NODES_MAX 8

struct graph_peer;

// A source that gives 64 packets a walk, `nodes` that pass them on (rte_node_next_stream_move), and one
// that ends them. EAL is running. Ends the program with a message when rte_graph refuses.
struct graph_peer *graph_peer_make(unsigned nodes);

// A round, for struct bench_side; peer is what graph_peer_make() gave.
void graph_peer_run(void *peer, struct bench_round *round);

#endif
