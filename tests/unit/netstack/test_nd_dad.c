// SPDX-License-Identifier: BSD-3-Clause
// test_nd_dad.c - duplicate address detection (RFC 4862, 5.4; RFC 7527)
#include "tests/unit/netstack/nd_world.h"

#define GROUP	   "ff0200000000000000000001ff000001"
#define GROUP_MAC  "3333ff000001"
#define NOBODY	   "00000000000000000000000000000000"
#define ALL	   "ff020000000000000000000000000001"
#define NS(target) "8700000000000000" target

static const struct nd_conf conf = {.dad = 1};

static uint8_t state_of(const struct nd_world *w, const char *hex)
{
	uint8_t a[16];

	nd_unhex(hex, a);
	return ip6_stack_own(w->s, LAN, a)->state;
}

static bool is_dad(const struct nd_frame *f, const char *target)
{
	static const uint8_t nobody[16];
	uint8_t a[16];

	nd_unhex(target, a);
	return f->bytes[54] == 135 && !memcmp(f->bytes + 22, nobody, 16) &&
	       !memcmp(f->bytes + 62, a, 16);
}

// Solicitations that ask for `target` by nobody.
static unsigned count(const struct nd_world *w, const char *target)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->sent; i++)
		n += is_dad(&w->out[i], target);
	return n;
}

static unsigned answers(struct nd_world *w)
{
	struct nd_packet p = nd_packet(GROUP_MAC, PEER, GROUP, 255, NS(SELF) "0101" PEER_MAC);
	unsigned n = 0;

	w->sent = 0;
	nd_world_rx_packet(w, LAN, &p);
	for (unsigned i = 0; i < w->sent; i++)
		n += w->out[i].bytes[54] == 136;
	w->sent = 0;
	return n;
}

// The message by scapy 2.5.0, but for the nonce; within a second, then for a second nobody objects.
static void test_alone(void **state)
{
	static const char want[] =
		"3333ff00000102000000000186dd6000000000203aff00000000000000000000"
		"000000000000ff0200000000000000000001ff0000018700";
	struct nd_world *w = nd_world_open(&conf);
	uint64_t start = w->clock.now, asked = 0;
	uint8_t bytes[64];

	assert_int_equal(state_of(w, SELF), IP6_TENTATIVE);
	assert_int_equal(state_of(w, SELF_LINK), IP6_TENTATIVE);
	nd_world_pass(w, SEC);
	assert_int_equal(count(w, SELF), 1);
	assert_int_equal(count(w, SELF_LINK), 1);
	assert_int_equal(w->sent, 4); // both interfaces, two addresses each, none anycast
	for (unsigned i = 0; i < w->sent; i++)
		if (is_dad(&w->out[i], SELF)) {
			size_t len = nd_unhex(want, bytes);

			asked = w->out[i].at;
			assert_memory_equal(w->out[i].bytes, bytes, len);
			assert_int_equal(w->out[i].len, 86);
			assert_int_equal(w->out[i].bytes[78], 14); // RFC 7527, 4.1: a nonce
			assert_int_equal(w->out[i].bytes[79], 1);
		}
	assert_true(asked >= start && asked <= start + SEC);
	nd_world_pass(w, asked + SEC - w->clock.now - 1);
	assert_int_equal(state_of(w, SELF), IP6_TENTATIVE);
	nd_world_pass(w, 1);
	assert_int_equal(state_of(w, SELF), IP6_VALID);
	nd_world_pass(w, SEC);
	assert_int_equal(answers(w), 1);
	nd_world_close(w);
}

static void test_transmits(void **state)
{
	struct nd_conf three = {.dad = 3};
	struct nd_world *w = nd_world_open(&three);

	nd_world_pass(w, 3 * SEC - 1);
	assert_int_equal(state_of(w, SELF), IP6_TENTATIVE);
	nd_world_pass(w, SEC + 1);
	assert_int_equal(state_of(w, SELF), IP6_VALID);
	assert_int_equal(count(w, SELF), 3);
	nd_world_close(w);
}

static void test_off(void **state)
{
	struct nd_world *w = nd_world_open(NULL);

	assert_int_equal(answers(w), 1);
	nd_world_pass(w, 5 * SEC);
	nd_world_quiet(w);
	nd_world_close(w);
}

// 5.4: a tentative address is not answered for, and nothing is asked in its name.
static void test_tentative(void **state)
{
	struct nd_world *w = nd_world_open(&conf);
	unsigned asked = 0;

	graph_housekeep(w->g, w->clock.now);
	assert_int_equal(answers(w), 0);
	assert_int_equal(nd_world_drops(w, "nd-input", "tentative"), 1);
	w->sent = 0;
	nd_world_send(w, 1); // somebody wants the peer
	assert_int_equal(w->s->neighbors.held, 1);
	nd_world_pass(w, 2900000000ull);
	for (unsigned i = 0; i < w->sent; i++)
		asked += w->out[i].port == LAN && w->out[i].bytes[69 - 15 + 0] == 135 &&
			 w->out[i].bytes[62 + 15] == 0x77;
	assert_true(asked >= 1); // as soon as there is a name to ask in
	nd_world_close(w);
}

