// SPDX-License-Identifier: BSD-3-Clause
// pcap.c - the pcap port: receives what a capture file holds, records what it is sent
//
// On a capture clock a packet is received once the clock has reached its stamp; on the real clock
// the file plays as fast as it is polled. A record that was cut when captured is delivered as it
// is, and counted ("rx-snapped"). No buffer: the packet waits, none is lost. Recorded packets get
// the loop's time; on the real clock, which starts at 0, the wall clock's time of day is added.
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mempool/mempool.h"
#include "pmd/pcap/live.h"
#include "pmd/pcap/reader.h"
#include "pmd/pcap/writer.h"
#include "pmd/pmds.h"

#define PCAP_MTU_DEFAULT 1500u
#define AHEAD		 32u
#define PCAP_SIZE        1024u // there is no ring; what is reported

struct pcap_port {
	struct capture_reader in;
	struct capture_writer out;
	struct mempool *pool;
	const struct clock *clock;
	uint32_t frame_max; // bytes a chain of this pool can hold
	uint32_t room;	    // bytes of a buffer
	struct mbuf *spare[AHEAD]; // buffers taken in advance, `ahead` at once
	unsigned spares, ahead;
	uint16_t id;
	bool dated;         // time_base is known
	uint64_t time_base; // to be added to the clock
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t snapped, nombuf, too_long, lost, unrecorded;
	char *in_path, *out_path;
};

static bool due(const struct pcap_port *p)
{
	if (!p->in.data)
		return false;
	return !p->clock || p->clock->kind != CLOCK_CAPTURE || p->in.time <= p->clock->now;
}

// A buffer for the next record: of those taken in advance, or, of a long one, several.
static always_inline struct mbuf *take(struct pcap_port *p)
{
	struct capture_reader *r = &p->in;
	struct mbuf *m;

	if (unlikely(r->caplen > p->room))
		return mbuf_from_bytes(p->pool, r->data, r->caplen);
	if (unlikely(!p->spares)) {
		if (mempool_get_bulk(p->pool, p->spare, p->ahead))
			return NULL;
		p->spares = p->ahead;
	}
	m = p->spare[--p->spares];
	mbuf_reset(m);
	memcpy(m->data, r->data, r->caplen);
	m->len = (uint16_t)r->caplen;
	m->pkt_len = r->caplen;
	return m;
}

static always_inline void receive(struct pcap_port *p, struct mbuf *m, bool capture)
{
	struct capture_reader *r = &p->in;

	m->origin = mbuf_origin(p->id);
	if (capture) {
		m->time = r->time;
		m->flags = MBUF_TIME;
	}
	p->rx_bytes += r->caplen;
	p->snapped += r->caplen < r->len;
}

static uint16_t pcap_port_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct pcap_port *p = queue;
	bool capture = p->clock && p->clock->kind == CLOCK_CAPTURE;
	unsigned got = 0;

	while (got < n && due(p)) {
		if (unlikely(p->in.caplen > p->frame_max)) {
			p->too_long++;
		} else {
			pkts[got] = take(p);
			if (unlikely(!pkts[got])) {
				p->nombuf++;
				break;
			}
			receive(p, pkts[got], capture);
			got++;
		}
		capture_next(&p->in);
	}
	p->rx_packets += got;
	return (uint16_t)got;
}

static uint64_t wall_clock_base(const struct clock *clock)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec - (clock ? clock->now : 0);
}

static uint16_t pcap_port_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct pcap_port *p = queue;
	uint64_t now;

	if (unlikely(!p->dated)) {
		if (!p->clock || p->clock->kind == CLOCK_REAL)
			p->time_base = wall_clock_base(p->clock);
		p->dated = true;
	}
	now = p->time_base + (p->clock ? p->clock->now : 0);
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(capture_write(&p->out, pkts[i], now))) {
			p->lost++;
			continue;
		}
		p->tx_packets++;
		p->tx_bytes += pkts[i]->pkt_len;
	}
	mbuf_free_bulk(pkts, n);
	return n;
}

static uint16_t pcap_port_tx_nowhere(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct pcap_port *p = queue;

	for (unsigned i = 0; i < n; i++)
		p->tx_bytes += pkts[i]->pkt_len;
	p->tx_packets += n;
	p->unrecorded += n;
	mbuf_free_bulk(pkts, n);
	return n;
}

static int pcap_port_check(const char *args, struct err *err)
{
	const char *comma = strchr(args, ',');

	if ((comma && strchr(comma + 1, ',')) || (comma == args && !comma[1]) || !*args)
		return err_set(err, -EINVAL, "expected IN,OUT: a capture to read, one to write, or "
					     "both");
	return 0;
}

