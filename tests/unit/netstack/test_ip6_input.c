// SPDX-License-Identifier: BSD-3-Clause
// test_ip6_input.c - which packets a router takes (RFC 8200, 3 and 4; RFC 4291, 2; RFC 4007)
#include "tests/unit/netstack/world6.h"

static void assert_input_drop(struct world *w, const struct packet *p, const char *reason)
{
	uint64_t before = world_drops(w, "ip6-input", reason);

	world_rx_packet(w, WAN, p);
	assert_int_equal(world_drops(w, "ip6-input", reason), before + 1);
	assert_int_equal(w->sent, 0);
}

static void test_header(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet good = udp6_packet(WAN, WAN_HOST, LAN_HOST, 32), p = good;

	p.len = 14 + 39;
	assert_input_drop(w, &p, "too-short");
	p = good;
	p.b[14] = 0x50;
	assert_input_drop(w, &p, "version");
	p = good;
	p.len--; // a byte short of the payload length
	assert_input_drop(w, &p, "length");
	p.len = 14 + 40;
	assert_input_drop(w, &p, "length");
	world_rx_packet(w, WAN, &good);
	world_sent(w, LAN);
	world_close(w);
}

// RFC 2675: the length is in an option. We have no such links.
static void test_jumbogram(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, WAN_HOST, LAN_HOST, 32);

	insert6(&p, 40, 6, 0, "00 00 c2 04 00000030");
	p.b[18] = p.b[19] = 0;
	assert_input_drop(w, &p, "jumbogram");
	world_close(w);
}

// A length of 0 is just no payload where nothing else is said.
static void test_no_payload(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = ip6_packet(WAN, WAN_HOST, LAN_HOST, 59, 0);

	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_sent(w, LAN)->len, 54);
	world_close(w);
}

static void test_martian_sources(void **state)
{
	static const char *const sources[] = {
		"::",		"::1", "ff02::1", "ff0e::5", "::ffff:192.0.2.1",
		WAN6,		LAN6,  WAN6_LL,
		"2001:db8:2::", // our anycast address of that prefix
	};
	struct world *w = world6_open(NULL);

	for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct packet p = udp6_packet(WAN, sources[i], LAN_HOST, 32);

		assert_input_drop(w, &p, "martian-source");
	}
	world_close(w);
}

static void test_martian_destinations(void **state)
{
	static const char *const destinations[] = {"::",      "::1",	 "::ffff:198.51.100.1",
						   "ff00::1", "ff01::1", "ff11::2"};
	struct world *w = world6_open(NULL);

	for (unsigned i = 0; i < sizeof(destinations) / sizeof(destinations[0]); i++) {
		struct packet p = udp6_packet(WAN, WAN_HOST, destinations[i], 32);

		assert_input_drop(w, &p, "martian-destination");
	}
	world_close(w);
}

// RFC 4291, 2.5.6: never forwarded. Each link has its own: that of another port is nobody here.
static void test_link_local(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, "fe80::fe", "fe80::10", 32);

	assert_input_drop(w, &p, "link-local");
	p = udp6_packet(WAN, "fe80::fe", LAN6_LL, 32);
	assert_input_drop(w, &p, "link-local");
	p = udp6_packet(WAN, WAN_HOST, "febf::1", 32);
	assert_input_drop(w, &p, "link-local");
	// The address of another port's link may be a host's on this one.
	p = echo6_packet(WAN, LAN6_LL, WAN6_LL, 8);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_held(w), 1); // the answer waits for it
	world_close(w);
}

static void test_groups(void **state)
{
	static const char *const others[] = {"ff02::5", "ff02::1:ff00:77", "ff05::1:3",
					     "ff0e::1", "ff0f::2",	   "ff02::1:ff00:1:1"};
	struct world *w = world6_open(NULL);

	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct packet p = udp6_packet(WAN, WAN_HOST, others[i], 32);

		assert_input_drop(w, &p, "multicast");
	}
	// The solicited-node group of an address on another link.
	{
		struct packet p = udp6_packet(DMZ, DMZ_HOST, "ff02::1:ff00:2", 32);

		world_rx_packet(w, DMZ, &p);
		assert_int_equal(world_drops(w, "ip6-input", "multicast"), 7);
	}
	world_close(w);
}

// A unicast packet to a group of stations is not forwarded.
static void test_link_multicast(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, WAN_HOST, LAN_HOST, 32);

	group6_mac(p.b, LAN_HOST);
	assert_input_drop(w, &p, "link-multicast");
	memset(p.b, 0xff, 6);
	assert_input_drop(w, &p, "link-multicast");
	world_close(w);
}

// --- hop-by-hop options (RFC 8200, 4.2 and 4.3), of packets that pass through ---

enum { PASSES, DROPPED, REPORTED };

