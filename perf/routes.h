// SPDX-License-Identifier: BSD-3-Clause
// routes.h - tables of prefixes for benchmarks: a file of them, or a random table of the same make
#ifndef WEIR_PERF_ROUTES_H
#define WEIR_PERF_ROUTES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

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

// routes_open - `gzip -dcf path`, which copies what is not gzip: its output and its process.
FILE *routes_open(const char *path, pid_t *pid);

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

// The same for IPv6: prefixes as on the wire. Random tables are cut from /32s of 2000::/4.
struct route6 {
	uint8_t prefix[16];
	uint32_t nh;
	uint8_t len;
};

struct routes6 {
	struct route6 *route;
	uint32_t count;
};

int routes6_load(struct routes6 *r, const char *path);
int routes6_synthetic(struct routes6 *r, uint32_t count);
void routes6_assign(struct routes6 *r, uint32_t next_hops);
void routes6_shuffle(struct routes6 *r);
void routes6_free(struct routes6 *r);

// routes6_draw - a random address, or one inside a random prefix of the table.
void routes6_draw(const struct routes6 *r, bool in_prefix, uint64_t *seed, uint8_t addr[16]);

// routes6_mask - clear the bits beyond len.
void routes6_mask(uint8_t addr[16], unsigned len);

static inline const struct route6 *routes6_pick(const struct routes6 *r, uint64_t *state)
{
	return r->route + ((uint64_t)routes_random(state) * r->count >> 32);
}

#endif
