// SPDX-License-Identifier: BSD-3-Clause
// tap.c - the TAP port: opening the device, link, figures, having it back when it was removed
//
// The host's end of the cable is interface NAME; ours has an address of its own. A device that is
// there already (`ip tuntap add`) is attached to and left behind; else one is made, brought up, and
// vanishes with us. It may be moved to another network namespace while we are attached.
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pmd/pmds.h"
#include "pmd/tap/tap.h"

#define ETHER_MAX      18u    // Ethernet header and one 802.1Q tag
#define FRAME_MAX      65553u // the longest that the host hands over uncut: an IP packet and ETHER_MAX
#define USO	       0x60u // TUN_F_USO4 | TUN_F_USO6 of linux/if_tun.h since 6.2
#define TAP_BUFFERS    500u  // what the host queues for us (its txqueuelen); reported as ring size

static int tap_check(const char *args, struct err *err)
{
	return iface_check_name(args, strlen(args), err);
}

static int refused(const struct port_conf *conf, int error, struct err *err)
{
	switch (error) {
	case EPERM:
		return err_set(
			err, -EPERM,
			"port %s: tap:%s: not permitted: run with CAP_NET_ADMIN, or make the "
			"device first: ip tuntap add dev %s mode tap user $USER",
			conf->name, conf->args, conf->args);
	case EBUSY:
		return err_set(
			err, -EBUSY,
			"port %s: tap:%s: another process has this device; take another name, or "
			"see `ip -d tuntap` for it",
			conf->name, conf->args);
	case EINVAL:
		return err_set(err, -EINVAL,
			       "port %s: tap:%s: an interface of this name is there and is no TAP "
			       "device; use packet:%s or xdp:%s, or another name",
			       conf->name, conf->args, conf->args, conf->args);
	default:
		return err_set(err, -error, "port %s: tap:%s: TUNSETIFF: %s", conf->name,
			       conf->args, strerror(error));
	}
}

// A descriptor of one more queue of the device, or -errno.
static int attach(const struct tap_port *t)
{
	struct ifreq r = {.ifr_flags = (short)t->flags};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), len = VIRTIO_NET_HDR_LEN,
	    rc;

	if (fd < 0)
		return -errno;
	memcpy(r.ifr_name, t->iface.name, IFNAMSIZ);
	if (ioctl(fd, TUNSETIFF, &r) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &len) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, (unsigned long)t->offloads) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

// The first queue. A device that is there may have been made for one queue or for several.
static int attach_first(struct tap_port *t, const struct port_conf *conf, struct err *err)
{
	int fd;

	t->flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (conf->queues > 1 ? IFF_MULTI_QUEUE : 0);
	fd = attach(t);
	if (fd == -EINVAL && !t->created) {
		t->flags ^= IFF_MULTI_QUEUE;
		fd = attach(t);
	}
	if (fd == -ENOENT || fd == -EACCES || fd == -ENXIO)
		return err_set(err, fd, "port %s: /dev/net/tun: %s: `modprobe tun` makes it",
			       conf->name, strerror(-fd));
	if (fd < 0)
		return refused(conf, -fd, err);
	tap_queue_attach(&t->queue[0], fd);
	t->queues = t->flags & IFF_MULTI_QUEUE ? conf->queues : 1;
	return 0;
}

static int attach_others(struct tap_port *t, const struct port_conf *conf, struct err *err)
{
	for (uint16_t q = 1; q < t->queues; q++) {
		int fd = attach(t);

		if (fd == -EPERM || fd == -E2BIG) {
			t->queues = q; // more than the kernel gives: use those it gave
			return 0;
		}
		if (fd < 0)
			return refused(conf, -fd, err);
		tap_queue_attach(&t->queue[q], fd);
	}
	return 0;
}

static int set_mtu(struct tap_port *t, const struct port_conf *conf, uint16_t *mtu, struct err *err)
{
	int now = iface_mtu(&t->iface), rc = 0;

	if (conf->mtu && now != conf->mtu)
		rc = iface_set_mtu(&t->iface, conf->mtu);
	if (rc)
		return err_set(
			err, rc,
			"port %s: tap:%s: MTU %u: %s (it is %d): run `ip link set %s mtu %u`, "
			"or ask for what it has",
			conf->name, conf->args, conf->mtu, strerror(-rc), now, conf->args,
			conf->mtu);
	*mtu = conf->mtu ? conf->mtu : (uint16_t)(now > 0 && now <= UINT16_MAX ? now : 1500);
	return 0;
}

