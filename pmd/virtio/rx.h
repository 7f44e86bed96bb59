// SPDX-License-Identifier: BSD-3-Clause
// rx.h - receive queue of a virtio-net device
#ifndef WEIR_PMD_VIRTIO_RX_H
#define WEIR_PMD_VIRTIO_RX_H

#include "pmd/port.h"
#include "pmd/virtio/queue.h"

struct virtio_rxq {
	struct virtq vq;
	port_burst_fn burst; // of the layout and features negotiated: virtio_rx_start() chooses
	struct mempool *pool;
	uint32_t posted; // bytes of every buffer given to the device, header included
	uint16_t port;	 // for mbuf.port
	uint16_t refill; // buffers are posted in batches of this many
	uint16_t target; // buffers the device is to hold: see virtio_rx_grow()
	bool merge;	 // MRG_RXBUF was negotiated
	bool offloads;	 // so was an offload that headers tell of

	// IN_ORDER: buffers used without an element of their own, up to one with these bytes.
	uint16_t skip;
	uint32_t skip_len;

	uint64_t packets, bytes;
	uint64_t nombuf;      // refills that found the pool empty
	uint64_t runts;	      // frames shorter than an Ethernet header, dropped here
	uint64_t bad_headers; // packets dropped, whose header says what cannot be
	uint64_t lost;	      // packets given up half received, because of a fault
};

// The shape of port_burst_fn; queue is a struct virtio_rxq.
uint16_t virtio_rx_burst(void *queue, struct mbuf **pkts, uint16_t n);

// Of a ring just cleared, its device not yet started: writes what is the same for all buffers and
// posts the first few. The doorbell is left to virtq_settle().
void virtio_rx_start(struct virtio_rxq *q);

// A new queue holds few buffers, so that it starts without touching megabytes of memory for the
// first time; it doubles when the device has used half of them between two bursts, and grows by
// this call from housekeeping and from bursts that find nothing, until the ring is full.
void virtio_rx_grow(struct virtio_rxq *q);

// Takes back every buffer of a queue whose device has been reset.
void virtio_rx_drain(struct virtio_rxq *q);

// Bytes that buffers of this pool are posted with.
uint32_t virtio_rx_posted(const struct mempool *pool);

#endif
