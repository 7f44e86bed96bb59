// SPDX-License-Identifier: BSD-3-Clause
// socket.c - an AF_XDP socket for one queue pair: its UMEM, rings and place in the program's map
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/linux/plat_linux.h"
#include "pmd/xdp/xdp.h"

#define PAGE	      4096u
#define XDP_TX_BUDGET 9 // XDP_MAX_TX_SKB_BUDGET, since 6.17: packets that one call sends
#define TX_BUDGET     256u

int xdp_umem_of(struct xdp_umem *u, const struct mempool *pool)
{
	const struct mbuf *first = mempool_at(pool, 0);
	const struct mbuf *last = mempool_at(pool, mempool_count(pool) - 1);
	uint32_t room = MBUF_HEADROOM + mempool_room(pool);
	uintptr_t from = (uintptr_t)first & ~(uintptr_t)(PAGE - 1);
	uintptr_t to = (uintptr_t)(mbuf_buf(last) + room);

	u->area = (uint8_t *)from;
	u->len = ((to + PAGE - 1) & ~(uintptr_t)(PAGE - 1)) - from;
	u->first = (uint64_t)(mbuf_buf(first) - u->area);
	u->count = mempool_count(pool);
	u->stride = u->count > 1 ? (uint64_t)((const uint8_t *)last - (const uint8_t *)first) /
					   (u->count - 1)
				 : room;
	u->magic = UINT64_MAX / u->stride + 1;
	u->chunk = room < XDP_CHUNK_MAX ? room : XDP_CHUNK_MAX;
	return u->chunk < XDP_CHUNK_MIN ? -EINVAL : 0;
}

static int make_umem(struct xdp_queue *q, struct err *err)
{
	const struct xsk_umem_config conf = {
		.fill_size = q->rx_size,
		.comp_size = q->tx_size,
		.frame_size = q->umem.chunk,
		.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG,
	};
	int rc;

	// libxdp fills in only part of them.
	memset(&q->fill, 0, sizeof(q->fill));
	memset(&q->comp, 0, sizeof(q->comp));
	memset(&q->rx, 0, sizeof(q->rx));
	memset(&q->tx, 0, sizeof(q->tx));
	rc = xsk_umem__create(&q->handle, q->umem.area, q->umem.len, &q->fill, &q->comp, &conf);

	if (!rc)
		return 0;
	q->handle = NULL;
	if (rc == -ENOBUFS)
		return err_set(
			err, rc,
			"registering %llu MiB of packet memory: more than this user may lock: "
			"`ulimit -l unlimited`, or run with CAP_IPC_LOCK",
			(unsigned long long)(q->umem.len >> 20));
	if (rc == -EPERM)
		return err_set(err, rc, "no AF_XDP socket: not permitted: run with CAP_NET_RAW");
	if (rc == -EAFNOSUPPORT)
		return err_set(err, rc,
			       "no AF_XDP socket: this kernel is built without "
			       "CONFIG_XDP_SOCKETS");
	return err_set(err, rc, "registering %llu MiB of packet memory: %s",
		       (unsigned long long)(q->umem.len >> 20), strerror(-rc));
}

static int bind_with(struct xdp_queue *q, uint16_t flags)
{
	struct xdp_port *p = q->xdp;
	const struct xsk_socket_config conf = {
		.rx_size = q->rx_size,
		.tx_size = q->tx_size,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = flags,
	};

	return xsk_socket__create(&q->socket, p->iface.name, (uint32_t)p->first_queue + q->id,
				  q->handle, &q->rx, &q->tx, &conf);
}

static void free_umem(struct xdp_queue *q)
{
	if (q->handle)
		xsk_umem__delete(q->handle);
	q->handle = NULL;
}

// Older kernels and some drivers do not know frames of several chunks.
static int make_socket(struct xdp_queue *q, struct err *err)
{
	const struct xdp_port *p = q->xdp;
	uint16_t flags = p->bind_flags | XDP_USE_NEED_WAKEUP;
	int rc = bind_with(q, flags | XDP_BIND_SG);

	q->several = !rc;
	if (rc == -EINVAL || rc == -EOPNOTSUPP) {
		free_umem(q);
		rc = make_umem(q, err);
		if (rc)
			return rc;
		rc = bind_with(q, flags);
	}
	if (!rc)
		return 0;
	q->socket = NULL;
	switch (rc) {
	case -EBUSY:
		return err_set(err, rc,
			       "queue %u of %s has an AF_XDP socket already: take another "
			       "by queue=N",
			       p->first_queue + q->id, p->iface.name);
	case -EOPNOTSUPP:
	case -EPROTONOSUPPORT:
		return err_set(err, rc, "%s cannot do that for AF_XDP: leave 'zerocopy' away",
			       p->iface.name);
	default:
		return err_set(err, rc,
			       "binding to queue %u of %s: %s: `ethtool -l %s` tells how many "
			       "it has",
			       p->first_queue + q->id, p->iface.name, strerror(-rc), p->iface.name);
	}
}

int xdp_attach(struct xdp_queue *q, struct err *err)
{
	struct xdp_port *p = q->xdp;
	int rc = make_umem(q, err), fd, budget = TX_BUDGET;
	uint32_t key = (uint32_t)p->first_queue + q->id;

	if (!rc)
		rc = make_socket(q, err);
	if (rc) {
		xdp_detach(q);
		return rc;
	}
	q->fd = fd = xsk_socket__fd(q->socket);
	// Where it is refused a call sends fewer, and is made again.
	(void)setsockopt(fd, SOL_XDP_LEVEL, XDP_TX_BUDGET, &budget, sizeof(budget));
	q->generation = p->generation;
	xdp_refill(q);
	rc = bpf_map_update_elem(p->map, &key, &fd, 0);
	if (rc) {
		xdp_detach(q);
		return err_set(err, rc, "queue %u of %s: XSKMAP: %s", key, p->iface.name,
			       strerror(-rc));
	}
	q->wakes = !plat_linux_wake_fd(q->id, fd, true);
	return 0;
}

// Everything that the kernel had, by our own books.
static void take_back(struct xdp_queue *q)
{
	const struct xdp_umem *u = &q->umem;

	for (uint32_t i = 0; i < u->count; i++) {
		struct xdp_slot *s = &q->slot[i];
		struct mbuf *m = xdp_mbuf(u, u->first + i * u->stride);

		if (s->posted)
			mempool_put_bulk(q->pool, &m, 1);
		for (; s->sending && s->head; s->sending--)
			mbuf_free(s->head);
		*s = (struct xdp_slot){0};
	}
	if (q->head)
		mbuf_free(q->head);
	q->head = q->last = NULL;
	q->posted = q->sending = 0;
}

void xdp_detach(struct xdp_queue *q)
{
	struct xdp_figures now;

	if (q->socket) {
		xdp_figures(q, &now);
		q->past = now;
		if (q->wakes)
			plat_linux_wake_fd(q->id, q->fd, false);
		q->fd = -1;
		xsk_socket__delete(q->socket); // when it returns, nothing is received any more
	}
	q->wakes = false;
	q->socket = NULL;
	free_umem(q);
	take_back(q);
}
