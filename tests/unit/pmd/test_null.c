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
		"rx",     "rx=",    "rx=59", "rx=1515", "rx=60x",
		"rx=-60", "rx= 60", "tx=60", "x",       "rx=99999999999999999999"};
	struct mempool *small = test_pool(8, 128, 0);
	struct port p = {.id = 0};
	struct err e;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(test_try_open(&p, "n", "null", bad[i], pool, NULL, &e), -EINVAL);
		assert_non_null(strstr(e.text, bad[i]));
	}
	assert_int_equal(test_try_open(&p, "n", "null", "rx=129", small, NULL, &e), -EINVAL);
	assert_int_equal(test_try_open(&p, "n", "null", "rx=128", small, NULL, &e), 0);
	assert_int_equal(port_close(&p, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receives_nothing),
		cmocka_unit_test(test_makes_frames),
		cmocka_unit_test(test_pool_empty),
		cmocka_unit_test(test_bad_args),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
