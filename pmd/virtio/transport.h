// SPDX-License-Identifier: BSD-3-Clause
// transport.h - how a driver reaches a virtio device's registers: the contract of PCI and its kin
//
// A transport carries out what it is told and checks what it is asked to touch; the order of the
// steps (virtio 1.2 section 3.1.1) is the driver's. Nothing here is called while packets flow but
// notify(). Whatever a device answers is hostile: values come back as they were read, bounds of the
// transport's own (a doorbell outside its BAR) are refused by queue_setup() with an error.
#ifndef WEIR_PMD_VIRTIO_TRANSPORT_H
#define WEIR_PMD_VIRTIO_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct virtio_transport;

struct virtq_place { // where a queue lies; iovas
	uint64_t desc, avail, used; // packed rings: descriptor ring, driver and device event areas
	uint16_t size;
	uint16_t lcore; // which the device's interrupt shall wake; VIRTQ_NO_LCORE: none, no interrupt
};
#define VIRTQ_NO_LCORE UINT16_MAX

struct virtio_transport_ops {
	// Optional. Whether there is a device at all (a vhost-user socket may be without a peer for a
	// while): no start is tried while there is none.
	bool (*present)(struct virtio_transport *t);
	uint8_t (*status)(struct virtio_transport *t);
	// Writing 0 asks for a reset, which is done when status() answers 0.
	void (*set_status)(struct virtio_transport *t, uint8_t status);
	uint64_t (*features)(struct virtio_transport *t); // offered
	void (*set_features)(struct virtio_transport *t, uint64_t features);
	// Device configuration: len bytes from off, as fields of `width` (1 or 2) bytes. 0, or
	// -ERANGE when the device has not that much.
	int (*config)(struct virtio_transport *t, uint16_t off, void *dst, uint16_t len,
		      uint16_t width);
	// Changes whenever the configuration has.
	uint32_t (*generation)(struct virtio_transport *t);
	uint16_t (*queues)(struct virtio_transport *t); // how many there are
	// Most descriptors that queue `index` can have, as the device says; 0: there is no such
	// queue.
	uint16_t (*queue_size)(struct virtio_transport *t, uint16_t index);
	// Tells the device where queue `index` lies and enables it. 0 or -errno and err; -ENOTSUP when
	// everything is well but for an interrupt that cannot be had: ask again without.
	int (*queue_setup)(struct virtio_transport *t, uint16_t index,
			   const struct virtq_place *place, struct err *err);
	// Rings the doorbell of a queue that was set up.
	void (*notify)(struct virtio_transport *t, uint16_t index);
	// Optional. The first n queue pairs are in use: for a transport whose device has no control
	// queue (vhost-user: SET_VRING_ENABLE). 0 or -errno.
	int (*set_pairs)(struct virtio_transport *t, uint16_t n);
	// Optional. The device's interrupt for queue `index` came (a level to clear, a counter to read).
	void (*acknowledge)(struct virtio_transport *t, uint16_t index);
	// The device can touch memory no more; frees the transport.
	void (*close)(struct virtio_transport *t);
};

struct virtio_transport {
	const struct virtio_transport_ops *ops;
	// How often looking at registers is worth its price, and how soon a failed start is worth another
	// try, ns: a register of a PCI device is a VM exit, one of a vhost-user device is our own memory.
	uint64_t look_ns, retry_ns;
	char name[48]; // for grants and messages: "virtio-pci 00:02.0"
};

#endif
