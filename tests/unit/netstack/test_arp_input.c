// SPDX-License-Identifier: BSD-3-Clause
// test_arp_input.c - node arp-input: answers, what is learnt from whom, and each drop by its name
#include "tests/unit/netstack/world.h"

#include "netstack/eth.h"

static const uint8_t all_ones[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t zero[6];
static const uint8_t lan_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer[6] = {2, 1, 198, 51, 100, 77};

#define SELF ip(198, 51, 100, 1)
#define PEER ip(198, 51, 100, 77)

static struct packet request(uint32_t spa, uint32_t tpa)
{
	struct packet p = {.len = 0};

	arp_packet(&p, all_ones, 1, peer, spa, zero, tpa);
	return p;
}

static struct packet reply(uint32_t spa)
{
	struct packet p = {.len = 0};

	arp_packet(&p, lan_mac, 2, peer, spa, lan_mac, SELF);
	return p;
}

// Whether packets to the peer go straight out, to `mac`.
static bool knows(struct world *w, const uint8_t mac[6])
{
	struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), PEER, 4);
	bool sent;

	world_rx_packet(w, WAN, &p);
	sent = w->sent == 1 && w->out[0].len == p.len && !memcmp(w->out[0].bytes, mac, 6);
	w->sent = 0;
	return sent;
}

static void expect_drop(const struct packet *p, const char *reason)
{
	struct world *w = world_open(NULL);

	world_rx_packet(w, LAN, p);
	assert_int_equal(world_drops(w, "arp-input", reason), 1);
	assert_int_equal(world_dropped(w), 1);
	assert_int_equal(w->sent, 0);
	assert_false(knows(w, peer));
	world_close(w);
}

static void test_answer(void **state)
{
	// Frames of scapy 2.5.0: ARP(op=1, psrc="198.51.100.10", pdst="198.51.100.1") and its
	// reply.
	static const char in[] = "ffffffffffff0201c633640a080600010800060400010201c633640ac633640a"
				 "000000000000c6336401";
	static const char out[] = "0201c633640a02000000000108060001080006040002020000000001c6336401"
				  "0201c633640ac633640a";
	struct world *w = world_open(NULL);
	uint8_t bytes[64] = {0}, want[64];
	const struct frame *f;

	unhex(in, bytes);
	world_rx(w, LAN, bytes, 60); // padded
	f = world_sent(w, LAN);
	assert_int_equal(f->len, unhex(out, want));
	assert_memory_equal(f->bytes, want, f->len);
	world_close(w);
}

static void test_priority_tagged(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = request(PEER, SELF);

	memmove(p.b + 16, p.b + 12, 30);
	unhex("8100 e000", p.b + 12);
	world_rx(w, LAN, p.b, 46);
	assert_int_equal(world_sent(w, LAN)->len, 42);
	world_close(w);
}

static void test_learns_from_request(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = request(PEER, SELF);

	world_rx_packet(w, LAN, &p);
	world_sent(w, LAN);
	assert_true(knows(w, peer));
	world_close(w);
}

// RFC 826's merge: whoever is known is updated by anything he says.
static void test_updates(void **state)
{
	static const uint8_t moved[6] = {2, 9, 9, 9, 9, 9};
	struct world *w = world_open(NULL);
	struct packet p = request(PEER, SELF);

	world_rx_packet(w, LAN, &p);
	world_sent(w, LAN);
	arp_packet(&p, all_ones, 1, moved, PEER, zero, ip(198, 51, 100, 99)); // asks for another
	world_rx_packet(w, LAN, &p);
	assert_true(knows(w, moved));
	arp_packet(&p, all_ones, 2, peer, PEER, peer, PEER); // gratuitous
	world_rx_packet(w, LAN, &p);
	assert_true(knows(w, peer));
	arp_packet(&p, lan_mac, 2, moved, PEER, lan_mac, SELF);
	world_rx_packet(w, LAN, &p);
	assert_true(knows(w, moved));
	assert_int_equal(world_dropped(w), 0);
	world_close(w);
}

