// SPDX-License-Identifier: BSD-3-Clause
// test_nd_lcores.c - neighbor discovery of a router on two lcores: one asks, advertises and detects
// duplicates, both learn, and nobody sees more of it than of a router on one
#include "tests/unit/netstack/nd_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/handoff.h"

#define GROUP	  "ff0200000000000000000001ff000001"
#define GROUP_MAC "3333ff000001"
#define NOBODY	  "00000000000000000000000000000000"
#define STEP	  (SEC / 20)

struct lcores {
	struct nd_world *w[2];
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

static struct lcores open_lcores(struct nd_conf conf)
{
	struct lcores l;
	struct err err;

	conf.lcores = 2;
	l.w[0] = nd_world_open(&conf);
	conf.lcore = 1;
	conf.lcore0 = l.w[0];
	l.w[1] = nd_world_open(&conf);
	l.h = handoff_create(2, &err);
	assert_non_null(l.h);
	for (unsigned k = 0; k < 2; k++) {
		assert_non_null(handoff_in_add(l.h, l.w[k]->g, k, &err));
		handoff_source(&l.in[k], l.h, !k, k);
	}
	for (unsigned k = 0; k < 2; k++)
		assert_int_equal(ip6_graph_tells(l.w[k]->g, out(&l, k, "nd-learn"), &err), 0);
	assert_int_equal(ip6_graph_asks(l.w[1]->g, out(&l, 1, "nd-resolve"), &err), 0);
	assert_int_equal(ip6_graph_answers(l.w[0]->g, out(&l, 0, "nd-learn"), &err), 0);
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(graph_check(l.w[k]->g, &err), 0);
		graph_housekeep(l.w[k]->g, l.w[k]->clock.now);
	}
	return l;
}

static void close_lcores(struct lcores *l)
{
	graph_destroy(l->w[1]->g); // what it holds goes home
	nd_world_close(l->w[0]);
	handoff_destroy(l->h);
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
		nd_world_pass(l->w[0], STEP);
		pump(l);
		nd_world_pass(l->w[1], STEP);
		pump(l);
	}
}

static void send(struct lcores *l, unsigned k, unsigned id)
{
	nd_world_send(l->w[k], id);
	pump(l);
}

// An answer of the peer's comes in on lcore k.
static void peer_answers(struct lcores *l, unsigned k)
{
	struct nd_packet p =
		nd_packet("020000000001", PEER, SELF, 255, "8800000060000000" PEER "0201" PEER_MAC);

	nd_world_rx_packet(l->w[k], LAN, &p);
	pump(l);
}

static void peer_asks(struct lcores *l, unsigned k)
{
	struct nd_packet p =
		nd_packet(GROUP_MAC, PEER, GROUP, 255, "8700000000000000" SELF "0101" PEER_MAC);

	nd_world_rx_packet(l->w[k], LAN, &p);
	pump(l);
}

// ICMPv6 messages of that type that lcore k has sent since forget().
static unsigned sent(const struct lcores *l, unsigned k, uint8_t type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->w[k]->sent; i++)
		n += l->w[k]->out[i].bytes[20] == 58 && l->w[k]->out[i].bytes[54] == type;
	return n;
}

static void forget(struct lcores *l)
{
	l->w[0]->sent = l->w[1]->sent = 0;
}

static void expect_ids(struct lcores *l, unsigned k, unsigned first, unsigned n)
{
	assert_int_equal(l->w[k]->sent, n);
	for (unsigned i = 0; i < n; i++)
		assert_true(nd_is_datagram(&l->w[k]->out[i], first + i));
}

// Both wait for the same neighbor: it is asked once, and whichever hears the answer, each sends its
// own, in order.
static void test_one_request(void **state)
{
	for (unsigned heard = 0; heard < 2; heard++) {
		struct lcores l = open_lcores((struct nd_conf){.dad = 0});

		for (unsigned i = 0; i < 5; i++)
			send(&l, 1, 100 + i);
		assert_int_equal(sent(&l, 0, 135), 1);
		for (unsigned i = 0; i < 5; i++)
			send(&l, 0, 200 + i);
		assert_int_equal(sent(&l, 0, 135), 1);
		assert_int_equal(l.w[1]->sent, 0);
		forget(&l);
		peer_answers(&l, heard);
		expect_ids(&l, 0, 200, 5);
		expect_ids(&l, 1, 100, 5);
		forget(&l);
		send(&l, 1, 105);
		expect_ids(&l, 1, 105, 1);
		close_lcores(&l);
	}
}

static void test_answered_from_table(void **state)
{
	struct lcores l = open_lcores((struct nd_conf){.dad = 0});

	send(&l, 0, 1);
	peer_answers(&l, 0);
	forget(&l);
	send(&l, 1, 7);
	expect_ids(&l, 1, 7, 1);
	assert_int_equal(l.w[0]->sent, 0);
	close_lcores(&l);
}

// Who asks is answered once, by the lcore that heard it, and known to both.
static void test_asked_for(void **state)
{
	struct lcores l = open_lcores((struct nd_conf){.dad = 0});

	peer_asks(&l, 1);
	assert_int_equal(sent(&l, 1, 136), 1);
	assert_int_equal(l.w[0]->sent, 0);
	forget(&l);
	send(&l, 0, 9);
	expect_ids(&l, 0, 9, 1);
	close_lcores(&l);
}

