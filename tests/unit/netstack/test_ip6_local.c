// SPDX-License-Identifier: BSD-3-Clause
// test_ip6_local.c - what the router answers to packets for itself (RFC 8200, 4; RFC 4443; RFC
// 9293)
#include "tests/unit/netstack/world6.h"

// The addresses and length of the only frame sent, back to where p came from, checksum included.
// Returns the upper layer.
static const uint8_t *answer(struct world *w, uint16_t port, const struct packet *p,
			     const char *from, uint8_t proto)
{
	const struct frame *f = world_sent(w, port);

	assert_memory_equal(f->bytes, p->b + 6, 6);
	assert_memory_equal(f->bytes + 6, ((uint8_t[]){2, 0, 0, 0, 0, port == WAN ? 2 : 1}), 6);
	assert_int_equal(f->bytes[14] >> 4, 6);
	assert_int_equal((f->bytes[18] << 8 | f->bytes[19]) + 54, f->len);
	assert_int_equal(f->bytes[20], proto);
	assert_memory_equal(f->bytes + 22, addr6(from).v6, 16);
	assert_memory_equal(f->bytes + 38, p->b + 22, 16);
	assert_int_equal(check6(f->bytes, 14, 54, proto, f->len - 54u), 0);
	return f->bytes + 54;
}

static void assert_echo(struct world *w, const struct packet *p, const char *from)
{
	const uint8_t *icmp;

	world_rx_packet(w, WAN, p);
	icmp = answer(w, WAN, p, from, 58);
	assert_int_equal(w->out[0].bytes[21], 64);
	assert_int_equal(icmp[0], 129);
	assert_int_equal(icmp[1], 0);
	assert_memory_equal(icmp + 4, p->b + p->len - 4 - 16, 4 + 16);
}

// RFC 4443, 4.2.
static void test_echo(void **state)
{
	static const char *const to[] = {WAN6, LAN6, WAN6_LL};
	struct world *w = world6_open(NULL);

	for (unsigned i = 0; i < 3; i++) {
		struct packet p = echo6_packet(WAN, WAN_HOST, to[i], 16);

		p.b[21] = 0; // RFC 8200, 3: who it is for takes it with any hop limit
		assert_echo(w, &p, to[i]);
	}
	world_close(w);
}

// To several: from an address of the interface that fits the asker's scope.
static void test_echo_to_groups(void **state)
{
	static const char *const to[] = {"ff02::1",	   "ff02::2",	     "ff05::2",
					 "ff02::1:ff00:1", "ff02::1:ff00:2", "2001:db8:1::"};
	struct world *w = world6_open(NULL);

	for (unsigned i = 0; i < 6; i++) {
		struct packet p = echo6_packet(WAN, "fe80::fe", to[i], 16);

		assert_echo(w, &p, WAN6_LL);
		p = echo6_packet(WAN, WAN_HOST, to[i], 16);
		assert_echo(w, &p, WAN6);
	}
	world_close(w);
}

static void test_echo_bad(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 16);

	p.b[57] ^= 1;
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "icmp-checksum"), 1);
	p = ip6_packet(WAN, WAN_HOST, WAN6, 58, 7);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "icmp-short"), 1);
	p = icmp6_packet(WAN, WAN_HOST, WAN6, 129, 0, 0, 8); // an answer
	world_rx_packet(w, WAN, &p);
	p = icmp6_packet(WAN, WAN_HOST, WAN6, 1, 0, 0, 8); // an error
	world_rx_packet(w, WAN, &p);
	p = echo6_packet(WAN, "::", "ff02::1", 8); // from nobody
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "icmp-ignored"), 3);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 8200, 4.5: a multiple of 8 but for the last; in order, whole again.
static void test_long_answers_are_fragmented(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 3000);
	uint8_t whole[4000];
	size_t n = 0;
	uint32_t id = 0;

	world_rx_packet(w, WAN, &p);
	assert_int_equal(w->sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct frame *f = &w->out[i];
		unsigned field = f->bytes[56] << 8 | f->bytes[57];

		assert_true(f->len <= 1514);
		assert_int_equal(f->bytes[20], 44);
		assert_int_equal(f->bytes[54], 58);
		assert_int_equal(f->bytes[55], 0);
		assert_int_equal(field & 0xfff8, n);
		assert_int_equal(field & 7, i < 2);
		assert_true(i == 2 || (f->len - 62) % 8 == 0);
		if (i)
			assert_int_equal(load32(f->bytes + 58), id);
		id = load32(f->bytes + 58);
		memcpy(whole + n, f->bytes + 62, f->len - 62u);
		n += f->len - 62u;
	}
	assert_int_equal(n, 3008);
	assert_int_equal(whole[0], 129);
	assert_memory_equal(whole + 4, p.b + 58, 3004);
	w->sent = 0;
	world_close(w);
}