// "IN,OUT" into two strings, "" where a side is left out.
static int parse_args(struct pcap_port *p, const struct port_conf *conf, struct err *err)
{
	const char *comma = strchr(conf->args, ',');
	size_t n = comma ? (size_t)(comma - conf->args) : strlen(conf->args);
	int rc = port_check_args(conf, pcap_port_check, err);

	if (rc)
		return rc;
	p->in_path = strndup(conf->args, n);
	p->out_path = strdup(comma ? comma + 1 : "");
	if (!p->in_path || !p->out_path)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	return 0;
}

static void pcap_port_free(struct pcap_port *p)
{
	capture_close(&p->in);
	mempool_put_bulk(p->pool, p->spare, p->spares);
	free(p->in_path);
	free(p->out_path);
	free(p);
}

static int open_files(struct pcap_port *p, const struct port_conf *conf, struct err *err)
{
	const struct stat *input = NULL;
	int rc;

	if (p->in_path[0]) {
		rc = capture_open(&p->in, p->in_path, err);
		if (rc == -ENOENT && if_nametoindex(p->in_path))
			return err_set(err, rc,
				       "port %s: pcap:%s: no such file; for the interface of this name "
				       "write pcap:live=%s",
				       conf->name, conf->args, p->in_path);
		if (rc)
			return rc;
		input = &p->in.st;
	}
	return p->out_path[0] ? capture_create(&p->out, p->out_path, conf->name, input, err) : 0;
}

// Longest frame that a chain can hold without taking every buffer there is.
static uint32_t frame_max(const struct mempool *pool)
{
	uint32_t room = mempool_room(pool), n = mempool_count(pool);

	return room * (n < MBUF_SEGS_MAX ? n : MBUF_SEGS_MAX);
}

static int pcap_port_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct pcap_port *p = calloc(1, sizeof(*p));
	struct port_grant *g = &port->grant;
	int rc;

	if (!p)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	p->pool = conf->pool;
	p->clock = conf->clock;
	p->id = port->id;
	p->frame_max = frame_max(conf->pool);
	p->room = mempool_room(conf->pool);
	p->ahead = mempool_count(conf->pool) < 32 * AHEAD ? 1 : AHEAD; // a small pool needs each
	rc = parse_args(p, conf, err);
	if (!rc)
		rc = open_files(p, conf, err);
	if (rc) {
		pcap_port_free(p);
		return rc;
	}
	port_default_mac(port, conf, g->mac);
	g->mtu = conf->mtu ? conf->mtu : PCAP_MTU_DEFAULT;
	g->queues = 1;
	g->rx_size = g->tx_size = PCAP_SIZE;
	snprintf(g->text, sizeof(g->text), "pcap reads %.60s, writes %.60s",
		 p->in_path[0] ? p->in_path : "nothing", p->out_path[0] ? p->out_path : "nothing");
	port->queue[0] = (struct port_queue){pcap_port_rx, p,
					     p->out.buf ? pcap_port_tx : pcap_port_tx_nowhere, p};
	port->priv = p;
	return 0;
}

static int pcap_port_close(struct port *port, struct err *err)
{
	struct pcap_port *p = port->priv;
	int rc = capture_finish(&p->out, err);

	pcap_port_free(p);
	return rc;
}

static void pcap_port_stats(const struct port *port, struct port_stats *s)
{
	const struct pcap_port *p = port->priv;

	s->rx_packets = p->rx_packets;
	s->rx_bytes = p->rx_bytes;
	s->tx_packets = p->tx_packets;
	s->tx_bytes = p->tx_bytes;
	port_stats_add(s, "rx-snapped", p->snapped);
	port_stats_add(s, "rx-nombuf", p->nombuf);
	port_stats_add(s, "rx-too-long", p->too_long);
	port_stats_add(s, "rx-bad-time", p->in.bad_times);
	port_stats_add(s, "tx-lost", p->lost);
	port_stats_add(s, "tx-unrecorded", p->unrecorded);
}

static uint64_t pcap_port_next_time(const struct port *port)
{
	const struct pcap_port *p = port->priv;

	return p->in.data ? p->in.time : TIME_NEVER;
}

static int pcap_port_error(const struct port *port, struct err *err)
{
	const struct pcap_port *p = port->priv;

	return p->in.error ? err_set(err, p->in.error, "%s", p->in.err.text) : 0;
}

const struct pmd pcap_pmd = {
	.name = "pcap",
	.help = "IN,OUT: capture file to receive from, capture file to record into (.pcapng: as "
		"pcapng)",
	.can = {.queues = 1},
	.check = pcap_port_check,
	.open = pcap_port_open,
	.close = pcap_port_close,
	.stats = pcap_port_stats,
	.next_time = pcap_port_next_time,
	.error = pcap_port_error,
	.variant = &pcap_live_pmd,
	.variant_key = LIVE_KEY,
};
