// SPDX-License-Identifier: BSD-3-Clause
// test_bridge.c - learning bridges (IEEE 802.1D, 7): where each frame goes, and where not
#include "tests/unit/netstack/l2_world.h"

#define ALL "ff ff ff ff ff ff"

enum { VLAN100 = L2_PORTS, QINQ, BRIDGE };
static struct bridge_conf conf = {.age = 10, .macs = 4};

// Ports 0, 1 and 2 without tags, VLAN 100 and S-VLAN 200, C-VLAN 30 of port 3.
static void mixed(struct ifaces *ifs)
{
	static const uint16_t v[] = {100}, q[] = {200, 30}, members[] = {0, 1, 2, VLAN100, QINQ};

	assert_int_equal(ifaces_vlan(ifs, 3, v, 1, 0, NULL, NULL), VLAN100);
	assert_int_equal(ifaces_vlan(ifs, 3, q, 2, 0, NULL, NULL), QINQ);
	assert_int_equal(ifaces_bridge(ifs, members, 5, &conf, 0, NULL, NULL), BRIDGE);
	assert_int_equal(ifaces_name(ifs, BRIDGE, "br0", NULL), 0);
}

// A station of its own: 02:00:00:00:00:88.
static void routed(struct ifaces *ifs)
{
	static const uint16_t v[] = {100}, q[] = {200, 30}, members[] = {0, 1, 2, VLAN100};
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x88};
	struct bridge_conf c = conf;

	c.routed = true;
	assert_int_equal(ifaces_vlan(ifs, 3, v, 1, 0, NULL, NULL), VLAN100);
	assert_int_equal(ifaces_vlan(ifs, 3, q, 2, 0, NULL, NULL), QINQ);
	assert_int_equal(ifaces_bridge(ifs, members, 4, &c, 0, mac, NULL), BRIDGE);
	assert_int_equal(ifaces_name(ifs, BRIDGE, "br0", NULL), 0);
}

static struct l2_frame plain(const char *dst, const char *src)
{
	return l2_frame(dst, src, "0800", 46);
}

static void drops_one(struct l2 *l, uint16_t port, struct l2_frame f, const char *reason)
{
	uint64_t before = l2_drops(l, "bridge", reason);

	l2_rx(l, port, f);
	assert_int_equal(l->n, 0);
	assert_int_equal(l2_drops(l, "bridge", reason), before + 1);
}

// To all members but that it came in by, as each sends it; then only where it is known to be.
static void test_learns(void **state)
{
	struct l2 *l = l2_open(mixed);
	struct l2_frame f = plain("b1", "a1");
	struct bridge_count c;

	l2_rx(l, 0, f);
	assert_int_equal(l->n, 4);
	l2_came(l, 1, f);
	l2_came(l, 2, f);
	bridge_counts(l->ifs->iface[BRIDGE].domain, &c);
	assert_int_equal(c.flooded, 1);
	assert_int_equal(c.copied, 2);
	l2_rx(l, 1, plain("a1", "b1"));
	l2_only(l, 0, plain("a1", "b1"));
	l2_rx(l, 0, f);
	l2_only(l, 1, f);
	l2_close(l);
}

static void test_tags(void **state)
{
	struct l2 *l = l2_open(mixed);

	// Out of one VLAN into another, and out of a tag.
	l2_rx(l, 3, l2_frame("b1", "a1", "8100 0064 0800", 46));
	assert_int_equal(l->n, 4);
	l2_came(l, 0, plain("b1", "a1"));
	l2_came(l, 3, l2_frame("b1", "a1", "88a8 00c8 8100 001e 0800", 46));
	l2_rx(l, 3, l2_frame("a1", "b1", "88a8 00c8 8100 001e 0800", 46));
	l2_only(l, 3, l2_frame("a1", "b1", "8100 0064 0800", 46));
	l2_rx(l, 2, plain("b1", "c1"));
	l2_only(l, 3, l2_frame("b1", "c1", "88a8 00c8 8100 001e 0800", 46));
	l2_rx(l, 3, l2_frame("c1", "a1", "8100 0064 0800", 46));
	l2_only(l, 2, plain("c1", "a1"));
	// A tag that is no interface's is none of the bridge's business.
	l2_rx(l, 2, l2_frame("a1", "c1", "8100 6007 0800", 46));
	l2_only(l, 3, l2_frame("a1", "c1", "8100 0064 8100 6007 0800", 46));
	l2_rx(l, 3, l2_frame("c1", "a1", "8100 0064 8100 0007 0800", 46));
	l2_only(l, 2, l2_frame("c1", "a1", "8100 0007 0800", 46));
	// A priority tag in front goes with the interface's tag.
	l2_rx(l, 3, l2_frame("c1", "a1", "8100 e000 8100 0064 0800", 46));
	l2_only(l, 2, plain("c1", "a1"));
	l2_close(l);
}

