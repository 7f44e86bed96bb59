// SPDX-License-Identifier: BSD-3-Clause
// tx_packed.c - transmit by a packed ring: the burst functions
#include "pmd/virtio/tx_burst.h"

uint16_t virtio_tx_packed(void *queue, struct mbuf **pkts, uint16_t n)
{
	return tx_burst(queue, pkts, n, true, false);
}

uint16_t virtio_tx_packed_in_order(void *queue, struct mbuf **pkts, uint16_t n)
{
	return tx_burst(queue, pkts, n, true, true);
}

void virtio_tx_packed_reclaim(struct virtio_txq *q)
{
	tx_reclaim(q, true, false);
}

void virtio_tx_packed_reclaim_in_order(struct virtio_txq *q)
{
	tx_reclaim(q, true, true);
}
