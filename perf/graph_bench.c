// SPDX-License-Identifier: BSD-3-Clause
// graph_bench.c - what the graph costs beside rte_graph, and what its burst size does
//
// Chains of idle nodes stand beside the same chains in rte_graph, at 64 packets a burst. The other
// lines have 64, the default, beside 32, 128 and 256: above 1, 64 is the quickest of them. With
// --once KIND SIZE NODES [FILL] a single round is run, for callgrind.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/bench.h"
#include "perf/bench_eal.h"
#include "perf/graph_burst.h"
#include "perf/graph_peer.h"

static const struct {
	unsigned size;
	const char *name;
	void (*run)(void *arg, struct bench_round *round);
} sizes[] = {
	{64, "64", graph_burst_64}, // ours: the default
	{32, "32", graph_burst_32},
	{128, "128", graph_burst_128},
	{256, "256", graph_burst_256},
};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static const char *const kinds[BURST_KINDS] = {
	[BURST_CHAIN] = "chain",
	[BURST_SPLIT] = "split",
	[BURST_ROUTER] = "router",
	[BURST_IO] = "io",
};

static void beside_rte_graph(unsigned nodes)
{
	struct graph_burst what = {BURST_CHAIN, nodes, 0};
	struct bench_side sides[] = {
		{"weir", graph_burst_64, &what},
		{"rte_graph", graph_peer_run, graph_peer_make(nodes)},
	};
	char name[64];

	snprintf(name, sizeof(name), "graph chain %u", nodes);
	bench_compare(name, sides, 2);
}

static void beside_sizes(const char *name, enum graph_burst_kind kind, unsigned nodes)
{
	struct graph_burst what = {kind, nodes, 0};
	struct bench_side sides[SIZES];

	for (unsigned i = 0; i < SIZES; i++)
		sides[i] = (struct bench_side){sizes[i].name, sizes[i].run, &what};
	bench_compare(name, sides, SIZES);
}

static void fills(void)
{
	static const unsigned fill[] = {1, 4, 16};
	char name[64];

	for (unsigned i = 0; i < sizeof(fill) / sizeof(fill[0]); i++) {
		struct graph_burst what = {BURST_CHAIN, 4, fill[i]};
		struct bench_side side = {"weir", graph_burst_64, &what};

		snprintf(name, sizeof(name), "graph chain 4 in bursts of %u", fill[i]);
		bench_compare(name, &side, 1);
	}
}

static int once(int argc, char **argv)
{
	struct bench_round round = {0};

	for (unsigned k = 0; argc >= 3 && k < BURST_KINDS; k++) {
		struct graph_burst what = {k, (unsigned)atoi(argv[2]),
					   argc > 3 ? (unsigned)atoi(argv[3]) : 0};

		for (unsigned i = 0; i < SIZES && strcmp(argv[0], kinds[k]) == 0; i++) {
			if (strcmp(argv[1], sizes[i].name))
				continue;
			sizes[i].run(&what, &round);
			printf("%lu packets\n", (unsigned long)round.packets);
			return 0;
		}
	}
	fprintf(stderr, "--once chain|split|router|io 32|64|128|256 NODES [FILL]\n");
	return 2;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--once") == 0)
		return once(argc - 2, argv + 2);
	bench_eal_start(argv[0], 64);
	bench_start(argc, argv, "graph: nodes that do nothing, and burst sizes", "pkt");
	for (unsigned nodes = 1; nodes <= GRAPH_PEER_NODES_MAX; nodes *= 2)
		beside_rte_graph(nodes);
	fills();
	beside_sizes("graph burst, chain 4", BURST_CHAIN, 4);
	beside_sizes("graph burst, split 4", BURST_SPLIT, 4);
	beside_sizes("graph burst, router", BURST_ROUTER, 0);
	beside_sizes("graph burst, io 256 packets", BURST_IO, 256);
	beside_sizes("graph burst, io 1024 packets", BURST_IO, 1024);
	return bench_end();
}
