// SPDX-License-Identifier: BSD-3-Clause
// handoff.c - give packets to other lcores by SPSC rings
#include "core/handoff.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"
#include "mempool/mempool.h"
#include "mempool/ring.h"

enum { DROP_RING_FULL, DROP_NO_BUFFER };
static const char *const out_drops[] = {"ring-full", "no-buffer", NULL};

struct lane { // from one lcore to another
	struct ring *ring;
	unsigned to;
	bool may_sleep;		      // the taker
	_Atomic bool asleep;	      // it is, or is about to
	uint64_t given cache_aligned; // the giver's line
	uint64_t taken cache_aligned; // the taker's
} cache_aligned;

struct handoff {
	unsigned lcores;
	struct node *in[HANDOFF_LCORES_MAX];
	struct lane lane[HANDOFF_LCORES_MAX][HANDOFF_LCORES_MAX]; // [from][to]
};

struct out { // a giving node
	struct lane *lane;
	uint8_t entry;
};

static void in_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = pkts[i]->entry;
}

// The fence puts the packets in front of the look at the flag, as lane_arm() puts its flag in front
// of its look at the ring: one of the two sees the other.
static always_inline void wake(struct lane *lane)
{
	if (!lane->may_sleep)
		return;
	atomic_thread_fence(memory_order_seq_cst);
	if (unlikely(atomic_load_explicit(&lane->asleep, memory_order_relaxed)))
		plat_wake(lane->to);
}

// A packet with other owners, which may go elsewhere still, is not ours to write an entry into: a
// copy is given in its place.
static bool unshare(struct mbuf **pkt)
{
	struct mbuf *copy = mbuf_copy(*pkt, (*pkt)->pool);

	if (!copy)
		return false;
	mbuf_free(*pkt);
	*pkt = copy;
	return true;
}

static __attribute__((noinline)) void out_shared(const struct out *o, struct mbuf **pkts,
						 uint8_t *next, unsigned n)
{
	struct lane *lane = o->lane;

	for (unsigned i = 0; i < n; i++) {
		if (!ring_spsc_room(lane->ring, 1)) {
			next[i] = NEXT_DROP(DROP_RING_FULL);
			continue;
		}
		if (pkts[i]->refcnt != 1 && !unshare(&pkts[i])) {
			next[i] = NEXT_DROP(DROP_NO_BUFFER);
			continue;
		}
		pkts[i]->entry = o->entry;
		lane->given++;
		ring_spsc_put(lane->ring, (void *const *)&pkts[i], 1);
		next[i] = NEXT_SENT;
	}
	wake(lane);
}

static bool any_shared(struct mbuf *const *pkts, unsigned n)
{
	uint32_t owners = 0;

	for (unsigned i = 0; i < n; i++)
		owners |= pkts[i]->refcnt;
	return owners > 1;
}

static void out_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct out *o = node->state;
	struct lane *lane = o->lane;
	unsigned room = ring_spsc_room(lane->ring, n);

	if (unlikely(any_shared(pkts, n))) {
		out_shared(o, pkts, next, n);
		return;
	}
	if (room) {
		for (unsigned i = 0; i < room; i++)
			pkts[i]->entry = o->entry;
		lane->given += room;
		ring_spsc_put(lane->ring, (void *const *)pkts, room);
		wake(lane);
	}
	if (likely(room == n)) {
		node_all(node, NEXT_SENT);
		return;
	}
	memset(next, NEXT_SENT, room);
	memset(next + room, NEXT_DROP(DROP_RING_FULL), n - room);
}

static void out_destroy(struct node *node)
{
	free(node->state);
}

static const struct node_def in_def = {
	.name = "handoff-in",
	.process = in_process,
};

static const struct node_def out_def = {
	.name = "handoff-out",
	.drops = out_drops,
	.process = out_process,
	.destroy = out_destroy,
};

static struct ring *ring_new(void)
{
	size_t bytes = (ring_bytes(HANDOFF_RING) + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	struct ring *r = aligned_alloc(CACHE_LINE, bytes);

	if (r && ring_init(r, HANDOFF_RING)) {
		free(r);
		return NULL;
	}
	return r;
}

struct handoff *handoff_create(unsigned lcores, struct err *err)
{
	struct handoff *h;

