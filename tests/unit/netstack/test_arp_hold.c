// SPDX-License-Identifier: BSD-3-Clause
// test_arp_hold.c - node arp-hold: asking, holding, giving up, ageing
#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"

static const uint8_t lan_mac[6] = {2, 0, 0, 0, 0, 1};

#define SELF ip(198, 51, 100, 1)
#define PEER ip(198, 51, 100, 77)
#define SEC  NSEC_PER_SEC

static void send_to_peer(struct world *w, unsigned id)
{
	struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), PEER, 20);

	packet_ip(&p)->id = be16(id);
	fix_ip(&p);
	world_rx_packet(w, WAN, &p);
}

static void answer(struct world *w)
{
	struct packet p = {.len = 0};
	uint8_t mac[6];

	host_mac(mac, PEER);
	arp_packet(&p, lan_mac, 2, mac, PEER, lan_mac, SELF);
	world_rx_packet(w, LAN, &p);
}

static unsigned id_of(const struct frame *f)
{
	return f->bytes[18] * 256u + f->bytes[19];
}

static void expect_request(struct world *w, const char *hex)
{
	const struct frame *f = world_sent(w, LAN);
	uint8_t want[64];

	assert_int_equal(f->len, unhex(hex, want));
	assert_memory_equal(f->bytes, want, f->len);
}

// Frames of scapy 2.5.0: ARP(op=1, pdst="198.51.100.77") by broadcast, and by unicast.
static const char ask_all[] = "ffffffffffff02000000000108060001080006040001020000000001c6336401"
			      "000000000000c633644d";
static const char ask_peer[] = "0201c633644d02000000000108060001080006040001020000000001c6336401"
			       "000000000000c633644d";

static void test_resolve(void **state)
{
	struct world *w = world_open(NULL);
	uint8_t mac[6];

	send_to_peer(w, 1);
	expect_request(w, ask_all);
	send_to_peer(w, 2); // is not asked for again
	assert_int_equal(w->sent, 0);
	assert_int_equal(world_held(w), 2);
	answer(w);
	assert_int_equal(world_held(w), 0);
	assert_int_equal(w->sent, 2);
	host_mac(mac, PEER);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(w->out[i].port, LAN);
		assert_int_equal(id_of(&w->out[i]), i + 1);
		assert_memory_equal(w->out[i].bytes, mac, 6);
		assert_memory_equal(w->out[i].bytes + 6, lan_mac, 6);
		assert_int_equal(w->out[i].bytes[22], 63);
		assert_int_equal(book_csum(w->out[i].bytes + 14, 20, 0), 0);
	}
	w->sent = 0;
	send_to_peer(w, 3);
	assert_int_equal(id_of(world_sent(w, LAN)), 3);
	world_close(w);
}

// RFC 1122, 2.3.2.1: once a second; then each packet that waited is reported (RFC 1812, 5.2.7.1).
static void test_unresolved(void **state)
{
	// ICMP type 3 code 1 from 192.0.2.1 about the packet as it left (ttl=63), by scapy.
	static const char out[] = "0201c000020a020000000002080045c0004c000040004001b5e5c0000201c000"
				  "020a0301e9b70000000045000030123400003f117cfec000020ac633644d1388"
				  "0007001ca537000102030405060708090a0b0c0d0e0f10111213";
	struct world *w = world_open(NULL);
	const struct frame *f;
	uint8_t want[128];

	send_to_peer(w, 0x1234);
	expect_request(w, ask_all);
	world_pass(w, SEC - 1);
	assert_int_equal(w->sent, 0);
	world_pass(w, 1);
	expect_request(w, ask_all);
	world_pass(w, SEC);
	expect_request(w, ask_all);
	world_pass(w, SEC - 1);
	assert_int_equal(world_held(w), 1);
	world_pass(w, 1);
	assert_int_equal(world_held(w), 0);
	assert_int_equal(world_drops(w, "arp-hold", "unresolved"), 1);
	f = world_sent(w, WAN);
	assert_int_equal(f->len, unhex(out, want));
	assert_memory_equal(f->bytes, want, f->len);
	world_pass(w, 3600 * SEC); // and then nothing more
	assert_int_equal(w->sent, 0);
	send_to_peer(w, 2); // until somebody wants him again
	expect_request(w, ask_all);
	answer(w);
	assert_int_equal(w->sent, 1);
	world_close(w);
}

