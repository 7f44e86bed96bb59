// SPDX-License-Identifier: BSD-3-Clause
// wire.h - bytes of a packet as numbers: unaligned loads and stores, network byte order
#ifndef WEIR_CORE_WIRE_H
#define WEIR_CORE_WIRE_H

#include <stdint.h>
#include <string.h>

// Network to host order and back; also on constants.
#define be16(x) ((uint16_t)__builtin_bswap16((uint16_t)(x)))
#define be32(x) ((uint32_t)__builtin_bswap32((uint32_t)(x)))

// As they lie in memory, at any address.
static inline uint16_t load16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store16(void *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void store32(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void store64(void *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

#endif
