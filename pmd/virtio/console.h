// SPDX-License-Identifier: BSD-3-Clause
// console.h - a virtio console (virtio 1.2, 5.3) as a byte stream: port 0, without the multiport feature
//
// The device does not say when its other end changes hands, so the stream is a shared one (core/stream.h). It
// is no more trusted than a network device: what it names that was not given to it, or claims to have written
// beyond a buffer's end, is counted, and the device is reset; bytes that were under way are lost then.
// Nothing here costs a device access but the doorbells of bytes that move.
#ifndef WEIR_PMD_VIRTIO_CONSOLE_H
#define WEIR_PMD_VIRTIO_CONSOLE_H

#include "core/stream.h"
#include "pmd/virtio/transport.h"

struct virtio_console_stats {
	uint64_t faults;   // lies of the device
	uint64_t restarts; // resets after one
};

// Starts the device behind t, which is the stream's from now on, on failure too. Main thread, at start: takes
// memory of the arena. NULL and err: it is no console that can be used.
struct stream *virtio_console_open(struct virtio_transport *t, struct err *err);

struct virtio_console_stats virtio_console_stats(const struct stream *s);

#endif
