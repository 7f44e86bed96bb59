// SPDX-License-Identifier: BSD-3-Clause
// test_loop_stall.c - a capture clock before packets that are due and cannot be delivered
#include "tests/unit/core/loop_bench.h"

// Lets one go at a time.
static void work_give_up_one(struct node *node, uint64_t now)
{
	if (b.p.helds)
		graph_drop_held(node, 0, b.p.held[--b.p.helds]);
	b.p.due = b.p.helds ? now + 1000 : TIME_NEVER;
}

#define TAKEN_MAX 256

static struct mempool *few;

// Delivers what is due one by one, as long as there are buffers.
static uint16_t starved_burst(void *arg, struct mbuf **pkts, uint16_t n)
{
	struct tape *t = arg;

	if (t->pos == t->count || t->time[t->pos] > t->clock->now)
		return 0;
	pkts[0] = mbuf_alloc(few);
	if (!pkts[0])
		return 0;
	pkts[0]->scratch32[0] = t->pos++;
	return 1;
}

// Takes all buffers but `leave`.
static unsigned starve(struct mbuf **taken, unsigned leave)
{
	unsigned n = 0;

	while (mempool_available(few) > leave) {
		assert_true(n < TAKEN_MAX);
		taken[n] = mbuf_alloc(few);
		assert_non_null(taken[n++]);
	}
	return n;
}

static uint8_t pick_hold_and_note(struct node *node, struct mbuf *m)
{
	b.when[b.p.seens - 1] = graph_now(node);
	graph_wake(node, graph_now(node) + 1000);
	return NEXT_HELD;
}

// Two buffers for five packets, each held for 1000 ns: the third comes when the first is let go.
static void test_capture_no_buffers(void **state)
{
	static const uint64_t t[] = {10, 10, 20, 20, 20};
	static const uint64_t when[] = {10, 10, 1010, 2010, 3010};
	struct mbuf *taken[TAKEN_MAX];
	unsigned n = starve(taken, 2);

	setup(CLOCK_CAPTURE);
	b.p.pick = pick_hold_and_note;
	b.p.work = work_give_up_one;
	add_tape(0, t, 5);
	b.l.source[0].burst = starved_burst;
	loop_run(&b.l);
	assert_false(b.l.stalled);
	assert_memory_equal(b.when, when, sizeof(when));
	test_books(b.l.graph, (struct graph_books){5, 0, 0, 0, 5, 0});
	mbuf_free_bulk(taken, n);
	teardown();
}

// Nobody ever lets go: the loop ends, and says why.
static void test_capture_no_buffers_for_good(void **state)
{
	static const uint64_t t[] = {10, 20};
	struct mbuf *taken[TAKEN_MAX];
	unsigned n = starve(taken, 1);

	setup(CLOCK_CAPTURE);
	b.p.pick = pick_hold;
	add_tape(0, t, 2);
	b.l.source[0].burst = starved_burst;
	loop_run(&b.l);
	assert_true(b.l.stalled);
	test_books(b.l.graph, (struct graph_books){1, 0, 0, 0, 0, 1});
	mbuf_free_bulk(taken, n);
	teardown();
	assert_int_equal(mempool_available(few), mempool_count(few));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_no_buffers),
		cmocka_unit_test(test_capture_no_buffers_for_good),
	};

	pool = test_pool(64);
	few = test_pool(32);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
