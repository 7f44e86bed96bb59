// SPDX-License-Identifier: BSD-3-Clause
// test_ip4_fragment.c - node ip4-fragment: pieces that fit, and that make the whole again
#include "tests/unit/netstack/world.h"

#include <stdlib.h>

#include "netstack/ip4.h"

#define MTU 576 // of the dmz port

#define HOST	 ip(198, 51, 100, 10)
#define DMZ_HOST ip(10, 0, 0, 10)

static unsigned get16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

// Puts the frames sent by the dmz port together again; checks each (RFC 791, 3.2's procedure).
static void reassemble(struct world *w, const struct packet *p, uint32_t base, bool more)
{
	static uint8_t whole[FRAME_MAX];
	unsigned hlen = (p->b[14] & 15u) * 4, size = (unsigned)p->len - 14 - hlen;
	unsigned expect = 0;

	for (unsigned i = 0; i < w->sent; i++) {
		const struct frame *f = &w->out[i];
		unsigned len = get16(f->bytes + 16), frag = get16(f->bytes + 20);
		unsigned off = (frag & 0x1fff) * 8 - base, data = len - hlen;
		bool last = i + 1 == w->sent;

		assert_int_equal(f->port, DMZ);
		assert_int_equal(f->len, 14 + len);
		assert_true(len <= MTU);
		assert_int_equal((f->bytes[14] & 15u) * 4, hlen);
		assert_int_equal(book_csum(f->bytes + 14, hlen, 0), 0);
		assert_int_equal(f->bytes[22], 63);
		assert_memory_equal(f->bytes + 18, p->b + 18, 2); // identification
		assert_memory_equal(f->bytes + 26, p->b + 26, 8); // addresses
		assert_int_equal(!!(frag & 0x2000), !last || more);
		assert_int_equal(off, expect);
		if (!last) // as much as fits, in units of 8
			assert_int_equal(data, (MTU - hlen) / 8 * 8);
		memcpy(whole + off, f->bytes + 14 + hlen, data);
		expect += data;
	}
	assert_int_equal(expect, size);
	assert_memory_equal(whole, p->b + 14 + hlen, size);
}

static void send(struct world *w, const struct packet *p, uint16_t seg)
{
	w->sent = 0;
	world_rx_chain(w, LAN, p->b, p->len, seg);
}

static void test_sizes(void **state)
{
	struct world *w = world_open(NULL);

	for (unsigned n = 549; n < 2500; n += 1 + n / 50) {
		struct packet p = udp_packet(LAN, HOST, DMZ_HOST, n);

		send(w, &p, 0);
		assert_int_equal(w->sent, (n + 8 + 551) / 552); // 552 = (576 - 20) / 8 * 8
		reassemble(w, &p, 0, false);
	}
	assert_int_equal(world_dropped(w), 0);
	world_close(w);
}

static void test_chains(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, DMZ_HOST, 8900);

	for (uint16_t seg = 103; seg < 1500; seg = (uint16_t)(seg + 77)) {
		send(w, &p, seg);
		reassemble(w, &p, 0, false);
	}
	world_close(w);
}

// A fragment is cut further: its place and its "more" carry over.
static void test_of_fragment(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, DMZ_HOST, 1400);

	packet_ip(&p)->frag = be16(IP4_MF | 185);
	fix_ip(&p);
	send(w, &p, 0);
	assert_int_equal(w->sent, 3);
	reassemble(w, &p, 185 * 8, true);
	packet_ip(&p)->frag = be16(185);
	fix_ip(&p);
	send(w, &p, 0);
	reassemble(w, &p, 185 * 8, false);
	world_close(w);
}

// RFC 791, 3.1: an option without the copied flag is the first fragment's alone.
static void test_options(void **state)
{
	// record route (not copied), no operation, router alert (copied), end of list
	static const char options[] = "07 07 04 00000000  01  94 04 0000  00 000000";
	static const char later[] = "01 01 01 01010101  01  94 04 0000  00 000000";
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, DMZ_HOST, 1400);
	uint8_t first[16], other[16];

	assert_int_equal(unhex(options, first), 16);
	assert_int_equal(unhex(later, other), 16);
	memmove(p.b + 50, p.b + 34, p.len - 34);
	memcpy(p.b + 34, first, 16);
	p.b[14] = 0x49;
	p.len += 16;
	packet_ip(&p)->len = be16(p.len - 14);
	fix_ip(&p);
	send(w, &p, 0);
	assert_int_equal(w->sent, 3);
	reassemble(w, &p, 0, false);
	unhex("08 0a000001", first + 2); // recorded: the dmz port's address
	for (unsigned i = 0; i < 3; i++)
		assert_memory_equal(w->out[i].bytes + 34, i ? other : first, 16);
	world_close(w);
}

