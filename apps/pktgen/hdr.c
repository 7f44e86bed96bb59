// SPDX-License-Identifier: BSD-3-Clause
// hdr.c - histograms of high dynamic range: their memory, and adding one to another
//
// Everything is a unit of 64 words of a pool: counters; directories, which name 64 units of counters; and lists of
// carries. What another lcore may read meanwhile is written before the number of its unit is (release), and
// never moves.
#include "apps/pktgen/hdr.h"

#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/hdr_priv.h"

struct hdr_pool {
	uint32_t (*unit)[HDR_UNIT];
	uint32_t units, used;
	uint32_t free; // the first that was given back; word 0 of each is the next
};

struct hdr_pool *hdr_pool_create(uint32_t parts)
{
	struct hdr_pool *p = calloc(1, sizeof(*p));
	size_t size;

	if (!p)
		return NULL;
	// Of each part the counters, and at worst a directory of its own; unit 0 means none.
	p->units = 1 + parts * (HDR_COUNTERS / HDR_UNIT + 1);
	size = (size_t)p->units * sizeof(*p->unit);
	p->unit = aligned_alloc(sizeof(*p->unit), size);
	if (!p->unit) {
		free(p);
		return NULL;
	}
	memset(p->unit[0], 0, sizeof(*p->unit));
	p->used = 1;
	return p;
}

void hdr_pool_destroy(struct hdr_pool *p)
{
	if (p)
		free(p->unit);
	free(p);
}

void hdr_pool_reset(struct hdr_pool *p)
{
	p->used = 1;
	p->free = 0;
}

// The number of a unit of zeros; 0: there is none.
static uint32_t take(struct hdr_pool *p)
{
	uint32_t u = p->free;

	if (u)
		p->free = p->unit[u][0];
	else if (p->used < p->units)
		u = p->used++;
	if (u)
		memset(p->unit[u], 0, sizeof(*p->unit));
	return u;
}

static void give(struct hdr_pool *p, uint32_t u)
{
	p->unit[u][0] = p->free;
	p->free = u;
}

void hdr_init(struct hdr *h, struct hdr_pool *pool)
{
	*h = (struct hdr){.min = UINT64_MAX, .pool = pool, .unit = pool->unit, .units = pool->units};
}

void hdr_reset(struct hdr *h)
{
	struct hdr_pool *p = h->pool;

	for (unsigned d = 0; d < HDR_DIRS; d++) {
		if (!h->dir[d])
			continue;
		for (unsigned i = 0; i < HDR_UNIT; i++)
			if (p->unit[h->dir[d]][i])
				give(p, p->unit[h->dir[d]][i]);
		give(p, h->dir[d]);
	}
	for (uint32_t u = h->carries, next; u; u = next) {
		next = p->unit[u][CARRY_NEXT];
		give(p, u);
	}
	hdr_init(h, p);
}

// The counter of bucket b, made if need be.
static uint32_t *make_counter(struct hdr *h, unsigned b)
{
	uint32_t *dir = &h->dir[b / (HDR_UNIT * HDR_UNIT)];
	uint32_t *slot, u;

	if (!*dir) {
		u = take(h->pool);
		if (!u)
			return NULL;
		__atomic_store_n(dir, u, __ATOMIC_RELEASE);
	}
	slot = &h->unit[*dir][b / HDR_UNIT % HDR_UNIT];
	if (!*slot) {
		u = take(h->pool);
		if (!u)
			return NULL;
		__atomic_store_n(slot, u, __ATOMIC_RELEASE);
	}
	return &h->unit[*slot][b % HDR_UNIT];
}

void hdr_grow(struct hdr *h, unsigned b)
{
	uint32_t *c = make_counter(h, b);

	if (c)
		HDR_SET(*c, *c + 1);
	else
		HDR_SET(h->unplaced, h->unplaced + 1);
}