// Beyond a router nobody knows how long packets may be but for 1,280 (RFC 8200, 5; RFC 8201).
static void test_long_answers_beyond_routers(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, "4001::1", WAN6, 1232);

	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_sent(w, WAN)->len, 1294);
	p = echo6_packet(WAN, "4001::1", WAN6, 1233);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(w->sent, 2);
	assert_true(w->out[0].len <= 1294);
	assert_int_equal(w->out[0].len + w->out[1].len, 2 * 62 + 1241);
	w->sent = 0;
	world_close(w);
}

static void assert_error(struct world *w, const struct packet *p, const char *from, uint8_t type,
			 uint8_t code, uint32_t param)
{
	const uint8_t *icmp;

	world_rx_packet(w, WAN, p);
	icmp = answer(w, WAN, p, from, 58);
	assert_int_equal(icmp[0], type);
	assert_int_equal(icmp[1], code);
	assert_int_equal(icmp[4] << 24 | icmp[5] << 16 | icmp[6] << 8 | icmp[7], param);
	assert_memory_equal(icmp + 8, p->b + 14, p->len - 14);
}

// RFC 4443, 3.1, from the address that was spoken to (2.2).
static void test_port_unreachable(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, WAN_HOST, WAN6, 16);

	assert_error(w, &p, WAN6, 1, 4, 0);
	p = udp6_packet(WAN, WAN_HOST, DMZ6, 16);
	assert_error(w, &p, DMZ6, 1, 4, 0);
	p = udp6_packet(WAN, "fe80::fe", WAN6_LL, 16);
	assert_error(w, &p, WAN6_LL, 1, 4, 0);
	p = udp6_packet(WAN, WAN_HOST, "2001:db8:1::", 16); // the anycast address
	assert_error(w, &p, WAN6, 1, 4, 0);
	assert_int_equal(world_drops(w, "ip6-local", "port-unreachable"), 4);
	p = udp6_packet(WAN, WAN_HOST, "ff02::1", 16);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void test_udp_bad(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, WAN_HOST, WAN6, 16);

	p.b[60] ^= 1;
	world_rx_packet(w, WAN, &p);
	p.b[60] = p.b[61] = 0; // RFC 8200, 8.1: there is no packet without one
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "udp-checksum"), 2);
	p = udp6_packet(WAN, WAN_HOST, WAN6, 16);
	p.b[59]++;
	world_rx_packet(w, WAN, &p);
	p.b[59] = 7;
	world_rx_packet(w, WAN, &p);
	p = ip6_packet(WAN, WAN_HOST, WAN6, 17, 7);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "udp-length"), 3);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 9293, 3.10.7.1.
static void test_tcp_reset(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = tcp6_packet(WAN, WAN_HOST, WAN6, 0x02, 1000, 0, 0);
	const uint8_t *tcp;

	p.b[14] = 0x6f; // a traffic class, ECN within, and a flow label
	p.b[15] = 0xb1;
	world_rx_packet(w, WAN, &p);
	tcp = answer(w, WAN, &p, WAN6, 6);
	assert_memory_equal(w->out[0].bytes + 14, ((uint8_t[]){0x6f, 0x80, 0, 0}), 4);
	assert_memory_equal(
		tcp,
		((uint8_t[]){0, 80, 0x04, 0xd2, 0, 0, 0, 0, 0, 0, 0x03, 0xe9, 0x50, 0x14, 0, 0}),
		16);
	p = tcp6_packet(WAN, WAN_HOST, WAN6, 0x10, 1000, 0x01020304, 100);
	world_rx_packet(w, WAN, &p);
	tcp = answer(w, WAN, &p, WAN6, 6);
	assert_memory_equal(tcp + 4, ((uint8_t[]){1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x04}), 10);
	world_close(w);
}

