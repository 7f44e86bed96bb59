// SPDX-License-Identifier: BSD-3-Clause
// test_ip4_lookup.c - kinds of routes, several paths, VRFs and reverse paths of IPv4
#include "netstack/ip4.h"
#include "world.h"

#define IP4_AT	ETH_HLEN
#define ICMP_AT (ETH_HLEN + 20)

static void add_route(struct world *w, uint16_t vrf, uint32_t prefix, uint8_t plen, uint8_t kind,
		      unsigned paths)
{
	const struct {
		uint32_t via;
		uint16_t iface;
	} all[] = {{ip(192, 0, 2, 10), WAN}, {ip(198, 51, 100, 10), LAN}, {ip(10, 0, 0, 10), DMZ}};
	struct fib_route r = {.family = 4,
			      .plen = plen,
			      .kind = kind,
			      .paths = (uint8_t)paths,
			      .vrf = vrf,
			      .prefix.v4 = prefix};
	struct err err;

	for (unsigned i = 0; i < paths; i++)
		r.path[i] =
			(struct fib_path){.via.v4 = all[i].via, .iface = all[i].iface, .weight = 1};
	if (fib_route_add(w->s->fib, &r, &err))
		fail_msg("%s", err.text);
}

// The report of type 3 that came back to the sender.
static uint8_t reported_code(struct world *w)
{
	const struct frame *f = world_sent(w, LAN);

	assert_int_equal(f->bytes[ICMP_AT], 3);
	return f->bytes[ICMP_AT + 1];
}

// RFC 1812, 5.2.7.1: network unreachable 0, host unreachable 1, administratively prohibited 13.
static void kinds_of_routes_have_their_code_and_drop(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), ip(100, 64, 0, 1), 8);

	world_rx_packet(w, LAN, &p);
	assert_int_equal(reported_code(w), 0);
	assert_int_equal(world_drops(w, "ip4-lookup", "no-route"), 1);
	add_route(w, 0, ip(100, 64, 0, 0), 10, FIB_BLACKHOLE, 0);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(w->sent, 0);
	assert_int_equal(world_drops(w, "ip4-lookup", "blackhole"), 1);
	add_route(w, 0, ip(100, 64, 0, 0), 11, FIB_UNREACHABLE, 0);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(reported_code(w), 1);
	assert_int_equal(world_drops(w, "ip4-lookup", "unreachable"), 1);
	add_route(w, 0, ip(100, 64, 0, 0), 12, FIB_PROHIBIT, 0);
	world_rx_packet(w, LAN, &p);
	assert_int_equal(reported_code(w), 13);
	assert_int_equal(world_drops(w, "ip4-lookup", "prohibited"), 1);
	world_close(w);
}

static void set_ports(struct packet *p, uint16_t src, uint16_t dst)
{
	store16(p->b + IP4_AT + 20, be16(src));
	store16(p->b + IP4_AT + 22, be16(dst));
}

static uint16_t leaves_by(struct world *w, uint16_t in, const struct packet *p)
{
	world_rx_packet(w, in, p);
	assert_int_equal(w->sent, 1);
	w->sent = 0;
	return w->out[0].port;
}

// 3,000 flows, a third each within four standard deviations, and a flow's packets by one path
// whatever their length and whichever way they go.
static void flows_keep_to_one_path(void **state)
{
	struct world *w = world_open(NULL);
	unsigned by[WORLD_PORTS] = {0};

	add_route(w, 0, ip(100, 64, 0, 0), 16, FIB_VIA, 3);
	add_route(w, 0, ip(100, 65, 0, 0), 16, FIB_VIA, 3);
	for (uint16_t i = 0; i < 3000; i++) {
		struct packet p = udp_packet(WAN, ip(100, 65, 0, 1), ip(100, 64, 0, 1), 8);
		struct packet longer = udp_packet(WAN, ip(100, 65, 0, 1), ip(100, 64, 0, 1), 300);
		struct packet back = udp_packet(WAN, ip(100, 64, 0, 1), ip(100, 65, 0, 1), 8);
		uint16_t port;

		set_ports(&p, (uint16_t)(1024 + i), 443);
		set_ports(&longer, (uint16_t)(1024 + i), 443);
		set_ports(&back, 443, (uint16_t)(1024 + i));
		port = leaves_by(w, WAN, &p);
		assert_int_equal(leaves_by(w, WAN, &longer), port);
		assert_int_equal(leaves_by(w, WAN, &back), port);
		by[port]++;
	}
	for (unsigned p = 0; p < WORLD_PORTS; p++)
		assert_in_range(by[p], 1000 - 104, 1000 + 104);
	world_close(w);
}

