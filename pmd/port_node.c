// SPDX-License-Identifier: BSD-3-Clause
// port_node.c - transmit nodes: send bursts, keep order, keep what a slow port cannot take yet
#include "pmd/port_node.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pmd/burst.h"
#include "pmd/offload.h"

#define TX_MASK (PORT_TX_BACKLOG - 1)
#define TX_DIRECT_MIN                                                                              \
	16u		// packets worth a call of the driver (and perhaps a doorbell) of their own
#define TX_OVERHEAD 18u // Ethernet header and one 802.1Q tag, beyond the MTU

#define TX_LONG (MBUF_TSO | MBUF_USO)
#define TX_WORK (MBUF_TX_L4_CSUM | TX_LONG)

enum { DROP_TOO_LONG, DROP_RING_FULL, DROP_UNSENT, DROP_BAD_OFFLOAD, DROP_NO_BUFFER,
       DROP_PORT_DOWN };

struct port_tx {
	struct port_queue queue; // a copy: one line holds what sending needs
	struct node *node;
	uint32_t frame_max;  // UINT32_MAX: any
	uint32_t soft_flags; // of TX_WORK: what the port may not be able to do
	uint32_t offloads;   // granted
	const struct port *port;
	struct port_soft *soft;
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

// Of a port that is down every frame is too long, and looked at with care.
static uint32_t frame_max(const struct port *p)
{
	if (__atomic_load_n(&p->down, __ATOMIC_RELAXED))
		return 0;
	return p->grant.any_length ? UINT32_MAX
				   : __atomic_load_n(&p->grant.mtu, __ATOMIC_RELAXED) + TX_OVERHEAD;
}

static bool port_tx_flush(void *arg)
{
	struct port_tx *t = arg;

	t->full = false;
	t->frame_max = frame_max(t->port);
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

static bool tx_wait(struct port_tx *t, struct mbuf *m)
{
	if (waiting(t) == PORT_TX_BACKLOG && !t->full)
		send_waiting(t);
	if (waiting(t) == PORT_TX_BACKLOG)
		return false;
	t->wait[t->tail++ & TX_MASK] = m;
	return true;
}

// Whether the port cuts this long packet itself. TSO and USO come with checksums.
static bool port_cuts(const struct port_tx *t, const struct mbuf *m)
{
	if (m->flags & MBUF_USO)
		return t->offloads & PORT_TX_USO;
	return t->offloads & (offload_is_ip6(m) ? PORT_TX_TSO6 : PORT_TX_TSO4);
}

// Sends the pieces of m, which is consumed. mss UINT32_MAX: one piece, a copy that may be written.
static uint8_t tx_cut(struct port_tx *t, const struct mbuf *m, uint32_t mss)
{
	struct offload_cut cut;
	struct mbuf *piece;

	if (offload_cut_begin(&cut, m, mss, t->offloads & PORT_TX_CSUM))
		return NEXT_DROP(DROP_BAD_OFFLOAD);
	if (mss != UINT32_MAX && offload_headers(&cut.place) + mss > t->frame_max)
		return NEXT_DROP(DROP_TOO_LONG);
	t->soft->cut++;
	t->soft->cut_bytes += m->pkt_len;
	while ((piece = offload_cut_next(&cut))) {
		graph_made_held(t->node, 1);
		if (!tx_wait(t, piece))
			graph_drop_held(t->node, DROP_RING_FULL, piece);
	}
	// A piece that is missing does not make the others worthless: they are segments of their
	// own.
	return cut.left ? NEXT_DROP(DROP_NO_BUFFER) : NEXT_CONSUMED;
}

static uint8_t tx_long(struct port_tx *t, struct mbuf *m)
{
	if (!port_cuts(t, m))
		return tx_cut(t, m, m->mss);
	if (offload_piece_bytes(m) > t->frame_max)
		return NEXT_DROP(DROP_TOO_LONG);
	return tx_wait(t, m) ? NEXT_HELD : NEXT_DROP(DROP_RING_FULL);
}

static uint8_t tx_one(struct port_tx *t, struct mbuf *m)
{
	if (!t->frame_max)
		return NEXT_DROP(DROP_PORT_DOWN);
	if (m->flags & TX_LONG)
		return tx_long(t, m);
	if (m->pkt_len > t->frame_max)
		return NEXT_DROP(DROP_TOO_LONG);
	if (m->flags & t->soft_flags) {
		t->soft->csums++;
		if (m->refcnt != 1) // others read it too
			return tx_cut(t, m, UINT32_MAX);
		offload_csum(m);
	}
	return tx_wait(t, m) ? NEXT_HELD : NEXT_DROP(DROP_RING_FULL);
}

// Some packet is too long, or needs what the port does not do: one by one.
static __attribute__((noinline)) void tx_carefully(struct port_tx *t, struct mbuf **pkts,
						   uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = tx_one(t, pkts[i]);
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
	struct burst_bits bits = burst_bits(pkts, n);

	// What waits is of earlier bursts, so the machinery has counted it as held.
	if (unlikely(waiting(t)) && waiting(t) + n > GRAPH_BURST)
		send_waiting(t);
	if (unlikely(bits.flags & t->soft_flags) ||
	    (unlikely(bits.len > t->frame_max) && any_too_long(t, pkts, n)))
		tx_carefully(t, pkts, next, n);
	else
		send_or_wait(t, pkts, next, n);
}

static void port_tx_destroy(struct node *node)
{
	struct port_tx *t = node->state;

	for (; waiting(t); t->head++)
		graph_drop_held(node, DROP_UNSENT, t->wait[t->head & TX_MASK]);
	free(t);
}

static const char *const tx_drops[] = {
	[DROP_TOO_LONG] = "too-long",	[DROP_RING_FULL] = "ring-full",
	[DROP_UNSENT] = "unsent",	[DROP_BAD_OFFLOAD] = "bad-offload",
	[DROP_NO_BUFFER] = "no-buffer", [DROP_PORT_DOWN] = "port-down",
	NULL,
};

static const struct node_def port_tx_def = {
	.name = "port-tx",
	.drops = tx_drops,
	.process = port_tx_process,
	.destroy = port_tx_destroy,
};

// What this port may leave to be done. TSO4 without TSO6 is looked at packet by packet.
static uint32_t soft_flags(uint32_t offloads)
{
	uint32_t flags = TX_WORK;

	if (offloads & PORT_TX_CSUM)
		flags &= ~MBUF_TX_L4_CSUM;
	if (offloads & PORT_TX_TSO4 && offloads & PORT_TX_TSO6)
		flags &= ~MBUF_TSO;
	if (offloads & PORT_TX_USO)
		flags &= ~MBUF_USO;
	return flags;
}

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
	t->offloads = p->grant.offloads;
	t->soft_flags = soft_flags(p->grant.offloads);
	t->soft = &p->soft[queue];
	t->port = p;
	t->frame_max = frame_max(p);
	snprintf(name, sizeof(name), "tx-%s", p->name);
	node = graph_add(g, &port_tx_def, name, t, err);
	if (!node)
		free(t);
	else
		t->node = node;
	return node;
}

static void port_down_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	node_all(node, NEXT_DROP(0));
}

struct node *port_down_node_add(struct graph *g, struct err *err)
{
	static const char *const drops[] = {"port-down", NULL};
	static const struct node_def def = {
		.name = "port-down",
		.drops = drops,
		.process = port_down_process,
	};

	return graph_add(g, &def, def.name, NULL, err);
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

static int source_arm(void *arg, uint16_t queue)
{
	struct port *p = arg;

	return p->pmd->arm(p, queue);
}

static void source_disarm(void *arg, uint16_t queue)
{
	struct port *p = arg;

	if (p->pmd->disarm)
		p->pmd->disarm(p, queue);
}

void port_source(struct loop_source *s, struct port *p, uint16_t queue, struct node *entry)
{
	memset(s, 0, sizeof(*s));
	s->burst = p->queue[queue].rx;
	s->arg = p->queue[queue].rxq;
	s->node = entry;
	if (p->pmd->arm) {
		s->arm = source_arm;
		s->disarm = source_disarm;
		s->arm_arg = p;
		s->arm_index = queue;
	}
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
