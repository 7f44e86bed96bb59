// SPDX-License-Identifier: BSD-3-Clause
// test_ip6_stack.c - addresses and their classes, and which of its own a router speaks from
#include "tests/unit/netstack/world6.h"

#include <errno.h>

// RFC 4291, 2.4 to 2.7; RFC 4193.
static void test_classes(void **state)
{
	static const struct {
		const char *addr;
		bool unicast, link_local, ula;
		unsigned scope;
	} cases[] = {
		{"::", false, false, false, 14},
		{"::1", false, false, false, 1},
		{"::2", true, false, false, 14},
		{"::ffff:1.2.3.4", false, false, false, 14},
		{"::fffe:1.2.3.4", true, false, false, 14},
		{"2001:db8::1", true, false, false, 14},
		{"fbff::1", true, false, false, 14},
		{"fc00::1", true, false, true, 14},
		{"fdff::1", true, false, true, 14},
		{"fe80::", true, true, false, 2},
		{"febf:ffff::1", true, true, false, 2},
		{"fec0::1", true, false, false, 14},
		{"fe7f::1", true, false, false, 14},
		{"ff02::1", false, false, false, 2},
		{"ff0e::1", false, false, false, 14},
		{"ff35::1", false, false, false, 5},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union ip_addr a = addr6(cases[i].addr);

		assert_int_equal(ip6_unicast(a.v6), cases[i].unicast);
		assert_int_equal(ip6_link_local(a.v6), cases[i].link_local);
		assert_int_equal(ip6_ula(a.v6), cases[i].ula);
		assert_int_equal(ip6_scope(a.v6), cases[i].scope);
	}
}

static void test_prefixes(void **state)
{
	union ip_addr all = addr6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), zero = addr6("::");

	for (unsigned plen = 0; plen <= 128; plen++) {
		union ip_addr p = ip6_prefix(all.v6, plen);
		unsigned ones = 0;

		for (unsigned bit = 0; bit < 128; bit++) {
			bool one = p.v6[bit / 8] >> (7 - bit % 8) & 1;

			assert_int_equal(one, bit < plen);
			ones += one;
		}
		assert_int_equal(ones, plen);
		assert_true(ip6_prefix_equal(p.v6, all.v6, plen));
		assert_int_equal(ip6_prefix_equal(p.v6, all.v6, plen < 128 ? plen + 1 : 128),
				 plen == 128);
		assert_int_equal(ip6_prefix_equal(p.v6, zero.v6, 1), plen == 0);
	}
}

// RFC 2464, 4: 34-56-78-9A-BC-DE gives 36-56-78-FF-FE-9A-BC-DE; 7: 33-33 and the last four bytes.
// RFC 4291, 2.7.1: 4037::01:800:200e:8c6c gives ff02::1:ff0e:8c6c.
static void test_derived(void **state)
{
	const uint8_t mac[6] = {0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde};
	union ip_addr a = ip6_link_local_of(mac), want = addr6("fe80::3656:78ff:fe9a:bcde");
	uint8_t group[6];

	assert_memory_equal(a.v6, want.v6, 16);
	a = addr6("4037::01:800:200e:8c6c");
	a = ip6_solicited_node(a.v6);
	want = addr6("ff02::1:ff0e:8c6c");
	assert_memory_equal(a.v6, want.v6, 16);
	ip6_group_mac(group, a.v6);
	assert_memory_equal(group, ((uint8_t[]){0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c}), 6);
}

static int add(struct ip6_stack *s, uint16_t iface, const char *addr, uint8_t plen)
{
	struct err err;

	return ip6_stack_address(s, iface, addr6(addr).v6, plen, &err);
}

static void test_refused_addresses(void **state)
{
	struct world *w = world6_open(NULL);
	struct ip6_stack *s = w->s6;

	assert_int_equal(add(s, 3, "2001:db8:9::1", 64), -EINVAL);
	assert_int_equal(add(s, WAN, "2001:db8:9::1", 0), -EINVAL);
	assert_int_equal(add(s, WAN, "2001:db8:9::1", 129), -EINVAL);
	assert_int_equal(add(s, WAN, "::1", 128), -EINVAL);
	assert_int_equal(add(s, WAN, "ff02::1", 64), -EINVAL);
	assert_int_equal(add(s, WAN, "::ffff:1.2.3.4", 128), -EINVAL);
	assert_int_equal(add(s, WAN, "2001:db8:9::", 64), -EINVAL); // the anycast address
	assert_int_equal(add(s, WAN, WAN6, 64), -EEXIST);
	assert_int_equal(add(s, LAN, WAN6, 64), -EEXIST);
	assert_int_equal(add(s, LAN, "2001:db8:1::2", 64), -EEXIST); // WAN's prefix
	assert_int_equal(add(s, WAN, "2001:db8:1::2", 64), 0);
	assert_int_equal(add(s, LAN, "2001:db8:1:0:8000::1", 65), 0); // a part of it
	assert_int_equal(add(s, LAN, "2001:db8:9::", 127), 0);	      // RFC 6164
	assert_int_equal(add(s, WAN, "2001:db8:a::", 128), 0);
	assert_int_equal(add(s, WAN, "2001:db8:b::1", 64), 0);
	assert_int_equal(add(s, WAN, "2001:db8:c::1", 64), -ENOSPC);
	world_close(w);
}

