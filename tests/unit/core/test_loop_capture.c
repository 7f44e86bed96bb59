// SPDX-License-Identifier: BSD-3-Clause
// test_loop_capture.c - the loop on a capture's clock: whose time comes when
#include "tests/unit/core/loop_bench.h"

// Two captures play together, each packet at its own time, from the first one's time on.
static void test_capture_merges(void **state)
{
	static const uint64_t t0[] = {1000, 1010, 1010, 5000}, t1[] = {1005, 1010, 4999};
	static const uint32_t order[] = {0, 100, 1, 2, 101, 102, 3};
	static const uint64_t when[] = {1000, 1005, 1010, 1010, 1010, 4999, 5000};

	setup(CLOCK_CAPTURE);
	add_tape(0, t0, 4);
	add_tape(1, t1, 3);
	loop_run(&b.l);
	assert_int_equal(b.p.seens, 7);
	assert_memory_equal(b.p.seen, order, sizeof(order));
	assert_memory_equal(b.when, when, sizeof(when));
	assert_int_equal(b.l.clock.now, 5000);
	assert_int_equal(b.p.at[0], 1000); // not 0: housekeeping sees no time before the capture's
	assert_int_equal(b.l.source[0].packets, 4);
	assert_int_equal(b.l.source[1].packets, 3);
	assert_int_equal(b.l.source[0].polls, b.l.turns);
	assert_int_equal(b.l.source[0].polls - b.l.source[0].empty, 3); // 1000, 1010, 5000
	assert_int_equal(b.l.busy_turns, 5);                            // distinct times
	teardown();
}

// More than a burst at one time: all are delivered at that time.
static void test_capture_burst(void **state)
{
	static uint64_t t[200];

	setup(CLOCK_CAPTURE);
	for (unsigned i = 0; i < 200; i++)
		t[i] = i < 199 ? 7 : 8;
	b.l.burst = 16;
	add_tape(0, t, 200);
	loop_run(&b.l);
	assert_int_equal(b.p.seens, 200);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(b.p.seen[i], i);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(b.when[i], 7);
	assert_int_equal(b.l.clock.now, 8);
	teardown();
}

static void test_capture_stamps_back(void **state)
{
	static const uint64_t t[] = {500, 300, 400, 600};
	static const uint64_t when[] = {500, 500, 500, 600};

	setup(CLOCK_CAPTURE);
	add_tape(0, t, 4);
	loop_run(&b.l);
	assert_memory_equal(b.when, when, sizeof(when));
	teardown();
}

static void work_every_100(struct node *node, uint64_t now)
{
	b.p.due = now + 100;
}

static unsigned waits; // packets for the sink
static uint64_t left_at[8];
static unsigned lefts;

static bool note_leaving(void *arg)
{
	for (; waits; waits--)
		left_at[lefts++ & 7] = b.l.clock.now;
	return false;
}

static void work_and_make(struct node *node, uint64_t now)
{
	work_every_100(node, now);
	waits++;
}

// What a timer makes leaves at the timer's time, not when the clock has gone on.
static void test_capture_timers_leave(void **state)
{
	static const uint64_t t[] = {1000, 1250};
	static const uint64_t at[] = {1000, 1100, 1200};

	setup(CLOCK_CAPTURE);
	waits = lefts = 0;
	b.p.work = work_and_make;
	b.l.sink[b.l.sinks++] = (struct loop_sink){note_leaving, NULL};
	add_tape(0, t, 2);
	loop_run(&b.l);
	assert_int_equal(lefts, 3);
	assert_memory_equal(left_at, at, sizeof(at));
	teardown();
}

// Timers between the packets fire at their exact time, and stop with the capture.
static void test_capture_timers(void **state)
{
	static const uint64_t t[] = {1000, 1000, 1250, 1300, 1301};
	static const uint64_t at[] = {1000, 1100, 1200, 1300};

	setup(CLOCK_CAPTURE);
	b.p.work = work_every_100;
	add_tape(0, t, 5);
	loop_run(&b.l);
	assert_int_equal(b.p.housekept, 4);
	assert_memory_equal(b.p.at, at, sizeof(at));
	assert_int_equal(b.l.clock.now, 1301);
	teardown();
}

// Centuries between two packets and a timer that wants every nanosecond: it is passed over in the end.
static void test_capture_gap(void **state)
{
	static const uint64_t t[] = {1, 1ull << 62};

	setup(CLOCK_CAPTURE);
	b.p.due = 0; // at once, always
	add_tape(0, t, 2);
	loop_run(&b.l);
	assert_int_equal(b.p.seens, 2);
	assert_int_equal(b.when[1], 1ull << 62);
	assert_true(b.p.housekept >= LOOP_TIMERS_MAX);
	teardown();
}

