// SPDX-License-Identifier: BSD-3-Clause
// test_graph.c - building a graph, every ending of a packet, emission, holding, housekeeping
#include "tests/unit/core/graph_kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct mempool *pool;
static struct clock now_clock;

struct fixture {
	struct graph *g;
	struct picker a, b, c; // states of the nodes "a", "b", "c"
	struct node *na, *nb, *nc;
};

static uint8_t pick_left(struct node *node, struct mbuf *m)
{
	return 0;
}

static uint8_t pick_hold(struct node *node, struct mbuf *m)
{
	return NEXT_HELD;
}

// a -> b (left), a -> c (right); b and c send, and lead nowhere but to each other.
static void setup(struct fixture *f)
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

static void teardown(struct fixture *f)
{
	graph_destroy(f->g);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void rx(struct fixture *f, unsigned n)
{
	struct mbuf *pkts[GRAPH_BURST];

	test_packets(pool, pkts, n, 0);
	graph_rx(f->g, f->na, pkts, n);
}

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
	char name[8];

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

// --- emission ---

static unsigned emits; // a packet; numbered from 1000 up

static uint8_t pick_emit(struct node *node, struct mbuf *m)
{
	for (unsigned i = 0; i < emits; i++) {
		struct mbuf *e = mbuf_alloc(pool);

		assert_non_null(e);
		e->scratch32[0] = 1000 + m->scratch32[0] * emits + i;
		graph_emit(node, 1, e);
	}
	return NEXT_CONSUMED;
}

static void test_emit(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_emit;
	emits = 3;
	rx(&f, 20);
	assert_int_equal(f.na->stats.generated, 60);
	assert_int_equal(f.c.seens, 60);
	for (unsigned i = 0; i < 60; i++) // in the order of emission
		assert_int_equal(f.c.seen[i], 1000 + i);
	// Gathered into bursts, not run one by one.
	assert_int_equal(f.nc->stats.calls, (60 + GRAPH_BURST - 1) / GRAPH_BURST);
	test_books(f.g, (struct graph_books){20, 60, 60, 20, 0, 0});
	teardown(&f);
}

// What is over the limit is dropped by name, not lost.
static void test_emit_full(void **state)
{
	struct fixture f;
	uint64_t over = 10;

	setup(&f);
	f.a.pick = pick_emit;
	emits = GRAPH_PENDING_MAX + (unsigned)over;
	rx(&f, 1);
	assert_int_equal(graph_find(f.g, "graph")->stats.drop[2], over);
	assert_string_equal(graph_find(f.g, "graph")->def->drops[2], "emit-full");
	assert_int_equal(f.c.seens, GRAPH_PENDING_MAX);
	test_books(f.g, (struct graph_books){1, emits, GRAPH_PENDING_MAX, 1, over, 0});
	teardown(&f);
}

// Nodes that answer every packet with one to each other: ends at the depth limit.
static uint8_t pick_answer(struct node *node, struct mbuf *m)
{
	struct mbuf *e = mbuf_alloc(pool);

	e->scratch32[0] = m->scratch32[0];
	graph_emit(node, 0, e);
	return NEXT_CONSUMED;
}

static void test_emit_depth(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = f.b.pick = f.c.pick = pick_answer;
	rx(&f, 4);
	// Each of 4 packets enters 32 nodes and is answered in each; the last answer is too deep.
	test_books(f.g, (struct graph_books){4, 4 * GRAPH_DEPTH_MAX, 0, 4 * GRAPH_DEPTH_MAX, 4, 0});
	assert_int_equal(graph_find(f.g, "graph")->stats.drop[0], 4);
	teardown(&f);
}

static void emit_numbered(struct node *node, uint8_t edge, uint32_t number)
{
	struct mbuf *e = mbuf_alloc(pool);

	assert_non_null(e);
	e->scratch32[0] = number;
	graph_emit(node, edge, e);
}

// Left and right by turns: what waits side by side need not go the same way.
static uint8_t pick_emit_by_turns(struct node *node, struct mbuf *m)
{
	for (unsigned i = 0; i < 10; i++)
		emit_numbered(node, i & 1, i);
	return NEXT_CONSUMED;
}

static void test_emit_by_turns(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_emit_by_turns;
	rx(&f, 1);
	assert_int_equal(f.b.seens, 5);
	assert_int_equal(f.c.seens, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(f.b.seen[i], 2 * i);
		assert_int_equal(f.c.seen[i], 2 * i + 1);
	}
	teardown(&f);
}

// All goes round. Packet 0 has 1 emitted at its first node and 2 at its 31st, both to b.
static uint8_t pick_emit_early_and_late(struct node *node, struct mbuf *m)
{
	if (m->scratch32[0] == 0 && ++m->scratch32[1] == 1)
		emit_numbered(node, 0, 1);
	else if (m->scratch32[0] == 0 && m->scratch32[1] == GRAPH_DEPTH_MAX - 1)
		emit_numbered(node, 0, 2);
	return 0;
}

// Each emitted packet goes on from the depth it was made at: 0 enters 32 nodes, 1 enters 31, 2 one.
static void test_emit_keeps_depth(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = f.b.pick = f.c.pick = pick_emit_early_and_late;
	rx(&f, 1);
	assert_int_equal(f.a.seens + f.b.seens + f.c.seens, 32 + 31 + 1);
	test_books(f.g, (struct graph_books){1, 2, 0, 0, 3, 0});
	teardown(&f);
}

// --- held packets and housekeeping ---

static uint8_t pick_release(struct node *node, struct mbuf *m)
{
	struct picker *p = node->state;

	// Every fourth packet lets the held ones go, in order.
	if (m->scratch32[0] % 4 != 3)
		return NEXT_HELD;
	for (unsigned i = 0; i < p->helds; i++)
		graph_release(node, 1, p->held[i]);
	p->helds = 0;
	return 0;
}

static void test_release_in_process(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_release;
	rx(&f, 18);
	assert_int_equal(f.b.seens, 4);  // 3 7 11 15
	assert_int_equal(f.c.seens, 12); // 0 1 2 4 5 6 ...
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(f.c.seen[i], i + i / 3);
	test_books(f.g, (struct graph_books){18, 0, 16, 0, 0, 2});
	teardown(&f);
}

static void work_release(struct node *node, uint64_t now)
{
	struct picker *p = node->state;

	while (p->helds > 1)
		graph_release(node, 1, p->held[--p->helds]);
	if (p->helds)
		graph_drop_held(node, 1, p->held[--p->helds]);
}

static void work_emit(struct node *node, uint64_t now)
{
	for (unsigned i = 0; i < 3 * GRAPH_BURST; i++) {
		struct mbuf *e = mbuf_alloc(pool);

		e->scratch32[0] = i;
		graph_emit(node, 0, e);
	}
}

static void test_housekeep(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_hold;
	f.a.work = work_release;
	f.b.work = work_emit;
	f.b.due = 500;
	rx(&f, 10);
	// Everyone is called the first time, and then when due.
	assert_int_equal(graph_housekeep(f.g, 100), 500);
	assert_int_equal(f.a.housekept, 1);
	assert_int_equal(f.b.housekept, 1);
	assert_int_equal(f.c.housekept, 1);
	assert_int_equal(f.na->stats.drop[1], 1);
	assert_int_equal(f.nc->stats.packets, 9 + 3 * GRAPH_BURST);
	test_books(f.g, (struct graph_books){10, 3 * GRAPH_BURST, 9 + 3 * GRAPH_BURST, 0, 1, 0});
	assert_int_equal(graph_housekeep(f.g, 499), 500);
	assert_int_equal(f.b.housekept, 1);
	f.b.due = TIME_NEVER;
	f.b.work = NULL;
	assert_int_equal(graph_housekeep(f.g, 500), TIME_NEVER);
	assert_int_equal(f.b.housekept, 2);
	assert_int_equal(f.b.at[1], 500);
	assert_int_equal(f.a.housekept, 1);

	// Woken from outside; a later wake does not put an earlier one off.
	graph_wake(f.nc, 700);
	graph_wake(f.nc, 900);
	assert_int_equal(graph_housekeep(f.g, 600), 700);
	assert_int_equal(graph_housekeep(f.g, 701), TIME_NEVER);
	assert_int_equal(f.c.housekept, 2);
	teardown(&f);
}

static void work_wake(struct node *node, uint64_t now)
{
	graph_wake(node, now + 5);
	graph_wake(graph_find(node->graph, "a"), now + 3);
}

// A wake from within housekeep counts; a node that is due at once is not called twice in one go.
static void test_wake_in_housekeep(void **state)
{
	struct fixture f;

	setup(&f);
	f.b.work = work_wake;
	f.c.due = 0;
	assert_int_equal(graph_housekeep(f.g, 10), 11);
	assert_int_equal(f.c.housekept, 1);
	f.c.due = TIME_NEVER;
	assert_int_equal(graph_housekeep(f.g, 11), 13);
	f.b.work = NULL;
	assert_int_equal(graph_housekeep(f.g, 13), 15);
	assert_int_equal(f.a.housekept, 2);
	assert_int_equal(graph_housekeep(f.g, 15), TIME_NEVER);
	assert_int_equal(f.b.housekept, 2);
	teardown(&f);
}

static void test_sent_held(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_hold;
	rx(&f, 10);
	while (f.a.helds > 4)
		mbuf_free(f.a.held[--f.a.helds]); // the port has sent them
	graph_sent_held(f.na, 6);
	test_books(f.g, (struct graph_books){10, 0, 6, 0, 0, 4});
	teardown(&f);
}

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
		cmocka_unit_test(test_emit),
		cmocka_unit_test(test_emit_full),
		cmocka_unit_test(test_emit_depth),
		cmocka_unit_test(test_emit_by_turns),
		cmocka_unit_test(test_emit_keeps_depth),
		cmocka_unit_test(test_release_in_process),
		cmocka_unit_test(test_housekeep),
		cmocka_unit_test(test_wake_in_housekeep),
		cmocka_unit_test(test_sent_held),
	};

	pool = test_pool(GRAPH_PENDING_MAX + 4096);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
