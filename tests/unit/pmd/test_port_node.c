// SPDX-License-Identifier: BSD-3-Clause
// test_port_node.c - transmit nodes before a port that takes what it likes; sources and gates
#include "port_test.h"

#include "core/graph.h"
#include "core/loop.h"
#include "pmd/port_node.h"

#define MTU 1500

static struct mempool *pool;

// A port that takes `allow` more packets and remembers their numbers.
static struct {
	unsigned allow, calls, n;
	uint32_t seen[8192];
} out;

static uint16_t out_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	unsigned k = n < out.allow ? n : out.allow;

	out.calls++;
	out.allow -= k;
	for (unsigned i = 0; i < k; i++)
		out.seen[out.n++] = *(uint32_t *)(void *)pkts[i]->data;
	mbuf_free_bulk(pkts, k);
	return (uint16_t)k;
}

static uint16_t no_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	return 0;
}

static struct port test_port;
static struct graph *graph;
static struct node *tx;
static struct loop_sink sink;
static struct clock clk;
static uint32_t next_number;

static int setup(void **state)
{
	struct err e;

	if (!pool)
		pool = test_pool(4096, 0, 0);
	memset(&out, 0, sizeof(out));
	out.allow = UINT32_MAX;
	next_number = 0;
	memset(&test_port, 0, sizeof(test_port));
	strcpy(test_port.name, "wan");
	test_port.grant.queues = 1;
	test_port.grant.mtu = MTU;
	test_port.queue[0] = (struct port_queue){no_rx, NULL, out_tx, NULL};
	clock_init(&clk, CLOCK_REAL);
	graph = graph_create(&clk, &e);
	tx = port_tx_node_add(graph, &test_port, 0, &e);
	assert_non_null(tx);
	port_sink(&sink, tx);
	return 0;
}

static int teardown(void **state)
{
	graph_destroy(graph);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	return 0;
}

static struct mbuf *numbered(uint32_t len)
{
	static uint8_t bytes[16384];
	struct mbuf *m;

	memcpy(bytes, &next_number, sizeof(next_number));
	next_number++;
	m = mbuf_from_bytes(pool, bytes, len);
	assert_non_null(m);
	return m;
}

static void give(unsigned n)
{
	struct mbuf *pkts[GRAPH_BURST];

	for (unsigned i = 0; i < n; i++)
		pkts[i] = numbered(60);
	graph_rx(graph, tx, pkts, n);
}

static void flush(void)
{
	sink.flush(sink.arg);
}

static void check_books(uint64_t sent, uint64_t held, uint64_t dropped)
{
	struct graph_books b;

	graph_books(graph, &b);
	assert_int_equal(b.tx, sent);
	assert_int_equal(b.held, held);
	assert_int_equal(b.dropped, dropped);
	assert_true(graph_balanced(&b));
	assert_int_equal(port_tx_backlog(tx), held);
	assert_int_equal(out.n, sent);
}

static void check_order(void)
{
	for (unsigned i = 1; i < out.n; i++)
		assert_true(out.seen[i] > out.seen[i - 1]);
}

static uint64_t drops(const char *reason)
{
	for (unsigned i = 0; tx->def->drops[i]; i++)
		if (!strcmp(tx->def->drops[i], reason))
			return tx->stats.drop[i];
	fail_msg("no drop reason %s", reason);
	return 0;
}

static void test_full_burst_goes_straight(void **state)
{
	assert_string_equal(tx->name, "tx-wan");
	give(GRAPH_BURST);
	assert_int_equal(out.calls, 1);
	check_books(GRAPH_BURST, 0, 0);
	flush();
	assert_int_equal(out.calls, 1); // nothing to flush
	check_order();
}

static void test_small_bursts_are_gathered(void **state)
{
	for (unsigned i = 0; i < 5; i++)
		give(3);
	assert_int_equal(out.calls, 0);
	check_books(0, 15, 0);
	flush();
	assert_int_equal(out.calls, 1);
	check_books(15, 0, 0);
	check_order();
}