// What a card shall still do is told with offsets that fit the frame.
static void test_offload_offsets(void **state)
{
	struct l2 *l = l2_open(mixed);
	struct l2_frame f = plain("b1", "a1");

	l2_rx(l, 3, l2_frame("a1", "b1", "8100 0064 0800", 46));
	f.flags = MBUF_TX_L4_CSUM | MBUF_RX_L4_OK;
	f.l3 = 14;
	f.l4 = 34;
	l2_rx(l, 0, f); // known: in place
	assert_int_equal(l->n, 1);
	assert_int_equal(l->frame[0].l3, 18);
	assert_int_equal(l->frame[0].l4, 38);
	assert_int_equal(l->frame[0].flags, MBUF_TX_L4_CSUM | MBUF_RX_L4_OK);
	l2_rx(l, 0,
	      (struct l2_frame){.flags = f.flags,
				.l3 = 14,
				.l4 = 34,
				.len = f.len,
				.b = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1}});
	assert_int_equal(l->n, 4); // copied
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(l->frame[i].l4 - l->frame[i].l3, 20);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(l->frame[i].l3, l->frame[i].len - f.len + 14);
	l2_close(l);
}

static void test_stripped_tag(void **state)
{
	struct l2 *l = l2_open(mixed);
	struct l2_frame f = plain("b1", "a1");
	struct mbuf *m;

	l2_rx(l, 1, plain("a1", "b1"));
	m = l2_mbuf(l, 0, &f);
	m->flags |= MBUF_VLAN;
	m->vlan_tci = 0x6007;
	l->n = 0;
	graph_rx(l->g, l->in, &m, 1);
	l2_only(l, 1, l2_frame("b1", "a1", "8100 6007 0800", 46));
	m = l2_mbuf(l, 3, &f); // of the VLAN's member
	m->flags |= MBUF_VLAN;
	m->vlan_tci = 100;
	l->n = 0;
	graph_rx(l->g, l->in, &m, 1);
	l2_only(l, 1, f);
	assert_false(l->frame[0].flags & MBUF_VLAN);
	l2_close(l);
}

static void test_never_back(void **state)
{
	struct l2 *l = l2_open(mixed);

	l2_rx(l, 0, plain("b1", "a1"));
	drops_one(l, 0, plain("a1", "a2"), "same-member");
	l2_rx(l, 0, plain(ALL, "a1"));
	for (unsigned i = 0; i < l->n; i++)
		assert_int_not_equal(l->frame[i].port, 0);
	l2_close(l);
}

// 802.1D, 7.8: a station that is heard elsewhere is there from then on.
static void test_moves(void **state)
{
	struct l2 *l = l2_open(mixed);
	struct bridge_count c;

	l2_rx(l, 0, plain("b1", "a1"));
	l2_rx(l, 2, plain("b1", "a1"));
	l2_rx(l, 1, plain("a1", "b1"));
	l2_only(l, 2, plain("a1", "b1"));
	bridge_counts(l->ifs->iface[BRIDGE].domain, &c);
	assert_int_equal(c.moved, 1);
	l2_close(l);
}

// 802.1D, 7.9.2: forgotten when silent for the ageing time, not when heard within.
static void test_ages(void **state)
{
	struct l2 *l = l2_open(mixed);

	l2_rx(l, 0, plain("b1", "a1"));
	for (unsigned i = 0; i < 5; i++) {
		l2_pass(l, 8 * NSEC_PER_SEC);
		l2_rx(l, 0, plain("b1", "a1"));
	}
	l2_pass(l, 9 * NSEC_PER_SEC + NSEC_PER_SEC / 2);
	l2_rx(l, 1, plain("a1", "b1"));
	l2_only(l, 0, plain("a1", "b1"));
	l2_pass(l, 3 * NSEC_PER_SEC + NSEC_PER_SEC / 2); // 13 s: a quarter more at most
	l2_rx(l, 1, plain("a1", "b1"));
	assert_int_equal(l->n, 4);
	l2_pass(l, 13 * NSEC_PER_SEC);
	assert_int_equal(l->ifs->iface[BRIDGE].domain->macs.count, 0);
	l2_pass(l, 100 * NSEC_PER_SEC); // nobody is waited for
	assert_true(graph_housekeep(l->g, l->clock.now) == TIME_NEVER);
	l2_close(l);
}

