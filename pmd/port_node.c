// SPDX-License-Identifier: BSD-3-Clause
// port_node.c - transmit nodes: send bursts, keep order, keep what a slow port cannot take yet
#include "pmd/port_node.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pmd/burst.h"

#define TX_MASK (PORT_TX_BACKLOG - 1)
#define TX_DIRECT_MIN                                                                              \
	16u             // packets worth a call of the driver (and perhaps a doorbell) of their own
#define TX_OVERHEAD 18u // Ethernet header and one 802.1Q tag, beyond the MTU

enum { DROP_TOO_LONG, DROP_RING_FULL, DROP_UNSENT };

struct port_tx {
	struct port_queue queue; // a copy: one line holds what sending needs
	struct node *node;
	uint32_t frame_max; // UINT32_MAX: any
	uint32_t head, tail; // free-running: tail - head packets wait
	bool full; // the port took fewer than it was given; not tried again before the flush
	struct mbuf *wait[PORT_TX_BACKLOG];
};

static inline uint32_t waiting(const struct port_tx *t)
{
	return t->tail - t->head;
}

static inline uint16_t tx_send(struct port_tx *t, struct mbuf **pkts, uint32_t n)
{
	uint16_t sent = t->queue.tx(t->queue.txq, pkts, (uint16_t)n);

	t->full = sent < n;
	return sent;
}

// Sends what waits until nothing does or the port is full.
static __attribute__((noinline)) void send_waiting(struct port_tx *t)
{
	uint32_t before = t->head;

	while (waiting(t) && !t->full) {
		uint32_t at = t->head & TX_MASK, n = waiting(t);

		if (n > GRAPH_BURST)
			n = GRAPH_BURST;
		if (n > PORT_TX_BACKLOG - at)
			n = PORT_TX_BACKLOG - at;
		t->head += tx_send(t, &t->wait[at], n);
	}
	if (t->head != before)
		graph_sent_held(t->node, t->head - before);
}

static bool port_tx_flush(void *arg)
{
	struct port_tx *t = arg;

	t->full = false;
	if (!waiting(t))
		return false;
	send_waiting(t);
	return true;
}

static __attribute__((noinline)) void wait_for_flush(struct port_tx *t, struct mbuf **pkts,
						     uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(waiting(t) == PORT_TX_BACKLOG)) {
			next[i] = NEXT_DROP(DROP_RING_FULL);
			continue;
		}
		t->wait[t->tail++ & TX_MASK] = pkts[i];
		next[i] = NEXT_HELD;
	}
}

static always_inline void send_or_wait(struct port_tx *t, struct mbuf **pkts, uint8_t *next,
				       unsigned n)
{
	unsigned sent = 0;

	if (likely(!waiting(t) && !t->full && n >= TX_DIRECT_MIN)) {
		sent = tx_send(t, pkts, n);
		if (likely(sent == n)) {
			node_all(t->node, NEXT_SENT);
			return;
		}
		memset(next, NEXT_SENT, sent);
	}
	wait_for_flush(t, pkts + sent, next + sent, n - sent);
}

// Some packet is too long: send the others in runs.
static __attribute__((noinline)) void send_around_long(struct port_tx *t, struct mbuf **pkts,
						       uint8_t *next, unsigned n)
{
	unsigned run = 0;

	for (unsigned i = 0; i < n; i++) {
		if (pkts[i]->pkt_len <= t->frame_max) {
			run++;
			continue;
		}
		wait_for_flush(t, pkts + i - run, next + i - run, run);
		next[i] = NEXT_DROP(DROP_TOO_LONG);
		run = 0;
	}
	wait_for_flush(t, pkts + n - run, next + n - run, run);
}

static bool any_too_long(const struct port_tx *t, struct mbuf **pkts, unsigned n)
{
	uint32_t over =
		0; // its top bit is set by any length above the maximum: lengths are below 2^24

	for (unsigned i = 0; i < n; i++)
		over |= t->frame_max - pkts[i]->pkt_len;
	return over >> 31;
}

static void port_tx_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct port_tx *t = node->state;

	// What waits is of earlier bursts, so the machinery has counted it as held.
	if (unlikely(waiting(t)) && waiting(t) + n > GRAPH_BURST)
		send_waiting(t);
	if (t->frame_max == UINT32_MAX || likely(burst_length_bits(pkts, n) <= t->frame_max) ||
	    !any_too_long(t, pkts, n))
		send_or_wait(t, pkts, next, n);
	else
		send_around_long(t, pkts, next, n);
}

static void port_tx_destroy(struct node *node)
{
	struct port_tx *t = node->state;

	for (; waiting(t); t->head++)
		graph_drop_held(node, DROP_UNSENT, t->wait[t->head & TX_MASK]);
	free(t);
}

static const char *const tx_drops[] = {
	[DROP_TOO_LONG] = "too-long",
	[DROP_RING_FULL] = "ring-full",
	[DROP_UNSENT] = "unsent",
	NULL,
};

static const struct node_def port_tx_def = {
	.name = "port-tx",
	.drops = tx_drops,
	.process = port_tx_process,
	.destroy = port_tx_destroy,
};

struct node *port_tx_node_add(struct graph *g, struct port *p, uint16_t queue, struct err *err)
{
	char name[PORT_NAME_MAX + 8];
	struct port_tx *t;
	struct node *node;

	if (queue >= p->grant.queues) {
		err_set(err, -EINVAL, "port %s: no queue %u; it was granted %u", p->name, queue,
			p->grant.queues);
		return NULL;
	}
	t = aligned_alloc(CACHE_LINE, sizeof(*t));
	if (!t) {
		err_set(err, -ENOMEM, "port %s: no memory for its transmit node", p->name);
		return NULL;
	}
	memset(t, 0, sizeof(*t));
	t->queue = p->queue[queue];
	t->frame_max = p->grant.any_length ? UINT32_MAX : p->grant.mtu + TX_OVERHEAD;
	snprintf(name, sizeof(name), "tx-%s", p->name);
	node = graph_add(g, &port_tx_def, name, t, err);
	if (!node)
		free(t);
	else
		t->node = node;
	return node;
}

uint32_t port_tx_backlog(const struct node *tx)
{
	return waiting(tx->state);
}

void port_sink(struct loop_sink *s, struct node *tx)
{
	s->flush = port_tx_flush;
	s->arg = tx->state;
}

static uint64_t source_next_time(const void *arg)
{
	const struct port *p = arg;

	return p->pmd->next_time(p);
}

void port_source(struct loop_source *s, struct port *p, uint16_t queue, struct node *entry)
{
	memset(s, 0, sizeof(*s));
	s->burst = p->queue[queue].rx;
	s->arg = p->queue[queue].rxq;
	s->node = entry;
	if (p->pmd->next_time && queue == 0) {
		s->next_time = source_next_time;
		s->next_arg = p;
	}
}

static uint16_t gated_burst(void *arg, struct mbuf **pkts, uint16_t n)
{
	const struct port_gate *g = arg;

	return port_tx_backlog(g->tx) > PORT_TX_BACKLOG / 2 ? 0 : g->burst(g->arg, pkts, n);
}

void port_source_gate(struct loop_source *s, struct port_gate *gate, const struct node *tx)
{
	gate->burst = s->burst;
	gate->arg = s->arg;
	gate->tx = tx;
	s->burst = gated_burst;
	s->arg = gate;
}
