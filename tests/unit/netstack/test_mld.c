// SPDX-License-Identifier: BSD-3-Clause
// test_mld.c - the listener of MLDv2 (RFC 3810) and MLDv1 (RFC 2710)
#include "netstack/mld.h"
#include "netstack/nd.h"
#include "tests/unit/netstack/world6.h"

// IPv6 with hop limit 1, hop-by-hop options with a router alert of value 0 (RFC 2711), the message.
static const uint8_t *message(const struct frame *f, const char *from, const char *to)
{
	uint8_t mac[6];

	group6_mac(mac, to);
	assert_memory_equal(f->bytes, mac, 6);
	assert_int_equal((f->bytes[18] << 8 | f->bytes[19]) + 54, f->len);
	assert_int_equal(f->bytes[20], 0);
	assert_int_equal(f->bytes[21], 1);
	assert_memory_equal(f->bytes + 22, addr6(from).v6, 16);
	assert_memory_equal(f->bytes + 38, addr6(to).v6, 16);
	assert_memory_equal(f->bytes + 54, ((uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0}), 8);
	assert_int_equal(check6(f->bytes, 14, 62, 58, f->len - 62u), 0);
	return f->bytes + 62;
}

// Records of one type, no sources, these groups in any order.
static void assert_report(const struct frame *f, const char *from, uint8_t type,
			  const char *const *groups, unsigned n)
{
	const uint8_t *icmp = message(f, from, "ff02::16");

	assert_memory_equal(icmp, ((uint8_t[]){143, 0}), 2);
	assert_memory_equal(icmp + 4, ((uint8_t[]){0, 0, 0, (uint8_t)n}), 4);
	assert_int_equal(f->len, 14 + 48 + 8 + n * 20);
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *r = icmp + 8 + (size_t)i * 20;
		unsigned found = 0;

		assert_memory_equal(r, ((uint8_t[]){type, 0, 0, 0}), 4);
		for (unsigned k = 0; k < n; k++)
			found += !memcmp(r + 4, addr6(groups[k]).v6, 16);
		assert_true(found > 0);
	}
}

// Of WAN: all routers, and the solicited-node groups of fe80::ff:fe00:2, 2001:db8:1::1 and its
// anycast address (RFC 4291, 2.8); all nodes' is not reported.
static const char *const wan_groups[] = {"ff02::2", "ff05::2", "ff02::1:ff00:2", "ff02::1:ff00:1",
					 "ff02::1:ff00:0"};