static void test_tcp_without_answer(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = tcp6_packet(WAN, WAN_HOST, WAN6, 0x04, 1000, 0, 0);

	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "tcp-reset"), 1);
	p = tcp6_packet(WAN, WAN_HOST, "ff02::1", 0x02, 1000, 0, 0);
	world_rx_packet(w, WAN, &p);
	p = tcp6_packet(WAN, WAN_HOST, "2001:db8:1::", 0x02, 1000, 0, 0);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "group"), 2);
	p = tcp6_packet(WAN, WAN_HOST, WAN6, 0x02, 1000, 0, 0);
	p.b[70] ^= 1;
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "tcp-checksum"), 1);
	p.b[66] = 0x60;
	world_rx_packet(w, WAN, &p);
	p.b[66] = 0x40;
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "tcp-short"), 2);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 8200, 4: an unknown next header is told, with a pointer to what named it.
static void test_unknown_next_header(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = ip6_packet(WAN, WAN_HOST, WAN6, 253, 16);

	assert_error(w, &p, WAN6, 4, 1, 6);
	insert6(&p, 40, 6, 60, "00 00 01 04 00000000");
	assert_error(w, &p, WAN6, 4, 1, 40);
	p = echo6_packet(WAN, WAN_HOST, WAN6, 16);
	insert6(&p, 40, 6, 0, "00 00 01 04 00000000");	// hop-by-hop options not right behind the
	insert6(&p, 40, 6, 60, "00 00 01 04 00000000"); // IPv6 header
	assert_error(w, &p, WAN6, 4, 1, 40);
	assert_int_equal(world_drops(w, "ip6-local", "unknown-header"), 2);
	assert_int_equal(world_drops(w, "ip6-local", "bad-headers"), 1);
	p = ip6_packet(WAN, WAN_HOST, "ff02::1", 253, 16);
	world_rx_packet(w, WAN, &p);
	p = ip6_packet(WAN, WAN_HOST, WAN6, 59, 16); // no next header: whatever follows
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "no-next-header"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// An answer to what came with extension headers has none.
static void test_extension_headers(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 16);

	insert6(&p, 40, 6, 60, "00 01 1e 0c 0102030405060708090a0b0c");
	insert6(&p, 40, 6, 43, "00 02 00 00 00000000 20010db8000100000000000000000055");
	insert6(&p, 40, 6, 0, "00 00 05 02 0000 0100");
	assert_echo(w, &p, WAN6);
	world_close(w);
}

// RFC 5095 and RFC 8200, 4.4: of no type are segments left for us to serve.
static void test_routing_header(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 16);

	insert6(&p, 40, 6, 43, "00 02 00 01 00000000 20010db8000100000000000000000055");
	assert_error(w, &p, WAN6, 4, 0, 42);
	p = echo6_packet(WAN, WAN_HOST, WAN6, 16);
	insert6(&p, 40, 6, 43, "00 02 04 01 00000000 20010db8000100000000000000000055");
	assert_error(w, &p, WAN6, 4, 0, 42);
	world_close(w);
}

static void test_destination_options(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 16);

	insert6(&p, 40, 6, 60, "00 00 c9 04 00000000"); // a home address (RFC 6275)
	assert_error(w, &p, WAN6, 4, 2, 42);
	p = echo6_packet(WAN, WAN_HOST, WAN6, 16);
	insert6(&p, 40, 6, 60, "00 00 45 04 00000000");
	world_rx_packet(w, WAN, &p);
	assert_int_equal(w->sent, 0);
	// A router alert is a hop-by-hop option; here it is one nobody knows, to be passed over.
	p = echo6_packet(WAN, WAN_HOST, WAN6, 16);
	insert6(&p, 40, 6, 60, "00 00 05 02 0000 0100");
	assert_echo(w, &p, WAN6);
	world_close(w);
}

// However long the chain of headers, the walk ends.
static void test_header_chain(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 16);

	for (unsigned i = 0; i < 8; i++)
		insert6(&p, 40, 6, 60, "00 00 01 04 00000000");
	assert_echo(w, &p, WAN6);
	insert6(&p, 40, 6, 60, "00 00 01 04 00000000");
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "bad-headers"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void test_headers_in_segments(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 500);

	insert6(&p, 40, 6, 60,
		"00 05 1e 2c 0000000000000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000");
	world_rx_chain(w, WAN, p.b, p.len, 109);
	assert_int_equal(world_drops(w, "ip6-local", "split-header"), 1);
	world_rx_chain(w, WAN, p.b, p.len, 140);
	assert_int_equal(answer(w, WAN, &p, WAN6, 58)[0], 129);
	world_close(w);
}

