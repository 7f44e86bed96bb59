// SPDX-License-Identifier: BSD-3-Clause
// test_arp_lcores.c - a router on two lcores: one asks for neighbors, both learn, and nobody sees
// more of it than of a router on one
#include "tests/unit/netstack/world.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/handoff.h"
#include "netstack/arp.h"
#include "netstack/ip4.h"

#define SELF ip(198, 51, 100, 1)
#define PEER ip(198, 51, 100, 77)
#define SEC  NSEC_PER_SEC
#define STEP (SEC / 20)

static const uint8_t lan_mac[6] = {2, 0, 0, 0, 0, 1};

struct lcores {
	struct world *w[2];
	struct handoff *h;
	struct loop_source in[2];
};

static struct node *out(struct lcores *l, unsigned from, const char *entry)
{
	struct node *to = graph_find(l->w[!from]->g, entry), *node;
	char name[NODE_NAME_MAX];
	struct err err = {""};

	assert_non_null(to);
	snprintf(name, sizeof(name), "handoff-%s", entry);
	node = graph_find(l->w[from]->g, name);
	if (!node)
		node = handoff_out_add(l->h, l->w[from]->g, from, name, !from, to, &err);
	assert_non_null(node);
	return node;
}

static struct lcores open_lcores(struct ip4_conf conf)
{
	struct lcores l;
	struct err err;

	conf.lcores = 2;
	l.w[0] = world_open(&conf);
	conf.lcore = 1;
	conf.lcore0 = l.w[0]->s;
	l.w[1] = world_open(&conf);
	l.h = handoff_create(2, &err);
	assert_non_null(l.h);
	for (unsigned k = 0; k < 2; k++) {
		assert_non_null(handoff_in_add(l.h, l.w[k]->g, k, &err));
		handoff_source(&l.in[k], l.h, !k, k);
	}
	for (unsigned k = 0; k < 2; k++)
		assert_int_equal(ip4_graph_tells(l.w[k]->g, out(&l, k, "arp-learn"), &err), 0);
	assert_int_equal(ip4_graph_asks(l.w[1]->g, out(&l, 1, "arp-resolve"), &err), 0);
	assert_int_equal(ip4_graph_answers(l.w[0]->g, out(&l, 0, "arp-learn"), &err), 0);
	for (unsigned k = 0; k < 2; k++)
		assert_int_equal(graph_check(l.w[k]->g, &err), 0);
	return l;
}

static void close_lcores(struct lcores *l)
{
	graph_destroy(l->w[1]->g); // what it holds goes home
	l->w[1]->g = NULL;
	world_close(l->w[0]);
	handoff_destroy(l->h);
	free(l->w[1]->out);
	free(l->w[1]);
}

// Everything handed over arrives.
static void pump(struct lcores *l)
{
	struct mbuf *pkts[GRAPH_BURST];
	bool moved;

	do {
		moved = false;
		for (unsigned k = 0; k < 2; k++) {
			uint16_t n = l->in[k].burst(l->in[k].arg, pkts, GRAPH_BURST);

			if (n)
				graph_rx(l->w[k]->g, l->in[k].node, pkts, n);
			moved |= n;
		}
	} while (moved);
}

static void pass(struct lcores *l, uint64_t ns)
{
	for (uint64_t t = 0; t < ns; t += STEP) {
		world_pass(l->w[0], STEP);
		pump(l);
		world_pass(l->w[1], STEP);
		pump(l);
	}
}

static void send_to_peer(struct lcores *l, unsigned k, unsigned id)
{
	struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), PEER, 20);

	packet_ip(&p)->id = be16(id);
	fix_ip(&p);
	world_rx_packet(l->w[k], WAN, &p);
	pump(l);
}

static void peer_says(struct lcores *l, uint16_t op)
{
	struct packet p = {.len = 0};
	uint8_t mac[6];

	host_mac(mac, PEER);
	arp_packet(&p, lan_mac, op, mac, PEER, lan_mac, SELF);
	world_rx_packet(l->w[0], LAN, &p);
	pump(l);
}

static bool is_arp(const struct frame *f, uint16_t op)
{
	return f->port == LAN && f->bytes[12] == 8 && f->bytes[13] == 6 && f->bytes[21] == op;
}

// ARP packets that lcore k has sent by a port since the last call to forget().
static unsigned arps(const struct lcores *l, unsigned k, uint16_t op)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->w[k]->sent; i++)
		n += is_arp(&l->w[k]->out[i], op);
	return n;
}

static void forget(struct lcores *l)
{
	l->w[0]->sent = l->w[1]->sent = 0;
}

static void expect_ids(struct lcores *l, unsigned k, unsigned first, unsigned n)
{
	uint8_t mac[6];

	host_mac(mac, PEER);
	assert_int_equal(l->w[k]->sent, n);
	for (unsigned i = 0; i < n; i++) {
		const struct frame *f = &l->w[k]->out[i];

		assert_memory_equal(f->bytes, mac, 6);
		assert_memory_equal(f->bytes + 6, lan_mac, 6);
		assert_int_equal(f->bytes[18] * 256u + f->bytes[19], first + i);
	}
}

// Both lcores wait for the same neighbor: it is asked once, and each sends its own, in order.
static void test_one_request(void **state)
{
	struct lcores l = open_lcores((struct ip4_conf){0});

	for (unsigned i = 0; i < 5; i++)
		send_to_peer(&l, 1, 100 + i);
	assert_int_equal(arps(&l, 0, 1), 1);
	assert_int_equal(l.w[1]->sent, 0);
	for (unsigned i = 0; i < 5; i++)
		send_to_peer(&l, 0, 200 + i);
	assert_int_equal(arps(&l, 0, 1), 1);
	assert_int_equal(world_held(l.w[0]), 5);
	assert_int_equal(world_held(l.w[1]), 5);
	forget(&l);
	peer_says(&l, 2);
	expect_ids(&l, 0, 200, 5);
	expect_ids(&l, 1, 100, 5);
	forget(&l);
	send_to_peer(&l, 1, 105);
	expect_ids(&l, 1, 105, 1);
	close_lcores(&l);
}

