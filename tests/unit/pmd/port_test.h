// SPDX-License-Identifier: BSD-3-Clause
// port_test.h - what the tests of port drivers share: a pool, opening, receiving everything
#ifndef WEIR_TESTS_PORT_TEST_H
#define WEIR_TESTS_PORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "mempool/mempool.h"
#include "pmd/port.h"

static inline struct mempool *test_pool(uint32_t count, uint32_t data_room, uint32_t prefix)
{
	struct mempool_conf conf = {
		.name = "test", .count = count, .data_room = data_room, .prefix = prefix};
	struct err e = {""};
	struct mempool *mp = mempool_create(&conf, &e);

	if (!mp)
		fail_msg("mempool_create: %s", e.text);
	return mp;
}

static inline int test_try_open(struct port *p, const char *name, const char *driver,
				const char *args, struct mempool *pool, const struct clock *clock,
				struct err *e)
{
	struct port_conf conf = {.name = name,
				 .driver = driver,
				 .args = args,
				 .pool = pool,
				 .clock = clock,
				 .queues = 1};

	e->text[0] = 0;
	return port_open(p, &conf, e);
}

static inline void test_open(struct port *p, const char *name, const char *driver, const char *args,
			     struct mempool *pool, const struct clock *clock)
{
	struct err e;

	if (test_try_open(p, name, driver, args, pool, clock, &e))
		fail_msg("port_open %s:%s: %s", driver, args, e.text);
}

static inline uint64_t test_counter(const struct port *p, const char *name)
{
	struct port_stats s;

	port_stats(p, &s);
	for (unsigned i = 0; i < s.counters; i++)
		if (!strcmp(s.counter[i].name, name))
			return s.counter[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

#endif