// Three times, once a second, whatever the number of lcores; then each reports its own.
static void test_nobody_answers(void **state)
{
	struct lcores l = open_lcores((struct nd_conf){.dad = 0});

	send(&l, 1, 1);
	pass(&l, SEC / 2);
	send(&l, 0, 2);
	pass(&l, 4 * SEC);
	assert_int_equal(sent(&l, 0, 135), 3);
	assert_int_equal(sent(&l, 1, 135), 0);
	assert_int_equal(nd_world_drops(l.w[0], "nd-hold", "unresolved"), 1);
	assert_int_equal(nd_world_drops(l.w[1], "nd-hold", "unresolved"), 1);
	assert_int_equal(sent(&l, 0, 1), 1);
	assert_int_equal(sent(&l, 1, 1), 1);
	close_lcores(&l);
}

// Used by lcore 1 alone: lcore 0 asks, by unicast, whether it is still there; it is, then it is
// not.
static void test_unreachability(void **state)
{
	struct lcores l = open_lcores((struct nd_conf){.dad = 0});
	uint8_t mac[6];

	nd_unhex(PEER_MAC, mac);
	send(&l, 1, 1);
	peer_answers(&l, 0);
	pass(&l, 50 * SEC);
	send(&l, 1, 2);
	forget(&l);
	pass(&l, 8 * SEC);
	assert_true(sent(&l, 0, 135) >= 1);
	assert_int_equal(sent(&l, 1, 135), 0);
	assert_memory_equal(l.w[0]->out[0].bytes, mac, 6);
	peer_answers(&l, 0);
	forget(&l);
	send(&l, 1, 3);
	expect_ids(&l, 1, 3, 1);
	pass(&l, 50 * SEC);
	send(&l, 1, 4);
	pass(&l, 12 * SEC); // silent: gone
	forget(&l);
	send(&l, 1, 5);
	assert_int_equal(l.w[1]->s->neighbors.held, 1);
	assert_int_equal(l.w[1]->sent, 0);
	assert_int_equal(sent(&l, 0, 135), 1);
	close_lcores(&l);
}

static uint8_t state_of(const struct lcores *l, unsigned k)
{
	uint8_t a[16];

	nd_unhex(SELF, a);
	return ip6_stack_own(l->w[k]->s, LAN, a)->state;
}

// lcore 0 alone asks whether our addresses are ours, and no lcore uses them before.
static void test_dad(void **state)
{
	struct lcores l = open_lcores((struct nd_conf){.dad = 1});

	pass(&l, SEC);
	assert_int_equal(sent(&l, 0, 135), 4);
	assert_int_equal(state_of(&l, 1), IP6_TENTATIVE);
	pass(&l, SEC + STEP);
	assert_int_equal(state_of(&l, 0), IP6_VALID);
	assert_int_equal(state_of(&l, 1), IP6_VALID);
	assert_int_equal(l.w[1]->sent, 0);
	close_lcores(&l);
}

// Whichever hears that an address is taken, no lcore uses it.
static void test_duplicate(void **state)
{
	static const char *const message[] = {"8700000000000000" SELF,
					      "8700000000000000" SELF "0e01aabbccddeeff"};

	for (unsigned k = 0; k < 4; k++) {
		struct lcores l = open_lcores((struct nd_conf){.dad = 1});
		struct nd_packet p = nd_packet(GROUP_MAC, NOBODY, GROUP, 255, message[k / 2]);

		pass(&l, SEC);
		nd_world_rx_packet(l.w[k % 2], LAN, &p);
		pump(&l);
		assert_int_equal(state_of(&l, 0), IP6_DUPLICATE);
		assert_int_equal(state_of(&l, 1), IP6_DUPLICATE);
		close_lcores(&l);
	}
}

// lcore 0's own solicitation, come back to lcore 1, is known by its nonce there too.
static void test_loop(void **state)
{
	struct lcores l = open_lcores((struct nd_conf){.dad = 1});

	pass(&l, SEC);
	for (unsigned i = 0; i < l.w[0]->sent; i++)
		nd_world_rx(l.w[1], l.w[0]->out[i].port, l.w[0]->out[i].bytes, l.w[0]->out[i].len,
			    0);
	pump(&l);
	pass(&l, 2 * SEC);
	assert_int_equal(state_of(&l, 0), IP6_VALID);
	assert_int_equal(state_of(&l, 1), IP6_VALID);
	close_lcores(&l);
}

// Whichever hears somebody ask for routers, lcore 0 advertises.
static void test_router_solicitation(void **state)
{
	struct nd_ra ra = {.interval = 1800, .lifetime = 1800};
	struct lcores l = open_lcores((struct nd_conf){.ra = &ra});
	struct nd_packet p = nd_packet("333300000002", "fe800000000000000000000000000077",
				       "ff020000000000000000000000000002", 255,
				       "8500000000000000"
				       "0101" PEER_MAC);

	pass(&l, 40 * SEC);
	assert_int_equal(sent(&l, 1, 134), 0);
	forget(&l);
	nd_world_rx_packet(l.w[1], LAN, &p);
	pump(&l);
	pass(&l, SEC);
	assert_int_equal(sent(&l, 0, 134), 1);
	assert_int_equal(sent(&l, 1, 134), 0);
	close_lcores(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_request),
		cmocka_unit_test(test_answered_from_table),
		cmocka_unit_test(test_asked_for),
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_unreachability),
		cmocka_unit_test(test_dad),
		cmocka_unit_test(test_duplicate),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_router_solicitation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
