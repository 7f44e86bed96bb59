// SPDX-License-Identifier: BSD-3-Clause
// poll.c - housekeeping of a virtio-net port: link, doorbells, recovery, and a back end that sleeps
//
// Reading a register of a PCI device is a VM exit (tens of microseconds under nested KVM), so the transport
// says how often the device is looked at; what lies in memory is looked at every time.
#include <stdio.h>

#include "pmd/virtio/net.h"

#define MSEC	      1000000ull
#define QUIET	      (10 * MSEC) // what a back end may take to say that it wants no doorbells
#define STALL_AFTER   (3000 * MSEC)
#define BACKOFF_FIRST (1 * MSEC)

// What all pairs have done and have before them; other lcores go on meanwhile.
static uint64_t completed(const struct virtio_net *v)
{
	uint64_t n = 0;

	for (uint16_t q = 0; q < v->pairs; q++)
		n += v->pair[q].tx.completed;
	return n;
}

static uint32_t outstanding(const struct virtio_net *v)
{
	uint32_t n = 0;

	for (uint16_t q = 0; q < v->pairs; q++)
		n += virtq_outstanding(&v->pair[q].tx.vq);
	return n;
}

static bool received(const struct virtio_net *v)
{
	for (uint16_t q = 0; q < v->pairs; q++)
		if (v->pair[q].rx.packets)
			return true;
	return false;
}

static bool broken(const struct virtio_net *v)
{
	if (!v->running || v->anew)
		return true;
	for (uint16_t q = 0; q < v->pairs; q++) {
		const struct virtio_pair *p = &v->pair[q];

		// Parked pairs are STOPPED, which is no fault.
		if (p->rx.vq.fault && p->rx.vq.fault != VIRTQ_STOPPED)
			return true;
		if (p->tx.vq.fault && p->tx.vq.fault != VIRTQ_STOPPED)
			return true;
	}
	return false;
}

static void park(struct virtio_pair *p)
{
	p->rx.vq.fault = VIRTQ_STOPPED;
	p->tx.vq.fault = VIRTQ_STOPPED;
	// Release: pairs with the acquire in all_parked(); the queue is lcore 0's from here on.
	__atomic_store_n(&p->parked, true, __ATOMIC_RELEASE);
}

static bool all_parked(const struct virtio_net *v)
{
	for (uint16_t q = 1; q < v->pairs; q++)
		if (!__atomic_load_n(&v->pair[q].parked, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

void virtio_net_supervise(struct virtio_net *v)
{
	uint64_t now = v->clock->now;

	v->quiet_until = now + QUIET;
	v->next_look = now + v->t->look_ns;
	v->stall_since = now;
	v->stall_completed = completed(v);
}

// Resets the device and begins anew. A device that breaks again and again is not served more often
// than its back-off allows.
static void restart(struct virtio_net *v)
{
	uint64_t now = v->clock->now;
	struct err err;
	int r;

	if (now < v->next_start || (!v->running && !virtio_net_present(v)))
		return;
	// Full barrier, as in virtio_net_take_up(): an owner that takes its pair up at this moment sees pause, or
	// is seen to have it.
	__atomic_store_n(&v->pause, true, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!all_parked(v))
		return;
	v->backoff = v->backoff ? 2 * v->backoff : BACKOFF_FIRST;
	if (v->backoff > v->t->retry_ns)
		v->backoff = v->t->retry_ns;
	v->next_start = now + v->backoff;
	v->anew = false;
	if (v->running)
		v->resets++;
	r = virtio_net_stop(v, &err);
	if (!r && !virtio_net_present(v))
		return; // its buffers are home; it is started when it is back
	if (r || virtio_net_start(v, &err)) {
		if (!v->failed_starts++)
			fprintf(stderr, "%s\n", err.text);
		return;
	}
	virtio_net_unpark(v, 0);
	__atomic_store_n(&v->pause, false, __ATOMIC_RELEASE);
	virtio_net_supervise(v);
}

// The same when nothing of the rings is broken: back-off may put it off, and what asked for it may
// not be seen again.
static void begin_anew(struct virtio_net *v)
{
	v->anew = true;
	restart(v);
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
		begin_anew(v);
		return;
	}
	if (v->t->ops->generation(v->t) != v->generation) {
		if (virtio_net_read_config(v, NULL)) {
			v->needs_reset++;
			begin_anew(v);
			return;
		}
		v->link_changes += link_up(v) != was;
		v->port->grant.mtu = virtio_net_mtu(v);
		virtio_net_announced(v);
		// QEMU 7.2 cannot tell a vhost-user back end that has come again where packed
		// rings stand (their positions are in no memory that is shared): begin anew.
		if (!was && link_up(v) && v->pair[0].tx.vq.packed) {
			begin_anew(v);
			return;
		}
	}
	if (v->clock->now > v->next_start + v->t->retry_ns)
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
		v->name, v->t->name, outstanding(v), STALL_AFTER / 1000 / MSEC);
}

// Packets wait and none is taken, though the link is up: nothing else would tell.
static void watch(struct virtio_net *v)
{
	uint64_t now = v->clock->now;

	if (!outstanding(v) || completed(v) != v->stall_completed || !link_up(v)) {
		v->stall_completed = completed(v);
		v->stall_since = now;
		v->stalled = false;
		return;
	}
	if (v->stalled || now - v->stall_since < STALL_AFTER)
		return;
	v->stalled = true;
	v->stalls++;
	if (!completed(v) && !received(v) && !v->hinted)
		hint(v);
}

void virtio_net_poll(struct port *port)
{
	struct virtio_net *v = port->priv;

	// A restart that waits for others to park has to be gone through with.
	if (__atomic_load_n(&v->pause, __ATOMIC_RELAXED) || broken(v)) {
		restart(v);
		return;
	}
	if (v->clock->now < v->next_look)
		return;
	v->next_look = v->clock->now + v->t->look_ns;
	watch(v);
	look(v);
}

// An owner that was not running for a while may come here after lcore 0 has asked for the pair
// anew.
bool virtio_net_take_up(struct virtio_net *v, uint16_t q)
{
	struct virtio_pair *p = &v->pair[q];

	__atomic_store_n(&p->parked, false, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&v->pause, __ATOMIC_ACQUIRE)) {
		park(p);
		return false;
	}
	virtio_net_unpark(v, q);
	return true;
}

void virtio_net_poll_queue(struct port *port, uint16_t q)
{
	struct virtio_net *v = port->priv;
	struct virtio_pair *p = &v->pair[q];

	// Acquire: pairs with the release in restart(); the queue has been started anew.
	if (unlikely(__atomic_load_n(&v->pause, __ATOMIC_ACQUIRE))) {
		if (q)
			park(p);
		return;
	}
	if (unlikely(__atomic_load_n(&p->parked, __ATOMIC_RELAXED)) && !virtio_net_take_up(v, q))
		return;
	// A pool may have run dry because its buffers wait here, sent but not yet given back.
	virtio_tx_reclaim(&p->tx);
	if (p->rx.vq.fault || p->tx.vq.fault)
		return;
	virtio_rx_grow(&p->rx);
	if (v->clock->now >= v->quiet_until) {
		virtq_settle(&p->rx.vq);
		virtq_settle(&p->tx.vq);
	}
}
