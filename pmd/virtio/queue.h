// SPDX-License-Identifier: BSD-3-Clause
// queue.h - one split virtqueue (virtio 1.2 section 2.7) as its driver sees it, whatever it carries
//
// The rings lie in memory that the device can write whenever it likes. So the driver never reads
// back what it wrote there: buf[] and slot[] are its private copies. Two things alone are read from
// shared memory, each once and checked before use: used.idx and the used elements (and used.flags,
// which can do no more than cost a doorbell).
//
// Avail slots: used entry number u frees avail slot u & mask, because a device that has used u + 1
// buffers has taken at least the first u + 1 avail entries. A device that works in order (all do)
// then finds the right id in every slot already, and the driver need not write there again.
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
	VIRTQ_BAD_ID,	 // used.id is no descriptor
	VIRTQ_IDLE_ID,	 // used.id is not outstanding: never given, or used twice
	VIRTQ_LONG,	 // used.len exceeds the buffer
	VIRTQ_SHORT,	 // used.len is less than the header
	VIRTQ_BAD_MERGE, // num_buffers is 0, or more than the device had used
	VIRTQ_FAULTS,
	VIRTQ_STOPPED = VIRTQ_FAULTS, // no fault: the device does not run
};

struct virtq {
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	struct mbuf **buf;  // by descriptor: what is outstanding, NULL when nothing is
	uint16_t *slot;	    // by avail slot: what the driver wrote there last
	uint16_t mask;	    // size - 1
	uint16_t avail_idx; // next avail slot to fill; published up to here after virtq_publish()
	uint16_t used_idx;  // next used element to read
	uint8_t fault;	    // enum virtq_fault of the present generation
	bool unsettled;	    // published while doorbells were off: virtq_settle() looks again
	uint16_t index;	    // of the queue in its device
	struct virtio_transport *transport;

	// Cold.
	uint64_t doorbells;
	uint64_t faults[VIRTQ_FAULTS];
	uint32_t capacity; // descriptors there is memory for
	void *memory;	   // the rings, from the arena
	void *zeros;	   // a cache line of zeros behind them, that the device can read
};

// Makes room for size descriptors (a power of two, 2 to 32768). 0, or -ENOMEM and err.
int virtq_create(struct virtq *vq, uint16_t index, uint32_t size, struct err *err);

// Gives the memory back for the next virtq_create(). Nothing is outstanding.
void virtq_destroy(struct virtq *vq);

// An empty queue of size (at most the capacity) descriptors: rings zeroed, avail slot i naming
// descriptor i, no interrupts wanted; it stands still (VIRTQ_STOPPED) until its user sets it going. For
// a device that has just been reset.
void virtq_clear(struct virtq *vq, uint32_t size);

// Tells the device where the queue is. 0 or -errno and err.
int virtq_attach(struct virtq *vq, struct virtio_transport *t, struct err *err);

// Counts a fault and stops the queue.
void virtq_set_fault(struct virtq *vq, enum virtq_fault fault);

void virtq_ring_doorbell(struct virtq *vq);

static always_inline uint32_t virtq_size(const struct virtq *vq)
{
	return (uint32_t)vq->mask + 1;
}

// Avail slots that the device has not used up.
static always_inline uint16_t virtq_outstanding(const struct virtq *vq)
{
	return (uint16_t)(vq->avail_idx - vq->used_idx);
}

// Used elements waiting; 0 and a fault when there cannot be that many. Their contents may be read
// after it: the acquire load pairs with the device's write of the index (2.7.13.3 seen from here).
static always_inline uint16_t virtq_ready(struct virtq *vq)
{
	uint16_t n = (uint16_t)(__atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE) - vq->used_idx);

	if (unlikely(n > virtq_outstanding(vq))) {
		virtq_set_fault(vq, VIRTQ_BAD_INDEX);
		return 0;
	}
	return n;
}

// Used element number idx, read once: the device may change it at any time.
static always_inline struct virtq_used_elem virtq_used_at(const struct virtq *vq, uint16_t idx)
{
	const uint64_t *p = (const uint64_t *)(const void *)&vq->used->ring[idx & vq->mask];
	union {
		uint64_t raw;
		struct virtq_used_elem elem;
	} u = {.raw = __atomic_load_n(p, __ATOMIC_RELAXED)};

	return u.elem;
}

// Makes avail slot idx name descriptor id, writing shared memory only when it does not yet.
static always_inline void virtq_set_slot(struct virtq *vq, uint16_t idx, uint16_t id)
{
	uint16_t s = idx & vq->mask;

	if (unlikely(vq->slot[s] != id)) {
		vq->slot[s] = id;
		vq->avail->ring[s] = id;
	}
}

// Hands the device everything up to avail_idx, and rings if it wants that. Section 2.7.13.4.1 asks
// for a full barrier between the two; it waits for stores to the very cache lines that the device
// is reading (18 cycles a packet in bursts of 32, over net_vhost). Without it a device that
// switches doorbells on at this moment can be missed, so virtq_settle() looks again, behind a
// barrier, at the next housekeeping.
static always_inline void virtq_publish(struct virtq *vq)
{
	// Release: pairs with the device's acquire of avail.idx; descriptors and slots come before
	// it.
	__atomic_store_n(&vq->avail->idx, vq->avail_idx, __ATOMIC_RELEASE);
	if (unlikely(!(__atomic_load_n(&vq->used->flags, __ATOMIC_RELAXED) &
		       VIRTQ_USED_F_NO_NOTIFY)))
		virtq_ring_doorbell(vq);
	else
		vq->unsettled = true;
}

// Housekeeping: the second look of virtq_publish().
void virtq_settle(struct virtq *vq);

#endif
