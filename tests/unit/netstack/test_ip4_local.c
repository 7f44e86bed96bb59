// SPDX-License-Identifier: BSD-3-Clause
// test_ip4_local.c - node ip4-local: what the router answers, byte by byte, and what it ignores
#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"

#define HOST ip(198, 51, 100, 10)
#define SELF ip(198, 51, 100, 1)

static void expect_answer(const char *in, const char *out)
{
	struct world *w = world_open(NULL);
	uint8_t bytes[128], want[128];
	size_t len = unhex(in, bytes);
	const struct frame *f;

	world_rx(w, LAN, bytes, len);
	f = world_sent(w, LAN);
	assert_int_equal(f->len, unhex(out, want));
	assert_memory_equal(f->bytes, want, f->len);
	world_close(w);
}

static void expect_drop(const struct packet *p, const char *reason)
{
	struct world *w = world_open(NULL);

	world_rx_packet(w, LAN, p);
	assert_int_equal(world_drops(w, "ip4-local", reason), 1);
	assert_int_equal(world_dropped(w), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// Frames in hex are scapy's (2.5.0): requests and the answers that the RFCs ask for.
static void test_echo(void **state)
{
	// IP(ttl=33, id=0x4321, flags="DF", tos=0x20)/ICMP(type=8, id=0x77, seq=3)/b"abcdefghi"
	expect_answer("0200000000010201c633640a080045200025432140002101c224c633640ac633"
		      "64010800fcef00770003616263646566676869",
		      "0201c633640a020000000001080045200025432140004001a324c6336401c633"
		      "640a000004f000770003616263646566676869");
}

// IP(options=[IPOption_RR(length=7, pointer=4)]): the reply has us in it (RFC 1122, 3.2.2.6).
static void test_echo_options(void **state)
{
	expect_answer("0200000000010201c633640a08004700002d432100002101f535c633640ac633"
		      "640107070400000000000800fcef00770003616263646566676869",
		      "0201c633640a02000000000108004700002d4321000040019d0bc6336401c633"
		      "640a070708c633640100000004f000770003616263646566676869");
}

static void test_syn(void **state)
{
	// TCP(sport=1234, dport=80, flags="S", seq=0x01020304, options=[("MSS", 1460)])
	expect_answer("0200000000010201c633640a08004500002c123440004006d425c633640ac633"
		      "640104d2005001020304000000006002faf03f9b0000020405b4",
		      "0201c633640a020000000001080045000028000040004006e65dc6336401c633"
		      "640a005004d200000000010203055014000052350000");
}

static void test_ack(void **state)
{
	// IP(tos=0x02)/TCP(flags="AF", seq=0xfffffff0, ack=0x0a0b0c0d)/b"hello"
	expect_answer("0200000000010201c633640a08004502002d1234000040061423c633640ac633"
		      "640104d20050fffffff00a0b0c0d50112000dc5e000068656c6c6f",
		      "0201c633640a020000000001080045000028000040004006e65dc6336401c633"
		      "640a005004d20a0b0c0d000000005004000040340000");
}

static void test_sequence_wraps(void **state)
{
	// TCP(flags="SF", seq=0xfffffffe)/b"hello": SEG.LEN is 7
	expect_answer("0200000000010201c633640a08004500002d1234000040061425c633640ac633"
		      "640104d20050fffffffe0000000050032000f276000068656c6c6f",
		      "0201c633640a020000000001080045000028000040004006e65dc6336401c633"
		      "640a005004d200000000000000055014000056370000");
}

static void test_port_unreachable(void **state)
{
	// To the wan address, from lan: answered from the address that was asked.
	expect_answer("0200000000010201c633640a08004500001f123400000911b35bc633640ac000"
		      "020113880007000b0d9078797a",
		      "0201c633640a020000000001080045c0003b0000400040014dc3c0000201c633"
		      "640a0303e958000000004500001f123400000911b35bc633640ac00002011388"
		      "0007000b0d9078797a");
}

static void test_protocol_unreachable(void **state)
{
	expect_answer( // protocol 89
		"0200000000010201c633640a0800450000191234000009594ae6c633640ac633"
		"64016f7370663f",
		"0201c633640a020000000001080045c00035000040004001e595c6336401c633"
		"640a0302de2300000000450000191234000009594ae6c633640ac63364016f73"
		"70663f");
}

static void test_named(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, SELF, 3);

	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-local", "port-unreachable"), 1);
	world_sent(w, LAN);
	packet_ip(&p)->proto = 89;
	fix_ip(&p);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-local", "protocol-unreachable"), 1);
	world_sent(w, LAN);
	world_close(w);
}

static void cut(struct packet *p, size_t payload)
{
	p->len = 34 + payload;
	packet_ip(p)->len = be16(20 + payload);
	fix_ip(p);
}

static void test_icmp(void **state)
{
	struct packet p = icmp_packet(LAN, HOST, SELF, 8, 0, 9);

	p.b[p.len - 1] ^= 1;
	expect_drop(&p, "icmp-checksum");
	cut(&p, 7);
	expect_drop(&p, "icmp-short");
	cut(&p, 0);
	expect_drop(&p, "icmp-short");
	p = icmp_packet(LAN, HOST, SELF, 0, 0, 9);
	expect_drop(&p, "icmp-ignored");
	p = icmp_packet(LAN, HOST, SELF, 3, 1, 28);
	expect_drop(&p, "icmp-ignored");
	p = icmp_packet(LAN, HOST, SELF, 8, 1, 9);
	expect_drop(&p, "icmp-ignored");
	p = icmp_packet(LAN, HOST, SELF, 13, 0, 12);
	expect_drop(&p, "icmp-ignored");
}

static void test_udp(void **state)
{
	struct packet p = udp_packet(LAN, HOST, SELF, 9);

	p.b[p.len - 1] ^= 1;
	expect_drop(&p, "udp-checksum");
	cut(&p, 7);
	expect_drop(&p, "udp-length");
	p = udp_packet(LAN, HOST, SELF, 9);
	p.b[39] = 7;
	expect_drop(&p, "udp-length");
	p.b[39] = 18;
	expect_drop(&p, "udp-length");
}

// RFC 768: a checksum of 0 is none. And what the port has verified is not summed again.
static void test_udp_unchecked(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, SELF, 9);
	struct mbuf *m;

	p.b[40] = p.b[41] = 0;
	world_rx_packet(w, LAN, &p);
	world_sent(w, LAN);
	p.b[41] = 1;
	m = world_mbuf(w, LAN, p.b, p.len, 0);
	m->flags |= MBUF_RX_L4_OK;
	graph_rx(w->g, w->in, &m, 1);
	world_sent(w, LAN);
	world_close(w);
}

