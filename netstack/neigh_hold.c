// SPDX-License-Identifier: BSD-3-Clause
// neigh_hold.c - packets that wait until it is known where their neighbor is
//
// RFC 1122, 2.3.2.2 and RFC 4861, 7.2.2: of the packets that wait for a neighbor the latest are
// kept; they leave in the order they came. A scan cannot fill the pool with them: their number is
// bounded in all, and so is that of neighbors that have not answered.
#include "netstack/neigh.h"

const char *const neigh_hold_drops[] = {"unresolved", "hold-overflow", "table-full", "shutdown",
					NULL};

// A held packet's scratch: the next one, and where in its burst it came, as long as that lasts.
#define SCRATCH_LINK  0 // of scratch64
#define SCRATCH_BURST 2 // of scratch32: low bits of node->stats.calls
#define SCRATCH_PLACE 3

static struct mbuf *take_first(struct neigh_table *t, struct neigh *n)
{
	struct mbuf *m = n->first;

	n->first = (struct mbuf *)(uintptr_t)m->scratch64[SCRATCH_LINK];
	if (!n->first)
		n->last = NULL;
	n->held--;
	t->held--;
	return m;
}

static void append(struct neigh_table *t, struct neigh *n, struct mbuf *m)
{
	m->scratch64[SCRATCH_LINK] = 0;
	if (n->last)
		n->last->scratch64[SCRATCH_LINK] = (uintptr_t)m;
	else
		n->first = m;
	n->last = m;
	n->held++;
	t->held++;
}

// Makes room by dropping the neighbor's oldest packet. One of the present burst is not held yet in
// the graph's books: its verdict is changed instead.
static void drop_oldest(struct neigh_table *t, struct neigh *n, uint8_t *next)
{
	uint32_t burst = (uint32_t)t->node->stats.calls;
	struct mbuf *m = take_first(t, n);

	if (m->scratch32[SCRATCH_BURST] == burst)
		next[m->scratch32[SCRATCH_PLACE]] = NEXT_DROP(NEIGH_DROP_OVERFLOW);
	else
		graph_drop_held(t->node, NEIGH_DROP_OVERFLOW, m);
}

// The neighbor a packet waits for, being asked for; 0 when there is no room for it.
static uint32_t neighbor_of(struct neigh_table *t, const struct mbuf *m)
{
	uint32_t index = m->scratch32[SCRATCH_ADJ];

	if (t->adj[index].kind == ADJ_GLEAN) {
		uint16_t iface = t->adj[index].iface;
		union ip_addr dst = {.w = {0, 0}};

		t->family->destination(m, &dst);
		index = neigh_find(t, iface, &dst);
		if (!index)
			index = neigh_create(t, iface, &dst);
	}
	if (index && !t->adj[index].ready && !neigh_ask(t, index)) {
		neigh_forget(t, index);
		return 0;
	}
	return index;
}

static void put_header(struct neigh_table *t, uint32_t index, struct mbuf *m)
{
	t->adj[index].used = true;
	adj_put_eth(m, &t->adj[index]);
}

static uint8_t hold(struct neigh_table *t, struct mbuf *m, uint8_t *next, unsigned place)
{
	uint32_t index = neighbor_of(t, m);
	struct neigh *n = &t->neigh[index];

	if (!index)
		return NEXT_DROP(NEIGH_DROP_FULL);
	// It answered after the packet was sent here: pieces made by a fragmenting node come only
	// once the burst has ended that brought them, and perhaps the answer.
	if (unlikely(t->adj[index].ready)) {
		put_header(t, index, m);
		return (uint8_t)(NEIGH_EDGE_PORT0 + t->adj[index].tx);
	}
	if (n->held >= t->hold || (t->held >= t->held_max && n->held))
		drop_oldest(t, n, next);
	if (t->held >= t->held_max)
		return NEXT_DROP(NEIGH_DROP_OVERFLOW);
	m->scratch32[SCRATCH_BURST] = (uint32_t)t->node->stats.calls;
	m->scratch32[SCRATCH_PLACE] = place;
	append(t, n, m);
	return NEXT_HELD;
}

void neigh_hold(struct neigh_table *t, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = hold(t, pkts[i], next, i);
}

void neigh_release(struct neigh_table *t, uint32_t index)
{
	struct neigh *n = &t->neigh[index];

	if (n->first)
		graph_wake(t->node,
			   graph_now(t->node)); // where no turn is on, which would run them
	while (n->first) {
		struct mbuf *m = take_first(t, n);

		put_header(t, index, m);
		graph_release(t->node, (uint8_t)(NEIGH_EDGE_PORT0 + t->adj[index].tx), m);
	}
}

void neigh_drop(struct neigh_table *t, uint32_t index, uint8_t reason, bool report)
{
	struct neigh *n = &t->neigh[index];

	while (n->first) {
		struct mbuf *m = take_first(t, n);

		if (report)
			t->family->unresolved(t, m);
		graph_drop_held(t->node, reason, m);
	}
}

void neigh_drop_all(struct neigh_table *t)
{
	for (uint32_t i = t->hop0; i < t->top; i++)
		neigh_drop(t, i, NEIGH_DROP_SHUTDOWN, false);
}
