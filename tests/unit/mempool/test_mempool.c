// SPDX-License-Identifier: BSD-3-Clause
// test_mempool.c - pools: layout, exhaustion, exact counts, two lcores
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/plat.h"
#include "mempool/mempool.h"

static struct mempool *pool_new(struct mempool_conf conf)
{
	struct err err = {""};
	struct mempool *mp = mempool_create(&conf, &err);

	if (!mp)
		fail_msg("%s", err.text);
	return mp;
}

static void layout(void **state)
{
	static const uint32_t prefixes[] = {0, 64, 128, 192};

	for (unsigned p = 0; p < 4; p++) {
		struct mempool *mp = pool_new((struct mempool_conf){
			.name = "layout", .count = 100, .prefix = prefixes[p], .data_room = 1024});
		struct mbuf *seen[100];

		assert_true(mempool_count(mp) >= 100);
		assert_int_equal(mempool_get_bulk(mp, seen, 100), 0);
		for (uint32_t i = 0; i < 100; i++) {
			struct mbuf *m = mempool_at(mp, i);

			assert_int_equal((uintptr_t)m % CACHE_LINE, 0);
			assert_int_equal(m->index, i);
			assert_ptr_equal(m->buf, (uint8_t *)m + sizeof(struct mbuf));
			assert_int_equal(m->buf_len, MBUF_HEADROOM + 1024);
			assert_ptr_equal(m->pool, mp);
			// prefix and room are ours alone
			memset((uint8_t *)m - prefixes[p], (int)i, prefixes[p]);
			memset(m->buf, (int)i, m->buf_len);
		}
		for (uint32_t i = 0; i < 100; i++) {
			struct mbuf *m = mempool_at(mp, i);

			for (uint32_t b = 0; b < prefixes[p]; b++)
				assert_int_equal(*((uint8_t *)m - 1 - b), i);
			for (uint32_t b = 0; b < m->buf_len; b++)
				assert_int_equal(m->buf[b], i);
			assert_ptr_equal(m->pool, mp);
			assert_int_equal(m->index, i);
		}
		mempool_put_bulk(mp, seen, 100);
	}
}

static void bad_configurations(void **state)
{
	static const struct {
		struct mempool_conf conf;
		const char *names;
	} bad[] = {
		{{.name = "rx", .count = 0}, "0 buffers"},
		{{.name = "rx", .count = UINT32_MAX}, "4294967295"},
		{{.name = "rx", .count = 8, .data_room = 100}, "100"},
		{{.name = "rx", .count = 8, .data_room = 65408}, "65408"},
		{{.name = "rx", .count = 8, .prefix = 96}, "96"},
		{{.name = "rx", .count = 8, .prefix = 1u << 20}, "1048576"},
		{{.name = "rx", .count = 8, .lcores = LCORE_MAX + 1}, "65 lcores"},
		{{.name = "rx", .count = 1u << 28}, "rx"}, // does not fit the arena
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {""};

		assert_null(mempool_create(&bad[i].conf, &err));
		assert_non_null(strstr(err.text, bad[i].names));
		assert_non_null(strstr(err.text, "rx"));
		assert_null(mempool_create(&bad[i].conf, NULL));
	}
}

// Takes every buffer in bursts of n, checks that they are different ones, and gives them back.
static void drain(struct mempool *mp, uint32_t count, unsigned n)
{
	struct mbuf **held = calloc(count + n, sizeof(*held));
	uint8_t *seen = calloc(count, 1);
	uint32_t got = 0;

	assert_non_null(held);
	assert_non_null(seen);
	while (got + n <= count) {
		assert_int_equal(mempool_get_bulk(mp, held + got, n), 0);
		got += n;
		assert_int_equal(mempool_available(mp), count - got);
	}
	for (int again = 0; again < 3; again++) {
		assert_int_equal(mempool_get_bulk(mp, held + got, count - got + 1), -ENOBUFS);
		assert_int_equal(mempool_available(mp), count - got);
	}
	if (got < count)
		assert_int_equal(mempool_get_bulk(mp, held + got, count - got), 0);
	for (uint32_t i = 0; i < count; i++) {
		assert_true(held[i]->index < count);
		assert_int_equal(seen[held[i]->index]++, 0);
		assert_null(held[i]->next);
		assert_int_equal(held[i]->nsegs, 1);
		assert_int_equal(held[i]->refcnt, 1);
	}
	assert_int_equal(mempool_available(mp), 0);
	assert_int_equal(mempool_report(mp, NULL), count);
	for (uint32_t i = 0; i < count; i += n)
		mempool_put_bulk(mp, held + i, n < count - i ? n : count - i);
	assert_int_equal(mempool_available(mp), count);
	assert_int_equal(mempool_report(mp, NULL), 0);
	free(held);
	free(seen);
}

static void exhaustion_and_counts(void **state)
{
	static const uint32_t counts[] = {1, 7, 64, 1000, 4096};
	static const uint32_t caches[] = {0, 1, 8, 33, 512, 100000};
	static const unsigned bursts[] = {1, 3, 32, 64, 700};

	for (unsigned c = 0; c < 5; c++)
		for (unsigned k = 0; k < 6; k++) {
			struct mempool *mp = pool_new((struct mempool_conf){
				.name = "drain", .count = counts[c], .cache = caches[k],
				.data_room = 64});

			for (unsigned b = 0; b < 5; b++)
				if (bursts[b] <= counts[c])
					drain(mp, counts[c], bursts[b]);
		}
}