static bool look_up(const struct tap_port *t)
{
	struct pollfd p = {.fd = t->queue[0].fd, .events = POLLOUT};

	// Writable means that the host has it up: it tells that in whatever namespace the device
	// is.
	return p.fd >= 0 && poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
}

// What of the offloads asked for this device and these buffers can do. Sending, the kernel does all
// itself where the next device cannot; received frames come unfinished only when we say that we
// take them.
static uint32_t grant_offloads(struct tap_port *t, const struct port_conf *conf)
{
	const uint32_t long_rx = PORT_RX_CSUM | PORT_RX_LRO;
	uint32_t ok = conf->offloads & (PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_RX_CSUM);

	if (!(ok & PORT_TX_CSUM)) // segments have checksums to fill in
		ok &= ~(PORT_TX_TSO4 | PORT_TX_TSO6);
	else if (!ioctl(t->queue[0].fd, TUNSETOFFLOAD, TUN_F_CSUM | USO))
		ok |= conf->offloads & PORT_TX_USO;
	if ((conf->offloads & long_rx) == long_rx &&
	    FRAME_MAX / mempool_room(conf->pool) < TAP_SEGS_MAX)
		ok |= PORT_RX_LRO;
	if (ok & PORT_RX_CSUM)
		t->offloads |= TUN_F_CSUM;
	if (ok & PORT_RX_LRO)
		t->offloads |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	for (uint16_t q = 0; q < t->queues; q++)
		t->queue[q].offloads = ok & PORT_RX_CSUM;
	return ioctl(t->queue[0].fd, TUNSETOFFLOAD, (unsigned long)t->offloads) ? 0 : ok;
}

static int set_up(struct tap_port *t, const struct port_conf *conf, struct port_grant *g,
		  struct err *err)
{
	int rc = attach_first(t, conf, err);

	if (!rc)
		rc = attach_others(t, conf, err);
	if (!rc)
		rc = set_mtu(t, conf, &g->mtu, err);
	if (!rc)
		g->offloads = grant_offloads(t, conf);
	for (uint16_t q = 0; !rc && q < t->queues; q++) {
		struct tap_queue *tq = &t->queue[q];

		if (tap_queue_size(tq, g->offloads & PORT_RX_LRO ? FRAME_MAX : g->mtu + ETHER_MAX))
			rc = err_set(
				err, -EINVAL,
				"port %s: frames of MTU %u take more than %u buffers of %u bytes: "
				"take larger buffers or a smaller MTU",
				conf->name, g->mtu, TAP_SEGS_MAX, mempool_room(conf->pool));
	}
	if (rc || !t->created)
		return rc;
	rc = iface_set_up(&t->iface);
	return rc ? err_set(err, rc, "port %s: ip link set %s up: %s", conf->name, conf->args,
			    strerror(-rc))
		  : 0;
}

static void tap_free(struct tap_port *t)
{
	for (unsigned q = 0; q < PORT_QUEUES_MAX; q++) {
		tap_queue_drain(&t->queue[q]);
		tap_queue_detach(&t->queue[q]);
	}
	iface_close(&t->iface);
	free(t);
}

static struct tap_port *tap_new(const struct port *port, const struct port_conf *conf)
{
	struct tap_port *t = aligned_alloc(CACHE_LINE, sizeof(*t));

	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->iface.ctl = -1;
	for (unsigned q = 0; q < PORT_QUEUES_MAX; q++) {
		t->queue[q].fd = -1;
		t->queue[q].id = (uint16_t)q;
		t->queue[q].port = port->id;
		t->queue[q].pool = conf->pool;
		t->queue[q].tap = t;
	}
	return t;
}

