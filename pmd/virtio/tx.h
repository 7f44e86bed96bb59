// SPDX-License-Identifier: BSD-3-Clause
// tx.h - transmit queue of a virtio-net device
#ifndef WEIR_PMD_VIRTIO_TX_H
#define WEIR_PMD_VIRTIO_TX_H

#include "pmd/port.h"
#include "pmd/virtio/queue.h"

struct virtio_txq {
	struct virtq vq;
	port_burst_fn burst; // of the layout negotiated, as reclaim: virtio_tx_start() chooses
	void (*reclaim)(struct virtio_txq *q);
	struct mempool *pool; // packets of this pool are given back in bulk
	uint16_t *next;	      // split: by descriptor, the next of its packet, TX_END in the last;
			// packed: by id, how many descriptors its packet has
	uint16_t *ring; // free ids (split: of descriptors; packed: of packets), a FIFO in the
			// order they were used
	uint16_t head, tail; // of it: taken here, given back there; free-running

	uint64_t packets, bytes;
	uint64_t refused;   // packets that can never be sent, dropped here: empty, or too many
			    // segments
	uint64_t lost;	    // packets that a reset found in the ring
	uint64_t completed; // packets the device has given back
};

// 0, or -ENOMEM and err. virtio_tx_destroy undoes it; nothing is outstanding then.
int virtio_tx_create(struct virtio_txq *q, uint16_t index, uint32_t size, struct err *err);
void virtio_tx_destroy(struct virtio_txq *q);

// The shape of port_burst_fn; queue is a struct virtio_txq.
uint16_t virtio_tx_burst(void *queue, struct mbuf **pkts, uint16_t n);

// Frees packets that the device has sent.
void virtio_tx_reclaim(struct virtio_txq *q);

// All descriptors free, of a ring just cleared.
void virtio_tx_start(struct virtio_txq *q);

// Frees every packet of a queue whose device has been reset; those that it had not sent are `lost`.
void virtio_tx_drain(struct virtio_txq *q);

#endif
