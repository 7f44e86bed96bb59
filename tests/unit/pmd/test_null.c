// SPDX-License-Identifier: BSD-3-Clause
// test_null.c - the null port: nothing received, frames made on request, everything swallowed
#include "port_test.h"

static struct mempool *pool;

static int setup(void **state)
{
	pool = test_pool(256, 0, 0);
	return 0;
}

static void test_receives_nothing(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *pkts[64];
	struct err e;

	test_open(&p, "n", "null", "", pool, NULL);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 64), 0);
	assert_int_equal(port_close(&p, &e), 0);
}

// One's-complement sum of 16-bit words, added up here in another way than the driver's: 0xffff when
// the checksum is right (RFC 1071).
static unsigned sum16(const uint8_t *p, unsigned n)
{
	unsigned long s = 0;

	for (unsigned i = 0; i < n; i++)
		s += i & 1 ? p[i] : 256ul * p[i];
	return (unsigned)(s % 65535 ? s % 65535 : 65535);
}

static void check_frame(const struct mbuf *m, unsigned len)
{
	const uint8_t *f = m->data;

	assert_int_equal(m->pkt_len, len);
	assert_int_equal(m->len, len);
	assert_int_equal(m->port, 7);
	assert_int_equal(m->nsegs, 1);
	assert_int_equal(mbuf_check(m), 0);
	assert_memory_equal(f + 12, "\x08\x00\x45", 3);
	assert_int_equal(f[16] << 8 | f[17], len - 14); // IPv4 total length
	assert_int_equal(sum16(f + 14, 20), 65535);     // header checksum
	assert_memory_equal(f + 26, "\xc6\x12\x00\x01\xc6\x12\x00\x02", 8);
	assert_int_equal(f[23], 17);
	assert_int_equal(f[38] << 8 | f[39], len - 34); // UDP length
}

static void test_makes_frames(void **state)
{
	static const unsigned lens[] = {60, 61, 64, 1500, 1514};

	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct port p = {.id = 7};
		struct port_stats s;
		struct mbuf *pkts[64];
		char args[16];
		struct err e;

		snprintf(args, sizeof(args), "rx=%u", lens[i]);
		test_open(&p, "n", "null", args, pool, NULL);
		assert_int_equal(port_rx_burst(&p, 0, pkts, 64), 64);
		for (unsigned k = 0; k < 64; k++)
			check_frame(pkts[k], lens[i]);
		memset(pkts[5]->data, 0xee, lens[i]); // a receiver may write; the next is fresh
		assert_int_equal(port_tx_burst(&p, 0, pkts, 64), 64);
		assert_int_equal(port_rx_burst(&p, 0, pkts, 64), 64);
		for (unsigned k = 0; k < 64; k++)
			check_frame(pkts[k], lens[i]);
		mbuf_free_bulk(pkts, 64);
		port_stats(&p, &s);
		assert_int_equal(s.rx_packets, 128);
		assert_int_equal(s.rx_bytes, 128 * lens[i]);
		assert_int_equal(s.tx_packets, 64);
		assert_int_equal(s.tx_bytes, 64 * lens[i]);
		assert_int_equal(port_close(&p, &e), 0);
		assert_int_equal(mempool_available(pool), mempool_count(pool));
	}
}

static void test_pool_empty(void **state)
{
	unsigned count = mempool_count(pool), n = 0;
	struct mbuf **all = calloc(count, sizeof(*all)), *pkts[64];
	struct port p = {.id = 7};
	struct err e;

	test_open(&p, "n", "null", "rx=60", pool, NULL);
	while (n < count && !mempool_get_bulk(pool, &all[n], 1))
		n++;
	assert_int_equal(n, count);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 32), 0);
	assert_int_equal(test_counter(&p, "rx-nombuf"), 32);
	mempool_put_bulk(pool, all, n);
	assert_int_equal(port_rx_burst(&p, 0, pkts, 32), 32);
	assert_int_equal(port_tx_burst(&p, 0, pkts, 32), 32);
	assert_int_equal(port_close(&p, &e), 0);
	assert_int_equal(mempool_available(pool), count);
	free(all);
}

static void test_bad_args(void **state)
{
	static const char *const bad[] = {
		"rx",	    "rx=",	  "rx=59",	   "rx=1515",	   "rx=60x",	  "rx=-60",
		"rx= 60",   "tx=60",	  "x",		   "size=",	   "size=60-59",  "size=60-",
		"size=-60", "size=60-x",  "size=60-61-62", "size=imix7",   "pattern=udp", "size=60,",
		",size=60", "size=60,seed=-1",		   "size=60,pattern=one",
		"size=60,src=1.2.3",	  "size=60,src=1.2.3.256",	   "size=60,dst=1.2.3.4.5",
		"size=60,to=02:00:00:00:00",		   "size=60,to=02:00:00:00:00:100",
		"size=60,flows=0",	  "size=60,flows=64513",	   "size=60,seed=4294967296",
		"rx=99999999999999999999"};
	struct mempool *small = test_pool(8, 128, 0);
	struct port p = {.id = 0};
	struct err e;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(test_try_open(&p, "n", "null", bad[i], pool, NULL, &e), -EINVAL);
		assert_non_null(strstr(e.text, "port n: null:"));
	}
	assert_int_equal(test_try_open(&p, "n", "null", "rx=129", small, NULL, &e), -EINVAL);
	assert_int_equal(test_try_open(&p, "n", "null", "rx=128", small, NULL, &e), 0);
	assert_int_equal(port_close(&p, &e), 0);
}