static int tap_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct port_grant *g = &port->grant;
	int rc = port_check_args(conf, tap_check, err);
	struct tap_port *t;

	if (rc)
		return rc;
	t = tap_new(port, conf);
	if (!t)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	rc = iface_open(&t->iface, conf, conf->args, strlen(conf->args), err);
	if (!rc) {
		t->created = !iface_index(&t->iface);
		rc = set_up(t, conf, g, err);
	}
	if (rc) {
		tap_free(t);
		return rc;
	}
	iface_drops_begin(&t->iface, &t->drops);
	t->link.up = look_up(t);
	port_default_mac(port, conf, g->mac);
	g->queues = t->queues;
	g->rx_size = g->tx_size = TAP_BUFFERS;
	for (uint16_t q = 0; q < t->queues; q++)
		port->queue[q] = (struct port_queue){tap_rx, &t->queue[q], tap_tx, &t->queue[q]};
	port->priv = t;
	snprintf(g->text, sizeof(g->text), "tap %s %s, %u queue%s", t->iface.name,
		 t->created ? "made" : "attached", t->queues, t->queues > 1 ? "s" : "");
	port_grant_offloads(g);
	return 0;
}

static int tap_close(struct port *port, struct err *err)
{
	tap_free(port->priv);
	return 0;
}

static void tap_stats(const struct port *port, struct port_stats *s)
{
	const struct tap_port *t = port->priv;
	struct tap_queue sum = {0};

	for (uint16_t i = 0; i < t->queues; i++) {
		const struct tap_queue *q = &t->queue[i];

		s->rx_packets += q->rx_packets;
		s->rx_bytes += q->rx_bytes;
		s->tx_packets += q->tx_packets;
		s->tx_bytes += q->tx_bytes;
		sum.rx_nombuf += q->rx_nombuf;
		sum.rx_too_long += q->rx_too_long;
		sum.rx_bad_header += q->rx_bad_header;
		sum.rx_errors += q->rx_errors;
		sum.tx_down += q->tx_down;
		sum.tx_refused += q->tx_refused;
		sum.tx_full += q->tx_full;
		sum.lost += q->lost;
	}
	port_stats_add(s, "link-changes", t->link.changes);
	port_stats_add(s, "device-lost", sum.lost);
	port_stats_add(s, "rx-nombuf", sum.rx_nombuf);
	port_stats_add(s, "rx-too-long", sum.rx_too_long);
	port_stats_add(s, "rx-bad-header", sum.rx_bad_header);
	port_stats_add(s, "rx-errors", sum.rx_errors);
	port_stats_add(s, "tx-down", sum.tx_down);
	port_stats_add(s, "tx-refused", sum.tx_refused);
	port_stats_add(s, "tx-full", sum.tx_full);
	// What the host dropped since its queue towards us was full or there was nobody to read it.
	iface_drops_add(&t->iface, &t->drops, "rx-host-dropped", s);
}

static void tap_link(const struct port *port, struct port_link *link)
{
	const struct tap_port *t = port->priv;

	link->up = t->link.up;
}

static void tap_poll(struct port *port)
{
	struct tap_port *t = port->priv;

	iface_link_note(&t->link, look_up(t));
}

// A device that was removed is attached to again when one of its name is there.
static void tap_poll_queue(struct port *port, uint16_t queue)
{
	struct tap_port *t = port->priv;
	struct tap_queue *q = &t->queue[queue];
	int fd;

	if (likely(q->fd >= 0) || !iface_due(&q->retry, IFACE_RETRIES_SECOND) ||
	    !iface_index(&t->iface))
		return;
	fd = attach(t);
	if (fd >= 0)
		tap_queue_attach(q, fd);
}

// The descriptor ends every halt while a frame waits; nothing is to be switched on or off.
static int tap_arm(struct port *port, uint16_t queue)
{
	const struct tap_port *t = port->priv;
	const struct tap_queue *q = &t->queue[queue];

	if (q->fd < 0)
		return 0; // taken away: the next look for it is by poll_queue()
	if (!q->wakes)
		return -ENOTSUP;
	return iface_idle(q->fd);
}

const struct pmd tap_pmd = {
	.name = "tap",
	.help = "NAME: a TAP device of the Linux host, attached to or made",
	.can = {.offloads = PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 |
			    PORT_TX_USO | PORT_RX_LRO,
		.queues = PORT_QUEUES_MAX,
		.live = true,
		.needs = "CAP_NET_ADMIN, or a device of yours"},
	.check = tap_check,
	.open = tap_open,
	.close = tap_close,
	.stats = tap_stats,
	.link = tap_link,
	.poll = tap_poll,
	.poll_queue = tap_poll_queue,
	.arm = tap_arm,
};
