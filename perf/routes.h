// SPDX-License-Identifier: BSD-3-Clause
// routes.h - tables of prefixes for benchmarks: a file of them, or a random table of the same make
#ifndef WEIR_PERF_ROUTES_H
#define WEIR_PERF_ROUTES_H

#include <stdint.h>

struct route {
	uint32_t prefix, nh; // host byte order
	uint8_t len;
};

struct routes {
	struct route *route;
	uint32_t count;
};

// routes_load - the IPv4 prefixes of a file, plain or gzip, one a line; other lines are skipped.
// 0, -ENOENT when it cannot be read or holds none, -ENOMEM. routes_free gives the memory back.
int routes_load(struct routes *r, const char *path);

// routes_synthetic - `count` distinct random prefixes with the lengths of the Internet's table.
int routes_synthetic(struct routes *r, uint32_t count);

// routes_assign - next hops 1 to next_hops by a hash of each prefix.
void routes_assign(struct routes *r, uint32_t next_hops);

// routes_shuffle - in random order, the same one every time.
void routes_shuffle(struct routes *r);

void routes_free(struct routes *r);

// routes_random - the next of a sequence that is the same every time; routes_pick - one of the
// prefixes by it.
uint32_t routes_random(uint64_t *state);

static inline const struct route *routes_pick(const struct routes *r, uint64_t *state)
{
	return r->route + ((uint64_t)routes_random(state) * r->count >> 32);
}

#endif
