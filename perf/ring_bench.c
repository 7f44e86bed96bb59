// SPDX-License-Identifier: BSD-3-Clause
// ring_bench.c - rings beside rte_ring: on one core, and from core to core
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_ring.h>

#include "core/clock.h"
#include "core/lcore.h"
#include "core/plat.h"
#include "mempool/ring.h"
#include "perf/bench.h"
#include "perf/bench_eal.h"

#define RING_SIZE  1024u
#define SAME_CORE  192000u  // entries a round
#define TWO_CORES  192000u
#define BULK_MOST  64u

struct setup {
	struct ring *ring;
	struct rte_ring *peer;
	unsigned n; // entries a call
};

// One copy of the loops for each kind of ring and each side: the calls are inlined in all of them.
#define SAME_CORE_LOOP(name, in, out)                                                             \
	static void name(void *arg, struct bench_round *round)                                    \
	{                                                                                          \
		const struct setup *s = arg;                                                       \
		void *objs[BULK_MOST] = {NULL};                                                    \
		unsigned n = s->n;                                                                 \
                                                                                                   \
		for (unsigned i = 0; i < SAME_CORE; i += n) {                                      \
			in;                                                                        \
			out;                                                                       \
		}                                                                                  \
		round->packets = SAME_CORE;                                                        \
	}

SAME_CORE_LOOP(same_spsc, ring_spsc_enqueue_burst(s->ring, objs, n),
	       ring_spsc_dequeue_burst(s->ring, objs, n))
SAME_CORE_LOOP(same_mpmc, ring_mpmc_enqueue_burst(s->ring, objs, n),
	       ring_mpmc_dequeue_burst(s->ring, objs, n))
SAME_CORE_LOOP(same_peer_spsc, rte_ring_sp_enqueue_burst(s->peer, objs, n, NULL),
	       rte_ring_sc_dequeue_burst(s->peer, objs, n, NULL))
SAME_CORE_LOOP(same_peer_mpmc, rte_ring_mp_enqueue_burst(s->peer, objs, n, NULL),
	       rte_ring_mc_dequeue_burst(s->peer, objs, n, NULL))

// From core to core. A thread that finds the ring full or empty pauses, as it would look after another
// queue: two threads that do nothing but hammer at one line measure that line and no ring.
struct transfer {
	const struct setup *setup;
	uint32_t ready; // the consumer is on its core
	uint64_t end;   // when it had everything
	uint64_t wait_ns;
};

#define CONSUMER(name, out)                                                                       \
	static void *name(void *arg)                                                               \
	{                                                                                          \
		struct transfer *t = arg;                                                          \
		const struct setup *s = t->setup;                                                  \
		void *objs[BULK_MOST];                                                             \
		unsigned n = s->n, left = TWO_CORES;                                               \
		uint64_t wait;                                                                     \
                                                                                                   \
		lcore_enter(1);                                                                    \
		wait = bench_wait_ns();                                                            \
		__atomic_store_n(&t->ready, 1, __ATOMIC_RELEASE);                                  \
		while (left) {                                                                     \
			unsigned moved = out;                                                      \
                                                                                                   \
			left -= moved;                                                             \
			if (!moved)                                                                \
				__builtin_ia32_pause();                                            \
		}                                                                                  \
		t->end = tsc_read();                                                               \
		t->wait_ns = bench_wait_ns() - wait;                                               \
		return NULL;                                                                       \
	}

#define PRODUCER(name, consumer, in)                                                              \
	static void name(void *arg, struct bench_round *round)                                    \
	{                                                                                          \
		const struct setup *s = arg;                                                       \
		struct transfer t = {.setup = s};                                                  \
		void *objs[BULK_MOST] = {NULL};                                                    \
		unsigned n = s->n, left = TWO_CORES;                                               \
		pthread_t other;                                                                   \
		uint64_t start;                                                                    \
                                                                                                   \
		if (pthread_create(&other, NULL, consumer, &t))                                    \
			return;                                                                    \
		while (!__atomic_load_n(&t.ready, __ATOMIC_ACQUIRE))                               \
			__builtin_ia32_pause();                                                    \
		start = tsc_read();                                                                \
		while (left) {                                                                     \
			unsigned moved = in;                                                       \
                                                                                                   \
			left -= moved;                                                             \
			if (!moved)                                                                \
				__builtin_ia32_pause();                                            \
		}                                                                                  \
		pthread_join(other, NULL);                                                         \
		round->packets = TWO_CORES;                                                        \
		round->cycles = t.end - start;                                                     \
		round->wait_ns = t.wait_ns;                                                        \
	}

CONSUMER(take_spsc, ring_spsc_dequeue_burst(s->ring, objs, n))
PRODUCER(two_spsc, take_spsc, ring_spsc_enqueue_burst(s->ring, objs, n))
CONSUMER(take_mpmc, ring_mpmc_dequeue_burst(s->ring, objs, n))
PRODUCER(two_mpmc, take_mpmc, ring_mpmc_enqueue_burst(s->ring, objs, n))
CONSUMER(take_peer_spsc, rte_ring_sc_dequeue_burst(s->peer, objs, n, NULL))
PRODUCER(two_peer_spsc, take_peer_spsc, rte_ring_sp_enqueue_burst(s->peer, objs, n, NULL))
CONSUMER(take_peer_mpmc, rte_ring_mc_dequeue_burst(s->peer, objs, n, NULL))
PRODUCER(two_peer_mpmc, take_peer_mpmc, rte_ring_mp_enqueue_burst(s->peer, objs, n, NULL))

static const struct {
	const char *name;
	void (*ours)(void *arg, struct bench_round *round);
	void (*peer)(void *arg, struct bench_round *round);
	bool two_cores;
} kinds[] = {
	{"spsc same core", same_spsc, same_peer_spsc, false},
	{"mpmc same core", same_mpmc, same_peer_mpmc, false},
	{"spsc two cores", two_spsc, two_peer_spsc, true},
	{"mpmc two cores", two_mpmc, two_peer_mpmc, true},
};

static void compare(unsigned kind, struct setup *setup)
{
	struct bench_side sides[] = {
		{"weir", kinds[kind].ours, setup},
		{"rte_ring", kinds[kind].peer, setup},
	};
	char name[64];

	ring_init(setup->ring, RING_SIZE); // a ring is of one kind
	snprintf(name, sizeof(name), "ring %s %u", kinds[kind].name, setup->n);
	bench_compare(name, sides, 2);
}

int main(int argc, char **argv)
{
	// Sizes divide the rounds' entries, and are not constants to the compiler.
	static const unsigned sizes[] = {1, 8, 32, 64};
	struct setup setup;

	bench_start(argc, argv, "ring: enqueue + dequeue of pointers, by call size", "pkt");
	bench_eal_start(argv[0], 64);
	setup.ring = plat_arena_alloc(ring_bytes(RING_SIZE), 2 * CACHE_LINE);
	setup.peer = rte_ring_create("peer", RING_SIZE, SOCKET_ID_ANY, RING_F_EXACT_SZ);
	if (!setup.ring || !setup.peer || ring_init(setup.ring, RING_SIZE)) {
		fprintf(stderr, "%s: no memory for the rings\n", argv[0]);
		return 1;
	}
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (kinds[k].two_cores && plat_lcore_count() < 2) {
			fprintf(stderr, "# %s left out: one CPU only\n", kinds[k].name);
			continue;
		}
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			setup.n = sizes[i];
			compare(k, &setup);
		}
	}
	return bench_end();
}
