// SPDX-License-Identifier: BSD-3-Clause
// test_rss_node.c - which bytes of a frame make its flow's hash, and where the flow goes
//
// Expected hashes: rss_hash() (test_rss.c holds it to the published vectors) over the bytes that
// the standard names, put together here by hand.
#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"
#include "netstack/rss_node.h"

#define SRC ip(192, 0, 2, 10)
#define DST ip(198, 51, 100, 10)

static struct rss_table table[BLOB_RSS_KINDS];
static struct mempool *pool;

static struct mbuf *frame(const struct packet *p)
{
	struct mbuf *m = mbuf_from_bytes(pool, p->b, (uint32_t)p->len);

	assert_non_null(m);
	return m;
}

// The frame's hash by either key must be that of the len bytes at in; 0: it is of no flow.
static void check(const struct packet *p, const uint8_t *in, unsigned len)
{
	for (unsigned key = 0; key < BLOB_RSS_KINDS; key++) {
		struct mbuf *m = frame(p);
		uint32_t hash = 0;

		assert_int_equal(rss_flow(&table[key], m, &hash), len != 0);
		if (len)
			assert_int_equal(hash, rss_hash(&table[key], in, len));
		mbuf_free(m);
	}
}

static unsigned input4(uint8_t in[12], const struct packet *p, unsigned l3, unsigned hlen)
{
	memcpy(in, p->b + l3 + 12, 8);
	memcpy(in + 8, p->b + l3 + hlen, 4);
	return 12;
}

static void test_ip4(void **state)
{
	struct packet p = udp_packet(WAN, SRC, DST, 20);
	uint8_t in[12];

	check(&p, in, input4(in, &p, 14, 20));
	p = tcp_packet(WAN, SRC, DST, 0x10, 1, 2, 20);
	check(&p, in, input4(in, &p, 14, 20));
	p = icmp_packet(WAN, SRC, DST, 8, 0, 20); // no ports
	input4(in, &p, 14, 20);
	check(&p, in, 8);
}

// All fragments of a packet, the first too, go by their addresses.
static void test_fragments(void **state)
{
	static const uint16_t bits[] = {IP4_MF, IP4_MF | 100, 185};
	uint8_t in[12];

	for (unsigned i = 0; i < 3; i++) {
		struct packet p = udp_packet(WAN, SRC, DST, 20);

		packet_ip(&p)->frag = be16(bits[i]);
		fix_ip(&p);
		input4(in, &p, 14, 20);
		check(&p, in, 8);
	}
}

static void insert(struct packet *p, size_t at, const uint8_t *bytes, size_t n)
{
	memmove(p->b + at + n, p->b + at, p->len - at);
	memcpy(p->b + at, bytes, n);
	p->len += n;
}

static void test_options_and_tags(void **state)
{
	static const uint8_t tag[] = {0x81, 0x00, 0x00, 0x05}, service[] = {0x88, 0xa8, 0x00, 0x07};
	static const uint8_t nops[] = {1, 1, 1, 1};
	struct packet p = udp_packet(WAN, SRC, DST, 20);
	uint8_t in[12];

	insert(&p, 34, nops, 4);
	p.b[14] = 0x46;
	check(&p, in, input4(in, &p, 14, 24));
	insert(&p, 12, tag, 4);
	check(&p, in, input4(in, &p, 18, 24));
	insert(&p, 12, service, 4);
	check(&p, in, input4(in, &p, 22, 24));
	insert(&p, 12, service, 4); // one more than is looked behind
	check(&p, in, 0);
}

static void test_ip6(void **state)
{
	struct packet p = udp_packet(WAN, SRC, DST, 20);
	uint8_t ip6[40] = {0x60, 0, 0, 0, 0, 28, 17, 64}, in[36];

	for (unsigned i = 8; i < 40; i++)
		ip6[i] = (uint8_t)(i * 11);
	memmove(p.b + 54, p.b + 34, p.len - 34);
	memcpy(p.b + 14, ip6, 40);
	p.len += 20;
	p.b[12] = 0x86;
	p.b[13] = 0xdd;
	memcpy(in, ip6 + 8, 32);
	memcpy(in + 32, p.b + 54, 4);
	check(&p, in, 36);
	p.b[20] = 44; // a fragment header
	check(&p, in, 32);
	p.len = 53;
	check(&p, in, 0);
}

