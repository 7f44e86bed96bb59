// SPDX-License-Identifier: BSD-3-Clause
// loop_bench.h - for tests of the loop: one node, and sources that play a list of times
#ifndef WEIR_TESTS_UNIT_CORE_LOOP_BENCH_H
#define WEIR_TESTS_UNIT_CORE_LOOP_BENCH_H

#include "tests/unit/core/graph_kinds.h"

#include <string.h>

#include "core/loop.h"

static struct mempool *pool;

struct tape { // a source: packets by the time they are due, like a capture
	const struct clock *clock;
	const uint64_t *time;
	unsigned count, pos;
	uint32_t first; // number of the first packet
};

static inline uint16_t tape_burst(void *arg, struct mbuf **pkts, uint16_t n)
{
	struct tape *t = arg;
	uint16_t k = 0;

	for (; k < n && t->pos < t->count && t->time[t->pos] <= t->clock->now; k++, t->pos++)
		test_packets(pool, &pkts[k], 1, t->first + t->pos);
	return k;
}

static inline uint64_t tape_next(const void *arg)
{
	const struct tape *t = arg;

	return t->pos < t->count ? t->time[t->pos] : TIME_NEVER;
}

struct bench { // one node "n" that everything enters
	struct loop l;
	struct picker p;
	struct node *n;
	struct tape tape[2];
	uint64_t when[64]; // time at which the i-th packet was seen
};

static struct bench b; // of the test that runs

static inline uint8_t pick_note_time(struct node *node, struct mbuf *m)
{
	if (b.p.seens <= 64)
		b.when[b.p.seens - 1] = graph_now(node);
	return NEXT_CONSUMED;
}

static inline void setup(enum clock_kind kind)
{
	memset(&b, 0, sizeof(b));
	clock_init(&b.l.clock, kind);
	b.l.graph = graph_create(&b.l.clock, NULL);
	b.p.pick = pick_note_time;
	b.p.due = TIME_NEVER;
	b.n = test_add(b.l.graph, &picker_def, "n", &b.p);
	for (unsigned e = 0; e < 2; e++)
		assert_int_equal(node_connect(b.n, picker_edges[e], b.n, NULL), 0);
}

static inline void add_tape(unsigned i, const uint64_t *time, unsigned count)
{
	b.tape[i] = (struct tape){&b.l.clock, time, count, 0, 100 * i};
	b.l.source[b.l.sources++] = (struct loop_source){
		.burst = tape_burst,
		.arg = &b.tape[i],
		.node = b.n,
		.next_time = tape_next,
		.next_arg = &b.tape[i],
	};
}

static inline void teardown(void)
{
	graph_destroy(b.l.graph);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static inline uint8_t pick_hold(struct node *node, struct mbuf *m)
{
	return NEXT_HELD;
}

#endif