static uint8_t pick_hold_and_wake(struct node *node, struct mbuf *m)
{
	graph_wake(node, graph_now(node) + 1000);
	return NEXT_HELD;
}

// Lets one go at a time.
static void work_give_up_one(struct node *node, uint64_t now)
{
	if (b.p.helds)
		graph_drop_held(node, 0, b.p.held[--b.p.helds]);
	b.p.due = b.p.helds ? now + 1000 : TIME_NEVER;
}

static void test_capture_held_at_end(void **state)
{
	static const uint64_t t[] = {10, 10, 10};

	setup(CLOCK_CAPTURE);
	b.p.pick = pick_hold_and_wake;
	b.p.work = work_give_up_one;
	add_tape(0, t, 3);
	loop_run(&b.l);
	assert_int_equal(b.n->stats.drop[0], 3);
	assert_int_equal(b.l.clock.now, 3010); // three timers of 1000
	test_books(b.l.graph, (struct graph_books){3, 0, 0, 0, 3, 0});
	teardown();
}

// A node that never gives back what it holds: the loop ends all the same, and the books say so.
static void test_held_for_good(void **state)
{
	static const uint64_t t[] = {10};

	setup(CLOCK_CAPTURE);
	b.p.pick = pick_hold;
	add_tape(0, t, 1);
	loop_run(&b.l);
	test_books(b.l.graph, (struct graph_books){1, 0, 0, 0, 0, 1});
	teardown();
}

// --- a source without an end: what was sent comes back by it ---

static struct mbuf *wire[8];
static unsigned wires;

static uint16_t wire_burst(void *arg, struct mbuf **pkts, uint16_t n)
{
	uint16_t k = (uint16_t)(wires < n ? wires : n);

	memcpy(pkts, wire, k * sizeof(*pkts));
	wires -= k;
	memmove(wire, wire + k, wires * sizeof(*wire));
	return k;
}

// Goes over the wire three times.
static uint8_t pick_wire(struct node *node, struct mbuf *m)
{
	b.when[b.p.seens - 1] = graph_now(node);
	if (m->scratch32[1]++ == 3)
		return NEXT_CONSUMED;
	wire[wires++] = m;
	return NEXT_SENT;
}

static void test_capture_waits_for_wire(void **state)
{
	static const uint64_t t[] = {10, 20};
	static const uint64_t when[] = {10, 10, 10, 10, 20, 20, 20, 20};
	struct graph_books want = {8, 0, 6, 2, 0, 0};

	setup(CLOCK_CAPTURE);
	b.p.pick = pick_wire;
	add_tape(0, t, 2);
	b.l.source[b.l.sources++] = (struct loop_source){.burst = wire_burst, .node = b.n};
	loop_run(&b.l);
	assert_memory_equal(b.when, when, sizeof(when));
	test_books(b.l.graph, want);
	teardown();
}

// --- sinks ---

static bool sink_flush(void *arg)
{
	struct picker *p = arg;
	bool any = p->helds;

	graph_sent_held(b.n, p->helds);
	while (p->helds)
		mbuf_free(p->held[--p->helds]);
	return any;
}

// What a node gathered is flushed in the same turn, and what the last housekeeping made, too.
static uint8_t pick_gather(struct node *node, struct mbuf *m)
{
	if (m->scratch32[0] != 7777)
		graph_wake(node, 50);
	return NEXT_HELD;
}

static void work_emit_at_50(struct node *node, uint64_t now)
{
	struct mbuf *m = now == 50 ? mbuf_alloc(pool) : NULL;

	if (m) {
		m->scratch32[0] = 7777;
		graph_emit(node, 0, m);
	}
}

static void test_sink(void **state)
{
	static const uint64_t t[] = {10, 20, 50};

	setup(CLOCK_CAPTURE);
	b.p.pick = pick_gather;
	b.p.work = work_emit_at_50;
	add_tape(0, t, 3);
	b.l.sink[b.l.sinks++] = (struct loop_sink){sink_flush, &b.p};
	loop_run(&b.l);
	test_books(b.l.graph, (struct graph_books){3, 1, 4, 0, 0, 0});
	teardown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_merges),
		cmocka_unit_test(test_capture_burst),
		cmocka_unit_test(test_capture_stamps_back),
		cmocka_unit_test(test_capture_timers),
		cmocka_unit_test(test_capture_timers_leave),
		cmocka_unit_test(test_capture_gap),
		cmocka_unit_test(test_capture_held_at_end),
		cmocka_unit_test(test_held_for_good),
		cmocka_unit_test(test_capture_waits_for_wire),
		cmocka_unit_test(test_sink),
	};

	pool = test_pool(1024);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
