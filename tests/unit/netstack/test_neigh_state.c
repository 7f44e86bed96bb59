// SPDX-License-Identifier: BSD-3-Clause
// test_neigh_state.c - states of a neighbor: RFC 4861, 7.3 and appendix C, of a table of IPv6;
// where IPv4 goes another way, test_arp_hold.c has it
#include "tests/unit/netstack/neigh_world.h"

#define REACHABLE 30 // seconds

static struct neigh_world *begin(void)
{
	return neigh_open(ETH_TYPE_IP6, 4, 20, REACHABLE);
}

static uint8_t state_of(struct neigh_world *w, unsigned n)
{
	union ip_addr a = nth(ETH_TYPE_IP6, n);

	return w->t.neigh[neigh_find(&w->t, 0, &a)].state;
}

static void use(struct neigh_world *w, unsigned n)
{
	union ip_addr a = nth(ETH_TYPE_IP6, n);

	neigh_send(w, ADJ_INDEX_GLEAN0, &a, 0);
}

static uint8_t last_mac(struct neigh_world *w)
{
	assert_true(w->sent > 0);
	return w->sent_eth[w->sent - 1][5];
}

// 7.2.2: three solicitations, a second apart; then each packet that waited is reported.
static void test_incomplete(void **state)
{
	struct neigh_world *w = begin();

	use(w, 1);
	assert_int_equal(w->asked, 1);
	assert_true(w->asked_all);
	assert_int_equal(state_of(w, 1), NEIGH_INCOMPLETE);
	neigh_pass(w, SEC - 1);
	assert_int_equal(w->asked, 1);
	neigh_pass(w, 2 * SEC);
	assert_int_equal(w->asked, 3);
	neigh_pass(w, 1);
	assert_int_equal(w->asked, 3);
	assert_int_equal(w->unresolved, 1);
	assert_int_equal(w->t.node->stats.drop[NEIGH_DROP_UNRESOLVED], 1);
	assert_int_equal(state_of(w, 1), NEIGH_FREE);
	neigh_pass(w, 100 * SEC);
	assert_int_equal(w->asked, 3);
	neigh_close(w);
}

// 7.3.3: REACHABLE, then STALE; used, DELAY for 5 seconds, then PROBE by unicast, and no answer:
// gone.
static void test_unreachability(void **state)
{
	struct neigh_world *w = begin();

	use(w, 1);
	neigh_tell_news(w, 1, 7, NEIGH_CONFIRMED | NEIGH_OVERRIDE);
	assert_int_equal(state_of(w, 1), NEIGH_REACHABLE);
	neigh_pass(w, REACHABLE * SEC - 1);
	use(w, 1); // which is no question
	assert_int_equal(state_of(w, 1), NEIGH_REACHABLE);
	neigh_pass(w, 1);
	assert_int_equal(state_of(w, 1), NEIGH_STALE);
	neigh_pass(w, 60 * SEC);
	assert_int_equal(state_of(w, 1), NEIGH_STALE);
	assert_int_equal(w->asked, 1);
	use(w, 1);
	assert_int_equal(w->sent, 3); // it is sent to the address that is known
	neigh_pass(w, SEC);
	assert_int_equal(state_of(w, 1), NEIGH_DELAY);
	neigh_pass(w, 5 * SEC - 1);
	assert_int_equal(w->asked, 1);
	neigh_pass(w, 1);
	assert_int_equal(state_of(w, 1), NEIGH_PROBE);
	assert_int_equal(w->asked, 2);
	assert_false(w->asked_all);
	assert_int_equal(w->asked_mac[5], 7);
	use(w, 1);
	assert_int_equal(w->sent, 4);
	neigh_pass(w, 2 * SEC);
	assert_int_equal(w->asked, 4);
	neigh_pass(w, SEC);
	assert_int_equal(state_of(w, 1), NEIGH_FREE);
	assert_int_equal(w->unresolved, 0); // none waited
	neigh_close(w);
}

static void test_probe_answered(void **state)
{
	struct neigh_world *w = begin();

	neigh_tell_news(w, 1, 7, NEIGH_CREATE);
	assert_int_equal(state_of(w, 1), NEIGH_STALE); // 7.2.3
	use(w, 1);
	neigh_pass(w, 6 * SEC);
	assert_int_equal(state_of(w, 1), NEIGH_PROBE);
	neigh_tell_news(w, 1, 0, NEIGH_CONFIRMED); // 7.2.5: no address is needed
	assert_int_equal(state_of(w, 1), NEIGH_REACHABLE);
	neigh_pass(w, 5 * SEC);
	assert_int_equal(w->asked, 1);
	neigh_close(w);
}

static void test_unused_is_forgotten(void **state)
{
	struct neigh_world *w = begin();

	neigh_tell_news(w, 1, 7, NEIGH_CREATE);
	neigh_pass(w, NEIGH_STALE_TIME + SEC);
	assert_int_equal(state_of(w, 1), NEIGH_FREE);
	assert_int_equal(w->asked, 0);
	neigh_close(w);
}

