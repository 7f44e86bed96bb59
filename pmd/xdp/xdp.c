// SPDX-License-Identifier: BSD-3-Clause
// xdp.c - the AF_XDP port: arguments, opening, link, figures, having a removed interface back
//
// Frames of the interface's queues that we take never reach the host's stack; those of its other
// queues do. Checksums: the kernel hands over frames as they are, also those whose sender on this
// host left the checksum to a device (a veth's peer: `ethtool -K PEER tx off`).
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pmd/pmds.h"
#include "pmd/xdp/xdp.h"

#define SIZE_DEFAULT   1024u
#define SIZE_MIN       64u
#define SIZE_MAX_RING  16384u
#define ETHER_MAX      18u // Ethernet header and one tag

static uint32_t ring_size(uint32_t want)
{
	uint32_t size = SIZE_MIN;

	while (size < (want ? want : SIZE_DEFAULT) && size < SIZE_MAX_RING)
		size *= 2;
	return size;
}

static void xdp_free(struct xdp_port *p)
{
	xdp_program_detach(p);
	for (unsigned i = 0; i < PORT_QUEUES_MAX; i++) {
		if (p->queue[i].slot)
			xdp_detach(&p->queue[i]);
		free(p->queue[i].slot);
	}
	xdp_program_unload(p);
	if (p->promisc >= 0)
		close(p->promisc);
	iface_close(&p->iface);
	free(p);
}

static int queues_new(struct xdp_port *p, const struct port *port, const struct port_conf *conf,
		      struct err *err)
{
	for (unsigned i = 0; i < p->queues; i++) {
		struct xdp_queue *q = &p->queue[i];

		q->rx_size = ring_size(conf->rx_size);
		q->tx_size = ring_size(conf->tx_size);
		if (xdp_umem_of(&q->umem, conf->pool))
			return err_set(
				err, -EINVAL,
				"port %s: AF_XDP takes buffers of at least %u bytes, headroom "
				"included; these have %u",
				conf->name, XDP_CHUNK_MIN,
				MBUF_HEADROOM + mempool_room(conf->pool));
		q->slot = calloc(q->umem.count, sizeof(*q->slot));
		if (!q->slot)
			return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
		q->fd = -1;
		q->id = (uint16_t)i;
		q->port = port->id;
		q->pool = conf->pool;
		q->xdp = p;
	}
	return 0;
}

