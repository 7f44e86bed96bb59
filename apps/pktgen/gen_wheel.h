// SPDX-License-Identifier: BSD-3-Clause
// gen_wheel.h - streams by the time they are next due: a hierarchical timing wheel
//
// After Varghese and Lauck (1987). A slot of the first level is GEN_TICK cycles wide, one of the next level as
// wide as a whole level below. Adding costs the same however many streams there are, and empty
// slots are passed 64 at a time: a stream that is not due costs nothing.
#ifndef WEIR_APPS_PKTGEN_GEN_WHEEL_H
#define WEIR_APPS_PKTGEN_GEN_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define GEN_TICK_SHIFT	 6 // 64 cycles: less than a turn of a loop takes
#define GEN_WHEEL_LEVELS 3 // half a minute; what is due later is looked at again then
#define GEN_WHEEL_BITS	 10
#define GEN_WHEEL_SLOTS	 (1u << GEN_WHEEL_BITS)

struct gen_link { // small and apart from what waits, so that passing on costs no cache misses
	struct gen_link *next;
	uint64_t due;
};

struct gen_slot { // first in, first out
	struct gen_link *first, *last;
};

struct gen_wheel {
	uint64_t tick; // of the slot that is open; nothing waits for an earlier one
	uint64_t used[GEN_WHEEL_LEVELS][GEN_WHEEL_SLOTS / 64];
	struct gen_slot slot[GEN_WHEEL_LEVELS][GEN_WHEEL_SLOTS];
};

// Empty, with the slot of `now` open.
void gen_wheel_start(struct gen_wheel *w, uint64_t now);
// l->due is set.
void gen_wheel_add(struct gen_wheel *w, struct gen_link *l);
// Into the open slot again: behind all others, or in front of them.
void gen_wheel_again(struct gen_wheel *w, struct gen_link *l);
void gen_wheel_back(struct gen_wheel *w, struct gen_link *l);
// Takes the first entry of the open slot; goes on to the next slot that has one, as long as slots have ended
// by `now`. NULL: none.
struct gen_link *gen_wheel_take(struct gen_wheel *w, uint64_t now);
// The last moment of the slot of `due`.
static inline uint64_t gen_wheel_slot_end(uint64_t due)
{
	return due | ((1u << GEN_TICK_SHIFT) - 1);
}

#endif
