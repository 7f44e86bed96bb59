// SPDX-License-Identifier: BSD-3-Clause
// lpm_group.h - the prefixes of one part of the address space
//
// For lpm*.c only. A prefix inside its part is a node of a binary tree numbered as a heap is: the
// part itself is 1, the halves of node i are 2i and 2i + 1. A group is a sorted array of
// (node << shift | value), which is short prefixes first: painting them in order leaves every
// place with its longest match.
#ifndef WEIR_NETSTACK_LPM_GROUP_H
#define WEIR_NETSTACK_LPM_GROUP_H

#include "netstack/lpm_pool.h"

#define LPM_ABSENT 0xffffu    // no such prefix, in arrays of next hops by node; no next hop is this
#define LPM_DEEP   (1u << 15) // a place that is no next hop: what else is the family's business

struct lpm_group {
	uint32_t where; // one entry: the entry itself; more: reference into the pool
	uint16_t count;
	uint16_t nh; // longest match among the prefixes too short for this group
};

// put and remove need room for one block in the pool. remove of what is not there does nothing.
uint32_t *lpm_group_entries(const struct lpm_pool *rib, struct lpm_group *g);
uint32_t *lpm_group_find(const struct lpm_pool *rib, struct lpm_group *g, uint32_t node,
			 unsigned shift);
void lpm_group_put(struct lpm_pool *rib, struct lpm_group *g, uint32_t node, unsigned shift,
		   uint32_t value);
void lpm_group_remove(struct lpm_pool *rib, struct lpm_group *g, uint32_t node, unsigned shift);

#endif
