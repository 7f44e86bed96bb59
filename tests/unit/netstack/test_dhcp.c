// SPDX-License-Identifier: BSD-3-Clause
// test_dhcp.c - a DHCP client against a server made of bytes (RFC 2131, RFC 2132)
#include "tests/unit/netstack/world.h"

#include <stdlib.h>

#include "netstack/dhcp.h"
#include "netstack/ip4.h"

#define LEASED ip(203, 0, 113, 50)
#define SERVER ip(203, 0, 113, 2)
#define ROUTER ip(203, 0, 113, 1)

// mask, router, server; lease 1000 s, T1 400 s, T2 800 s
#define OPTIONS "0104ffffff00 0304cb007101 3604cb007102 3304000003e8 3a0400000190 3b0400000320 ff"

static void add_client(struct ip4_stack *s)
{
	struct err err;

	if (dhcp_add(s, LAN, &err))
		fail_msg("%s", err.text);
}

static struct world *open_client(void)
{
	struct world *w = world_open_stack(NULL, add_client);

	world_pass(w, 0);
	return w;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static const uint8_t *option(const struct frame *f, uint8_t wanted)
{
	for (const uint8_t *p = f->bytes + 282; p < f->bytes + f->len && *p != 255; p += 2 + p[1])
		if (*p == wanted)
			return p + 2;
	return NULL;
}

// The only frame sent is a message of the client.
static const struct frame *expect_message(struct world *w, uint8_t type, bool all)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	const struct frame *f = world_sent(w, LAN);

	assert_int_equal(f->len, 14 + 20 + 8 + 300);
	if (all) {
		assert_memory_equal(f->bytes, "\xff\xff\xff\xff\xff\xff", 6);
		assert_memory_equal(f->bytes + 30, "\xff\xff\xff\xff", 4);
	}
	assert_int_equal(book_csum(f->bytes + 14, 20, 0), 0);
	assert_int_equal(book_csum(f->bytes + 34, 308,
				   (uint16_t)~book_csum(f->bytes + 26, 8, 17 + 308)),
			 0);
	assert_memory_equal(f->bytes + 34, "\0\x44\0\x43", 4);
	assert_memory_equal(f->bytes + 42, "\x01\x01\x06\0", 4);
	assert_memory_equal(f->bytes + 70, mac, 6);
	assert_memory_equal(f->bytes + 278, "\x63\x82\x53\x63", 4);
	assert_non_null(option(f, 53));
	assert_int_equal(*option(f, 53), type);
	return f;
}

// The server's answer to the question f, to one address or all.
static struct packet answer_to(uint32_t to, const struct frame *f, uint8_t type, uint32_t addr,
			       const char *options)
{
	struct packet p = udp_packet(LAN, SERVER, to, 300);
	uint8_t *b = p.b + 42;

	if (to == 0xffffffff)
		memset(p.b, 0xff, 6);
	put16(p.b + 34, 67);
	put16(p.b + 36, 68);
	memset(b, 0, 300);
	memcpy(b, "\x02\x01\x06", 3);
	memcpy(b + 4, f->bytes + 46, 4);
	memcpy(b + 16, &addr, 4);
	memcpy(b + 28, f->bytes + 70, 6);
	memcpy(b + 236, "\x63\x82\x53\x63\x35\x01", 6);
	b[242] = type;
	unhex(options, b + 243);
	put16(p.b + 40, 0);
	fix_ip(&p);
	return p;
}

static void answer(struct world *w, const struct frame *f, uint8_t type, uint32_t addr,
		   const char *options)
{
	struct packet p = answer_to(0xffffffff, f, type, addr, options);

	world_rx_packet(w, LAN, &p);
}

static void tell_arp(struct world *w, uint32_t addr)
{
	static const uint8_t own[6] = {2, 0, 0, 0, 0, 1};
	struct packet p = {.len = 0};
	uint8_t mac[6];

	host_mac(mac, addr);
	arp_packet(&p, own, 2, mac, addr, own, LEASED);
	world_rx_packet(w, LAN, &p);
}

