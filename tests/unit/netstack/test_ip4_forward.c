// SPDX-License-Identifier: BSD-3-Clause
// test_ip4_forward.c - nodes ip4-lookup and ip4-rewrite: where packets go and what changes on the
// way
#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"

// Frames in hex are scapy's (2.5.0), so are their checksums.
static void test_forward(void **state)
{
	// Ether()/IP(src="198.51.100.10", dst="203.0.113.5", ttl=64, id=0x1234)/UDP(5000, 7)
	static const char in[] = "0200000000010201c633640a0800450000261234000040110250c633640acb00"
				 "71051388000700127a18666f7277617264206d65";
	// The same with ttl=63, from the wan port to the default route's next hop.
	static const char out[] = "0201c00002fe020000000002080045000026123400003f110350c633640acb00"
				  "71051388000700127a18666f7277617264206d65";
	struct world *w = world_open(NULL);
	uint8_t bytes[64], want[64];
	size_t len = unhex(in, bytes);
	const struct frame *f;

	world_rx(w, LAN, bytes, len);
	f = world_sent(w, WAN);
	assert_int_equal(f->len, unhex(out, want));
	assert_memory_equal(f->bytes, want, f->len);
	world_close(w);
}

static void test_on_link(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), ip(198, 51, 100, 10), 4);
	const struct frame *f;
	uint8_t mac[6];

	world_rx_packet(w, WAN, &p);
	f = world_sent(w, LAN);
	host_mac(mac, ip(198, 51, 100, 10));
	assert_memory_equal(f->bytes, mac, 6);
	assert_memory_equal(f->bytes + 6, "\x02\x00\x00\x00\x00\x01", 6);
	p = udp_packet(WAN, ip(192, 0, 2, 10), ip(192, 0, 2, 254), 4); // back by the same port
	world_rx_packet(w, WAN, &p);
	world_sent(w, WAN);
	world_close(w);
}

// The header checksum stays right for every TTL and for headers of all sorts.
static void test_checksums(void **state)
{
	struct world *w = world_open(NULL);

	for (unsigned i = 0; i < 20000; i++) {
		struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), ip(203, 0, 113, 5), 4);
		const struct frame *f;

		packet_ip(&p)->ttl = (uint8_t)(2 + i % 254);
		packet_ip(&p)->id = (uint16_t)(i * 3571);
		packet_ip(&p)->tos = (uint8_t)(i / 254);
		fix_ip(&p);
		world_rx_packet(w, LAN, &p);
		f = world_sent(w, WAN);
		assert_int_equal(f->bytes[22], 1 + i % 254);
		assert_int_equal(book_csum(f->bytes + 14, 20, 0), 0);
		assert_memory_equal(f->bytes + 26, p.b + 26, p.len - 26);
	}
	world_close(w);
}

static void test_directed_broadcast(void **state)
{
	const uint32_t dst[] = {ip(198, 51, 100, 255), ip(198, 51, 100, 0), ip(192, 0, 2, 255)};
	struct world *w = world_open(NULL);

	for (unsigned i = 0; i < 3; i++) {
		struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), dst[i], 4);

		world_rx_packet(w, WAN, &p);
		assert_int_equal(world_drops(w, "ip4-lookup", "directed-broadcast"), i + 1);
	}
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void test_no_route(void **state)
{
	// IP(src="198.51.100.10", dst="8.8.8.8", ttl=9)/UDP(5000, 53)/b"xyz"
	static const char in[] = "0200000000010201c633640a08004500001f123400000911654dc633640a0808"
				 "080813880035000bbf5378797a";
	// ICMP type 3 code 0 from 198.51.100.1, tos=0xc0, ttl=64, DF, id=0, quoting all of it
	static const char out[] = "0201c633640a020000000001080045c0003b000040004001e58fc6336401c633"
				  "640a0300376a000000004500001f123400000911654dc633640a080808081388"
				  "0035000bbf5378797a";
	struct world *w = world_open(NULL);
	uint8_t bytes[64], want[128];
	size_t len = unhex(in, bytes);
	const struct frame *f;

	world_rx(w, LAN, bytes, len);
	assert_int_equal(world_drops(w, "ip4-lookup", "no-route"), 1);
	f = world_sent(w, LAN);
	assert_int_equal(f->len, unhex(out, want));
	assert_memory_equal(f->bytes, want, f->len);
	world_close(w);
}