// What is too short, or no IP, is of no flow; so is a header that lies about itself.
static void test_no_flow(void **state)
{
	struct packet p = udp_packet(WAN, SRC, DST, 20), cut;
	uint8_t in[12] = {0};

	for (unsigned len = 1; len < 34; len++) {
		cut = p;
		cut.len = len;
		check(&cut, in, 0);
	}
	input4(in, &p, 14, 20);
	for (unsigned len = 34; len < 38; len++) { // no whole ports
		cut = p;
		cut.len = len;
		check(&cut, in, 8);
	}
	cut = p;
	cut.b[14] = 0x44; // a header of 16 bytes
	check(&cut, in, 0);
	cut.b[14] = 0x65;
	check(&cut, in, 0);
	cut = p;
	cut.b[12] = 0x08, cut.b[13] = 0x06;
	check(&cut, in, 0);
}

static uint64_t came[4];

static void end_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	unsigned lcore = (unsigned)(uintptr_t)node->state;

	came[lcore] += n;
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(pkts[i]->flags & MBUF_HASH ? pkts[i]->hash % RSS_LANES % 4 : 0,
				 lcore);
	node_all(node, NEXT_CONSUMED);
}

static const struct node_def end_def = {.name = "end", .process = end_process};

// Both directions of many flows: the same lcore, all lcores used; no flow: lcore 0.
static void test_node(void **state)
{
	static const char *const names[] = {"end0", "end1", "end2", "end3"};
	struct clock clock;
	struct err e;
	struct graph *g;
	struct node *rss;

	clock_init(&clock, CLOCK_REAL);
	g = graph_create(&clock, &e);
	rss = rss_node_add(g, "lan", BLOB_RSS_SYMMETRIC, 4, &e);
	assert_string_equal(rss->name, "rss-lan");
	for (uintptr_t k = 0; k < 4; k++)
		assert_int_equal(
			node_add_edge(rss, graph_add(g, &end_def, names[k], (void *)k, &e), &e),
			(int)k);
	for (unsigned flow = 0; flow < 256; flow++) {
		struct packet there = udp_packet(WAN, ip(192, 0, 2, flow), DST, 20);
		struct packet back = udp_packet(LAN, DST, ip(192, 0, 2, flow), 20);
		struct mbuf *m[2] = {frame(&there), frame(&back)};
		uint64_t before[4];
		unsigned moved = 0;

		memcpy(back.b + 34, there.b + 36, 2);
		memcpy(back.b + 36, there.b + 34, 2);
		mbuf_free(m[1]);
		m[1] = frame(&back);
		memcpy(before, came, sizeof(came));
		graph_rx(g, rss, m, 2);
		for (unsigned k = 0; k < 4; k++)
			moved += came[k] == before[k] + 2;
		assert_int_equal(moved, 1);
	}
	for (unsigned k = 0; k < 4; k++)
		assert_in_range(came[k], 64, 256);
	{
		struct packet p = udp_packet(WAN, SRC, DST, 20);
		struct mbuf *m;
		uint64_t before = came[0];

		p.b[13] = 6;
		m = frame(&p);
		graph_rx(g, rss, &m, 1);
		assert_int_equal(came[0], before + 1);
	}
	graph_destroy(g);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip4),	cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_ip6),	cmocka_unit_test(test_options_and_tags),
		cmocka_unit_test(test_no_flow), cmocka_unit_test(test_node),
	};
	struct mempool_conf conf = {.name = "test", .count = 256};
	struct err e;

	pool = mempool_create(&conf, &e);
	for (unsigned key = 0; key < BLOB_RSS_KINDS; key++)
		rss_table_init(&table[key], rss_key[key]);
	return pool ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
