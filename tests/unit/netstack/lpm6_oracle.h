// SPDX-License-Identifier: BSD-3-Clause
// lpm6_oracle.h - IPv6 longest-prefix match that is slow and plain to see: one sorted array a
// length, searched from /128 to /0
#ifndef WEIR_TESTS_LPM6_ORACLE_H
#define WEIR_TESTS_LPM6_ORACLE_H

#include "netstack/lpm6.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 oracle6_addr; // host byte order

struct oracle6_route {
	oracle6_addr prefix;
	uint32_t nh;
};

struct oracle6 {
	struct oracle6_route *routes[129];
	size_t count[129], size[129];
};

static inline oracle6_addr oracle6_mask(unsigned len)
{
	return len ? ~(oracle6_addr)0 << (128 - len) : 0;
}

static inline void oracle6_bytes(oracle6_addr a, uint8_t bytes[16])
{
	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (uint8_t)(a >> (120 - 8 * i));
}

// Index of the first route of this length that is not below prefix.
static inline size_t oracle6_find(const struct oracle6 *o, oracle6_addr prefix, unsigned len)
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

static inline int oracle6_has(const struct oracle6 *o, oracle6_addr prefix, unsigned len)
{
	size_t i = oracle6_find(o, prefix, len);

	return i < o->count[len] && o->routes[len][i].prefix == prefix;
}

static inline void oracle6_add(struct oracle6 *o, oracle6_addr prefix, unsigned len, uint32_t nh)
{
	size_t i = oracle6_find(o, prefix, len);
	struct oracle6_route *r;

	if (!oracle6_has(o, prefix, len)) {
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
	o->routes[len][i] = (struct oracle6_route){prefix, nh};
}

static inline void oracle6_delete(struct oracle6 *o, oracle6_addr prefix, unsigned len)
{
	size_t i = oracle6_find(o, prefix, len);
	struct oracle6_route *r = o->routes[len] + i;

	memmove(r, r + 1, (--o->count[len] - i) * sizeof(*r));
}

static inline uint32_t oracle6_lookup(const struct oracle6 *o, oracle6_addr addr)
{
	for (int len = 128; len >= 0; len--) {
		oracle6_addr prefix = addr & oracle6_mask(len);

		if (o->count[len] && oracle6_has(o, prefix, len))
			return o->routes[len][oracle6_find(o, prefix, len)].nh;
	}
	return LPM6_MISS;
}

static inline size_t oracle6_count(const struct oracle6 *o)
{
	size_t n = 0;

	for (unsigned len = 0; len <= 128; len++)
		n += o->count[len];
	return n;
}

static inline void oracle6_free(struct oracle6 *o)
{
	for (unsigned len = 0; len <= 128; len++)
		free(o->routes[len]);
	memset(o, 0, sizeof(*o));
}

// A random sequence that is the same on every machine (xorshift64*, Vigna 2016).
static inline uint32_t oracle6_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}

static inline oracle6_addr oracle6_random_addr(uint64_t *state)
{
	oracle6_addr a = 0;

	for (unsigned i = 0; i < 4; i++)
		a = a << 32 | oracle6_random(state);
	return a;
}

#endif
