// SPDX-License-Identifier: BSD-3-Clause
// poll.c - housekeeping of a virtio-net port: link, doorbells, recovery, and a back end that sleeps
//
// Reading a device register is a VM exit (tens of microseconds under nested KVM), so the device is
// looked at ten times a second; what lies in memory is looked at every time.
#include <stdio.h>

#include "pmd/virtio/net.h"

#define MSEC	      1000000ull
#define LOOK_EVERY    (100 * MSEC)
#define QUIET	      (10 * MSEC) // what a back end may take to say that it wants no doorbells
#define STALL_AFTER   (3000 * MSEC)
#define BACKOFF_FIRST (1 * MSEC)
#define BACKOFF_LAST  (1000 * MSEC)

void virtio_net_supervise(struct virtio_net *v)
{
	uint64_t now = v->clock->now;

	v->quiet_until = now + QUIET;
	v->next_look = now + LOOK_EVERY;
	v->stall_since = now;
	v->stall_completed = v->tx.completed;
}

// Resets the device and begins anew. A device that breaks again and again is not served more often
// than its back-off allows.
static void restart(struct virtio_net *v)
{
	uint64_t now = v->clock->now;
	struct err err;

	if (now < v->next_start)
		return;
	v->backoff = v->backoff ? 2 * v->backoff : BACKOFF_FIRST;
	if (v->backoff > BACKOFF_LAST)
		v->backoff = BACKOFF_LAST;
	v->next_start = now + v->backoff;
	if (v->running)
		v->resets++;
	if (virtio_net_stop(v, &err) || virtio_net_start(v, &err)) {
		if (!v->failed_starts++)
			fprintf(stderr, "%s\n", err.text);
		return;
	}
	virtio_net_supervise(v);
}

static bool link_up(const struct virtio_net *v)
{
	return !(v->features & VIRTIO_NET_F_STATUS) || (v->config.status & VIRTIO_NET_S_LINK_UP);
}

// The registers: a device that asks for its reset, or has lost its state; a change of the link.
static void look(struct virtio_net *v)
{
	uint8_t status = v->t->ops->status(v->t);
	bool was = link_up(v);

	if ((status & VIRTIO_S_NEEDS_RESET) || !(status & VIRTIO_S_DRIVER_OK)) {
		v->needs_reset++;
		restart(v);
		return;
	}
	if (v->t->ops->generation(v->t) != v->generation) {
		if (virtio_net_read_config(v, NULL)) {
			v->needs_reset++;
			restart(v);
			return;
		}
		v->link_changes += link_up(v) != was;
	}
	if (v->clock->now > v->next_start + BACKOFF_LAST)
		v->backoff = 0; // it has been sound for a while
}

static void hint(struct virtio_net *v)
{
	v->hinted = true;
	fprintf(stderr,
		"port %s: %s has taken none of %u packets for %llu s: is the back end running? A "
		"vhost-user back end sees nothing unless the machine's memory is shared (QEMU: "
		"-object "
		"memory-backend-memfd,…,share=on)\n",
		v->name, v->t->name, virtq_outstanding(&v->tx.vq), STALL_AFTER / 1000 / MSEC);
}

// Packets wait and none is taken, though the link is up: nothing else would tell.
static void watch(struct virtio_net *v)
{
	uint64_t now = v->clock->now;

	if (!virtq_outstanding(&v->tx.vq) || v->tx.completed != v->stall_completed || !link_up(v)) {
		v->stall_completed = v->tx.completed;
		v->stall_since = now;
		v->stalled = false;
		return;
	}
	if (v->stalled || now - v->stall_since < STALL_AFTER)
		return;
	v->stalled = true;
	v->stalls++;
	if (!v->tx.completed && !v->rx.packets && !v->hinted)
		hint(v);
}

void virtio_net_poll(struct port *port)
{
	struct virtio_net *v = port->priv;
	uint64_t now = v->clock->now;

	// A pool may have run dry because its buffers wait here, sent but not yet given back.
	virtio_tx_reclaim(&v->tx);
	if (v->rx.vq.fault || v->tx.vq.fault) {
		restart(v);
		return;
	}
	virtio_rx_grow(&v->rx);
	if (now >= v->quiet_until) {
		virtq_settle(&v->rx.vq);
		virtq_settle(&v->tx.vq);
	}
	if (now < v->next_look)
		return;
	v->next_look = now + LOOK_EVERY;
	watch(v);
	look(v);
}