// RFC 1122, 2.3.2.2: the latest packets are kept.
static void test_overflow(void **state)
{
	struct ip4_conf conf = {.arp_hold = 3};
	struct world *w = world_open(&conf);

	for (unsigned i = 0; i < 10; i++)
		send_to_peer(w, i);
	assert_int_equal(world_held(w), 3);
	assert_int_equal(world_drops(w, "arp-hold", "hold-overflow"), 7);
	w->sent = 0;
	answer(w);
	assert_int_equal(w->sent, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(id_of(&w->out[i]), 7 + i);
	world_close(w);
}

// The same when all come in one burst, before any is in the books as held.
static void test_overflow_in_burst(void **state)
{
	struct ip4_conf conf = {.arp_hold = 3};
	struct world *w = world_open(&conf);
	struct mbuf *pkts[GRAPH_BURST];

	send_to_peer(w, 0);
	send_to_peer(w, 1);
	for (unsigned i = 0; i < 40; i++) {
		struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), PEER, 20);

		packet_ip(&p)->id = be16(2 + i);
		fix_ip(&p);
		pkts[i] = world_mbuf(w, WAN, p.b, p.len, 0);
	}
	graph_rx(w->g, w->in, pkts, 40);
	assert_int_equal(world_held(w), 3);
	assert_int_equal(world_drops(w, "arp-hold", "hold-overflow"), 39);
	w->sent = 0;
	answer(w);
	assert_int_equal(w->sent, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(id_of(&w->out[i]), 39 + i);
	world_close(w);
}

static void test_default_hold(void **state)
{
	struct world *w = world_open(NULL);

	for (unsigned i = 0; i < 20; i++)
		send_to_peer(w, i);
	assert_int_equal(world_held(w), 16);
	world_close(w); // which frees them
}

// A neighbor in use is asked before he is forgotten, and traffic goes on meanwhile.
static void test_probe(void **state)
{
	struct ip4_conf conf = {.arp_timeout = 60};
	struct world *w = world_open(&conf);

	send_to_peer(w, 1);
	answer(w);
	w->sent = 0;
	world_pass(w, 60 * SEC - 1);
	assert_int_equal(w->sent, 0);
	world_pass(w, 1);
	expect_request(w, ask_peer);
	send_to_peer(w, 2);
	assert_int_equal(id_of(world_sent(w, LAN)), 2);
	answer(w);
	assert_int_equal(w->sent, 0);
	world_pass(w, 60 * SEC); // he was used meanwhile
	expect_request(w, ask_peer);
	world_pass(w, SEC);
	expect_request(w, ask_peer);
	world_pass(w, SEC);
	expect_request(w, ask_peer);
	world_pass(w, SEC); // gone
	assert_int_equal(w->sent, 0);
	send_to_peer(w, 3);
	expect_request(w, ask_all);
	world_close(w);
}

static void test_idle_is_forgotten(void **state)
{
	struct ip4_conf conf = {.arp_timeout = 60};
	struct world *w = world_open(&conf);
	struct packet p = {.len = 0};
	uint8_t mac[6];

	host_mac(mac, PEER);
	arp_packet(&p, lan_mac, 1, mac, PEER, lan_mac, SELF); // he asks for us, we never for him
	world_rx_packet(w, LAN, &p);
	w->sent = 0;
	world_pass(w, 60 * SEC);
	assert_int_equal(w->sent, 0);
	send_to_peer(w, 1);
	expect_request(w, ask_all);
	world_close(w);
}

static void test_static_never_ages(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 20);

	world_pass(w, 10 * 86400 * SEC);
	world_rx_packet(w, LAN, &p);
	world_sent(w, WAN);
	world_close(w);
}

// An answer of the router itself waits like any other packet.
static void test_holds_own(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, PEER, SELF, 8, 0, 8);

	world_rx_packet(w, LAN, &p);
	expect_request(w, ask_all);
	answer(w);
	assert_int_equal(world_sent(w, LAN)->bytes[34], 0);
	world_close(w);
}

// And when nobody wants it, no report is made to the router itself (RFC 1812, 4.3.2.7), which would
// cost one of the few that others may have.
static void test_own_unresolved(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, PEER, SELF, 8, 0, 8);
	struct graph_books b;

	world_rx_packet(w, LAN, &p);
	expect_request(w, ask_all);
	world_pass(w, 10 * SEC);
	assert_int_equal(world_drops(w, "arp-hold", "unresolved"), 1);
	assert_int_equal(world_dropped(w), 1);
	graph_books(w->g, &b);
	assert_int_equal(b.generated, 3); // the requests
	world_close(w);
}

