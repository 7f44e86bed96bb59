// SPDX-License-Identifier: BSD-3-Clause
// net.h - a virtio-net device as a port, over any transport (virtio 1.2 section 5.1)
//
// Life: virtio_net_open() -> bursts and polls -> virtio_net_close(). A fault seen by a burst stops
// that queue; the next poll resets the device, gives all buffers back to their pools, and begins
// anew (resetting one queue alone needs a feature, VIRTIO_F_RING_RESET, that devices rarely offer).
//
// Pair q belongs to lcore q, the device to lcore 0. Before lcore 0 resets the device, the owners of the
// other pairs must have let go of them: it sets `pause`; each parks its pair when it next calls
// virtio_net_poll_queue(), and takes it up again there when pause is over. So a reset waits for every
// lcore's housekeeping, and no burst pays for it.
#ifndef WEIR_PMD_VIRTIO_NET_H
#define WEIR_PMD_VIRTIO_NET_H

#include "pmd/port.h"
#include "pmd/virtio/ctrl.h"
#include "pmd/virtio/rx.h"
#include "pmd/virtio/tx.h"

// 5.1.2: queue 2q of pair q receives, 2q + 1 transmits.
#define VIRTIO_NET_RXQ(q) ((uint16_t)(2 * (q)))
#define VIRTIO_NET_TXQ(q) ((uint16_t)(2 * (q) + 1))

struct virtio_pair {
	struct virtio_rxq rx cache_aligned;
	struct virtio_txq tx cache_aligned;
	bool parked; // by its owner, which does not touch it until pause is over; atomic
};

struct virtio_net {
	struct virtio_pair *pair;
	uint16_t pairs; // in use: as wanted, and as the first start found the device to have
	bool pause;	// atomic
	struct virtio_transport *t;
	char name[PORT_NAME_MAX]; // of the port
	const struct clock *clock;
	struct mempool *pool;
	struct port *port;
	struct virtio_ctrl ctrl;	 // with CTRL_VQ
	uint32_t want;			 // offloads
	uint32_t told;			 // those that the device was told of, and said yes to
	uint8_t rss;			 // enum blob_rss
	uint16_t want_mtu;
	uint8_t mac[6]; // of the port, for as long as it is open
	bool has_mac;	// it was asked for: the device's own may be another
	uint32_t want_rx, want_tx;	 // descriptors
	uint64_t offered, features;	 // features taken are a subset of those offered
	struct virtio_net_config config; // as last read, and found good
	uint32_t generation;		 // of it
	bool opened;  // started once: what was granted stands
	bool running;
	bool anew; // to be begun anew, though no queue is broken
	uint32_t reset_ms; // how long to wait for a reset: long when opening, hardly when packets
			   // flow

	// Recovery and supervision (poll.c); times by clock, ns.
	uint64_t quiet_until; // no doorbell for buffers posted at start: see virtio_net_poll()
	uint64_t next_look, next_start, backoff;
	uint64_t stall_since;	  // when packets to send were first seen waiting; 0: none are
	uint64_t stall_completed; // packets completed then
	bool stalled, hinted;

	uint64_t resets, failed_starts, needs_reset, link_changes, stalls, announcements;
	uint64_t start_cycles, backend_cycles; // of the last start: until DRIVER_OK, and writing it
};

// Opens the device behind t on port; takes t over, on failure too. 0 or -errno and err.
int virtio_net_open(struct port *port, const struct port_conf *conf, struct virtio_transport *t,
		    struct err *err);
int virtio_net_close(struct port *port, struct err *err);
void virtio_net_stats(const struct port *port, struct port_stats *s);
void virtio_net_link(const struct port *port, struct port_link *link);
void virtio_net_poll(struct port *port);
void virtio_net_poll_queue(struct port *port, uint16_t q);
int virtio_net_arm(struct port *port, uint16_t q);
void virtio_net_disarm(struct port *port, uint16_t q);

// --- between the files of this folder ---

// Begins watching over a device just started.
void virtio_net_supervise(struct virtio_net *v);

// Stops the queues, resets the device and takes all buffers back. -ETIMEDOUT and err when it has
// not finished within reset_ms: then it may still write to the buffers, which stay with the queues.
int virtio_net_stop(struct virtio_net *v, struct err *err);

// Initialises a device just reset (3.1.1): empty queues, made now if they were not; posts buffers;
// starts it. On failure it is stopped, and holds no buffer. 0 or -errno and err.
int virtio_net_start(struct virtio_net *v, struct err *err);

// The features to take of those v->offered.
uint64_t virtio_net_choose(const struct virtio_net *v);

// The offloads that features and commands have brought.
uint32_t virtio_net_offloads(const struct virtio_net *v);

// Their names, each behind a blank, as far as they fit; returns how many bytes there would be.
size_t virtio_net_feature_text(uint64_t features, char *text, size_t len);

// Sets up the control queue, where it was taken, of a device not yet started. 0 or -errno and err.
int virtio_net_attach_ctrl(struct virtio_net *v, struct err *err);

// Tells a device just started what it shall do (5.1.6.5). 0, or -errno and err when it cannot be used.
int virtio_net_command(struct virtio_net *v, struct err *err);

// After v->config was read: the device may have asked that this station be announced.
void virtio_net_announced(struct virtio_net *v);

// The largest frame: what was asked for, as far as the device and, without merging, one buffer go.
uint16_t virtio_net_mtu(const struct virtio_net *v);

// Whether there is a device to start.
bool virtio_net_present(const struct virtio_net *v);

// Takes up pair q, whose device has been started anew: its owner, or while nobody polls.
void virtio_net_unpark(struct virtio_net *v, uint16_t q);

// The same by its owner, when pause was over: false, and the pair stays parked, when there is another.
bool virtio_net_take_up(struct virtio_net *v, uint16_t q);

// Gives every buffer of the queues back to its pool. The device can no longer touch them.
void virtio_net_drain(struct virtio_net *v);

// Reads the configuration and checks it. 0, or -EPROTO and err, when v->config is as before.
int virtio_net_read_config(struct virtio_net *v, struct err *err);

#endif
