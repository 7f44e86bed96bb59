// SPDX-License-Identifier: BSD-3-Clause
// graph_run.c - run bursts through the graph depth-first
//
// Most bursts take one path whole: then the same array goes from node to node and nothing is copied.
// Else the burst is split, one gather a distinct value of next[], in the order of their first packets.
#include <immintrin.h>

#include "core/graph.h"
#include "core/graph_private.h"
#include "core/graph_trace.h"
#include "mempool/mempool.h"

#define WORDS     ((GRAPH_BURST + 63) / 64) // of masks, a bit a packet
#define NEXT_INIT 0xc0                      // no edge, no reason: a value process() left unset

// A burst loses its few exceptions more often than it falls to pieces. From GATHER_MANY packets of a
// word on, four pointers at a time are pushed together by picks[] (29 cycles for 62 of 64, against 74
// one by one).
#define GATHER_MANY 12

static const uint32_t picks[16][8] __attribute__((aligned(32))) = {
	{0},
	{0, 1},
	{2, 3},
	{0, 1, 2, 3},
	{4, 5},
	{0, 1, 4, 5},
	{2, 3, 4, 5},
	{0, 1, 2, 3, 4, 5},
	{6, 7},
	{0, 1, 6, 7},
	{2, 3, 6, 7},
	{0, 1, 2, 3, 6, 7},
	{4, 5, 6, 7},
	{0, 1, 4, 5, 6, 7},
	{2, 3, 4, 5, 6, 7},
	{0, 1, 2, 3, 4, 5, 6, 7},
};

// Bit i is set where next[i] == v, for 64 packets.
static always_inline uint64_t equal64(const uint8_t *next, uint8_t v)
{
	__m256i b = _mm256_set1_epi8((char)v);
	__m256i lo = _mm256_load_si256((const __m256i *)next);
	__m256i hi = _mm256_load_si256((const __m256i *)(next + 32));
	uint32_t m0 = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(lo, b));
	uint32_t m1 = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hi, b));

	return (uint64_t)m1 << 32 | m0;
}

// The bits of word w that stand for packets of a burst of n.
static always_inline uint64_t valid64(unsigned n, unsigned w)
{
	if (n <= 64 * w)
		return 0;
	n -= 64 * w;
	return n >= 64 ? ~0ull : ~0ull >> (64 - n);
}

static always_inline bool all_equal(const uint8_t *next, unsigned n)
{
	uint64_t differ = 0;

	for (unsigned w = 0; w < WORDS; w++)
		differ |= ~equal64(next + 64 * w, next[0]) & valid64(n, w);
	return differ == 0;
}

// Time up to now belongs to `node`.
static always_inline void charge(struct graph *g, struct node *node)
{
	uint64_t t = tsc_read();

	node->stats.cycles += t - g->tsc;
	g->tsc = t;
}

void graph_drop_self(struct graph *g, unsigned reason, struct mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; unlikely(g->watch) && i < n; i++)
		g->watch->drop(g->watch->arg, &g->self, (uint8_t)reason, pkts[i]);
	g->self.stats.drop[reason] += n;
	mbuf_free_bulk(pkts, n);
}

// Packets for which `node` named no edge: v says how they end.
static __attribute__((noinline)) void finish(struct graph *g, struct node *node, uint8_t v,
					     struct mbuf **pkts, unsigned n)
{
	unsigned reason = v - NEXT_DROP(0);

	if (v == NEXT_SENT) {
		node->stats.sent += n;
		return;
	}
	if (v == NEXT_HELD) {
		node->stats.held += n;
		return;
	}
	if (v == NEXT_CONSUMED) {
		node->stats.consumed += n;
		mbuf_free_bulk(pkts, n);
	} else if (v >= NEXT_DROP(0) && reason < node->drops) {
		node->stats.drop[reason] += n;
		mbuf_free_bulk(pkts, n);
	} else {
		if (GRAPH_AUDIT)
			graph_fault(g, node, "named no edge and no drop reason with next", v);
		graph_drop_self(g, GRAPH_DROP_BAD_EDGE, pkts, n);
	}
	charge(g, node);
}

