// SPDX-License-Identifier: BSD-3-Clause
// test_ring.c - rings: bounds, order, wrap, and two threads
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mempool/ring.h"

#define ITEMS 1000000u

typedef unsigned (*move_in)(struct ring *r, void *const *in, unsigned n);
typedef unsigned (*move_out)(struct ring *r, void **out, unsigned n);

struct flavour {
	const char *name;
	move_in in;
	move_out out;
	int all; // all or none
};

static const struct flavour flavours[] = {
	{"spsc", ring_spsc_enqueue_burst, ring_spsc_dequeue_burst, 0},
	{"mpmc", ring_mpmc_enqueue_burst, ring_mpmc_dequeue_burst, 0},
	{"mpmc bulk", ring_mpmc_enqueue_bulk, ring_mpmc_dequeue_bulk, 1},
};
#define FLAVOURS (sizeof(flavours) / sizeof(flavours[0]))

static struct ring *ring_new(uint32_t size)
{
	struct ring *r = aligned_alloc(CACHE_LINE, ring_bytes(size));

	assert_non_null(r);
	assert_int_equal(ring_init(r, size), 0);
	return r;
}

static void *item(uintptr_t i)
{
	return (void *)(i + 1);
}

static void sizes(void **state)
{
	static const uint32_t bad[] = {0, 1, 3, 6, 1000, (1u << 30) + 1, 1u << 31, UINT32_MAX};
	_Alignas(CACHE_LINE) static uint8_t memory[4096];

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ring_bytes(bad[i]), 0);
		assert_int_equal(ring_init((struct ring *)(void *)memory, bad[i]), -EINVAL);
	}
	assert_int_equal(ring_init((struct ring *)(void *)(memory + 8), 16), -EINVAL);
	assert_int_equal(ring_init((struct ring *)(void *)memory, 16), 0);
	assert_true(ring_bytes(2) >= sizeof(struct ring) + 2 * sizeof(void *));
	assert_true(ring_bytes(1u << 30) >= ((size_t)8 << 30));
	assert_int_equal(ring_bytes(1024) % CACHE_LINE, 0);
}

static void full_and_empty(void **state)
{
	void *in[64], *out[64];

	for (unsigned i = 0; i < 64; i++)
		in[i] = item(i);
	for (unsigned f = 0; f < FLAVOURS; f++) {
		const struct flavour *v = &flavours[f];
		struct ring *r = ring_new(16);

		assert_int_equal(v->out(r, out, 1), 0);
		assert_int_equal(v->in(r, in, 0), 0);
		assert_int_equal(v->in(r, in, 64), v->all ? 0 : 16);
		if (v->all)
			assert_int_equal(v->in(r, in, 16), 16);
		assert_int_equal(ring_count(r), 16);
		assert_int_equal(v->in(r, in, 1), 0);
		assert_int_equal(v->out(r, out, 5), 5);
		assert_memory_equal(out, in, 5 * sizeof(void *));
		assert_int_equal(v->in(r, in + 16, 8), v->all ? 0 : 5);
		if (v->all)
			assert_int_equal(v->in(r, in + 16, 5), 5);
		assert_int_equal(v->out(r, out, 64), v->all ? 0 : 16);
		if (v->all)
			assert_int_equal(v->out(r, out, 16), 16);
		assert_memory_equal(out, in + 5, 16 * sizeof(void *));
		assert_int_equal(v->out(r, out, 0), 0);
		assert_int_equal(ring_count(r), 0);
		free(r);
	}
}

// Every count at every place of a small ring, beginning shortly before the indices wrap at 2^32.
static void wraps(void **state)
{
	for (unsigned f = 0; f < FLAVOURS; f++) {
		const struct flavour *v = &flavours[f];
		struct ring *r = ring_new(64);
		uint32_t start = UINT32_MAX - 1000;
		uintptr_t sent = 0, seen = 0;

		r->prod.head = r->prod.tail = r->prod.seen = start;
		r->cons.head = r->cons.tail = r->cons.seen = start;
		for (unsigned turn = 0; turn < 4000; turn++) {
			unsigned n = turn % 64 + 1;
			void *in[64], *out[64];

			for (unsigned i = 0; i < n; i++)
				in[i] = item(sent + i);
			assert_int_equal(v->in(r, in, n), n);
			sent += n;
			assert_int_equal(ring_count(r), n);
			if (n < 64)
				assert_int_equal(v->in(r, in, 64), v->all ? 0 : 64 - n);
			if (n < 64 && !v->all) { // take the filling out of the books again
				for (unsigned i = 0; i < n; i++)
					assert_int_equal(v->out(r, &out[i], 1), 1);
				assert_int_equal(v->out(r, &out[n], 64 - n), 64 - n);
			} else {
				assert_int_equal(v->out(r, out, n), n);
			}
			for (unsigned i = 0; i < n; i++)
				assert_ptr_equal(out[i], item(seen + i));
			seen += n;
		}
		assert_true(r->prod.tail < start); // it did wrap
		free(r);
	}
}

