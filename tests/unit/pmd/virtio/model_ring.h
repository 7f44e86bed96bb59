// SPDX-License-Identifier: BSD-3-Clause
// model_ring.h - between the files of the model; its rings, split (model_ring.c) and packed
#ifndef WEIR_TESTS_VIRTIO_MODEL_RING_H
#define WEIR_TESTS_VIRTIO_MODEL_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "model.h"

#define DESC_BYTES 16u
#define F_NEXT	   1u
#define F_WRITE	   2u

struct desc { // as far as both layouts have it
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

// The driver has broken a rule of the specification: ends the test, unless model.lenient.
void model_fatal(const char *what);

static inline uint8_t *at(uint64_t iova)
{
	return (uint8_t *)(uintptr_t)iova; // hosted: iova = va
}

static inline uint16_t load16(uint64_t iova)
{
	return __atomic_load_n((uint16_t *)(void *)at(iova), __ATOMIC_ACQUIRE);
}

static inline void store16(uint64_t iova, uint16_t v)
{
	__atomic_store_n((uint16_t *)(void *)at(iova), v, __ATOMIC_RELEASE);
}

static inline bool model_packed(void)
{
	return model.driver_features & MODEL_F_RING_PACKED;
}

static inline bool model_in_order(void)
{
	return model.driver_features & MODEL_F_IN_ORDER;
}

// The packed half of model.h. Chains are copied when they are taken: the ring is written over.
int packed_take(unsigned queue);
void packed_put_used(unsigned queue, uint16_t idx, uint32_t id, uint32_t len);
void packed_set_used_idx(unsigned queue, uint16_t idx);
void packed_set_no_notify(unsigned queue, bool on);
unsigned packed_waiting(unsigned queue); // descriptors made available and not yet taken
uint32_t packed_next_len(unsigned queue);
// Descriptor i of the chain that id named when it was taken.
struct desc packed_desc(unsigned queue, unsigned id, unsigned i);
// Descriptors of that chain: how far using it moves the used index.
unsigned packed_count(unsigned queue, unsigned id);

#endif
