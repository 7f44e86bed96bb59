// SPDX-License-Identifier: BSD-3-Clause
// packed.h - the ring operations of a packed virtqueue (virtio 1.2 section 2.8)
//
// One ring of descriptors that both sides write. Length, id and flags of a descriptor share an
// aligned 8-byte word: it is read by one load and written by one store, so that no half of it is
// ever believed. Nothing else is read from shared memory but the device area's flags.
//
// How far the device can get: only the descriptors from used_idx to avail_idx are looked at. What
// it writes in others is written over when they are made available.
#ifndef WEIR_PMD_VIRTIO_PACKED_H
#define WEIR_PMD_VIRTIO_PACKED_H

#include "pmd/virtio/queue.h"

#define VIRTQ_PACKED_BOTH (VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED)

// 2.8.1: the wrap counter is 1 in the first round of the ring.
static always_inline bool virtq_packed_wrap(const struct virtq *vq, uint16_t idx)
{
	return !(idx & (vq->mask + 1u));
}

// The flags that make descriptor idx available, and those that say it is used.
static always_inline uint16_t virtq_packed_avail_flags(const struct virtq *vq, uint16_t idx)
{
	return virtq_packed_wrap(vq, idx) ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
}

static always_inline uint16_t virtq_packed_used_flags(const struct virtq *vq, uint16_t idx)
{
	return virtq_packed_wrap(vq, idx) ? VIRTQ_PACKED_BOTH : 0;
}

static always_inline uint64_t virtq_packed_word(uint32_t len, uint16_t id, uint16_t flags)
{
	return len | (uint64_t)id << 32 | (uint64_t)flags << 48;
}

// Descriptor idx as the device left it: length, id, flags. Acquire: the device wrote them, and the
// buffer, before the flags (2.8.21.2 seen from here).
static always_inline uint64_t virtq_packed_load(const struct virtq *vq, uint16_t idx)
{
	return __atomic_load_n(&vq->ring[idx & vq->mask].word, __ATOMIC_ACQUIRE);
}

static always_inline bool virtq_packed_is_used(const struct virtq *vq, uint16_t idx, uint64_t word)
{
	return ((word >> 48) & VIRTQ_PACKED_BOTH) == virtq_packed_used_flags(vq, idx);
}

static always_inline uint32_t virtq_packed_len(uint64_t word)
{
	return (uint32_t)word;
}

static always_inline uint16_t virtq_packed_id(uint64_t word)
{
	return (uint16_t)(word >> 32);
}

// Writes a descriptor whose flags make it the device's. Release: the address comes first.
static always_inline void virtq_packed_put(struct virtq_packed_desc *d, uint64_t addr,
					   uint64_t word)
{
	d->addr = addr;
	__atomic_store_n(&d->word, word, __ATOMIC_RELEASE);
}

static always_inline void virtq_packed_store(const struct virtq *vq, uint16_t idx, uint64_t addr,
					     uint64_t word)
{
	virtq_packed_put(&vq->ring[idx & vq->mask], addr, word);
}

static always_inline bool virtq_packed_wants_doorbell(const struct virtq *vq)
{
	return __atomic_load_n(&vq->device_area->flags, __ATOMIC_RELAXED) != VIRTQ_EVENT_F_DISABLE;
}

#endif
