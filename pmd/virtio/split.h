// SPDX-License-Identifier: BSD-3-Clause
// split.h - the ring operations of a split virtqueue (virtio 1.2 section 2.7)
//
// Read from shared memory: used.idx and the used elements, each once; and used.flags.
//
// Avail slots: used entry number u frees avail slot u & mask, because a device that has used u + 1
// buffers has taken at least the first u + 1 avail entries. A device that works in order (all do)
// then finds the right id in every slot already, and the driver need not write there again.
#ifndef WEIR_PMD_VIRTIO_SPLIT_H
#define WEIR_PMD_VIRTIO_SPLIT_H

#include "pmd/virtio/queue.h"

// Used elements waiting; 0 and a fault when there cannot be that many. Their contents may be read
// after it: the acquire load pairs with the device's write of the index (2.7.13.3 seen from here).
static always_inline uint16_t virtq_split_ready(struct virtq *vq)
{
	uint16_t n = (uint16_t)(__atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE) - vq->used_idx);

	if (unlikely(n > virtq_outstanding(vq))) {
		virtq_set_fault(vq, VIRTQ_BAD_INDEX);
		return 0;
	}
	return n;
}

// Used element number idx, read once: the device may change it at any time.
static always_inline struct virtq_used_elem virtq_split_used(const struct virtq *vq, uint16_t idx)
{
	const uint64_t *p = (const uint64_t *)(const void *)&vq->used->ring[idx & vq->mask];
	union {
		uint64_t raw;
		struct virtq_used_elem elem;
	} u = {.raw = __atomic_load_n(p, __ATOMIC_RELAXED)};

	return u.elem;
}

// Makes avail slot idx name descriptor id, writing shared memory only when it does not yet.
static always_inline void virtq_split_set_slot(struct virtq *vq, uint16_t idx, uint16_t id)
{
	uint16_t s = idx & vq->mask;

	if (unlikely(vq->slot[s] != id)) {
		vq->slot[s] = id;
		vq->avail->ring[s] = id;
	}
}

static always_inline bool virtq_split_wants_doorbell(const struct virtq *vq)
{
	return !(__atomic_load_n(&vq->used->flags, __ATOMIC_RELAXED) & VIRTQ_USED_F_NO_NOTIFY);
}

// Hands the device everything up to avail_idx. Release: pairs with the device's acquire of
// avail.idx; descriptors and slots come before it.
static always_inline void virtq_split_publish(struct virtq *vq)
{
	__atomic_store_n(&vq->avail->idx, vq->avail_idx, __ATOMIC_RELEASE);
}

#endif
