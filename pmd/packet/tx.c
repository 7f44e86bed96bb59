// SPDX-License-Identifier: BSD-3-Clause
// tx.c - AF_PACKET send: a burst by one sendmmsg(), gathered from mbuf chains
//
// A transmit ring saves the call's own work, not the kernel's allocation, and costs a copy here: no
// quicker (docs/hosted-ports.md has the figures).
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "pmd/packet/packet.h"
#include "pmd/virtio/hdr.h"

#define BURST 64u
#define IOVS  (BURST * 4) // at least one header and MBUF_SEGS_MAX segments

static_assert(IOVS > MBUF_SEGS_MAX, "one packet fits whatever its segments");

struct batch {
	struct mmsghdr msg[BURST];
	struct virtio_net_hdr hdr[BURST];
	struct iovec iov[IOVS];
};

// As many of the n packets as fit.
static unsigned gather(struct batch *b, struct mbuf *const *pkts, unsigned n)
{
	unsigned i, iovs = 0;

	for (i = 0; i < n && i < BURST; i++) {
		const struct mbuf *m = pkts[i];
		struct iovec *v = &b->iov[iovs];

		if (iovs + 1 + m->nsegs > IOVS)
			break;
		virtio_hdr_tx(&b->hdr[i], m);
		v[0] = (struct iovec){&b->hdr[i], PACKET_HDR};
		b->msg[i].msg_hdr = (struct msghdr){.msg_iov = v, .msg_iovlen = 1u + m->nsegs};
		for (iovs++; m; m = m->next)
			b->iov[iovs++] = (struct iovec){m->data, m->len};
	}
	return i;
}

// What becomes of the first packet of those not sent: true, it is dropped; false, it waits.
static __attribute__((noinline)) bool tx_error(struct packet_queue *q, int error)
{
	switch (error) {
	case EAGAIN:  // our send buffer is full
	case ENOBUFS: // the device's queue is
	case ENOMEM:
	case ENETDOWN: // it went down; when it is up, that was before
		if (q->port_state->link.up) {
			q->tx_full++;
			return false;
		}
		// fall through
	case ENXIO:
	case ENODEV:
		q->tx_down++;
		return true;
	case EMSGSIZE:
		q->tx_too_long++;
		return true;
	default: // the kernel does not take such a frame
		q->tx_refused++;
		return true;
	}
}

static void drop_down(struct packet_queue *q, struct mbuf **pkts, uint16_t n)
{
	q->tx_down += n;
	mbuf_free_bulk(pkts, n);
}

uint16_t packet_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct packet_queue *q = queue;
	struct packet_port *p = q->port_state;
	int fd = atomic_load_explicit(&q->fd, memory_order_relaxed);
	struct batch b;
	uint16_t done = 0;

	if (unlikely(fd < 0 || (!p->link.up && iface_link_down(&p->link, &p->iface, &q->look)))) {
		drop_down(q, pkts, n);
		return n;
	}
	while (done < n) {
		unsigned k = gather(&b, pkts + done, n - done);
		int sent = sendmmsg(fd, b.msg, k, MSG_DONTWAIT);

		if (unlikely(sent <= 0)) {
			if (sent < 0 && errno == EINTR)
				continue;
			if (!tx_error(q, sent < 0 ? errno : EAGAIN))
				break;
			done++;
			continue;
		}
		for (int i = 0; i < sent; i++)
			q->tx_bytes += pkts[done + i]->pkt_len;
		q->tx_packets += (unsigned)sent;
		done = (uint16_t)(done + sent);
	}
	mbuf_free_bulk(pkts, done);
	return done;
}
