// SPDX-License-Identifier: BSD-3-Clause
// test_nd_input.c - node nd-input: answers, what is learnt from whom, and each drop by its name
// (RFC 4861, 6.1, 7.1, 7.2)
#include "tests/unit/netstack/nd_world.h"

#define GROUP	  "ff0200000000000000000001ff000001" // solicited-node of SELF and of SELF_LINK
#define GROUP_MAC "3333ff000001"
#define SELF_MAC  "020000000001"
#define NOBODY	  "00000000000000000000000000000000"
#define ALL	  "ff020000000000000000000000000001"
#define ALL_MAC	  "333300000001"
#define PEER_LINK "fe800000000000000000000000000077"
#define ROUTERS	  "ff020000000000000000000000000002"

#define NS(target)	  "8700000000000000" target
#define NA(flags, target) "88000000" flags target
#define SOURCE		  "0101" PEER_MAC // options
#define TARGET		  "0201" PEER_MAC

// The solicitation and its answer by scapy 2.5.0.
static const char ask[] = "3333ff00000102010000007786dd6000000000203aff20010db80000000200000000"
			  "00000077ff0200000000000000000001ff00000187001b380000000020010db80000"
			  "000200000000000000010101020100000077";
static const char answer[] = "02010000007702000000000186dd6000000000203aff20010db800000002000000"
			     "000000000120010db8000000020000000000000077880009f8e000000020010db8"
			     "0000000200000000000000010201020000000001";

// Whether datagrams to the peer go straight out, to the MAC address that ends so.
static bool knows(struct nd_world *w, uint8_t last)
{
	bool known;

	w->sent = 0;
	nd_world_send(w, 9);
	known = w->sent == 1 && nd_is_datagram(&w->out[0], 9) && w->out[0].bytes[5] == last;
	w->sent = 0;
	return known;
}

static void test_answer(void **state)
{
	struct nd_world *w = nd_world_open(NULL);
	uint8_t b[128];
	size_t len = nd_unhex(ask, b);

	nd_world_rx(w, LAN, b, len, 0);
	nd_world_expect(w, LAN, answer);
	assert_true(knows(w, 0x77)); // 7.2.3
	nd_world_close(w);
}

// Behind many options, in a chain of segments.
static void test_chain(void **state)
{
	struct nd_world *w = nd_world_open(NULL);
	char text[1024] = NS(SELF);
	struct nd_packet p;

	for (unsigned i = 0; i < 20; i++)
		strcat(text, "fe01000000000000"); // unknown: skipped (4.6)
	strcat(text, SOURCE);
	p = nd_packet(GROUP_MAC, PEER, GROUP, 255, text);
	nd_world_rx(w, LAN, p.b, p.len, 130);
	nd_world_expect(w, LAN, answer);
	nd_world_close(w);
}

// Who is not on a prefix of the link is answered all the same, where it says that it is; it is not
// made known. Who does not say is answered where its frame came from.
static void test_off_link(void **state)
{
	static const char *const options[] = {SOURCE, ""};
	struct nd_world *w = nd_world_open(NULL);
	uint8_t peer[6];

	nd_unhex(PEER_MAC, peer);
	for (unsigned i = 0; i < 2; i++) {
		char text[128] = NS(SELF_LINK);
		struct nd_packet p;

		strcat(text, options[i]);
		p = nd_packet(SELF_MAC, "20010db8999900000000000000000077", SELF_LINK, 255, text);
		nd_world_rx_packet(w, LAN, &p);
		assert_int_equal(w->sent, 1);
		assert_memory_equal(w->out[0].bytes, peer, 6);
		assert_int_equal(w->out[0].bytes[58], 0xe0); // router, solicited, override
		w->sent = 0;
	}
	assert_int_equal(w->s->neighbors.top, w->s->neighbors.learnt0 + 1); // the static one
	nd_world_close(w);
}

