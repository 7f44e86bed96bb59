// SPDX-License-Identifier: BSD-3-Clause
// test_udp_service.c - echo and TWAMP Light over IPv4 and IPv6, byte by byte
#include "tests/unit/netstack/world6.h"

#include "netstack/ip4.h"

#define HOST  ip(198, 51, 100, 10)
#define SELF  ip(198, 51, 100, 1)
#define TWAMP 862

static const struct ip4_conf on4 = {.services = {.echo = 7, .twamp = TWAMP}};
static const struct ip6_conf on6 = {.services = {.echo = 7, .twamp = TWAMP}};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

// The UDP checksum of a frame with a plain IPv4 header, as it should be: 0 when it holds.
static uint16_t check4(const uint8_t *b, unsigned len)
{
	uint16_t pseudo = (uint16_t)~book_csum(b + 26, 8, 17 + len);

	return book_csum(b + 34, len, pseudo);
}

static struct packet udp(unsigned sport, unsigned dport, size_t n)
{
	struct packet p = udp_packet(LAN, HOST, SELF, n);

	put16(p.b + 34, sport);
	put16(p.b + 36, dport);
	put16(p.b + 40, 0);
	put16(p.b + 40, check4(p.b, 8 + (unsigned)n));
	return p;
}

static void expect_answer(struct world *w, const struct packet *p, unsigned n)
{
	assert_int_equal(w->sent, 1);
	assert_int_equal(w->out[0].len, 42 + n);
	assert_memory_equal(w->out[0].bytes + 26, "\xc6\x33\x64\x01\xc6\x33\x64\x0a", 8);
	assert_int_equal(w->out[0].bytes[22], 64);
	assert_memory_equal(w->out[0].bytes + 34, p->b + 36, 2);
	assert_memory_equal(w->out[0].bytes + 36, p->b + 34, 2);
	assert_int_equal(w->out[0].bytes[38] << 8 | w->out[0].bytes[39], 8 + n);
	assert_int_equal(book_csum(w->out[0].bytes + 14, 20, 0), 0);
	w->sent = 0;
}

static void test_echo(void **state)
{
	struct world *w = world_open(&on4);

	for (unsigned n = 0; n < 1400; n = n * 2 + 1) {
		struct packet p = udp(4000, 7, n);

		world_rx_packet(w, LAN, &p);
		expect_answer(w, &p, n);
		assert_int_equal(check4(w->out[0].bytes, 8 + n), 0);
		assert_memory_equal(w->out[0].bytes + 42, p.b + 42, n);
	}
	assert_int_equal(world_dropped(w), 0);
	world_close(w);
}

// Who sends no checksum (RFC 768) gets none, and a port's half-done one is made whole.
static void test_echo_checksum(void **state)
{
	struct world *w = world_open(&on4);
	struct packet p = udp(4000, 7, 100);
	struct mbuf *m;

	put16(p.b + 40, 0);
	world_rx_packet(w, LAN, &p);
	expect_answer(w, &p, 100);
	assert_memory_equal(w->out[0].bytes + 40, "\0", 2);
	put16(p.b + 40, 0x1234);
	m = world_mbuf(w, LAN, p.b, p.len, 0);
	m->flags |= MBUF_RX_L4_OK | MBUF_TX_L4_CSUM;
	graph_rx(w->g, w->in, &m, 1);
	expect_answer(w, &p, 100);
	assert_int_equal(check4(w->out[0].bytes, 108), 0);
	world_close(w);
}

// What stands behind the UDP message within the IP packet does not come back.
static void test_echo_trailer(void **state)
{
	struct world *w = world_open(&on4);
	struct packet p = udp(4000, 7, 20);

	put16(p.b + 38, 18);
	put16(p.b + 40, 0);
	world_rx_packet(w, LAN, &p);
	expect_answer(w, &p, 10);
	world_close(w);
}

static void test_off(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp(4000, 7, 20);

	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-local", "port-unreachable"), 1);
	world_close(w);
}

