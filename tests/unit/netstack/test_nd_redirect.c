// SPDX-License-Identifier: BSD-3-Clause
// test_nd_redirect.c - redirects to hosts that send by us what they could send by others (RFC
// 4861, 8.2)
#include "tests/unit/netstack/world6.h"

static struct world *open_redirecting(void)
{
	struct world *w = world6_open(NULL);

	w->s6->ifs->iface[WAN].redirects = true;
	w->s6->plain = false;
	return w;
}

// p is forwarded back to `hop`, and its sender told that it had better use target for dst.
static void assert_redirect(struct world *w, const struct packet *p, const char *hop,
			    const char *target)
{
	const struct frame *f = w->out, *r = w->out + 1;
	size_t quoted = (p->len - 14) & ~7u;
	uint8_t mac[6];

	world_rx_packet(w, WAN, p);
	assert_int_equal(w->sent, 2);
	assert_int_equal(f->port, WAN);
	host6_mac(mac, hop);
	assert_memory_equal(f->bytes, mac, 6);
	assert_memory_equal(f->bytes + 22, p->b + 22, p->len - 22);
	assert_int_equal(r->port, WAN);
	if (quoted > 1280 - 40 - 40 - 8 - 8)
		quoted = 1280 - 40 - 40 - 8 - 8;
	assert_int_equal(r->len, 14 + 40 + 40 + 8 + 8 + quoted);
	assert_memory_equal(r->bytes, p->b + 6, 6);
	assert_int_equal(r->bytes[20], 58);
	assert_int_equal(r->bytes[21], 255);
	assert_memory_equal(r->bytes + 22, addr6(WAN6_LL).v6, 16);
	assert_memory_equal(r->bytes + 38, p->b + 22, 16);
	assert_int_equal(check6(r->bytes, 14, 54, 58, r->len - 54u), 0);
	assert_memory_equal(r->bytes + 54, ((uint8_t[]){137, 0}), 2);
	assert_memory_equal(r->bytes + 58, ((uint8_t[]){0, 0, 0, 0}), 4);
	assert_memory_equal(r->bytes + 62, addr6(target).v6, 16);
	assert_memory_equal(r->bytes + 78, p->b + 38, 16);
	assert_memory_equal(r->bytes + 94, ((uint8_t[]){2, 1}),
			    2); // the target's link-layer address
	assert_memory_equal(r->bytes + 96, mac, 6);
	assert_memory_equal(r->bytes + 102,
			    ((uint8_t[]){4, (uint8_t)(1 + quoted / 8), 0, 0, 0, 0, 0, 0}), 8);
	assert_memory_equal(r->bytes + 110, p->b + 14, quoted);
	w->sent = 0;
}

static void test_by_a_router(void **state)
{
	struct world *w = open_redirecting();
	struct packet p = udp6_packet(WAN, WAN_HOST, "4001::1", 33);

	assert_redirect(w, &p, "fe80::fe", "fe80::fe");
	p = udp6_packet(WAN, WAN_HOST, "4001::1", 1400);
	assert_redirect(w, &p, "fe80::fe", "fe80::fe");
	world_close(w);
}

static void test_to_a_neighbor(void **state)
{
	struct world *w = open_redirecting();
	struct packet p = udp6_packet(WAN, "2001:db8:1::fe", WAN_HOST, 32);

	assert_redirect(w, &p, WAN_HOST, WAN_HOST);
	world_close(w);
}

static void assert_none(struct world *w, uint16_t port, const struct packet *p)
{
	world_rx_packet(w, port, p);
	world_sent(w, WAN);
}

static void test_none(void **state)
{
	struct world *w = open_redirecting();
	struct packet p = udp6_packet(WAN, "2a00::1", "4001::1", 32); // its sender is no neighbor

	assert_none(w, WAN, &p);
	p = udp6_packet(LAN, LAN_HOST, "4001::1", 32); // from another link
	assert_none(w, LAN, &p);
	// By a router whose link-local address is not known: hosts would take no other (8.1).
	p = udp6_packet(WAN, WAN_HOST, "2001:db8:f000::1", 32);
	assert_none(w, WAN, &p);
	w->s6->ifs->iface[WAN].redirects = false;
	p = udp6_packet(WAN, WAN_HOST, "4001::1", 32);
	assert_none(w, WAN, &p);
	world_close(w);
}

static void test_limited(void **state)
{
	struct ip6_conf conf = {.icmp_rate = 1, .icmp_burst = 1};
	struct world *w = world6_open(&conf);
	struct packet p = udp6_packet(WAN, WAN_HOST, "4001::1", 32);

	w->s6->ifs->iface[WAN].redirects = true;
	w->s6->plain = false;
	assert_redirect(w, &p, "fe80::fe", "fe80::fe");
	assert_none(w, WAN, &p);
	assert_int_equal(world_drops(w, "icmp6-error", "rate-limited"), 1);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_a_router),
		cmocka_unit_test(test_to_a_neighbor),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