// 7.2.4: for an anycast address without the override flag.
static void test_anycast(void **state)
{
	static const char out[] = "02010000007702000000000186dd6000000000203aff20010db8000000020000"
				  "00000000000020010db8000000020000000000000077880029fac00000002001"
				  "0db80000000200000000000000000201020000000001";
	struct nd_world *w = nd_world_open(NULL);
	struct nd_packet p = nd_packet("3333ff000000", PEER, "ff0200000000000000000001ff000000",
				       255, NS("20010db8000000020000000000000000") SOURCE);

	nd_world_rx_packet(w, LAN, &p);
	nd_world_expect(w, LAN, out);
	nd_world_close(w);
}

// RFC 4862, 5.4.3: somebody would like to have our address: all are told that it is ours.
static void test_wanted(void **state)
{
	static const char out[] = "33330000000102000000000186dd6000000000203aff20010db8000000020000"
				  "000000000001ff02000000000000000000000000000188007926a00000002001"
				  "0db80000000200000000000000010201020000000001";
	struct nd_world *w = nd_world_open(NULL);
	struct nd_packet p = nd_packet(GROUP_MAC, NOBODY, GROUP, 255, NS(SELF));

	nd_world_rx_packet(w, LAN, &p);
	nd_world_expect(w, LAN, out);
	assert_false(knows(w, 0x77));
	nd_world_close(w);
}

// 7.2.5: an advertisement updates who is known, and makes nobody known.
static void test_advertisement(void **state)
{
	struct nd_world *w = nd_world_open(NULL);
	struct nd_packet p = nd_packet(SELF_MAC, PEER, SELF, 255, NA("60000000", PEER) TARGET);

	nd_world_rx_packet(w, LAN, &p);
	assert_int_equal(nd_world_drops(w, "nd-input", "unsolicited"), 1);
	nd_world_send(w, 1);
	nd_world_rx_packet(w, LAN, &p);
	assert_true(knows(w, 0x77));
	p = nd_packet(ALL_MAC, PEER, ALL, 255, NA("20000000", PEER) "0201020100000078");
	nd_world_rx_packet(w, LAN, &p); // it has moved
	assert_true(knows(w, 0x78));
	p = nd_packet(ALL_MAC, PEER, ALL, 255, NA("00000000", PEER) "0201020100000079");
	nd_world_rx_packet(w, LAN, &p); // without override
	assert_true(knows(w, 0x78));
	nd_world_close(w);
}

// A configured neighbor is not told away.
static void test_static_stays(void **state)
{
	struct nd_world *w = nd_world_open(NULL);
	uint8_t a[16], mac[6];
	struct nd_packet p = nd_packet(GROUP_MAC, PEER, GROUP, 255, NS(SELF) SOURCE);

	nd_unhex(PEER, a);
	nd_unhex("020100000055", mac);
	assert_int_equal(ip6_stack_neighbor(w->s, LAN, a, mac, NULL), 0);
	nd_world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 1); // it is answered
	assert_true(knows(w, 0x55));
	nd_world_close(w);
}

struct bad {
	const char *reason, *dst_mac, *src, *dst;
	uint8_t hops;
	const char *message;
};

// Nothing of it is answered, and nobody made known.
static void expect_drop(const struct bad *b)
{
	struct nd_world *w = nd_world_open(NULL);
	struct nd_packet p = nd_packet(b->dst_mac, b->src, b->dst, b->hops, b->message);

	nd_world_rx_packet(w, LAN, &p);
	if (nd_world_drops(w, "nd-input", b->reason) != 1)
		fail_msg("not dropped as %s: %s", b->reason, b->message);
	nd_world_quiet(w);
	assert_false(knows(w, 0x77));
	nd_world_close(w);
}