// A neighbor by another port is another neighbor.
static void test_port(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = request(PEER, SELF);

	world_rx_packet(w, DMZ, &p);
	assert_int_equal(world_drops(w, "arp-input", "not-on-link"), 1);
	assert_false(knows(w, peer));
	world_close(w);
}

static void test_static_stays(void **state)
{
	static const uint8_t thief[6] = {2, 6, 6, 6, 6, 6};
	struct world *w = world_open(NULL);
	struct packet p = {.len = 0};
	uint8_t mac[6];
	const struct frame *f;

	arp_packet(&p, all_ones, 1, thief, ip(198, 51, 100, 10), zero, SELF);
	world_rx_packet(w, LAN, &p);
	world_sent(w, LAN); // he is answered
	p = udp_packet(WAN, ip(192, 0, 2, 10), ip(198, 51, 100, 10), 4);
	world_rx_packet(w, WAN, &p);
	f = world_sent(w, LAN);
	host_mac(mac, ip(198, 51, 100, 10));
	assert_memory_equal(f->bytes, mac, 6);
	world_close(w);
}

// RFC 5227, 2.1.1: a probe has no sender address. It is answered, and teaches nothing.
static void test_probe(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = request(0, SELF);
	const struct frame *f;

	world_rx_packet(w, LAN, &p);
	f = world_sent(w, LAN);
	assert_memory_equal(f->bytes + 38, zero, 4);
	assert_false(knows(w, peer));
	world_close(w);
}

static void test_drops(void **state)
{
	struct packet p = request(PEER, ip(198, 51, 100, 99));

	expect_drop(&p, "not-for-us");
	p = request(PEER, ip(192, 0, 2, 1)); // an address of another port
	expect_drop(&p, "not-for-us");
	p = request(PEER, PEER); // announcement of somebody unknown
	expect_drop(&p, "not-for-us");
	p = reply(PEER);
	expect_drop(&p, "unsolicited");
	p = request(SELF, SELF); // somebody claims our address
	expect_drop(&p, "duplicate-address");
	p = reply(SELF);
	expect_drop(&p, "duplicate-address");
	p = request(ip(203, 0, 113, 5), SELF);
	expect_drop(&p, "not-on-link");
}

static void test_bad_sender(void **state)
{
	const uint32_t spa[] = {ip(224, 0, 0, 1), ip(127, 0, 0, 1), ip(255, 255, 255, 255),
				ip(198, 51, 100, 255), ip(198, 51, 100, 0)};
	struct packet p;

	for (unsigned i = 0; i < sizeof(spa) / sizeof(spa[0]); i++) {
		p = request(spa[i], SELF);
		expect_drop(&p, "bad-sender");
	}
	p = reply(0);
	expect_drop(&p, "bad-sender");
	p = request(PEER, SELF);
	p.b[22] |= 1; // a group's MAC address
	expect_drop(&p, "bad-sender");
	memset(p.b + 22, 0, 6);
	expect_drop(&p, "bad-sender");
	memcpy(p.b + 22, lan_mac, 6); // our own frame come back
	expect_drop(&p, "bad-sender");
}

static void test_format(void **state)
{
	struct packet p = request(PEER, SELF);

	p.len = 41;
	expect_drop(&p, "too-short");
	p.len = 14;
	expect_drop(&p, "too-short");
	p = request(PEER, SELF);
	p.b[15] = 6;
	expect_drop(&p, "bad-format");
	p = request(PEER, SELF);
	p.b[16] = 0x86;
	expect_drop(&p, "bad-format");
	p = request(PEER, SELF);
	p.b[18] = 8;
	expect_drop(&p, "bad-format");
	p = request(PEER, SELF);
	p.b[19] = 16;
	expect_drop(&p, "bad-format");
	p = request(PEER, SELF);
	p.b[21] = 3;
	expect_drop(&p, "bad-operation");
	p.b[21] = 0;
	expect_drop(&p, "bad-operation");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_priority_tagged),
		cmocka_unit_test(test_learns_from_request),
		cmocka_unit_test(test_updates),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_static_stays),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_drops),
		cmocka_unit_test(test_bad_sender),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