// The carries of bucket b, in an entry made if need be.
static uint32_t *make_carries(struct hdr *h, unsigned b)
{
	uint32_t *first = h->carries ? h->unit[h->carries] : NULL;
	uint32_t u, n;

	for (u = h->carries; u; u = h->unit[u][CARRY_NEXT])
		for (n = 0; n < h->unit[u][CARRY_USED]; n++)
			if (h->unit[u][CARRY_BUCKET(n)] == b)
				return &h->unit[u][CARRY_TIMES(n)];
	if (!first || first[CARRY_USED] == CARRY_ENTRIES) {
		u = take(h->pool);
		if (!u)
			return NULL;
		first = h->unit[u];
		first[CARRY_NEXT] = h->carries;
		__atomic_store_n(&h->carries, u, __ATOMIC_RELEASE);
	}
	n = first[CARRY_USED];
	first[CARRY_BUCKET(n)] = b;
	__atomic_store_n(&first[CARRY_USED], n + 1, __ATOMIC_RELEASE);
	return &first[CARRY_TIMES(n)];
}

// A reader that sees the counter below HDR_CARRY before and after it reads the carries has both of one moment.
void hdr_carry(struct hdr *h, unsigned b)
{
	uint32_t *c = hdr_counter(h, b), *times = make_carries(h, b);

	if (times)
		__atomic_store_n(times, *times + 1, __ATOMIC_RELEASE);
	else
		HDR_SET(h->unplaced, h->unplaced + HDR_CARRY);
	__atomic_store_n(c, *c - HDR_CARRY, __ATOMIC_RELEASE);
}

void hdr_carry_sum(struct hdr *h)
{
	__atomic_store_n(&h->sums, h->sums + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&h->sum, h->sum & INT64_MAX, __ATOMIC_RELEASE);
}

// Counts n values in bucket b: of those above what a counter holds, the carries.
static void place_many(struct hdr *h, unsigned b, uint64_t n)
{
	uint32_t *c = make_counter(h, b), *times;
	uint64_t all;

	if (!c) {
		h->unplaced += n;
		return;
	}
	all = *c + n;
	*c = (uint32_t)(all % HDR_CARRY);
	if (all < HDR_CARRY)
		return;
	times = make_carries(h, b);
	if (times)
		*times += (uint32_t)(all / HDR_CARRY);
	else
		h->unplaced += all / HDR_CARRY * HDR_CARRY;
}

static void add_sum(struct hdr *a, uint64_t sum, uint64_t sums)
{
	a->sum += sum;
	a->sums += sums + (a->sum >> 63);
	a->sum &= INT64_MAX;
}

struct sum_to {
	struct hdr *h;
	uint64_t n;
};

static void add_bucket(void *arg, unsigned b, uint64_t n)
{
	struct sum_to *to = arg;

	place_many(to->h, b, n);
	to->n += n;
}

void hdr_add(struct hdr *a, const struct hdr *b)
{
	struct sum_to to = {a, 0};
	uint64_t v = HDR_GET(b->unplaced), sum, sums;

	a->unplaced += v;
	to.n = v;
	hdr_buckets(b, add_bucket, &to);
	// As many as were found, whatever has come since.
	a->count += to.n;
	hdr_sum(b, &sum, &sums);
	add_sum(a, sum, sums);
	v = HDR_GET(b->min);
	if (v < a->min)
		a->min = v;
	v = HDR_GET(b->max);
	if (v > a->max)
		a->max = v;
}

static void take_bucket(void *arg, unsigned b, uint64_t n)
{
	struct hdr *a = arg;
	uint64_t has = hdr_bucket_count(a, b);
	uint32_t *c = hdr_counter(a, b), *times;

	has = has > n ? has - n : 0;
	if (!c)
		return;
	*c = (uint32_t)(has % HDR_CARRY);
	times = a->carries ? make_carries(a, b) : NULL;
	if (times)
		*times = (uint32_t)(has / HDR_CARRY);
}

static void range(void *arg, unsigned b, uint64_t n)
{
	struct hdr *a = arg;

	if (a->min == UINT64_MAX)
		a->min = hdr_bucket_low(b);
	a->max = hdr_bucket_high(b);
}

void hdr_subtract(struct hdr *a, const struct hdr *b)
{
	uint64_t max = a->max;

	hdr_buckets(b, take_bucket, a);
	a->count -= a->count > b->count ? b->count : a->count;
	a->unplaced -= a->unplaced > b->unplaced ? b->unplaced : a->unplaced;
	if (a->sum < b->sum) {
		a->sum += 1ull << 63;
		a->sums--;
	}
	a->sum -= b->sum;
	a->sums -= b->sums;
	a->min = UINT64_MAX;
	a->max = 0;
	hdr_buckets(a, range, a);
	if (a->max > max)
		a->max = max;
}
