// SPDX-License-Identifier: BSD-3-Clause
// test_neigh.c - the table of neighbors, of both families: found, pinned, moved, listed, forgotten
#include "tests/unit/netstack/neigh_world.h"

#include <errno.h>
#include <stdlib.h>

static const uint16_t types[] = {ETH_TYPE_IP4, ETH_TYPE_IP6};

// Every neighbor can be found, until forgotten, whatever was forgotten in between.
static void test_find(void **state)
{
	for (unsigned f = 0; f < 2; f++) {
		struct neigh_world *w = neigh_open(types[f], 0, 500, 10);
		uint32_t where[500] = {0};
		union ip_addr extra = nth(types[f], 1000);

		srandom(4);
		for (unsigned i = 0; i < 500; i++) {
			union ip_addr a = nth(types[f], i);

			where[i] = neigh_create(&w->t, i & 1, &a);
			assert_true(where[i] >= ADJ_INDEX_GLEAN0 + 2);
		}
		assert_int_equal(neigh_create(&w->t, 0, &extra), 0); // full
		for (unsigned round = 0; round < 20000; round++) {
			unsigned i = (unsigned)random() % 500;
			union ip_addr a = nth(types[f], i);
			uint32_t found = neigh_find(&w->t, i & 1, &a);

			assert_int_equal(found, where[i]);
			assert_int_equal(neigh_find(&w->t, !(i & 1), &a), 0);
			if (found)
				neigh_forget(&w->t, found);
			where[i] = found ? 0 : neigh_create(&w->t, i & 1, &a);
		}
		neigh_close(w);
	}
}

// Two addresses that differ in any one bit are two neighbors.
static void test_every_bit(void **state)
{
	struct neigh_world *w = neigh_open(ETH_TYPE_IP6, 0, 200, 10);
	union ip_addr a = nth(ETH_TYPE_IP6, 1);
	uint32_t first = neigh_create(&w->t, 0, &a);

	for (unsigned bit = 0; bit < 128; bit++) {
		union ip_addr b = a;

		b.v6[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(neigh_find(&w->t, 0, &b), 0);
		assert_int_not_equal(neigh_create(&w->t, 0, &b), first);
	}
	assert_int_equal(neigh_find(&w->t, 0, &a), first);
	neigh_close(w);
}

// The header has the family's EtherType.
static void test_header(void **state)
{
	static const char *const want[] = {"\2\0\0\0\0\7\2\11\11\11\11\1\x08\x00",
					   "\2\0\0\0\0\7\2\11\11\11\11\1\x86\xdd"};

	for (unsigned f = 0; f < 2; f++) {
		struct neigh_world *w = neigh_open(types[f], 0, 10, 10);
		union ip_addr a = nth(types[f], 1);
		const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};

		assert_int_equal(neigh_set_static(&w->t, 1, &a, mac), 0);
		neigh_send(w, ADJ_INDEX_GLEAN0 + 1, &a, 5);
		assert_int_equal(w->sent, 1);
		assert_memory_equal(w->sent_eth[0], want[f], 14);
		neigh_close(w);
	}
}

// A next hop is made at the index that its route names, and only there.
static void test_pin(void **state)
{
	for (unsigned f = 0; f < 2; f++) {
		struct neigh_world *w = neigh_open(types[f], 4, 10, 10);
		union ip_addr a = nth(types[f], 1), b = nth(types[f], 2);
		uint32_t hop = w->t.hop0 + 2;

		assert_int_equal(neigh_pin(&w->t, w->t.hop0 - 1, 0, &a), -EINVAL);
		assert_int_equal(neigh_pin(&w->t, w->t.learnt0, 0, &a), -EINVAL);
		assert_int_equal(neigh_pin(&w->t, hop, 0, &a), 0);
		assert_int_equal(neigh_pin(&w->t, hop, 0, &a), 0);
		assert_int_equal(neigh_pin(&w->t, hop, 0, &b), -EBUSY);
		assert_int_equal(neigh_pin(&w->t, hop + 1, 0, &a), -EEXIST);
		assert_int_equal(neigh_find(&w->t, 0, &a), hop);
		assert_int_equal(w->t.adj[hop].kind, ADJ_FORWARD);
		neigh_unpin(&w->t, hop);
		assert_int_equal(neigh_find(&w->t, 0, &a), 0);
		assert_int_equal(w->t.adj[hop].kind, ADJ_NONE);
		assert_int_equal(neigh_pin(&w->t, hop, 0, &b), 0);
		neigh_close(w);
	}
}

