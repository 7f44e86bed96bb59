// SPDX-License-Identifier: BSD-3-Clause
// test_nd_ra.c - router advertisements (RFC 4861, 6.2)
#include "tests/unit/netstack/nd_world.h"

#include <errno.h>
#include <stdlib.h>

// By scapy 2.5.0.
static const char full[] = "33330000000102000000000186dd6000000000403afffe80000000000000000000fffe00"
			   "0001ff0200000000000000000000000000018600ee2740c0070800000000000000000101"
			   "02000000000105010000000005dc030440c000278d0000093a800000000020010db80000"
			   "00020000000000000000";
static const char final[] = "33330000000102000000000186dd6000000000203afffe80000000000000000000fffe0"
			    "00001ff02000000000000000000000000000186002f4040000000000000000000000001"
			    "0102000000000105010000000005dc";

static void solicit(struct nd_world *w)
{
	struct nd_packet p = nd_packet("333300000002", "fe800000000000000000000000000077",
				       "ff020000000000000000000000000002", 255,
				       "8500000000000000" "0101" PEER_MAC);

	nd_world_rx_packet(w, LAN, &p);
}

static void test_content(void **state)
{
	struct nd_ra ra = {.lifetime = 1800, .managed = true, .other = true, .prefixes = true};
	struct nd_conf conf = {.ra = &ra};
	struct nd_world *w = nd_world_open(&conf);

	nd_world_pass(w, 1);
	nd_world_expect(w, LAN, full);
	nd_world_close(w);
}

// Two addresses in a prefix are one prefix; one of another length is not for SLAAC (RFC 4862, 5.5.3).
static void test_prefixes(void **state)
{
	struct nd_ra ra = {.lifetime = 1800, .prefixes = true};
	struct nd_conf conf = {.ra = &ra};
	struct nd_world *w = nd_world_open(&conf);
	uint8_t a[16];

	nd_unhex("20010db8000000020000000000000002", a);
	assert_int_equal(ip6_stack_address(w->s, LAN, a, 64, NULL), 0);
	nd_unhex("20010db8000300000000000000000001", a);
	assert_int_equal(ip6_stack_address(w->s, LAN, a, 56, NULL), 0);
	nd_unhex("20010db8000400000000000000000001", a);
	assert_int_equal(ip6_stack_address(w->s, LAN, a, 128, NULL), 0);
	nd_world_pass(w, 1);
	assert_int_equal(w->sent, 1);
	assert_int_equal(w->out[0].len, 54 + 16 + 8 + 8 + 2 * 32);
	assert_int_equal(w->out[0].bytes[86 + 2], 64);
	assert_int_equal(w->out[0].bytes[86 + 3], 0xc0);
	assert_int_equal(w->out[0].bytes[118 + 2], 56);
	assert_int_equal(w->out[0].bytes[118 + 3], 0x80);
	nd_world_close(w);
}

// 6.2.4: the first three at most 16 seconds apart, then by random times between a third of the interval
// and the whole.
static void test_intervals(void **state)
{
	struct nd_ra ra = {.interval = 600, .lifetime = 1800};
	struct nd_conf conf = {.ra = &ra};
	struct nd_world *w = nd_world_open(&conf);
	bool differ = false;

	nd_world_pass(w, 20000 * SEC);
	assert_true(w->sent > 33 && w->sent < 102);
	for (unsigned i = 1; i < w->sent; i++) {
		uint64_t gap = w->out[i].at - w->out[i - 1].at;

		if (i < 3)
			assert_true(gap <= 16 * SEC);
		else
			assert_true(gap >= 198 * SEC && gap <= 600 * SEC);
		differ |= i > 3 && gap != w->out[i - 1].at - w->out[i - 2].at;
	}
	assert_true(differ);
	nd_world_close(w);
}

// A capture played again gives the same packets at the same times again.
static void test_repeated(void **state)
{
	struct nd_ra ra = {.interval = 30, .lifetime = 1800};
	struct nd_conf conf = {.ra = &ra, .dad = 1, .seed = 1};
	struct nd_world *w[2];

	for (unsigned i = 0; i < 2; i++) {
		w[i] = nd_world_open(&conf);
		nd_world_pass(w[i], 1000 * SEC);
	}
	assert_true(w[0]->sent > 30);
	assert_int_equal(w[0]->sent, w[1]->sent);
	for (unsigned i = 0; i < w[0]->sent; i++) {
		assert_int_equal(w[0]->out[i].at, w[1]->out[i].at);
		assert_int_equal(w[0]->out[i].len, w[1]->out[i].len);
		assert_memory_equal(w[0]->out[i].bytes, w[1]->out[i].bytes, w[0]->out[i].len);
	}
	graph_destroy(w[0]->g); // the pool is both's
	nd_world_close(w[1]);
	free(w[0]);
}

