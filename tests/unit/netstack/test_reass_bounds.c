// SPDX-License-Identifier: BSD-3-Clause
// test_reass_bounds.c - what bounds reassembly: time, memory, sizes; and fragments that are forwarded
#include "tests/unit/netstack/pieces.h"

#define HOST	 ip(198, 51, 100, 10)
#define SELF	 ip(198, 51, 100, 1)
#define WAN_HOST ip(192, 0, 2, 10)

static struct packet ping(size_t n)
{
	return icmp_packet(LAN, HOST, SELF, 8, 0, n);
}

static void rx_piece(struct world *w, const struct packet *p, unsigned off, unsigned len, bool more)
{
	struct packet f = piece(p, off, len, more);

	world_rx_packet(w, LAN, &f);
}

// RFC 792: time exceeded, code 1, about the first fragment; RFC 1122, 3.3.2: 30 s from the first that came.
static void test_timeout(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = ping(64), first = piece(&p, 0, 24, true);
	const struct frame *f;

	rx_piece(w, &p, 48, 24, false);
	world_pass(w, 20 * NSEC_PER_SEC);
	world_rx_packet(w, LAN, &first);
	world_pass(w, 10 * NSEC_PER_SEC - 1);
	assert_int_equal(world_held(w), 2);
	assert_int_equal(w->sent, 0);
	world_pass(w, 1);
	assert_int_equal(world_drops(w, "ip4-reass", "timeout"), 2);
	assert_int_equal(world_held(w), 0);
	f = world_sent(w, LAN);
	assert_memory_equal(f->bytes + 34, "\x0b\x01", 2);
	assert_memory_equal(f->bytes + 26, packet_ip(&p)->dst == SELF ? "\xc6\x33\x64\x01" : "", 4);
	assert_int_equal(f->len, 14 + 28 + first.len - 14);
	assert_memory_equal(f->bytes + 42, first.b + 14, first.len - 14);
	world_close(w);
}