// Lcore 0 knows already: nothing goes over the wire.
static void test_answered_from_table(void **state)
{
	struct lcores l = open_lcores((struct ip4_conf){0});

	send_to_peer(&l, 0, 1);
	peer_says(&l, 2);
	forget(&l);
	send_to_peer(&l, 1, 7);
	expect_ids(&l, 1, 7, 1);
	assert_int_equal(l.w[0]->sent, 0);
	close_lcores(&l);
}

// Who asks for us is answered once, by the lcore that heard it, and known to both.
static void test_asked_for(void **state)
{
	struct lcores l = open_lcores((struct ip4_conf){0});

	peer_says(&l, 1);
	assert_int_equal(arps(&l, 0, 2), 1);
	assert_int_equal(l.w[1]->sent, 0);
	forget(&l);
	send_to_peer(&l, 1, 9);
	expect_ids(&l, 1, 9, 1);
	assert_int_equal(l.w[0]->sent, 0);
	close_lcores(&l);
}

// RFC 1122, 2.3.2.1: at most one request a second, three in all; then each lcore reports its
// packets as a single one does (RFC 1812, 5.2.7.1).
static void test_nobody_answers(void **state)
{
	struct lcores l = open_lcores((struct ip4_conf){0});

	send_to_peer(&l, 1, 1);
	pass(&l, SEC / 2);
	send_to_peer(&l, 0, 2);
	assert_int_equal(arps(&l, 0, 1), 1);
	pass(&l, SEC);
	assert_int_equal(arps(&l, 0, 1), 2);
	pass(&l, 5 * SEC / 2);
	assert_int_equal(arps(&l, 0, 1), 3);
	assert_int_equal(arps(&l, 1, 1), 0);
	assert_int_equal(world_held(l.w[0]) + world_held(l.w[1]), 0);
	assert_int_equal(world_drops(l.w[0], "arp-hold", "unresolved"), 1);
	assert_int_equal(world_drops(l.w[1], "arp-hold", "unresolved"), 1);
	for (unsigned k = 0; k < 2; k++) {
		const struct frame *f = &l.w[k]->out[l.w[k]->sent - 1];

		assert_int_equal(f->port, WAN);
		assert_int_equal(f->bytes[34], 3); // destination unreachable:
		assert_int_equal(f->bytes[35], 1); // host
	}
	close_lcores(&l);
}

// Used by lcore 1 alone: when its time is up it is asked, by unicast, by lcore 0, and traffic goes
// on. Then it is silent: three requests, and it is forgotten by both.
static void test_ageing(void **state)
{
	struct lcores l = open_lcores((struct ip4_conf){.arp_timeout = 10});
	uint8_t mac[6];

	host_mac(mac, PEER);
	send_to_peer(&l, 1, 1);
	peer_says(&l, 2);
	pass(&l, 5 * SEC);
	send_to_peer(&l, 1, 2);
	forget(&l);
	pass(&l, 7 * SEC);
	assert_true(arps(&l, 0, 1) >= 1);
	assert_int_equal(arps(&l, 1, 1), 0);
	assert_memory_equal(l.w[0]->out[0].bytes, mac, 6);
	peer_says(&l, 2);
	forget(&l);
	send_to_peer(&l, 1, 3);
	expect_ids(&l, 1, 3, 1);
	forget(&l);
	pass(&l, 30 * SEC);
	assert_true(arps(&l, 0, 1) <= 4);
	forget(&l);
	send_to_peer(&l, 1, 4); // not known any longer
	assert_int_equal(world_held(l.w[1]), 1);
	assert_int_equal(arps(&l, 0, 1), 1);
	close_lcores(&l);
}

// Both together are allowed what one is.
static void test_icmp_rate(void **state)
{
	static const struct {
		uint32_t burst;
		unsigned from[2];
	} shares[] = {{10, {5, 5}}, {7, {4, 3}}};

	for (unsigned i = 0; i < 2; i++) {
		struct lcores l = open_lcores(
			(struct ip4_conf){.icmp_rate = 1000, .icmp_burst = shares[i].burst});

		for (unsigned k = 0; k < 2; k++) {
			for (unsigned n = 0; n < 20; n++) {
				struct packet p =
					udp_packet(WAN, ip(192, 0, 2, 10), ip(100, 1, 1, 1), 20);

				world_rx_packet(l.w[k], WAN, &p); // no route
			}
			assert_int_equal(l.w[k]->sent, shares[i].from[k]);
		}
		close_lcores(&l);
	}
}

// One report a second in all: lcore 0's. The other has none to give.
static void test_icmp_rate_of_one(void **state)
{
	struct lcores l = open_lcores((struct ip4_conf){.icmp_rate = 1, .icmp_burst = 1});
	struct packet p = udp_packet(WAN, ip(192, 0, 2, 10), ip(100, 1, 1, 1), 20);

	for (unsigned k = 0; k < 2; k++)
		world_rx_packet(l.w[k], WAN, &p);
	pass(&l, 5 * SEC);
	world_rx_packet(l.w[1], WAN, &p);
	assert_int_equal(l.w[0]->sent, 1);
	assert_int_equal(l.w[1]->sent, 0);
	close_lcores(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_request),	 cmocka_unit_test(test_answered_from_table),
		cmocka_unit_test(test_asked_for),	 cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_ageing),		 cmocka_unit_test(test_icmp_rate),
		cmocka_unit_test(test_icmp_rate_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
