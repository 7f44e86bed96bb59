// SPDX-License-Identifier: BSD-3-Clause
// test_frame.c - changes to captured frames keep their checksums: those of a plain sum over the whole packet
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "apps/replay/frame.h"

// RFC 1071, byte by byte.
static uint32_t add(uint32_t sum, const uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

// UDP over IPv4 behind `tags` VLAN tags, without checksums.
static unsigned udp4(uint8_t *f, unsigned tags, unsigned payload)
{
	unsigned l3 = 14 + 4 * tags, n = l3 + 28 + payload;

	memset(f, 0, n);
	for (unsigned i = 0; i < tags; i++)
		memcpy(f + 12 + 4 * i, "\x81\x00\x00\x05", 4);
	memcpy(f + l3 - 2, "\x08\x00", 2);
	memcpy(f + l3, "\x45\x00\x00\x00\x12\x34\x00\x00\x40\x11\x00\x00\x0a\x01\x02\x03\x0a\x09\x08\x07", 20);
	f[l3 + 3] = (uint8_t)(28 + payload);
	memcpy(f + l3 + 20, "\x03\xe8\x00\x50\x00\x00\xff\xff", 8);
	memset(f + l3 + 28, 0x5a, payload);
	return n;
}

static void good4(const uint8_t *f, unsigned l3, unsigned n)
{
	uint8_t pseudo[12] = {0};

	assert_int_equal(fold(add(0, f + l3, 20)), 0xffff);
	memcpy(pseudo, f + l3 + 12, 8);
	pseudo[9] = f[l3 + 9];
	pseudo[11] = (uint8_t)(n - l3 - 20);
	assert_int_equal(fold(add(add(0, pseudo, 12), f + l3 + 20, n - l3 - 20)), 0xffff);
}

static void test_fix_and_change(void **state)
{
	for (unsigned tags = 0; tags < 3; tags++) {
		for (unsigned payload = 0; payload < 40; payload++) {
			union ip_addr a = {.v6 = {192, 0, 2, (uint8_t)payload}};
			unsigned l3 = 14 + 4 * tags;
			struct frame_place p;
			uint8_t f[128];
			unsigned n = udp4(f, tags, payload);

			frame_place(f, n, &p);
			assert_int_equal(p.l3, l3);
			assert_int_equal(p.l4, l3 + 20);
			assert_int_equal(p.tags, tags);
			frame_fix(f, n, &p);
			good4(f, l3, n);
			frame_set_addr(f, n, &p, FRAME_SRC, &a);
			assert_memory_equal(f + l3 + 12, &a, 4);
			good4(f, l3, n);
			frame_set_port(f, n, &p, FRAME_DST, (uint16_t)(payload * 1777));
			good4(f, l3, n);
			frame_set_ttl(f, &p, (uint8_t)payload);
			assert_int_equal(frame_ttl(f, &p), payload);
			good4(f, l3, n);
			frame_move_addrs(f, n, 0x01fffe01);
			assert_memory_equal(f + l3 + 16, "\x0c\x09\x06\x08", 4);
			good4(f, l3, n);
		}
	}
}

// A sum that comes to 0 is sent as 0xffff: 0 would say that there is none (RFC 768).
static void test_udp_zero(void **state)
{
	uint8_t f[128];
	unsigned n = udp4(f, 0, 2), seen = 0;
	struct frame_place p;

	frame_place(f, n, &p);
	frame_fix(f, n, &p);
	for (unsigned port = 0; port < 65536; port++) {
		frame_set_port(f, n, &p, FRAME_SRC, (uint16_t)port);
		assert_false(f[40] == 0 && f[41] == 0);
		seen += f[40] == 0xff && f[41] == 0xff;
	}
	assert_in_range(seen, 1, 2);
	good4(f, 14, n);
}

// What was not there stays so, what was wrong by so much stays wrong by as much.
static void test_kept(void **state)
{
	union ip_addr a = {.v6 = {1, 2, 3, 4}};
	struct frame_place p;
	uint8_t f[128];
	unsigned n = udp4(f, 0, 2);

	frame_place(f, n, &p);
	frame_fix(f, n, &p);
	f[40] = f[41] = 0;
	frame_set_addr(f, n, &p, FRAME_DST, &a);
	assert_int_equal(f[40] | f[41], 0);
	n = udp4(f, 0, 2);
	frame_place(f, n, &p);
	frame_fix(f, n, &p);
	f[14 + 11] ^= 1; // of the header's checksum
	frame_set_addr(f, n, &p, FRAME_DST, &a);
	assert_int_not_equal(fold(add(0, f + 14, 20)), 0xffff);
	f[14 + 11] ^= 1;
	assert_in_range(fold(add(0, f + 14, 20)), 0xfffd, 0xffff);
}

// Cut short anywhere, nothing behind the end is touched.
static void test_cut(void **state)
{
	uint8_t whole[128];
	unsigned n = udp4(whole, 2, 10);

	for (unsigned cut = 0; cut <= n; cut++) {
		struct frame_place p;
		uint8_t f[160];

		memset(f, 0xee, sizeof(f));
		memcpy(f, whole, cut);
		frame_place(f, cut, &p);
		frame_move_addrs(f, cut, 12345);
		frame_fix(f, cut, &p);
		for (unsigned i = cut; i < sizeof(f); i++)
			assert_int_equal(f[i], 0xee);
		assert_true(p.l4 == 0 || p.l4 + 8 <= cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fix_and_change),
		cmocka_unit_test(test_udp_zero),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
