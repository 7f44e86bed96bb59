// SPDX-License-Identifier: BSD-3-Clause
// test_ip6_forward.c - what a router does to a packet on its way (RFC 8200, 3 and 5; RFC 4443, 3)
#include "tests/unit/netstack/world6.h"

// The frame that arrived, less one hop, from `port` to the station `to`.
static void assert_forwarded(struct world *w, uint16_t port, const struct packet *in,
			     const char *to)
{
	static const uint8_t last[WORLD_PORTS] = {2, 1, 3};
	const struct frame *f = world_sent(w, port);
	struct packet want = *in;

	host6_mac(want.b, to);
	memcpy(want.b + 6, (uint8_t[]){2, 0, 0, 0, 0, last[port]}, 6);
	want.b[21]--;
	assert_int_equal(f->len, want.len);
	assert_memory_equal(f->bytes, want.b, want.len);
}

static void test_to_a_neighbor(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, "2a00::1", LAN_HOST, 32);

	world_rx_packet(w, WAN, &p);
	assert_forwarded(w, LAN, &p, LAN_HOST);
	world_close(w);
}

static void test_by_routes(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(LAN, LAN_HOST, "4001:2:3::4", 32);

	world_rx_packet(w, LAN, &p);
	assert_forwarded(w, WAN, &p, "fe80::fe");
	p = udp6_packet(LAN, LAN_HOST, "2001:db8:f123::4", 32);
	world_rx_packet(w, LAN, &p);
	assert_forwarded(w, WAN, &p, "2001:db8:1::fe");
	world_close(w);
}

// RFC 8200, 4: extension headers but hop-by-hop options are the destination's; those that are there
// pass unchanged, known or not.
static void test_extension_headers_pass(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, "2a00::1", LAN_HOST, 32);

	insert6(&p, 40, 6, 60, "00 00 c9 04 00000000"); // a destination option nobody knows
	insert6(&p, 40, 6, 43, "00 00 00 01 00000000"); // a routing header of type 0, not spent
	world_rx_packet(w, WAN, &p);
	assert_forwarded(w, LAN, &p, LAN_HOST);
	insert6(&p, 40, 6, 0, "00 00 05 02 0000 0100"); // a router alert (RFC 2711)
	world_rx_packet(w, WAN, &p);
	assert_forwarded(w, LAN, &p, LAN_HOST);
	p = ip6_packet(WAN, "2a00::1", LAN_HOST, 253, 12); // a protocol for experiments
	world_rx_packet(w, WAN, &p);
	assert_forwarded(w, LAN, &p, LAN_HOST);
	world_close(w);
}

static void test_padding_is_cut(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, "2a00::1", LAN_HOST, 1), padded = p;

	padded.len += 20;
	world_rx_packet(w, WAN, &padded);
	assert_forwarded(w, LAN, &p, LAN_HOST);
	world_rx_chain(w, WAN, padded.b, padded.len, 60);
	assert_int_equal(w->sent, 0); // headers in pieces
	assert_int_equal(world_drops(w, "eth-input", "split-header"), 1);
	p = udp6_packet(WAN, "2a00::1", LAN_HOST, 1000);
	padded = p;
	padded.len += 20;
	world_rx_chain(w, WAN, padded.b, padded.len, 200);
	assert_forwarded(w, LAN, &p, LAN_HOST);
	world_close(w);
}

// The ICMPv6 report in the only frame sent: from router to host by `port`, quoting `about`.
static void assert_report(struct world *w, uint16_t port, const char *from, const char *to,
			  uint8_t type, uint8_t code, uint32_t param, const struct packet *about)
{
	const struct frame *f = world_sent(w, port);
	size_t quoted = about->len - 14;
	const uint8_t *icmp = f->bytes + 54;

	if (quoted > 1280 - 48)
		quoted = 1280 - 48;
	assert_int_equal(f->len, 14 + 48 + quoted);
	assert_int_equal(f->bytes[14] >> 4, 6);
	assert_int_equal(f->bytes[18] << 8 | f->bytes[19], 8 + quoted);
	assert_int_equal(f->bytes[20], 58);
	assert_memory_equal(f->bytes + 22, addr6(from).v6, 16);
	assert_memory_equal(f->bytes + 38, addr6(to).v6, 16);
	assert_int_equal(icmp[0], type);
	assert_int_equal(icmp[1], code);
	assert_int_equal((uint32_t)icmp[4] << 24 | icmp[5] << 16 | icmp[6] << 8 | icmp[7], param);
	assert_memory_equal(icmp + 8, about->b + 14, quoted);
	assert_int_equal(check6(f->bytes, 14, 54, 58, 8 + quoted), 0);
}

static void test_hop_limit(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(LAN, LAN_HOST, WAN_HOST, 32);

	for (uint8_t hops = 0; hops <= 1; hops++) {
		p.b[21] = hops;
		world_rx_packet(w, LAN, &p);
		assert_report(w, LAN, LAN6, LAN_HOST, 3, 0, 0, &p);
	}
	assert_int_equal(world_drops(w, "ip6-rewrite", "hops-exceeded"), 2);
	p.b[21] = 2;
	world_rx_packet(w, LAN, &p);
	assert_forwarded(w, WAN, &p, WAN_HOST);
	world_close(w);
}

// RFC 4443, 3.2. A router does not fragment (RFC 8200, 5).
static void test_packet_too_big(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(LAN, LAN_HOST, DMZ_HOST, 1280 - 48);

	world_rx_packet(w, LAN, &p);
	assert_forwarded(w, DMZ, &p, DMZ_HOST);
	p = udp6_packet(LAN, LAN_HOST, DMZ_HOST, 1280 - 48 + 1);
	world_rx_packet(w, LAN, &p);
	assert_report(w, LAN, LAN6, LAN_HOST, 2, 0, 1280, &p);
	assert_int_equal(world_drops(w, "ip6-rewrite", "too-big"), 1);
	p = udp6_packet(LAN, LAN_HOST, WAN_HOST, 3000);
	world_rx_packet(w, LAN, &p);
	assert_report(w, LAN, LAN6, LAN_HOST, 2, 0, 1500, &p);
	world_close(w);
}

