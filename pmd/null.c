// SPDX-License-Identifier: BSD-3-Clause
// null.c - a port that swallows what it is sent and, when asked, makes frames out of nothing
//
// With a size every receive gives as many frames as were asked for, written anew from those built
// when the port was opened (null_frames.h), in turns and without end.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/mempool.h"
#include "pmd/burst.h"
#include "pmd/null_frames.h"
#include "pmd/pmds.h"

#define NULL_SIZE 1024u

struct null_queue {
	struct mempool *pool;
	const struct null_frames *frames;
	uint32_t next; // frame
	uint16_t port;
	uint64_t rx_packets, rx_bytes, rx_nombuf;
	uint64_t tx_packets cache_aligned; // the sending lcore's line
	uint64_t tx_bytes;
};

struct null_port {
	struct null_frames frames;
	struct null_queue queue[];
};

static uint16_t null_rx_nothing(void *queue, struct mbuf **pkts, uint16_t n)
{
	return 0;
}

// Whole lines: the buffer has room, and a copy of constant size needs no call.
static always_inline void null_write(struct mbuf *m, const uint8_t *head, const uint8_t *body,
				     uint16_t len, uint64_t origin)
{
	mbuf_reset(m);
	m->len = len;
	m->pkt_len = len;
	m->origin = origin;
	memcpy(m->data, head, NULL_HEAD);
	for (unsigned off = NULL_HEAD; off < len; off += 64)
		memcpy(m->data + off, body + off, 64);
}

// All frames alike.
static uint16_t null_rx_same(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct null_queue *q = queue;
	const struct null_frames *f = q->frames;
	uint64_t origin = mbuf_origin(q->port);
	uint16_t len = f->len[0];

	if (mempool_get_bulk(q->pool, pkts, n)) {
		q->rx_nombuf += n;
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		null_write(pkts[i], f->head[0], f->body, len, origin);
	q->rx_packets += n;
	q->rx_bytes += (uint64_t)n * len;
	return n;
}

static uint16_t null_rx_frames(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct null_queue *q = queue;
	const struct null_frames *f = q->frames;
	uint64_t origin = mbuf_origin(q->port), bytes = 0;
	uint32_t next = q->next;

	if (mempool_get_bulk(q->pool, pkts, n)) {
		q->rx_nombuf += n;
		return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		null_write(pkts[i], f->head[next], f->body, f->len[next], origin);
		bytes += f->len[next];
		next = next + 1 == f->count ? 0 : next + 1;
	}
	q->next = next;
	q->rx_packets += n;
	q->rx_bytes += bytes;
	return n;
}

static uint16_t null_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct null_queue *q = queue;

	q->tx_packets += n;
	q->tx_bytes += burst_bytes(pkts, n);
	mbuf_free_bulk(pkts, n);
	return n;
}

static int null_check(const char *args, struct err *err)
{
	struct null_args a;

	return null_parse(args, &a, err);
}

static int check_room(const struct port_conf *conf, uint16_t len, struct err *err)
{
	uint32_t room = mempool_room(conf->pool);

	if ((len + 63u) / 64 * 64 <= room)
		return 0;
	return err_set(err, -EINVAL,
		       "port %s: null:%s: a buffer holds %u bytes; take smaller frames", conf->name,
		       conf->args, room);
}

static struct null_port *null_new(uint16_t queues)
{
	size_t size = sizeof(struct null_port) + queues * sizeof(struct null_queue);
	struct null_port *p = aligned_alloc(CACHE_LINE, size);

	if (p)
		memset(p, 0, size);
	return p;
}

static int null_close(struct port *port, struct err *err)
{
	struct null_port *p = port->priv;

	null_frames_free(&p->frames);
	free(p);
	return 0;
}

static void null_grant(struct port *port, const struct port_conf *conf, const struct null_args *a,
		       uint32_t frames)
{
	struct port_grant *g = &port->grant;

	g->mtu = conf->mtu ? conf->mtu : 1500;
	g->any_length = true;
	g->queues = conf->queues;
	g->rx_size = g->tx_size = NULL_SIZE;
	if (!a->max)
		snprintf(g->text, sizeof(g->text), "null");
	else if (a->min == a->max)
		snprintf(g->text, sizeof(g->text),
			 "null, receives frames of %u bytes, %u different", a->max, frames);
	else
		snprintf(g->text, sizeof(g->text),
			 "null, receives frames of %s%u to %u bytes, %u different",
			 a->imix ? "imix, " : "", a->min, a->max, frames);
}

static int null_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct null_args args;
	struct null_port *p;
	port_burst_fn rx = null_rx_nothing;
	int rc = port_check_args(conf, null_check, err);

	if (!rc) {
		null_parse(conf->args, &args, err);
		rc = check_room(conf, args.max, err);
	}
	if (rc)
		return rc;
	port_default_mac(port, conf, port->grant.mac);
	p = port->priv = null_new(conf->queues);
	if (p && args.max && null_frames_make(&p->frames, &args, port->grant.mac)) {
		null_close(port, NULL);
		p = NULL;
	}
	if (!p)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	null_grant(port, conf, &args, p->frames.count);
	if (args.max)
		rx = p->frames.count == 1 ? null_rx_same : null_rx_frames;
	for (unsigned i = 0; i < conf->queues; i++) {
		struct null_queue *q = &p->queue[i];

		q->pool = conf->pool;
		q->frames = &p->frames;
		q->next = (uint32_t)((uint64_t)p->frames.count * i / conf->queues);
		q->port = port->id;
		port->queue[i] = (struct port_queue){rx, q, null_tx, q};
	}
	return 0;
}

static void null_stats(const struct port *port, struct port_stats *s)
{
	const struct null_port *p = port->priv;
	uint64_t nombuf = 0;

	for (unsigned i = 0; i < port->grant.queues; i++) {
		s->rx_packets += p->queue[i].rx_packets;
		s->rx_bytes += p->queue[i].rx_bytes;
		s->tx_packets += p->queue[i].tx_packets;
		s->tx_bytes += p->queue[i].tx_bytes;
		nombuf += p->queue[i].rx_nombuf;
	}
	port_stats_add(s, "rx-nombuf", nombuf);
}

const struct pmd null_pmd = {
	.name = "null",
	.help = "nothing, or "
		"size=N|N-M|imix[,pattern=udp|zeros|increment|random][,seed=N][,src=IP][,dst=IP]"
		"[,to=MAC][,flows=N]: receives such frames without end",
	.can = {.queues = PORT_QUEUES_MAX},
	.check = null_check,
	.open = null_open,
	.close = null_close,
	.stats = null_stats,
};