static void test_timeout_without_first(void **state)
{
	struct ip4_conf conf = {.reass_timeout = 5};
	struct world *w = world_open(&conf);
	struct packet p = ping(64);

	rx_piece(w, &p, 48, 24, false);
	rx_piece(w, &p, 24, 24, true);
	world_pass(w, 5 * NSEC_PER_SEC);
	assert_int_equal(world_drops(w, "ip4-reass", "timeout"), 2);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void expect_drop(const struct packet *p, unsigned off, unsigned len, bool more, const char *reason)
{
	struct world *w = world_open(NULL);

	rx_piece(w, p, off, len, more);
	assert_int_equal(world_drops(w, "ip4-reass", reason), 1);
	assert_int_equal(world_held(w), 0);
	world_close(w);
}

static void test_bad_fragments(void **state)
{
	struct packet p = ping(64), tcp = tcp_packet(LAN, HOST, SELF, 2, 1, 1, 64);

	expect_drop(&p, 0, 0, true, "empty");
	expect_drop(&p, 8, 0, true, "empty");
	expect_drop(&p, 24, 0, false, "empty");
	expect_drop(&p, 0, 23, true, "unaligned");
	expect_drop(&p, 8, 12, true, "unaligned");
	expect_drop(&p, 65504, 12, false, "beyond-64k"); // 20 + 65516
	expect_drop(&p, 65528, 64, true, "beyond-64k");	 // the ping of death
	expect_drop(&tcp, 0, 16, true, "tiny-fragment"); // RFC 1858, 3.2: without the flags' end
	expect_drop(&tcp, 8, 24, true, "tiny-fragment"); // RFC 1858, 3.2: FO = 1
	expect_drop(&tcp, 16, 24, false, "tiny-fragment");
}

// 20 + 65515 is the most there is; with a longer header in the first fragment it is too much.
static void test_long_header(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = ping(1472), q;

	for (unsigned off = 0; off < 65120; off += 1480) {
		q = piece(&p, 0, 1480, true);
		if (!off) { // four no-operations
			memmove(q.b + 38, q.b + 34, 1480);
			memset(q.b + 34, 1, 4);
			q.b[14] = 0x46;
			q.len += 4;
			packet_ip(&q)->len = be16(1504);
		}
		packet_ip(&q)->frag = be16(off / 8 | IP4_MF);
		fix_ip(&q);
		world_rx_packet(w, LAN, &q);
	}
	assert_int_equal(world_held(w), 44);
	rx_piece(w, &p, 65120, 395, false); // its own header is short: 20 + 65515
	assert_int_equal(world_drops(w, "ip4-reass", "beyond-64k"), 45);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void test_too_many(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = ping(1472);

	for (unsigned i = 0; i < 128; i++)
		rx_piece(w, &p, i * 8, 8, true);
	assert_int_equal(world_held(w), 128);
	rx_piece(w, &p, 1024, 8, true);
	assert_int_equal(world_drops(w, "ip4-reass", "too-many-fragments"), 129);
	assert_int_equal(world_held(w), 0);
	world_close(w);
}

// The oldest datagram makes room; younger ones are unharmed.
static void test_evicted(void **state)
{
	struct ip4_conf conf = {.reass_packets = 16};
	struct world *w = world_open(&conf);
	struct packet p = ping(64);

	for (unsigned i = 0; i < 9; i++) {
		set_id(&p, i);
		rx_piece(w, &p, 0, 24, true);
		rx_piece(w, &p, 24, 24, true);
	}
	assert_int_equal(world_drops(w, "ip4-reass", "evicted"), 2); // the first datagram's
	assert_int_equal(world_held(w), 16);
	set_id(&p, 8);
	rx_piece(w, &p, 48, 24, false);
	world_sent(w, LAN);
	assert_int_equal(world_drops(w, "ip4-reass", "evicted"), 4);
	world_close(w);
}

// A flood of datagrams that are never finished, some condemned: bounded, and all comes back.
static void test_flood(void **state)
{
	struct ip4_conf conf = {.reass_packets = 64};
	struct world *w = world_open(&conf);
	struct packet p = ping(64);

	for (unsigned i = 0; i < 5000; i++) {
		set_id(&p, i);
		rx_piece(w, &p, i % 3 * 24, 24, true);
		if (i % 5 == 0)
			rx_piece(w, &p, i % 3 * 24 + 8, 24, true);
		if (i % 500 == 0)
			world_check(w);
	}
	assert_in_range(world_held(w), 48, 64);
	world_pass(w, 30 * NSEC_PER_SEC);
	assert_int_equal(world_held(w), 0);
	world_close(w);
}

static void test_shutdown(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = ping(64);

	rx_piece(w, &p, 0, 24, true);
	rx_piece(w, &p, 48, 24, false);
	assert_int_equal(world_held(w), 2);
	world_close(w); // which finds nothing lost
}

// Without virtual reassembly a fragment is forwarded as it comes.
static void test_not_virtual(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, WAN_HOST, 64);

	rx_piece(w, &p, 24, 24, true);
	world_sent(w, WAN);
	world_close(w);
}

static void test_virtual(void **state)
{
	static const unsigned off[3] = {48, 0, 24};
	struct ip4_conf conf = {.reass_virtual = true};
	struct world *w = world_open(&conf);
	struct packet p = udp_packet(LAN, HOST, WAN_HOST, 64), q = udp_packet(LAN, HOST, WAN_HOST, 9);

	world_rx_packet(w, LAN, &q); // no fragment
	assert_int_equal(world_sent(w, WAN)->l4_head, 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(w->sent, 0);
		rx_piece(w, &p, off[i], 24, off[i] < 48);
	}
	assert_int_equal(w->sent, 3);
	for (unsigned i = 0; i < 3; i++) { // in order, as they came
		struct packet f = piece(&p, i * 24, 24, i < 2);

		assert_int_equal(w->out[i].port, WAN);
		assert_int_equal(w->out[i].len, f.len);
		assert_memory_equal(w->out[i].bytes + 16, f.b + 16, 6);
		assert_memory_equal(w->out[i].bytes + 26, f.b + 26, f.len - 26);
		assert_memory_equal(&w->out[i].l4_head, p.b + 34, 8);
	}
	assert_int_equal(world_dropped(w), 0);
	w->sent = 0;
	// Nobody on the way tells of a time-out, and an overlap goes no further.
	rx_piece(w, &p, 0, 24, true);
	world_pass(w, 30 * NSEC_PER_SEC);
	assert_int_equal(world_drops(w, "ip4-virtual", "timeout"), 1);
	rx_piece(w, &p, 0, 24, true);
	rx_piece(w, &p, 16, 56, false);
	assert_int_equal(world_drops(w, "ip4-virtual", "overlap"), 2);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// To the router itself: through both nodes.
static void test_virtual_local(void **state)
{
	struct ip4_conf conf = {.reass_virtual = true};
	struct world *w = world_open(&conf);
	struct packet p = ping(64);

	for (unsigned i = 3; i-- > 0;)
		rx_piece(w, &p, i * 24, 24, i < 2);
	assert_int_equal(world_sent(w, LAN)->len, p.len);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timeout),	       cmocka_unit_test(test_timeout_without_first),
		cmocka_unit_test(test_bad_fragments),  cmocka_unit_test(test_long_header),
		cmocka_unit_test(test_too_many),       cmocka_unit_test(test_evicted),
		cmocka_unit_test(test_flood),	       cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_not_virtual),    cmocka_unit_test(test_virtual),
		cmocka_unit_test(test_virtual_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