// Random bursts in and out, across the cache's limits: a buffer is never with two holders.
static void random_walk(void **state)
{
	struct mempool *mp = pool_new((struct mempool_conf){.name = "walk", .count = 2048,
							    .cache = 64, .data_room = 64});
	static struct mbuf *held[2048 + 128];
	static uint8_t out[2048];
	uint32_t n = 0;
	uint64_t x = 88172645463325252ull;

	for (unsigned turn = 0; turn < 200000; turn++) {
		unsigned burst;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		burst = x >> 32 & 127;
		if (x & 1) {
			if (mempool_get_bulk(mp, held + n, burst)) {
				assert_true(n + burst > 2048);
				continue;
			}
			for (unsigned i = 0; i < burst; i++)
				assert_int_equal(out[held[n + i]->index]++, 0);
			n += burst;
		} else {
			burst = burst < n ? burst : n;
			n -= burst;
			for (unsigned i = 0; i < burst; i++)
				out[held[n + i]->index]--;
			mempool_put_bulk(mp, held + n, burst);
		}
		assert_int_equal(mempool_available(mp), 2048 - n);
	}
	mempool_put_bulk(mp, held, n);
	assert_int_equal(mempool_available(mp), 2048);
}

#define PASSES 20000

struct side {
	struct mempool *mp;
	struct ring *ring;
	unsigned lcore;
	int producer;
	uint32_t shared; // buffers that were with two at once
};

// The producer takes and marks, the consumer checks and frees: buffers travel from lcore to lcore.
static void *side_run(void *arg)
{
	struct side *s = arg;
	struct mbuf *pkts[32];

	lcore_self = s->lcore;
	for (unsigned pass = 0; pass < PASSES;) {
		if (s->producer) {
			if (mempool_get_bulk(s->mp, pkts, 32)) {
				sched_yield();
				continue;
			}
			for (unsigned i = 0; i < 32; i++) {
				s->shared += pkts[i]->refcnt != 1;
				pkts[i]->refcnt = 2;
			}
			while (!ring_spsc_enqueue_burst(s->ring, (void **)pkts, 32))
				sched_yield();
		} else {
			if (!ring_mpmc_dequeue_bulk(s->ring, (void **)pkts, 32)) {
				sched_yield();
				continue;
			}
			for (unsigned i = 0; i < 32; i++) {
				s->shared += pkts[i]->refcnt != 2;
				pkts[i]->refcnt = 1;
			}
			mempool_put_bulk(s->mp, pkts, 32);
		}
		pass++;
	}
	return NULL;
}

static void two_lcores(void **state)
{
	struct mempool *mp = pool_new((struct mempool_conf){
		.name = "two", .count = 4096, .lcores = 2, .cache = 128, .data_room = 64});
	struct ring *r = aligned_alloc(CACHE_LINE, ring_bytes(1024));
	struct side side[2] = {{mp, r, 0, 1, 0}, {mp, r, 1, 0, 0}};
	pthread_t other;

	assert_non_null(r);
	assert_int_equal(ring_init(r, 1024), 0);
	assert_int_equal(pthread_create(&other, NULL, side_run, &side[1]), 0);
	side_run(&side[0]);
	pthread_join(other, NULL);
	assert_int_equal(side[0].shared, 0);
	assert_int_equal(side[1].shared, 0);
	assert_int_equal(mempool_available(mp), 4096);
	assert_int_equal(mempool_report(mp, NULL), 0);
	free(r);
}

// What idle lcores keep in their caches is at most half the pool, however small that is.
static void idle_caches_leave_half(void **state)
{
	struct mempool *mp =
		pool_new((struct mempool_conf){.name = "half", .count = 96, .lcores = 4});
	struct mbuf *m[96];
	unsigned n = 0;

	for (lcore_self = 1; lcore_self < 4; lcore_self++) {
		for (n = 0; n < 96 && !mempool_get_bulk(mp, m + n, 1); n++)
			;
		for (unsigned i = 0; i < n; i++)
			mempool_put_bulk(mp, m + i, 1);
	}
	lcore_self = 0;
	for (n = 0; n < 96 && !mempool_get_bulk(mp, m + n, 1); n++)
		;
	assert_in_range(n, 48, 96);
	mempool_put_bulk(mp, m, n);
	assert_int_equal(mempool_available(mp), 96);
}

// A thread whose lcore the pool was not made for works, on the common ring.
static void foreign_lcore(void **state)
{
	struct mempool *mp = pool_new((struct mempool_conf){.name = "foreign", .count = 256,
							    .data_room = 64});

	lcore_self = 7;
	for (unsigned n = 1; n <= 256; n *= 4)
		drain(mp, 256, n);
	lcore_self = 0;
	drain(mp, 256, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(bad_configurations),
		cmocka_unit_test(exhaustion_and_counts),
		cmocka_unit_test(random_walk),
		cmocka_unit_test(two_lcores),
		cmocka_unit_test(idle_caches_leave_half),
		cmocka_unit_test(foreign_lcore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
