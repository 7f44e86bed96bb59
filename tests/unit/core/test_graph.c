// SPDX-License-Identifier: BSD-3-Clause
// test_graph.c - building a graph, and every ending of a packet
#include "tests/unit/core/graph_abc.h"

#include <errno.h>
#include <stdio.h>

static void test_build(void **state)
{
	static const struct node_def no_way = {.name = "no-way"};
	static const char *const two[] = {"x", "y", NULL};
	static const struct node_def blind = {.name = "blind", .edges = two};
	struct fixture f;
	struct err err = {""};
	struct node *n;
	char name[NODE_NAME_MAX + 2];

	setup(&f);
	assert_null(graph_add(f.g, &picker_def, "a", NULL, &err));
	assert_string_equal(err.text, "graph: node name 'a' is taken: choose another");
	assert_null(graph_add(f.g, &picker_def, "graph", NULL, &err));
	assert_null(graph_add(f.g, &picker_def, "a.b", NULL, &err));
	assert_null(graph_add(f.g, &picker_def, "", NULL, &err));
	memset(name, 'n', sizeof(name));
	name[NODE_NAME_MAX + 1] = 0;
	assert_null(graph_add(f.g, &picker_def, name, NULL, &err));
	assert_null(graph_add(f.g, &blind, "blind", NULL, &err));

	assert_int_equal(node_connect(f.na, "up", f.nb, &err), -ENOENT);
	assert_string_equal(err.text, "graph: node 'a' (kind 'picker') has no edge 'up'");

	n = test_add(f.g, &picker_def, "d", &f.a);
	f.a.helds = 0;
	assert_int_equal(node_connect(n, "left", f.nb, &err), 0);
	assert_int_equal(graph_check(f.g, &err), -EINVAL);
	assert_string_equal(err.text, "graph: edge 'right' (1) of node 'd' leads nowhere: "
				      "node_connect() it");
	assert_int_equal(node_connect(n, "right", f.nb, &err), 0);
	assert_int_equal(graph_check(f.g, &err), 0);

	// Added edges follow the fixed ones and are still there after the array has grown.
	assert_int_equal(node_add_edge(n, f.nc, &err), 2);
	assert_int_equal(node_add_edge(n, f.na, &err), 3);
	assert_ptr_equal(n->edge[0], f.nb);
	assert_ptr_equal(n->edge[2], f.nc);
	assert_ptr_equal(n->edge[3], f.na);
	while (n->edges < NEXT_EDGES)
		assert_true(node_add_edge(n, f.nc, &err) >= 0);
	assert_int_equal(node_add_edge(n, f.nc, &err), -ENOSPC);
	assert_int_equal(graph_check(f.g, &err), 0);

	test_add(f.g, &no_way, "e", NULL);
	assert_int_equal(graph_check(f.g, &err), -EINVAL);

	assert_ptr_equal(graph_find(f.g, "c"), f.nc);
	assert_null(graph_find(f.g, "z"));
	assert_int_equal(graph_nodes(f.g), 6); // a b c d e graph
	assert_ptr_equal(graph_node(f.g, 0), f.na);
	assert_string_equal(graph_node(f.g, 5)->name, "graph");
	assert_ptr_equal(graph_find(f.g, "graph"), graph_node(f.g, 5));
	teardown(&f);
}

static void test_foreign_edge(void **state)
{
	struct fixture f, other;
	struct err err = {""};

	setup(&f);
	setup(&other);
	assert_int_equal(node_connect(f.na, "left", other.nb, &err), 0);
	assert_int_equal(graph_check(f.g, &err), -EINVAL);
	teardown(&f);
	teardown(&other);
}

static void test_full(void **state)
{
	struct picker p = {.due = TIME_NEVER};
	struct err err = {""};
	struct graph *g = graph_create(&now_clock, &err);
	char name[16];

	for (int i = 0; i < GRAPH_NODES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_non_null(graph_add(g, &bare_def, name, &p, &err));
	}
	assert_null(graph_add(g, &bare_def, "one-more", &p, &err));
	assert_string_equal(err.text, "graph: no room for node 'one-more': 128 is the most");
	graph_destroy(g);
}

// 0 1 2 3 4 5: left, right, drop bad, drop worse, consumed, held
static uint8_t pick_each(struct node *node, struct mbuf *m)
{
	static const uint8_t next[] = {0, 1, NEXT_DROP(0), NEXT_DROP(1), NEXT_CONSUMED, NEXT_HELD};

	return next[m->scratch32[0] % 6];
}

