// SPDX-License-Identifier: BSD-3-Clause
// test_ip4_stack.c - what a configuration may say, and what it is told when it may not
#include "tests/unit/netstack/world.h"

#include <errno.h>
#include <stdlib.h>

static struct err err;
static const uint8_t mac[6] = {2, 9, 0, 0, 0, 1};

#define A(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static void refused(struct ip4_conf conf, const char *why)
{
	assert_null(ip4_stack_create(&conf, &err));
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_bounds(void **state)
{
	struct mempool_conf tiny = {.name = "tiny", .count = 16, .data_room = 64};
	struct world *w = world_open(NULL);

	struct ifaces *ifs = w->s->ifs;

	refused((struct ip4_conf){.pool = w->pool, .ifs = ifs, .learnt = (1u << 24) + 1},
		"16777217 neighbors");
	refused((struct ip4_conf){.pool = w->pool, .ifs = ifs, .learnt = ~0u, .nexthops = ~0u},
		"neighbors");
	refused((struct ip4_conf){.pool = w->pool, .ifs = ifs, .icmp_rate = 1000000001},
		"1000000001 ICMP reports");
	refused((struct ip4_conf){.pool = w->pool, .ifs = ifs, .arp_hold = 65536}, "65536 packets");
	// A piece of a fragmented packet, or a report, would not fit.
	refused((struct ip4_conf){.pool = mempool_create(&tiny, &err), .ifs = ifs}, "64 bytes");
	world_close(w);
}

static void test_ports(void **state)
{
	static const uint8_t group[6] = {3, 0, 0, 0, 0, 1}, zero[6];
	struct world *w = world_open(NULL);

	assert_int_equal(ifaces_port(w->s->ifs, 3, mac, 1500, &err), -EINVAL);
	assert_int_equal(ifaces_port(w->s->ifs, 65535, mac, 1500, &err), -EINVAL);
	assert_int_equal(ifaces_port(w->s->ifs, 0, group, 1500, &err), -EINVAL);
	assert_int_equal(ifaces_port(w->s->ifs, 0, zero, 1500, &err), -EINVAL);
	assert_int_equal(ifaces_port(w->s->ifs, 0, mac, 67, &err), -EINVAL);
	assert_string_equal(err.text, "port 0: MTU 67 is below the 68 of RFC 791");
	assert_null(ifaces_create(0, 0, &err));
	assert_null(ifaces_create(IFACE_PORTS_MAX + 1, 0, &err));
	assert_string_equal(err.text, "65 ports: a router has 1 to 64");
	assert_null(ifaces_create(1, IFACES_MAX, &err));
	world_close(w);
}

static void test_addresses(void **state)
{
	struct world *w = world_open(NULL);
	struct ip4_stack *s = w->s;

	assert_int_equal(ip4_stack_address(s, 9, A(10, 1, 0, 1), 24, &err), -EINVAL);
	assert_int_equal(ip4_stack_address(s, 0, A(10, 1, 0, 1), 33, &err), -EINVAL);
	assert_int_equal(ip4_stack_address(s, 0, A(10, 1, 0, 1), 0, &err), -EINVAL);
	assert_int_equal(ip4_stack_address(s, 0, A(224, 1, 0, 1), 24, &err), -EINVAL);
	assert_int_equal(ip4_stack_address(s, 0, A(127, 0, 0, 1), 8, &err), -EINVAL);
	assert_int_equal(ip4_stack_address(s, 0, A(10, 1, 0, 255), 24, &err), -EINVAL);
	assert_string_equal(err.text, "10.1.0.255/24 is the prefix's broadcast address");
	assert_int_equal(ip4_stack_address(s, 0, A(10, 1, 0, 0), 24, &err), -EINVAL);
	assert_int_equal(ip4_stack_address(s, 0, A(192, 0, 2, 1), 25, &err), -EEXIST);
	assert_int_equal(ip4_stack_address(s, 0, A(198, 51, 100, 9), 24, &err), -EEXIST);
	assert_int_equal(ip4_stack_address(s, 0, A(192, 0, 2, 7), 24, &err), 0); // a second one
	assert_int_equal(ip4_stack_address(s, 0, A(10, 2, 0, 0), 31, &err), 0);	 // RFC 3021
	assert_int_equal(ip4_stack_address(s, 0, A(10, 3, 0, 0), 32, &err), 0);
	for (unsigned i = 6; i < 8; i++)
		assert_int_equal(ip4_stack_address(s, 0, A(10, i, 0, 1), 24, &err), 0);
	assert_int_equal(ip4_stack_address(s, 0, A(10, 8, 0, 1), 24, &err), -ENOSPC);
	world_close(w);
}

static void test_routes(void **state)
{
	struct world *w = world_open(NULL);
	struct ip4_stack *s = w->s;
	struct packet p;
	int nh, again;

	assert_int_equal(ip4_stack_nexthop(s, WAN, A(203, 0, 113, 1), &err), -EINVAL);
	assert_string_equal(err.text, "203.0.113.1 is on no prefix of interface port0");
	assert_int_equal(ip4_stack_nexthop(s, WAN, A(192, 0, 2, 1), &err), -EINVAL); // ourselves
	assert_int_equal(ip4_stack_nexthop(s, WAN, A(192, 0, 2, 255), &err), -EINVAL);
	assert_string_equal(err.text, "192.0.2.255 is no neighbor's address: it is the router's "
				      "own, a broadcast's, or reserved");
	nh = ip4_stack_nexthop(s, DMZ, A(10, 0, 0, 10), &err);
	again = ip4_stack_nexthop(s, DMZ, A(10, 0, 0, 10), &err);
	assert_true(nh > 0);
	assert_int_equal(nh, again);
	assert_int_equal(ip4_stack_route(s, A(10, 9, 0, 1), 16, (uint32_t)nh, &err), -EINVAL);
	assert_int_equal(ip4_stack_route(s, A(10, 9, 0, 0), 16, 9999, &err), -EINVAL);
	assert_int_equal(ip4_stack_route(s, A(10, 9, 0, 0), 16, ADJ_INDEX_LOCAL, &err), -EINVAL);
	// What is on-link needs no gateway: such a route is passed over.
	assert_int_equal(ip4_stack_route(s, A(192, 0, 2, 0), 24, (uint32_t)nh, &err), 0);
	p = udp_packet(LAN, ip(198, 51, 100, 10), ip(192, 0, 2, 10), 4);
	world_rx_packet(w, LAN, &p);
	world_sent(w, WAN);
	// The longest prefix wins.
	assert_int_equal(ip4_stack_route(s, A(203, 0, 113, 128), 25, (uint32_t)nh, &err), 0);
	p = udp_packet(LAN, ip(198, 51, 100, 10), ip(203, 0, 113, 200), 4);
	world_rx_packet(w, LAN, &p);
	world_sent(w, DMZ);
	p = udp_packet(LAN, ip(198, 51, 100, 10), ip(203, 0, 113, 20), 4);
	world_rx_packet(w, LAN, &p);
	world_sent(w, WAN);
	world_close(w);
}

static void test_neighbors(void **state)
{
	static const uint8_t group[6] = {3, 0, 0, 0, 0, 1};
	struct world *w = world_open(NULL);

	assert_int_equal(ip4_stack_neighbor(w->s, LAN, A(198, 51, 100, 20), group, &err), -EINVAL);
	assert_int_equal(ip4_stack_neighbor(w->s, 7, A(198, 51, 100, 20), mac, &err), -EINVAL);
	assert_int_equal(ip4_stack_neighbor(w->s, LAN, A(198, 51, 100, 1), mac, &err), -EINVAL);
	assert_int_equal(ip4_stack_neighbor(w->s, LAN, A(239, 1, 1, 1), mac, &err), -EINVAL);
	world_close(w);
}

// A graph has one router; the stack of a second one is freed (the sanitizers' builds would tell).
static void test_second_router(void **state)
{
	struct world *w = world_open(NULL);
	struct ip4_conf conf = {.pool = w->pool, .ifs = w->s->ifs};
	struct ip4_stack *s = ip4_stack_create(&conf, &err);

	assert_non_null(s);
	assert_null(ip4_graph_build(w->g, s, w->tx, &err));
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),	  cmocka_unit_test(test_ports),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_routes),
		cmocka_unit_test(test_neighbors), cmocka_unit_test(test_second_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
