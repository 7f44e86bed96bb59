// SPDX-License-Identifier: BSD-3-Clause
// test_mbuf.c - packets: chains, cutting, copying out, several owners
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mempool/mbuf.h"

#define COUNT 600u
#define ROOM  256u

static struct mempool *pool;
static uint8_t pattern[65536];

static struct mempool *pool_new(const char *name)
{
	struct mempool_conf conf = {.name = name, .count = COUNT, .data_room = ROOM, .lcores = 2,
				    .cache = 32};
	struct err err = {""};
	struct mempool *mp = mempool_create(&conf, &err);

	if (!mp)
		fail_msg("%s", err.text);
	return mp;
}

static int setup(void **state)
{
	uint32_t x = 1;

	for (uint32_t i = 0; i < sizeof(pattern); i++) {
		x = x * 1664525u + 1013904223u;
		pattern[i] = (uint8_t)(x >> 24);
	}
	pool = pool_new("mbuf");
	return 0;
}

// Every test gives back all it took, in the pool's invariant.
static int all_home(void **state)
{
	assert_int_equal(mempool_available(pool), COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		const struct mbuf *m = mempool_at(pool, i);

		assert_null(m->next);
		assert_int_equal(m->nsegs, 1);
		assert_int_equal(m->refcnt, 1);
	}
	return 0;
}

// The bytes of a packet, read segment by segment.
static void assert_bytes(const struct mbuf *m, const uint8_t *bytes, uint32_t n)
{
	uint32_t at = 0;

	assert_int_equal(mbuf_check(m), 0);
	assert_int_equal(m->pkt_len, n);
	for (; m; m = m->next) {
		assert_true(at + m->len <= n);
		assert_memory_equal(m->data, bytes + at, m->len);
		at += m->len;
	}
	assert_int_equal(at, n);
}

static void fresh_packet(void **state)
{
	struct mbuf *m = mbuf_alloc(pool);

	assert_non_null(m);
	assert_int_equal(m->len, 0);
	assert_int_equal(m->pkt_len, 0);
	assert_int_equal(m->flags, 0);
	assert_int_equal(mbuf_headroom(m), MBUF_HEADROOM);
	assert_int_equal(mbuf_tailroom(m), ROOM);
	assert_ptr_equal(mbuf_append(m, 20), m->data);
	assert_ptr_equal(mbuf_prepend(m, 14), m->buf + MBUF_HEADROOM - 14);
	assert_int_equal(m->pkt_len, 34);
	assert_ptr_equal(mbuf_pull(m, 4), m->buf + MBUF_HEADROOM - 10);
	assert_int_equal(m->len, 30);
	assert_int_equal(mbuf_headroom(m) + m->len + mbuf_tailroom(m), MBUF_HEADROOM + ROOM);
	assert_int_equal(mbuf_check(m), 0);
	mbuf_free(m);
}

static void chains_of_every_length(void **state)
{
	static const uint32_t lens[] = {0, 1, 60, 255, 256, 257, 511, 512, 513, 1514, 9000,
					255 * ROOM};

	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct mbuf *m = mbuf_from_bytes(pool, pattern, lens[i]);

		assert_non_null(m);
		assert_int_equal(m->nsegs, lens[i] ? (lens[i] + ROOM - 1) / ROOM : 1);
		assert_bytes(m, pattern, lens[i]);
		mbuf_free(m);
		assert_int_equal(mempool_available(pool), COUNT);
	}
	assert_null(mbuf_from_bytes(pool, pattern, 255 * ROOM + 1)); // 256 segments
}

static void from_bytes_without_buffers(void **state)
{
	struct mbuf *held[COUNT];

	assert_int_equal(mempool_get_bulk(pool, held, COUNT - 3), 0);
	assert_null(mbuf_from_bytes(pool, pattern, 3 * ROOM + 1));
	assert_int_equal(mempool_available(pool), 3);
	held[COUNT - 3] = mbuf_from_bytes(pool, pattern, 3 * ROOM);
	assert_non_null(held[COUNT - 3]);
	assert_null(mbuf_alloc(pool));
	mbuf_free_bulk(held, COUNT - 2);
}

