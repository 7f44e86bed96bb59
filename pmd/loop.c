// SPDX-License-Identifier: BSD-3-Clause
// loop.c - ports made of memory: two of one name are cabled to each other, one alone to itself
//
// A cable has two ends and for each end one ring a queue that holds what that end sends. Packets
// are handed over, never copied. Ends are opened and closed while no lcore polls them.
//
// A packet is touched once, by its sender, who has it in its cache: its length is counted and it is
// made to look like one that the receiver got off the wire. The sender notes at the end of each burst how
// many bytes that makes in all, so that a receiver who ends there too need not look at the packets.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/ring.h"
#include "pmd/burst.h"
#include "pmd/pmds.h"

#define LOOP_SIZE_DEFAULT 1024u
#define LOOP_SIZE_MAX     65536u
#define LOOP_MTU_DEFAULT  1500u

struct loop_record { // the bytes of a lane up to some packet
	uint64_t packets, bytes;
};

// One direction of one queue. A record's place is its number of packets modulo twice the ring's size.
// The sender is never further ahead of the receiver than the size, so what it writes is never at a
// place where the receiver looks, unless it is what the receiver looks for.
struct loop_lane {
	struct ring *ring;
	struct loop_record *record;
	uint64_t mask;
	uint64_t origin;             // of what is received: the receiver's port
	uint64_t sent cache_aligned; // the sender's line
	uint64_t sent_bytes;
	uint64_t received cache_aligned; // the receiver's line
	uint64_t received_bytes;
};

struct loop_half { // a queue's receiving or sending side: its lane, and what the port counts
	struct loop_lane *lane;
	struct mempool *pool; // of copies; sending side
	uint64_t packets, bytes;
} cache_aligned;

struct loop_cable;

struct loop_end {
	struct loop_half rx[PORT_QUEUES_MAX], tx[PORT_QUEUES_MAX];
	struct loop_cable *cable;
	struct port *port; // NULL: this end is not open
};

struct loop_cable {
	struct loop_cable *next;
	char *name;                                // "": a port by itself
	struct loop_lane lane[2][PORT_QUEUES_MAX]; // [end] what that end sends
	struct loop_end end[2];
	uint16_t queues;
	uint32_t size;
	bool paired; // both ends have been open: a missing one is a cable pulled out
};

static struct loop_cable *cables;

static uint16_t loop_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct loop_half *h = queue;
	struct loop_lane *lane = h->lane;
	unsigned got = ring_spsc_dequeue_burst(lane->ring, (void **)pkts, n);
	const struct loop_record *r;
	uint64_t bytes;

	if (!got)
		return 0;
	lane->received += got;
	r = &lane->record[lane->received & lane->mask];
	if (likely(r->packets == lane->received))
		bytes = r->bytes - lane->received_bytes;
	else
		bytes = burst_bytes(pkts, got);
	lane->received_bytes += bytes;
	h->packets += got;
	h->bytes += bytes;
	return (uint16_t)got;
}

static always_inline uint32_t stamp(struct mbuf *m, uint64_t origin)
{
	m->origin = origin;
	return m->pkt_len;
}

// Makes n packets as if fresh from the wire, but stops at one that has other owners; returns how many, and
// adds their bytes. By eights, whose pointers are read ahead of what is written: over packets in the
// first-level cache nothing else takes time. 32 bits hold the sum of eight.
static always_inline unsigned stamp_all(struct mbuf *const *pkts, unsigned n, uint64_t origin, uint64_t *sum)
{
	struct mbuf *const *first = pkts, *const *end = pkts + n;
	uint64_t bytes = 0;

	for (; end - pkts >= 8; pkts += 8) {
		struct mbuf *a = pkts[0], *b = pkts[1], *c = pkts[2], *d = pkts[3];
		struct mbuf *e = pkts[4], *f = pkts[5], *g = pkts[6], *h = pkts[7];
		uint32_t owners = a->refcnt | b->refcnt | c->refcnt | d->refcnt | e->refcnt | f->refcnt |
				  g->refcnt | h->refcnt;
		uint32_t even, odd;

		if (unlikely(owners > 1))
			break;
		even = stamp(a, origin) + stamp(c, origin) + stamp(e, origin) + stamp(g, origin);
		odd = stamp(b, origin) + stamp(d, origin) + stamp(f, origin) + stamp(h, origin);

		bytes += even + odd;
	}
	for (; pkts < end && (*pkts)->refcnt == 1; pkts++)
		bytes += stamp(*pkts, origin);
	*sum += bytes;
	return (unsigned)(pkts - first);
}