static struct xdp_port *xdp_new(const struct port_conf *conf)
{
	struct xdp_port *p = aligned_alloc(CACHE_LINE, sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->queues = conf->queues;
	p->map = p->program = p->attached = p->promisc = p->iface.ctl = -1;
	return p;
}

// The interface shall let frames for any address through; ends with the socket.
static int make_promiscuous(struct xdp_port *p)
{
	struct packet_mreq all = {.mr_ifindex = p->ifindex, .mr_type = PACKET_MR_PROMISC};

	if (!p->want_promisc)
		return 0;
	if (p->promisc >= 0)
		close(p->promisc);
	p->promisc = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (p->promisc < 0)
		return -errno;
	return setsockopt(p->promisc, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0
		       ? -errno
		       : 0;
}

// Bytes that one frame may have, without frames of several chunks.
static uint16_t one_chunk_mtu(const struct xdp_queue *q)
{
	return (uint16_t)(q->umem.chunk - XDP_KERNEL_HEADROOM - ETHER_MAX);
}

static int grant_mtu(const struct xdp_port *p, const struct port_conf *conf, uint16_t *mtu,
		     struct err *err)
{
	const struct xdp_queue *q = &p->queue[0];
	int rc = iface_grant_mtu(&p->iface, conf, mtu, err);

	if (rc)
		return rc;
	if (!q->several && *mtu > one_chunk_mtu(q))
		return err_set(err, -EINVAL,
			       "port %s: MTU %u: this kernel or driver takes AF_XDP frames of one "
			       "buffer: at most %u",
			       conf->name, *mtu, one_chunk_mtu(q));
	return 0;
}

// The kernel frees a queue some time after the socket it had was closed: ours of a moment ago, say.
static int attach_patiently(struct xdp_queue *q, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int rc = xdp_attach(q, err);

	for (unsigned i = 0; rc == -EBUSY && i < 50; i++) {
		nanosleep(&pause, NULL);
		rc = xdp_attach(q, err);
	}
	return rc;
}

static int set_up(struct xdp_port *p, const struct port_conf *conf, struct err *err)
{
	struct err why = {""};
	int rc = xdp_program_load(p, &why);

	if (!rc)
		rc = xdp_program_attach(p, &why);
	for (uint16_t q = 0; !rc && q < p->queues; q++)
		rc = attach_patiently(&p->queue[q], &why);
	if (!rc && (rc = make_promiscuous(p)))
		err_set(&why, rc, "making %s promiscuous: %s", p->iface.name, strerror(-rc));
	return rc ? err_set(err, rc, "port %s: xdp:%s: %s", conf->name, conf->args, why.text) : 0;
}

static int set_up_all(struct xdp_port *p, struct port *port, const struct port_conf *conf,
		      struct err *err)
{
	struct xdp_args a;
	bool own_mac;
	int rc;

	xdp_args_read(&a, conf->args, NULL);
	p->first_queue = (uint16_t)a.queue;
	p->attach_flags = a.attach_flags;
	p->bind_flags = a.bind_flags;
	rc = iface_open(&p->iface, conf, conf->args, a.name_len, err);
	if (rc)
		return rc;
	if (!iface_index(&p->iface))
		return iface_missing(&p->iface, conf, err);
	rc = iface_grant_mac(&p->iface, conf, port->grant.mac, &own_mac, err);
	if (rc)
		return rc;
	p->want_promisc = a.promisc || own_mac;
	rc = queues_new(p, port, conf, err);
	if (!rc)
		rc = set_up(p, conf, err);
	return rc ? rc : grant_mtu(p, conf, &port->grant.mtu, err);
}

static void describe(const struct xdp_port *p, struct port_grant *g)
{
	struct xdp_options o = {0};
	socklen_t len = sizeof(o);
	unsigned has = iface_rx_queues(&p->iface), to = p->first_queue + p->queues;

	getsockopt(p->queue[0].fd, SOL_XDP_LEVEL, XDP_OPTIONS, &o, &len);
	snprintf(g->text, sizeof(g->text), "af_xdp %s queue %u to %u of %u%s, %s%s", p->iface.name,
		 p->first_queue, to - 1, has, has > p->queues ? " (others go to the host)" : "",
		 o.flags & XDP_OPTIONS_ZEROCOPY ? "zero copy" : "copied by the kernel",
		 p->queue[0].several ? ", frames of several chunks" : "");
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

static int xdp_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct port_grant *g = &port->grant;
	int rc = port_check_args(conf, xdp_args_check, err);
	struct xdp_port *p;

	if (rc)
		return rc;
	libbpf_set_print(quiet); // what it has to say, err says
	p = xdp_new(conf);
	if (!p)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	rc = set_up_all(p, port, conf, err);
	if (rc) {
		xdp_free(p);
		return rc;
	}
	p->link.up = iface_up(&p->iface) == 1;
	g->queues = p->queues;
	g->rx_size = (uint16_t)p->queue[0].rx_size;
	g->tx_size = (uint16_t)p->queue[0].tx_size;
	for (uint16_t q = 0; q < p->queues; q++)
		port->queue[q] = (struct port_queue){xdp_rx, &p->queue[q], xdp_tx, &p->queue[q]};
	describe(p, g);
	port->priv = p;
	return 0;
}

static int xdp_close(struct port *port, struct err *err)
{
	xdp_free(port->priv);
	return 0;
}

static void xdp_link(const struct port *port, struct port_link *link)
{
	const struct xdp_port *p = port->priv;

	iface_link_tell(&p->link, &p->iface, link);
}

bool xdp_down(struct xdp_queue *q)
{
	struct xdp_port *p = q->xdp;

	return !p->ifindex || iface_link_down(&p->link, &p->iface, &q->look);
}

// The program goes onto an interface of this name that was made anew; the queues follow by the
// generation.
static void xdp_poll(struct port *port)
{
	struct xdp_port *p = port->priv;
	int index = iface_index(&p->iface);

	if (unlikely(index != p->ifindex)) {
		if (p->ifindex) {
			xdp_program_detach(p);
			p->lost++;
		}
		if (index && !xdp_program_attach(p, NULL)) {
			make_promiscuous(p);
			p->generation++;
		}
	}
	iface_link_note(&p->link, p->ifindex && iface_up(&p->iface) == 1);
}

static void xdp_poll_queue(struct port *port, uint16_t queue)
{
	struct xdp_port *p = port->priv;
	struct xdp_queue *q = &p->queue[queue];

	if (likely(q->generation == p->generation && q->fd >= 0) ||
	    !iface_due(&q->retry, IFACE_RETRIES_SECOND))
		return;
	xdp_detach(q);
	if (p->ifindex)
		xdp_attach(q, NULL);
}

static int xdp_arm(struct port *port, uint16_t queue)
{
	struct xdp_port *p = port->priv;
	struct xdp_queue *q = &p->queue[queue];

	if (q->fd < 0)
		return 0; // taken away: the next look for it is by poll_queue()
	if (!q->wakes)
		return -ENOTSUP;
	if (q->sending) {
		xdp_reap(q);
		if (!xdp_kick(q) && p->link.up)
			return -EAGAIN;
	}
	return iface_idle(q->fd);
}

const struct pmd xdp_pmd = {
	.name = "xdp",
	.help = "IFACE[,queue=N][,copy|zerocopy][,native|skb][,promisc]: an interface of the Linux "
		"host, by AF_XDP",
	.can = {.queues = PORT_QUEUES_MAX,
		.live = true,
		.needs = "CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW"},
	.check = xdp_args_check,
	.open = xdp_open,
	.close = xdp_close,
	.stats = xdp_port_stats,
	.link = xdp_link,
	.poll = xdp_poll,
	.poll_queue = xdp_poll_queue,
	.arm = xdp_arm,
};
