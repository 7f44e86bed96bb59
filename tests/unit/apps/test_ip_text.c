// SPDX-License-Identifier: BSD-3-Clause
// test_ip_text.c - what is an address, a prefix, a MAC address, and what only looks like one
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "apps/tool/ip_text.h"

static union ip_addr a;
static uint8_t family, plen, mac[6];

static void addresses(void **state)
{
	char text[IP_TEXT_MAX];

	assert_true(ip_parse("255.255.255.255", &family, &a));
	assert_int_equal(family, 4);
	assert_int_equal(a.v4, 0xffffffff);
	assert_int_equal(a.w[1], 0);
	assert_false(ip_parse("1.2.3", &family, &a));
	assert_false(ip_parse("1.2.3.4 ", &family, &a));
	assert_false(ip_parse("01.2.3.4", &family, &a));
	assert_true(ip_parse("2001:db8::ff", &family, &a)); // RFC 5952 wants it back as it came
	assert_int_equal(family, 6);
	assert_string_equal(ip_text(6, &a, text), "2001:db8::ff");
	assert_string_equal(ip_prefix_text(6, &a, 128, text), "2001:db8::ff/128");
	assert_false(ip_parse("2001:db8:::1", &family, &a));
	assert_false(ip_parse("fe80::1%eth0", &family, &a));
	assert_false(ip_parse("", &family, &a));
}

// All 16 bytes are compared and hashed, whatever lay there before: {0} would be the first member's alone.
static void all_of_it(void **state)
{
	union ip_addr m;

	memset(&a, 0xff, sizeof(a));
	assert_true(ip_parse("192.0.2.255", &family, &a));
	for (unsigned i = 4; i < 16; i++)
		assert_int_equal(a.v6[i], 0);
	m = ip_mask(&a, 4, 24);
	assert_memory_equal(&m, "\300\0\2\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	memset(&a, 0xff, sizeof(a));
	m = ip_mask(&a, 6, 1);
	assert_memory_equal(&m, "\200\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void prefixes(void **state)
{
	assert_true(ip_parse_prefix("1.2.3.4/32", &family, &a, &plen));
	assert_int_equal(plen, 32);
	assert_true(ip_parse_prefix("::/0", &family, &a, &plen));
	assert_int_equal(plen, 0);
	assert_true(ip_parse_prefix("2001:db8::/128", &family, &a, &plen));
	assert_int_equal(plen, 128);
	assert_false(ip_parse_prefix("2001:db8::/129", &family, &a, &plen));
	assert_false(ip_parse_prefix("1.2.3.4/33", &family, &a, &plen));
	assert_false(ip_parse_prefix("1.2.3.4/", &family, &a, &plen));
	assert_false(ip_parse_prefix("1.2.3.4/+8", &family, &a, &plen));
	assert_false(ip_parse_prefix("1.2.3.4/08", &family, &a, &plen));
	assert_false(ip_parse_prefix("1.2.3.4/000", &family, &a, &plen));
	assert_false(ip_parse_prefix("1.2.3.4/1000", &family, &a, &plen));
	assert_false(ip_parse_prefix("1.2.3.4", &family, &a, &plen));
}

static void macs(void **state)
{
	assert_true(ip_parse_mac("02:aB:00:00:00:0f", mac));
	assert_memory_equal(mac, "\x02\xab\0\0\0\x0f", 6);
	assert_false(ip_parse_mac("02:ab:00:00:00:0f:", mac));
	assert_false(ip_parse_mac("2:ab:00:00:00:0f", mac));
	assert_false(ip_parse_mac("02-ab-00-00-00-0f", mac));
}

static bool usable(const char *prefix)
{
	assert_true(ip_parse_prefix(prefix, &family, &a, &plen));
	return ip_usable_host(family, &a, plen);
}

static void hosts(void **state)
{
	// RFC 1812, 4.2.2.11 and 4.2.3.1; RFC 3021.
	assert_true(usable("192.0.2.1/24"));
	assert_false(usable("192.0.2.0/24"));
	assert_false(usable("192.0.2.255/24"));
	assert_true(usable("192.0.2.0/31"));
	assert_false(usable("127.0.0.1/8"));
	assert_false(usable("224.0.0.1/24"));
	// RFC 4291, 2.5.2, 2.5.3, 2.5.5.2, 2.6.1, 2.7; RFC 6164.
	assert_true(usable("2001:db8::1/64"));
	assert_false(usable("2001:db8::/64"));
	assert_true(usable("2001:db8::/127"));
	assert_false(usable("::/128"));
	assert_false(usable("::1/128"));
	assert_false(usable("::ffff:192.0.2.1/128"));
	assert_false(usable("ff02::1/128"));
}

static void bits(void **state)
{
	union ip_addr b, m;

	assert_true(ip_parse("2001:db8:8000::1", &family, &a));
	assert_true(ip_parse("2001:db8:c000::1", &family, &b));
	assert_true(ip_match(&a, &b, 33));
	assert_false(ip_match(&a, &b, 34));
	assert_true(ip_match(&a, &b, 0));
	m = ip_mask(&b, 6, 33);
	assert_true(ip_parse("2001:db8:8000::", &family, &a));
	assert_true(ip_addr_equal(&m, &a));
	m = ip_mask(&b, 6, 128);
	assert_true(ip_addr_equal(&m, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses), cmocka_unit_test(all_of_it), cmocka_unit_test(prefixes),
		cmocka_unit_test(macs),      cmocka_unit_test(hosts),     cmocka_unit_test(bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
