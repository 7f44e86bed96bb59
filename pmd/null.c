// SPDX-License-Identifier: BSD-3-Clause
// null.c - a port that swallows what it is sent and, when asked, makes frames out of nothing
//
// With "rx=N" every receive gives as many N-byte frames as were asked for, each written anew:
// Ethernet, IPv4 and UDP (port 9, discard: RFC 863) from 198.18.0.1 to 198.18.0.2 (RFC 2544 C.2.2).
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/mempool.h"
#include "pmd/burst.h"
#include "pmd/pmds.h"

#define NULL_FRAME_MIN 60u
#define NULL_FRAME_MAX 1514u
#define NULL_SIZE      1024u

struct null_queue {
	struct mempool *pool;
	uint64_t rx_packets, rx_bytes, rx_nombuf;
	uint16_t frame_len; // 0: nothing is received
	uint16_t port;
	const uint8_t *frame;
	uint64_t tx_packets cache_aligned; // the sending lcore's line
	uint64_t tx_bytes;
};

struct null_port {
	uint8_t frame[(NULL_FRAME_MAX + 63) / 64 * 64] cache_aligned;
	struct null_queue queue[];
};

static uint16_t null_rx_nothing(void *queue, struct mbuf **pkts, uint16_t n)
{
	return 0;
}

static uint16_t null_rx_frames(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct null_queue *q = queue;

	if (mempool_get_bulk(q->pool, pkts, n)) {
		q->rx_nombuf += n;
		return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = pkts[i];

		mbuf_reset(m);
		m->len = q->frame_len;
		m->pkt_len = q->frame_len;
		m->origin = mbuf_origin(q->port);
		// Whole lines: the buffer has room, and a copy of constant size needs no call.
		for (unsigned off = 0; off < q->frame_len; off += 64)
			memcpy(m->data + off, q->frame + off, 64);
	}
	q->rx_packets += n;
	q->rx_bytes += (uint64_t)n * q->frame_len;
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

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

// RFC 1071 over len (even) bytes in network order.
static uint16_t checksum(const uint8_t *p, unsigned len)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void make_frame(uint8_t *frame, unsigned len, const uint8_t mac[6])
{
	static const uint8_t dst[6] = {0x02, 0, 0, 0, 0, 0x02};
	static const uint8_t addrs[8] = {198, 18, 0, 1, 198, 18, 0, 2};
	uint8_t *ip = frame + 14, *udp = ip + 20;

	memcpy(frame, dst, 6);
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, len - 14);
	ip[8] = 64; // TTL
	ip[9] = 17; // UDP
	memcpy(ip + 12, addrs, 8);
	put16(ip + 10, checksum(ip, 20));
	put16(udp, 9);
	put16(udp + 2, 9);
	put16(udp + 4, len - 34); // checksum 0: none (RFC 768)
	for (unsigned i = 42; i < len; i++)
		frame[i] = (uint8_t)i;
}

// "" or "rx=N": *len is 0 or N.
static int parse_args(const char *args, uint16_t *len, struct err *err)
{
	unsigned long n;
	char *end;

	*len = 0;
	if (!args[0])
		return 0;
	if (!strncmp(args, "rx=", 3) && args[3] >= '0' && args[3] <= '9') {
		n = strtoul(args + 3, &end, 10);
		if (!*end && n >= NULL_FRAME_MIN && n <= NULL_FRAME_MAX) {
			*len = (uint16_t)n;
			return 0;
		}
	}
	return err_set(err, -EINVAL, "expected nothing, or rx=N with N %u to %u bytes",
		       NULL_FRAME_MIN, NULL_FRAME_MAX);
}

static int null_check(const char *args, struct err *err)
{
	uint16_t len;

	return parse_args(args, &len, err);
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

static int null_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct port_grant *g = &port->grant;
	struct null_port *p;
	uint16_t len;
	int rc = port_check_args(conf, null_check, err);

	if (!rc) {
		parse_args(conf->args, &len, err);
		rc = check_room(conf, len, err);
	}
	if (rc)
		return rc;
	p = aligned_alloc(CACHE_LINE, sizeof(*p) + conf->queues * sizeof(p->queue[0]));
	if (!p)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	memset(p, 0, sizeof(*p) + conf->queues * sizeof(p->queue[0]));

	port_default_mac(port, conf, g->mac);
	g->mtu = conf->mtu ? conf->mtu : 1500;
	g->any_length = true;
	g->queues = conf->queues;
	g->rx_size = g->tx_size = NULL_SIZE;
	if (len) {
		make_frame(p->frame, len, g->mac);
		snprintf(g->text, sizeof(g->text), "null, receives frames of %u bytes", len);
	} else {
		snprintf(g->text, sizeof(g->text), "null");
	}
	for (unsigned i = 0; i < conf->queues; i++) {
		struct null_queue *q = &p->queue[i];

		q->pool = conf->pool;
		q->frame = p->frame;
		q->frame_len = len;
		q->port = port->id;
		port->queue[i] =
			(struct port_queue){len ? null_rx_frames : null_rx_nothing, q, null_tx, q};
	}
	port->priv = p;
	return 0;
}

static int null_close(struct port *port, struct err *err)
{
	free(port->priv);
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
	.help = "nothing, or rx=N: receives frames of N bytes (60 to 1514) without end",
	.can = {.queues = PORT_QUEUES_MAX},
	.check = null_check,
	.open = null_open,
	.close = null_close,
	.stats = null_stats,
};
