// SPDX-License-Identifier: BSD-3-Clause
// handoff_bench.c - what it costs to spread flows in software and hand packets to another lcore
//
// The frames of tests/captures, copied into fresh buffers as a port would have received them, in
// bursts of 64. The hash runs beside DPDK's. Node rss's cycles are the graph's own count. A packet
// handed over pays, beyond its way through the graph: the node that gives, the ring, the node that
// takes ("one core": both sides on this core; "two cores": the time of one packet after the other
// through both, with the buffers' way between their caches).
#include <pcap/pcap.h>
#include <pthread.h>
#include <rte_thash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/handoff.h"
#include "core/plat.h"
#include "netstack/rss_node.h"
#include "perf/bench.h"
#include "perf/bench_eal.h"

#define FRAMES_MAX 2048u
#define AHEAD	   2048u
#define BATCHES	   4u
#define HASHES	   65536u

static struct {
	uint8_t bytes[1514];
	uint16_t len;
} frame[FRAMES_MAX];
static unsigned frames;
static struct mempool *pool;
static struct clock real;

static void die(const char *what)
{
	fprintf(stderr, "handoff_bench: %s\n", what);
	exit(1);
}

static void load(const char *path)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(path, text);
	struct pcap_pkthdr *h;
	const u_char *bytes;

	if (!p)
		die(text);
	while (frames < FRAMES_MAX && pcap_next_ex(p, &h, &bytes) == 1) {
		frame[frames].len = (uint16_t)(h->caplen < 1514 ? h->caplen : 1514);
		memcpy(frame[frames].bytes, bytes, frame[frames].len);
		frames++;
	}
	pcap_close(p);
}

static void receive(struct mbuf **pkts)
{
	static unsigned at;

	for (unsigned i = 0; i < AHEAD; i++, at = at + 1 < frames ? at + 1 : 0) {
		pkts[i] = mbuf_from_bytes(pool, frame[at].bytes, frame[at].len);
		if (!pkts[i])
			die("the pool is empty");
	}
}

// --- the hash ---

static uint32_t tuples[HASHES][3];
static volatile uint32_t sink;

static void hash_ours(void *arg, struct bench_round *round)
{
	const struct rss_table *t = arg;
	uint32_t sum = 0;

	for (unsigned i = 0; i < HASHES; i++) {
		uint32_t x = tuples[i][0] ^ tuples[i][1] ^ tuples[i][2];

		sum += t->periodic ? rss_hash16(t, (uint16_t)(x ^ x >> 16))
				   : rss_hash(t, (const uint8_t *)tuples[i], 12);
	}
	sink = sum;
	round->packets = HASHES;
}

static void hash_soft(void *arg, struct bench_round *round)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < HASHES / 8; i++)
		sum += rte_softrss_be(tuples[i], 3, arg);
	sink = sum;
	round->packets = HASHES / 8;
}

static void compare_hashes(enum blob_rss key, const char *name)
{
	static struct rss_table table;
	static uint32_t swapped[RSS_KEY_LEN / 4];
	struct bench_side sides[] = {{"weir", hash_ours, &table},
				     {"rte_softrss_be", hash_soft, swapped}};

	rss_table_init(&table, rss_key[key]);
	rte_convert_rss_key((const uint32_t *)(const void *)rss_key[key], swapped, RSS_KEY_LEN);
	bench_compare(name, sides, 2);
}

// --- the nodes ---

static void end_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	mbuf_free_bulk(pkts, n);
	node_all(node, NEXT_SENT);
}

static const struct node_def end_def = {.name = "end", .process = end_process};

static struct bed { // two lcores' graphs; all flows are the second's, or the first's
	struct graph *g[2];
	struct handoff *h;
	struct node *rss, *end[2];
	struct loop_source in;
	_Atomic uint64_t taken;
	_Atomic bool done, ready;
	uint64_t wait_ns;
} near, away;

static void make(struct bed *b, bool local)
{
	struct node *out;
	struct err err;

	b->h = handoff_create(2, &err);
	for (unsigned k = 0; k < 2; k++) {
		b->g[k] = graph_create(&real, &err);
		b->end[k] = graph_add(b->g[k], &end_def, "end", NULL, &err);
		if (!handoff_in_add(b->h, b->g[k], k, &err))
			die(err.text);
	}
	b->rss = rss_node_add(b->g[0], "lan", BLOB_RSS_SYMMETRIC, 2, &err);
	out = handoff_out_add(b->h, b->g[0], 0, "handoff", 1, b->end[1], &err);
	for (unsigned k = 0; k < 2; k++)
		node_add_edge(b->rss, local ? b->end[0] : out, &err);
	handoff_source(&b->in, b->h, 0, 1);
}

