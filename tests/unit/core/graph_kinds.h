// SPDX-License-Identifier: BSD-3-Clause
// graph_kinds.h - node kinds for the tests of graph and loop: what a node does is said by a function
//
// A packet is known by its number, scratch32[0]. A `pick` node asks pick() for every packet and writes
// down the numbers it saw.
#ifndef WEIR_TESTS_UNIT_CORE_GRAPH_KINDS_H
#define WEIR_TESTS_UNIT_CORE_GRAPH_KINDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/graph.h"
#include "mempool/mempool.h"

#define SEEN_MAX (256 * GRAPH_BURST)

struct picker {
	uint8_t (*pick)(struct node *node, struct mbuf *m);
	uint32_t seen[SEEN_MAX];
	unsigned seens;
	struct mbuf *held[SEEN_MAX];
	unsigned helds;
	uint64_t housekept; // calls
	uint64_t due;       // what the next housekeep returns
	uint64_t at[64];    // times of the first calls
	void (*work)(struct node *node, uint64_t now); // of housekeep, may be NULL
	uint8_t drop_held;  // reason that destroy drops by
};

static inline void picker_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct picker *p = node->state;

	for (unsigned i = 0; i < n; i++) {
		assert_true(p->seens < SEEN_MAX);
		p->seen[p->seens++] = pkts[i]->scratch32[0];
		next[i] = p->pick(node, pkts[i]);
		if (next[i] == NEXT_HELD)
			p->held[p->helds++] = pkts[i];
	}
}

static inline uint64_t picker_housekeep(struct node *node, uint64_t now)
{
	struct picker *p = node->state;

	if (p->housekept < 64)
		p->at[p->housekept] = now;
	p->housekept++;
	if (p->work)
		p->work(node, now);
	return p->due;
}

static inline void picker_destroy(struct node *node)
{
	struct picker *p = node->state;

	while (p->helds)
		graph_drop_held(node, p->drop_held, p->held[--p->helds]);
}

static const char *const picker_edges[] = {"left", "right", NULL};
static const char *const picker_drops[] = {"bad", "worse", NULL};

static const struct node_def picker_def = {
	.name = "picker",
	.edges = picker_edges,
	.drops = picker_drops,
	.process = picker_process,
	.housekeep = picker_housekeep,
	.destroy = picker_destroy,
};

// The same with nothing but added edges.
static const struct node_def bare_def = {
	.name = "bare",
	.drops = picker_drops,
	.process = picker_process,
	.destroy = picker_destroy,
};

static inline struct mempool *test_pool(uint32_t count)
{
	struct mempool_conf conf = {.name = "test", .count = count, .data_room = 128, .lcores = 2};
	struct err err = {""};
	struct mempool *mp = mempool_create(&conf, &err);

	if (!mp)
		fail_msg("%s", err.text);
	return mp;
}

// n packets numbered from `first`.
static inline void test_packets(struct mempool *mp, struct mbuf **pkts, unsigned n, uint32_t first)
{
	for (unsigned i = 0; i < n; i++) {
		pkts[i] = mbuf_alloc(mp);
		assert_non_null(pkts[i]);
		pkts[i]->scratch32[0] = first + i;
		pkts[i]->scratch32[1] = 0;
	}
}

static inline uint8_t pick_sent(struct node *node, struct mbuf *m)
{
	mbuf_free(m); // as a port would when the frame has left
	return NEXT_SENT;
}

static inline struct node *test_add(struct graph *g, const struct node_def *def, const char *name,
				    struct picker *p)
{
	struct err err = {""};
	struct node *node = graph_add(g, def, name, p, &err);

	if (!node)
		fail_msg("%s", err.text);
	return node;
}

static inline void test_books(struct graph *g, struct graph_books want)
{
	struct graph_books b;

	graph_books(g, &b);
	assert_int_equal(b.rx, want.rx);
	assert_int_equal(b.generated, want.generated);
	assert_int_equal(b.tx, want.tx);
	assert_int_equal(b.consumed, want.consumed);
	assert_int_equal(b.dropped, want.dropped);
	assert_int_equal(b.held, want.held);
	assert_true(graph_balanced(&b));
}

#endif
