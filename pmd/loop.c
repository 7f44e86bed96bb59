// SPDX-License-Identifier: BSD-3-Clause
// loop.c - ports made of memory: two of one name are cabled to each other, one alone to itself
//
// A cable has two ends and for each end one ring a queue that holds what that end sends. Packets
// are handed over, never copied. Ends are opened and closed while no lcore polls them.
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
#define LOOP_BURST        255u // packets received at once, whose bytes fit 32 bits: lengths are below 2^24

struct loop_half { // one direction of one queue as one lcore sees it
	struct ring *ring;
	uint64_t packets, bytes;
	uint16_t port;
} cache_aligned;

struct loop_cable;

struct loop_end {
	struct loop_half rx[PORT_QUEUES_MAX], tx[PORT_QUEUES_MAX];
	struct loop_cable *cable;
	struct port *port; // NULL: this end is not open
};

struct loop_cable {
	struct loop_cable *next;
	char *name;                            // "": a port by itself
	struct ring *ring[2][PORT_QUEUES_MAX]; // [end] what that end sends
	struct loop_end end[2];
	uint16_t queues;
	uint32_t size;
	bool paired; // both ends have been open: a missing one is a cable pulled out
};

static struct loop_cable *cables;

static uint16_t loop_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct loop_half *h = queue;
	unsigned got =
		ring_spsc_dequeue_burst(h->ring, (void **)pkts, n < LOOP_BURST ? n : LOOP_BURST);
	uint16_t port = h->port;
	uint32_t bytes = 0;

	if (!got)
		return 0;
#pragma GCC unroll 8
	for (unsigned i = 0; i < got; i++) {
		struct mbuf *m = pkts[i];

		bytes += m->pkt_len;
		m->port = port;
		m->flags = 0; // as if fresh from the wire
	}
	h->packets += got;
	h->bytes += bytes;
	return (uint16_t)got;
}

static uint16_t loop_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct loop_half *h = queue;
	// Lengths are read while the packets are still ours; the peer may have freed what is
	// enqueued.
	uint64_t bytes = burst_bytes(pkts, n);
	unsigned sent = ring_spsc_enqueue_burst(h->ring, (void *const *)pkts, n);

	if (unlikely(sent < n))
		bytes -= burst_bytes(pkts + sent, n - sent);
	h->packets += sent;
	h->bytes += bytes;
	return (uint16_t)sent;
}

static struct loop_cable *cable_find(const char *name)
{
	for (struct loop_cable *c = cables; c && name[0]; c = c->next)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
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
			free(c->ring[end][q]);
	free(c->name);
	free(c);
}

static struct ring *new_ring(uint32_t size)
{
	struct ring *r = aligned_alloc(CACHE_LINE, (ring_bytes(size) + 63) & ~(size_t)63);

	if (r && ring_init(r, size)) {
		free(r);
		return NULL;
	}
	return r;
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
			c->ring[end][q] = new_ring(size);
			if (!c->ring[end][q])
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
			c->end[e].tx[q].ring = c->ring[e][q];
			c->end[e].rx[q].ring = c->ring[c->paired ? !e : e][q];
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

static void end_attach(struct loop_cable *c, unsigned e, struct port *port, uint16_t queues)
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
		end->rx[q].port = port->id;
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
	port_default_mac(port, conf, g->mac);
	end_attach(c, c->end[0].port ? 1 : 0, port, g->queues);
	snprintf(g->text, sizeof(g->text), "loop '%s' rings of %u", c->name, c->size);
	return 0;
}

static void ring_drain(struct ring *r)
{
	struct mbuf *pkts[32];
	unsigned n;

	while ((n = ring_spsc_dequeue_burst(r, (void **)pkts, 32)))
		mbuf_free_bulk(pkts, n);
}

static int loop_close(struct port *port, struct err *err)
{
	struct loop_end *end = port->priv;
	struct loop_cable *c = end->cable;

	// Both directions: nobody will receive what this end sent, and its receiver is gone.
	for (unsigned e = 0; e < 2; e++)
		for (unsigned q = 0; q < c->queues; q++)
			ring_drain(c->ring[e][q]);
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
	.open = loop_open,
	.close = loop_close,
	.stats = loop_stats,
	.link = loop_link,
};