static bool take(struct bed *b)
{
	struct mbuf *pkts[GRAPH_BURST];
	uint16_t n = b->in.burst(b->in.arg, pkts, GRAPH_BURST);

	if (n)
		graph_rx(b->g[1], b->in.node, pkts, n);
	atomic_store_explicit(&b->taken, atomic_load_explicit(&b->taken, memory_order_relaxed) + n,
			      memory_order_release);
	return n;
}

// Cycles of node rss alone.
static void run_node(void *arg, struct bench_round *round)
{
	static struct mbuf *pkts[AHEAD];
	struct bed *b = arg;
	uint64_t before;

	for (unsigned batch = 0; batch < BATCHES; batch++) {
		receive(pkts);
		before = b->rss->stats.cycles;
		for (unsigned i = 0; i < AHEAD; i += GRAPH_BURST)
			graph_rx(b->g[0], b->rss, pkts + i, GRAPH_BURST);
		round->cycles += b->rss->stats.cycles - before;
	}
	round->packets = BATCHES * AHEAD;
}

// Everything from rss to the end, with and without the ring.
static void run_whole(void *arg, struct bench_round *round)
{
	static struct mbuf *pkts[AHEAD];
	struct bed *b = arg;
	uint64_t before;

	for (unsigned batch = 0; batch < BATCHES; batch++) {
		receive(pkts);
		before = tsc_read();
		for (unsigned i = 0; i < AHEAD; i += GRAPH_BURST) {
			graph_rx(b->g[0], b->rss, pkts + i, GRAPH_BURST);
			while (take(b))
				;
		}
		round->cycles += tsc_read() - before;
	}
	round->packets = BATCHES * AHEAD;
}

static void *taker(void *arg)
{
	struct bed *b = arg;
	uint64_t wait;

	lcore_enter(1);
	wait = bench_wait_ns();
	atomic_store(&b->ready, true);
	while (!atomic_load_explicit(&b->done, memory_order_relaxed))
		take(b);
	b->wait_ns = bench_wait_ns() - wait;
	return NULL;
}

static void run_two(void *arg, struct bench_round *round)
{
	static struct mbuf *pkts[AHEAD];
	struct bed *b = arg;
	uint64_t before, base = atomic_load(&b->taken), given = base;
	pthread_t other;

	atomic_store(&b->done, false);
	atomic_store(&b->ready, false);
	if (pthread_create(&other, NULL, taker, b))
		return;
	while (!atomic_load(&b->ready))
		__builtin_ia32_pause();
	for (unsigned batch = 0; batch < BATCHES; batch++) {
		receive(pkts);
		before = tsc_read();
		for (unsigned i = 0; i < AHEAD; i += GRAPH_BURST, given += GRAPH_BURST) {
			while (given - atomic_load_explicit(&b->taken, memory_order_acquire) >
			       HANDOFF_RING - GRAPH_BURST)
				__builtin_ia32_pause();
			graph_rx(b->g[0], b->rss, pkts + i, GRAPH_BURST);
		}
		while (atomic_load_explicit(&b->taken, memory_order_acquire) != given)
			__builtin_ia32_pause();
		round->cycles += tsc_read() - before;
	}
	atomic_store(&b->done, true);
	pthread_join(other, NULL);
	round->packets = BATCHES * AHEAD;
	round->wait_ns = b->wait_ns;
}

int main(int argc, char **argv)
{
	struct mempool_conf conf = {.name = "packets", .count = 3 * AHEAD, .lcores = 2};
	struct err err;

	bench_start(argc, argv, "flows spread in software, and handed to another lcore", "pkt");
	bench_eal_start(argv[0], 64);
	pool = mempool_create(&conf, &err);
	if (!pool)
		die(err.text);
	clock_init(&real, CLOCK_REAL);
	load(CAPTURES "/router-wan.pcap");
	load(CAPTURES "/router-lan.pcap");
	for (unsigned i = 0; i < HASHES; i++)
		for (unsigned k = 0; k < 3; k++)
			tuples[i][k] = (uint32_t)random();
	make(&near, true);
	make(&away, false);
	compare_hashes(BLOB_RSS_SYMMETRIC, "hash/symmetric");
	compare_hashes(BLOB_RSS_MICROSOFT, "hash/microsoft");
	bench_compare("rss node", &(struct bench_side){"weir", run_node, &near}, 1);
	bench_compare("rss, stays", &(struct bench_side){"weir", run_whole, &near}, 1);
	bench_compare("rss, handed over, one core", &(struct bench_side){"weir", run_whole, &away},
		      1);
	if (plat_lcore_count() > 1)
		bench_compare("rss, handed over, two cores",
			      &(struct bench_side){"weir", run_two, &away}, 1);
	return bench_end();
}
