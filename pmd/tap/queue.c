// SPDX-License-Identifier: BSD-3-Clause
// queue.c - TAP bursts: a system call a packet, scattered into and gathered from mbuf chains
//
// Received frames go straight into buffers that wait in the queue, as many as the longest frame
// needs: what a frame did not use waits for the next. Nothing is copied in user space.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/linux/plat_linux.h"
#include "pmd/tap/tap.h"
#include "pmd/virtio/hdr.h"

#define ETHER_HDR 14u

int tap_queue_size(struct tap_queue *q, uint32_t longest)
{
	uint32_t room = mempool_room(q->pool), segs = (longest + 1 + room - 1) / room;

	if (segs > TAP_SEGS_MAX)
		return -E2BIG;
	q->segs = (uint16_t)segs;
	q->iov[0] = (struct iovec){&q->hdr, sizeof(q->hdr)};
	for (unsigned i = 0; i < segs; i++)
		q->iov[1 + i].iov_len = room;
	return 0;
}

void tap_queue_drain(struct tap_queue *q)
{
	if (q->have)
		mempool_put_bulk(q->pool, &q->seg[q->segs - q->have], q->have);
	q->have = 0;
}

static bool fill(struct tap_queue *q)
{
	unsigned want = q->segs - q->have;

	if (likely(!want))
		return true;
	if (unlikely(mempool_get_bulk(q->pool, q->seg, want))) {
		q->rx_nombuf++;
		return false;
	}
	mempool_own(q->seg, want, "tap-rx");
	for (unsigned i = 0; i < want; i++)
		q->iov[1 + i].iov_base = mbuf_buf(q->seg[i]) + MBUF_HEADROOM;
	q->have = q->segs;
	return true;
}

// The first buffers as a packet of len bytes.
static struct mbuf *take(struct tap_queue *q, uint32_t len)
{
	uint32_t left = len, room = mempool_room(q->pool), used = 0;
	struct mbuf *head = q->seg[0], *last = NULL;

	do {
		struct mbuf *m = q->seg[used++];

		m->data = mbuf_buf(m) + MBUF_HEADROOM;
		m->len = (uint16_t)(left < room ? left : room);
		left -= m->len;
		if (last)
			last->next = m;
		last = m;
	} while (left);
	head->pkt_len = len;
	head->nsegs = (uint8_t)used;
	head->origin = mbuf_origin(q->port);
	q->have = (uint16_t)(q->segs - used);
	return head;
}

void tap_queue_detach(struct tap_queue *q)
{
	if (q->fd < 0)
		return;
	if (q->wakes)
		plat_linux_wake_fd(q->id, q->fd, false);
	close(q->fd);
	q->fd = -1;
}

void tap_queue_attach(struct tap_queue *q, int fd)
{
	q->fd = fd;
	q->wakes = !plat_linux_wake_fd(q->id, fd, true);
}

static void __attribute__((noinline)) gone(struct tap_queue *q)
{
	tap_queue_detach(q);
	q->lost++;
}

// Whether to ask for more.
static bool __attribute__((noinline)) rx_error(struct tap_queue *q, int error)
{
	switch (error) {
	case EAGAIN:
		return false;
	case EINTR:
		return true;
	case EBADFD: // the device was removed
		gone(q);
		return false;
	default:
		q->rx_errors++;
		return false;
	}
}

uint16_t tap_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct tap_queue *q = queue;
	uint16_t got = 0;
	uint32_t room;

	if (unlikely(q->fd < 0))
		return 0;
	room = q->segs * mempool_room(q->pool);
	while (got < n && fill(q)) {
		ssize_t r = readv(q->fd, q->iov, 1 + q->segs);
		struct mbuf *m;
		uint32_t len;

		if (r < (ssize_t)sizeof(q->hdr)) {
			if (rx_error(q, r < 0 ? errno : EIO))
				continue;
			break;
		}
		len = (uint32_t)r - (uint32_t)sizeof(q->hdr);
		if (unlikely(len >= room)) { // perhaps there was more
			q->rx_too_long++;
			continue;
		}
		m = take(q, len);
		if (q->offloads && unlikely(len < ETHER_HDR || virtio_hdr_rx(&q->hdr, m))) {
			q->rx_bad_header++;
			mbuf_free(m);
			continue;
		}
		pkts[got++] = m;
		q->rx_bytes += len;
	}
	q->rx_packets += got;
	return got;
}

static unsigned gather(struct iovec *iov, const struct mbuf *m)
{
	unsigned n = 0;

	for (; m; m = m->next)
		iov[n++] = (struct iovec){m->data, m->len};
	return n;
}

enum sent { SENT, DROPPED, WAIT };

static enum sent __attribute__((noinline)) tx_error(struct tap_queue *q, int error)
{
	switch (error) {
	case EAGAIN: // the host's own queue
	case ENOBUFS:
	case ENOMEM:
		q->tx_full++;
		return WAIT;
	case EBADFD:
		gone(q);
		q->tx_down++;
		return DROPPED;
	case EIO: // the host has the interface down
		q->tx_down++;
		return DROPPED;
	default: // the kernel does not take such a frame
		q->tx_refused++;
		return DROPPED;
	}
}

static enum sent send_one(struct tap_queue *q, const struct mbuf *m)
{
	struct virtio_net_hdr hdr;
	struct iovec iov[1 + MBUF_SEGS_MAX];
	unsigned n = 1 + gather(iov + 1, m);
	ssize_t r;

	if (unlikely(q->fd < 0)) {
		q->tx_down++;
		return DROPPED;
	}
	virtio_hdr_tx(&hdr, m);
	iov[0] = (struct iovec){&hdr, sizeof(hdr)};
	do
		r = writev(q->fd, iov, (int)n);
	while (unlikely(r < 0 && errno == EINTR));
	return likely(r >= 0) ? SENT : tx_error(q, errno);
}

uint16_t tap_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct tap_queue *q = queue;
	uint16_t done;

	for (done = 0; done < n; done++) {
		enum sent s = send_one(q, pkts[done]);

		if (unlikely(s == WAIT))
			break;
		if (unlikely(s == DROPPED))
			continue;
		q->tx_packets++;
		q->tx_bytes += pkts[done]->pkt_len;
	}
	mbuf_free_bulk(pkts, done);
	return done;
}
