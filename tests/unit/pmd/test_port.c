// SPDX-License-Identifier: BSD-3-Clause
// test_port.c - opening ports by name, and their figures
#include "port_test.h"

static struct mempool *pool;

static int setup(void **state)
{
	pool = test_pool(256, 0, 0);
	return 0;
}

static void test_unknown_driver(void **state)
{
	struct port p = {.id = 0};
	struct err e;

	assert_int_equal(test_try_open(&p, "wan", "pacp", "", pool, NULL, &e), -ENOENT);
	assert_non_null(strstr(e.text, "wan"));
	assert_non_null(strstr(e.text, "'pacp'"));
	assert_non_null(strstr(e.text, "pcap"));
	assert_non_null(strstr(e.text, "loop"));
	assert_int_equal(port_close(&p, &e), 0); // not open: nothing to do
}

static void test_bad_conf(void **state)
{
	struct port_conf conf = {
		.name = "wan", .driver = "null", .args = "", .pool = pool, .queues = 0};
	struct port p = {.id = 0};
	struct err e;

	assert_int_equal(port_open(&p, &conf, &e), -EINVAL);
	conf.queues = PORT_QUEUES_MAX + 1;
	assert_int_equal(port_open(&p, &conf, &e), -EINVAL);
	conf.queues = 1;
	conf.name = "";
	assert_int_equal(port_open(&p, &conf, &e), -EINVAL);
	conf.name = "a-name-of-16-chr";
	assert_int_equal(port_open(&p, &conf, &e), -EINVAL);
	conf.name = "a-name-of-15-ch";
	conf.pool = NULL;
	assert_int_equal(port_open(&p, &conf, &e), -EINVAL);
	conf.pool = pool;
	assert_int_equal(port_open(&p, &conf, &e), 0);
	assert_int_equal(port_close(&p, &e), 0);
}

struct figures {
	char text[1024];
};

static void collect(void *arg, const char *name, uint64_t value)
{
	struct figures *f = arg;
	size_t n = strlen(f->text);

	snprintf(f->text + n, sizeof(f->text) - n, "%s=%llu ", name, (unsigned long long)value);
}

static void test_stats_emit(void **state)
{
	struct mbuf *m = mbuf_alloc(pool);
	struct figures f = {""};
	struct port p = {.id = 3};
	struct err e;

	test_open(&p, "wan", "null", "", pool, NULL);
	mbuf_reset(m);
	mbuf_append(m, 77);
	assert_int_equal(port_tx_burst(&p, 0, &m, 1), 1);
	port_stats_emit(&p, collect, &f);
	assert_string_equal(f.text, "ports.wan.rx.packets=0 ports.wan.rx.bytes=0 "
				    "ports.wan.tx.packets=1 ports.wan.tx.bytes=77 "
				    "ports.wan.counters.rx-nombuf=0 "
				    "ports.wan.counters.sw-checksums=0 "
				    "ports.wan.counters.sw-segmented=0 "
				    "ports.wan.counters.sw-segmented-bytes=0 ");
	assert_int_equal(port_close(&p, &e), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void test_counters_are_bounded(void **state)
{
	struct port_stats s = {0};

	for (unsigned i = 0; i < PORT_COUNTERS_MAX + 5; i++)
		port_stats_add(&s, "x", i);
	assert_int_equal(s.counters, PORT_COUNTERS_MAX);
	assert_int_equal(s.counter[PORT_COUNTERS_MAX - 1].value, PORT_COUNTERS_MAX - 1);
}

static void test_link(void **state)
{
	struct port p = {.id = 0};
	struct port_link link;
	struct err e;

	port_link(&p, &link);
	assert_false(link.up); // not open
	test_open(&p, "wan", "null", "", pool, NULL);
	port_link(&p, &link);
	assert_true(link.up);
	assert_int_equal(port_close(&p, &e), 0);
}

// The table of ports in the docs is made of this.
static void test_drivers_say_what_they_can(void **state)
{
	uint32_t named = 0;

	for (const struct port_offload *o = port_offloads; o->name; o++)
		named |= o->bit;
	for (const struct pmd *const *p = pmd_list; *p; p++) {
		print_message("%s: %u queues, offloads %#x\n", (*p)->name, (*p)->can.queues,
			      (*p)->can.offloads);
		assert_in_range((*p)->can.queues, 1, PORT_QUEUES_MAX);
		assert_int_equal((*p)->can.offloads & ~named, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_driver), cmocka_unit_test(test_bad_conf),
		cmocka_unit_test(test_stats_emit),     cmocka_unit_test(test_counters_are_bounded),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_drivers_say_what_they_can),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