static void check_options(const char *dst, const char *hex, int what, uint8_t code,
			  uint32_t pointer)
{
	struct world *w = world6_open(NULL);
	bool group = addr6(dst).v6[0] == 0xff;
	struct packet p = udp6_packet(WAN, WAN_HOST, dst, 32);
	const struct frame *f;

	insert6(&p, 40, 6, 0, hex);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-input", "bad-option"), what != PASSES);
	if (what == PASSES && !group) {
		assert_memory_equal(world_sent(w, LAN)->bytes + 22, p.b + 22, p.len - 22);
	} else if (what == REPORTED) {
		f = world_sent(w, WAN);
		assert_memory_equal(f->bytes + 22, addr6(WAN6).v6, 16);
		assert_memory_equal(f->bytes + 38, addr6(WAN_HOST).v6, 16);
		assert_int_equal(f->bytes[54], 4);
		assert_int_equal(f->bytes[55], code);
		assert_int_equal(f->bytes[61], pointer);
		assert_int_equal(f->bytes[58] | f->bytes[59] | f->bytes[60], 0);
		assert_int_equal(check6(f->bytes, 14, 54, 58, f->len - 54u), 0);
	} else {
		assert_int_equal(w->sent, 0);
	}
	world_close(w);
}

// The two highest bits of an unknown option say what to do; bit 5 is another matter.
static void test_option_actions(void **state)
{
	check_options(LAN_HOST, "00 00 1e 04 00000000", PASSES, 0, 0);
	check_options(LAN_HOST, "00 00 3e 04 00000000", PASSES, 0, 0);
	check_options(LAN_HOST, "00 00 5e 04 00000000", DROPPED, 0, 0);
	check_options(LAN_HOST, "00 00 9e 04 00000000", REPORTED, 2, 42);
	check_options(LAN_HOST, "00 00 de 04 00000000", REPORTED, 2, 42);
	check_options(LAN_HOST, "00 00 01 02 0000 de 00", REPORTED, 2, 46);
	check_options(LAN_HOST, "00 00 c2 04 00000028", REPORTED, 2, 42); // RFC 2675's
	check_options("ff02::1", "00 00 9e 04 00000000", REPORTED, 2, 42);
	check_options("ff02::1", "00 00 de 04 00000000", DROPPED, 0, 0);
}

static void test_option_padding(void **state)
{
	check_options(LAN_HOST, "00 00 01 04 00000000", PASSES, 0, 0);
	check_options(LAN_HOST, "00 00 00 00 00 00 00 00", PASSES, 0, 0);
	check_options(LAN_HOST, "00 01 000000000000 01 00 1e 00 1e 00 01 00", PASSES, 0, 0);
	check_options(LAN_HOST, "00 00 05 02 0000 0100", PASSES, 0, 0); // router alert
}

// RFC 8504, 5.3.
static void test_option_limits(void **state)
{
	check_options(LAN_HOST, "00 02 1e00 1e00 1e00 1e00 1e00 1e00 1e00 1e00 0104 00000000",
		      PASSES, 0, 0);
	check_options(LAN_HOST, "00 02 1e00 1e00 1e00 1e00 1e00 1e00 1e00 1e00 1e00 0102 0000",
		      DROPPED, 0, 0);
	check_options(LAN_HOST, "00 01 00000000000000 01 05 0000000000", PASSES, 0, 0);
	check_options(LAN_HOST, "00 01 0000000000000000 01 04 00000000", DROPPED, 0, 0);
}

static void test_malformed_options(void **state)
{
	check_options(LAN_HOST, "00 00 1e 05 00000000", REPORTED, 0, 43);  // longer than the header
	check_options(LAN_HOST, "00 00 01 03 000000 1e", REPORTED, 0, 47); // no length
	check_options(LAN_HOST, "00 ff 01 04 00000000", REPORTED, 0, 41);  // longer than the packet
	check_options(LAN_HOST, "00 00 05 00 0102 0000", REPORTED, 0,
		      43); // a router alert without value
}

static void test_header_beyond_packet(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = ip6_packet(WAN, WAN_HOST, LAN_HOST, 0, 7);

	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-input", "bad-option"), 1);
	assert_int_equal(world_sent(w, WAN)->bytes[61], 6); // what names it
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_jumbogram),
		cmocka_unit_test(test_no_payload),
		cmocka_unit_test(test_martian_sources),
		cmocka_unit_test(test_martian_destinations),
		cmocka_unit_test(test_link_local),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_link_multicast),
		cmocka_unit_test(test_option_actions),
		cmocka_unit_test(test_option_padding),
		cmocka_unit_test(test_option_limits),
		cmocka_unit_test(test_malformed_options),
		cmocka_unit_test(test_header_beyond_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