// 6.2.6: who asks is answered within half a second, but no two are sent within three.
static void test_solicited(void **state)
{
	struct nd_ra ra = {.interval = 1800, .lifetime = 1800};
	struct nd_conf conf = {.ra = &ra};
	struct nd_world *w = nd_world_open(&conf);
	uint64_t asked;

	nd_world_pass(w, 3600 * SEC);
	w->sent = 0;
	asked = w->clock.now;
	solicit(w);
	nd_world_pass(w, SEC / 2);
	assert_int_equal(w->sent, 1);
	assert_true(w->out[0].at <= asked + SEC / 2);
	for (unsigned i = 0; i < 10; i++)
		solicit(w);
	nd_world_pass(w, w->out[0].at + 3 * SEC - w->clock.now - 1);
	assert_int_equal(w->sent, 1);
	nd_world_pass(w, 1);
	assert_int_equal(w->sent, 2);
	nd_world_pass(w, 3 * SEC);
	assert_int_equal(w->sent, 2);
	nd_world_close(w);
}

// 6.2.6: it says where it is, so it is known.
static void test_solicitor_is_known(void **state)
{
	struct nd_ra ra = {.lifetime = 1800};
	struct nd_conf conf = {.ra = &ra};
	struct nd_world *w = nd_world_open(&conf);
	union ip_addr a = {.v6 = {0xfe, 0x80, [15] = 0x77}};

	solicit(w);
	assert_int_not_equal(neigh_find6(&w->s->neighbors, LAN, &a), 0);
	nd_world_close(w);
}

// 6.2.5, at the end: a lifetime of 0, and nothing more.
static void test_final(void **state)
{
	struct nd_ra ra = {.lifetime = 1800};
	struct nd_conf conf = {.ra = &ra};
	struct nd_world *w = nd_world_open(&conf);

	nd_world_pass(w, 100 * SEC);
	w->sent = 0;
	nd_end(w->s);
	graph_housekeep(w->g, w->clock.now);
	nd_world_expect(w, LAN, final);
	solicit(w);
	nd_world_pass(w, 3600 * SEC);
	nd_world_quiet(w);
	nd_world_close(w);
}

// Nothing is advertised before the link-local address is ours (6.1.2: it comes from no other).
static void test_after_dad(void **state)
{
	struct nd_ra ra = {.lifetime = 1800};
	struct nd_conf conf = {.ra = &ra, .dad = 1};
	struct nd_world *w = nd_world_open(&conf);
	unsigned ras = 0;

	nd_world_pass(w, SEC - 1);
	for (unsigned i = 0; i < w->sent; i++)
		assert_int_equal(w->out[i].bytes[54], 135);
	nd_world_pass(w, 2 * SEC);
	for (unsigned i = 0; i < w->sent; i++)
		ras += w->out[i].bytes[54] == 134;
	assert_int_equal(ras, 1);
	nd_world_close(w);
}

// 6.2.7: another router that says otherwise about the same link is counted by a name of its own.
static void test_others(void **state)
{
#define HEAD	 "8600000040000708" "0000000000000000"
#define MTU(hex) "0501000000" "00" hex
#define OURS(valid) "030440c0" valid "00093a8000000000" "20010db8000000020000000000000000"
	static const struct {
		const char *message;
		bool agrees;
	} heard[] = {
		{HEAD MTU("05dc") OURS("00278d00"), true},
		{HEAD, true},
		{"8600000000000000" "0000753000000000", true}, // unspecified, and what we leave open
		{"8600000020000708" "0000000000000000", false}, // hop limit 32
		{"8600000040800708" "0000000000000000", false}, // managed
		{"8600000040400708" "0000000000000000", false}, // other
		{HEAD MTU("05a0"), false},
		{HEAD OURS("00000e10"), false},
		{HEAD "030440c000000e1000000e1000000000" "20010db8000000990000000000000000", true}, // its own
	};
	struct nd_ra ra = {.lifetime = 1800, .prefixes = true};
	struct nd_conf conf = {.ra = &ra};

	for (unsigned i = 0; i < sizeof(heard) / sizeof(heard[0]); i++) {
		struct nd_world *w = nd_world_open(&conf);
		struct nd_packet p = nd_packet("333300000001", "fe800000000000000000000000000077",
					       "ff020000000000000000000000000001", 255,
					       heard[i].message);

		nd_world_rx_packet(w, LAN, &p);
		if (nd_world_drops(w, "nd-input", "router-disagrees") != !heard[i].agrees ||
		    nd_world_drops(w, "nd-input", "router-advertisement") != heard[i].agrees)
			fail_msg("%s", heard[i].message);
		nd_world_close(w);
	}
}

// 6.2.1.
static void test_bounds(void **state)
{
	static const struct nd_ra bad[] = {
		{.interval = 3},
		{.interval = 1801},
		{.interval = 600, .lifetime = 599},
		{.interval = 600, .lifetime = 9001},
	};
	static const struct nd_ra good[] = {
		{.interval = 4, .lifetime = 4},
		{.interval = 1800, .lifetime = 9000},
		{.interval = 1800, .lifetime = 0},
	};
	struct nd_world *w = nd_world_open(NULL);
	struct err err;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(nd_set_ra(w->s, LAN, &bad[i], &err), -EINVAL);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(nd_set_ra(w->s, LAN, &good[i], &err), 0);
	assert_int_equal(nd_set_ra(w->s, 2, &good[0], &err), -EINVAL);
	nd_world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),	  cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_intervals), cmocka_unit_test(test_solicited),
		cmocka_unit_test(test_solicitor_is_known),
		cmocka_unit_test(test_final),	  cmocka_unit_test(test_after_dad),
		cmocka_unit_test(test_bounds),	  cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
