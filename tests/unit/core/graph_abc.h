// SPDX-License-Identifier: BSD-3-Clause
// graph_abc.h - three nodes: a leads to b (left) and c (right), which send, or go to each other
#ifndef WEIR_TESTS_UNIT_CORE_GRAPH_ABC_H
#define WEIR_TESTS_UNIT_CORE_GRAPH_ABC_H

#include "tests/unit/core/graph_kinds.h"

#include <string.h>

static struct mempool *pool;
static struct clock now_clock;

struct fixture {
	struct graph *g;
	struct picker a, b, c; // states of the nodes "a", "b", "c"
	struct node *na, *nb, *nc;
};

static inline uint8_t pick_left(struct node *node, struct mbuf *m)
{
	return 0;
}

static inline uint8_t pick_hold(struct node *node, struct mbuf *m)
{
	return NEXT_HELD;
}

// a -> b (left), a -> c (right); b and c send, and lead nowhere but to each other.
static inline void setup(struct fixture *f)
{
	struct err err = {""};

	memset(f, 0, sizeof(*f));
	f->a.due = f->b.due = f->c.due = TIME_NEVER;
	f->a.pick = pick_left;
	f->b.pick = f->c.pick = pick_sent;
	f->g = graph_create(&now_clock, &err);
	assert_non_null(f->g);
	f->na = test_add(f->g, &picker_def, "a", &f->a);
	f->nb = test_add(f->g, &picker_def, "b", &f->b);
	f->nc = test_add(f->g, &picker_def, "c", &f->c);
	assert_int_equal(node_connect(f->na, "left", f->nb, &err), 0);
	assert_int_equal(node_connect(f->na, "right", f->nc, &err), 0);
	assert_int_equal(node_connect(f->nb, "left", f->nc, &err), 0);
	assert_int_equal(node_connect(f->nb, "right", f->nc, &err), 0);
	assert_int_equal(node_connect(f->nc, "left", f->nb, &err), 0);
	assert_int_equal(node_connect(f->nc, "right", f->nb, &err), 0);
	assert_int_equal(graph_check(f->g, &err), 0);
}

static inline void teardown(struct fixture *f)
{
	graph_destroy(f->g);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static inline void rx(struct fixture *f, unsigned n)
{
	struct mbuf *pkts[GRAPH_BURST];

	test_packets(pool, pkts, n, 0);
	graph_rx(f->g, f->na, pkts, n);
}

#endif
