// SPDX-License-Identifier: BSD-3-Clause
// test_eth_input.c - node eth-input: addresses, tags, types; each drop by its name
#include "tests/unit/netstack/world.h"

#include "netstack/eth.h"

static struct packet good(void)
{
	return udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 20);
}

// The frame with n bytes of tags (hex) put in after the addresses.
static struct packet tagged(const char *tags)
{
	struct packet p = good();
	uint8_t bytes[64];
	size_t n = unhex(tags, bytes);

	memmove(p.b + 12 + n, p.b + 12, p.len - 12);
	memcpy(p.b + 12, bytes, n);
	p.len += n;
	return p;
}

static void expect_drop(struct packet p, const char *reason)
{
	struct world *w = world_open(NULL);

	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "eth-input", reason), 1);
	assert_int_equal(world_dropped(w), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void test_short(void **state)
{
	struct packet p = good();

	p.len = 13;
	expect_drop(p, "short-frame");
	p.len = 1;
	expect_drop(p, "short-frame");
	p = tagged("8100 0000");
	p.len = 15; // ends within the tag
	expect_drop(p, "short-frame");
	p.len = 17; // ends before the type
	expect_drop(p, "short-frame");
}

static void test_header_alone(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = good();

	world_rx(w, LAN, p.b, 14);
	assert_int_equal(world_drops(w, "ip4-input", "too-short"), 1);
	world_close(w);
}

static void test_not_our_mac(void **state)
{
	struct packet p = good();

	p.b[5] ^= 4;
	expect_drop(p, "not-our-mac");
	p = good(); // the address of another port of ours
	p.b[5] = 2;
	expect_drop(p, "not-our-mac");
	p = good(); // all six bytes count
	p.b[0] = 0x06;
	expect_drop(p, "not-our-mac");
}

static void test_types(void **state)
{
	static const struct {
		uint16_t type;
		const char *reason;
	} cases[] = {
		{0x0000, "llc"},
		{0x0026, "llc"},
		{0x05ff, "llc"},
		{0x0600, "unknown-ethertype"},
		{0x88cc, "unknown-ethertype"},
		{0xffff, "unknown-ethertype"},
		{0x86dd, "ip6-unsupported"},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = good();

		store16(p.b + 12, be16(cases[i].type));
		expect_drop(p, cases[i].reason);
	}
}

static void test_vlans(void **state)
{
	expect_drop(tagged("8100 000a"), "vlan-unconfigured");
	expect_drop(tagged("88a8 0064 8100 000a"), "vlan-unconfigured");
	expect_drop(tagged("9100 0064 8100 000a"), "vlan-unconfigured");
	expect_drop(tagged("88a8 0000 8100 000a"), "vlan-unconfigured");
	expect_drop(tagged("8100 0000 8100 0000 8100 0000"), "vlan-unconfigured");
}

// 802.1Q, 6.9: VID 0 is a priority and no VLAN. Such frames go out without a tag.
static void test_priority_tag(void **state)
{
	static const char *const tags[] = {"8100 e000", "8100 0000", "88a8 2000 8100 0000"};
	struct world *w = world_open(NULL);
	struct packet plain = good();

	for (unsigned i = 0; i < 3; i++) {
		struct packet p = tagged(tags[i]);
		const struct frame *f;

		world_rx_packet(w, LAN, &p);
		f = world_sent(w, WAN);
		assert_int_equal(f->len, plain.len);
		assert_memory_equal(f->bytes + 12, plain.b + 12, 10); // type, IP up to TTL
		assert_memory_equal(f->bytes + 26, plain.b + 26, plain.len - 26);
	}
	world_close(w);
}

// A driver may have taken the tag out of the data.
static void test_stripped_tag(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = good();
	struct mbuf *m = world_mbuf(w, LAN, p.b, p.len, 0);

	m->flags |= MBUF_VLAN;
	m->vlan_tci = 0x600a;
	graph_rx(w->g, w->in, &m, 1);
	assert_int_equal(world_drops(w, "eth-input", "vlan-unconfigured"), 1);
	m = world_mbuf(w, LAN, p.b, p.len, 0);
	m->flags |= MBUF_VLAN;
	m->vlan_tci = 0x6000;
	graph_rx(w->g, w->in, &m, 1);
	world_sent(w, WAN);
	world_close(w);
}

static void test_split_header(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 1000);

	world_rx_chain(w, LAN, p.b, p.len, 101);
	assert_int_equal(world_drops(w, "eth-input", "split-header"), 1);
	world_rx_chain(w, LAN, p.b, p.len, 102);
	assert_int_equal(world_sent(w, WAN)->len, p.len);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),	     cmocka_unit_test(test_header_alone),
		cmocka_unit_test(test_not_our_mac),  cmocka_unit_test(test_types),
		cmocka_unit_test(test_vlans),	     cmocka_unit_test(test_priority_tag),
		cmocka_unit_test(test_stripped_tag), cmocka_unit_test(test_split_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