// A neighbor that is known when a route comes to name it takes along what is known, and what waits.
static void test_pin_moves(void **state)
{
	for (unsigned f = 0; f < 2; f++) {
		struct neigh_world *w = neigh_open(types[f], 4, 10, 10);
		union ip_addr a = nth(types[f], 1), b = nth(types[f], 2);
		uint32_t hop = w->t.hop0;

		neigh_tell_news(w, 1, 7, NEIGH_CREATE | NEIGH_CONFIRMED | NEIGH_OVERRIDE);
		assert_int_equal(neigh_pin(&w->t, hop, 0, &a), 0);
		neigh_send(w, hop, NULL, 1);
		assert_int_equal(w->sent, 1);
		assert_int_equal(w->asked, 0);
		neigh_send(w, ADJ_INDEX_GLEAN0, &b, 2);
		neigh_send(w, ADJ_INDEX_GLEAN0, &b, 3);
		assert_int_equal(w->t.held, 2);
		assert_int_equal(neigh_pin(&w->t, hop + 1, 0, &b), 0);
		neigh_send(w, hop + 1, NULL, 4);
		assert_int_equal(w->asked, 1);
		neigh_tell_news(w, 2, 8, NEIGH_CONFIRMED);
		assert_int_equal(w->sent, 4);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(w->sent_id[i], i + 1);
		neigh_close(w);
	}
}

// And back: unpinned, it is still known, and what waits goes on waiting.
static void test_unpin_moves(void **state)
{
	for (unsigned f = 0; f < 2; f++) {
		struct neigh_world *w = neigh_open(types[f], 4, 10, 10);
		union ip_addr a = nth(types[f], 1);
		uint32_t hop = w->t.hop0;

		assert_int_equal(neigh_pin(&w->t, hop, 0, &a), 0);
		neigh_send(w, hop, NULL, 1);
		assert_int_equal(w->t.held, 1);
		neigh_unpin(&w->t, hop);
		assert_true(neigh_find(&w->t, 0, &a) >= w->t.learnt0);
		neigh_tell_news(w, 1, 7, NEIGH_CONFIRMED);
		assert_int_equal(w->sent, 1);
		neigh_send(w, ADJ_INDEX_GLEAN0, &a, 2);
		assert_int_equal(w->sent, 2);
		assert_int_equal(w->asked, 1);
		neigh_close(w);
	}
}

// With no room behind the hops, somebody makes room who is only learnt, for a configured one too.
static void test_unpin_crowded(void **state)
{
	struct neigh_world *w = neigh_open(ETH_TYPE_IP6, 1, 1, 10);
	union ip_addr a = nth(ETH_TYPE_IP6, 1), b = nth(ETH_TYPE_IP6, 2);
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

	assert_int_equal(neigh_pin(&w->t, w->t.hop0, 0, &a), 0);
	neigh_tell_news(w, 2, 7, NEIGH_CREATE);
	neigh_send(w, w->t.hop0, NULL, 1);
	neigh_unpin(&w->t, w->t.hop0);
	assert_int_equal(w->t.held, 1);
	assert_int_equal(neigh_find(&w->t, 0, &a), w->t.learnt0);
	assert_int_equal(neigh_find(&w->t, 0, &b), 0);
	neigh_tell_news(w, 1, 7, NEIGH_CONFIRMED);
	assert_int_equal(w->sent, 1);
	assert_int_equal(neigh_set_static(&w->t, 0, &b, mac), 0);
	assert_int_equal(neigh_find(&w->t, 0, &a), 0);
	assert_int_equal(neigh_set_static(&w->t, 0, &a, mac), -ENOSPC);
	neigh_close(w);
}

