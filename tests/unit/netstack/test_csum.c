// SPDX-License-Identifier: BSD-3-Clause
// test_csum.c - the Internet checksum against the vectors of RFC 1071, RFC 1624 and its errata
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mempool/mempool.h"
#include "netstack/csum.h"

// RFC 1071, 3: its "Numerical Examples" sum these eight bytes to ddf2.
static void test_rfc1071(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(be16(csum_fold(csum_add(0, bytes, sizeof(bytes)))), 0xddf2);
	// A sum does not depend on where it is broken up (associativity).
	assert_int_equal(be16(csum_fold(csum_add(csum_add(0, bytes, 4), bytes + 4, 4))), 0xddf2);
}

// RFC 1624, 4: HC 0xdd2f, m 0x5555 to 0x3285. Equation 3 gives 0x0000, where RFC 1141's gave
// 0xffff.
static void test_rfc1624(void **state)
{
	assert_int_equal(csum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

// Errata 4782, 5864: an unchanged word leaves a checksum of 0 alone; and the carry is folded twice.
static void test_rfc1624_errata(void **state)
{
	assert_int_equal(csum_update(0x0000, 0x5555, 0x5555), 0x0000);
	assert_int_equal(csum_update(0x0000, 0x5555, 0x5556), 0xfffe);
}

// Erratum 5865's routine, word for word in a larger register.
static uint16_t erratum_5865(uint32_t hc, uint32_t from, uint32_t to)
{
	uint32_t sum = (hc ^ 0xffff) + (from ^ 0xffff) + to;

	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum ^ 0xffff);
}

static void test_update_agrees(void **state)
{
	static const uint16_t edge[] = {0,	1,	0x00ff, 0x5555, 0x7fff,
					0x8000, 0xff00, 0xfffe, 0xffff};
	const unsigned n = sizeof(edge) / sizeof(edge[0]);

	for (unsigned i = 0; i < n * n * n; i++) {
		uint16_t hc = edge[i % n], from = edge[i / n % n], to = edge[i / n / n];

		assert_int_equal(csum_update(hc, from, to), erratum_5865(hc, from, to));
	}
	srandom(1);
	for (unsigned i = 0; i < 1000000; i++) {
		uint16_t hc = (uint16_t)random(), from = (uint16_t)random(),
			 to = (uint16_t)random();

		assert_int_equal(csum_update(hc, from, to), erratum_5865(hc, from, to));
	}
}

// For every TTL, protocol and checksum: the header's sum stays what it was.
static void test_dec_ttl(void **state)
{
	for (uint32_t ttl = 1; ttl < 256; ttl += 1) {
		for (uint32_t csum = 0; csum < 0x10000; csum += 7) {
			struct ip4_hdr ip = {.ttl = (uint8_t)ttl,
					     .proto = (uint8_t)(csum >> 3),
					     .csum = be16(csum)};
			uint16_t from = (uint16_t)(ttl << 8 | ip.proto);

			csum_dec_ttl(&ip);
			assert_int_equal(ip.ttl, ttl - 1);
			assert_int_equal(be16(ip.csum), erratum_5865(csum, from, from - 0x100u));
		}
	}
}

static uint16_t by_the_book(const uint8_t *b, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)sum;
}

static void test_lengths(void **state)
{
	uint8_t bytes[600];

	srandom(2);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random();
	for (size_t len = 0; len < 300; len++)
		for (size_t off = 0; off < 9; off++)
			assert_int_equal(be16(csum_fold(csum_add(0, bytes + off, len))),
					 by_the_book(bytes + off, len));
}

static struct mbuf *chain(struct mempool *pool, const uint8_t *bytes, size_t len)
{
	struct mbuf *first = NULL, **link = &first;

	while (len) {
		size_t n = 1 + (size_t)random() % 40;
		struct mbuf *m = mbuf_alloc(pool);

		assert_non_null(m);
		if (n > len)
			n = len;
		memcpy(mbuf_append(m, (uint16_t)n), bytes, n);
		*link = m;
		link = &m->next;
		if (first != m)
			first->nsegs++;
		bytes += n;
		len -= n;
	}
	return first;
}

static void test_chains(void **state)
{
	struct mempool_conf conf = {.name = "chains", .count = 256};
	struct mempool *pool;
	uint8_t bytes[400];
	struct err err;

	pool = mempool_create(&conf, &err);
	assert_non_null(pool);
	srandom(3);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random();
	for (unsigned round = 0; round < 2000; round++) {
		struct mbuf *m = chain(pool, bytes, sizeof(bytes));
		uint32_t off = (uint32_t)random() % 200, len = (uint32_t)random() % 201;

		m->pkt_len = sizeof(bytes);
		assert_int_equal(be16(csum_fold(csum_add_mbuf(0, m, off, len))),
				 by_the_book(bytes + off, len));
		mbuf_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc1071),	       cmocka_unit_test(test_rfc1624),
		cmocka_unit_test(test_rfc1624_errata), cmocka_unit_test(test_update_agrees),
		cmocka_unit_test(test_dec_ttl),	       cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
