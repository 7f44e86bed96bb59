// SPDX-License-Identifier: BSD-3-Clause
// test_rss.c - the Toeplitz hash against Microsoft's verification suite, and its two keys
//
// The vectors: "Verifying the RSS hash calculation" (Microsoft, Windows driver documentation), IPv4
// and IPv6, with and without TCP ports. A bit-by-bit Toeplitz hash stands beside the tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "pmd/rss.h"

struct vector {
	const char *dst, *src;
	uint16_t dport, sport;
	uint32_t addresses, with_ports;
};

static const struct vector ip4[] = {
	{"161.142.100.80", "66.9.149.187", 1766, 2794, 0x323e8fc2, 0x51ccc178},
	{"65.69.140.83", "199.92.111.2", 4739, 14230, 0xd718262a, 0xc626b0ea},
	{"12.22.207.184", "24.19.198.95", 38024, 12898, 0xd2d0a5de, 0x5c2b394a},
	{"209.142.163.6", "38.27.205.30", 2217, 48228, 0x82989176, 0xafc7327f},
	{"202.188.127.2", "153.39.163.191", 1303, 44251, 0x5d1809c5, 0x10e828a2},
};

static const struct vector ip6[] = {
	{"3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794, 0x2cc18cd5, 0x40207d3d},
	{"ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230, 0x0f0c461c, 0xdde51bbf},
	{"fe80::200:f8ff:fe21:67cf", "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 38024, 44251,
	 0x4b61e985, 0x02d1feef},
};

static struct rss_table microsoft, symmetric;

static unsigned input(const struct vector *v, int family, uint8_t *in)
{
	unsigned len = family == AF_INET ? 4 : 16;
	uint16_t ports[2] = {htons(v->sport), htons(v->dport)};

	assert_int_equal(inet_pton(family, v->src, in), 1);
	assert_int_equal(inet_pton(family, v->dst, in + len), 1);
	memcpy(in + 2 * len, ports, 4);
	return 2 * len;
}

static void check(const struct vector *v, int family)
{
	uint8_t in[RSS_INPUT_MAX];
	unsigned len = input(v, family, in);

	assert_int_equal(rss_hash(&microsoft, in, len), v->addresses);
	assert_int_equal(rss_hash(&microsoft, in, len + 4), v->with_ports);
}

static void test_verification_suite(void **state)
{
	for (unsigned i = 0; i < sizeof(ip4) / sizeof(ip4[0]); i++)
		check(&ip4[i], AF_INET);
	for (unsigned i = 0; i < sizeof(ip6) / sizeof(ip6[0]); i++)
		check(&ip6[i], AF_INET6);
}

// The definition, a bit at a time: for each bit set in the input, the 32 key bits that begin there.
static uint32_t by_bits(const uint8_t *key, const uint8_t *in, unsigned len)
{
	uint32_t h = 0, window = (uint32_t)key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3];

	for (unsigned bit = 0; bit < len * 8; bit++) {
		unsigned next = bit + 32;

		if (in[bit / 8] & 0x80 >> bit % 8)
			h ^= window;
		window = window << 1 | (key[next / 8 % RSS_KEY_LEN] >> (7 - next % 8) & 1);
	}
	return h;
}

static uint32_t random32(void)
{
	static uint64_t x = 0x9e3779b97f4a7c15;

	x = x * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(x >> 32);
}

static void test_tables_are_the_definition(void **state)
{
	uint8_t in[RSS_INPUT_MAX];

	for (unsigned round = 0; round < 1000; round++) {
		unsigned len = random32() % (RSS_INPUT_MAX + 1);

		for (unsigned i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)random32();
		assert_int_equal(rss_hash(&microsoft, in, len),
				 by_bits(rss_key[BLOB_RSS_MICROSOFT], in, len));
		assert_int_equal(rss_hash(&symmetric, in, len),
				 by_bits(rss_key[BLOB_RSS_SYMMETRIC], in, len));
	}
}

static void test_symmetric_key(void **state)
{
	assert_true(symmetric.periodic);
	assert_false(microsoft.periodic);
	for (unsigned i = 0; i < RSS_KEY_LEN; i++)
		assert_int_equal(rss_key[BLOB_RSS_SYMMETRIC][i], i % 2 ? 0x5a : 0x6d);
	for (unsigned round = 0; round < 1000; round++) {
		uint8_t there[12], back[12];
		uint16_t words = 0;

		for (unsigned i = 0; i < 12; i++)
			there[i] = (uint8_t)random32();
		memcpy(back, there + 4, 4);
		memcpy(back + 4, there, 4);
		memcpy(back + 8, there + 10, 2);
		memcpy(back + 10, there + 8, 2);
		assert_int_equal(rss_hash(&symmetric, there, 12), rss_hash(&symmetric, back, 12));
		for (unsigned i = 0; i < 12; i += 2) {
			uint16_t w;

			memcpy(&w, there + i, 2);
			words ^= w;
		}
		assert_int_equal(rss_hash16(&symmetric, words), rss_hash(&symmetric, there, 12));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verification_suite),
		cmocka_unit_test(test_tables_are_the_definition),
		cmocka_unit_test(test_symmetric_key),
	};

	rss_table_init(&microsoft, rss_key[BLOB_RSS_MICROSOFT]);
	rss_table_init(&symmetric, rss_key[BLOB_RSS_SYMMETRIC]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
