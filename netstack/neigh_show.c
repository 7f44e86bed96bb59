// SPDX-License-Identifier: BSD-3-Clause
// neigh_show.c - neighbors for people to read
#include <string.h>

#include "netstack/neigh.h"

const char *neigh_state_name(uint8_t state)
{
	static const char *const names[] = {
		[NEIGH_FREE] = "free",
		[NEIGH_IDLE] = "idle",
		[NEIGH_INCOMPLETE] = "incomplete",
		[NEIGH_REACHABLE] = "reachable",
		[NEIGH_STALE] = "stale",
		[NEIGH_DELAY] = "delay",
		[NEIGH_PROBE] = "probe",
		[NEIGH_FAILED] = "failed",
		[NEIGH_STATIC] = "static",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static void describe(const struct neigh_table *t, uint32_t i, uint64_t now, struct neigh_info *out)
{
	const struct adj *a = &t->adj[i];
	const struct neigh *n = &t->neigh[i];

	*out = (struct neigh_info){
		.addr = a->addr,
		.age = now > n->since ? now - n->since : 0,
		.iface = a->iface,
		.held = n->held,
		.state = n->state,
		.known = a->ready,
		.pinned = n->pinned,
	};
	if (a->ready)
		memcpy(out->mac, adj_mac(a), 6);
}

bool neigh_next(const struct neigh_table *t, uint32_t *at, uint64_t now, struct neigh_info *out)
{
	uint32_t i = *at < t->hop0 ? t->hop0 : *at;

	while (i < t->top && t->neigh[i].state == NEIGH_FREE)
		i++;
	*at = i + 1;
	if (i >= t->top)
		return false;
	describe(t, i, now, out);
	return true;
}
