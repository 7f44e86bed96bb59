// SPDX-License-Identifier: BSD-3-Clause
// queue.c - memory and control of a split virtqueue
#include "pmd/virtio/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"

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
	return desc_bytes(size) + avail_bytes(size) + used_bytes(size) + CACHE_LINE;
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
	return plat_arena_alloc(rings_bytes(capacity), 4096);
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
			index, size, rings_bytes(size), plat_arena_free());
	}
	virtq_clear(vq, size);
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

void virtq_clear(struct virtq *vq, uint32_t size)
{
	uint8_t *p = vq->memory;

	memset(p, 0, rings_bytes(vq->capacity));
	vq->desc = (struct virtq_desc *)(void *)p;
	vq->avail = (struct virtq_avail *)(void *)(p + desc_bytes(size));
	vq->used = (struct virtq_used *)(void *)(p + desc_bytes(size) + avail_bytes(size));
	vq->zeros = p + rings_bytes(size) - CACHE_LINE;
	vq->mask = (uint16_t)(size - 1);
	vq->avail_idx = 0;
	vq->used_idx = 0;
	vq->fault = VIRTQ_STOPPED;
	vq->unsettled = false;
	vq->avail->flags = VIRTQ_AVAIL_F_NO_INTERRUPT;
	for (uint32_t i = 0; i < size; i++) {
		vq->slot[i] = (uint16_t)i;
		vq->avail->ring[i] = (uint16_t)i;
	}
}

int virtq_attach(struct virtq *vq, struct virtio_transport *t, struct err *err)
{
	struct virtq_place place = {
		.desc = plat_iova(vq->desc),
		.avail = plat_iova(vq->avail),
		.used = plat_iova(vq->used),
		.size = (uint16_t)virtq_size(vq),
		.lcore = VIRTQ_NO_LCORE,
	};

	vq->transport = t;
	return t->ops->queue_setup(t, vq->index, &place, err);
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
	if (!vq->unsettled || vq->fault)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	vq->unsettled = false;
	if (!(__atomic_load_n(&vq->used->flags, __ATOMIC_RELAXED) & VIRTQ_USED_F_NO_NOTIFY))
		virtq_ring_doorbell(vq);
}