// Whoever receives a packet may write it: one with other owners goes as a copy. Returns how many of n
// can go, fewer where there is no buffer for one. Not of the packet's own pool: one of packets that are sent
// again and again has no others.
static __attribute__((noinline)) unsigned unshare(struct mempool *pool, struct mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct mbuf *copy;

		if (pkts[i]->refcnt == 1)
			continue;
		copy = mbuf_copy(pkts[i], pool);
		if (!copy)
			return i;
		mbuf_free(pkts[i]);
		pkts[i] = copy;
	}
	return n;
}

static uint16_t loop_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct loop_half *h = queue;
	struct loop_lane *lane = h->lane;
	unsigned sent = ring_spsc_room(lane->ring, n);
	struct loop_record *r;
	unsigned own;
	uint64_t bytes = 0;

	own = stamp_all(pkts, sent, lane->origin, &bytes);
	if (unlikely(own < sent)) {
		sent = own + unshare(h->pool, pkts + own, sent - own);
		stamp_all(pkts + own, sent - own, lane->origin, &bytes);
	}
	if (unlikely(!sent))
		return 0;
	h->packets += sent;
	h->bytes += bytes;
	lane->sent += sent;
	lane->sent_bytes += bytes;
	r = &lane->record[lane->sent & lane->mask];
	r->packets = lane->sent;
	r->bytes = lane->sent_bytes;
	ring_spsc_put(lane->ring, (void *const *)pkts, sent);
	return (uint16_t)sent;
}

static struct loop_cable *cable_find(const char *name)
{
	for (struct loop_cable *c = cables; c && name[0]; c = c->next)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int lane_init(struct loop_lane *lane, uint32_t size)
{
	struct ring *r = aligned_alloc(CACHE_LINE, (ring_bytes(size) + 63) & ~(size_t)63);

	lane->ring = r;
	lane->record = calloc(2 * size, sizeof(*lane->record));
	lane->mask = 2 * size - 1;
	return r && lane->record ? ring_init(r, size) : -ENOMEM;
}

static void lane_free(struct loop_lane *lane)
{
	free(lane->ring);
	free(lane->record);
}

// Whose receiver will be another: what waits was made for the one before.
static void lane_stamp(struct loop_lane *lane, uint64_t origin)
{
	void *pkt;

	lane->origin = origin;
	for (uint32_t n = ring_count(lane->ring); n; n--) {
		ring_spsc_dequeue_burst(lane->ring, &pkt, 1);
		((struct mbuf *)pkt)->origin = origin;
		ring_spsc_enqueue_burst(lane->ring, &pkt, 1);
	}
}

static void lane_drain(struct loop_lane *lane)
{
	struct mbuf *pkts[32];
	unsigned n;

	while ((n = ring_spsc_dequeue_burst(lane->ring, (void **)pkts, 32)))
		mbuf_free_bulk(pkts, n);
	lane->received = lane->sent;
	lane->received_bytes = lane->sent_bytes;
}

static void cable_free(struct loop_cable *c)
{
	for (struct loop_cable **p = &cables; *p; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			break;
		}
	}
	for (unsigned end = 0; end < 2; end++)
		for (unsigned q = 0; q < PORT_QUEUES_MAX; q++)
			lane_free(&c->lane[end][q]);
	free(c->name);
	free(c);
}

static struct loop_cable *cable_new(const char *name, uint16_t queues, uint32_t size)
{
	struct loop_cable *c = aligned_alloc(CACHE_LINE, sizeof(*c));

	if (!c)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->next = cables;
	cables = c;
	c->queues = queues;
	c->size = size;
	c->name = strdup(name);
	for (unsigned end = 0; end < 2; end++) {
		for (unsigned q = 0; q < queues; q++) {
			if (lane_init(&c->lane[end][q], size))
				goto fail;
		}
	}
	if (c->name)
		return c;
fail:
	cable_free(c);
	return NULL;
}