// Where the table is nearly full, sooner; who is used stays.
static void test_crowd(void **state)
{
	struct neigh_world *w = begin();

	for (unsigned n = 1; n <= 20; n++)
		assert_int_not_equal(neigh_tell_news(w, n, 7, NEIGH_CREATE), 0);
	assert_int_equal(neigh_tell_news(w, 21, 7, NEIGH_CREATE), 0); // full
	for (unsigned i = 0; i < 12; i++) {
		use(w, 3);
		neigh_tell_news(w, 3, 0, NEIGH_CONFIRMED);
		neigh_pass(w, SEC);
	}
	assert_int_equal(w->t.learnt, 15); // three quarters
	assert_int_equal(state_of(w, 3), NEIGH_REACHABLE);
	assert_int_not_equal(neigh_tell_news(w, 21, 7, NEIGH_CREATE), 0);
	neigh_close(w);
}

// Appendix C, row by row: what is known (a state and mac 7), what is heard, what comes of it.
static void test_appendix_c(void **state)
{
	enum { S = NEIGH_CONFIRMED, O = NEIGH_OVERRIDE };
	static const struct {
		uint8_t known;
		uint8_t heard, flags;
		uint8_t then, mac;
	} rows[] = {
		// INCOMPLETE: NA solicited 0 or 1, any override, with an address; NS &c.; NA
		// without
		{NEIGH_INCOMPLETE, 8, 0, NEIGH_STALE, 8},
		{NEIGH_INCOMPLETE, 8, O, NEIGH_STALE, 8},
		{NEIGH_INCOMPLETE, 8, S, NEIGH_REACHABLE, 8},
		{NEIGH_INCOMPLETE, 8, S | O, NEIGH_REACHABLE, 8},
		{NEIGH_INCOMPLETE, 0, S | O, NEIGH_INCOMPLETE, 0},
		// others: NA solicited, no override, the same address
		{NEIGH_STALE, 7, S, NEIGH_REACHABLE, 7},
		{NEIGH_PROBE, 7, S, NEIGH_REACHABLE, 7},
		{NEIGH_REACHABLE, 7, S, NEIGH_REACHABLE, 7},
		// no override, another address
		{NEIGH_REACHABLE, 8, S, NEIGH_STALE, 7},
		{NEIGH_REACHABLE, 8, 0, NEIGH_STALE, 7},
		{NEIGH_STALE, 8, S, NEIGH_STALE, 7},
		{NEIGH_DELAY, 8, 0, NEIGH_DELAY, 7},
		{NEIGH_PROBE, 8, S, NEIGH_PROBE, 7},
		// override
		{NEIGH_STALE, 8, S | O, NEIGH_REACHABLE, 8},
		{NEIGH_PROBE, 8, S | O, NEIGH_REACHABLE, 8},
		{NEIGH_REACHABLE, 8, O, NEIGH_STALE, 8},
		{NEIGH_DELAY, 8, O, NEIGH_STALE, 8},
		{NEIGH_PROBE, 8, O, NEIGH_STALE, 8},
		// not solicited, the same address: nothing changes
		{NEIGH_REACHABLE, 7, O, NEIGH_REACHABLE, 7},
		{NEIGH_REACHABLE, 7, 0, NEIGH_REACHABLE, 7},
		{NEIGH_STALE, 7, O, NEIGH_STALE, 7},
		{NEIGH_PROBE, 7, 0, NEIGH_PROBE, 7},
		{NEIGH_DELAY, 0, 0, NEIGH_DELAY, 7},
	};

	for (unsigned r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct neigh_world *w = begin();

		if (rows[r].known == NEIGH_INCOMPLETE)
			use(w, 1);
		else
			neigh_tell_news(w, 1, 7,
					NEIGH_CREATE | (rows[r].known == NEIGH_REACHABLE ? S : 0));
		if (rows[r].known == NEIGH_DELAY || rows[r].known == NEIGH_PROBE)
			use(w, 1);
		if (rows[r].known == NEIGH_DELAY)
			neigh_pass(w, 2 * SEC);
		if (rows[r].known == NEIGH_PROBE)
			neigh_pass(w, 7 * SEC);
		assert_int_equal(state_of(w, 1), rows[r].known);
		neigh_tell_news(w, 1, rows[r].heard, rows[r].flags);
		assert_int_equal(state_of(w, 1), rows[r].then);
		if (rows[r].mac) {
			use(w, 1);
			assert_int_equal(last_mac(w), rows[r].mac);
		}
		neigh_close(w);
	}
}

