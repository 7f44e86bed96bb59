// SPDX-License-Identifier: BSD-3-Clause
// rx_packed.c - receive from a packed ring: the burst functions
#include "pmd/virtio/rx_burst.h"

uint16_t virtio_rx_packed(void *queue, struct mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, true, true);
}

uint16_t virtio_rx_packed_bare(void *queue, struct mbuf **pkts, uint16_t n)
{
	return rx_burst(queue, pkts, n, true, false);
}