// With none to be made, what waits is dropped by name.
static void test_unpin_full(void **state)
{
	struct neigh_world *w = neigh_open(ETH_TYPE_IP6, 1, 1, 10);
	union ip_addr a = nth(ETH_TYPE_IP6, 1), b = nth(ETH_TYPE_IP6, 2);
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

	assert_int_equal(neigh_pin(&w->t, w->t.hop0, 0, &a), 0);
	assert_int_equal(neigh_set_static(&w->t, 0, &b, mac), 0);
	neigh_send(w, w->t.hop0, NULL, 1);
	neigh_unpin(&w->t, w->t.hop0);
	assert_int_equal(w->t.held, 0);
	assert_int_equal(w->t.node->stats.drop[NEIGH_DROP_FULL], 1);
	assert_int_equal(w->t.incomplete, 0);
	assert_int_equal(neigh_find(&w->t, 0, &a), 0);
	neigh_close(w);
}

// A configured neighbor serves who waits for it, stays over a pin, and can be deleted.
static void test_static(void **state)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};

	for (unsigned f = 0; f < 2; f++) {
		struct neigh_world *w = neigh_open(types[f], 1, 10, 10);
		union ip_addr a = nth(types[f], 1);

		neigh_send(w, ADJ_INDEX_GLEAN0, &a, 1);
		assert_int_equal(neigh_set_static(&w->t, 0, &a, mac), 0);
		graph_housekeep(w->g, w->clock.now);
		assert_int_equal(w->sent, 1);
		assert_int_equal(w->t.incomplete, 0);
		assert_int_equal(neigh_pin(&w->t, w->t.hop0, 0, &a), 0);
		neigh_tell_news(w, 1, 9, NEIGH_OVERRIDE | NEIGH_CONFIRMED); // a thief
		neigh_pass(w, 86400 * SEC);
		neigh_send(w, w->t.hop0, NULL, 2);
		assert_memory_equal(w->sent_eth[1], mac, 6);
		neigh_unpin(&w->t, w->t.hop0);
		neigh_send(w, ADJ_INDEX_GLEAN0, &a, 3);
		assert_memory_equal(w->sent_eth[2], mac, 6);
		assert_int_equal(neigh_delete(&w->t, 0, &a), 0);
		assert_int_equal(neigh_delete(&w->t, 0, &a), -ENOENT);
		w->asked = 0;
		neigh_send(w, ADJ_INDEX_GLEAN0, &a, 4);
		assert_int_equal(w->asked, 1);
		assert_int_equal(neigh_delete(&w->t, 0, &a), 0); // with what waits, and no report
		assert_int_equal(w->t.node->stats.drop[NEIGH_DROP_UNRESOLVED], 1);
		assert_int_equal(w->unresolved, 0);
		neigh_close(w);
	}
}

static void test_listing(void **state)
{
	struct neigh_world *w = neigh_open(ETH_TYPE_IP6, 3, 10, 10);
	union ip_addr a = nth(ETH_TYPE_IP6, 1), b = nth(ETH_TYPE_IP6, 2);
	struct neigh_info info;
	uint32_t at = 0;

	assert_int_equal(neigh_pin(&w->t, w->t.hop0 + 1, 1, &a), 0);
	neigh_tell_news(w, 2, 7, NEIGH_CREATE);
	clock_advance(&w->clock, w->clock.now + 3 * SEC);
	assert_true(neigh_next(&w->t, &at, w->clock.now, &info));
	assert_true(ip_addr_equal(&info.addr, &a));
	assert_int_equal(info.iface, 1);
	assert_true(info.pinned && !info.known);
	assert_string_equal(neigh_state_name(info.state), "idle");
	assert_true(neigh_next(&w->t, &at, w->clock.now, &info));
	assert_true(ip_addr_equal(&info.addr, &b));
	assert_int_equal(info.age, 3 * SEC);
	assert_true(!info.pinned && info.known && info.mac[5] == 7);
	assert_string_equal(neigh_state_name(info.state), "stale");
	assert_false(neigh_next(&w->t, &at, w->clock.now, &info));
	assert_false(neigh_next(&w->t, &at, w->clock.now, &info));
	neigh_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	   cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_header),	   cmocka_unit_test(test_pin),
		cmocka_unit_test(test_pin_moves),  cmocka_unit_test(test_unpin_moves),
		cmocka_unit_test(test_unpin_full), cmocka_unit_test(test_static),
		cmocka_unit_test(test_listing),	   cmocka_unit_test(test_unpin_crowded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