// Piece i of three of a packet without extension headers: 1000 bytes each, but the last.
static struct packet piece(const struct packet *p, unsigned i)
{
	static const char *const headers[3] = {"00 00 0001 12345678", "00 00 03e9 12345678",
					       "00 00 07d0 12345678"};
	struct packet f = *p;
	size_t len = i < 2 ? 1000 : p->len - 54 - 2000;

	memcpy(f.b + 54, p->b + 54 + (size_t)i * 1000, len);
	f.len = 54 + len;
	insert6(&f, 40, 6, 44, headers[i]);
	return f;
}

// RFC 8200, 4.5: in whatever order they come.
static void test_fragments(void **state)
{
	static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 2100);

	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < 3; k++) {
			struct packet f = piece(&p, orders[i][k]);

			assert_int_equal(w->sent, 0);
			world_rx_packet(w, WAN, &f);
		}
		assert_int_equal(w->sent, 2); // the answer is too long, too
		assert_int_equal(w->out[0].bytes[62], 129);
		assert_memory_equal(w->out[0].bytes + 66, p.b + 58, 1000);
		w->sent = 0;
	}
	world_close(w);
}

// Behind other extension headers; and a fragment that is all there is (RFC 6946).
static void test_fragments_of_one(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 16);

	insert6(&p, 40, 6, 60, "00 00 01 04 00000000");
	insert6(&p, 40, 6, 44, "00 00 0000 12345678");
	insert6(&p, 40, 6, 60, "00 00 01 04 00000000");
	assert_echo(w, &p, WAN6);
	insert6(&p, 40, 6, 44, "00 00 0000 12345678"); // a fragment of that
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-whole", "fragment"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 6980, 5: neighbor discovery does not come in fragments.
static void test_nd_in_fragments(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = icmp6_packet(WAN, WAN_HOST, "ff02::1:ff00:1", 135, 0, 0, 16);

	memcpy(p.b + 62, addr6(WAN6).v6, 16);
	p.b[21] = 255;
	fix6(&p, 56, 58);
	insert6(&p, 40, 6, 44, "00 00 0000 12345678");
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-whole", "fragment"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 8200, 4.5: a length that is no multiple of 8 is told with a pointer to the payload length;
// after a minute at most, time exceeded, code 1, with the first fragment.
static void test_bad_fragments(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 2100), f;

	f = piece(&p, 0);
	f.len--;
	f.b[19]--;
	assert_error(w, &f, WAN6, 4, 0, 4);
	f = piece(&p, 0);
	world_rx_packet(w, WAN, &f);
	assert_int_equal(world_held(w), 1);
	world_pass(w, 61 * NSEC_PER_SEC);
	assert_int_equal(world_held(w), 0);
	assert_memory_equal(answer(w, WAN, &f, WAN6, 58), ((uint8_t[]){3, 1}), 2);
	world_close(w);
}

// RFC 4862, 5.4: as long as it is not known to be ours alone.
static void test_tentative(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 16);

	for (uint32_t i = 0; i < w->s6->addresses; i++)
		w->s6->address[i].state = IP6_TENTATIVE;
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "tentative"), 1);
	p = echo6_packet(WAN, WAN_HOST, "ff02::1", 16);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip6-local", "no-source"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_to_groups),
		cmocka_unit_test(test_echo_bad),
		cmocka_unit_test(test_long_answers_are_fragmented),
		cmocka_unit_test(test_long_answers_beyond_routers),
		cmocka_unit_test(test_port_unreachable),
		cmocka_unit_test(test_udp_bad),
		cmocka_unit_test(test_tcp_reset),
		cmocka_unit_test(test_tcp_without_answer),
		cmocka_unit_test(test_unknown_next_header),
		cmocka_unit_test(test_extension_headers),
		cmocka_unit_test(test_routing_header),
		cmocka_unit_test(test_destination_options),
		cmocka_unit_test(test_header_chain),
		cmocka_unit_test(test_headers_in_segments),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_fragments_of_one),
		cmocka_unit_test(test_nd_in_fragments),
		cmocka_unit_test(test_bad_fragments),
		cmocka_unit_test(test_tentative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
