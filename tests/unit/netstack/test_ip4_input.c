// SPDX-License-Identifier: BSD-3-Clause
// test_ip4_input.c - node ip4-input: each check of RFC 1812 by its name
#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"

static struct packet good(void)
{
	return udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 20);
}

// Dropped by ip4-input for this reason, and nobody is told.
static void expect_drop(const struct packet *p, const char *reason)
{
	struct world *w = world_open(NULL);

	world_rx_packet(w, LAN, p);
	assert_int_equal(world_drops(w, "ip4-input", reason), 1);
	assert_int_equal(world_dropped(w), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void expect_forward(const struct packet *p)
{
	struct world *w = world_open(NULL);

	world_rx_packet(w, LAN, p);
	world_sent(w, WAN);
	world_close(w);
}

static void test_too_short(void **state)
{
	struct packet p = good();

	p.len = 14 + 19;
	expect_drop(&p, "too-short");
}

static void test_version(void **state)
{
	struct packet p = good();

	p.b[14] = 0x55;
	fix_ip(&p);
	expect_drop(&p, "version");
	p.b[14] = 0x65;
	fix_ip(&p);
	expect_drop(&p, "version");
}

static void test_header_length(void **state)
{
	struct packet p = good();

	p.b[14] = 0x44;
	fix_ip(&p);
	expect_drop(&p, "header-length");
	p.b[14] = 0x40;
	expect_drop(&p, "header-length");
	p = good(); // 60 bytes of header in 48 bytes of packet
	p.b[14] = 0x4f;
	expect_drop(&p, "header-length");
}

static void test_checksum(void **state)
{
	struct packet p = good();

	for (unsigned bit = 0; bit < 16; bit++) {
		p = good();
		p.b[24 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		expect_drop(&p, "checksum");
	}
	p = good(); // with options too
	p.b[14] = 0x46;
	memset(p.b + 34, 1, 4);
	fix_ip(&p);
	p.b[34] = 0;
	expect_drop(&p, "checksum");
}

// What the port has verified is believed, either way.
static void test_checksum_flags(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = good();
	struct mbuf *m = world_mbuf(w, LAN, p.b, p.len, 0);

	m->flags |= MBUF_RX_L3_BAD;
	graph_rx(w->g, w->in, &m, 1);
	assert_int_equal(world_drops(w, "ip4-input", "checksum"), 1);
	p.b[25] ^= 1;
	m = world_mbuf(w, LAN, p.b, p.len, 0);
	m->flags |= MBUF_RX_L3_OK;
	graph_rx(w->g, w->in, &m, 1);
	world_sent(w, WAN);
	world_close(w);
}

static void set_len(struct packet *p, unsigned len)
{
	packet_ip(p)->len = be16(len);
	fix_ip(p);
}

static void test_total_length(void **state)
{
	struct packet p = good();

	set_len(&p, (unsigned)p.len - 14 + 1);
	expect_drop(&p, "total-length");
	set_len(&p, 19);
	expect_drop(&p, "total-length");
	set_len(&p, 0);
	expect_drop(&p, "total-length");
	set_len(&p, 0xffff);
	expect_drop(&p, "total-length");
	set_len(&p, 20); // a header alone is a packet
	expect_forward(&p);
}

static void test_padding(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 2);

	world_rx(w, LAN, p.b, 60); // padded to the least an Ethernet frame has
	assert_int_equal(world_sent(w, WAN)->len, 14 + 20 + 8 + 2);
	p = udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 500);
	world_rx_chain(w, LAN, p.b, p.len + 300, 200); // a chain whose last segments are padding
	assert_int_equal(world_sent(w, WAN)->len, p.len);
	world_close(w);
}

static void test_martian_source(void **state)
{
	const uint32_t bad[] = {ip(0, 0, 0, 0),	       ip(0, 1, 2, 3),
				ip(127, 0, 0, 1),      ip(127, 255, 255, 254),
				ip(224, 0, 0, 1),      ip(239, 255, 255, 255),
				ip(240, 0, 0, 1),      ip(255, 255, 255, 255),
				ip(198, 51, 100, 1), // our own
				ip(192, 0, 2, 1),      ip(10, 0, 0, 1),
				ip(198, 51, 100, 255), // our broadcasts
				ip(198, 51, 100, 0),   ip(192, 0, 2, 255)};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct packet p = udp_packet(LAN, bad[i], ip(192, 0, 2, 10), 20);

		expect_drop(&p, "martian-source");
	}
}

static void test_good_sources(void **state)
{
	const uint32_t fine[] = {ip(1, 0, 0, 0), ip(126, 255, 255, 255), ip(128, 0, 0, 0),
				 ip(223, 255, 255, 255), ip(198, 51, 101, 255)};

	for (unsigned i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		struct packet p = udp_packet(LAN, fine[i], ip(192, 0, 2, 10), 20);

		expect_forward(&p);
	}
}

static void test_destinations(void **state)
{
	const struct {
		uint32_t dst;
		const char *reason;
	} cases[] = {
		{ip(0, 0, 0, 0), "martian-destination"},
		{ip(0, 9, 9, 9), "martian-destination"},
		{ip(127, 0, 0, 1), "martian-destination"},
		{ip(240, 0, 0, 1), "martian-destination"},
		{ip(255, 255, 255, 254), "martian-destination"},
		{ip(255, 255, 255, 255), "broadcast"},
		{ip(224, 0, 0, 1), "multicast"},
		{ip(239, 1, 2, 3), "multicast"},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), cases[i].dst, 20);

		expect_drop(&p, cases[i].reason);
	}
}

// RFC 1812, 5.3.4: a link-layer broadcast with a unicast destination is not forwarded, nor
// answered.
static void test_link_broadcast(void **state)
{
	struct packet p = good();

	memset(p.b, 0xff, 6);
	expect_drop(&p, "link-broadcast");
	memcpy(p.b, "\x01\x00\x5e\x00\x00\x01", 6);
	expect_drop(&p, "link-broadcast");
	p = icmp_packet(LAN, ip(198, 51, 100, 10), ip(198, 51, 100, 1), 8, 0, 8);
	memset(p.b, 0xff, 6);
	expect_drop(&p, "link-broadcast");
}

// RFC 3927, 2.6.2: to the router itself they may come, on they may not.
static void test_link_local(void **state)
{
	struct packet p = good();

	packet_ip(&p)->src = ip(169, 254, 1, 2);
	fix_ip(&p);
	expect_drop(&p, "link-local");
	p = good();
	packet_ip(&p)->dst = ip(169, 254, 255, 1);
	fix_ip(&p);
	expect_drop(&p, "link-local");
	p = good();
	packet_ip(&p)->src = ip(169, 253, 1, 2);
	fix_ip(&p);
	expect_forward(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_short),      cmocka_unit_test(test_version),
		cmocka_unit_test(test_header_length),  cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_checksum_flags), cmocka_unit_test(test_total_length),
		cmocka_unit_test(test_padding),	       cmocka_unit_test(test_martian_source),
		cmocka_unit_test(test_good_sources),   cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_link_broadcast), cmocka_unit_test(test_link_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