// Each end sends into its own rings and receives from the other's; a port that never had a peer
// receives what it sends.
static void cable_wire(struct loop_cable *c)
{
	for (unsigned e = 0; e < 2; e++) {
		for (unsigned q = 0; q < c->queues; q++) {
			struct loop_lane *in = &c->lane[c->paired ? !e : e][q];

			c->end[e].tx[q].lane = &c->lane[e][q];
			c->end[e].rx[q].lane = in;
			if (c->end[e].port)
				lane_stamp(in, mbuf_origin(c->end[e].port->id));
		}
	}
}

// A power of two from what was asked for.
static uint32_t ring_size(const struct port_conf *conf)
{
	uint32_t want = conf->tx_size ? conf->tx_size : LOOP_SIZE_DEFAULT, size = 2;

	while (size < want && size < LOOP_SIZE_MAX)
		size *= 2;
	return size;
}

static void end_attach(struct loop_cable *c, unsigned e, struct port *port, uint16_t queues, struct mempool *pool)
{
	struct loop_end *end = &c->end[e];

	memset(end, 0, sizeof(*end));
	end->cable = c;
	end->port = port;
	port->priv = end;
	if (c->end[!e].port)
		c->paired = true;
	cable_wire(c);
	for (unsigned q = 0; q < queues; q++) {
		end->tx[q].pool = pool;
		port->queue[q] = (struct port_queue){loop_rx, &end->rx[q], loop_tx, &end->tx[q]};
	}
}

static int loop_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct loop_cable *c = cable_find(conf->args);
	struct port_grant *g = &port->grant;

	if (!c)
		c = cable_new(conf->args, conf->queues, ring_size(conf));
	if (!c)
		return err_set(err, -ENOMEM, "port %s: no memory for %u rings of %u", conf->name,
			       2u * conf->queues, ring_size(conf));
	if (c->end[0].port && c->end[1].port)
		return err_set(err, -EBUSY,
			       "port %s: loop '%s' already joins %s and %s; take another name",
			       conf->name, conf->args, c->end[0].port->name, c->end[1].port->name);

	g->queues = conf->queues < c->queues ? conf->queues : c->queues;
	g->mtu = conf->mtu ? conf->mtu : LOOP_MTU_DEFAULT;
	g->rx_size = g->tx_size = (uint16_t)(c->size < UINT16_MAX ? c->size : UINT16_MAX);
	g->any_length = true;
	port_default_mac(port, conf, g->mac);
	end_attach(c, c->end[0].port ? 1 : 0, port, g->queues, conf->pool);
	snprintf(g->text, sizeof(g->text), "loop '%s' rings of %u", c->name, c->size);
	return 0;
}

static int loop_close(struct port *port, struct err *err)
{
	struct loop_end *end = port->priv;
	struct loop_cable *c = end->cable;

	// Both directions: nobody will receive what this end sent, and its receiver is gone.
	for (unsigned e = 0; e < 2; e++)
		for (unsigned q = 0; q < c->queues; q++)
			lane_drain(&c->lane[e][q]);
	end->port = NULL;
	if (!c->end[0].port && !c->end[1].port)
		cable_free(c);
	return 0;
}

static void loop_stats(const struct port *port, struct port_stats *s)
{
	const struct loop_end *end = port->priv;

	for (unsigned q = 0; q < port->grant.queues; q++) {
		s->rx_packets += end->rx[q].packets;
		s->rx_bytes += end->rx[q].bytes;
		s->tx_packets += end->tx[q].packets;
		s->tx_bytes += end->tx[q].bytes;
	}
}

static void loop_link(const struct port *port, struct port_link *link)
{
	const struct loop_cable *c = ((struct loop_end *)port->priv)->cable;

	link->up = !c->paired || (c->end[0].port && c->end[1].port);
}

const struct pmd loop_pmd = {
	.name = "loop",
	.help = "NAME: two ports of one NAME are connected; one alone receives what it sends",
	.can = {.queues = PORT_QUEUES_MAX},
	.open = loop_open,
	.close = loop_close,
	.stats = loop_stats,
	.link = loop_link,
};