// RFC 3810, 6.1: changes are reported at once, and once more within a second.
static void test_start(void **state)
{
	struct world *w = world6_start(NULL);
	unsigned wan = 0;

	world_pass(w, 2 * NSEC_PER_SEC);
	assert_int_equal(w->sent, 2 * WORLD_PORTS);
	for (unsigned i = 0; i < w->sent; i++)
		if (w->out[i].port == WAN) {
			assert_report(&w->out[i], WAN6_LL, 4, wan_groups, 5);
			wan++;
		}
	assert_int_equal(wan, 2);
	w->sent = 0;
	world_pass(w, 1000 * NSEC_PER_SEC);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 3810, 5.2.13: from nobody, as long as the link-local address is tentative; anew when it is
// not.
static void test_tentative(void **state)
{
	struct world *w = world6_open(NULL);
	uint32_t first = w->s6->first[WAN];

	w->s6->address[first].state = IP6_TENTATIVE;
	mld_changed(w->s6, WAN);
	world_pass(w, 2 * NSEC_PER_SEC);
	assert_int_equal(w->sent, 2);
	assert_report(&w->out[0], "::", 4, wan_groups, 5);
	w->sent = 0;
	w->s6->address[first].state = IP6_VALID;
	mld_changed(w->s6, WAN);
	world_pass(w, 2 * NSEC_PER_SEC);
	assert_int_equal(w->sent, 2);
	assert_report(&w->out[1], WAN6_LL, 4, wan_groups, 5);
	w->sent = 0;
	world_close(w);
}

// RFC 3590: once the link-local address is known to be ours alone, reports come from it.
static void test_detection(void **state)
{
	struct world *w = world6_open(NULL);
	unsigned from_own = 0;

	nd_set_dad(w->s6, 1);
	graph_wake(w->s6->neighbors.node, w->clock.now);
	world_pass(w, 4 * NSEC_PER_SEC);
	for (unsigned i = 0; i < w->sent; i++)
		if (w->out[i].port == WAN && w->out[i].bytes[20] == 0) {
			assert_report(&w->out[i], WAN6_LL, 4, wan_groups, 5);
			from_own++;
		}
	assert_int_equal(from_own, 2);
	w->sent = 0;
	nd_announce(w->s6, WAN); // its link was away
	world_pass(w, 0);
	assert_true(w->sent > 0);
	assert_report(&w->out[w->sent - 1], WAN6_LL, 4, wan_groups, 5);
	w->sent = 0;
	world_close(w);
}

static struct packet query(const char *from, const char *to, uint16_t delay, const char *group,
			   bool v2)
{
	struct packet p = icmp6_packet(WAN, from, to, 130, 0, (uint32_t)delay << 16, v2 ? 20 : 16);

	memset(p.b + 62, 0, p.len - 62);
	memcpy(p.b + 62, addr6(group).v6, 16);
	p.b[21] = 1;
	fix6(&p, 56, 58);
	insert6(&p, 40, 6, 0, "00 00 05 02 0000 0100");
	return p;
}

// RFC 3810, 6.2: within the time the query says.
static void test_general_query(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = query("fe80::fe", "ff02::1", 1000, "::", true);

	for (unsigned i = 0; i < 8; i++) {
		world_rx_packet(w, WAN, &p);
		world_rx_packet(w, WAN, &p); // once, though
		assert_int_equal(w->sent, 0);
		world_pass(w, NSEC_PER_SEC);
		assert_report(world_sent(w, WAN), WAN6_LL, 2, wan_groups, 5);
	}
	world_close(w);
}

// 5.1.3: from 0x8000 on a mantissa of 12 bits and an exponent: 0x8000 are 32,768 ms, 0xf000 are
// 4,194,304 ms.
static void test_long_delays(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = query("fe80::fe", "ff02::1", 0x8000, "::", true);
	unsigned late = 0;

	for (unsigned i = 0; i < 32; i++) {
		world_rx_packet(w, WAN, &p);
		world_pass(w, 16384 * (NSEC_PER_SEC / 1000));
		late += !w->sent;
		world_pass(w, 16384 * (NSEC_PER_SEC / 1000));
		world_sent(w, WAN);
	}
	assert_in_range(late, 2, 30);
	p = query("fe80::fe", "ff02::1", 0xf000, "::", true);
	world_rx_packet(w, WAN, &p);
	world_pass(w, 4194304 * (NSEC_PER_SEC / 1000));
	world_sent(w, WAN);
	world_close(w);
}

static void test_specific_query(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = query("fe80::fe", "ff02::1:ff00:2", 100, "ff02::1:ff00:2", true);

	world_rx_packet(w, WAN, &p);
	world_pass(w, NSEC_PER_SEC);
	assert_report(world_sent(w, WAN), WAN6_LL, 2, wan_groups, 5);
	p = query("fe80::fe", "ff02::1", 100, "ff02::1:ff00:77", true); // nobody's here
	world_rx_packet(w, WAN, &p);
	world_pass(w, NSEC_PER_SEC);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 3810, 8.2.1: where a router of version 1 asks, reports are of version 1, for a while (9.12).
static void test_version_1(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet v1 = query("fe80::fe", "ff02::1", 1000, "::", false);
	struct packet v2 = query("fe80::fe", "ff02::1", 1000, "::", true);

	world_rx_packet(w, WAN, &v1);
	world_pass(w, NSEC_PER_SEC);
	assert_int_equal(w->sent, 5);
	for (unsigned i = 0; i < 5; i++) {
		const uint8_t *icmp = message(&w->out[i], WAN6_LL, wan_groups[i]);

		assert_int_equal(w->out[i].len, 14 + 48 + 24);
		assert_memory_equal(icmp, ((uint8_t[]){131, 0}), 2);
		assert_memory_equal(icmp + 8, addr6(wan_groups[i]).v6, 16);
	}
	w->sent = 0;
	world_pass(w, 200 * NSEC_PER_SEC);
	world_rx_packet(w, WAN, &v2);
	world_pass(w, NSEC_PER_SEC);
	assert_int_equal(w->sent, 5);
	w->sent = 0;
	world_pass(w, 60 * NSEC_PER_SEC);
	world_rx_packet(w, WAN, &v2);
	world_pass(w, NSEC_PER_SEC);
	assert_report(world_sent(w, WAN), WAN6_LL, 2, wan_groups, 5);
	world_close(w);
}

// RFC 3810, 5.1.14, 6.2: from a link-local address, with hop limit 1 and a router alert; others
// pass in silence.
static void test_bad_queries(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = query(WAN_HOST, "ff02::1", 100, "::", true);

	world_rx_packet(w, WAN, &p);
	p = query("fe80::fe", "ff02::1", 100, "::", true);
	p.b[21] = 2;
	world_rx_packet(w, WAN, &p);
	p = icmp6_packet(WAN, "fe80::fe", "ff02::1", 130, 0, 100 << 16, 17); // between two lengths
	p.b[21] = 1;
	insert6(&p, 40, 6, 0, "00 00 05 02 0000 0100");
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "mld", "bad-query"), 3);
	p = icmp6_packet(WAN, "fe80::fe", "ff02::1", 130, 0, 100 << 16, 20);
	p.b[21] = 1;
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "icmp-ignored"), 1);
	p = icmp6_packet(WAN, "fe80::fe", "ff02::2", 143, 0, 0, 0); // somebody's report
	insert6(&p, 40, 6, 0, "00 00 05 02 0000 0100");
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "mld", "not-query"), 1);
	world_pass(w, NSEC_PER_SEC);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void test_empty_pool(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = query("fe80::fe", "ff02::1", 100, "::", true);
	struct mbuf *all;

	world_rx_packet(w, WAN, &p);
	all = world_empty_pool(w);
	world_pass(w, NSEC_PER_SEC);
	world_refill_pool(all);
	assert_int_equal(w->sent, 0);
	world_rx_packet(w, WAN, &p); // asked again, it answers
	world_pass(w, NSEC_PER_SEC);
	world_sent(w, WAN);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),	    cmocka_unit_test(test_tentative),
		cmocka_unit_test(test_detection),   cmocka_unit_test(test_general_query),
		cmocka_unit_test(test_long_delays), cmocka_unit_test(test_specific_query),
		cmocka_unit_test(test_version_1),   cmocka_unit_test(test_bad_queries),
		cmocka_unit_test(test_empty_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
