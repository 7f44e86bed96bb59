// SPDX-License-Identifier: BSD-3-Clause
// test_handoff.c - packets from graph to graph: entries, order, full rings, books, and two real
// lcores
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/handoff.h"
#include "core/plat.h"
#include "mempool/mempool.h"

#define ROUNDS 20000u
#define FLOWS  16u

static struct mempool *pool;

struct sink { // an end node: what came, in order
	uint32_t next[FLOWS];
	uint64_t came, wrong;
};

static void sink_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct sink *s = node->state;

	for (unsigned i = 0; i < n; i++) {
		uint32_t flow = pkts[i]->scratch32[0], number = pkts[i]->scratch32[1];

		s->wrong += number < s->next[flow]; // gaps are drops
		s->next[flow] = number + 1;
	}
	__atomic_store_n(&s->came, s->came + n, __ATOMIC_RELAXED); // another lcore may look
	node_all(node, NEXT_CONSUMED);
}

static const struct node_def sink_def = {.name = "sink", .process = sink_process};

struct pair { // two graphs joined
	struct clock clock;
	struct graph *g[2];
	struct handoff *h;
	struct sink sink[2], other;
	struct node *end[2], *aside, *out[2], *out_aside;
	struct loop_source source[2];
};

static void open_pair(struct pair *p)
{
	struct err e = {""};

	memset(p, 0, sizeof(*p));
	clock_init(&p->clock, CLOCK_REAL);
	p->h = handoff_create(2, &e);
	assert_non_null(p->h);
	for (unsigned k = 0; k < 2; k++) {
		p->g[k] = graph_create(&p->clock, &e);
		assert_non_null(handoff_in_add(p->h, p->g[k], k, &e));
		p->end[k] = graph_add(p->g[k], &sink_def, "sink", &p->sink[k], &e);
	}
	p->aside = graph_add(p->g[1], &sink_def, "aside", &p->other, &e);
	for (unsigned k = 0; k < 2; k++) {
		p->out[k] = handoff_out_add(p->h, p->g[k], k, "handoff", !k, p->end[!k], &e);
		assert_non_null(p->out[k]);
		handoff_source(&p->source[k], p->h, !k, k);
	}
	p->out_aside = handoff_out_add(p->h, p->g[0], 0, "handoff-aside", 1, p->aside, &e);
	assert_non_null(p->out_aside);
	for (unsigned k = 0; k < 2; k++)
		assert_int_equal(graph_check(p->g[k], &e), 0);
}