// Two such services would answer each other for ever.
static void test_loop(void **state)
{
	struct world *w = world_open(&on4);
	struct packet p = udp(7, 7, 20);

	world_rx_packet(w, LAN, &p);
	p = udp(TWAMP, 7, 20);
	world_rx_packet(w, LAN, &p);
	p = udp(7, TWAMP, 50);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-local", "udp-loop"), 3);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// Nor do they answer another router's, whose ports are not theirs.
static void test_loop_of_two(void **state)
{
	static const struct ip4_conf echo = {.services = {.echo = 7}};
	static const unsigned port[] = {0, 53, TWAMP, 1023};
	struct world *w = world_open(&echo);
	struct packet p;

	for (unsigned i = 0; i < 4; i++) {
		p = udp(port[i], 7, 50);
		world_rx_packet(w, LAN, &p);
	}
	assert_int_equal(world_drops(w, "ip4-local", "udp-loop"), 4);
	assert_int_equal(w->sent, 0);
	p = udp(1024, 7, 50);
	world_rx_packet(w, LAN, &p);
	expect_answer(w, &p, 50);
	world_close(w);
}

// RFC 5357, 4.2.1, of a sender's packet (4.1.2): sequence 0x01020304, time 0x11..0x18, error 0xaabb.
static const char sender[] = "01020304 1112131415161718 aabb";

// At 1000.25 s: fraction 0x40000000; unsynchronized, error 2^32 s.
static void expect_reflected(const uint8_t *r, uint8_t ttl)
{
	uint8_t want[41];

	assert_int_equal(unhex("01020304 000003e8 40000000 3f02 0000 000003e8 40000000"
			       "01020304 1112131415161718 aabb 0000 00",
			       want),
			 41);
	want[40] = ttl;
	assert_memory_equal(r, want, 41);
}

static void test_twamp(void **state)
{
	struct world *w = world_open(&on4);

	world_pass(w, NSEC_PER_SEC / 4);
	for (unsigned n = 14; n < 1400; n = n * 2 - 1) {
		struct packet p = udp(4000, TWAMP, n);
		unsigned size = n < 41 ? 41 : n;

		unhex(sender, p.b + 42);
		packet_ip(&p)->ttl = 200;
		put16(p.b + 40, 0);
		put16(p.b + 40, check4(p.b, 8 + n));
		fix_ip(&p);
		world_rx_packet(w, LAN, &p);
		expect_answer(w, &p, size);
		assert_int_equal(check4(w->out[0].bytes, 8 + size), 0);
		expect_reflected(w->out[0].bytes + 42, 200);
		assert_memory_equal(w->out[0].bytes + 83, p.b + 83, size - 41); // padding
	}
	world_close(w);
}

// As fragments: header and data lie in many buffers.
static void test_twamp_chain(void **state)
{
	struct world *w = world_open(&on4);
	struct packet p = udp(4000, TWAMP, 60), f;

	world_pass(w, NSEC_PER_SEC / 4);
	unhex(sender, p.b + 42);
	put16(p.b + 40, 0);
	put16(p.b + 40, check4(p.b, 68));
	for (unsigned off = 0; off < 68; off += 8) {
		unsigned n = 68 - off < 8 ? 68 - off : 8;

		f = p;
		f.len = 34 + n;
		memcpy(f.b + 34, p.b + 34 + off, n);
		packet_ip(&f)->len = be16(20 + n);
		packet_ip(&f)->frag = be16(off / 8 | (off + n < 68 ? IP4_MF : 0));
		fix_ip(&f);
		world_rx_packet(w, LAN, &f);
	}
	expect_answer(w, &p, 60);
	assert_int_equal(check4(w->out[0].bytes, 68), 0);
	expect_reflected(w->out[0].bytes + 42, 64);
	assert_memory_equal(w->out[0].bytes + 83, p.b + 83, 19);
	world_close(w);
}

static void test_twamp_short(void **state)
{
	struct world *w = world_open(&on4);
	struct packet p = udp(4000, TWAMP, 13);

	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-local", "udp-short"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static struct packet udp6(unsigned dport, const char *dst, size_t n)
{
	struct packet p = udp6_packet(WAN, WAN_HOST, dst, n);

	unhex(sender, p.b + 62);
	put16(p.b + 56, dport);
	put16(p.b + 60, 0);
	put16(p.b + 60, check6(p.b, 14, 54, 17, 8 + (unsigned)n));
	return p;
}

static void test_ip6(void **state)
{
	struct world *w = world6_open(&on6);
	struct packet p = udp6(7, WAN6, 33);
	const struct frame *f;

	world_rx_packet(w, WAN, &p);
	f = world_sent(w, WAN);
	assert_int_equal(f->len, p.len);
	assert_memory_equal(f->bytes + 22, p.b + 38, 16);
	assert_memory_equal(f->bytes + 38, p.b + 22, 16);
	assert_memory_equal(f->bytes + 54, p.b + 56, 2);
	assert_memory_equal(f->bytes + 62, p.b + 62, 33);
	assert_int_equal(check6(f->bytes, 14, 54, 17, 41), 0);

	p = udp6(TWAMP, WAN6, 14);
	world_rx_packet(w, WAN, &p);
	f = world_sent(w, WAN);
	assert_int_equal(f->len, 62 + 41);
	assert_int_equal(check6(f->bytes, 14, 54, 17, 49), 0);
	assert_memory_equal(f->bytes + 62, p.b + 62, 4);
	assert_memory_equal(f->bytes + 62 + 24, p.b + 62, 14);
	assert_int_equal(f->bytes[62 + 40], p.b[21]);
	assert_memory_equal(f->bytes + 62 + 12, "\x3f\x02\0\0", 4);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),	     cmocka_unit_test(test_echo_checksum),
		cmocka_unit_test(test_echo_trailer), cmocka_unit_test(test_off),
		cmocka_unit_test(test_loop), cmocka_unit_test(test_loop_of_two),	     cmocka_unit_test(test_twamp),
		cmocka_unit_test(test_twamp_chain),  cmocka_unit_test(test_twamp_short),
		cmocka_unit_test(test_ip6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