// A link that cannot carry 1,280 bytes has no IPv6 (RFC 8200, 5).
static void test_small_mtu(void **state)
{
	struct err err;
	struct world *w = world_open(NULL);
	struct ip6_conf c = {.pool = w->pool, .ifs = w->s->ifs, .addresses = 1};
	struct ip6_stack *s = ip6_stack_create(&c, &err);

	assert_non_null(s);
	assert_int_equal(add(s, DMZ, "2001:db8::1", 64), -EINVAL);
	assert_int_equal(ip6_stack_enable(s, DMZ, &err), -EINVAL);
	assert_int_equal(ip6_stack_enable(s, LAN, &err), 0);
	assert_int_equal(ip6_stack_enable(s, LAN, &err), 0);
	assert_true(ip6_stack_enabled(s, LAN));
	assert_false(ip6_stack_enabled(s, WAN));
	assert_non_null(ip6_stack_own(s, LAN, addr6(LAN6_LL).v6));
	ip6_stack_destroy(s);
	world_close(w);
}

static void test_configured_link_local(void **state)
{
	struct world *w = world6_open(NULL);
	struct ip6_stack *s = w->s6;

	assert_int_equal(add(s, WAN, "fe80::1", 64), 0);
	assert_int_equal(add(s, LAN, "fe80::1", 64), 0); // every link has its own
	assert_int_equal(add(s, LAN, "fe80::1", 64), -EEXIST);
	assert_null(ip6_stack_own(s, WAN, addr6(WAN6_LL).v6));
	assert_memory_equal(ip6_stack_link_local(s, WAN)->addr.v6, addr6("fe80::1").v6, 16);
	assert_ptr_equal(ip6_stack_find(s, LAN, addr6("fe80::1").v6),
			 ip6_stack_own(s, LAN, addr6("fe80::1").v6));
	assert_null(ip6_stack_find(s, DMZ, addr6("fe80::1").v6));
	world_close(w);
}

static void assert_source(const struct ip6_stack *s, uint16_t iface, const char *dst,
			  const char *want)
{
	const struct ip6_address *a = ip6_stack_source(s, iface, addr6(dst).v6);

	if (!want) {
		assert_null(a);
		return;
	}
	assert_non_null(a);
	assert_memory_equal(a->addr.v6, addr6(want).v6, 16);
}

// RFC 6724, 5: rules 2 (scope), 6 (label), 8 (longest prefix); among the interface's addresses.
static void test_source_address(void **state)
{
	struct world *w = world6_open(NULL);
	struct ip6_stack *s = w->s6;

	assert_source(s, WAN, "2a00::1", WAN6);
	assert_source(s, WAN, "fe80::77", WAN6_LL);
	assert_source(s, WAN, "ff02::1", WAN6_LL);
	assert_source(s, WAN, "ff05::1", WAN6);
	assert_source(s, WAN, "fd00::9", WAN6);
	assert_int_equal(add(s, WAN, "fd00:0:0:1::1", 64), 0);
	assert_source(s, WAN, "fd00::9", "fd00:0:0:1::1");
	assert_source(s, WAN, "2a00::1", WAN6);
	assert_int_equal(add(s, WAN, "2a00:8000::1", 64), 0);
	assert_source(s, WAN, "2a00::1", "2a00:8000::1");
	assert_source(s, WAN, "2001:db8:1::77", WAN6);
	assert_source(s, LAN, "2a00::1", LAN6); // others' are better, but it is not asked for them
	s->address[s->first[LAN]].state = IP6_DUPLICATE;
	assert_source(s, LAN, "fe80::1", LAN6); // wider scope reaches, too
	for (uint32_t i = s->first[LAN]; i != IP6_ADDRESS_NONE; i = s->address[i].next)
		s->address[i].state = IP6_TENTATIVE;
	assert_source(s, LAN, "fe80::1", NULL);
	assert_source(s, LAN, "2a00::1", "2a00:8000::1"); // none there: any interface's
	world_close(w);
}

static void test_nexthops(void **state)
{
	struct world *w = world6_open(NULL);
	struct ip6_stack *s = w->s6;
	struct err err;
	int nh = ip6_stack_nexthop(s, WAN, addr6("fe80::fe").v6, &err);

	assert_true(nh > 0);
	assert_int_equal(ip6_stack_nexthop(s, WAN, addr6("fe80::fe").v6, &err), nh);
	assert_int_not_equal(ip6_stack_nexthop(s, LAN, addr6("fe80::fe").v6, &err), nh);
	assert_int_equal(ip6_stack_nexthop(s, LAN, addr6("2001:db8:1::fe").v6, &err), -EINVAL);
	assert_int_equal(ip6_stack_nexthop(s, WAN, addr6(WAN6).v6, &err), -EINVAL);
	assert_int_equal(ip6_stack_nexthop(s, WAN, addr6("ff02::2").v6, &err), -EINVAL);
	// What needs no gateway keeps going without.
	assert_int_equal(ip6_stack_route(s, addr6("2001:db8:2::").v6, 64, (uint32_t)nh, &err), 0);
	assert_int_equal(ip6_stack_route(s, addr6(LAN6).v6, 128, (uint32_t)nh, &err), 0);
	{
		struct packet p = udp6_packet(WAN, WAN_HOST, LAN_HOST, 8);

		world_rx_packet(w, WAN, &p);
		world_sent(w, LAN);
	}
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),	       cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_derived),	       cmocka_unit_test(test_refused_addresses),
		cmocka_unit_test(test_small_mtu),      cmocka_unit_test(test_configured_link_local),
		cmocka_unit_test(test_source_address), cmocka_unit_test(test_nexthops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