static void test_endings(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_each;
	rx(&f, 32); // 0..31: six each of 0 and 1, five each of 2 to 5
	assert_int_equal(f.b.seens, 6);
	assert_int_equal(f.c.seens, 6);
	assert_int_equal(f.na->stats.drop[0], 5);
	assert_int_equal(f.na->stats.drop[1], 5);
	assert_int_equal(f.na->stats.consumed, 5);
	assert_int_equal(f.na->stats.held, 5);
	assert_int_equal(f.na->stats.calls, 1);
	assert_int_equal(f.na->stats.packets, 32);
	assert_int_equal(f.nb->stats.sent, 6);
	test_books(f.g, (struct graph_books){32, 0, 12, 5, 10, 5});
	assert_int_equal(mempool_available(pool), mempool_count(pool) - 5);
	teardown(&f); // destroy dropped what was held: the pool is whole
}

static void test_destroy_counts(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_hold;
	f.a.drop_held = 1;
	rx(&f, 7);
	test_books(f.g, (struct graph_books){7, 0, 0, 0, 0, 7});
	picker_destroy(f.na);
	assert_int_equal(f.na->stats.drop[1], 7);
	test_books(f.g, (struct graph_books){7, 0, 0, 0, 7, 0});
	teardown(&f);
}

// A node without process() passes everything to edge 0, and is counted.
static void test_wire(void **state)
{
	static const char *const edges[] = {"next", NULL};
	static const struct node_def wire = {.name = "wire", .edges = edges};
	struct fixture f;
	struct node *w;

	setup(&f);
	w = test_add(f.g, &wire, "wire", NULL);
	assert_int_equal(node_connect(w, "next", f.nb, NULL), 0);
	assert_int_equal(node_connect(f.na, "left", w, NULL), 0);
	rx(&f, 9);
	assert_int_equal(w->stats.calls, 1);
	assert_int_equal(w->stats.packets, 9);
	assert_int_equal(f.b.seens, 9);
	test_books(f.g, (struct graph_books){9, 0, 9, 0, 0, 0});
	teardown(&f);
}

// b and c pass to each other for ever: every packet ends at the depth limit.
static void test_depth(void **state)
{
	struct fixture f;

	setup(&f);
	f.b.pick = f.c.pick = pick_left;
	rx(&f, 5);
	assert_int_equal(graph_find(f.g, "graph")->stats.drop[0], 5);
	assert_string_equal(graph_find(f.g, "graph")->def->drops[0], "depth");
	assert_int_equal(f.na->stats.calls + f.nb->stats.calls + f.nc->stats.calls,
			 GRAPH_DEPTH_MAX);
	test_books(f.g, (struct graph_books){5, 0, 0, 0, 5, 0});
	teardown(&f);
}

// A loop of nodes that split every burst: left and right by turns.
static uint8_t pick_by_bit(struct node *node, struct mbuf *m)
{
	return m->scratch32[0] >> (node->stats.calls & 3) & 1;
}

static void test_depth_split(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = f.b.pick = f.c.pick = pick_by_bit;
	rx(&f, 32);
	assert_int_equal(graph_find(f.g, "graph")->stats.drop[0], 32);
	test_books(f.g, (struct graph_books){32, 0, 0, 0, 32, 0});
	teardown(&f);
}

#ifndef WEIR_AUDIT
static uint8_t pick_nonsense(struct node *node, struct mbuf *m)
{
	static const uint8_t next[] = {2, 0x7f, NEXT_DROP(2), NEXT_DROP(63), 0xc0, 0xfc, 0, 1};

	return next[m->scratch32[0] % 8];
}

static void test_bad_edge(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_nonsense;
	rx(&f, 16); // of eight values two are right
	assert_int_equal(graph_find(f.g, "graph")->stats.drop[1], 12);
	assert_string_equal(graph_find(f.g, "graph")->def->drops[1], "bad-edge");
	test_books(f.g, (struct graph_books){16, 0, 4, 0, 12, 0});
	teardown(&f);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_foreign_edge),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_destroy_counts),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_depth_split),
#ifndef WEIR_AUDIT
		cmocka_unit_test(test_bad_edge),
#endif
	};

	pool = test_pool(1024);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
