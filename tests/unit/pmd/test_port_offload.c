// SPDX-License-Identifier: BSD-3-Clause
// test_port_offload.c - transmit nodes before ports that were granted some offloads, or none
#include "offload_test.h"

#include "core/graph.h"
#include "core/loop.h"
#include "pmd/port_node.h"

#define MTU  1500
#define CSUM PORT_TX_CSUM
#define ALL  (CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO)

enum { TSO4, TSO4_EVEN, TSO4_VLAN, TSO4_OPTIONS, TSO6, TSO6_QINQ, USO4, USO6 };

static struct mempool *pool;
static uint8_t expected[OFFLOAD_FRAME], got[OFFLOAD_FRAME];

// What the port was given, at most `allow` at a time.
static struct {
	struct mbuf *pkt[4096];
	unsigned n, allow;
} out;

static uint16_t out_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	unsigned k = n < out.allow ? n : out.allow;

	memcpy(out.pkt + out.n, pkts, k * sizeof(*pkts));
	out.n += k;
	return (uint16_t)k;
}

static uint16_t no_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	return 0;
}

static void out_stats(const struct port *port, struct port_stats *s)
{
}

static const struct pmd out_pmd = {.name = "out", .stats = out_stats};
static struct port port;
static struct graph *graph;
static struct node *tx;
static struct loop_sink sink;
static struct clock clk;

static void begin(uint32_t offloads, bool any_length)
{
	struct err e;

	if (!pool)
		pool = test_pool(4096, 0, 0);
	memset(&out, 0, sizeof(out));
	out.allow = UINT16_MAX;
	memset(&port, 0, sizeof(port));
	strcpy(port.name, "wan");
	port.pmd = &out_pmd;
	port.grant = (struct port_grant){
		.queues = 1, .mtu = MTU, .offloads = offloads, .any_length = any_length};
	port.queue[0] = (struct port_queue){no_rx, NULL, out_tx, NULL};
	clock_init(&clk, CLOCK_REAL);
	graph = graph_create(&clk, &e);
	tx = port_tx_node_add(graph, &port, 0, &e);
	assert_non_null(tx);
	port_sink(&sink, tx);
}