// A fragment that reaches beyond the 65,535 bytes of RFC 791, 3.1 belongs to no datagram, and the
// place of its last pieces does not fit the field: it would spill into the flags.
static void test_beyond_end(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, DMZ_HOST, 1400);

	// 1408 bytes: pieces of 552, 552, 304
	packet_ip(&p)->frag = be16(8191 - 138 + 1); // the last piece would be at 8192
	fix_ip(&p);
	send(w, &p, 0);
	assert_int_equal(w->sent, 0);
	assert_int_equal(world_drops(w, "ip4-fragment", "beyond-64k"), 1);
	packet_ip(&p)->frag = be16(8014); // a header of 20 bytes, 8014 * 8, 1408: 65540
	fix_ip(&p);
	send(w, &p, 0);
	assert_int_equal(world_drops(w, "ip4-fragment", "beyond-64k"), 2);
	packet_ip(&p)->frag = be16(8013); // 65532
	fix_ip(&p);
	send(w, &p, 0);
	assert_int_equal(w->sent, 3);
	reassemble(w, &p, 8013 * 8, false);
	world_close(w);
}

// The pieces wait for the neighbor like any packet.
static void test_hold(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, ip(10, 0, 0, 77), 1400), arp = {.len = 0};
	static const uint8_t mac[6] = {2, 1, 10, 0, 0, 77}, own[6] = {2, 0, 0, 0, 0, 3};

	send(w, &p, 0);
	assert_int_equal(w->sent, 1); // the request
	assert_int_equal(world_held(w), 3);
	w->sent = 0;
	arp_packet(&arp, own, 2, mac, ip(10, 0, 0, 77), own, ip(10, 0, 0, 1));
	world_rx_packet(w, DMZ, &arp);
	assert_int_equal(w->sent, 3);
	reassemble(w, &p, 0, false);
	world_close(w);
}

// The neighbor answers in the very burst that brings what must be cut: the pieces, which run once
// the burst has ended, find him known and do not wait for another answer.
static void test_resolved_meanwhile(void **state)
{
	static const uint8_t mac[6] = {2, 1, 10, 0, 0, 77}, own[6] = {2, 0, 0, 0, 0, 3};
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, ip(10, 0, 0, 77), 1400), arp = {.len = 0};
	struct mbuf *pkts[2];

	arp_packet(&arp, own, 2, mac, ip(10, 0, 0, 77), own, ip(10, 0, 0, 1));
	send(w, &p, 0);
	assert_int_equal(world_held(w), 3);
	w->sent = 0;
	pkts[0] = world_mbuf(w, LAN, p.b, p.len, 0);
	pkts[1] = world_mbuf(w, DMZ, arp.b, arp.len, 0);
	graph_rx(w->g, w->in, pkts, 2);
	assert_int_equal(world_held(w), 0);
	assert_int_equal(w->sent, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_memory_equal(w->out[i].bytes, mac, 6);
	world_close(w);
}

// A ping from afar is answered by a port that carries less than the answer.
static void test_own_answer(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, DMZ_HOST, ip(198, 51, 100, 1), 8, 0, 1400);
	unsigned data = 0;

	send(w, &p, 0);
	assert_int_equal(w->sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(book_csum(w->out[i].bytes + 14, 20, 0), 0);
		data += get16(w->out[i].bytes + 16) - 20;
	}
	assert_int_equal(data, 1408);
	world_close(w);
}

static void test_no_buffer(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, DMZ_HOST, 1400);
	struct mbuf *m = world_mbuf(w, LAN, p.b, p.len, 0), *all;

	all = world_empty_pool(w);
	graph_rx(w->g, w->in, &m, 1);
	assert_int_equal(world_drops(w, "ip4-fragment", "no-buffer"), 1);
	assert_int_equal(w->sent, 0);
	world_refill_pool(all);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_of_fragment),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_own_answer),
		cmocka_unit_test(test_no_buffer),
		cmocka_unit_test(test_beyond_end),
		cmocka_unit_test(test_resolved_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
