// SPDX-License-Identifier: BSD-3-Clause
// graph_burst.h - graphs to measure, in one build for each burst size
//
// GRAPH_BURST is a constant of the graph, so graph_burst.c is built together with core/graph*.c once a
// size, each build a shared library of its own with only this call to be seen. The program links all
// and lets them run in turns.
#ifndef WEIR_PERF_GRAPH_BURST_H
#define WEIR_PERF_GRAPH_BURST_H

#include "perf/bench.h"

enum graph_burst_kind {
	BURST_CHAIN, // nodes that do nothing, `nodes` of them, then one that ends the packets
	BURST_SPLIT, // the same, but of 32 packets one is dropped at each node
	BURST_ROUTER, // Ethernet, IPv4 check, lookup, rewrite, four ports: headers read and written
	BURST_IO,    // the poll loop between two `loop` ports: `nodes` packets circulate
	BURST_KINDS
};

struct graph_burst {
	enum graph_burst_kind kind;
	unsigned nodes;
	unsigned fill; // packets a burst; 0: a full one
};

#define GRAPH_BURST_ENTRY(size) void graph_burst_##size(void *graph_burst, struct bench_round *round)

GRAPH_BURST_ENTRY(32);
GRAPH_BURST_ENTRY(64);
GRAPH_BURST_ENTRY(128);
GRAPH_BURST_ENTRY(256);

#endif
