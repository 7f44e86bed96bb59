// SPDX-License-Identifier: BSD-3-Clause
// sleep.c - the owner of a pair sleeps: the receive queue's interrupt wakes it
//
// While it polls no interrupt comes: the ring says that none is wanted.
#include <errno.h>

#include "pmd/virtio/net.h"

int virtio_net_arm(struct port *port, uint16_t q)
{
	struct virtio_net *v = port->priv;
	struct virtio_pair *p = &v->pair[q];
	struct virtq *rx = &p->rx.vq;

	// Lcore 0's, or stopped by a fault: nothing comes before housekeeping has begun anew.
	if (__atomic_load_n(&p->parked, __ATOMIC_RELAXED) || rx->fault)
		return 0;
	if (__atomic_load_n(&v->pause, __ATOMIC_RELAXED)) // lcore 0 waits for the pair
		return -EAGAIN;
	if (!rx->wakes)
		return -ENOTSUP;
	// A device that sleeps has to hear of what it was given: housekeeping comes too late.
	if (v->clock->now < v->quiet_until)
		return -EAGAIN;
	virtq_settle(rx);
	virtq_settle(&p->tx.vq);
	if (virtq_arm(rx))
		return 0;
	virtq_disarm(rx);
	return -EAGAIN;
}

void virtio_net_disarm(struct port *port, uint16_t q)
{
	struct virtio_net *v = port->priv;
	struct virtio_pair *p = &v->pair[q];
	struct virtq *rx = &p->rx.vq;

	if (__atomic_load_n(&p->parked, __ATOMIC_RELAXED) || !rx->wakes)
		return;
	if (!rx->fault)
		virtq_disarm(rx);
	if (v->t->ops->acknowledge)
		v->t->ops->acknowledge(v->t, rx->index);
}
