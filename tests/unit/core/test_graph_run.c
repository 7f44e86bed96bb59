// SPDX-License-Identifier: BSD-3-Clause
// test_graph_run.c - random graphs and bursts against a model that does one thing at a time
//
// The model says in ten lines what graph_run.c does with vectors: a node's list of packets is parted by
// where they go, in the order of first packets, and each part runs to its end before the next.
#include "tests/unit/core/graph_kinds.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define NODES  8
#define BURSTS 8
#define ROUNDS 400

static struct mempool *pool;

struct world { // a graph, and where each node sends each packet
	struct clock clock;
	struct graph *g;
	struct node *node[NODES];
	struct picker state[NODES];
	uint8_t rule[NODES][256]; // by the packet's low byte
	uint64_t rng;
	// the model's
	uint32_t seen[NODES][SEEN_MAX];
	unsigned seens[NODES];
	uint64_t drop[NODES][2], consumed[NODES], sent[NODES], held[NODES], too_deep;
};

static uint32_t rnd(struct world *w, uint32_t below)
{
	w->rng ^= w->rng << 13; // xorshift64, Marsaglia 2003
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return (uint32_t)((w->rng >> 32) * below >> 32);
}

static __thread struct world *here;

static uint8_t pick_rule(struct node *node, struct mbuf *m)
{
	uint8_t v = here->rule[node->id][m->scratch32[0] & 0xff];

	if (v == NEXT_SENT)
		mbuf_free(m);
	return v;
}

static uint8_t ending(struct world *w)
{
	static const uint8_t end[] = {NEXT_DROP(0), NEXT_DROP(1), NEXT_CONSUMED, NEXT_SENT,
				      NEXT_HELD};

	return end[rnd(w, 5)];
}

// Node n of a graph leads to `edges` others, most of them further down so that packets end. Rules: all
// packets alike, or few exceptions, or anything.
static void node_rules(struct world *w, unsigned n)
{
	unsigned edges = n == NODES - 1 ? 0 : 1 + rnd(w, 6), kind = rnd(w, 3);
	uint8_t main_way = edges ? (uint8_t)rnd(w, edges) : ending(w);

	for (unsigned e = 0; e < edges; e++) {
		unsigned to = rnd(w, 20) == 0 ? rnd(w, NODES) : n + 1 + rnd(w, NODES - 1 - n);

		assert_int_equal(node_add_edge(w->node[n], w->node[to], NULL), e);
	}
	for (unsigned i = 0; i < 256; i++) {
		bool other = kind == 2 || (kind == 1 && rnd(w, 16) == 0);
		uint8_t any = edges && rnd(w, 4) ? (uint8_t)rnd(w, edges) : ending(w);

		w->rule[n][i] = other ? any : main_way;
	}
}

static void world_make(struct world *w, uint64_t seed)
{
	char name[4];

	memset(w, 0, sizeof(*w));
	w->rng = seed * 0x9e3779b97f4a7c15ull | 1;
	w->g = graph_create(&w->clock, NULL);
	for (unsigned n = 0; n < NODES; n++) {
		snprintf(name, sizeof(name), "n%u", n);
		w->state[n].pick = pick_rule;
		w->node[n] = test_add(w->g, &bare_def, name, &w->state[n]);
	}
	for (unsigned n = 0; n < NODES; n++)
		node_rules(w, n);
	assert_int_equal(graph_check(w->g, NULL), 0);
}

static void model_end(struct world *w, unsigned n, uint8_t v, unsigned count)
{
	switch (v) {
	case NEXT_SENT:
		w->sent[n] += count;
		break;
	case NEXT_HELD:
		w->held[n] += count;
		break;
	case NEXT_CONSUMED:
		w->consumed[n] += count;
		break;
	default:
		w->drop[n][v - 0x80] += count;
	}
}

static void model_run(struct world *w, unsigned n, const uint32_t *id, unsigned count,
		      unsigned depth)
{
	bool done[GRAPH_BURST] = {false};

	if (depth > GRAPH_DEPTH_MAX) {
		w->too_deep += count;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		w->seen[n][w->seens[n]++] = id[i];
	for (unsigned i = 0; i < count; i++) {
		uint32_t part[GRAPH_BURST];
		unsigned k = 0;
		uint8_t v = w->rule[n][id[i] & 0xff];

		for (unsigned j = i; j < count; j++) {
			if (!done[j] && w->rule[n][id[j] & 0xff] == v) {
				part[k++] = id[j];
				done[j] = true;
			}
		}
		if (k && v < 0x80)
			model_run(w, w->node[n]->edge[v]->id, part, k, depth + 1);
		else if (k)
			model_end(w, n, v, k);
	}
}

static void compare(struct world *w, uint64_t seed)
{
	for (unsigned n = 0; n < NODES; n++) {
		const struct node_stats *s = &w->node[n]->stats;

		if (w->seens[n] != w->state[n].seens ||
		    memcmp(w->seen[n], w->state[n].seen, w->seens[n] * sizeof(uint32_t)))
			fail_msg("seed %lu: node %u saw other packets than the model", seed, n);
		assert_int_equal(s->packets, w->seens[n]);
		assert_int_equal(s->drop[0], w->drop[n][0]);
		assert_int_equal(s->drop[1], w->drop[n][1]);
		assert_int_equal(s->consumed, w->consumed[n]);
		assert_int_equal(s->sent, w->sent[n]);
		assert_int_equal(s->held, w->held[n]);
	}
	assert_int_equal(graph_find(w->g, "graph")->stats.drop[0], w->too_deep);
}

// Also the packets themselves: each comes back whole, so the pool is full again at the end.
static void one_world(struct world *w, uint64_t seed, struct mempool *mp)
{
	struct graph_books b;
	uint32_t first = 0;

	here = w;
	world_make(w, seed);
	for (unsigned i = 0; i < BURSTS; i++) {
		struct mbuf *pkts[GRAPH_BURST];
		uint32_t id[GRAPH_BURST];
		unsigned n = rnd(w, 3) ? 1 + rnd(w, GRAPH_BURST) : GRAPH_BURST;

		for (unsigned k = 0; k < n; k++)
			id[k] = first + k;
		test_packets(mp, pkts, n, first);
		first += n;
		graph_rx(w->g, w->node[0], pkts, n);
		model_run(w, 0, id, n, 1);
		graph_books(w->g, &b);
		assert_int_equal(b.rx, first);
		assert_true(graph_balanced(&b));
	}
	compare(w, seed);
	graph_destroy(w->g);
}

static void test_random(void **state)
{
	static struct world w;

	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		one_world(&w, seed, pool);
		assert_int_equal(mempool_available(pool), mempool_count(pool));
	}
}

static void *other_lcore(void *arg)
{
	static struct world w;

	lcore_enter(1);
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		one_world(&w, 1000000 + seed, pool);
	return NULL;
}

// Two lcores, each with graphs of its own, one pool.
static void test_two_lcores(void **state)
{
	static struct world w;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, other_lcore, NULL), 0);
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		one_world(&w, 2000000 + seed, pool);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_two_lcores),
	};

	pool = test_pool(8192);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
