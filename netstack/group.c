// SPDX-License-Identifier: BSD-3-Clause
// group.c - static port groups: whose turn a flow is
#include "netstack/group.h"

#include <stdlib.h>
#include <string.h>

// The first live member in the order that belongs to the slot. Orders are all different: the slot's
// number tells the first, what is left of it the second among the others, and so on, so that the
// slots of each member are spread evenly over the others too.
static uint8_t first_live(const struct group *g, uint32_t slot, uint32_t live)
{
	uint8_t left[GROUP_MEMBERS_MAX];
	uint32_t rest = slot;

	for (unsigned i = 0; i < g->n; i++)
		left[i] = (uint8_t)i;
	for (unsigned n = g->n; n; n--) {
		unsigned at = rest % n;

		if (live >> left[at] & 1)
			return left[at];
		rest /= n;
		if (!rest) // used up: a new number from the old
			rest = slot * 0x9e3779b1u >> 8;
		memmove(left + at, left + at + 1, n - at - 1);
	}
	return GROUP_NO_MEMBER;
}

void group_set_live(struct group *g, uint32_t live)
{
	g->live = live;
	for (uint32_t s = 0; s < GROUP_SLOTS; s++)
		__atomic_store_n(&g->slot[s], first_live(g, s, live), __ATOMIC_RELAXED);
}

struct group *group_create(const uint16_t *member, unsigned n)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	memcpy(g->member, member, n * sizeof(*member));
	g->n = n;
	group_set_live(g, (1u << n) - 1);
	return g;
}
