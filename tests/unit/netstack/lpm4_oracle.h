// SPDX-License-Identifier: BSD-3-Clause
// lpm4_oracle.h - longest-prefix match that is slow and plain to see: one sorted array a length,
// searched from /32 to /0
#ifndef WEIR_TESTS_LPM4_ORACLE_H
#define WEIR_TESTS_LPM4_ORACLE_H

#include "netstack/lpm4.h"

#include <stdlib.h>
#include <string.h>

struct oracle_route {
	uint32_t prefix, nh;
};

struct oracle {
	struct oracle_route *routes[33];
	size_t count[33], size[33];
};

static inline uint32_t oracle_mask(unsigned len)
{
	return len ? ~0u << (32 - len) : 0;
}

// Index of the first route of this length that is not below prefix.
static inline size_t oracle_find(const struct oracle *o, uint32_t prefix, unsigned len)
{
	size_t low = 0, high = o->count[len];

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (o->routes[len][middle].prefix < prefix)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static inline int oracle_has(const struct oracle *o, uint32_t prefix, unsigned len)
{
	size_t i = oracle_find(o, prefix, len);

	return i < o->count[len] && o->routes[len][i].prefix == prefix;
}

static inline void oracle_add(struct oracle *o, uint32_t prefix, unsigned len, uint32_t nh)
{
	size_t i = oracle_find(o, prefix, len);
	struct oracle_route *r;

	if (!oracle_has(o, prefix, len)) {
		if (o->count[len] == o->size[len]) {
			o->size[len] = o->size[len] * 2 + 16;
			r = realloc(o->routes[len], o->size[len] * sizeof(*r));
			if (!r)
				abort();
			o->routes[len] = r;
		}
		r = o->routes[len] + i;
		memmove(r + 1, r, (o->count[len]++ - i) * sizeof(*r));
	}
	o->routes[len][i] = (struct oracle_route){prefix, nh};
}

static inline void oracle_delete(struct oracle *o, uint32_t prefix, unsigned len)
{
	size_t i = oracle_find(o, prefix, len);
	struct oracle_route *r = o->routes[len] + i;

	memmove(r, r + 1, (--o->count[len] - i) * sizeof(*r));
}

static inline uint32_t oracle_lookup(const struct oracle *o, uint32_t addr)
{
	for (int len = 32; len >= 0; len--) {
		uint32_t prefix = addr & oracle_mask(len);

		if (oracle_has(o, prefix, len))
			return o->routes[len][oracle_find(o, prefix, len)].nh;
	}
	return LPM4_MISS;
}

static inline size_t oracle_count(const struct oracle *o)
{
	size_t n = 0;

	for (unsigned len = 0; len <= 32; len++)
		n += o->count[len];
	return n;
}

static inline void oracle_free(struct oracle *o)
{
	for (unsigned len = 0; len <= 32; len++)
		free(o->routes[len]);
	memset(o, 0, sizeof(*o));
}

// A random sequence that is the same on every machine (xorshift64*, Vigna 2016).
static inline uint32_t oracle_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}

#endif
