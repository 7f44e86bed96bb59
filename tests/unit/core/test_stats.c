// SPDX-License-Identifier: BSD-3-Clause
// test_stats.c - the figures of graph and loop by name
#include "tests/unit/core/graph_abc.h"

#include "core/loop.h"
#include "core/stats.h"

struct figure {
	const char *name;
	uint64_t value;
	bool met;
};

static struct figure figures[] = {
	{"nodes.a.calls", 1, false},	    {"nodes.a.packets", 3, false},
	{"drops.a.worse", 3, false},	    {"accounting.rx", 3, false},
	{"accounting.generated", 0, false}, {"accounting.tx", 0, false},
	{"accounting.consumed", 0, false},  {"accounting.dropped", 3, false},
	{"accounting.held", 0, false},	    {"accounting.balanced", 1, false},
	{"loop.turns", 7, false},	    {"loop.busy_turns", 5, false},
	{"loop.busy_cycles", 1234, false},  {"loop.noise.gaps", 2, false},
};

static void note_figure(void *arg, const char *name, uint64_t value)
{
	assert_string_not_equal(name, "drops.a.bad"); // 0: not shown
	for (unsigned i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		if (strcmp(figures[i].name, name) == 0) {
			assert_int_equal(figures[i].value, value);
			assert_false(figures[i].met);
			figures[i].met = true;
		}
	}
}

static uint8_t pick_drop(struct node *node, struct mbuf *m)
{
	return NEXT_DROP(1);
}

static void test_figures(void **state)
{
	static const struct loop l = {.turns = 7, .busy_turns = 5, .busy_cycles = 1234, .noise = {.gaps = 2}};
	struct fixture f;

	setup(&f);
	f.a.pick = pick_drop;
	rx(&f, 3);
	graph_stats_emit(f.g, note_figure, NULL);
	loop_stats_emit(&l, note_figure, NULL);
	for (unsigned i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		if (!figures[i].met)
			fail_msg("no figure %s", figures[i].name);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
	};

	pool = test_pool(64);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
