// SPDX-License-Identifier: BSD-3-Clause
// gen_value.c - the values that fields have from packet to packet, and random ones
#include <string.h>

#include "apps/pktgen/gen_priv.h"
#include "core/lcore.h"

void gen_field_reset(struct gen_field *f)
{
	f->random = f->seed;
	f->at = 0;
	f->left = 0;
	f->value = f->min;
}

// Goes on to the next value: that of number `at` for fields that count.
static always_inline uint64_t next_value(struct gen_field *f)
{
	uint64_t v = f->value, r;

	switch (f->kind) {
	case BLOB_FIELD_RANDOM:
		r = gen_random(&f->random);
		return f->count ? f->min + (uint64_t)((unsigned __int128)r * f->count >> 64) : r;
	case BLOB_FIELD_LIST:
		v = f->list[f->at];
		f->at = f->at + 1 == f->count ? 0 : f->at + 1;
		return v;
	}
	f->value += f->step;
	if (++f->at == f->count) {
		f->at = 0;
		f->value = f->min;
	}
	return v;
}

static always_inline void values_of(struct gen_field *f, uint64_t *values, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		values[i] = next_value(f);
}

static void values_held(struct gen_field *f, uint64_t *values, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!f->left) {
			f->held = next_value(f);
			f->left = f->every;
		}
		f->left--;
		values[i] = f->held;
	}
}

void gen_field_values(struct gen_field *f, uint64_t *values, unsigned n)
{
	if (f->every > 1)
		values_held(f, values, n);
	else
		values_of(f, values, n);
}

// Exponential ----------------------------------------------------------------------------------

// -ln(u) of u = r / 2^64: the bits in front of its first one count ln 2 each; of the rest, 1 to 2, the logarithm
// stands in a table of 1,024 steps, between which it is taken for straight: wrong by 1.2e-7 at most.
#define LN_BITS 10
#define LN2_32	2977044472u // ln 2 * 2^32

static uint32_t ln_table[(1 << LN_BITS) + 1]; // ln(1 + i / 1024) * 2^32

// ln(x / 2^63) * 2^32 for x of 2^63 to 2^64 - 1: bit by bit, by squaring (Knuth, 1.2.2, exercise 25).
static uint32_t ln_of(uint64_t x)
{
	uint64_t log2 = 0;

	for (unsigned i = 0; i < 40; i++) {
		unsigned __int128 square = (unsigned __int128)x * x; // 2^126 to 2^128

		log2 <<= 1;
		if (square >> 127) {
			log2 |= 1;
			x = (uint64_t)(square >> 64);
		} else {
			x = (uint64_t)(square >> 63);
		}
	}
	return (uint32_t)((unsigned __int128)log2 * LN2_32 >> 40);
}

void gen_exponential_start(void)
{
	for (uint64_t i = 0; i < 1 << LN_BITS; i++)
		ln_table[i] = ln_of((1ull << 63) + (i << (63 - LN_BITS)));
	ln_table[1 << LN_BITS] = LN2_32;
}

uint64_t gen_exponential(uint64_t random)
{
	unsigned zeros = (unsigned)__builtin_clzll(random | 1);
	uint64_t m = (random | 1) << zeros << 1; // the bits behind the first one
	unsigned i = (unsigned)(m >> (64 - LN_BITS));
	uint32_t part = (uint32_t)(m << LN_BITS >> 32);
	uint32_t low = ln_table[i], high = ln_table[i + 1];

	return (uint64_t)(zeros + 1) * LN2_32 - low - ((uint64_t)(high - low) * part >> 32);
}
