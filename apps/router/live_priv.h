// SPDX-License-Identifier: BSD-3-Clause
// live_priv.h - the parts of a transaction, for live*.c only
#ifndef WEIR_APPS_ROUTER_LIVE_PRIV_H
#define WEIR_APPS_ROUTER_LIVE_PRIV_H

#include <assert.h>
#include <stdatomic.h>

#include "apps/router/live.h"

enum live_state { LIVE_STAGED, LIVE_APPLIED, LIVE_PASSED_OVER };

struct live_rec { // a route
	union ip_addr prefix;
	uint32_t hop; // counted for it. Staged: where it shall lead; applied: where it led before
	uint32_t at;
	uint16_t vrf;
	uint8_t family, plen, op, state;
};
static_assert(sizeof(struct live_rec) == 32, "two a cache line");

#define LIVE_CHUNK 1024u // of them

struct live_store {
	struct live_rec *chunk[LIVE_OPS_MAX / LIVE_CHUNK];
	uint32_t n;
};

struct live_neighbor_rec {
	struct live_neighbor n;
	uint32_t at;
	uint8_t op, state;
	bool was; // it was a static one before, with
	uint8_t old_mac[6];
};

enum live_phase {
	LIVE_SYNC,	// all lcores learn the new hops
	LIVE_NEIGHBOR,	// lcore 0 takes the neighbors, then the others
	LIVE_TELL,
	LIVE_APPLY,	// prefixes
	LIVE_RESOLVE,	// what recursive next hops lead to now
	LIVE_RESOLVED,	// all lcores learn hops that this needs
	LIVE_PUBLISH,
	LIVE_LAST,
	LIVE_DONE,
	LIVE_UNDO,	// prefixes, in reverse
	LIVE_UNTELL,	// neighbors
};

struct live {
	struct app *app;
	struct fib *f;
	bool each, calling, grace;
	bool settling; // nobody's transaction: what was forgotten, or changed by itself
	unsigned graces; // until all memory that was given back is free
	enum live_phase phase;
	struct live_store routes, old; // old: what ended, to be forgotten by and by
	uint32_t done;		       // routes: those before are applied
	struct live_neighbor_rec *neighbor;
	uint32_t neighbors, neighbors_done;
	_Atomic bool neighbors_failed; // on some lcore
	unsigned ticket, grace_ticket;
	struct live_result result;
	struct err err;
	// Routes often lead where the one before them leads.
	struct fib_route last;
	uint32_t last_hop; // counted; FIB_NONE: none
};

static inline struct live_rec *live_rec(const struct live_store *s, uint32_t i)
{
	return &s->chunk[i / LIVE_CHUNK][i % LIVE_CHUNK];
}

// live_apply.c: a phase of routes. Both go on until `deadline` (TSC). True: it is over.
bool live_apply(struct live *l, uint64_t deadline);
bool live_undo(struct live *l, uint64_t deadline);
void live_refuse(struct live *l, int error, uint32_t at); // the first is kept

// live_neighbor.c. take: on lcore 0; 0 or -errno, and then nothing is taken. others, untake: app_call_fn of
// all lcores, arg: the struct live.
int live_neighbors_take(struct live *l);
void live_neighbors_others(struct app_lcore *lcore, void *arg);
void live_neighbors_untake(struct app_lcore *lcore, void *arg);

#endif