static void test_tcp(void **state)
{
	struct packet p = tcp_packet(LAN, HOST, SELF, 0x04, 1, 1, 0);

	expect_drop(&p, "tcp-reset");
	p = tcp_packet(LAN, HOST, SELF, 0x14, 1, 1, 5);
	expect_drop(&p, "tcp-reset");
	p = tcp_packet(LAN, HOST, SELF, 0x02, 1, 1, 5);
	p.b[p.len - 1] ^= 1;
	expect_drop(&p, "tcp-checksum");
	p = tcp_packet(LAN, HOST, SELF, 0x02, 1, 1, 0);
	p.b[46] = 0x40;
	expect_drop(&p, "tcp-short");
	p.b[46] = 0x60;
	expect_drop(&p, "tcp-short");
	cut(&p, 19);
	expect_drop(&p, "tcp-short");
}

// A large ping in a chain of odd segments comes back whole.
static void test_chain(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, HOST, SELF, 8, 0, 1400);
	const struct frame *f;

	world_rx_chain(w, LAN, p.b, p.len, 103);
	f = world_sent(w, LAN);
	assert_int_equal(f->len, p.len);
	assert_int_equal(f->bytes[34], 0);
	assert_int_equal(book_csum(f->bytes + 34, 1408, 0), 0);
	assert_memory_equal(f->bytes + 38, p.b + 38, p.len - 38);
	p = tcp_packet(LAN, HOST, SELF, 0x02, 7, 0, 1000);
	world_rx_chain(w, LAN, p.b, p.len, 105);
	f = world_sent(w, LAN);
	assert_int_equal(f->len, 54);
	assert_memory_equal(f->bytes + 42, "\x00\x00\x03\xf0", 4); // 7 + 1000 + SYN
	world_close(w);
}

// The longest headers there are, 102 bytes with two tags and 40 bytes of IP options, in a first
// segment that ends within them or right behind: the reset is whole, or the frame dropped by its
// name.
static void test_longest_headers(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = tcp_packet(LAN, HOST, SELF, 0x02, 7, 0, 1000);
	static const uint8_t tags[8] = {0x88, 0xa8, 0, 0, 0x81};
	const struct frame *f;

	memmove(p.b + 82, p.b + 34, p.len - 34);
	memset(p.b + 42, 1, 40); // no-operations
	memmove(p.b + 20, p.b + 12, 22);
	memcpy(p.b + 12, tags, 8);
	p.len += 48;
	p.b[22] = 0x4f;
	store16(p.b + 24, be16(60 + 20 + 1000));
	store16(p.b + 32, 0);
	store16(p.b + 32, be16(book_csum(p.b + 22, 60, 0)));
	for (uint16_t seg = 60; seg < 102; seg++)
		world_rx_chain(w, LAN, p.b, p.len, seg);
	assert_int_equal(world_drops(w, "eth-input", "split-header"), 42);
	assert_int_equal(w->sent, 0);
	world_rx_chain(w, LAN, p.b, p.len, 102);
	f = world_sent(w, LAN);
	assert_int_equal(f->len, 54);
	assert_memory_equal(f->bytes + 42, "\x00\x00\x03\xf0", 4); // 7 + 1000 + SYN
	assert_memory_equal(f->bytes + 46, "\x50\x14", 2);
	world_close(w);
}

// The asker cannot be reached: nobody is answered, and the answer is a named drop.
static void test_no_way_back(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, ip(9, 9, 9, 9), SELF, 8, 0, 8);

	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-output", "no-route"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// The answer has the asker's DF, and is too big for the way back.
static void test_too_big(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, ip(10, 0, 0, 10), SELF, 8, 0, 549);

	packet_ip(&p)->frag = be16(IP4_DF);
	fix_ip(&p);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-output", "too-big"), 1);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_options),
		cmocka_unit_test(test_syn),
		cmocka_unit_test(test_ack),
		cmocka_unit_test(test_sequence_wraps),
		cmocka_unit_test(test_port_unreachable),
		cmocka_unit_test(test_protocol_unreachable),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_udp_unchecked),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_longest_headers),
		cmocka_unit_test(test_no_way_back),
		cmocka_unit_test(test_too_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
