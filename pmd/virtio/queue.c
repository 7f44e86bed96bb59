// SPDX-License-Identifier: BSD-3-Clause
// queue.c - memory and control of a virtqueue
#include "pmd/virtio/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"
#include "pmd/virtio/packed.h"
#include "pmd/virtio/split.h"

// Arena memory has no free: rings given back wait here for a queue of the same capacity.
struct spare_rings {
	struct spare_rings *next;
	uint32_t capacity;
};
static struct spare_rings *spare;

// Each ring on its own cache lines, so that the device's writes and ours do not share one.
static size_t ring_align(size_t n)
{
	return (n + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
}

// Both layouts have the same memory: a packed ring's areas are shorter than a split ring's.
static size_t desc_bytes(uint32_t size)
{
	return ring_align(size * sizeof(struct virtq_desc));
}

static size_t avail_bytes(uint32_t size)
{
	return ring_align(sizeof(struct virtq_avail) + size * sizeof(uint16_t) + 2);
}

static size_t used_bytes(uint32_t size)
{
	return ring_align(sizeof(struct virtq_used) + size * sizeof(struct virtq_used_elem) + 2);
}

static size_t rings_bytes(uint32_t size)
{
	return desc_bytes(size) + avail_bytes(size) + used_bytes(size);
}

static size_t all_bytes(uint32_t size)
{
	return rings_bytes(size) + ring_align(size * VIRTQ_HEADER);
}

static void *rings_take(uint32_t capacity)
{
	for (struct spare_rings **p = &spare; *p; p = &(*p)->next) {
		struct spare_rings *s = *p;

		if (s->capacity == capacity) {
			*p = s->next;
			return s;
		}
	}
	return plat_arena_alloc(all_bytes(capacity), 4096);
}

static void rings_give(void *memory, uint32_t capacity)
{
	struct spare_rings *s = memory;

	s->capacity = capacity;
	s->next = spare;
	spare = s;
}

int virtq_create(struct virtq *vq, uint16_t index, uint32_t size, struct err *err)
{
	memset(vq, 0, sizeof(*vq));
	vq->index = index;
	vq->capacity = size;
	vq->buf = calloc(size, sizeof(vq->buf[0]));
	vq->slot = calloc(size, sizeof(vq->slot[0]));
	vq->memory = rings_take(size);
	if (!vq->buf || !vq->slot || !vq->memory) {
		virtq_destroy(vq);
		return err_set(
			err, -ENOMEM,
			"queue %u: no memory for %u descriptors (%zu bytes of the arena, %zu "
			"free): give the machine more, or ask for a shorter ring",
			index, size, all_bytes(size), plat_arena_free());
	}
	virtq_clear(vq, size, 0);
	return 0;
}

void virtq_destroy(struct virtq *vq)
{
	if (vq->memory)
		rings_give(vq->memory, vq->capacity);
	free(vq->buf);
	free(vq->slot);
	memset(vq, 0, sizeof(*vq));
}

static void clear_split(struct virtq *vq)
{
	vq->avail->flags = VIRTQ_AVAIL_F_NO_INTERRUPT;
	for (uint32_t i = 0; i < virtq_size(vq); i++)
		vq->avail->ring[i] = (uint16_t)i;
}

void virtq_clear(struct virtq *vq, uint32_t size, uint64_t features)
{
	uint8_t *p = vq->memory;

	memset(p, 0, rings_bytes(vq->capacity));
	vq->desc = (struct virtq_desc *)(void *)p;
	vq->avail = (struct virtq_avail *)(void *)(p + desc_bytes(size));
	vq->used = (struct virtq_used *)(void *)(p + desc_bytes(size) + avail_bytes(size));
	vq->headers = p + rings_bytes(vq->capacity);
	vq->mask = (uint16_t)(size - 1);
	vq->avail_idx = 0;
	vq->used_idx = 0;
	vq->fault = VIRTQ_STOPPED;
	vq->unsettled = false;
	vq->packed = features & VIRTIO_F_RING_PACKED;
	vq->in_order = features & VIRTIO_F_IN_ORDER;
	for (uint32_t i = 0; i < size; i++)
		vq->slot[i] = (uint16_t)i;
	if (vq->packed)
		vq->driver_area->flags = VIRTQ_EVENT_F_DISABLE;
	else
		clear_split(vq);
}

int virtq_attach(struct virtq *vq, struct virtio_transport *t, struct err *err)
{
	return virtq_attach_waking(vq, t, VIRTQ_NO_LCORE, err);
}

int virtq_attach_waking(struct virtq *vq, struct virtio_transport *t, uint16_t lcore,
			struct err *err)
{
	struct virtq_place place = {
		.desc = plat_iova(vq->desc),
		.avail = plat_iova(vq->avail),
		.used = plat_iova(vq->used),
		.size = (uint16_t)virtq_size(vq),
		.lcore = lcore,
	};
	int r;

	vq->transport = t;
	r = t->ops->queue_setup(t, vq->index, &place, err);
	vq->wakes = !r && lcore != VIRTQ_NO_LCORE;
	if (r != -ENOTSUP || lcore == VIRTQ_NO_LCORE)
		return r;
	place.lcore = VIRTQ_NO_LCORE; // it polls, then
	return t->ops->queue_setup(t, vq->index, &place, err);
}

static void want_interrupts(struct virtq *vq, bool on)
{
	if (vq->packed)
		__atomic_store_n(&vq->driver_area->flags,
				 on ? VIRTQ_EVENT_F_ENABLE : VIRTQ_EVENT_F_DISABLE,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&vq->avail->flags, on ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT,
				 __ATOMIC_RELAXED);
}

static bool any_used(const struct virtq *vq)
{
	if (!vq->packed)
		return __atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE) != vq->used_idx;
	return virtq_outstanding(vq) &&
	       virtq_packed_is_used(vq, vq->used_idx, virtq_packed_load(vq, vq->used_idx));
}

bool virtq_arm(struct virtq *vq)
{
	want_interrupts(vq, true);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !any_used(vq);
}

void virtq_disarm(struct virtq *vq)
{
	want_interrupts(vq, false);
}

void virtq_set_fault(struct virtq *vq, enum virtq_fault fault)
{
	vq->fault = (uint8_t)fault;
	vq->faults[fault]++;
}

void virtq_ring_doorbell(struct virtq *vq)
{
	vq->doorbells++;
	vq->unsettled = false;
	vq->transport->ops->notify(vq->transport, vq->index);
}

void virtq_settle(struct virtq *vq)
{
	bool wanted;

	if (!vq->unsettled || vq->fault)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	vq->unsettled = false;
	wanted = vq->packed ? virtq_packed_wants_doorbell(vq) : virtq_split_wants_doorbell(vq);
	if (wanted)
		virtq_ring_doorbell(vq);
}