	if (lcores < 2 || lcores > HANDOFF_LCORES_MAX) {
		err_set(err, -EINVAL, "hand-off among %u lcores: 2 to %u are possible", lcores,
			HANDOFF_LCORES_MAX);
		return NULL;
	}
	h = aligned_alloc(CACHE_LINE, sizeof(*h));
	if (!h) {
		err_set(err, -ENOMEM, "no memory for the hand-off between %u lcores", lcores);
		return NULL;
	}
	memset(h, 0, sizeof(*h));
	h->lcores = lcores;
	for (unsigned i = 0; i < lcores * lcores; i++) {
		struct lane *lane = &h->lane[i / lcores][i % lcores];

		if (i / lcores == i % lcores)
			continue;
		lane->to = i % lcores;
		lane->ring = ring_new();
		if (!lane->ring) {
			err_set(err, -ENOMEM, "no memory for the hand-off between %u lcores",
				lcores);
			handoff_destroy(h);
			return NULL;
		}
	}
	return h;
}

static void lane_free(struct lane *lane)
{
	struct mbuf *pkts[GRAPH_BURST];
	unsigned n;

	if (!lane->ring)
		return;
	while ((n = ring_spsc_dequeue_burst(lane->ring, (void **)pkts, GRAPH_BURST)))
		mbuf_free_bulk(pkts, n);
	free(lane->ring);
}

void handoff_destroy(struct handoff *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i < h->lcores * h->lcores; i++)
		lane_free(&h->lane[i / h->lcores][i % h->lcores]);
	free(h);
}

struct node *handoff_in_add(struct handoff *h, struct graph *g, unsigned to, struct err *err)
{
	struct node *node = graph_add(g, &in_def, in_def.name, NULL, err);

	h->in[to] = node;
	return node;
}

// The edge of `in` that leads to `entry`, added when there is none; -errno.
static int entry_edge(struct node *in, struct node *entry, struct err *err)
{
	if (entry->graph != in->graph)
		return err_set(err, -EINVAL, "hand-off: node '%s' is in another lcore's graph",
			       entry->name);
	for (unsigned i = 0; i < in->edges; i++)
		if (in->edge[i] == entry)
			return (int)i;
	return node_add_edge(in, entry, err);
}

struct node *handoff_out_add(struct handoff *h, struct graph *g, unsigned from, const char *name,
			     unsigned to, struct node *entry, struct err *err)
{
	int edge = entry_edge(h->in[to], entry, err);
	struct node *node;
	struct out *o;

	if (edge < 0)
		return NULL;
	o = malloc(sizeof(*o));
	if (!o) {
		err_set(err, -ENOMEM, "hand-off: no memory for node '%s'", name);
		return NULL;
	}
	*o = (struct out){&h->lane[from][to], (uint8_t)edge};
	node = graph_add(g, &out_def, name, o, err);
	if (!node)
		free(o);
	return node;
}

static uint16_t take(void *arg, struct mbuf **pkts, uint16_t n)
{
	struct lane *lane = arg;
	unsigned got = ring_spsc_dequeue_burst(lane->ring, (void **)pkts, n);

	lane->taken += got;
	return (uint16_t)got;
}

static int lane_arm(void *arg, uint16_t index)
{
	struct lane *lane = arg;

	atomic_store_explicit(&lane->asleep, true, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (!ring_count(lane->ring))
		return 0;
	atomic_store_explicit(&lane->asleep, false, memory_order_relaxed);
	return -EAGAIN;
}

static void lane_disarm(void *arg, uint16_t index)
{
	atomic_store_explicit(&((struct lane *)arg)->asleep, false, memory_order_relaxed);
}

void handoff_source(struct loop_source *s, struct handoff *h, unsigned from, unsigned to)
{
	memset(s, 0, sizeof(*s));
	s->burst = take;
	s->arg = &h->lane[from][to];
	s->node = h->in[to];
	s->arm = lane_arm;
	s->disarm = lane_disarm;
	s->arm_arg = s->arg;
}

void handoff_may_sleep(struct handoff *h)
{
	for (unsigned from = 0; from < h->lcores; from++)
		for (unsigned to = 0; to < h->lcores; to++)
			h->lane[from][to].may_sleep = true;
}

void handoff_books(const struct handoff *h, unsigned lcore, struct handoff_books *b)
{
	*b = (struct handoff_books){0};
	for (unsigned other = 0; other < h->lcores; other++) {
		b->given += h->lane[lcore][other].given;
		b->taken += h->lane[other][lcore].taken;
	}
}

void handoff_settle(struct graph_books *sum, const struct handoff_books *all)
{
	uint64_t through = all->taken < all->given ? all->taken : all->given;

	sum->rx -= through;
	sum->tx -= all->given;
	sum->held += all->given - through;
}
