// SPDX-License-Identifier: BSD-3-Clause
// test_nd_hold.c - node nd-hold: asking for neighbors, holding their packets, announcing ours. The
// states of a neighbor are test_neigh_state.c's
#include "tests/unit/netstack/nd_world.h"

// Frames of scapy 2.5.0: ICMPv6ND_NS(tgt=PEER), to the group and by unicast.
static const char ask_all[] = "3333ff00007702000000000186dd6000000000203aff20010db80000000200000000"
			      "00000001ff0200000000000000000001ff00007787001b390000000020010db80000"
			      "000200000000000000770101020000000001";
static const char ask_peer[] = "02010000007702000000000186dd6000000000203aff20010db800000002000000"
			       "000000000120010db80000000200000000000000778700eb820000000020010db8"
			       "0000000200000000000000770101020000000001";

static void peer_answers(struct nd_world *w)
{
	struct nd_packet p =
		nd_packet("020000000001", PEER, SELF, 255, "8800000060000000" PEER "0201" PEER_MAC);

	nd_world_rx_packet(w, LAN, &p);
}

// 7.2.2: asked for once; what waits leaves in order.
static void test_resolve(void **state)
{
	struct nd_world *w = nd_world_open(NULL);
	uint8_t mac[6];

	nd_unhex(PEER_MAC, mac);
	nd_world_send(w, 1);
	nd_world_expect(w, LAN, ask_all);
	nd_world_send(w, 2);
	nd_world_quiet(w);
	peer_answers(w);
	assert_int_equal(w->sent, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(w->out[i].port, LAN);
		assert_memory_equal(w->out[i].bytes, mac, 6);
		assert_true(nd_is_datagram(&w->out[i], i + 1));
		assert_int_equal(w->out[i].bytes[21], 63);
	}
	w->sent = 0;
	nd_world_send(w, 3);
	assert_int_equal(w->sent, 1);
	nd_world_close(w);
}

// Three times, a second apart; then ICMPv6 destination unreachable, code 3 (7.2.2).
static void test_unresolved(void **state)
{
	struct nd_world *w = nd_world_open(NULL);
	const struct nd_frame *f = &w->out[0];

	nd_world_send(w, 1);
	nd_world_expect(w, LAN, ask_all);
	for (unsigned i = 0; i < 2; i++) {
		nd_world_pass(w, SEC - 1);
		nd_world_quiet(w);
		nd_world_pass(w, 1);
		nd_world_expect(w, LAN, ask_all);
	}
	nd_world_pass(w, SEC);
	assert_int_equal(nd_world_drops(w, "nd-hold", "unresolved"), 1);
	assert_int_equal(w->sent, 1);
	assert_int_equal(f->port, WAN);
	assert_int_equal(f->bytes[54], 1);
	assert_int_equal(f->bytes[55], 3);
	assert_int_equal(f->bytes[62 + 3], 1); // the quoted packet's flow label
	nd_world_close(w);
}

// 7.3: used after its time, it is asked by unicast, and traffic goes on.
static void test_probe(void **state)
{
	struct nd_world *w = nd_world_open(NULL);

	nd_world_send(w, 1);
	peer_answers(w);
	nd_world_pass(w,
		      46 * SEC); // 30 s, half of that more or less, and the second until it shows
	w->sent = 0;
	nd_world_send(w, 2);
	assert_true(w->sent == 1 && nd_is_datagram(&w->out[0], 2));
	w->sent = 0;
	nd_world_pass(w, 5 * SEC - 1);
	nd_world_quiet(w);
	nd_world_pass(w, SEC + 1);
	nd_world_expect(w, LAN, ask_peer);
	peer_answers(w);
	nd_world_pass(w, 10 * SEC);
	nd_world_quiet(w);
	nd_world_close(w);
}

// The latest are kept.
static void test_overflow(void **state)
{
	struct nd_conf conf = {.hold = 3};
	struct nd_world *w = nd_world_open(&conf);

	for (unsigned i = 0; i < 10; i++)
		nd_world_send(w, i);
	assert_int_equal(nd_world_drops(w, "nd-hold", "hold-overflow"), 7);
	w->sent = 0;
	peer_answers(w);
	assert_int_equal(w->sent, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(nd_is_datagram(&w->out[i], 7 + i));
	nd_world_close(w);
}

// A scan of a prefix of 2^64 addresses is bounded, and who is known stays so (RFC 6583).
static void test_scan(void **state)
{
	struct nd_conf conf = {.learnt = 100};
	struct nd_world *w = nd_world_open(&conf);
	uint8_t b[128];
	size_t len;

	nd_world_send(w, 1);
	peer_answers(w);
	len = nd_unhex("02000000000202010000001086dd60000000001c114020010db800000001000000000000"
		       "001020010db800000002aaaa00000000000013880007001c35c7000102030405060708090a"
		       "0b0c0d0e0f10111213",
		       b);
	for (unsigned i = 0; i < 250; i++) {
		b[52] = (uint8_t)(i >> 8);
		b[53] = (uint8_t)i;
		w->sent = 0;
		nd_world_rx(w, WAN, b, len, 0);
	}
	assert_int_equal(nd_world_drops(w, "nd-hold", "table-full") + w->s->neighbors.held, 250);
	assert_true(w->s->neighbors.held <= 40); // about a quarter of the table
	w->sent = 0;
	nd_world_send(w, 2);
	assert_int_equal(w->sent, 1);
	nd_world_pass(w, 4 * SEC);
	assert_int_equal(w->s->neighbors.held, 0);
	nd_world_close(w);
}

// What the router says itself is not reported to it.
static void test_own(void **state)
{
	struct nd_world *w = nd_world_open(NULL);
	struct nd_packet p = nd_packet("020000000001", PEER, SELF, 64, "8000000000010002abcd");

	nd_world_rx_packet(w, LAN, &p); // a ping, whose answer waits
	nd_world_expect(w, LAN, ask_all);
	nd_world_pass(w, 10 * SEC);
	assert_int_equal(nd_world_drops(w, "nd-hold", "unresolved"), 1);
	for (unsigned i = 0; i < w->sent; i++)
		assert_int_equal(w->out[i].bytes[54], 135);
	nd_world_close(w);
}

// 7.2.6: each address of the interface once, to all nodes; by scapy.
static void test_announce(void **state)
{
	static const char *const out[] = {
		"33330000000102000000000186dd6000000000203afffe80000000000000000000fffe000001"
		"ff0200000000000000000000000000018800d99aa0000000fe80000000000000000000fffe00"
		"00010201020000000001",
		"33330000000102000000000186dd6000000000203aff20010db8000000020000000000000001"
		"ff02000000000000000000000000000188007926a000000020010db800000002000000000000"
		"00010201020000000001",
	};
	struct nd_world *w = nd_world_open(NULL);
	unsigned found = 0;

	nd_announce(w->s, LAN);
	nd_world_pass(w, 1);
	assert_int_equal(w->sent, 2);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < 2; k++) {
			uint8_t want[128];
			size_t len = nd_unhex(out[k], want);

			if (w->out[i].len == len && !memcmp(w->out[i].bytes, want, len))
				found |= 1 << k;
		}
	assert_int_equal(found, 3);
	w->sent = 0;
	nd_world_pass(w, 10 * SEC);
	nd_world_quiet(w);
	nd_world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),	 cmocka_unit_test(test_unresolved),
		cmocka_unit_test(test_probe),	 cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_scan),	 cmocka_unit_test(test_own),
		cmocka_unit_test(test_announce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