static void test_no_route(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(LAN, LAN_HOST, "2a00::1", 32);

	world_rx_packet(w, LAN, &p);
	assert_report(w, LAN, LAN6, LAN_HOST, 1, 0, 0, &p);
	assert_int_equal(world_drops(w, "ip6-lookup", "no-route"), 1);
	world_close(w);
}

// RFC 4007, 9 and RFC 4443, 3.1: the packet would leave its source's link.
static void test_beyond_scope(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(LAN, "fe80::10", WAN_HOST, 32);

	world_rx_packet(w, LAN, &p);
	assert_report(w, LAN, LAN6_LL, "fe80::10", 1, 2, 0, &p);
	assert_int_equal(world_drops(w, "ip6-input", "beyond-scope"), 1);
	world_close(w);
}

// RFC 4443, 2.4(f): a token a millisecond unless said otherwise.
static void test_reports_are_limited(void **state)
{
	struct ip6_conf conf = {.icmp_rate = 10, .icmp_burst = 3};
	struct world *w = world6_open(&conf);
	struct packet p = udp6_packet(LAN, LAN_HOST, "2a00::1", 32);

	for (unsigned i = 0; i < 10; i++)
		world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 3);
	assert_int_equal(world_drops(w, "icmp6-error", "rate-limited"), 7);
	world_pass(w, NSEC_PER_SEC / 10);
	w->sent = 0;
	world_rx_packet(w, LAN, &p);
	assert_report(w, LAN, LAN6, LAN_HOST, 1, 0, 0, &p);
	world_close(w);
}

// RFC 4443, 2.4(e).
static void test_no_report_about(void **state)
{
	static const uint8_t errors[] = {0, 1, 2, 3, 4, 100, 127, 137};
	struct world *w = world6_open(NULL);
	struct packet p;

	for (unsigned i = 0; i < sizeof(errors); i++) { // errors, and a redirect
		p = icmp6_packet(LAN, LAN_HOST, "2a00::1", errors[i], 0, 0, 16);
		world_rx_packet(w, LAN, &p);
		insert6(&p, 40, 6, 60, "00 00 01 04 00000000"); // behind an extension header
		world_rx_packet(w, LAN, &p);
	}
	// A fragment beyond the first.
	p = udp6_packet(LAN, LAN_HOST, "2a00::1", 32);
	insert6(&p, 40, 6, 44, "00 00 0009 00000001");
	world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 0);
	assert_int_equal(world_drops(w, "ip6-lookup", "no-route"), 2 * sizeof(errors) + 1);
	// But about information, even if nobody knows it, and about a first fragment.
	p = icmp6_packet(LAN, LAN_HOST, "2a00::1", 200, 0, 0, 16);
	world_rx_packet(w, LAN, &p);
	assert_report(w, LAN, LAN6, LAN_HOST, 1, 0, 0, &p);
	p = udp6_packet(LAN, LAN_HOST, "2a00::1", 32);
	insert6(&p, 40, 6, 44, "00 00 0001 00000001");
	world_rx_packet(w, LAN, &p);
	assert_report(w, LAN, LAN6, LAN_HOST, 1, 0, 0, &p);
	world_close(w);
}

// Nothing is lost or sent when there are no buffers for reports.
static void test_empty_pool(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(LAN, LAN_HOST, "2a00::1", 32);
	struct mbuf *m = world_mbuf(w, LAN, p.b, p.len, 0), *all = world_empty_pool(w);

	graph_rx(w->g, w->in, &m, 1);
	world_refill_pool(all);
	assert_int_equal(w->sent, 0);
	assert_int_equal(world_drops(w, "ip6-lookup", "no-route"), 1);
	world_close(w);
}

// Cards cut long packets: what counts is what they cut them to.
static void test_long_packets(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = tcp6_packet(LAN, LAN_HOST, WAN_HOST, 0x10, 1, 2, 4000);
	struct mbuf *m = world_mbuf(w, LAN, p.b, p.len, 2000);

	w->offloads = true;
	m->flags |= MBUF_TSO | MBUF_TX_L4_CSUM | MBUF_RX_L4_OK;
	m->mss = 1440;
	m->l3 = 14;
	m->l4 = 54;
	graph_rx(w->g, w->in, &m, 1);
	assert_forwarded(w, WAN, &p, WAN_HOST);
	m = world_mbuf(w, LAN, p.b, p.len, 2000);
	m->flags |= MBUF_TSO | MBUF_TX_L4_CSUM | MBUF_RX_L4_OK;
	m->mss = 1441;
	m->l3 = 14;
	m->l4 = 54;
	graph_rx(w->g, w->in, &m, 1);
	assert_int_equal(world_drops(w, "ip6-rewrite", "too-big"), 1);
	assert_int_equal(world_sent(w, LAN)->bytes[54], 2);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_a_neighbor),
		cmocka_unit_test(test_by_routes),
		cmocka_unit_test(test_extension_headers_pass),
		cmocka_unit_test(test_padding_is_cut),
		cmocka_unit_test(test_hop_limit),
		cmocka_unit_test(test_packet_too_big),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_beyond_scope),
		cmocka_unit_test(test_reports_are_limited),
		cmocka_unit_test(test_no_report_about),
		cmocka_unit_test(test_empty_pool),
		cmocka_unit_test(test_long_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