// Four stations are known at most; those stay, whoever else comes.
static void test_storm(void **state)
{
	static const char *const known[] = {"a1", "a2", "a3", "a4"};
	struct l2 *l = l2_open(mixed);
	struct bridge_count c;

	for (unsigned i = 0; i < 4; i++)
		l2_rx(l, 0, plain("b1", known[i]));
	for (unsigned i = 0; i < 1000; i++) {
		struct l2_frame f = plain("a1", "00");

		store32(f.b + 8, i * 2654435761u);
		l2_rx(l, 1, f);
		l2_only(l, 0, f);
	}
	for (unsigned i = 0; i < 4; i++) {
		l2_rx(l, 2, plain(known[i], "c1"));
		l2_only(l, 0, plain(known[i], "c1"));
	}
	bridge_counts(l->ifs->iface[BRIDGE].domain, &c);
	assert_int_equal(c.unlearnt, 1004);
	assert_int_equal(l->ifs->iface[BRIDGE].domain->macs.count, 4);
	l2_close(l);
}

static void test_not_forwarded(void **state)
{
	struct l2 *l = l2_open(routed);

	// 802.1D, table 7-10: 00 to 0f.
	drops_one(l, 0, plain("01 80 c2 00 00 00", "a1"), "reserved-address");
	drops_one(l, 0, plain("01 80 c2 00 00 0f", "a1"), "reserved-address");
	drops_one(l, 0, plain("b1", "01 00 00 00 00 01"), "bad-source");
	drops_one(l, 0, plain("b1", "00 00 00 00 00 00"), "bad-source");
	drops_one(l, 0, plain("b1", "88"), "own-address");
	l2_rx(l, 0, plain("01 80 c2 00 00 10", "a1"));
	assert_int_equal(l->n, 4);
	l2_close(l);
}

static void test_own_station(void **state)
{
	struct l2 *l = l2_open(routed);
	struct l2_frame f = l2_frame(ALL, "a1", "0806", 46);
	struct iface_count c;

	l2_rx(l, 0, f); // up, and to all
	assert_int_equal(l->n, 4);
	l2_came(l, L2_UP, f);
	l2_came(l, 1, f);
	l2_came(l, 2, f);
	l2_came(l, 3, l2_frame(ALL, "a1", "8100 0064 0806", 46));
	for (unsigned i = 0; i < 4; i++)
		if (l->frame[i].port == L2_UP)
			assert_int_equal(l->frame[i].iface, BRIDGE);
	f = plain("88", "a1");
	l2_rx(l, 0, f); // for it alone, also out of a VLAN
	l2_only(l, L2_UP, f);
	l2_rx(l, 3, l2_frame("88", "b1", "8100 0064 0800", 46));
	l2_only(l, L2_UP, plain("88", "b1"));
	// What it sends.
	l2_tx(l, BRIDGE, plain("a1", "88"));
	l2_only(l, 0, plain("a1", "88"));
	l2_tx(l, BRIDGE, plain("b1", "88"));
	l2_only(l, 3, l2_frame("b1", "88", "8100 0064 0800", 46));
	l2_tx(l, BRIDGE, plain("c1", "88"));
	assert_int_equal(l->n, 4);
	l2_tx(l, BRIDGE, plain(ALL, "88"));
	assert_int_equal(l->n, 4);
	ifaces_counts(l->ifs, BRIDGE, &c);
	assert_int_equal(c.rx_packets, 3);
	assert_int_equal(c.tx_packets, 4);
	// Not the bridge's: C-VLAN 30 in S-VLAN 200 has its own station.
	l2_rx(l, 3, l2_frame("03", "b1", "88a8 00c8 8100 001e 0800", 46));
	l2_only(l, L2_UP, l2_frame("03", "b1", "88a8 00c8 8100 001e 0800", 46));
	assert_int_equal(l->frame[0].iface, QINQ);
	l2_close(l);
}

