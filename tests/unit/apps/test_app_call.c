// SPDX-License-Identifier: BSD-3-Clause
// test_app_call.c - something done on every lcore between two turns; run under ThreadSanitizer too
//
// A table is swapped again and again while both lcores read it in their bursts: what was swapped out is poisoned
// once app_called() says so, and no burst may see it.
#include "tests/unit/apps/app_test.h"

#define CONFIG                                                                                                 \
	"version: 1\nfunction: patch\nlcores: 2\nidle: %s\n"                                                   \
	"ports: {a: {device: \"null:rx=60\"}, b: {device: \"null\"}}\npatches: [{from: a, to: b}]\n"
#define POISON 0xdeadu
#define SWAPS  60u

static struct app app;
static unsigned table[2] = {1, 1};
static _Atomic unsigned live; // which of the two
static _Atomic unsigned reads, bad;
static unsigned ran[2], order[2], ticket, swaps, polls;
static bool under_way, full;

static void reader_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const unsigned *t = &table[atomic_load_explicit(&live, memory_order_acquire)];

	for (unsigned i = 0; i < 100; i++)
		if (*(volatile const unsigned *)t == POISON)
			atomic_fetch_add(&bad, 1);
	atomic_fetch_add_explicit(&reads, 1, memory_order_relaxed);
	node_all(node, NEXT_DROP(0));
}

static const char *const drops[] = {"read", NULL};
static const struct node_def reader_def = {.name = "reader", .process = reader_process, .drops = drops};

static int reader_build(struct app_lcore *l, struct err *err)
{
	l->rx[0] = graph_add(l->graph, &reader_def, "reader", NULL, err);
	return l->rx[0] ? 0 : -1;
}

static const struct function reader_function = {.name = "patch", .build = reader_build};
const struct function *const function_list[] = {&reader_function, NULL};

static void count(struct app_lcore *l, void *arg)
{
	ran[l->id]++;
	if (order[l->id]++ != (unsigned)(uintptr_t)arg)
		atomic_fetch_add(&bad, 1);
}

// One step of swapping: out, wait, poison.
static int swap(struct app *a)
{
	unsigned old = 1 - atomic_load(&live);

	polls++;
	if (under_way && !app_called(a, ticket))
		return 0;
	if (under_way) {
		table[old] = POISON;
		under_way = false;
		return ++swaps == SWAPS;
	}
	table[old] = swaps + 1;
	atomic_store_explicit(&live, old, memory_order_release);
	under_way = app_call(a, count, (void *)(uintptr_t)swaps, &ticket);
	return 0;
}

static void run(const char *idle, int (*tick)(struct app *))
{
	char text[300];
	void *blob;

	test_needs_cpus(2);
	memset(ran, 0, sizeof(ran));
	memset(order, 0, sizeof(order));
	table[0] = table[1] = 1;
	atomic_store(&bad, 0);
	atomic_store(&reads, 0);
	swaps = polls = ticket = 0;
	under_way = full = false;
	snprintf(text, sizeof(text), CONFIG, idle);
	test_start(&app, text, &blob);
	app.tick = tick;
	app_run(&app);
	assert_int_equal(atomic_load(&bad), 0);
	test_stop(&app, blob);
}

static void test_swaps(void **state)
{
	run("off", swap);
	assert_int_equal(swaps, SWAPS);
	assert_int_equal(ran[0], SWAPS);
	assert_int_equal(ran[1], SWAPS);
	assert_true(atomic_load(&reads) > 0);
}

// As many calls as there is room for, and one more.
static int fill(struct app *a)
{
	unsigned n = 0;

	if (full)
		return app_called(a, ticket);
	while (app_call(a, count, (void *)(uintptr_t)n, &ticket))
		full = ++n == 10 * APP_CALLS;
	full |= n > 0;
	assert_true(n >= APP_CALLS || n == 0);
	return 0;
}

static void test_full(void **state)
{
	run("off", fill);
	assert_true(ran[0] >= APP_CALLS);
	assert_int_equal(ran[0], ran[1]);
}

// An lcore that has ended need not be waited for.
static void test_after_the_end(void **state)
{
	char text[300];
	unsigned t;
	void *blob;

	test_needs_cpus(2);
	memset(order, 0, sizeof(order));
	snprintf(text, sizeof(text), CONFIG, "off");
	test_start(&app, text, &blob);
	app_end(&app);
	app_run(&app);
	assert_true(app_call(&app, count, NULL, &t));
	assert_true(app_called(&app, t));
	test_stop(&app, blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swaps),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
