// SPDX-License-Identifier: BSD-3-Clause
// test_ip6_lookup.c - kinds of routes, several paths, VRFs and reverse paths of IPv6
#include "tests/unit/netstack/world6.h"

static void add_route(struct world *w, uint16_t vrf, const char *prefix, uint8_t plen, uint8_t kind,
		      unsigned paths)
{
	static const struct {
		const char *via;
		uint16_t iface;
	} all[] = {{"2001:db8:1::10", WAN}, {"2001:db8:2::10", LAN}, {"2001:db8:3::10", DMZ}};
	struct fib_route r = {.family = 6,
			      .plen = plen,
			      .kind = kind,
			      .paths = (uint8_t)paths,
			      .vrf = vrf,
			      .prefix = addr6(prefix)};
	struct err err;

	for (unsigned i = 0; i < paths; i++)
		r.path[i] = (struct fib_path){
			.via = addr6(all[i].via), .iface = all[i].iface, .weight = 1};
	if (fib_route_add(w->s6->fib, &r, &err))
		fail_msg("%s", err.text);
}

// Linux says "no route" of unreachable, and "administratively prohibited" (RFC 4443, 3.1).
static void test_kinds(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(LAN, LAN_HOST, "2a00::1", 8);

	add_route(w, 0, "2a00::", 16, FIB_BLACKHOLE, 0);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 0);
	assert_int_equal(world_drops(w, "ip6-lookup", "blackhole"), 1);
	add_route(w, 0, "2a00::", 17, FIB_UNREACHABLE, 0);
	world_rx_packet(w, LAN, &p);
	assert_memory_equal(world_sent(w, LAN)->bytes + 54, ((uint8_t[]){1, 0}), 2);
	assert_int_equal(world_drops(w, "ip6-lookup", "unreachable"), 1);
	add_route(w, 0, "2a00::", 18, FIB_PROHIBIT, 0);
	world_rx_packet(w, LAN, &p);
	assert_memory_equal(world_sent(w, LAN)->bytes + 54, ((uint8_t[]){1, 1}), 2);
	assert_int_equal(world_drops(w, "ip6-lookup", "prohibited"), 1);
	world_close(w);
}

static void send_flow(struct world *w, uint32_t label, unsigned port, const char *to)
{
	struct packet p = udp6_packet(WAN, "2a00::1", to, 8);

	p.b[15] |= label >> 16 & 0xf;
	p.b[16] = (uint8_t)(label >> 8);
	p.b[17] = (uint8_t)label;
	p.b[54] = (uint8_t)(port >> 8);
	p.b[55] = (uint8_t)port;
	world_rx_packet(w, WAN, &p);
}

// Flows, told apart by flow label (RFC 6438) or, without, by ports, spread evenly, and each keeps
// to one path: of 3000 a third each, within four standard deviations.
static void test_paths(void **state)
{
	struct world *w = world6_open(NULL);
	unsigned by[2][WORLD_PORTS] = {{0}};

	add_route(w, 0, "2a00:1::", 32, FIB_VIA, 3);
	for (unsigned i = 0; i < 6000; i++) {
		uint16_t port;

		send_flow(w, i % 2 ? i : 0, i % 2 ? 77 : i, "2a00:1::1");
		port = w->out[0].port;
		by[i % 2][port]++;
		send_flow(w, i % 2 ? i : 0, i, "2a00:1::1"); // other ports, the same label
		assert_int_equal(w->sent, 2);
		assert_int_equal(w->out[1].port, port);
		w->sent = 0;
	}
	for (unsigned i = 0; i < 2; i++)
		for (unsigned p = 0; p < WORLD_PORTS; p++)
			assert_in_range(by[i][p], 1000 - 104, 1000 + 104);
	world_close(w);
}

// RFC 3704, 2.2 and 2.3. Link-local sources are their link's by nature.
static void test_reverse_path(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet from_wan = udp6_packet(LAN, "4001::1", DMZ_HOST, 8);
	struct packet from_nowhere = udp6_packet(LAN, "2a00::1", DMZ_HOST, 8);
	struct packet from_lan = udp6_packet(LAN, LAN_HOST, DMZ_HOST, 8);

	w->s6->plain = false;
	w->s6->ifs->iface[LAN].urpf = IFACE_URPF_STRICT;
	world_rx_packet(w, LAN, &from_lan);
	world_sent(w, DMZ);
	world_rx_packet(w, LAN, &from_wan);
	world_rx_packet(w, LAN, &from_nowhere);
	assert_int_equal(w->sent, 0);
	assert_int_equal(world_drops(w, "ip6-lookup", "reverse-path"), 2);
	w->s6->ifs->iface[LAN].urpf = IFACE_URPF_LOOSE;
	world_rx_packet(w, LAN, &from_wan);
	world_sent(w, DMZ);
	world_rx_packet(w, LAN, &from_nowhere);
	assert_int_equal(world_drops(w, "ip6-lookup", "reverse-path"), 3);
	from_nowhere = udp6_packet(WAN, "2a00::1", DMZ_HOST, 8);
	world_rx_packet(w, WAN, &from_nowhere); // which checks nothing
	world_sent(w, DMZ);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_reverse_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
