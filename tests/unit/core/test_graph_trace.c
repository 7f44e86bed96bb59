// SPDX-License-Identifier: BSD-3-Clause
// test_graph_trace.c - what a watch is told of packets, in which order, and that it changes nothing
#include "core/graph_trace.h"
#include "tests/unit/core/graph_abc.h"

static char told[4096]; // a word an event
static size_t told_len;

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	told_len += (size_t)vsnprintf(told + told_len, sizeof(told) - told_len, fmt, ap);
	va_end(ap);
	assert_true(told_len < sizeof(told));
}

static void enter(void *arg, const struct node *node, struct mbuf *m)
{
	tell("%s<%u ", node->name, m->scratch32[0]);
}

static void leave(void *arg, const struct node *node, struct mbuf *was, struct mbuf *m, uint8_t next)
{
	assert_ptr_equal(was, m);
	tell("%s>%02x ", node->name, next);
}

static void emit(void *arg, const struct node *node, struct mbuf *m)
{
	tell("%s+%u ", node->name, m->scratch32[0]);
}

static void release(void *arg, const struct node *node, struct mbuf *m)
{
	tell("%s~%u ", node->name, m->scratch32[0]);
}

static void drop(void *arg, const struct node *node, uint8_t reason, struct mbuf *m)
{
	tell("%s!%s ", node->name, node_drop_name(node, reason));
}

static const struct graph_watch watch = {
	.enter = enter, .leave = leave, .emit = emit, .release = release, .drop = drop};

static void check_told(const char *expected)
{
	assert_string_equal(told, expected);
	told_len = 0;
	told[0] = 0;
}

static uint8_t pick_turns(struct node *node, struct mbuf *m)
{
	return m->scratch32[0] & 1;
}

// Packet by packet through a node, then on in bursts as ever.
static void test_order(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_turns;
	graph_trace(f.g, &watch);
	rx(&f, 3);
	check_told("a<0 a>00 a<1 a>01 a<2 a>00 b<0 b>fd b<2 b>fd c<1 c>fd ");
	test_books(f.g, (struct graph_books){3, 0, 3, 0, 0, 0});
	graph_trace(f.g, NULL);
	rx(&f, 3);
	check_told("");
	test_books(f.g, (struct graph_books){6, 0, 6, 0, 0, 0});
	teardown(&f);
}

static uint8_t pick_emit(struct node *node, struct mbuf *m)
{
	struct mbuf *e = mbuf_alloc(pool);

	e->scratch32[0] = 1000 + m->scratch32[0];
	graph_emit(node, 1, e);
	return m->scratch32[0] ? NEXT_CONSUMED : NEXT_DROP(1);
}

// What is made is told between the arrival and the end of its cause.
static void test_emit(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_emit;
	graph_trace(f.g, &watch);
	rx(&f, 2);
	check_told("a<0 a+1000 a>81 a<1 a+1001 a>ff c<1000 c>fd c<1001 c>fd ");
	test_books(f.g, (struct graph_books){2, 2, 2, 1, 1, 0});
	teardown(&f);
}

// Held ones that go on, and those dropped by the node; and by the machinery, which runs in circles.
static uint8_t pick_right(struct node *node, struct mbuf *m)
{
	return 1;
}

static void test_held_and_dropped(void **state)
{
	struct fixture f;

	setup(&f);
	f.a.pick = pick_hold;
	graph_trace(f.g, &watch);
	rx(&f, 2);
	check_told("a<0 a>fe a<1 a>fe ");
	graph_drop_held(f.na, 1, f.a.held[0]);
	check_told("a!worse ");
	f.a.pick = pick_left;
	graph_release(f.na, 1, f.a.held[1]);
	f.a.helds = 0;
	rx(&f, 1);
	check_told("a~1 a<0 a>00 b<0 b>fd c<1 c>fd ");
	f.b.pick = f.c.pick = pick_right;
	told_len = 0;
	rx(&f, 1);
	assert_string_equal(told + told_len - 12, "graph!depth ");
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_emit),
		cmocka_unit_test(test_held_and_dropped),
	};

	pool = test_pool(4096);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