static void end(void)
{
	struct graph_books b;

	sink.flush(sink.arg);
	graph_books(graph, &b);
	assert_true(graph_balanced(&b));
	assert_int_equal(b.tx, out.n);
	mbuf_free_bulk(out.pkt, out.n);
	graph_destroy(graph);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static struct mbuf *packet(unsigned c)
{
	const struct offload_case *o = &offload_cases[c];
	unsigned len = offload_frame(o->headers, 0, o->payload, got);
	struct mbuf *m = offload_chain(pool, got, len, 300, 1400);

	m->flags = o->flag | MBUF_TX_L4_CSUM | MBUF_RX_L4_OK;
	m->mss = o->mss;
	m->l3 = o->l3;
	m->l4 = o->l4;
	return m;
}

static void give(struct mbuf *m)
{
	graph_rx(graph, tx, &m, 1);
}

static uint64_t counter(const char *name)
{
	struct port_stats s;

	port_stats(&port, &s);
	for (unsigned i = 0; i < s.counters; i++)
		if (!strcmp(s.counter[i].name, name))
			return s.counter[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static uint64_t drops(const char *reason)
{
	for (unsigned i = 0; tx->def->drops[i]; i++)
		if (!strcmp(tx->def->drops[i], reason))
			return tx->stats.drop[i];
	fail_msg("no drop reason %s", reason);
	return 0;
}

// The pieces of case c from out.pkt[at] on; returns how many.
static unsigned check_pieces(unsigned c, unsigned at)
{
	const struct offload_case *o = &offload_cases[c];
	unsigned start = 0, i;

	for (i = 0; o->piece[i].headers; i++) {
		unsigned n =
			offload_frame(o->piece[i].headers, start, o->piece[i].payload, expected);
		const struct mbuf *m = out.pkt[at + i];

		assert_in_range(at + i, 0, out.n - 1);
		assert_int_equal(m->pkt_len, n);
		assert_int_equal(mbuf_copy_out(m, 0, got, n), 0);
		assert_memory_equal(got, expected, n);
		assert_int_equal(m->flags & (MBUF_TSO | MBUF_USO | MBUF_TX_L4_CSUM), 0);
		start += o->piece[i].payload;
	}
	return i;
}

static void test_nothing_granted(void **state)
{
	uint64_t bytes = 0;
	unsigned n = 0;

	begin(0, false);
	for (unsigned c = 0; c < OFFLOAD_CASES; c++) {
		struct mbuf *m = packet(c);

		bytes += m->pkt_len;
		give(m);
	}
	sink.flush(sink.arg);
	for (unsigned c = 0; c < OFFLOAD_CASES; c++)
		n += check_pieces(c, n);
	assert_int_equal(n, out.n);
	assert_int_equal(counter("sw-segmented"), OFFLOAD_CASES);
	assert_int_equal(counter("sw-segmented-bytes"), bytes);
	assert_int_equal(counter("sw-checksums"), 0);
	end();
}

// A port that takes any length still cuts nothing by itself.
static void test_any_length(void **state)
{
	begin(0, true);
	give(packet(TSO4));
	sink.flush(sink.arg);
	assert_int_equal(check_pieces(TSO4, 0), out.n);
	end();
}

// Long packets pass as they are, though longer than the port's frames.
static void test_all_granted(void **state)
{
	struct mbuf *m[OFFLOAD_CASES];

	begin(ALL, false);
	for (unsigned c = 0; c < OFFLOAD_CASES; c++)
		m[c] = packet(c);
	graph_rx(graph, tx, m, OFFLOAD_CASES);
	sink.flush(sink.arg);
	assert_int_equal(out.n, OFFLOAD_CASES);
	for (unsigned c = 0; c < OFFLOAD_CASES; c++) {
		assert_ptr_equal(out.pkt[c], m[c]);
		assert_true(m[c]->flags & MBUF_TX_L4_CSUM && m[c]->flags & (MBUF_TSO | MBUF_USO));
	}
	assert_int_equal(counter("sw-segmented"), 0);
	end();
}

// TSO4 alone: the rest is cut, with its checksums left to the port.
static void test_some_granted(void **state)
{
	struct mbuf *four;

	begin(CSUM | PORT_TX_TSO4, false);
	give(four = packet(TSO4));
	give(packet(TSO6));
	give(packet(USO4));
	sink.flush(sink.arg);
	assert_int_equal(out.n, 1 + 4 + 3);
	assert_ptr_equal(out.pkt[0], four);
	for (unsigned i = 1; i < out.n; i++)
		assert_int_equal(out.pkt[i]->flags & (MBUF_TSO | MBUF_USO | MBUF_TX_L4_CSUM),
				 MBUF_TX_L4_CSUM);
	assert_int_equal(counter("sw-segmented"), 2);
	end();
}

static struct mbuf *partial(void)
{
	struct mbuf *m = packet(TSO4_EVEN);

	// Its first segment, the sum of the pseudo header as sent with this length.
	mbuf_trim(m, 66 + 1000);
	m->data[16] = 1052 >> 8;
	m->data[17] = 1052 & 0xff;
	m->flags = MBUF_TX_L4_CSUM;
	return m;
}

static void test_checksums(void **state)
{
	struct mbuf *pkts[GRAPH_BURST], *m;

	begin(CSUM, false);
	give(m = partial());
	sink.flush(sink.arg);
	assert_ptr_equal(out.pkt[0], m);
	assert_int_equal(m->flags, MBUF_TX_L4_CSUM); // the port's work
	end();
	begin(0, false);
	for (unsigned i = 0; i < GRAPH_BURST; i++) {
		pkts[i] = partial();
		pkts[i]->flags = i % 3 ? 0 : MBUF_TX_L4_CSUM;
	}
	graph_rx(graph, tx, pkts, GRAPH_BURST);
	sink.flush(sink.arg);
	assert_int_equal(out.n, GRAPH_BURST);
	for (unsigned i = 0; i < GRAPH_BURST; i++) { // in order, whatever was done to it
		assert_ptr_equal(out.pkt[i], pkts[i]);
		assert_int_equal(out.pkt[i]->flags, 0);
	}
	assert_int_equal(counter("sw-checksums"), (GRAPH_BURST + 2) / 3);
	end();
}

// A packet that others hold too is not written to: a copy is sent.
static void test_shared(void **state)
{
	struct mbuf *m;
	uint16_t before;

	begin(0, false);
	m = partial();
	memcpy(&before, m->data + 50, 2);
	mbuf_ref(m);
	give(m);
	sink.flush(sink.arg);
	assert_int_equal(out.n, 1);
	assert_ptr_not_equal(out.pkt[0], m);
	assert_memory_equal(m->data + 50, &before, 2);
	assert_memory_not_equal(out.pkt[0]->data + 50, &before, 2);
	assert_int_equal(m->refcnt, 1);
	mbuf_free(m);
	end();
}

static void test_drops(void **state)
{
	struct mbuf *m, *hold[4096];
	unsigned n;

	begin(0, false);
	m = packet(TSO4);
	m->data[23] = 1; // ICMP: nobody cuts that
	give(m);
	assert_int_equal(drops("bad-offload"), 1);
	m = packet(TSO4);
	m->mss = 1453; // 66 + 1453 bytes: one more than MTU + 18
	give(m);
	assert_int_equal(drops("too-long"), 1);
	m = packet(TSO4);
	n = mempool_available(pool) - 2;
	assert_int_equal(mempool_get_bulk(pool, hold, n), 0);
	give(m);
	assert_int_equal(drops("no-buffer"), 1);
	sink.flush(sink.arg);
	assert_int_equal(out.n, 2); // what there were buffers for
	mempool_put_bulk(pool, hold, n);
	end();
	begin(ALL, false);
	m = packet(TSO4);
	m->mss = 1453;
	give(m);
	assert_int_equal(drops("too-long"), 1);
	end();
}

// More pieces than the node can keep: they are sent as they come, and dropped when the port is
// full.
static void test_many_pieces(void **state)
{
	struct mbuf *pkts[GRAPH_BURST];

	begin(0, false);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < GRAPH_BURST; i++) {
			pkts[i] = packet(TSO4);
			pkts[i]->mss = 100; // 31 pieces
		}
		out.allow = round ? 0 : UINT16_MAX;
		graph_rx(graph, tx, pkts, GRAPH_BURST);
	}
	assert_int_equal(out.n + port_tx_backlog(tx) + drops("ring-full"), 2 * 31 * GRAPH_BURST);
	assert_int_equal(port_tx_backlog(tx), PORT_TX_BACKLOG);
	assert_in_range(out.n, 31 * GRAPH_BURST - PORT_TX_BACKLOG, 31 * GRAPH_BURST);
	out.allow = UINT16_MAX;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_granted), cmocka_unit_test(test_any_length),
		cmocka_unit_test(test_all_granted),	cmocka_unit_test(test_some_granted),
		cmocka_unit_test(test_checksums),	cmocka_unit_test(test_shared),
		cmocka_unit_test(test_drops),		cmocka_unit_test(test_many_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
