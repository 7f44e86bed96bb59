// SPDX-License-Identifier: BSD-3-Clause
// packet.h - an AF_PACKET port's state, shared by packet.c (control), socket.c, rx.c and tx.c
//
// One packet socket a queue pair (packet(7); Documentation/networking/packet_mmap.rst of the
// kernel). It receives by a TPACKET_V3 ring of blocks that we share with the kernel, and sends by
// sendmmsg(). A struct virtio_net_hdr without its last field stands in front of every frame
// (PACKET_VNET_HDR).
#ifndef WEIR_PMD_PACKET_PACKET_H
#define WEIR_PMD_PACKET_PACKET_H

#include <linux/if_packet.h>
#include <stdatomic.h>

#include "mempool/mempool.h"
#include "pmd/iface/link.h"
#include "pmd/port.h"

#define PACKET_HDR	   10u // bytes of the header in front of a frame
#define PACKET_BLOCK	   (1u << 17)
#define PACKET_SLOTS_BLOCK (1u << 20) // of slots: the longest wastes little of it

struct packet_port;

struct packet_queue {
	_Atomic int fd; // -1: the interface was taken away; the owner tries again in poll_queue()
	uint16_t id;	// number of the pair and of its lcore
	uint16_t port;
	bool wakes; // a frame ends plat_halt()
	int ifindex;
	uint32_t offloads;
	struct mempool *pool;
	// The ring: blocks of block_len bytes, of which `at` is next.
	uint8_t *ring;
	uint32_t blocks, block_len, at;
	// V3: what is left of that block, which is ours.
	uint32_t left;
	const struct tpacket3_hdr *next;
	// V2: slots a block, bytes of each, and the next in that block. slot_len 0: V3.
	uint32_t slots, slot_len, slot;
	uint64_t rx_packets, rx_bytes;
	uint64_t rx_nombuf, rx_too_long, rx_bad_header, rx_not_asked;
	uint64_t tx_packets cache_aligned, tx_bytes;
	uint64_t tx_down, tx_refused, tx_too_long, tx_full;
	uint64_t lost;	// times the interface went away
	uint64_t retry; // TSC of the next look for it
	uint64_t look;	// TSC of the next look whether it is up, when there is something to send
	// What the kernel had no room for in the ring, and how often it stopped for that.
	_Atomic uint64_t host_dropped, host_frozen;
	struct packet_port *port_state;
} cache_aligned;

struct packet_port {
	struct packet_queue queue[PORT_QUEUES_MAX];
	struct iface iface;
	struct iface_drops drops;
	bool promisc, bypass, immediate;
	uint16_t queues;
	uint32_t frames;    // that a ring shall have room for
	uint32_t frame_max; // bytes of the longest
	int fanout;	    // group; 0: none yet
	struct iface_link link;
};

// A socket for queue q on the interface, as it is now. 0 or -errno; err may be NULL.
int packet_attach(struct packet_queue *q, struct err *err);
void packet_detach(struct packet_queue *q);

// Adds what the kernel has counted since the last call.
void packet_collect(struct packet_queue *q);

// Whether frames are ours to read.
bool packet_waiting(const struct packet_queue *q);

uint16_t packet_rx(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t packet_rx_immediate(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t packet_tx(void *queue, struct mbuf **pkts, uint16_t n);

#endif