static void to_request(struct world *w, struct frame *request)
{
	struct frame f = *expect_message(w, DHCP_DISCOVER, true);

	assert_memory_equal(f.bytes + 26, "\0\0\0\0", 4);
	assert_memory_equal(f.bytes + 52, "\x80\0", 2); // the broadcast flag
	answer(w, &f, DHCP_OFFER, LEASED, OPTIONS);
	*request = *expect_message(w, DHCP_REQUEST, true);
	assert_memory_equal(request->bytes + 46, f.bytes + 46, 4); // xid
	assert_memory_equal(option(request, 50), "\xcb\0\x71\x32", 4);
	assert_memory_equal(option(request, 54), "\xcb\0\x71\x02", 4);
}

static void bind_client(struct world *w)
{
	struct frame f;

	to_request(w, &f);
	answer(w, &f, DHCP_ACK, LEASED, OPTIONS);
	f = *world_sent(w, LAN); // is it free? (RFC 5227, 2.1.1)
	assert_memory_equal(f.bytes + 12, "\x08\x06", 2);
	assert_memory_equal(f.bytes + 28, "\0\0\0\0", 4);
	assert_memory_equal(f.bytes + 38, "\xcb\0\x71\x32", 4);
	world_pass(w, NSEC_PER_SEC / 2);
	world_sent(w, LAN); // again
	assert_null(ip4_stack_own(w->s, LAN, be32(LEASED)));
	world_pass(w, NSEC_PER_SEC / 2);
	assert_int_equal(w->sent, 2); // lan's other address is told as well
	f = w->out[1];
	w->sent = 0;
	assert_memory_equal(f.bytes + 28, "\xcb\0\x71\x32", 4);
	assert_memory_equal(f.bytes + 38, "\xcb\0\x71\x32", 4);
	assert_non_null(ip4_stack_own(w->s, LAN, be32(LEASED)));
}

static void test_bind(void **state)
{
	struct world *w = open_client();
	struct packet p;

	bind_client(w);
	p = icmp_packet(LAN, SERVER, LEASED, 8, 0, 8);
	world_rx_packet(w, LAN, &p);
	assert_memory_equal(world_sent(w, LAN)->bytes + 38, "\xcb\0\x71\x02", 4); // who has SERVER
	tell_arp(w, SERVER);
	assert_int_equal(world_sent(w, LAN)->bytes[34], 0);
	p = udp_packet(WAN, ip(192, 0, 2, 10), ip(9, 9, 9, 9), 9); // by the default route
	world_rx_packet(w, WAN, &p);
	assert_memory_equal(world_sent(w, LAN)->bytes + 38, "\xcb\0\x71\x01", 4);
	tell_arp(w, ROUTER);
	assert_memory_equal(world_sent(w, LAN)->bytes + 30, "\x09\x09\x09\x09", 4);
	world_close(w);
}

// Half way it asks the server alone, and gets as much again.
static void test_renew(void **state)
{
	struct world *w = open_client();
	struct frame f;

	bind_client(w);
	for (unsigned i = 0; i < 3; i++) {
		world_pass(w, 399 * NSEC_PER_SEC - i);
		w->sent = 0;
		world_pass(w, NSEC_PER_SEC);
		if (w->sent && w->out[0].bytes[13] == 6) { // who has SERVER
			w->sent = 0;
			tell_arp(w, SERVER);
		}
		f = *expect_message(w, DHCP_REQUEST, false);
		assert_memory_equal(f.bytes + 26, "\xcb\0\x71\x32\xcb\0\x71\x02", 8);
		assert_memory_equal(f.bytes + 54, "\xcb\0\x71\x32", 4); // ciaddr
		assert_null(option(&f, 50));
		assert_null(option(&f, 54));
		answer(w, &f, DHCP_ACK, LEASED, OPTIONS);
		assert_non_null(ip4_stack_own(w->s, LAN, be32(LEASED)));
		w->sent = 0;
	}
	world_close(w);
}

static unsigned count_messages(const struct world *w, uint8_t type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->sent; i++)
		n += w->out[i].bytes[13] == 0 && w->out[i].len == 342 &&
		     *option(&w->out[i], 53) == type;
	return n;
}