// Receives n packets one by one and hands each to see(); all are sent back.
static void each(const char *args, unsigned n, void (*see)(const struct mbuf *m, unsigned i))
{
	struct port p = {.id = 7};
	struct mbuf *m;

	test_open(&p, "n", "null", args, pool, NULL);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(port_rx_burst(&p, 0, &m, 1), 1);
		assert_int_equal(mbuf_check(m), 0);
		see(m, i);
		assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
	}
	assert_int_equal(port_close(&p, NULL), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static unsigned lens[1515];

static void see_len(const struct mbuf *m, unsigned i)
{
	assert_true(m->pkt_len < 1515);
	lens[m->pkt_len]++;
	check_frame(m, m->pkt_len);
}

static void test_range(void **state)
{
	memset(lens, 0, sizeof(lens));
	each("size=60-1514", 2 * 1455, see_len);
	for (unsigned n = 60; n <= 1514; n++)
		assert_int_equal(lens[n], 2);
}

// 7 of 40, 4 of 576 and 1 of 1,500 bytes of IP (the simple IMIX); the shortest is padded to 60 of Ethernet.
static void test_imix(void **state)
{
	memset(lens, 0, sizeof(lens));
	each("size=imix", 120, see_len);
	assert_int_equal(lens[60], 70);
	assert_int_equal(lens[590], 40);
	assert_int_equal(lens[1514], 10);
}

static uint8_t flow_seen[65536];

static void see_flow(const struct mbuf *m, unsigned i)
{
	const uint8_t *f = m->data;

	check_frame(m, m->pkt_len);
	assert_int_equal(f[36] << 8 | f[37], 9);
	flow_seen[f[34] << 8 | f[35]]++;
}

static void test_flows(void **state)
{
	memset(flow_seen, 0, sizeof(flow_seen));
	each("size=imix,flows=100", 1200, see_flow);
	for (unsigned port = 0; port < 65536; port++)
		assert_int_equal(flow_seen[port], port >= 1024 && port < 1124 ? 12 : 0);
}

static void test_most_flows(void **state)
{
	memset(flow_seen, 0, sizeof(flow_seen));
	each("size=60-61,flows=64512", 64512, see_flow);
	for (unsigned port = 0; port < 65536; port++)
		assert_int_equal(flow_seen[port], port >= 1024);
}

static void see_address(const struct mbuf *m, unsigned i)
{
	assert_memory_equal(m->data, "\x02\xaa\xbb\x01\x02\x03", 6);
	assert_memory_equal(m->data + 6, "\x02weir\x07", 6);
	assert_memory_equal(m->data + 26, "\x0a\x00\x00\xff\xcb\x00\x71\x01", 8);
	assert_int_equal(sum16(m->data + 14, 20), 65535);
}

static void test_addresses(void **state)
{
	each("size=64,src=10.0.0.255,dst=203.0.113.1,to=02:aa:BB:1:02:03", 2, see_address);
}

static void see_zeros(const struct mbuf *m, unsigned i)
{
	assert_int_equal(m->pkt_len, 300);
	for (unsigned k = 0; k < 300; k++)
		assert_int_equal(m->data[k], 0);
}

static void see_increment(const struct mbuf *m, unsigned i)
{
	assert_int_equal(m->pkt_len, 300 + i % 2);
	for (unsigned k = 0; k < m->pkt_len; k++)
		assert_int_equal(m->data[k], k & 255);
}

static uint8_t first_random[100][100];
static unsigned ones;

static void note_random(const struct mbuf *m, unsigned i)
{
	memcpy(first_random[i], m->data, 100);
	for (unsigned k = 0; k < 64; k++)
		ones += (unsigned)__builtin_popcount(m->data[k]);
}

static void same_random(const struct mbuf *m, unsigned i)
{
	assert_memory_equal(m->data, first_random[i], 100);
}

static void other_random(const struct mbuf *m, unsigned i)
{
	assert_memory_not_equal(m->data, first_random[i], 64);
}

static void test_patterns(void **state)
{
	each("size=300,pattern=zeros", 3, see_zeros);
	each("size=300-301,pattern=increment", 4, see_increment);
	each("size=100,pattern=random,seed=7", 100, note_random);
	each("size=100,pattern=random,seed=7", 100, same_random);
	each("size=100,pattern=random,seed=8", 100, other_random);
	assert_memory_not_equal(first_random[0], first_random[1], 64);
	// 51,200 bits: half of them to within eight standard deviations (113 each).
	assert_in_range(ones, 25600 - 905, 25600 + 905);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receives_nothing),
		cmocka_unit_test(test_makes_frames),
		cmocka_unit_test(test_pool_empty),
		cmocka_unit_test(test_bad_args),     cmocka_unit_test(test_range),
		cmocka_unit_test(test_imix),	     cmocka_unit_test(test_flows),
		cmocka_unit_test(test_most_flows),   cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
