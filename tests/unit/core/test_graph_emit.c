// SPDX-License-Identifier: BSD-3-Clause
// test_graph_emit.c - packets that nodes make, hold and let go; housekeeping
#include "tests/unit/core/graph_abc.h"

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
