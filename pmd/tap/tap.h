// SPDX-License-Identifier: BSD-3-Clause
// tap.h - a TAP port's state, shared by tap.c (control) and queue.c (bursts)
//
// One device, one file descriptor a queue pair. A frame on it has a struct virtio_net_hdr of 12
// bytes in front (IFF_VNET_HDR, TUNSETVNETHDRSZ): the format of virtio 1.2, 5.1.6, in native byte
// order.
#ifndef WEIR_PMD_TAP_TAP_H
#define WEIR_PMD_TAP_TAP_H

#include <sys/uio.h>

#include "mempool/mempool.h"
#include "pmd/iface/link.h"
#include "pmd/port.h"
#include "pmd/virtio/spec.h"

#define TAP_SEGS_MAX 64u // buffers that one frame may take when it is received

struct tap_port;

struct tap_queue {
	int fd;	     // -1: the device was taken away; the owner tries again in poll_queue()
	uint16_t id; // number of the pair and of its lcore
	uint16_t port;
	bool wakes;    // a frame ends plat_halt()
	bool offloads; // received headers mean something
	uint16_t segs; // buffers given to a read: room for the longest frame, and a byte more
	uint16_t have; // the last so many of seg[] are there; those before it were used up
	struct mempool *pool;
	struct mbuf *seg[TAP_SEGS_MAX];
	struct iovec iov[1 + TAP_SEGS_MAX]; // iov[0] is hdr
	struct virtio_net_hdr hdr;
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t rx_nombuf, rx_too_long, rx_bad_header, rx_errors;
	uint64_t tx_down, tx_refused, tx_full;
	uint64_t lost;	// times the device went away
	uint64_t retry; // TSC of the next attempt to have it back
	struct tap_port *tap;
} cache_aligned;

struct tap_port {
	struct tap_queue queue[PORT_QUEUES_MAX];
	struct iface iface;
	struct iface_drops drops;
	uint16_t queues;
	int flags;	   // of TUNSETIFF
	unsigned offloads; // of TUNSETOFFLOAD
	struct iface_link link;
	bool created;
};

uint16_t tap_rx(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t tap_tx(void *queue, struct mbuf **pkts, uint16_t n);

// Takes a descriptor of the device; gives it back.
void tap_queue_attach(struct tap_queue *q, int fd);
void tap_queue_detach(struct tap_queue *q);

// Gives back the buffers that wait for a frame.
void tap_queue_drain(struct tap_queue *q);

// Room for frames of up to `longest` bytes in a read. 0, or -E2BIG when it takes too many buffers.
int tap_queue_size(struct tap_queue *q, uint32_t longest);

#endif