static void fragments_of_a_datagram_take_one_path(void **state)
{
	struct world *w = world_open(NULL);

	add_route(w, 0, ip(100, 64, 0, 0), 16, FIB_VIA, 3);
	for (unsigned i = 0; i < 200; i++) {
		struct packet first = udp_packet(WAN, ip(100, 65, 0, 1), ip(100, 64, 0, i), 256);
		struct packet rest = first;

		set_ports(&first, (uint16_t)(1024 + 7 * i), 443);
		packet_ip(&first)->frag = be16(IP4_MF);
		fix_ip(&first);
		packet_ip(&rest)->frag = be16(33);
		fix_ip(&rest);
		assert_int_equal(leaves_by(w, WAN, &first), leaves_by(w, WAN, &rest));
	}
	world_close(w);
}

static void dmz_is_red(struct ifaces *ifs)
{
	ifs->iface[DMZ].vrf = 1;
}

static void interfaces_are_in_their_vrf(void **state)
{
	struct packet p = udp_packet(LAN, ip(198, 51, 100, 10), ip(10, 0, 0, 10), 8);
	struct packet q = udp_packet(DMZ, ip(10, 0, 0, 10), ip(192, 0, 2, 10), 8);
	struct world *w;

	w = world_open_with(NULL, dmz_is_red);
	world_rx_packet(w, LAN, &p);
	world_rx_packet(w, DMZ, &q);
	assert_int_equal(world_drops(w, "ip4-lookup", "no-route"), 2);
	assert_int_equal(w->sent, 2); // reports, each back to where the packet came from
	assert_int_equal(w->out[0].port, LAN);
	assert_int_equal(w->out[1].port, DMZ);
	w->sent = 0;
	add_route(w, 1, ip(192, 0, 2, 0), 24, FIB_VIA, 1); // over the fence on purpose
	assert_int_equal(leaves_by(w, DMZ, &q), WAN);
	world_close(w);
}

// What is the router's in one VRF may be anybody's in another.
static void own_addresses_are_in_their_vrf(void **state)
{
	struct packet p = udp_packet(DMZ, ip(192, 0, 2, 1), ip(192, 0, 2, 10), 8);
	struct packet q = udp_packet(LAN, ip(192, 0, 2, 1), ip(192, 0, 2, 10), 8);
	struct world *w = world_open_with(NULL, dmz_is_red);

	add_route(w, 1, ip(192, 0, 2, 0), 24, FIB_VIA, 1);
	assert_int_equal(leaves_by(w, DMZ, &p), WAN);
	world_rx_packet(w, LAN, &q);
	assert_int_equal(world_drops(w, "ip4-input", "martian-source"), 1);
	world_close(w);
}

static void sources_are_checked(struct ifaces *ifs)
{
	ifs->iface[LAN].urpf = IFACE_URPF_STRICT;
	ifs->iface[DMZ].urpf = IFACE_URPF_LOOSE;
}

// RFC 3704, 2.2 and 2.3.
static void interfaces_check_reverse_paths(void **state)
{
	struct packet own = udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 8);
	struct packet others = udp_packet(LAN, ip(10, 0, 0, 10), ip(192, 0, 2, 10), 8);
	struct packet loose = udp_packet(DMZ, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 8);
	struct packet nowhere = udp_packet(DMZ, ip(100, 64, 0, 1), ip(192, 0, 2, 10), 8);
	struct packet wan = udp_packet(WAN, ip(100, 64, 0, 1), ip(198, 51, 100, 10), 8);
	struct world *w;

	w = world_open_with(NULL, sources_are_checked);
	assert_int_equal(leaves_by(w, LAN, &own), WAN);
	world_rx_packet(w, LAN, &others);
	assert_int_equal(world_drops(w, "ip4-lookup", "reverse-path"), 1);
	assert_int_equal(leaves_by(w, DMZ, &loose), WAN);
	world_rx_packet(w, DMZ, &nowhere);
	assert_int_equal(world_drops(w, "ip4-lookup", "reverse-path"), 2);
	add_route(w, 0, ip(100, 64, 0, 0), 16, FIB_BLACKHOLE, 0);
	world_rx_packet(w, DMZ, &nowhere);
	assert_int_equal(world_drops(w, "ip4-lookup", "reverse-path"), 3);
	assert_int_equal(w->sent, 0);
	assert_int_equal(leaves_by(w, WAN, &wan), LAN); // which checks nothing
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_routes_have_their_code_and_drop),
		cmocka_unit_test(flows_keep_to_one_path),
		cmocka_unit_test(fragments_of_a_datagram_take_one_path),
		cmocka_unit_test(interfaces_are_in_their_vrf),
		cmocka_unit_test(own_addresses_are_in_their_vrf),
		cmocka_unit_test(interfaces_check_reverse_paths),
	};

	return cmocka_run_group_tests_name("ip4_lookup", tests, NULL, NULL);
}