static void close_pair(struct pair *p)
{
	graph_destroy(p->g[0]);
	graph_destroy(p->g[1]);
	handoff_destroy(p->h);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void give(struct graph *g, struct node *to, unsigned n, uint32_t flow, uint32_t *number)
{
	struct mbuf *pkts[GRAPH_BURST];

	assert_int_equal(mempool_get_bulk(pool, pkts, n), 0);
	for (unsigned i = 0; i < n; i++) {
		mbuf_reset(pkts[i]);
		pkts[i]->scratch32[0] = flow;
		pkts[i]->scratch32[1] = (*number)++;
	}
	graph_rx(g, to, pkts, n);
}

static unsigned take(struct pair *p, unsigned k)
{
	struct mbuf *pkts[GRAPH_BURST];
	uint16_t n = p->source[k].burst(p->source[k].arg, pkts, GRAPH_BURST);

	if (n)
		graph_rx(p->g[k], p->source[k].node, pkts, n);
	return n;
}

// The books of both graphs together.
static struct graph_books books(const struct pair *p)
{
	struct graph_books sum = {0}, b;
	struct handoff_books all = {0}, h;

	for (unsigned k = 0; k < 2; k++) {
		graph_books(p->g[k], &b);
		assert_true(graph_balanced(&b));
		handoff_books(p->h, k, &h);
		sum.rx += b.rx;
		sum.generated += b.generated;
		sum.tx += b.tx;
		sum.consumed += b.consumed;
		sum.dropped += b.dropped;
		sum.held += b.held;
		all.given += h.given;
		all.taken += h.taken;
	}
	handoff_settle(&sum, &all);
	assert_true(graph_balanced(&sum));
	return sum;
}

static void test_entries_and_order(void **state)
{
	uint32_t number[3] = {0};
	struct graph_books b;
	struct pair p;

	open_pair(&p);
	give(p.g[0], p.out[0], 40, 0, &number[0]);
	give(p.g[0], p.out_aside, 30, 1, &number[1]);
	give(p.g[0], p.out[0], 20, 0, &number[0]);
	give(p.g[1], p.out[1], 10, 2, &number[2]);
	b = books(&p);
	assert_int_equal(b.rx, 100);
	assert_int_equal(b.held, 100);					    // in the rings
	assert_int_equal(p.source[0].arm(p.source[0].arm_arg, 0), -EAGAIN); // no time to sleep
	while (take(&p, 1) || take(&p, 0))
		;
	assert_int_equal(p.source[0].arm(p.source[0].arm_arg, 0), 0);
	p.source[0].disarm(p.source[0].arm_arg, 0);
	assert_int_equal(p.sink[1].came, 60);
	assert_int_equal(p.other.came, 30);
	assert_int_equal(p.sink[0].came, 10);
	assert_int_equal(p.sink[0].wrong + p.sink[1].wrong + p.other.wrong, 0);
	b = books(&p);
	assert_int_equal(b.rx, 100);
	assert_int_equal(b.tx, 0);
	assert_int_equal(b.consumed, 100);
	assert_int_equal(b.held, 0);
	close_pair(&p);
}

// One packet given to two entries reaches both: each has an entry of its own written into it.
static void test_several_owners(void **state)
{
	struct mbuf *m, *twice;
	struct pair p;

	open_pair(&p);
	m = mbuf_alloc(pool);
	m->scratch32[0] = 1;
	m->scratch32[1] = 0;
	mbuf_ref(m);
	twice = m;
	graph_rx(p.g[0], p.out[0], &m, 1);
	graph_rx(p.g[0], p.out_aside, &twice, 1);
	while (take(&p, 1))
		;
	assert_int_equal(p.sink[1].came, 1);
	assert_int_equal(p.other.came, 1);
	assert_int_equal(books(&p).rx, 2);
	close_pair(&p);
}

static void test_full_ring(void **state)
{
	uint32_t number = 0;
	struct graph_books b;
	struct pair p;

	open_pair(&p);
	for (unsigned i = 0; i < HANDOFF_RING + 3 * 40; i += 40)
		give(p.g[0], p.out[0], 40, 0, &number);
	assert_int_equal(p.out[0]->stats.sent, HANDOFF_RING);
	assert_int_equal(p.out[0]->stats.drop[0], number - HANDOFF_RING);
	assert_string_equal(p.out[0]->def->drops[0], "ring-full");
	b = books(&p);
	assert_int_equal(b.rx, number);
	assert_int_equal(b.dropped, number - HANDOFF_RING);
	assert_int_equal(b.held, HANDOFF_RING);
	assert_int_equal(take(&p, 1), GRAPH_BURST);
	close_pair(&p); // with the rest in the ring
}

// A node of another lcore's graph that is not the one named, and too many lcores.
static void test_refused(void **state)
{
	struct err e = {""};
	struct pair p;

	open_pair(&p);
	assert_null(handoff_out_add(p.h, p.g[0], 0, "wrong", 1, p.end[0], &e));
	assert_non_null(strstr(e.text, "sink"));
	assert_null(handoff_out_add(p.h, p.g[0], 0, "handoff", 1, p.end[1], &e));
	assert_non_null(strstr(e.text, "taken"));
	close_pair(&p);
	assert_null(handoff_create(1, &e));
	assert_null(handoff_create(HANDOFF_LCORES_MAX + 1, &e));
	assert_non_null(strstr(e.text, "2 to 16"));
}

// Between two lcores' books packets went on: some were taken that do not count as given yet.
static void test_books_of_two_moments(void **state)
{
	struct graph_books early = {.rx = 100, .tx = 60, .consumed = 40};
	struct graph_books late = {.rx = 70, .consumed = 70};
	struct graph_books sum = {.rx = 170, .tx = 60, .consumed = 110};

	assert_true(graph_balanced(&early) && graph_balanced(&late));
	handoff_settle(&sum, &(struct handoff_books){.given = 60, .taken = 70});
	assert_true(graph_balanced(&sum));
	assert_int_equal(sum.rx, 110);
	assert_int_equal(sum.tx, 0);
	assert_int_equal(sum.held, 0);
}

static struct pair both;
static _Atomic bool done;

static void *other_lcore(void *arg)
{
	lcore_enter(1);
	while (!atomic_load(&done))
		take(&both, 1);
	while (take(&both, 1))
		;
	return NULL;
}

static void test_two_lcores(void **state)
{
	uint32_t number[FLOWS] = {0};
	struct graph_books b;
	pthread_t thread;

	open_pair(&both);
	atomic_store(&done, false);
	assert_int_equal(pthread_create(&thread, NULL, other_lcore, NULL), 0);
	for (unsigned i = 0; i < ROUNDS; i++)
		give(both.g[0], i % 3 ? both.out[0] : both.out_aside, 1 + i % GRAPH_BURST,
		     i % FLOWS, &number[i % FLOWS]);
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	b = books(&both);
	assert_int_equal(b.rx, both.sink[1].came + both.other.came + b.dropped);
	assert_int_equal(b.held, 0);
	assert_true(both.sink[1].came > 0);
	assert_int_equal(both.sink[1].wrong + both.other.wrong, 0);
	close_pair(&both);
}

// The taker sleeps whenever nothing waits, for as long as nobody wakes it; a wake-up lost would
// make it sleep for a second, and a thousand of them for far longer than the test may take.
static void *sleeping_lcore(void *arg)
{
	struct loop_source *s = &both.source[1];

	lcore_enter(1);
	while (!atomic_load(&done)) {
		if (take(&both, 1) || s->arm(s->arm_arg, 0))
			continue;
		plat_halt(NSEC_PER_SEC);
		s->disarm(s->arm_arg, 0);
	}
	return NULL;
}

static void test_wakes_a_sleeper(void **state)
{
	uint32_t number = 0;
	pthread_t thread;
	uint64_t seen;

	open_pair(&both);
	handoff_may_sleep(both.h);
	atomic_store(&done, false);
	assert_int_equal(pthread_create(&thread, NULL, sleeping_lcore, NULL), 0);
	for (unsigned i = 1; i <= 1000; i++) {
		give(both.g[0], both.out[0], 1, 0, &number);
		do
			seen = __atomic_load_n(&both.sink[1].came, __ATOMIC_RELAXED);
		while (seen < i);
	}
	atomic_store(&done, true);
	plat_wake(1);
	pthread_join(thread, NULL);
	assert_int_equal(both.sink[1].came, 1000);
	assert_int_equal(both.sink[1].wrong, 0);
	close_pair(&both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_and_order),
		cmocka_unit_test(test_several_owners),
		cmocka_unit_test(test_full_ring),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_books_of_two_moments),
		cmocka_unit_test(test_two_lcores),
		cmocka_unit_test(test_wakes_a_sleeper),
	};
	struct mempool_conf conf = {.name = "test", .count = 8192, .data_room = 64, .lcores = 2};
	struct err e;

	pool = mempool_create(&conf, &e);
	return pool ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
