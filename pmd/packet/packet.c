// SPDX-License-Identifier: BSD-3-Clause
// packet.c - the AF_PACKET port: opening an interface, link, figures, having it back when it was
// removed
//
// The host's own stack sees the interface's packets too. What it must not answer or forward is best
// kept from it by a MAC address of our own (then the interface is made promiscuous while we are
// there).
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "pmd/packet/packet.h"
#include "pmd/pmds.h"

#define SIZE_DEFAULT   4096u // frames in a ring, of 2 KiB in the mean
#define SIZE_LONG      512u  // where each has a slot for 64 KiB
#define FRAME_LONG     65553u
#define ETHER_MAX      18u // Ethernet header and one tag
#define ALL	       (PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO | PORT_RX_LRO)

struct packet_args {
	size_t name_len;
	bool promisc, immediate;
};

static int read_args(struct packet_args *a, const char *args, struct err *err)
{
	const char *s = args + strcspn(args, ",");

	*a = (struct packet_args){.name_len = (size_t)(s - args)};
	while (*s) {
		size_t n = strcspn(++s, ",");

		if (n == 7 && !strncmp(s, "promisc", n))
			a->promisc = true;
		else if (n == 9 && !strncmp(s, "immediate", n))
			a->immediate = true;
		else
			return err_set(err, -EINVAL, "expected IFACE[,promisc][,immediate]");
		s += n;
	}
	return iface_check_name(args, a->name_len, err);
}

static int packet_check(const char *args, struct err *err)
{
	struct packet_args a;

	return read_args(&a, args, err);
}

// Cutting datagrams (VIRTIO_NET_HDR_GSO_UDP_L4) is understood since Linux 6.2.
static bool kernel_cuts_udp(void)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2));
}

static uint32_t grant_offloads(struct packet_port *p, const struct port_conf *conf)
{
	const uint32_t cut = PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO;
	uint32_t ok = conf->offloads & ALL;

	if (!(ok & PORT_TX_CSUM)) // segments have checksums to fill in
		ok &= ~cut;
	if (!kernel_cuts_udp())
		ok &= ~PORT_TX_USO;
	if (!(ok & PORT_RX_CSUM))
		ok &= ~PORT_RX_LRO;
	// A packet that is cut in software is lost by the kernel on the way around the queueing
	// discipline.
	p->bypass = !(ok & cut);
	return ok;
}

static void packet_free(struct packet_port *p)
{
	for (unsigned q = 0; q < PORT_QUEUES_MAX; q++)
		packet_detach(&p->queue[q]);
	iface_close(&p->iface);
	free(p);
}

static struct packet_port *packet_new(const struct port *port, const struct port_conf *conf)
{
	struct packet_port *p = aligned_alloc(CACHE_LINE, sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->iface.ctl = -1;
	p->queues = conf->queues;
	for (unsigned i = 0; i < PORT_QUEUES_MAX; i++) {
		struct packet_queue *q = &p->queue[i];

		q->fd = -1;
		q->id = (uint16_t)i;
		q->port = port->id;
		q->pool = conf->pool;
		q->port_state = p;
	}
	return p;
}

static int attach_all(struct packet_port *p, const struct port_conf *conf, uint32_t offloads,
		      struct err *err)
{
	struct err why = {""};

	for (uint16_t q = 0; q < p->queues; q++) {
		int rc;

		p->queue[q].offloads = offloads;
		rc = packet_attach(&p->queue[q], &why);
		if (rc)
			return err_set(err, rc, "port %s: %s", conf->name, why.text);
	}
	return 0;
}

// With slots, each must hold the longest frame that may come: a long packet only when it was asked
// for, but then 64 KiB.
static void choose_size(struct packet_port *p, const struct port_conf *conf,
			const struct port_grant *g)
{
	bool long_slots = p->immediate && g->offloads & PORT_RX_LRO;

	p->frame_max = long_slots ? FRAME_LONG : (uint32_t)iface_mtu(&p->iface) + ETHER_MAX;
	p->frames = conf->rx_size ? conf->rx_size : SIZE_DEFAULT;
	if (long_slots && p->frames > SIZE_LONG)
		p->frames = SIZE_LONG;
}

static int set_up(struct packet_port *p, const struct port_conf *conf, struct port_grant *g,
		  struct err *err)
{
	struct packet_args a;
	bool own_mac;
	int rc;

	read_args(&a, conf->args, NULL);
	p->immediate = a.immediate;
	rc = iface_open(&p->iface, conf, conf->args, a.name_len, err);
	if (rc)
		return rc;
	if (!iface_index(&p->iface))
		return iface_missing(&p->iface, conf, err);
	rc = iface_grant_mtu(&p->iface, conf, &g->mtu, err);
	if (!rc)
		rc = iface_grant_mac(&p->iface, conf, g->mac, &own_mac, err);
	if (rc)
		return rc;
	p->promisc = a.promisc || own_mac;
	g->offloads = grant_offloads(p, conf);
	choose_size(p, conf, g);
	return attach_all(p, conf, g->offloads, err);
}

static int packet_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct port_grant *g = &port->grant;
	int rc = port_check_args(conf, packet_check, err);
	struct packet_port *p;

