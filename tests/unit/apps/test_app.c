// SPDX-License-Identifier: BSD-3-Clause
// test_app.c - functions on one and two lcores: who polls what, who hands over, what the books say
#include "app_test.h"

#include <errno.h>

#define HEAD2 "version: 1\nfunction: patch\nlcores: 2\n"

static struct app app;

// The books at some moments of a run, then its end.
static unsigned ticks, unbalanced;

static int look(struct app *a)
{
	struct graph_books b;

	unbalanced += !app_books(a, &b);
	return ++ticks == 5;
}

static void run(const char *text, struct figures *f)
{
	void *blob;

	*f = (struct figures){0};
	ticks = unbalanced = 0;
	test_start(&app, text, &blob);
	app.tick = look;
	app_run(&app);
	app_stats(&app, figures_add, f);
	assert_int_equal(unbalanced, 0);
	assert_true(figures_balanced(f));
	test_stop(&app, blob);
}

static uint64_t get(const struct figures *f, const char *name)
{
	return figures_get(f, name);
}

static void test_one_lcore(void **state)
{
	struct figures f;

	run("version: 1\nfunction: patch\nports: {a: {device: \"null:rx=60\"}, b: {device: "
	    "\"null\"}}\n"
	    "patches: [{from: a, to: b}]\n",
	    &f);
	assert_true(get(&f, "ports.a.rx.packets") > 0);
	assert_int_equal(get(&f, "ports.a.rx.packets"), get(&f, "ports.b.tx.packets"));
	assert_int_equal(get(&f, "accounting.rx"), get(&f, "ports.a.rx.packets"));
	figures_free(&f);
}

// Each lcore polls its own queue of port a. All frames are of one flow, so one lcore sends them
// all.
static void test_flow_meets_one_lcore(void **state)
{
	uint64_t sent;
	struct figures f;

	test_needs_cpus(2);
	run(HEAD2 "ports: {a: {device: \"null:rx=60\"}, b: {device: \"null\"}}\n"
		  "patches: [{from: a, to: b}]\n",
	    &f);
	sent = get(&f, "ports.b.tx.packets");
	assert_true(sent > 0);
	assert_true(get(&f, "lcores.0.packets") > 0 && get(&f, "lcores.1.packets") > 0);
	// One gives, the other takes.
	assert_true(get(&f, "lcores.0.given") == 0 || get(&f, "lcores.1.given") == 0);
	assert_true(get(&f, "lcores.0.given") + get(&f, "lcores.1.given") > 0);
	assert_int_equal(get(&f, "accounting.rx"), get(&f, "ports.a.rx.packets"));
	assert_int_equal(get(&f, "accounting.tx"), sent);
	assert_int_equal(get(&f, "accounting.rx"),
			 sent + get(&f, "accounting.dropped") + get(&f, "accounting.held"));
	assert_int_equal(get(&f, "ports.a.queues.1"), 1);
	figures_free(&f);
}

// Port b has one queue pair, lcore 0's: what lcore 1 has for it goes there.
static void test_fewer_queues(void **state)
{
	struct figures f;

	test_needs_cpus(2);
	run(HEAD2 "ports: {a: {device: \"null:rx=60\"}, b: {device: \"null\", queues: 1}}\n"
		  "patches: [{from: a, to: b}]\n",
	    &f);
	assert_true(get(&f, "ports.b.tx.packets") > 0);
	assert_int_equal(get(&f, "accounting.tx"), get(&f, "ports.b.tx.packets"));
	assert_int_equal(get(&f, "accounting.rx"), get(&f, "ports.a.rx.packets"));
	figures_free(&f);
}

// A queue goes with its lcore round in a cable of two ports: each lcore's flows stay with it for
// ever.
static void test_round_and_round(void **state)
{
	struct figures f;

	test_needs_cpus(2);
	run(HEAD2 "ports:\n  g: {device: \"null:rx=60\"}\n  a: {device: \"loop:x\"}\n"
		  "  b: {device: \"loop:x\"}\n  sink: {device: \"null\"}\n"
		  "patches: [{from: g, to: a}, {from: b, to: sink}]\n",
	    &f);
	assert_true(get(&f, "ports.sink.tx.packets") > 0);
	assert_int_equal(get(&f, "accounting.tx"),
			 get(&f, "ports.sink.tx.packets") + get(&f, "ports.a.tx.packets"));
	figures_free(&f);
}

static void refuse(const char *text, const char *says)
{
	struct err e;
	void *blob;

	assert_true(test_try_start(&app, text, &blob, &e) < 0);
	if (!strstr(e.text, says))
		fail_msg("%s\nis not in\n%s", says, e.text);
}

static void capture_clock(void)
{
	struct app_conf conf = {.clock = CLOCK_CAPTURE};
	void *blob =
		test_blob(HEAD2 "ports: {a: {device: \"null\"}}\npatches: [{from: a, to: a}]\n",
			  &conf.blob_len);
	struct err e;

	conf.blob = blob;
	assert_int_equal(app_start(&app, &conf, &e), -EINVAL);
	assert_non_null(strstr(e.text, "expected lcores: 1, or the real clock"));
	free(blob);
}

static void test_refused(void **state)
{
	char text[256], says[64];

	if (plat_lcore_count() < APP_LCORES_MAX) {
		snprintf(text, sizeof(text),
			 "version: 1\nfunction: patch\nlcores: %u\nports: {a: {device: \"null\"}}\n"
			 "patches: [{from: a, to: a}]\n",
			 plat_lcore_count() + 1);
		snprintf(says, sizeof(says), "there %s %u CPU",
			 plat_lcore_count() == 1 ? "is" : "are", plat_lcore_count());
		refuse(text, says);
	}
	test_needs_cpus(2);
	refuse(HEAD2 "ports: {a: {device: \"pcap:none.pcap\"}, b: {device: \"null\"}}\n"
		     "patches: [{from: a, to: b}]\n",
	       "port a: pcap plays a capture");
	capture_clock();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_lcore),    cmocka_unit_test(test_flow_meets_one_lcore),
		cmocka_unit_test(test_fewer_queues), cmocka_unit_test(test_round_and_round),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
