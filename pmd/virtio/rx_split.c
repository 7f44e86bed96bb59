// SPDX-License-Identifier: BSD-3-Clause
// rx_split.c - receive from a split ring: the burst functions
#include "pmd/virtio/rx_burst.h"

uint16_t virtio_rx_split(void *queue, struct mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, false, true);
}

uint16_t virtio_rx_split_bare(void *queue, struct mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, false, false);
}