	if (rc)
		return rc;
	p = packet_new(port, conf);
	if (!p)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	rc = set_up(p, conf, g, err);
	if (rc) {
		packet_free(p);
		return rc;
	}
	iface_drops_begin(&p->iface, &p->drops);
	p->link.up = iface_up(&p->iface) == 1;
	g->queues = p->queues;
	g->rx_size = g->tx_size = (uint16_t)p->frames;
	for (uint16_t q = 0; q < p->queues; q++)
		port->queue[q] = (struct port_queue){p->immediate ? packet_rx_immediate : packet_rx,
						     &p->queue[q], packet_tx, &p->queue[q]};
	port->priv = p;
	snprintf(g->text, sizeof(g->text), "af_packet %s, %u queue%s of %u KiB%s%s%s",
		 p->iface.name, p->queues, p->queues > 1 ? "s" : "",
		 p->queue[0].blocks * (p->queue[0].block_len / 1024),
		 p->immediate ? ", immediate" : "", p->promisc ? ", promiscuous" : "",
		 p->bypass ? ", around the qdisc" : "");
	port_grant_offloads(g);
	return 0;
}

static int packet_close(struct port *port, struct err *err)
{
	packet_free(port->priv);
	return 0;
}

static void packet_stats(const struct port *port, struct port_stats *s)
{
	struct packet_port *p = port->priv;
	struct packet_queue sum = {0};
	uint64_t dropped = 0, frozen = 0;

	for (uint16_t i = 0; i < p->queues; i++) {
		struct packet_queue *q = &p->queue[i];

		packet_collect(q);
		s->rx_packets += q->rx_packets;
		s->rx_bytes += q->rx_bytes;
		s->tx_packets += q->tx_packets;
		s->tx_bytes += q->tx_bytes;
		sum.rx_nombuf += q->rx_nombuf;
		sum.rx_too_long += q->rx_too_long;
		sum.rx_bad_header += q->rx_bad_header;
		sum.rx_not_asked += q->rx_not_asked;
		sum.tx_down += q->tx_down;
		sum.tx_refused += q->tx_refused;
		sum.tx_too_long += q->tx_too_long;
		sum.tx_full += q->tx_full;
		sum.lost += q->lost;
		dropped += q->host_dropped;
		frozen += q->host_frozen;
	}
	port_stats_add(s, "link-changes", p->link.changes);
	port_stats_add(s, "device-lost", sum.lost);
	port_stats_add(s, "rx-host-dropped", dropped); // the ring was full
	port_stats_add(s, "rx-host-frozen", frozen);
	port_stats_add(s, "rx-copied", s->rx_packets);
	port_stats_add(s, "rx-nombuf", sum.rx_nombuf);
	port_stats_add(s, "rx-too-long", sum.rx_too_long);
	port_stats_add(s, "rx-bad-header", sum.rx_bad_header);
	port_stats_add(s, "rx-gso-refused", sum.rx_not_asked);
	port_stats_add(s, "tx-down", sum.tx_down);
	port_stats_add(s, "tx-refused", sum.tx_refused);
	port_stats_add(s, "tx-too-long", sum.tx_too_long);
	port_stats_add(s, "tx-full", sum.tx_full);
	// What the device dropped, whoever sent it (a veth whose peer is down or has no room).
	iface_drops_add(&p->iface, &p->drops, "tx-host-dropped", s);
}

static void packet_link(const struct port *port, struct port_link *link)
{
	const struct packet_port *p = port->priv;

	iface_link_tell(&p->link, &p->iface, link);
}

static void packet_poll(struct port *port)
{
	struct packet_port *p = port->priv;

	iface_link_note(&p->link, iface_up(&p->iface) == 1);
}

// An interface that was removed is used again when one of its name is there.
static void packet_poll_queue(struct port *port, uint16_t queue)
{
	struct packet_port *p = port->priv;
	struct packet_queue *q = &p->queue[queue];
	int index;

	if (!iface_due(&q->retry, IFACE_RETRIES_SECOND))
		return;
	index = iface_index(&p->iface);
	if (q->fd >= 0 && index != q->ifindex) {
		packet_detach(q);
		q->lost++;
	}
	if (q->fd < 0 && index)
		packet_attach(q, NULL);
}

// The descriptor ends every halt while a block waits.
static int packet_arm(struct port *port, uint16_t queue)
{
	const struct packet_port *p = port->priv;
	const struct packet_queue *q = &p->queue[queue];

	if (q->fd < 0)
		return 0; // taken away: the next look for it is by poll_queue()
	if (!q->wakes)
		return -ENOTSUP;
	return packet_waiting(q) ? -EAGAIN : iface_idle(q->fd);
}

const struct pmd packet_pmd = {
	.name = "packet",
	.help = "IFACE[,promisc][,immediate]: an interface of the Linux host, by AF_PACKET",
	.can = {.offloads = ALL, .queues = PORT_QUEUES_MAX, .live = true, .needs = "CAP_NET_RAW"},
	.check = packet_check,
	.open = packet_open,
	.close = packet_close,
	.stats = packet_stats,
	.link = packet_link,
	.poll = packet_poll,
	.poll_queue = packet_poll_queue,
	.arm = packet_arm,
};
