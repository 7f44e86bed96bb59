// SPDX-License-Identifier: BSD-3-Clause
// mempool_bench.c - pools and packets beside rte_mempool and rte_mbuf
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "mempool/mempool.h"
#include "perf/bench.h"
#include "perf/bench_eal.h"

#define COUNT     65536u // buffers taken at once, out of the processor's caches
#define SPARE     2048u  // more than a cache keeps, on either side
#define HOT       192000u
#define BULK_MOST 64u
#define CACHE     512u // rte_mempool's largest

struct setup {
	struct mempool *pool;
	struct rte_mempool *peer;
	unsigned n;
	struct mbuf *all[COUNT];
	struct rte_mbuf *peer_all[COUNT];
};

static void hot_raw(void *arg, struct bench_round *round)
{
	struct setup *s = arg;
	struct mbuf *pkts[BULK_MOST];

	for (unsigned i = 0; i < HOT; i += s->n) {
		if (mempool_get_bulk(s->pool, pkts, s->n))
			abort();
		mempool_put_bulk(s->pool, pkts, s->n);
	}
	round->packets = HOT;
}

static void hot_raw_peer(void *arg, struct bench_round *round)
{
	struct setup *s = arg;
	void *pkts[BULK_MOST];

	for (unsigned i = 0; i < HOT; i += s->n) {
		if (rte_mempool_get_bulk(s->peer, pkts, s->n))
			abort();
		rte_mempool_put_bulk(s->peer, pkts, s->n);
	}
	round->packets = HOT;
}

static void take(struct setup *s, struct mbuf **pkts)
{
	if (mempool_get_bulk(s->pool, pkts, s->n))
		abort();
	for (unsigned i = 0; i < s->n; i++)
		mbuf_reset(pkts[i]);
}

static void hot_packets(void *arg, struct bench_round *round)
{
	struct setup *s = arg;
	struct mbuf *pkts[BULK_MOST];

	for (unsigned i = 0; i < HOT; i += s->n) {
		take(s, pkts);
		mbuf_free_bulk(pkts, s->n);
	}
	round->packets = HOT;
}

static void hot_packets_peer(void *arg, struct bench_round *round)
{
	struct setup *s = arg;
	struct rte_mbuf *pkts[BULK_MOST];

	for (unsigned i = 0; i < HOT; i += s->n) {
		if (rte_pktmbuf_alloc_bulk(s->peer, pkts, s->n))
			abort();
		rte_pktmbuf_free_bulk(pkts, s->n);
	}
	round->packets = HOT;
}

// Random order: everything that is out is freed in the order of the last shuffle, and taken again.
static void random_raw(void *arg, struct bench_round *round)
{
	struct setup *s = arg;

	for (unsigned i = 0; i < COUNT; i += s->n)
		mempool_put_bulk(s->pool, s->all + i, s->n);
	for (unsigned i = 0; i < COUNT; i += s->n)
		if (mempool_get_bulk(s->pool, s->all + i, s->n))
			abort();
	round->packets = COUNT;
}

static void random_raw_peer(void *arg, struct bench_round *round)
{
	struct setup *s = arg;

	for (unsigned i = 0; i < COUNT; i += s->n)
		rte_mempool_put_bulk(s->peer, (void **)s->peer_all + i, s->n);
	for (unsigned i = 0; i < COUNT; i += s->n)
		if (rte_mempool_get_bulk(s->peer, (void **)s->peer_all + i, s->n))
			abort();
	round->packets = COUNT;
}

static void random_packets(void *arg, struct bench_round *round)
{
	struct setup *s = arg;

	for (unsigned i = 0; i < COUNT; i += s->n)
		mbuf_free_bulk(s->all + i, s->n);
	for (unsigned i = 0; i < COUNT; i += s->n)
		take(s, s->all + i);
	round->packets = COUNT;
}

static void random_packets_peer(void *arg, struct bench_round *round)
{
	struct setup *s = arg;

	for (unsigned i = 0; i < COUNT; i += s->n)
		rte_pktmbuf_free_bulk(s->peer_all + i, s->n);
	for (unsigned i = 0; i < COUNT; i += s->n)
		if (rte_pktmbuf_alloc_bulk(s->peer, s->peer_all + i, s->n))
			abort();
	round->packets = COUNT;
}

// The same permutation for both sides (xorshift64, a constant seed).
static void shuffle(void **ours, void **peers)
{
	uint64_t x = 88172645463325252ull;

	for (unsigned i = COUNT - 1; i > 0; i--) {
		unsigned k;
		void *t;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		k = (unsigned)(x % (i + 1));
		t = ours[i], ours[i] = ours[k], ours[k] = t;
		t = peers[i], peers[i] = peers[k], peers[k] = t;
	}
}

static void compare(const char *what, struct setup *s, void (*ours)(void *, struct bench_round *),
		    void (*peers)(void *, struct bench_round *), const char *peer)
{
	static const unsigned sizes[] = {1, 8, 32, 64};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bench_side sides[] = {{"weir", ours, s}, {peer, peers, s}};
		char name[64];

		s->n = sizes[i];
		snprintf(name, sizeof(name), "%s %u", what, s->n);
		bench_compare(name, sides, 2);
	}
}

static int setup_make(struct setup *s)
{
	struct mempool_conf conf = {.name = "bench", .count = COUNT + SPARE, .cache = CACHE};
	struct err err = {""};

	s->pool = mempool_create(&conf, &err);
	s->peer = rte_pktmbuf_pool_create("peer", COUNT + SPARE, CACHE, 0,
					  MBUF_HEADROOM + MBUF_DATAROOM, SOCKET_ID_ANY);
	if (s->pool && s->peer)
		return 0;
	fprintf(stderr, "%s\n", s->pool ? "no memory for the peer's pool" : err.text);
	return -1;
}

int main(int argc, char **argv)
{
	static struct setup s;

	bench_start(argc, argv, "mempool: take + give back buffers, by call size", "pkt");
	bench_eal_start(argv[0], 512);
	if (setup_make(&s))
		return 1;
	compare("mempool get+put", &s, hot_raw, hot_raw_peer, "rte_mempool");
	compare("mbuf alloc+free", &s, hot_packets, hot_packets_peer, "rte_mbuf");

	s.n = 64;
	for (unsigned i = 0; i < COUNT; i += s.n) {
		take(&s, s.all + i);
		if (rte_pktmbuf_alloc_bulk(s.peer, s.peer_all + i, s.n))
			abort();
	}
	shuffle((void **)s.all, (void **)s.peer_all);
	compare("mempool random order", &s, random_raw, random_raw_peer, "rte_mempool");
	compare("mbuf random order", &s, random_packets, random_packets_peer, "rte_mbuf");
	return bench_end();
}
