// SPDX-License-Identifier: BSD-3-Clause
// test_vlan.c - whose a tagged frame is (IEEE 802.1Q): VLANs of ports and groups, under one tag and
// two
#include "tests/unit/netstack/l2_world.h"

enum { VLAN100 = L2_PORTS, QINQ, SAME, GROUP, GROUP_VLAN, OWN_MAC };

// Port 0: VLAN 100; in S-VLAN 200 C-VLAN 30; C-VLAN 200. Port 1: VLAN 7 with an address of its own.
static void make(struct ifaces *ifs)
{
	static const uint16_t v100[] = {100}, q[] = {200, 30}, v200[] = {200}, v7[] = {7};
	static const uint16_t pair[] = {2, 3};
	static const uint8_t own[6] = {2, 0, 0, 0, 0, 0x77};

	assert_int_equal(ifaces_vlan(ifs, 0, v100, 1, 0, NULL, NULL), VLAN100);
	assert_int_equal(ifaces_vlan(ifs, 0, q, 2, 0, NULL, NULL), QINQ);
	assert_int_equal(ifaces_vlan(ifs, 0, v200, 1, 0, NULL, NULL), SAME);
	assert_int_equal(ifaces_group(ifs, pair, 2, 0, NULL, NULL), GROUP);
	assert_int_equal(ifaces_vlan(ifs, GROUP, v100, 1, 0, NULL, NULL), GROUP_VLAN);
	assert_int_equal(ifaces_vlan(ifs, 1, v7, 1, 0, own, NULL), OWN_MAC);
}

static struct l2_frame frame(const char *dst, const char *rest)
{
	return l2_frame(dst, "55", rest, 40);
}

static void test_whose(void **state)
{
	static const struct {
		const char *dst, *rest;
		uint16_t port, iface, l3;
	} cases[] = {
		{"00", "0800", 0, 0, 14},
		{"00", "8100 0064 0800", 0, VLAN100, 18},
		{"00", "8100 e064 0806", 0, VLAN100, 18}, // priority 7 of VLAN 100
		{"00", "88a8 00c8 8100 001e 0800", 0, QINQ, 22},
		{"00", "8100 00c8 0800", 0, SAME, 18},		    // a C-tag is no S-tag
		{"00", "8100 0000 8100 0064 0800", 0, VLAN100, 22}, // priority tag in front
		{"00", "8100 0064 8100 6000 0800", 0, VLAN100, 22}, // and behind
		{"02", "0800", 2, GROUP, 14},
		{"02", "0806", 3, GROUP, 14},
		{"02", "8100 0064 0800", 3, GROUP_VLAN, 18},
		{"77", "8100 0007 0800", 1, OWN_MAC, 18},
		{"01", "0800", 1, 1, 14},
		{"01 00 5e 00 00 01", "8100 0064 0800", 0, VLAN100, 18},
		{"ff ff ff ff ff ff", "8100 0007 0806", 1, OWN_MAC, 18},
	};
	struct l2 *l = l2_open(make);

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct l2_frame f = frame(cases[i].dst, cases[i].rest);

		l2_rx(l, cases[i].port, f);
		l2_only(l, L2_UP, f);
		assert_int_equal(l->frame[0].iface, cases[i].iface);
		assert_int_equal(l->frame[0].l3, cases[i].l3);
		assert_int_equal(!!(l->frame[0].flags & MBUF_BCAST), strlen(cases[i].dst) > 2);
	}
	l2_close(l);
}

static void test_dropped(void **state)
{
	static const struct {
		const char *dst, *rest;
		uint16_t port;
		const char *reason;
	} cases[] = {
		{"00", "8100 0065 0800", 0, "vlan-unconfigured"},
		{"00", "88a8 0064 0800", 0, "vlan-unconfigured"}, // an S-tag is no C-tag
		{"00", "88a8 00c8 8100 001f 0800", 0, "vlan-unconfigured"},
		{"00", "88a8 001e 8100 00c8 0800", 0, "vlan-unconfigured"},
		{"00", "8100 00c8 8100 001e 0800", 0,
		 "vlan-unconfigured"}, // VLAN 200 carries a tag
		{"00", "9100 00c8 8100 001e 0800", 0, "vlan-unconfigured"},
		{"00", "88a8 00c8 0800", 0, "vlan-unconfigured"},
		{"00", "8100 0000 88a8 00c8 8100 001e 0800", 0, "vlan-unconfigured"}, // three tags
		{"01", "8100 0064 0800", 1, "vlan-unconfigured"}, // of another port
		{"01", "8100 0007 0800", 1, "not-our-mac"},	  // the port's, not the VLAN's
		{"77", "0800", 1, "not-our-mac"},
		{"03", "0800", 3, "not-our-mac"}, // a group has its own address alone
	};
	struct l2 *l = l2_open(make);

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = l2_drops(l, "eth-input", cases[i].reason);

		l2_rx(l, cases[i].port, frame(cases[i].dst, cases[i].rest));
		assert_int_equal(l->n, 0);
		assert_int_equal(l2_drops(l, "eth-input", cases[i].reason), before + 1);
	}
	l2_close(l);
}