// Nobody answers: from T2 on it asks all, at the end the address is gone.
static void test_expire(void **state)
{
	struct world *w = open_client();
	struct packet p;

	bind_client(w);
	world_pass(w, 798 * NSEC_PER_SEC);
	w->sent = 0;
	world_pass(w, 3 * NSEC_PER_SEC);
	assert_int_equal(count_messages(w, DHCP_REQUEST), 1);
	assert_memory_equal(w->out[0].bytes + 30, "\xff\xff\xff\xff", 4);
	assert_non_null(ip4_stack_own(w->s, LAN, be32(LEASED)));
	w->sent = 0;
	world_pass(w, 200 * NSEC_PER_SEC);
	assert_null(ip4_stack_own(w->s, LAN, be32(LEASED)));
	assert_true(count_messages(w, DHCP_DISCOVER) >= 1);
	w->sent = 0;
	p = udp_packet(WAN, ip(192, 0, 2, 10), ip(9, 9, 9, 9), 9);
	world_rx_packet(w, WAN, &p);
	assert_int_equal(world_drops(w, "ip4-lookup", "no-route"), 1);
	w->sent = 0;
	p = udp_packet(WAN, LEASED, ip(198, 51, 100, 10), 9); // nor is it ours to refuse
	world_rx_packet(w, WAN, &p);
	world_sent(w, LAN);
	world_close(w);
}

// Of a routing protocol, say, that has found a better one.
static void test_another_default_route(void **state)
{
	struct fib_route r = {.family = 4, .paths = 1};
	struct world *w = open_client();
	int hop;

	bind_client(w);
	r.path[0] = (struct fib_path){
		.via.v4 = ip(192, 0, 2, 254), .iface = FIB_IFACE_ANY, .weight = 1};
	assert_int_equal(fib_route_add(w->s->fib, &r, NULL), 0);
	hop = fib_get(w->s->fib, 4, 0, &r.prefix, 0);
	assert_true(hop > 0);
	world_pass(w, 1001 * NSEC_PER_SEC);
	assert_null(ip4_stack_own(w->s, LAN, be32(LEASED)));
	assert_int_equal(fib_get(w->s->fib, 4, 0, &r.prefix, 0), hop);
	w->sent = 0;
	world_close(w);
}

static void test_nak(void **state)
{
	struct world *w = open_client();
	struct frame f;

	to_request(w, &f);
	answer(w, &f, DHCP_NAK, 0, "3604cb007102 ff");
	assert_int_equal(w->sent, 0);
	world_pass(w, NSEC_PER_SEC);
	expect_message(w, DHCP_DISCOVER, true);
	world_close(w);
}

// The packet behind it was to go by the default route, which goes with the address.
static void test_nak_ahead_of_others(void **state)
{
	struct world *w = open_client();
	struct packet nak, p = udp_packet(LAN, ip(198, 51, 100, 10), ip(9, 9, 9, 9), 9);
	struct mbuf *burst[2];
	struct frame f;
	uint8_t mac[6];

	bind_client(w);
	world_pass(w, 399 * NSEC_PER_SEC);
	w->sent = 0;
	world_pass(w, NSEC_PER_SEC);
	tell_arp(w, SERVER);
	f = w->out[w->sent - 1];
	assert_int_equal(*option(&f, 53), DHCP_REQUEST);
	world_rx_packet(w, LAN, &p);
	tell_arp(w, ROUTER);
	w->sent = 0;
	nak = answer_to(LEASED, &f, DHCP_NAK, 0, "3604cb007102 ff");
	burst[0] = world_mbuf(w, LAN, nak.b, nak.len, 0);
	burst[1] = world_mbuf(w, LAN, p.b, p.len, 0);
	graph_rx(w->g, w->in, burst, 2);
	host_mac(mac, ROUTER);
	assert_memory_equal(world_sent(w, LAN)->bytes, mac, 6);
	world_pass(w, 1);
	assert_null(ip4_stack_own(w->s, LAN, be32(LEASED)));
	assert_int_equal(world_held(w), 0);
	world_close(w);
}