static void small(struct ifaces *ifs)
{
	static const uint16_t members[] = {0, 1, 2};

	ifs->iface[1].mtu = 1000;
	assert_int_equal(ifaces_bridge(ifs, members, 3, &conf, 0, NULL, NULL), L2_PORTS);
}

// A frame has to fit the member it leaves by; a tag that is not its own comes on top.
static void test_mtu(void **state)
{
	struct l2 *l = l2_open(small);
	struct l2_frame fits = l2_frame("b1", "a1", "0800", 1000), f;

	l2_rx(l, 1, plain("a1", "b1"));
	l2_rx(l, 0, fits);
	l2_only(l, 1, fits);
	drops_one(l, 0, l2_frame("b1", "a1", "0800", 1001), "too-long");
	f = l2_frame("b1", "a1", "8100 0007 0800", 1000);
	l2_rx(l, 0, f);
	l2_only(l, 1, f);
	drops_one(l, 0, l2_frame("b1", "a1", "8100 0007 0800", 1001), "too-long");
	f = l2_frame(ALL, "a1", "0800", 1001);
	l2_rx(l, 0, f);
	l2_only(l, 2, f); // where it fits
	ifaces_set_up(l->ifs, 2, false);
	drops_one(l, 0, f, "too-long");
	l2_close(l);
}

// Of what a card is to cut, the pieces have to fit.
static void test_mtu_of_segments(void **state)
{
	struct l2 *l = l2_open(small);
	struct l2_frame f = l2_frame("b1", "a1", "0800 45", 3000);

	l2_rx(l, 1, plain("a1", "b1"));
	f.b[34 + 12] = 0x50; // TCP header of 20 bytes
	for (unsigned mss = 960; mss <= 961; mss++) {
		struct mbuf *m = l2_mbuf(l, 0, &f);

		m->flags = MBUF_TSO | MBUF_TX_L4_CSUM;
		m->l3 = 14;
		m->l4 = 34;
		m->mss = (uint16_t)mss;
		l->n = 0;
		graph_rx(l->g, l->in, &m, 1);
		assert_int_equal(l->n, mss == 960);
	}
	assert_int_equal(l2_drops(l, "bridge", "too-long"), 1);
	l2_close(l);
}

static void test_member_down(void **state)
{
	struct l2 *l = l2_open(small);

	l2_rx(l, 1, plain("a1", "b1"));
	ifaces_link(l->ifs, 1, false); // and who was there is forgotten
	l2_rx(l, 0, plain("b1", "a1"));
	l2_only(l, 2, plain("b1", "a1"));
	ifaces_set_up(l->ifs, 2, false);
	drops_one(l, 0, plain("b1", "a1"), "no-member");
	ifaces_link(l->ifs, 1, true);
	l2_rx(l, 0, plain("b1", "a1"));
	l2_only(l, 1, plain("b1", "a1"));
	ifaces_set_up(l->ifs, L2_PORTS, false);
	drops_one(l, 0, plain("b1", "a1"), "interface-down");
	l2_close(l);
}

// Without buffers for copies the others get the frame still, and what is missing is counted.
static void test_no_buffers(void **state)
{
	struct l2 *l = l2_open(routed);
	struct l2_frame f = plain(ALL, "a1");
	struct mbuf *m = l2_mbuf(l, 0, &f), *all = NULL, *x;
	struct bridge_count c;

	while ((x = mbuf_alloc(l->pool))) {
		x->scratch64[0] = (uintptr_t)all;
		all = x;
	}
	graph_rx(l->g, l->in, &m, 1);
	assert_int_equal(l->n, 2);
	l2_came(l, 1, f);
	l2_came(l, 2, f);
	bridge_counts(l->ifs->iface[BRIDGE].domain, &c);
	assert_int_equal(c.no_buffer, 2);
	while (all) {
		x = all;
		all = (struct mbuf *)(uintptr_t)x->scratch64[0];
		mbuf_free(x);
	}
	l2_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_offload_offsets),
		cmocka_unit_test(test_stripped_tag),
		cmocka_unit_test(test_never_back),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_not_forwarded),
		cmocka_unit_test(test_own_station),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_member_down),
		cmocka_unit_test(test_no_buffers),     cmocka_unit_test(test_mtu_of_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
