// SPDX-License-Identifier: BSD-3-Clause
// test_icmp_error.c - about what no report is made, how many are made, and where they come from
#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"

#define HOST ip(198, 51, 100, 10)

static void expire(struct packet *p)
{
	packet_ip(p)->ttl = 1;
	fix_ip(p);
}

static unsigned reports(const struct packet *p)
{
	struct world *w = world_open(NULL);
	unsigned n;

	world_rx_packet(w, LAN, p);
	assert_int_equal(world_drops(w, "ip4-rewrite", "ttl-exceeded"), 1);
	n = w->sent;
	world_close(w);
	return n;
}

// RFC 1122, 3.2.2: never about an ICMP error; a type nobody knows may be one.
static void test_about_icmp(void **state)
{
	for (unsigned type = 0; type < 256; type++) {
		// Those that ask or answer (IANA's list): echo, router discovery, timestamp,
		// information, address mask.
		bool query = type == 0 || type == 8 || type == 9 || type == 10 ||
			     (type >= 13 && type <= 18);
		struct packet p = icmp_packet(LAN, HOST, ip(192, 0, 2, 10), (uint8_t)type, 0, 28);

		expire(&p);
		assert_int_equal(reports(&p), query);
	}
}

static void test_about_empty_icmp(void **state)
{
	struct packet p = icmp_packet(LAN, HOST, ip(192, 0, 2, 10), 8, 0, 0);

	p.len = 34;
	packet_ip(&p)->len = be16(20);
	expire(&p);
	assert_int_equal(reports(&p), 0);
}

static void test_about_fragments(void **state)
{
	struct packet p = udp_packet(LAN, HOST, ip(192, 0, 2, 10), 64);

	packet_ip(&p)->frag = be16(IP4_MF);
	expire(&p);
	assert_int_equal(reports(&p), 1);
	packet_ip(&p)->frag = be16(IP4_MF | 1);
	expire(&p);
	assert_int_equal(reports(&p), 0);
	packet_ip(&p)->frag = be16(IP4_FRAG_OFF);
	expire(&p);
	assert_int_equal(reports(&p), 0);
}

// RFC 1812, 4.3.2.3: as much as fits in 576 bytes; a chain is quoted like any other packet.
static void test_quote(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, ip(192, 0, 2, 10), 1400);
	const struct frame *f;

	expire(&p);
	world_rx_chain(w, LAN, p.b, p.len, 113);
	f = world_sent(w, LAN);
	assert_int_equal(f->len, 14 + 576);
	assert_memory_equal(f->bytes + 42, p.b + 14, 548);
	assert_int_equal(book_csum(f->bytes + 14, 20, 0), 0);
	assert_int_equal(book_csum(f->bytes + 34, 556, 0), 0);
	world_close(w);
}

static void test_quotes_options(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, ip(192, 0, 2, 10), 8);
	const struct frame *f;

	p.b[14] = 0x46;
	memset(p.b + 34, 1, 4); // the UDP header gives way to an option
	expire(&p);
	world_rx_packet(w, LAN, &p);
	f = world_sent(w, LAN);
	assert_int_equal(f->bytes[14], 0x45);
	assert_memory_equal(f->bytes + 42, p.b + 14, p.len - 14);
	world_close(w);
}

// RFC 1812, 4.3.2.4: the address of the port by which the report leaves, not the one asked.
static void test_source(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(WAN, ip(203, 0, 113, 9), ip(198, 51, 100, 10), 8);
	const struct frame *f;

	expire(&p);
	world_rx_packet(w, WAN, &p);
	f = world_sent(w, WAN); // by the default route's next hop
	assert_memory_equal(f->bytes + 26, "\xc0\x00\x02\x01", 4);
	p = udp_packet(LAN, ip(203, 0, 113, 9), ip(198, 51, 100, 10), 8); // asymmetric
	expire(&p);
	world_rx_packet(w, LAN, &p);
	f = world_sent(w, WAN);
	assert_memory_equal(f->bytes + 26, "\xc0\x00\x02\x01", 4);
	world_close(w);
}

static void test_rate(void **state)
{
	struct ip4_conf conf = {.icmp_rate = 10, .icmp_burst = 5};
	struct world *w = world_open(&conf);
	struct packet p = udp_packet(LAN, HOST, ip(192, 0, 2, 10), 8);

	expire(&p);
	for (unsigned i = 0; i < 20; i++)
		world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 5);
	assert_int_equal(world_drops(w, "icmp-error", "rate-limited"), 15);
	assert_int_equal(world_drops(w, "ip4-rewrite", "ttl-exceeded"), 20);
	w->clock.now += 99999999; // not quite the tenth of a second that one takes
	world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 5);
	w->clock.now += 1;
	world_rx_packet(w, LAN, &p);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 6);
	w->clock.now += 3600 * NSEC_PER_SEC; // never more than the burst
	for (unsigned i = 0; i < 20; i++)
		world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 11);
	world_close(w);
}

static void test_rate_default(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, ip(192, 0, 2, 10), 8);

	expire(&p);
	for (unsigned i = 0; i < 1500; i++)
		world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 1000);
	w->clock.now += NSEC_PER_SEC / 10;
	for (unsigned i = 0; i < 1500; i++)
		world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 1100);
	world_close(w);
}

// No buffer left for a report: the packet is dropped by name all the same.
static void test_empty_pool(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, ip(192, 0, 2, 10), 8);
	struct mbuf *m, *all;

	expire(&p);
	m = world_mbuf(w, LAN, p.b, p.len, 0);
	all = world_empty_pool(w);
	graph_rx(w->g, w->in, &m, 1);
	assert_int_equal(world_drops(w, "ip4-rewrite", "ttl-exceeded"), 1);
	assert_int_equal(w->sent, 0);
	world_refill_pool(all);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_about_icmp),
		cmocka_unit_test(test_about_empty_icmp),
		cmocka_unit_test(test_about_fragments),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_quotes_options),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_default),
		cmocka_unit_test(test_empty_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