static void trim(void **state)
{
	uint32_t n = 5 * ROOM + 17;

	for (uint32_t len = 0; len <= n; len++) {
		struct mbuf *m = mbuf_from_bytes(pool, pattern, n);

		mbuf_trim(m, len);
		assert_bytes(m, pattern, len);
		assert_int_equal(mempool_available(pool), COUNT - m->nsegs);
		assert_int_equal(m->nsegs, len ? (len + ROOM - 1) / ROOM : 1);
		mbuf_free(m);
	}
}

static void copy_out(void **state)
{
	uint32_t n = 3 * ROOM + 5;
	struct mbuf *m = mbuf_from_bytes(pool, pattern, n);
	uint8_t out[4 * ROOM];

	mbuf_pull(m, 10); // unequal segments
	n -= 10;
	for (uint32_t off = 0; off <= n; off += 7) {
		for (uint32_t len = 0; off + len <= n; len += 13) {
			memset(out, 0xee, sizeof(out));
			assert_int_equal(mbuf_copy_out(m, off, out, len), 0);
			assert_memory_equal(out, pattern + 10 + off, len);
			assert_int_equal(out[len], 0xee);
		}
	}
	memset(out, 0xee, sizeof(out));
	assert_int_equal(mbuf_copy_out(m, 0, out, n + 1), -EINVAL);
	assert_int_equal(mbuf_copy_out(m, n, out, 1), -EINVAL);
	assert_int_equal(mbuf_copy_out(m, n + 1, out, 0), -EINVAL);
	assert_int_equal(mbuf_copy_out(m, UINT32_MAX, out, 2), -EINVAL);
	assert_int_equal(mbuf_copy_out(m, 1, out, UINT32_MAX), -EINVAL);
	assert_int_equal(out[0], 0xee);
	assert_int_equal(mbuf_copy_out(m, n, out, 0), 0);
	mbuf_free(m);
}

static void several_owners(void **state)
{
	struct mbuf *m = mbuf_from_bytes(pool, pattern, 3 * ROOM);

	mbuf_ref(m);
	mbuf_ref(m);
	for (int owners = 3; owners > 0; owners--) {
		assert_int_equal(mempool_available(pool), COUNT - 3);
		assert_int_equal(m->refcnt, owners);
		assert_bytes(m, pattern, 3 * ROOM);
		if (owners == 2)
			mbuf_free_bulk(&m, 1);
		else
			mbuf_free(m);
	}
}

// What mbuf_free_bulk() must not take the short way with.
static void mixed_bulk(void **state)
{
	static struct mempool *other;
	struct mbuf *pkts[64];
	struct mbuf *shared;

	if (!other)
		other = pool_new("other");
	for (unsigned odd = 0; odd < 4; odd++) {
		for (unsigned i = 0; i < 64; i++)
			pkts[i] = mbuf_alloc(pool);
		mbuf_free(pkts[63]);
		pkts[63] = odd == 0 ? mbuf_alloc(pool)
			   : odd == 1 ? mbuf_alloc(other)
				      : mbuf_from_bytes(pool, pattern, odd == 2 ? 1000 : 10);
		shared = odd == 3 ? pkts[63] : NULL;
		if (shared)
			mbuf_ref(shared);
		mbuf_free_bulk(pkts, 64);
		assert_int_equal(mempool_available(other), COUNT);
		assert_int_equal(mempool_available(pool), shared ? COUNT - 1 : COUNT);
		if (shared)
			mbuf_free(shared);
	}
	mbuf_free_bulk(NULL, 0);
}