struct transfer {
	const struct flavour *flavour;
	struct ring *ring;
	uint32_t first, count; // what this producer sends
};

static void *produce(void *arg)
{
	struct transfer *t = arg;
	uint32_t sent = 0;
	unsigned burst = 1;

	while (sent < t->count) {
		unsigned n = burst < t->count - sent ? burst : t->count - sent;
		void *in[32];
		unsigned done;

		for (unsigned i = 0; i < n; i++)
			in[i] = item(t->first + sent + i);
		done = t->flavour->in(t->ring, in, n);
		sent += done;
		burst = burst % 32 + 1;
		if (done == 0)
			sched_yield();
	}
	return NULL;
}

// One producer, one consumer: everything arrives, in order.
static void two_threads_in_order(void **state)
{
	for (unsigned f = 0; f < FLAVOURS; f++) {
		struct transfer t = {&flavours[f], ring_new(256), 0, ITEMS};
		uint32_t got = 0;
		unsigned burst = 1;
		pthread_t other;

		assert_int_equal(pthread_create(&other, NULL, produce, &t), 0);
		while (got < ITEMS) {
			void *out[32];
			unsigned ask = burst < ITEMS - got ? burst : ITEMS - got;
			unsigned n = t.flavour->out(t.ring, out, ask);

			for (unsigned i = 0; i < n; i++)
				if (out[i] != item(got + i))
					fail_msg("%s: item %u is %p", t.flavour->name, got + i, out[i]);
			got += n;
			burst = burst % 32 + 1;
			if (n == 0)
				sched_yield();
		}
		pthread_join(other, NULL);
		assert_int_equal(ring_count(t.ring), 0);
		free(t.ring);
	}
}

struct consumer {
	const struct flavour *flavour;
	struct ring *ring;
	uint32_t *left;  // items nobody has taken yet
	uint8_t *seen;   // how often each was taken
	int out_of_order;
};

static void *consume(void *arg)
{
	struct consumer *c = arg;
	uint32_t last[2] = {0, 0};

	while (__atomic_load_n(c->left, __ATOMIC_RELAXED)) {
		void *out[8];
		unsigned n = c->flavour->out(c->ring, out, 8);

		if (n == 0) // a bulk of 8 may never come together at the end
			n = c->flavour->out(c->ring, out, 1);
		for (unsigned i = 0; i < n; i++) {
			uint32_t v = (uint32_t)(uintptr_t)out[i] - 1;
			unsigned producer = v >= ITEMS;

			__atomic_add_fetch(&c->seen[v], 1, __ATOMIC_RELAXED);
			if (v + 1 <= last[producer])
				c->out_of_order = 1;
			last[producer] = v + 1;
		}
		if (n)
			__atomic_sub_fetch(c->left, n, __ATOMIC_RELAXED);
		else
			sched_yield();
	}
	return NULL;
}

// Two producers, two consumers: each item arrives once, and a consumer sees the items of one producer in
// their order.
static void four_threads_none_lost(void **state)
{
	for (unsigned f = 1; f < FLAVOURS; f++) {
		struct ring *r = ring_new(128);
		uint32_t left = 2 * ITEMS;
		uint8_t *seen = calloc(2, ITEMS);
		struct transfer t[2] = {{&flavours[f], r, 0, ITEMS}, {&flavours[f], r, ITEMS, ITEMS}};
		struct consumer c[2] = {{&flavours[f], r, &left, seen, 0},
					{&flavours[f], r, &left, seen, 0}};
		pthread_t thread[4];

		assert_non_null(seen);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(pthread_create(&thread[i], NULL, produce, &t[i]), 0);
			assert_int_equal(pthread_create(&thread[2 + i], NULL, consume, &c[i]), 0);
		}
		for (unsigned i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
		for (uint32_t i = 0; i < 2 * ITEMS; i++)
			if (seen[i] != 1)
				fail_msg("%s: item %u came %u times", flavours[f].name, i, seen[i]);
		assert_false(c[0].out_of_order);
		assert_false(c[1].out_of_order);
		assert_int_equal(ring_count(r), 0);
		free(seen);
		free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(full_and_empty),
		cmocka_unit_test(wraps),
		cmocka_unit_test(two_threads_in_order),
		cmocka_unit_test(four_threads_none_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