// Copies the pointers whose bit is set in m, of up to 64, to part; returns how many.
static always_inline unsigned gather(struct mbuf **part, struct mbuf *const *pkts, uint64_t m,
				     unsigned n)
{
	unsigned i = 0, k = 0;

	if ((unsigned)__builtin_popcountll(m) >= GATHER_MANY) {
		for (; i + 4 <= n; i += 4, m >>= 4) {
			__m256i four = _mm256_loadu_si256((const __m256i *)(pkts + i));
			__m256i pick = _mm256_load_si256((const __m256i *)picks[m & 15]);

			// k <= i: what is written past the chosen ones is inside part.
			_mm256_storeu_si256((__m256i *)(part + k),
					    _mm256_permutevar8x32_epi32(four, pick));
			k += (unsigned)__builtin_popcount(m & 15);
		}
	}
	for (; m; m &= m - 1)
		part[k++] = pkts[i + (unsigned)__builtin_ctzll(m)];
	return k;
}

static __attribute__((noinline)) void split(struct graph *g, struct node *node, struct mbuf **pkts,
					    const uint8_t *next, unsigned n, unsigned depth)
{
	struct mbuf *part[GRAPH_BURST];
	uint64_t left[WORDS];

	for (unsigned w = 0; w < WORDS; w++)
		left[w] = valid64(n, w);
	for (unsigned w = 0; w < WORDS; w++) {
		while (left[w]) {
			uint8_t v = next[64 * w + (unsigned)__builtin_ctzll(left[w])];
			unsigned k = 0;

			for (unsigned x = w; x < WORDS; x++) {
				uint64_t m = equal64(next + 64 * x, v) & left[x];

				left[x] &= ~m;
				k += gather(part + k, pkts + 64 * x, m, n - 64 * x);
			}
			if (likely(v < node->edges))
				graph_run(g, node->edge[v], part, k, depth + 1);
			else
				finish(g, node, v, part, k);
		}
	}
}

static always_inline void enter(struct graph *g, struct node *node, struct mbuf **pkts,
				uint8_t *next, unsigned n)
{
	if (GRAPH_AUDIT) {
		for (unsigned i = 0; i < n; i++)
			next[i] = NEXT_INIT;
		mempool_own(pkts, n, node->name);
		mempool_owner = node->name;
	}
	node->process(node, pkts, next, n);
	charge(g, node);
}

void graph_run(struct graph *g, struct node *node, struct mbuf **pkts, unsigned n, unsigned depth)
{
	uint8_t next[64 * WORDS] __attribute__((aligned(32)));

	for (;; depth++) {
		uint8_t v = 0;

		if (unlikely(depth > GRAPH_DEPTH_MAX)) {
			graph_drop_self(g, GRAPH_DROP_DEPTH, pkts, n);
			return;
		}
		node->stats.calls++;
		node->stats.packets += n;
		if (likely(node->process)) {
			g->depth = depth;
			enter(g, node, pkts, next, n);
			if (node->all) {
				v = (uint8_t)node->all;
				node->all = 0;
				if (v == NEXT_SENT) {
					node->stats.sent += n;
					return;
				}
			} else if (all_equal(next, n)) {
				v = next[0];
			} else {
				split(g, node, pkts, next, n, depth);
				return;
			}
		}
		if (v >= node->edges) {
			finish(g, node, v, pkts, n);
			return;
		}
		node = node->edge[v];
	}
}

uint64_t graph_rx_at(struct graph *g, struct node *node, struct mbuf **pkts, unsigned n,
		     uint64_t tsc)
{
	const char *owner = mempool_owner;

	if (GRAPH_AUDIT && (n < 1 || n > GRAPH_BURST || g->depth))
		graph_fault(g, node, "was given by graph_rx(), from within a node or as a burst of",
			    n);
	g->tsc = tsc;
	g->rx += n;
	graph_run(g, node, pkts, n, 1);
	if (unlikely(g->head != g->tail))
		graph_run_pending(g);
	g->depth = 0;
	if (GRAPH_AUDIT) {
		graph_audit(g);
		mempool_owner = owner;
	}
	return g->tsc;
}

uint64_t graph_made_at(struct graph *g, struct node *node, struct mbuf **pkts, unsigned n,
		       uint64_t tsc)
{
	node->stats.generated += n;
	g->rx -= n; // which counts them as received
	return graph_rx_at(g, node, pkts, n, tsc);
}

void graph_rx(struct graph *g, struct node *node, struct mbuf **pkts, unsigned n)
{
	graph_rx_at(g, node, pkts, n, tsc_read());
}
