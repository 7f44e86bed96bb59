// SPDX-License-Identifier: BSD-3-Clause
// test_loop_port.c - loop ports: alone, in pairs, full rings, one end gone
#include "port_test.h"

static struct mempool *pool;

static int setup(void **state)
{
	pool = test_pool(4096, 0, 0);
	return 0;
}

static void make(struct mbuf **pkts, unsigned n, unsigned first)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t tag = first + i;

		pkts[i] = mbuf_from_bytes(pool, &tag, sizeof(tag));
		assert_non_null(pkts[i]);
		pkts[i]->flags = MBUF_RX_L4_OK;
	}
}

static void expect(struct port *p, unsigned n, unsigned first)
{
	struct mbuf *pkts[64];
	unsigned got = 0;

	while (got < n) {
		unsigned k = port_rx_burst(p, 0, pkts, 64);

		assert_in_range(k, 1, n - got);
		for (unsigned i = 0; i < k; i++, got++) {
			assert_int_equal(*(uint32_t *)(void *)pkts[i]->data, first + got);
			assert_int_equal(pkts[i]->port, p->id);
			assert_int_equal(pkts[i]->flags, 0);
		}
		mbuf_free_bulk(pkts, k);
	}
	assert_int_equal(port_rx_burst(p, 0, pkts, 64), 0);
}