static void expect_duplicate(struct nd_world *w, uint64_t drops)
{
	union ip_addr addr;
	uint16_t iface;
	uint8_t self[16];

	nd_unhex(SELF, self);
	assert_int_equal(state_of(w, SELF), IP6_DUPLICATE);
	assert_int_equal(nd_world_drops(w, "nd-input", "duplicate-address"), drops);
	nd_world_pass(w, 10 * SEC);
	assert_int_equal(state_of(w, SELF), IP6_DUPLICATE);
	assert_int_equal(answers(w), 0);
	assert_int_equal(state_of(w, SELF_LINK), IP6_VALID); // the others are used
	assert_true(nd_next_duplicate(w->s, &addr, &iface));
	assert_memory_equal(addr.v6, self, 16);
	assert_int_equal(iface, LAN);
	assert_false(nd_next_duplicate(w->s, &addr, &iface)); // told once
}

// 5.4.4: somebody answers.
static void test_has(void **state)
{
	struct nd_world *w = nd_world_open(&conf);
	struct nd_packet p =
		nd_packet("333300000001", SELF, ALL, 255, "8800000020000000" SELF "0201" PEER_MAC);

	nd_world_pass(w, SEC);
	nd_world_rx_packet(w, LAN, &p);
	expect_duplicate(w, 1);
	nd_world_close(w);
}

// 5.4.3: somebody asks for it as well; before we did, too.
static void test_wants(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		struct nd_world *w = nd_world_open(&conf);
		struct nd_packet p =
			nd_packet(GROUP_MAC, NOBODY, GROUP, 255, NS(SELF) "0e01aabbccddeeff");

		if (late)
			nd_world_pass(w, SEC);
		else
			graph_housekeep(w->g, w->clock.now);
		nd_world_rx_packet(w, LAN, &p);
		expect_duplicate(w, 1);
		nd_world_close(w);
	}
}

// Without a nonce (who does not know RFC 7527), and with our own MAC address: a copy of this
// machine.
static void test_twin(void **state)
{
	struct nd_world *w = nd_world_open(&conf);
	struct nd_packet p = nd_packet(GROUP_MAC, NOBODY, GROUP, 255, NS(SELF));

	nd_unhex("020000000001", p.b + 6);
	nd_world_pass(w, SEC);
	nd_world_rx_packet(w, LAN, &p);
	expect_duplicate(w, 1);
	nd_world_close(w);
}

// RFC 7527, 4.2: our own solicitation come back takes nothing from us.
static void test_loop(void **state)
{
	struct nd_world *w = nd_world_open(&conf);
	unsigned sent;

	nd_world_pass(w, SEC);
	sent = w->sent;
	for (unsigned i = 0; i < sent; i++)
		nd_world_rx(w, w->out[i].port, w->out[i].bytes, w->out[i].len, 0);
	assert_int_equal(nd_world_drops(w, "nd-input", "tentative"), sent);
	nd_world_pass(w, SEC);
	assert_int_equal(state_of(w, SELF), IP6_VALID);
	nd_world_close(w);
}

// Nobody hears a question before there is a link.
static void test_link(void **state)
{
	struct nd_world *w = nd_world_open(&conf);

	ifaces_link(w->s->ifs, LAN, false);
	nd_world_pass(w, 20 * SEC);
	assert_int_equal(count(w, SELF), 0);
	assert_int_equal(state_of(w, SELF), IP6_TENTATIVE);
	ifaces_link(w->s->ifs, LAN, true);
	nd_world_pass(w, SEC + SEC / 10);
	assert_int_equal(count(w, SELF), 1);
	nd_world_pass(w, SEC);
	assert_int_equal(state_of(w, SELF), IP6_VALID);
	nd_world_close(w);
}

// Who asks where a tentative address is does not have it.
static void test_asked(void **state)
{
	struct nd_world *w = nd_world_open(&conf);

	nd_world_pass(w, SEC);
	answers(w);
	nd_world_pass(w, SEC);
	assert_int_equal(state_of(w, SELF), IP6_VALID);
	nd_world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone), cmocka_unit_test(test_transmits),
		cmocka_unit_test(test_off),   cmocka_unit_test(test_tentative),
		cmocka_unit_test(test_has),   cmocka_unit_test(test_wants),
		cmocka_unit_test(test_twin),  cmocka_unit_test(test_loop),
		cmocka_unit_test(test_asked), cmocka_unit_test(test_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
