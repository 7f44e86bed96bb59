// SPDX-License-Identifier: BSD-3-Clause
// verdict_port.c - ports of a replay with a verdict: play a capture, keep what is sent
//
// As the pcap port on a capture clock, but for the records: each packet received gets one, each packet sent
// tells its own.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/tool/verdict.h"
#include "apps/tool/verdict_trace.h"
#include "mempool/mempool.h"
#include "pmd/port.h"

#define MTU_DEFAULT 1500u
#define SIZE	    1024u // there is no ring; what is reported

static struct verdict_run *run; // of this process
static struct {
	const struct clock *clock;
	struct mempool *pool;
	uint32_t frame_max;
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
} own[BLOB_PORTS_MAX];

static struct mbuf *take(unsigned port, struct capture_reader *c)
{
	struct mbuf *m = c->caplen ? mbuf_from_bytes(own[port].pool, c->data, c->caplen)
				   : mbuf_alloc(own[port].pool);
	struct vrecord *r;
	struct vframe f;

	if (!m)
		return NULL;
	m->port = (uint16_t)port;
	m->flags = MBUF_TIME;
	m->time = c->time;
	r = vtrace_received(run->trace, m, port, (uint32_t)c->records, c->time);
	vframe_dissect(&f, c->data, c->caplen);
	r->identity = vframe_identity(&f, &run->ignore);
	r->flow = vframe_flow(&f, 0);
	return m;
}

static uint16_t rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct vport *p = queue;
	unsigned port = (unsigned)(p - run->port);
	struct capture_reader *c = &p->reader;
	uint16_t got = 0;

	while (got < n && p->reading && c->data && c->time <= own[port].clock->now) {
		if (c->caplen > own[port].frame_max) {
			p->too_long++;
		} else {
			pkts[got] = take(port, c);
			if (!pkts[got]) {
				p->nombuf++;
				break;
			}
			own[port].rx_bytes += c->caplen;
			p->snapped += c->caplen < c->len;
			p->received++;
			got++;
		}
		if (c->time > run->last)
			run->last = c->time;
		verdict_next(c, p->iface);
	}
	own[port].rx_packets += got;
	return got;
}

static uint16_t tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	static uint8_t flat[MBUF_SEGS_MAX * 65536];
	struct vport *p = queue;
	unsigned port = (unsigned)(p - run->port);

	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = pkts[i];
		const uint8_t *data = m->data;
		struct vpacket *k;

		if (m->next) {
			mbuf_copy_out(m, 0, flat, m->pkt_len);
			data = flat;
		}
		k = vpackets_add(&p->sent, data, m->pkt_len, own[port].clock->now, &run->ignore);
		k->record = vtrace_sent(run->trace, m);
		own[port].tx_bytes += m->pkt_len;
	}
	own[port].tx_packets += n;
	mbuf_free_bulk(pkts, n);
	return n;
}

static int open_port(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct vport *p = &run->port[port->id];
	struct port_grant *g = &port->grant;
	uint32_t n = mempool_count(conf->pool);
	int rc = p->in ? verdict_open(&p->reader, p->in, p->name, &p->iface, err) : 0;

	if (rc)
		return rc;
	p->reading = p->in != NULL;
	own[port->id].clock = conf->clock;
	own[port->id].pool = conf->pool;
	own[port->id].frame_max = mempool_room(conf->pool) * (n < MBUF_SEGS_MAX ? n : MBUF_SEGS_MAX);
	port_default_mac(port, conf, g->mac);
	g->mtu = conf->mtu ? conf->mtu : MTU_DEFAULT;
	g->queues = 1;
	g->rx_size = g->tx_size = SIZE;
	snprintf(g->text, sizeof(g->text), "plays %.80s", p->in ? p->in : "nothing");
	port->queue[0] = (struct port_queue){rx, p, tx, p};
	port->priv = p;
	return 0;
}

static int close_port(struct port *port, struct err *err)
{
	struct vport *p = port->priv;

	if (p->reading)
		capture_close(&p->reader);
	p->reading = false;
	return 0;
}

static void stats(const struct port *port, struct port_stats *s)
{
	s->rx_packets = own[port->id].rx_packets;
	s->rx_bytes = own[port->id].rx_bytes;
	s->tx_packets = own[port->id].tx_packets;
	s->tx_bytes = own[port->id].tx_bytes;
}

static uint64_t next_time(const struct port *port)
{
	const struct vport *p = port->priv;

	return p->reading && p->reader.data ? p->reader.time : TIME_NEVER;
}

static int error(const struct port *port, struct err *err)
{
	const struct vport *p = port->priv;

	return p->reading && p->reader.error ? err_set(err, p->reader.error, "%s", p->reader.err.text) : 0;
}

const struct pmd *verdict_pmd(struct verdict_run *r)
{
	static const struct pmd pmd = {
		.name = "verdict",
		.can = {.queues = 1},
		.open = open_port,
		.close = close_port,
		.stats = stats,
		.next_time = next_time,
		.error = error,
	};

	run = r;
	return &pmd;
}
