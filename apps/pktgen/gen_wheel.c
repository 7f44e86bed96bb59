// SPDX-License-Identifier: BSD-3-Clause
// gen_wheel.c - streams by the time they are next due: a hierarchical timing wheel
#include "apps/pktgen/gen_wheel.h"

#include <stddef.h>
#include <string.h>

#include "core/lcore.h"

#define MASK (GEN_WHEEL_SLOTS - 1)

static always_inline void put(struct gen_wheel *w, unsigned level, unsigned i, struct gen_link *l)
{
	struct gen_slot *s = &w->slot[level][i];

	l->next = NULL;
	if (s->first)
		s->last->next = l;
	else
		s->first = l;
	s->last = l;
	w->used[level][i / 64] |= 1ull << (i % 64);
}

void gen_wheel_start(struct gen_wheel *w, uint64_t now)
{
	memset(w, 0, sizeof(*w));
	w->tick = (now >> GEN_TICK_SHIFT) - 1;
}

void gen_wheel_add(struct gen_wheel *w, struct gen_link *l)
{
	uint64_t tick = l->due >> GEN_TICK_SHIFT, ahead = tick - w->tick, most;

	if (unlikely(tick < w->tick)) {
		tick = w->tick;
		ahead = 0;
	}
	if (likely(ahead < GEN_WHEEL_SLOTS)) {
		put(w, 0, tick & MASK, l);
		return;
	}
	most = (1ull << GEN_WHEEL_LEVELS * GEN_WHEEL_BITS) - 1;
	if (ahead > most)
		tick = w->tick + most;
	if (ahead < 1u << 2 * GEN_WHEEL_BITS)
		put(w, 1, tick >> GEN_WHEEL_BITS & MASK, l);
	else
		put(w, 2, tick >> 2 * GEN_WHEEL_BITS & MASK, l);
}

void gen_wheel_again(struct gen_wheel *w, struct gen_link *l)
{
	put(w, 0, w->tick & MASK, l);
}

void gen_wheel_back(struct gen_wheel *w, struct gen_link *l)
{
	unsigned i = w->tick & MASK;
	struct gen_slot *s = &w->slot[0][i];

	l->next = s->first;
	s->first = l;
	if (!l->next)
		s->last = l;
	w->used[0][i / 64] |= 1ull << (i % 64);
}

// Those of a wider slot, whose time has begun, go where they belong below.
static void spread(struct gen_wheel *w, unsigned level)
{
	unsigned i = w->tick >> level * GEN_WHEEL_BITS & MASK;
	struct gen_link *l = w->slot[level][i].first, *next;

	w->slot[level][i].first = NULL;
	w->used[level][i / 64] &= ~(1ull << (i % 64));
	for (; l; l = next) {
		next = l->next;
		gen_wheel_add(w, l);
	}
}

// The open slot is empty: to the next used one of this turn of the first level, or to the turn's end. False:
// not before the slot of `last`, which is open then.
static bool advance(struct gen_wheel *w, uint64_t last)
{
	uint64_t turn = w->tick | MASK, to = turn < last ? turn : last, t = w->tick + 1;

	while (t <= to) {
		uint64_t bits = w->used[0][(t & MASK) / 64] >> (t % 64);

		if (bits) {
			t += (unsigned)__builtin_ctzll(bits);
			break;
		}
		t = (t | 63) + 1;
	}
	if (t <= to) {
		w->tick = t;
		return true;
	}
	w->tick = to;
	if (to == last)
		return false;
	w->tick++;
	if (!(w->tick & ((1u << 2 * GEN_WHEEL_BITS) - 1)))
		spread(w, 2);
	spread(w, 1);
	return true;
}

struct gen_link *gen_wheel_take(struct gen_wheel *w, uint64_t now)
{
	uint64_t last = (now >> GEN_TICK_SHIFT) - 1;

	while (w->tick <= last) {
		unsigned i = w->tick & MASK;
		struct gen_slot *s = &w->slot[0][i];
		struct gen_link *l = s->first;

		if (l) {
			s->first = l->next;
			if (!s->first)
				w->used[0][i / 64] &= ~(1ull << (i % 64));
			return l;
		}
		if (w->tick == last || !advance(w, last))
			break;
	}
	return NULL;
}