// Nobody is made known by an advertisement (7.2.5).
static void test_unknown(void **state)
{
	struct neigh_world *w = begin();

	assert_int_equal(neigh_tell_news(w, 1, 7, NEIGH_CONFIRMED | NEIGH_OVERRIDE), 0);
	assert_int_equal(neigh_tell_news(w, 1, 0, NEIGH_CREATE), 0);
	assert_int_equal(state_of(w, 1), NEIGH_FREE);
	neigh_close(w);
}

// Packets that were sent on word not confirmed begin the questions: 7.3.3, STALE is left by the
// first.
static void test_released_is_use(void **state)
{
	struct neigh_world *w = begin();

	use(w, 1);
	neigh_tell_news(w, 1, 7, NEIGH_OVERRIDE);
	assert_int_equal(w->sent, 1);
	assert_int_equal(state_of(w, 1), NEIGH_STALE);
	neigh_pass(w, SEC);
	assert_int_equal(state_of(w, 1), NEIGH_DELAY);
	neigh_close(w);
}

// A watched next hop that fails is told of, asked again, and told of when it is back.
static void test_watch(void **state)
{
	struct neigh_world *w = begin();
	union ip_addr a = nth(ETH_TYPE_IP6, 1);
	uint32_t hop = w->t.hop0;

	assert_int_equal(neigh_pin(&w->t, hop, 0, &a), 0);
	neigh_watch(&w->t, hop, true);
	neigh_send(w, hop, NULL, 1);
	neigh_tell_news(w, 1, 7, NEIGH_CONFIRMED);
	assert_int_equal(w->ups, 1);
	neigh_pass(w, (10 + 1 + 5 + 3) * SEC); // asked even if nobody uses it
	assert_int_equal(w->downs, 1);
	assert_int_equal(state_of(w, 1), NEIGH_FAILED);
	w->asked = 0;
	neigh_pass(w, NEIGH_FAILED_TIME);
	assert_int_equal(w->asked, 1);
	neigh_pass(w, 3 * SEC + 3 * NEIGH_FAILED_TIME);
	assert_true(w->asked > 4);
	assert_int_equal(w->downs, 1); // told once
	w->asked = 0;
	neigh_send(w, hop, NULL, 2); // nobody waits for the next time
	assert_true(w->asked <= 1 && w->t.held == 1);
	neigh_tell_news(w, 1, 7, NEIGH_CONFIRMED);
	assert_int_equal(w->ups, 2);
	assert_int_equal(w->sent, 2);
	neigh_watch(&w->t, hop, false);
	neigh_pass(w, 10 * REACHABLE * SEC);
	assert_int_equal(w->downs, 1);
	neigh_close(w);
}

// However long neighbors are trusted otherwise, a watched one that goes is missed within 15 seconds
// by ARP, 20 by ND: also one that was known before it was watched.
static void test_watch_is_quick(void **state)
{
	static const uint16_t types[] = {ETH_TYPE_IP4, ETH_TYPE_IP6};

	for (unsigned i = 0; i < 4; i++) {
		struct neigh_world *w = neigh_open(types[i % 2], 4, 20, 300);
		union ip_addr a = nth(types[i % 2], 1);
		uint32_t hop = w->t.hop0;

		assert_int_equal(neigh_pin(&w->t, hop, 0, &a), 0);
		if (i < 2)
			neigh_watch(&w->t, hop, true);
		neigh_tell_news(w, 1, 7, NEIGH_CONFIRMED);
		neigh_watch(&w->t, hop, true);
		for (unsigned k = 0; k < 90; k++) {
			neigh_pass(w, SEC);
			if (w->asked)
				neigh_tell_news(w, 1, 7, NEIGH_CONFIRMED);
			w->asked = 0;
		}
		assert_int_equal(w->downs, 0);
		neigh_pass(w, (i % 2 ? 20 : 15) * SEC);
		assert_int_equal(w->downs, 1);
		neigh_close(w);
	}
}

// A next hop that nobody watches and that fails is asked again when it is wanted.
static void test_pinned_fails(void **state)
{
	struct neigh_world *w = begin();
	union ip_addr a = nth(ETH_TYPE_IP6, 1);

	assert_int_equal(neigh_pin(&w->t, w->t.hop0, 0, &a), 0);
	neigh_send(w, w->t.hop0, NULL, 1);
	neigh_pass(w, 3 * SEC);
	assert_int_equal(w->unresolved, 1);
	neigh_pass(w, 100 * SEC);
	assert_int_equal(w->asked, 3);
	neigh_send(w, w->t.hop0, NULL, 2);
	assert_int_equal(w->asked, 4);
	neigh_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_incomplete),	cmocka_unit_test(test_unreachability),
		cmocka_unit_test(test_probe_answered),	cmocka_unit_test(test_unused_is_forgotten),
		cmocka_unit_test(test_appendix_c),	cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_released_is_use), cmocka_unit_test(test_watch),
		cmocka_unit_test(test_pinned_fails),	cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_watch_is_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