// A tag that a driver took out of the data counts like one in it.
static void test_stripped(void **state)
{
	struct l2 *l = l2_open(make);
	struct l2_frame f = frame("00", "0800"), q = frame("00", "8100 001e 0800");
	struct mbuf *m = l2_mbuf(l, 0, &f);

	m->flags |= MBUF_VLAN;
	m->vlan_tci = 0xe064;
	graph_rx(l->g, l->in, &m, 1);
	l2_only(l, L2_UP, f);
	assert_int_equal(l->frame[0].iface, VLAN100);
	assert_false(l->frame[0].flags & MBUF_VLAN);
	m = l2_mbuf(l, 0, &q);
	m->flags |= MBUF_VLAN;
	m->vlan_tci = 200;
	l->n = 0;
	graph_rx(l->g, l->in, &m, 1);
	// 200 is a C-VLAN of its own here, and that comes first.
	assert_int_equal(l2_drops(l, "eth-input", "vlan-unconfigured"), 1);
	l2_close(l);
}

static void test_down(void **state)
{
	struct l2 *l = l2_open(make);

	ifaces_set_up(l->ifs, VLAN100, false);
	l2_rx(l, 0, frame("00", "8100 0064 0800"));
	assert_int_equal(l->n, 0);
	assert_int_equal(l2_drops(l, "eth-input", "interface-down"), 1);
	l2_rx(l, 0, frame("00", "0800"));
	assert_int_equal(l->n, 1);
	ifaces_set_up(l->ifs, 0, false);
	l2_rx(l, 0, frame("00", "0800"));
	l2_rx(l, 0, frame("00", "88a8 00c8 8100 001e 0800"));
	assert_int_equal(l2_drops(l, "eth-input", "interface-down"), 3);
	ifaces_set_up(l->ifs, 0, true);
	ifaces_set_up(l->ifs, VLAN100, true);
	l2_rx(l, 0, frame("00", "8100 0064 0800"));
	assert_int_equal(l->n, 1);
	ifaces_set_up(l->ifs, 2, false); // a member of the group
	l2_rx(l, 2, frame("02", "0800"));
	assert_int_equal(l->n, 0);
	l2_rx(l, 3, frame("02", "0800"));
	assert_int_equal(l->n, 1);
	ifaces_set_up(l->ifs, GROUP, false);
	l2_rx(l, 3, frame("02", "8100 0064 0800"));
	assert_int_equal(l->n, 0);
	assert_int_equal(l2_drops(l, "eth-input", "interface-down"), 5);
	l2_close(l);
}

static void test_counts(void **state)
{
	struct l2 *l = l2_open(make);
	struct iface_count c;

	l2_rx(l, 0, frame("00", "8100 0064 0800")); // 18 + 40 bytes
	l2_rx(l, 0, frame("00", "8100 0064 0800"));
	l2_rx(l, 3, frame("02", "8100 0064 0800"));
	ifaces_counts(l->ifs, VLAN100, &c);
	assert_int_equal(c.rx_packets, 2);
	assert_int_equal(c.rx_bytes, 116);
	ifaces_counts(l->ifs, GROUP, &c);
	assert_int_equal(c.rx_packets, 1);
	ifaces_counts(l->ifs, GROUP_VLAN, &c);
	assert_int_equal(c.rx_packets, 1);
	ifaces_counts(l->ifs, QINQ, &c);
	assert_int_equal(c.rx_packets, 0);
	l2_close(l);
}

// What an interface sends stands under its tags: 802.1Q, 9.6, and, S-tag first, 802.1ad.
static void test_sends(void **state)
{
	static const uint8_t to[6] = {2, 0, 0, 0, 0, 0x55};
	struct l2 *l = l2_open(make);
	struct l2_frame f = l2_frame("00", "55", "0800", 40);
	struct l2_frame want = l2_frame("55", "00", "88a8 00c8 8100 001e 0800", 40);
	struct mbuf *m = l2_mbuf(l, 0, &f);

	m->l3 = 14;
	m->l4 = 34;
	iface_put_eth(&l->ifs->iface[QINQ], m, to, 0x0800);
	assert_int_equal(m->len, want.len);
	assert_memory_equal(m->data, want.b, want.len);
	assert_int_equal(m->l3, 22);
	assert_int_equal(m->l4, 42);
	want = l2_frame("55", "00", "8100 0064 0806", 40);
	iface_put_eth(&l->ifs->iface[VLAN100], m, to, 0x0806);
	assert_int_equal(m->len, want.len);
	assert_memory_equal(m->data, want.b, want.len);
	mbuf_free(m);
	l2_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose),	 cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_stripped), cmocka_unit_test(test_down),
		cmocka_unit_test(test_counts),	 cmocka_unit_test(test_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
