// SPDX-License-Identifier: BSD-3-Clause
// tx_split.c - transmit by a split ring: the burst functions
#include "pmd/virtio/tx_burst.h"

uint16_t virtio_tx_split(void *queue, struct mbuf **pkts, uint16_t n)
{
	return tx_burst(queue, pkts, n, false, false);
}

uint16_t virtio_tx_split_in_order(void *queue, struct mbuf **pkts, uint16_t n)
{
	return tx_burst(queue, pkts, n, false, true);
}

void virtio_tx_split_reclaim(struct virtio_txq *q)
{
	tx_reclaim(q, false, false);
}

void virtio_tx_split_reclaim_in_order(struct virtio_txq *q)
{
	tx_reclaim(q, false, true);
}