// A large burst does not overtake small ones, and many small ones do not pile up during a turn.
static void test_order_of_small_and_large(void **state)
{
	unsigned total = 0;

	for (unsigned i = 0; i < 200; i++) {
		unsigned n = 1 + i * 7 % GRAPH_BURST;

		give(n);
		total += n;
		assert_in_range(port_tx_backlog(tx), 0, 2 * GRAPH_BURST);
	}
	flush();
	check_books(total, 0, 0);
	check_order();
}

// The port takes a few at a time: what it leaves waits in order; beyond the backlog is dropped.
static void test_slow_port(void **state)
{
	unsigned given = 0;

	out.allow = 10;
	give(64);
	check_books(10, 54, 0);
	out.allow = 5;
	give(64); // a full port is not asked again before the flush
	check_books(10, 118, 0);
	flush();
	check_books(15, 113, 0);
	out.allow = 0;
	for (given = 128; given < 15 + PORT_TX_BACKLOG; given += 64)
		give(64);
	check_books(15, PORT_TX_BACKLOG, given - 15 - PORT_TX_BACKLOG);
	assert_int_equal(drops("ring-full"), given - 15 - PORT_TX_BACKLOG);
	out.allow = UINT32_MAX;
	flush();
	check_books(15 + PORT_TX_BACKLOG, 0, given - 15 - PORT_TX_BACKLOG);
	check_order();
}

// Random bursts to a port that takes random numbers: never out of order, always balanced.
static void test_random(void **state)
{
	struct graph_books b;
	uint32_t seed = 12345;

	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < 3; k++) {
			seed = seed * 1664525 + 1013904223;
			out.allow = (seed >> 8) % 100;
			give(1 + (seed >> 20) % 40);
			graph_books(graph, &b);
			assert_true(graph_balanced(&b));
			assert_int_equal(b.held, port_tx_backlog(tx));
			assert_int_equal(b.tx, out.n);
		}
		flush();
	}
	out.allow = UINT32_MAX;
	flush();
	check_order();
	assert_int_equal(out.n + drops("ring-full"), next_number);
}

static void test_too_long(void **state)
{
	struct mbuf *pkts[6];

	pkts[0] = numbered(60);
	pkts[1] = numbered(MTU + 18);
	pkts[2] = numbered(MTU + 19);
	pkts[3] = numbered(9000);
	pkts[4] = numbered(60);
	pkts[5] = numbered(MTU + 19);
	graph_rx(graph, tx, pkts, 6);
	flush();
	check_books(3, 0, 3);
	assert_int_equal(drops("too-long"), 3);
	check_order();
}

static void test_destroy_drops_what_waits(void **state)
{
	out.allow = 0;
	give(64);
	flush();
	check_books(0, 64, 0);
	// teardown destroys the graph and finds the pool full
}

static void test_no_such_queue(void **state)
{
	struct err e;

	assert_null(port_tx_node_add(graph, &test_port, 1, &e));
	assert_non_null(strstr(e.text, "wan"));
}

// A source that makes packets without end.
static uint16_t make_packets(void *arg, struct mbuf **pkts, uint16_t n)
{
	for (unsigned i = 0; i < n; i++)
		pkts[i] = numbered(60);
	return n;
}

static void test_gate(void **state)
{
	struct loop_source source;
	struct mbuf *pkts[GRAPH_BURST];
	struct port_gate gate;
	unsigned n;

	test_port.pmd = pmd_find("null"); // which has no end
	test_port.queue[0].rx = make_packets;
	port_source(&source, &test_port, 0, tx);
	assert_null(source.next_time);
	assert_ptr_equal(source.node, tx);
	port_source_gate(&source, &gate, tx);
	out.allow = 0;
	while ((n = source.burst(source.arg, pkts, GRAPH_BURST))) {
		graph_rx(graph, tx, pkts, n);
		flush();
	}
	assert_in_range(port_tx_backlog(tx), PORT_TX_BACKLOG / 2 + 1,
			PORT_TX_BACKLOG / 2 + GRAPH_BURST);
	out.allow = 300;
	flush();
	assert_int_equal(source.burst(source.arg, pkts, 1), 1); // open again
	graph_rx(graph, tx, pkts, 1);
	assert_int_equal(drops("ring-full"), 0);
	out.allow = UINT32_MAX;
	flush();
	check_order();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full_burst_goes_straight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_bursts_are_gathered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_of_small_and_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_destroy_drops_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_such_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gate, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