static void check_finds(void **state)
{
	struct mbuf *m = mbuf_from_bytes(pool, pattern, 2 * ROOM);
	struct mbuf *last = m->next;

	m->pkt_len++;
	assert_int_equal(mbuf_check(m), -EINVAL);
	m->pkt_len--;
	m->nsegs = 1;
	assert_int_equal(mbuf_check(m), -EINVAL);
	m->nsegs = 3;
	assert_int_equal(mbuf_check(m), -EINVAL);
	m->nsegs = 0;
	assert_int_equal(mbuf_check(m), -EINVAL);
	m->nsegs = 2;
	last->next = m; // a circle
	assert_int_equal(mbuf_check(m), -EINVAL);
	last->next = NULL;
	last->data += 1; // beyond the room
	assert_int_equal(mbuf_check(m), -EINVAL);
	last->data = last->buf - 1;
	assert_int_equal(mbuf_check(m), -EINVAL);
	last->data = last->buf + last->buf_len + 1;
	assert_int_equal(mbuf_check(m), -EINVAL);
	last->data = last->buf + MBUF_HEADROOM;
	last->refcnt = 0;
	assert_int_equal(mbuf_check(m), -EINVAL);
	last->refcnt = 1;
	assert_int_equal(mbuf_check(m), 0);
	mbuf_free(m);
}

#define PASSES 20000u

static struct mbuf *volatile offered[PASSES];

static void *other_owner(void *arg)
{
	lcore_self = 1;
	for (unsigned i = 0; i < PASSES; i++) {
		struct mbuf *m;

		while (!(m = __atomic_load_n(&offered[i], __ATOMIC_ACQUIRE)))
			__builtin_ia32_pause();
		mbuf_free(m);
	}
	return NULL;
}

// Two owners on two lcores free at the same time: each buffer goes home once.
static void owners_race(void **state)
{
	pthread_t other;

	assert_int_equal(pthread_create(&other, NULL, other_owner, NULL), 0);
	for (unsigned i = 0; i < PASSES; i++) {
		struct mbuf *m;

		while (!(m = mbuf_alloc(pool))) // the other is behind
			__builtin_ia32_pause();
		mbuf_ref(m);
		__atomic_store_n(&offered[i], m, __ATOMIC_RELEASE);
		mbuf_free(m);
	}
	pthread_join(other, NULL);
}

// A copy is the caller's alone, whatever becomes of the packet, and is like it but for its segments.
static void copies(void **state)
{
	static const uint32_t lens[] = {0, 1, ROOM - 1, ROOM, ROOM + 1, 5 * ROOM + 3};

	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct mbuf *m = mbuf_from_bytes(pool, pattern, lens[i]), *c;

		m->l3 = 14;
		m->hash = 5;
		m->l4 = 34;
		m->port = 3;
		m->flags = MBUF_TSO | MBUF_TX_L4_CSUM;
		m->mss = 1000;
		m->scratch32[1] = 77;
		mbuf_ref(m);
		c = mbuf_copy(m, pool);
		assert_non_null(c);
		mbuf_free(m);
		memset(m->data, 0xee, m->len);
		mbuf_free(m);
		assert_int_equal(mbuf_check(c), 0);
		assert_int_equal(c->refcnt, 1);
		assert_int_equal(c->nsegs, lens[i] > ROOM ? (lens[i] + ROOM - 1) / ROOM : 1);
		assert_bytes(c, pattern, lens[i]);
		assert_int_equal(c->l3, 14);
		assert_int_equal(c->l4, 34);
		assert_int_equal(c->port, 3);
		assert_int_equal(c->flags, MBUF_TSO | MBUF_TX_L4_CSUM);
		assert_int_equal(c->mss, 1000);
		assert_int_equal(c->hash, 5);
		assert_int_equal(c->scratch32[1], 77);
		mbuf_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(fresh_packet, all_home),
		cmocka_unit_test_teardown(chains_of_every_length, all_home),
		cmocka_unit_test_teardown(from_bytes_without_buffers, all_home),
		cmocka_unit_test_teardown(trim, all_home),
		cmocka_unit_test_teardown(copy_out, all_home),
		cmocka_unit_test_teardown(several_owners, all_home),
		cmocka_unit_test_teardown(mixed_bulk, all_home),
		cmocka_unit_test_teardown(check_finds, all_home),
		cmocka_unit_test_teardown(owners_race, all_home),
		cmocka_unit_test_teardown(copies, all_home),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
