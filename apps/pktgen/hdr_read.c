// SPDX-License-Identifier: BSD-3-Clause
// hdr_read.c - histograms of high dynamic range: reading them, while they are recorded into too
#include <emmintrin.h>
#include <stdbool.h>

#include "apps/pktgen/hdr_priv.h"

// A carry is under way for a few instructions; a recorder that was stopped amid them is waited for this long.
#define TRIES 100000u

#define ACQUIRE(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)

// Numbers of units may be anything: the pool may be reset meanwhile, so that what was a directory are counters.
static bool is_unit(const struct hdr *h, uint32_t u)
{
	return u && u < h->units;
}

static uint64_t carried(const struct hdr *h, unsigned b)
{
	uint32_t left = h->units;

	for (uint32_t u = ACQUIRE(h->carries); is_unit(h, u) && left--; u = h->unit[u][CARRY_NEXT])
		for (uint32_t n = 0; n < ACQUIRE(h->unit[u][CARRY_USED]) && n < CARRY_ENTRIES; n++)
			if (h->unit[u][CARRY_BUCKET(n)] == b)
				return (uint64_t)ACQUIRE(h->unit[u][CARRY_TIMES(n)]) * HDR_CARRY;
	return 0;
}

static uint64_t counter_value(const struct hdr *h, unsigned b, const uint32_t *c)
{
	uint32_t before = ACQUIRE(*c), after;
	uint64_t high;

	if (!before && !ACQUIRE(h->carries))
		return 0;
	for (unsigned i = 0;; i++, before = ACQUIRE(*c)) {
		high = carried(h, b);
		after = ACQUIRE(*c);
		if ((before < HDR_CARRY && before <= after && after < HDR_CARRY) || i == TRIES)
			return high + after;
	}
}

static const uint32_t *counters(const struct hdr *h, unsigned b)
{
	uint32_t d = ACQUIRE(h->dir[b / (HDR_UNIT * HDR_UNIT)]);
	uint32_t u = is_unit(h, d) ? ACQUIRE(h->unit[d][b / HDR_UNIT % HDR_UNIT]) : 0;

	return is_unit(h, u) ? h->unit[u] : NULL;
}

uint64_t hdr_bucket_count(const struct hdr *h, unsigned b)
{
	const uint32_t *c = counters(h, b);

	return c ? counter_value(h, b, &c[b % HDR_UNIT]) : 0;
}

void hdr_buckets(const struct hdr *h, void (*each)(void *arg, unsigned b, uint64_t n), void *arg)
{
	for (unsigned b = 0; b < HDR_PARTS * HDR_COUNTERS; b += HDR_UNIT) {
		const uint32_t *c;

		if (b % (HDR_UNIT * HDR_UNIT) == 0 && !ACQUIRE(h->dir[b / (HDR_UNIT * HDR_UNIT)])) {
			b += HDR_UNIT * HDR_UNIT - HDR_UNIT;
			continue;
		}
		c = counters(h, b);
		for (unsigned i = 0; c && i < HDR_UNIT; i++) {
			uint64_t n = counter_value(h, b + i, &c[i]);

			if (n)
				each(arg, b + i, n);
		}
	}
}

void hdr_sum(const struct hdr *h, uint64_t *sum, uint64_t *sums)
{
	uint64_t before, after;
	unsigned i = 0;

	do {
		before = ACQUIRE(h->sum);
		*sums = ACQUIRE(h->sums);
		after = ACQUIRE(h->sum);
	} while ((before >> 63 || after >> 63 || after < before) && i++ < TRIES);
	*sum = after & INT64_MAX;
}

struct each_value {
	void (*each)(void *arg, uint64_t low, uint64_t high, uint64_t count);
	void *arg;
};

static void value_of(void *arg, unsigned b, uint64_t n)
{
	struct each_value *e = arg;

	e->each(e->arg, hdr_bucket_low(b), hdr_bucket_high(b), n);
}

void hdr_each(const struct hdr *h, void (*each)(void *arg, uint64_t low, uint64_t high, uint64_t count), void *arg)
{
	struct each_value e = {each, arg};

	hdr_buckets(h, value_of, &e);
}

struct ranked {
	uint64_t rank, seen, value; // how many shall be at or below value
};

static void rank_bucket(void *arg, unsigned b, uint64_t n)
{
	struct ranked *r = arg;

	if (r->seen < r->rank)
		r->value = hdr_bucket_high(b);
	r->seen += n;
}

uint64_t hdr_value_at(const struct hdr *h, double share)
{
	uint64_t placed = h->count - (h->unplaced < h->count ? h->unplaced : h->count);
	double want = share * (double)placed - 1e-6; // 0.99 is a little more or less than 99/100
	struct ranked r = {0};

	if (want > 0)
		r.rank = (uint64_t)want + (want > (double)(uint64_t)want);
	if (r.rank < 1)
		r.rank = 1;
	if (r.rank > placed)
		r.rank = placed;
	hdr_buckets(h, rank_bucket, &r);
	return r.value < h->max ? r.value : h->max;
}

double hdr_mean(const struct hdr *h)
{
	return h->count ? ((double)h->sums * 0x1p63 + (double)h->sum) / (double)h->count : 0;
}

struct spread {
	double mean, squares;
	uint64_t n;
};

static void spread_bucket(void *arg, unsigned b, uint64_t n)
{
	struct spread *s = arg;
	double d = ((double)hdr_bucket_low(b) + (double)hdr_bucket_high(b)) / 2 - s->mean;

	s->squares += d * d * (double)n;
	s->n += n;
}

double hdr_deviation(const struct hdr *h)
{
	struct spread s = {.mean = hdr_mean(h)};

	hdr_buckets(h, spread_bucket, &s);
	if (!s.n)
		return 0;
	return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(s.squares / (double)s.n)));
}