// A scan of an on-link prefix: bounded in neighbors and in packets held.
static void test_scan(void **state)
{
	struct ip4_conf conf = {.learnt = 100};
	struct world *w = world_open(&conf);
	uint64_t full;

	for (unsigned i = 0; i < 150; i++) {
		struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), ip(198, 51, 100, 60 + i), 4);

		world_rx_packet(w, WAN, &p);
	}
	full = world_drops(w, "arp-hold", "table-full");
	assert_int_equal(full + world_held(w), 150);
	assert_int_equal(world_held(w), (100 + 8 + 16) / 4 + 1); // a quarter of the table's room
	w->sent = 0;
	answer(w); // who is known already stays so
	send_to_peer(w, 1);
	assert_int_equal(w->sent, 2);
	world_pass(w, 4 * SEC);
	assert_int_equal(world_held(w), 0);
	// Those that did not answer are forgotten: there is room for as many again.
	for (unsigned i = 0; i < 150; i++) {
		struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), ip(198, 51, 100, 80 + i), 4);

		world_rx_packet(w, WAN, &p);
	}
	assert_int_equal(world_held(w), (100 + 8 + 16) / 4 + 1);
	world_close(w);
}

// However many do not answer, the next hop of a route is asked.
static void test_scan_spares_next_hops(void **state)
{
	struct ip4_conf conf = {.learnt = 100};
	struct world *w = world_open(&conf);
	struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), ip(11, 0, 0, 1), 4);
	int nh = ip4_stack_nexthop(w->s, LAN, be32(PEER), NULL);

	assert_true(nh > 0);
	assert_int_equal(ip4_stack_route(w->s, be32(ip(11, 0, 0, 0)), 8, (uint32_t)nh, NULL), 0);
	for (unsigned i = 0; i < 60; i++) {
		struct packet q = udp_packet(WAN, ip(192, 0, 2, 10), ip(198, 51, 100, 80 + i), 4);

		world_rx_packet(w, WAN, &q);
	}
	assert_true(world_drops(w, "arp-hold", "table-full") > 0);
	w->sent = 0;
	world_rx_packet(w, WAN, &p);
	expect_request(w, ask_all);
	world_close(w);
}

// All neighbors together hold no more than an eighth of the pool.
static void test_held_in_all(void **state)
{
	struct ip4_conf conf = {.arp_hold = 256, .learnt = 1000};
	struct world *w = world_open(&conf);

	for (unsigned i = 0; i < 200 * 10; i++) {
		struct packet p =
			udp_packet(WAN, ip(192, 0, 2, 10), ip(198, 51, 100, 20 + i % 200), 4);

		world_rx_packet(w, WAN, &p);
	}
	assert_true(world_held(w) <= mempool_count(w->pool) / 8 + 1);
	assert_int_equal(world_held(w) + world_drops(w, "arp-hold", "hold-overflow"), 2000);
	world_close(w);
}

// Then, too, the latest of a neighbor are kept (RFC 1122, 2.3.2.2), and one that holds none gets
// none.
static void test_held_in_all_keeps_latest(void **state)
{
	struct ip4_conf conf = {.arp_hold = 256};
	struct world *w = world_open(&conf);
	struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), ip(198, 51, 100, 99), 4);

	send_to_peer(w, 1);
	send_to_peer(w, 2);
	for (unsigned i = 0; world_drops(w, "arp-hold", "hold-overflow") == 0; i++) {
		struct packet q =
			udp_packet(WAN, ip(192, 0, 2, 10), ip(198, 51, 100, 20 + i / 256), 4);

		world_rx_packet(w, WAN, &q);
		assert_true(i < mempool_count(w->pool));
	}
	send_to_peer(w, 3);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "arp-hold", "hold-overflow"), 3);
	w->sent = 0;
	answer(w);
	assert_int_equal(w->sent, 2);
	assert_int_equal(id_of(&w->out[0]), 2);
	assert_int_equal(id_of(&w->out[1]), 3);
	world_close(w);
}

// scapy: ARP(op=1, psrc=pdst="198.51.100.1"), RFC 5227, 2.3.
static void test_announce(void **state)
{
	struct world *w = world_open(NULL);

	ip4_stack_announce(w->s, LAN);
	world_pass(w, 1);
	expect_request(w, "ffffffffffff02000000000108060001080006040001020000000001c6336401"
			  "000000000000c6336401");
	world_pass(w, 10 * SEC); // once
	assert_int_equal(w->sent, 0);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announce),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_unresolved),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_overflow_in_burst),
		cmocka_unit_test(test_default_hold),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_idle_is_forgotten),
		cmocka_unit_test(test_static_never_ages),
		cmocka_unit_test(test_holds_own),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_held_in_all),
		cmocka_unit_test(test_own_unresolved),
		cmocka_unit_test(test_scan_spares_next_hops),
		cmocka_unit_test(test_held_in_all_keeps_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