static void test_ttl(void **state)
{
	static const char in[] = "0200000000010201c633640a080045000030123400000111bb41c633640ac000"
				 "020a13880007001ca57a000102030405060708090a0b0c0d0e0f10111213";
	static const char out[] = "0201c633640a020000000001080045c0004c000040004001e57ec6336401c633"
				  "640a0b00e1750000000045000030123400000111bb41c633640ac000020a1388"
				  "0007001ca57a000102030405060708090a0b0c0d0e0f10111213";
	struct world *w = world_open(NULL);
	uint8_t bytes[64], want[128];
	size_t len = unhex(in, bytes);
	struct packet p;
	const struct frame *f;

	world_rx(w, LAN, bytes, len);
	assert_int_equal(world_drops(w, "ip4-rewrite", "ttl-exceeded"), 1);
	f = world_sent(w, LAN);
	assert_int_equal(f->len, unhex(out, want));
	assert_memory_equal(f->bytes, want, f->len);
	p = udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 20);
	packet_ip(&p)->ttl = 0;
	fix_ip(&p);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-rewrite", "ttl-exceeded"), 2);
	world_sent(w, LAN);
	world_close(w);
}

// RFC 1812, 5.3.1: the TTL of a packet to the router itself does not matter.
static void test_ttl_to_self(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, ip(198, 51, 100, 10), ip(198, 51, 100, 1), 8, 0, 8);

	packet_ip(&p)->ttl = 1;
	fix_ip(&p);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_sent(w, LAN)->bytes[34], 0);
	world_close(w);
}

// The dmz port carries 576 bytes. DF: a report with that MTU (RFC 1191, 4), quoting 548 bytes.
static void test_frag_needed(void **state)
{
	static const char headers[] =
		"0201c633640a020000000001080045d00240000040004001e37ac6336401c633"
		"640a03047c7700000240"; // scapy's, of the packet below
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), ip(10, 0, 0, 10), 549);
	const struct frame *f;
	uint8_t want[64];
	size_t n = unhex(headers, want);

	packet_ip(&p)->tos = 0x10;
	packet_ip(&p)->frag = be16(IP4_DF);
	fix_ip(&p);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-rewrite", "fragmentation-needed"), 1);
	f = world_sent(w, LAN);
	assert_int_equal(f->len, 14 + 576);
	assert_memory_equal(f->bytes, want, n);
	assert_memory_equal(f->bytes + n, p.b + 14, 548);
	world_close(w);
}

static void test_fits(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), ip(10, 0, 0, 10), 548);

	packet_ip(&p)->frag = be16(IP4_DF);
	fix_ip(&p);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_sent(w, DMZ)->len, 14 + 576);
	world_close(w);
}

// A burst with everything in it: each packet takes its own way, those of one way stay in order.
static void test_burst(void **state)
{
	struct world *w = world_open(NULL);
	struct mbuf *pkts[GRAPH_BURST];
	unsigned seen[WORLD_PORTS] = {0};

	for (unsigned i = 0; i < GRAPH_BURST; i++) {
		const uint32_t dst[] = {ip(198, 51, 100, 10), ip(203, 0, 113, 5), ip(10, 0, 0, 10),
					ip(8, 8, 8, 8)};
		struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), dst[i * 7 / 3 % 4], 4);

		packet_ip(&p)->id = be16(i);
		fix_ip(&p);
		pkts[i] = world_mbuf(w, LAN, p.b, p.len, 0);
	}
	graph_rx(w->g, w->in, pkts, GRAPH_BURST);
	assert_int_equal(w->sent, GRAPH_BURST); // packets, or reports about those to 8.8.8.8
	for (unsigned i = 0; i < w->sent; i++) {
		const struct frame *f = &w->out[i];
		unsigned id = f->bytes[18] * 256u + f->bytes[19];

		if (f->bytes[23] != 17)
			continue;
		assert_true(seen[f->port] <= id);
		seen[f->port] = id;
	}
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_on_link),
		cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_directed_broadcast),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_ttl_to_self),
		cmocka_unit_test(test_frag_needed),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