static void close_all(struct port *p, unsigned n)
{
	struct err e;

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(port_close(&p[i], &e), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void test_alone(void **state)
{
	struct port p = {.id = 4};
	struct mbuf *pkts[40];
	struct port_stats s;
	struct port_link link;

	test_open(&p, "l", "loop", "", pool, NULL);
	make(pkts, 40, 100);
	assert_int_equal(port_tx_burst(&p, 0, pkts, 40), 40);
	expect(&p, 40, 100);
	port_stats(&p, &s);
	assert_int_equal(s.tx_packets, 40);
	assert_int_equal(s.tx_bytes, 160);
	assert_int_equal(s.rx_packets, 40);
	assert_int_equal(s.rx_bytes, 160);
	port_link(&p, &link);
	assert_true(link.up);
	close_all(&p, 1);
}

// A packet that another still owns is not changed: who receives it gets a copy.
static void test_several_owners(void **state)
{
	struct port p = {.id = 4};
	struct mbuf *pkts[3], *mine;

	test_open(&p, "l", "loop", "", pool, NULL);
	make(pkts, 3, 100);
	mine = pkts[1];
	mbuf_ref(mine);
	assert_int_equal(port_tx_burst(&p, 0, pkts, 3), 3);
	assert_int_equal(mine->refcnt, 1);
	assert_int_equal(mine->flags, MBUF_RX_L4_OK);
	memset(mine->data, 0xee, mine->len);
	expect(&p, 3, 100);
	mbuf_free(mine);
	close_all(&p, 1);
}

// One that is sent again and again goes as copies of the port's pool: its own may have no buffer besides.
static void test_forever(void **state)
{
	struct mempool_conf conf = {.name = "captures", .count = 1, .data_room = 64, .cache = 1};
	struct mempool *own = mempool_create(&conf, NULL);
	struct port p = {.id = 4};
	uint32_t tag = 100;
	struct mbuf *m = mbuf_from_bytes(own, &tag, sizeof(tag)), *pkts[3] = {m, m, m};
	struct mbuf *got[3];

	test_open(&p, "l", "loop", "", pool, NULL);
	m->refcnt = MBUF_FOREVER;
	assert_int_equal(port_tx_burst(&p, 0, pkts, 3), 3);
	assert_int_equal(port_rx_burst(&p, 0, got, 3), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_ptr_not_equal(got[i], m);
		assert_ptr_equal(got[i]->pool, pool);
		assert_int_equal(got[i]->refcnt, 1);
		assert_int_equal(got[i]->pkt_len, sizeof(tag));
		assert_memory_equal(got[i]->data, &tag, sizeof(tag));
	}
	mbuf_free_bulk(got, 3);
	close_all(&p, 1);
}

static void test_pair(void **state)
{
	struct port p[2] = {{.id = 0}, {.id = 1}};
	struct mbuf *pkts[40];

	test_open(&p[0], "a", "loop", "cable", pool, NULL);
	test_open(&p[1], "b", "loop", "cable", pool, NULL);
	make(pkts, 40, 0);
	assert_int_equal(port_tx_burst(&p[0], 0, pkts, 40), 40);
	make(pkts, 40, 1000);
	assert_int_equal(port_tx_burst(&p[1], 0, pkts, 40), 40);
	expect(&p[0], 40, 1000);
	expect(&p[1], 40, 0);
	close_all(p, 2);
}

static void test_two_without_name_are_apart(void **state)
{
	struct port p[2] = {{.id = 0}, {.id = 1}};
	struct mbuf *pkts[4];

	test_open(&p[0], "a", "loop", "", pool, NULL);
	test_open(&p[1], "b", "loop", "", pool, NULL);
	make(pkts, 4, 0);
	assert_int_equal(port_tx_burst(&p[0], 0, pkts, 4), 4);
	expect(&p[1], 0, 0);
	expect(&p[0], 4, 0);
	close_all(p, 2);
}

static void test_third_is_refused(void **state)
{
	struct port p[3] = {{.id = 0}, {.id = 1}, {.id = 2}};
	struct err e;

	test_open(&p[0], "a", "loop", "x", pool, NULL);
	test_open(&p[1], "b", "loop", "x", pool, NULL);
	assert_int_equal(test_try_open(&p[2], "c", "loop", "x", pool, NULL, &e), -EBUSY);
	assert_non_null(strstr(e.text, "'x'"));
	close_all(p, 2);
}

// A full ring takes what fits; the tail stays the sender's, counted only when taken.
static void test_full(void **state)
{
	struct port_conf conf = {.name = "f",
				 .driver = "loop",
				 .args = "",
				 .pool = pool,
				 .queues = 1,
				 .tx_size = 16};
	struct port p = {.id = 0};
	struct mbuf *pkts[40];
	struct port_stats s;
	struct err e;

	assert_int_equal(port_open(&p, &conf, &e), 0);
	assert_int_equal(p.grant.tx_size, 16);
	make(pkts, 40, 0);
	assert_int_equal(port_tx_burst(&p, 0, pkts, 40), 16);
	assert_int_equal(port_tx_burst(&p, 0, pkts + 16, 24), 0);
	port_stats(&p, &s);
	assert_int_equal(s.tx_packets, 16);
	assert_int_equal(s.tx_bytes, 64);
	expect(&p, 16, 0);
	mbuf_free_bulk(pkts + 16, 24);
	close_all(&p, 1);
}

// An end that closes: nothing leaks, the other's link goes down and its ring fills, and a new end
// can take the place.
static void test_end_goes_and_comes_back(void **state)
{
	struct port p[2] = {{.id = 0}, {.id = 1}};
	struct port_link link;
	struct mbuf *pkts[32];
	unsigned sent = 0, k;
	struct err e;

	test_open(&p[0], "a", "loop", "c", pool, NULL);
	test_open(&p[1], "b", "loop", "c", pool, NULL);
	make(pkts, 32, 0);
	assert_int_equal(port_tx_burst(&p[0], 0, pkts, 32), 32);
	make(pkts, 32, 0);
	assert_int_equal(port_tx_burst(&p[1], 0, pkts, 32), 32);
	assert_int_equal(port_close(&p[1], &e), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	port_link(&p[0], &link);
	assert_false(link.up);
	do {
		make(pkts, 32, sent);
		k = port_tx_burst(&p[0], 0, pkts, 32);
		mbuf_free_bulk(pkts + k, 32 - k);
		sent += k;
	} while (k == 32);
	assert_int_equal(sent, p[0].grant.tx_size);
	expect(&p[0], 0, 0); // not its own packets
	test_open(&p[1], "b", "loop", "c", pool, NULL);
	port_link(&p[0], &link);
	assert_true(link.up);
	expect(&p[1], sent, 0);
	close_all(p, 2);
}

static void test_queues(void **state)
{
	struct port_conf conf = {
		.name = "q", .driver = "loop", .args = "", .pool = pool, .queues = 3};
	struct port p = {.id = 0};
	struct mbuf *m, *got[2];
	struct err e;

	assert_int_equal(port_open(&p, &conf, &e), 0);
	assert_int_equal(p.grant.queues, 3);
	for (uint16_t q = 0; q < 3; q++) {
		make(&m, 1, q);
		assert_int_equal(port_tx_burst(&p, q, &m, 1), 1);
	}
	for (uint16_t q = 0; q < 3; q++) {
		assert_int_equal(port_rx_burst(&p, q, got, 2), 1);
		assert_int_equal(*(uint32_t *)(void *)got[0]->data, q);
		mbuf_free(got[0]);
	}
	close_all(&p, 1);
}

static struct mbuf *sized(uint32_t len)
{
	static const uint8_t bytes[512];
	struct mbuf *m = mbuf_from_bytes(pool, bytes, len);

	assert_non_null(m);
	m->flags = MBUF_RX_L4_BAD;
	m->port = 99;
	return m;
}

// Bursts of one end do not fall together with those of the other: bytes are exact after each. Sizes
// are such that the ring wraps many times.
static void test_bytes_of_any_bursts(void **state)
{
	struct port_conf conf = {.name = "f",
				 .driver = "loop",
				 .args = "",
				 .pool = pool,
				 .queues = 1,
				 .tx_size = 128};
	struct port p = {.id = 3};
	struct mbuf *pkts[100];
	uint64_t sent = 0, received = 0;
	uint32_t seed = 7;
	struct err e;

	assert_int_equal(port_open(&p, &conf, &e), 0);
	for (unsigned round = 0; round < 2000; round++) {
		struct port_stats s;
		unsigned n, k;

		seed = seed * 1664525 + 1013904223;
		n = 1 + (seed >> 8) % 100;
		for (unsigned i = 0; i < n; i++)
			pkts[i] = sized(1 + (seed + 31 * i) % 512);
		k = port_tx_burst(&p, 0, pkts, (uint16_t)n);
		for (unsigned i = 0; i < k; i++) // still valid: nobody has received them
			sent += pkts[i]->pkt_len;
		for (unsigned i = k; i < n; i++) { // what is left is as it was
			assert_int_equal(pkts[i]->flags, MBUF_RX_L4_BAD);
			assert_int_equal(pkts[i]->port, 99);
		}
		mbuf_free_bulk(pkts + k, n - k);
		n = port_rx_burst(&p, 0, pkts, (uint16_t)(1 + (seed >> 20) % 100));
		for (unsigned i = 0; i < n; i++) {
			received += pkts[i]->pkt_len;
			assert_int_equal(pkts[i]->flags, 0);
			assert_int_equal(pkts[i]->port, 3);
		}
		mbuf_free_bulk(pkts, n);
		port_stats(&p, &s);
		assert_int_equal(s.tx_bytes, sent);
		assert_int_equal(s.rx_bytes, received);
	}
	close_all(&p, 1);
}

// Packets sent before the peer is there are received by it as its own, and only what an end received
// itself counts as received.
static void test_peer_comes_later(void **state)
{
	struct port p[2] = {{.id = 5}, {.id = 6}};
	struct mbuf *pkts[10];
	struct port_stats s = {0};
	struct err e;

	test_open(&p[0], "a", "loop", "late", pool, NULL);
	make(pkts, 10, 0);
	assert_int_equal(port_tx_burst(&p[0], 0, pkts, 10), 10);
	test_open(&p[1], "b", "loop", "late", pool, NULL);
	expect(&p[1], 10, 0);
	port_stats(&p[1], &s);
	assert_int_equal(s.rx_packets, 10);
	assert_int_equal(s.rx_bytes, 40);
	make(pkts, 10, 0);
	assert_int_equal(port_tx_burst(&p[1], 0, pkts, 10), 10);
	assert_int_equal(port_close(&p[1], &e), 0); // with what it sent
	test_open(&p[1], "b", "loop", "late", pool, NULL);
	make(pkts, 2, 0);
	assert_int_equal(port_tx_burst(&p[1], 0, pkts, 2), 2);
	expect(&p[0], 2, 0);
	port_stats(&p[0], &s);
	assert_int_equal(s.rx_packets, 2);
	assert_int_equal(s.rx_bytes, 8);
	assert_int_equal(s.tx_bytes, 40);
	close_all(p, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_several_owners),
		cmocka_unit_test(test_forever),
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_two_without_name_are_apart),
		cmocka_unit_test(test_third_is_refused),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_end_goes_and_comes_back),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_bytes_of_any_bursts),
		cmocka_unit_test(test_peer_comes_later),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
