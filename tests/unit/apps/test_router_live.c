// SPDX-License-Identifier: BSD-3-Clause
// test_router_live.c - routes change while two lcores forward by them; run under ThreadSanitizer
// too
//
// Prefix i, a /24, is only ever led to neighbors whose address ends in 2 + i % 8 + 8 k: one of
// them, several, or none. Hops come and go by the thousand, and their numbers with them, in
// transactions that succeed or fail. Both lcores look up addresses in every burst: what they find
// must be such a neighbor of such a prefix.
#include <errno.h>

#include "apps/router/live.h"
#include "apps/router/router.h"
#include "netstack/fib_node.h"
#include "netstack/lpm4.h"
#include "tests/unit/apps/app_test.h"

#define CONFIG                                                                                     \
	"version: 1\nfunction: router\nlcores: 2\nidle: off\nports:\n"                             \
	"  a: {device: \"null:size=60,flows=1000\", addresses: [192.0.2.1/24]}\n"                  \
	"  b: {device: \"null\", addresses: [198.51.100.1/24]}\n"
#define PREFIXES 512u
#define OPS	 1000u // of a transaction
#define LOOKUPS	 16u   // a burst
#define UPDATES	 100000u

static struct app app;
static _Atomic unsigned wrong, checked[2], found[2];
static uint64_t seed = 9;
static unsigned updates;
static uint8_t now[PREFIXES], then[PREFIXES]; // whether the prefix is there; as of the transaction
static bool busy, fails;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull; // Knuth, MMIX
	return (uint32_t)(seed >> 33) % n;
}

static bool right(const struct adj *adj, uint32_t index, uint32_t addr, uint32_t hash)
{
	const struct adj *a = &adj[index];
	uint32_t only;

	if (index == LPM4_MISS)
		return true;
	if (a->kind == ADJ_MULTI) {
		only = fib_only(fib_multi(a));
		a = &adj[only ? only : fib_choose(fib_multi(a), hash)];
	}
	return a->kind == ADJ_FORWARD && (be32(a->addr.v4) - 2) % 8 == (addr >> 8) % 8;
}

static void check_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct app_lcore *l = node->state;
	struct router *r = router_of(l->app);
	uint32_t addr[LOOKUPS], nh[LOOKUPS],
		x = atomic_load_explicit(&checked[l->id], memory_order_relaxed) * LOOKUPS;

	for (unsigned i = 0; i < LOOKUPS; i++)
		addr[i] = 0x0a000000 | (x + i) * 2654435761u >> 23 << 8 | i;
	lpm4_lookup_bulk(r->ip4[l->id]->lpm, addr, nh, LOOKUPS);
	for (unsigned i = 0; i < LOOKUPS; i++) {
		if (!right(r->ip4[l->id]->neighbors.adj, nh[i], addr[i], (x + i) * 40503u))
			atomic_fetch_add(&wrong, 1);
		if (nh[i] != LPM4_MISS)
			atomic_fetch_add_explicit(&found[l->id], 1, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&checked[l->id], 1, memory_order_relaxed);
	node_all(node, NEXT_DROP(0));
}

static const char *const drops[] = {"checked", NULL};
static const struct node_def check_def = {
	.name = "check", .process = check_process, .drops = drops};

static int check_build(struct app_lcore *l, struct err *err)
{
	int rc = router_function.build(l, err);

	if (!rc)
		l->rx[0] = graph_add(l->graph, &check_def, "check", l, err);
	return rc ? rc : l->rx[0] ? 0 : -1;
}

static void stage_one(struct live *live, unsigned at)
{
	uint32_t i = rnd(PREFIXES);
	struct fib_route r = {.family = 4, .plen = 24, .prefix.v4 = be32(0x0a000000 | i << 8)};
	bool there = rnd(4);
	struct err err = {""};

	r.paths = (uint8_t)(1 + rnd(3));
	r.owner = (uint8_t)(1 + rnd(2));
	for (unsigned p = 0; p < r.paths; p++)
		r.path[p] = (struct fib_path){.via.v4 = be32(0xc0000202 + i % 8 + 8 * rnd(30)),
					      .iface = FIB_IFACE_ANY,
					      .weight = 1};
	if (live_route(live, there ? LIVE_REPLACE : LIVE_FORGET, &r, at, &err))
		fail_msg("%s", err.text);
	then[i] = there;
}

// One in five transactions ends with an operation that fails.
static void stage(struct live *live)
{
	struct fib_route r = {
		.family = 4, .plen = 24, .kind = FIB_BLACKHOLE, .prefix.v4 = be32(0xcb007100)};

	live_begin(live, false);
	memcpy(then, now, sizeof(then));
	for (unsigned i = 0; i < OPS; i++)
		stage_one(live, i);
	fails = rnd(5) == 0;
	if (fails)
		assert_int_equal(live_route(live, LIVE_DELETE, &r, OPS, NULL), 0);
}

static void compare(struct fib *f)
{
	for (uint32_t i = 0; i < PREFIXES; i++) {
		union ip_addr prefix = {.v4 = be32(0x0a000000 | i << 8)};

		assert_int_equal(fib_get(f, 4, 0, &prefix, 24) >= 0, now[i]);
	}
}

static bool change(struct app *a)
{
	struct router *r = router_of(a);
	struct live_result result;
	struct err err;
	int rc;

	if (!busy && live_work(r->live))
		return true;
	if (!busy)
		stage(r->live);
	busy = true;
	// Several slices at once: there are others' turns between any two phases all the same.
	for (unsigned k = 0; k < 64; k++)
		if ((rc = live_commit(r->live, &result, &err)) != -EINPROGRESS)
			break;
	if (rc == -EINPROGRESS)
		return true;
	busy = false;
	assert_int_equal(rc, fails ? -ESRCH : 0);
	if (!fails)
		memcpy(now, then, sizeof(now));
	live_end(r->live);
	compare(r->fib);
	updates += OPS;
	if (updates >= UPDATES)
		app_end(a);
	return true;
}

static struct function checked_router;
const struct function *const function_list[] = {&checked_router, NULL};

static void no_packet_takes_a_wrong_next_hop(void **state)
{
	void *blob;

	test_needs_cpus(2);
	checked_router = router_function;
	checked_router.build = check_build;
	checked_router.work = change;
	test_start(&app, CONFIG, &blob);
	for (unsigned k = 0; k < 2; k++)
		app.lcore[k].loop.burst = 2; // short turns: many changes
	app_run(&app);
	assert_int_equal(atomic_load(&wrong), 0);
	for (unsigned k = 0; k < 2; k++)
		assert_true(atomic_load(&found[k]) > 0);
	test_stop(&app, blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_packet_takes_a_wrong_next_hop),
	};

	return cmocka_run_group_tests_name("router_live", tests, NULL, NULL);
}