// RFC 2131, 3.1, 5: somebody has it already.
static void test_decline(void **state)
{
	struct world *w = open_client();
	struct frame f;

	to_request(w, &f);
	answer(w, &f, DHCP_ACK, LEASED, OPTIONS);
	world_sent(w, LAN);
	tell_arp(w, LEASED);
	f = *expect_message(w, DHCP_DECLINE, true);
	assert_memory_equal(option(&f, 50), "\xcb\0\x71\x32", 4);
	assert_memory_equal(option(&f, 54), "\xcb\0\x71\x02", 4);
	world_pass(w, 9 * NSEC_PER_SEC);
	assert_int_equal(w->sent, 0);
	world_pass(w, NSEC_PER_SEC);
	expect_message(w, DHCP_DISCOVER, true);
	assert_null(ip4_stack_own(w->s, LAN, be32(LEASED)));
	world_close(w);
}

// RFC 2131, 4.1: 4, 8, 16 ... 64 seconds, one more or less.
static void test_retries(void **state)
{
	static const unsigned waits[] = {4, 8, 16, 32, 64, 64};
	struct world *w = open_client();

	for (unsigned i = 0; i < 6; i++) {
		uint64_t sent = w->clock.now, passed;

		expect_message(w, DHCP_DISCOVER, true);
		while (!w->sent && w->clock.now < sent + 100 * NSEC_PER_SEC)
			world_pass(w, NSEC_PER_SEC / 100);
		passed = (w->clock.now - sent) / (NSEC_PER_SEC / 100);
		assert_in_range(passed, waits[i] * 100 - 101, waits[i] * 100 + 101);
	}
	world_close(w);
}

// Offers of what an interface cannot have, or that are no answer at all.
static void test_hostile(void **state)
{
	static const char *const bad[] = {
		"3604cb007102 3304000003e8 ff",					 // no mask
		"0104ff00ff00 3604cb007102 3304000003e8 ff",			 // one with holes
		"010400000000 3604cb007102 3304000003e8 ff",
		"0104ffffff00 3304000003e8 ff",					 // no server
		"0104ffffff00 3604e0000001 3304000003e8 ff",			 // a group
		"0104ffffff00 3604cb007102 ff",					 // no time
		"0104ffffff00 3604cb007102 330400000000 ff",
		"0104ffffff00 3604cb007102 33ff000003e8 ff",			 // beyond the end
		"0104ffffff00 3604cb007102 3302ffff ff",
	};
	static const uint32_t addrs[] = {0, 0xffffffff, 0x0100007f, 0x010000e0};
	struct world *w = open_client();
	struct frame f = *expect_message(w, DHCP_DISCOVER, true), g = f;
	unsigned n = sizeof(bad) / sizeof(bad[0]);

	for (unsigned i = 0; i < n; i++)
		answer(w, &f, DHCP_OFFER, LEASED, bad[i]);
	for (unsigned i = 0; i < 4; i++, n++)
		answer(w, &f, DHCP_OFFER, addrs[i], OPTIONS);
	answer(w, &f, DHCP_OFFER, ip(203, 0, 113, 255), OPTIONS);
	answer(w, &f, DHCP_ACK, LEASED, OPTIONS); // not asked for
	g.bytes[46] ^= 1;			  // another transaction
	answer(w, &g, DHCP_OFFER, LEASED, OPTIONS);
	g = f;
	g.bytes[75] ^= 1; // another client
	answer(w, &g, DHCP_OFFER, LEASED, OPTIONS);
	assert_int_equal(world_drops(w, "dhcp", "not-asked"), n + 4);
	assert_int_equal(w->sent, 0);
	answer(w, &f, DHCP_OFFER, LEASED, OPTIONS);
	expect_message(w, DHCP_REQUEST, true);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),	cmocka_unit_test(test_renew),
		cmocka_unit_test(test_expire),	cmocka_unit_test(test_nak),
		cmocka_unit_test(test_nak_ahead_of_others),
		cmocka_unit_test(test_another_default_route),
		cmocka_unit_test(test_decline), cmocka_unit_test(test_retries),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
