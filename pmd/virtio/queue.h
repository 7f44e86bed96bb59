// SPDX-License-Identifier: BSD-3-Clause
// queue.h - one virtqueue as its driver sees it, split or packed, whatever it carries
//
// The rings lie in memory that the device can write whenever it likes. So the driver never reads
// back what it wrote there: buf[] and slot[] are its private copies. What the device writes is read
// once and checked before use: split.h and packed.h say what that is. (The flag by which it asks
// for doorbells is believed; it can do no more than cost one.)
//
// Both indices count what they number without end, modulo 65536; the place in a ring is idx & mask,
// and a packed ring's wrap counter is the bit above the mask.
#ifndef WEIR_PMD_VIRTIO_QUEUE_H
#define WEIR_PMD_VIRTIO_QUEUE_H

#include <stdbool.h>

#include "core/err.h"
#include "mempool/mempool.h"
#include "pmd/virtio/spec.h"
#include "pmd/virtio/transport.h"

enum virtq_fault { // what a device did that it must not; the queue stands still until the reset
	VIRTQ_SOUND,
	VIRTQ_BAD_INDEX, // used.idx ran past what was outstanding
	VIRTQ_BAD_ID,	 // the id is no descriptor
	VIRTQ_IDLE_ID,	 // the id is not outstanding: never given, or used twice
	VIRTQ_BAD_ORDER, // IN_ORDER was promised, and the id is not among those used next
	VIRTQ_LONG,	 // the length exceeds the buffer
	VIRTQ_SHORT,	 // the length is less than the header
	VIRTQ_BAD_MERGE, // num_buffers is 0, or more than the device had used
	VIRTQ_FAULTS,
	VIRTQ_STOPPED = VIRTQ_FAULTS, // no fault: the device does not run
};

struct virtq {
	union {
		struct virtq_desc *desc;
		struct virtq_packed_desc *ring; // packed
	};
	union {
		struct virtq_avail *avail;
		struct virtq_event *driver_area; // packed
	};
	union {
		struct virtq_used *used;
		struct virtq_event *device_area; // packed
	};
	struct mbuf **buf; // by id: what is outstanding, NULL when nothing is
	uint16_t *slot; // split: what the driver wrote in this avail slot last; packed rx: the id
			// that this place of the ring has, or had last
	uint16_t mask;	// size - 1
	uint16_t avail_idx;    // next to fill: an avail slot (split), a descriptor (packed)
	uint16_t used_idx;     // next to read: a used element, a descriptor
	uint8_t fault;	       // enum virtq_fault of the present generation
	bool wakes;	       // its interrupt can wake its lcore
	bool unsettled;	       // published while doorbells were off: virtq_settle() looks again
	bool packed, in_order; // negotiated
	uint16_t index;	       // of the queue in its device
	struct virtio_transport *transport;

	// Cold.
	uint64_t doorbells;
	uint64_t faults[VIRTQ_FAULTS];
	uint32_t capacity; // descriptors there is memory for
	void *memory;	   // the rings, from the arena
	// VIRTQ_HEADER bytes a descriptor behind the rings, that the device can read, for headers
	// that cannot stand in front of their packet.
	uint8_t *headers;
};
#define VIRTQ_HEADER 16u

// Makes room for size descriptors (a power of two, 2 to 32768). 0, or -ENOMEM and err.
int virtq_create(struct virtq *vq, uint16_t index, uint32_t size, struct err *err);

// Gives the memory back for the next virtq_create(). Nothing is outstanding.
void virtq_destroy(struct virtq *vq);

// An empty queue of size (at most the capacity) descriptors, laid out as the features negotiated
// say (RING_PACKED, IN_ORDER): rings zeroed, no interrupts wanted; split: avail slot i names
// descriptor i. It stands still (VIRTQ_STOPPED) until its user sets it going. For a device that has
// just been reset.
void virtq_clear(struct virtq *vq, uint32_t size, uint64_t features);

// Tells the device where the queue is. 0 or -errno and err. Waking: its interrupt shall wake
// `lcore` when virtq_arm() has asked for it; vq->wakes says whether it can.
int virtq_attach(struct virtq *vq, struct virtio_transport *t, struct err *err);
int virtq_attach_waking(struct virtq *vq, struct virtio_transport *t, uint16_t lcore,
			struct err *err);

// Asks for an interrupt when the device uses a buffer from now on, then looks (behind a full
// barrier, 2.7.7.2): false when something has been used already, which may go without an interrupt.
// virtq_disarm() ends it: a queue that is polled wants none.
bool virtq_arm(struct virtq *vq);
void virtq_disarm(struct virtq *vq);

// Counts a fault and stops the queue.
void virtq_set_fault(struct virtq *vq, enum virtq_fault fault);

void virtq_ring_doorbell(struct virtq *vq);

// Housekeeping: the second look of virtq_publish().
void virtq_settle(struct virtq *vq);

static always_inline uint32_t virtq_size(const struct virtq *vq)
{
	return (uint32_t)vq->mask + 1;
}

// Avail slots that the device has not used up; packed: descriptors.
static always_inline uint16_t virtq_outstanding(const struct virtq *vq)
{
	return (uint16_t)(vq->avail_idx - vq->used_idx);
}

// The mbuf that id stands for, when an id that the device named is sound: else NULL and a fault.
static always_inline struct mbuf *virtq_claim(struct virtq *vq, uint32_t id)
{
	if (unlikely(id > vq->mask)) {
		virtq_set_fault(vq, VIRTQ_BAD_ID);
		return NULL;
	}
	if (unlikely(!vq->buf[id]))
		virtq_set_fault(vq, VIRTQ_IDLE_ID);
	return vq->buf[id];
}

// Rings, if the device wants that, after everything up to avail_idx was published.
// Sections 2.7.13.4.1 and 2.8.21.3.1 ask for a full barrier before; it waits for stores to the very
// cache lines that the device is reading (18 cycles a packet in bursts of 32, over net_vhost).
// Without it a device that switches doorbells on at this moment can be missed, so virtq_settle()
// looks again, behind a barrier, at the next housekeeping.
static always_inline void virtq_kick(struct virtq *vq, bool wanted)
{
	if (unlikely(wanted))
		virtq_ring_doorbell(vq);
	else
		vq->unsettled = true;
}

#endif