static void test_drops(void **state)
{
	static const struct bad bad[] = {
		// 7.1.1
		{"hop-limit", GROUP_MAC, PEER, GROUP, 254, NS(SELF) SOURCE},
		{"too-short", GROUP_MAC, PEER, GROUP, 255, "870000000000000020010db800000002"},
		{"bad-code", GROUP_MAC, PEER, GROUP, 255, "8701000000000000" SELF SOURCE},
		{"bad-target", GROUP_MAC, PEER, GROUP, 255, NS(GROUP) SOURCE},
		{"bad-option", GROUP_MAC, PEER, GROUP, 255, NS(SELF) "0100" PEER_MAC},
		{"bad-option", GROUP_MAC, PEER, GROUP, 255, NS(SELF) SOURCE "0e00000000000000"},
		{"bad-option", GROUP_MAC, PEER, GROUP, 255, NS(SELF) "0102" PEER_MAC}, // too long
		{"bad-option", GROUP_MAC, PEER, GROUP, 255, NS(SELF) SOURCE "0e01"},
		{"bad-option", GROUP_MAC, PEER, GROUP, 255,
		 NS(SELF) "0102" PEER_MAC "0000000000000000"}, // no Ethernet address
		{"bad-option", GROUP_MAC, NOBODY, GROUP, 255, NS(SELF) SOURCE},
		{"bad-destination", ALL_MAC, NOBODY, ALL, 255, NS(SELF)},
		// whom it is for, and from
		{"not-for-us", "3333ff000077", PEER_LINK, GROUP, 255, NS(PEER) SOURCE},
		{"not-for-us", GROUP_MAC, PEER, GROUP, 255,
		 NS("20010db8000000010000000000000001") SOURCE}, // of another interface
		{"bad-link-address", GROUP_MAC, PEER, GROUP, 255, NS(SELF) "0101030100000077"},
		{"bad-link-address", GROUP_MAC, PEER, GROUP, 255, NS(SELF) "0101000000000000"},
		{"bad-link-address", GROUP_MAC, PEER, GROUP, 255, NS(SELF) "0101" SELF_MAC},
		// 7.1.2
		{"hop-limit", SELF_MAC, PEER, SELF, 64, NA("60000000", PEER) TARGET},
		{"too-short", SELF_MAC, PEER, SELF, 255, "8800000060000000"},
		{"bad-code", SELF_MAC, PEER, SELF, 255, "8802000060000000" PEER TARGET},
		{"bad-target", SELF_MAC, PEER, SELF, 255, NA("60000000", ALL) TARGET},
		{"bad-option", SELF_MAC, PEER, SELF, 255, NA("60000000", PEER) "0200" PEER_MAC},
		{"bad-destination", ALL_MAC, PEER, ALL, 255, NA("60000000", PEER) TARGET},
		{"duplicate-address", ALL_MAC, PEER, ALL, 255, NA("20000000", SELF) TARGET},
		// 6.1.1, 6.1.2, 8.1
		{"hop-limit", "333300000002", PEER_LINK, ROUTERS, 1, "8500000000000000" SOURCE},
		{"bad-code", "333300000002", PEER_LINK, ROUTERS, 255, "8501000000000000" SOURCE},
		{"bad-option", "333300000002", NOBODY, ROUTERS, 255, "8500000000000000" SOURCE},
		{"not-advertising", "333300000002", PEER_LINK, ROUTERS, 255,
		 "8500000000000000" SOURCE},
		{"too-short", ALL_MAC, PEER_LINK, ALL, 255, "860000004000070800000000"},
		{"bad-source", ALL_MAC, PEER, ALL, 255, "86000000400007080000000000000000" SOURCE},
		{"router-advertisement", ALL_MAC, PEER_LINK, ALL, 255,
		 "86000000400007080000000000000000" SOURCE},
		{"redirect-ignored", SELF_MAC, PEER_LINK, SELF, 255,
		 "8900000000000000" PEER_LINK PEER},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_drop(&bad[i]);
}

// The checksum is ip6-local's to verify, of these messages too.
static void test_checksum(void **state)
{
	struct nd_world *w = nd_world_open(NULL);
	struct nd_packet p = nd_packet(GROUP_MAC, PEER, GROUP, 255, NS(SELF) SOURCE);

	p.b[56] ^= 1;
	nd_world_rx_packet(w, LAN, &p);
	assert_int_equal(nd_world_drops(w, "ip6-local", "icmp-checksum"), 1);
	nd_world_quiet(w);
	nd_world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),	     cmocka_unit_test(test_chain),
		cmocka_unit_test(test_off_link),     cmocka_unit_test(test_anycast),
		cmocka_unit_test(test_wanted),	     cmocka_unit_test(test_advertisement),
		cmocka_unit_test(test_static_stays), cmocka_unit_test(test_drops),
		cmocka_unit_test(test_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
