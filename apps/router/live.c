// SPDX-License-Identifier: BSD-3-Clause
// live.c - transactions of routes: staging, the order of their phases, and forgetting them
#include "apps/router/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/router/live_priv.h"
#include "core/plat.h"

#define FORGET_AT_ONCE 64u // records between two looks at the clock

struct live *live_create(struct app *app, struct fib *f, struct err *err)
{
	struct live *l = calloc(1, sizeof(*l));

	if (!l) {
		err_set(err, -ENOMEM, "no memory for changes of routes");
		return NULL;
	}
	l->app = app;
	l->f = fib_ref(f);
	l->last_hop = FIB_NONE;
	fib_set_live(f, true);
	return l;
}

static uint64_t slice_end(void)
{
	return tsc_read() + plat_tsc_hz() / 1000000 * LIVE_SLICE_US;
}

// --- forgetting ---

static void forget_rec(struct live *l, const struct live_rec *r)
{
	if (r->hop != FIB_NONE)
		fib_drop(l->f, r->family, r->hop);
}

// The last records of a store, until the deadline.
static void forget(struct live *l, struct live_store *s, uint64_t deadline)
{
	while (s->n) {
		forget_rec(l, live_rec(s, --s->n));
		if (s->n % LIVE_CHUNK == 0) {
			free(s->chunk[s->n / LIVE_CHUNK]);
			s->chunk[s->n / LIVE_CHUNK] = NULL;
		}
		if (s->n % FORGET_AT_ONCE == 0 && tsc_read() > deadline)
			return;
	}
}

// Frees what refused operations have left behind the last record.
static void trim(struct live_store *s)
{
	size_t chunks = sizeof(s->chunk) / sizeof(s->chunk[0]);

	for (size_t i = (s->n + LIVE_CHUNK - 1) / LIVE_CHUNK; i < chunks && s->chunk[i]; i++) {
		free(s->chunk[i]);
		s->chunk[i] = NULL;
	}
}

static void forget_last_hop(struct live *l)
{
	if (l->last_hop != FIB_NONE)
		fib_drop(l->f, l->last.family, l->last_hop);
	l->last_hop = FIB_NONE;
}

void live_end(struct live *l)
{
	forget(l, &l->old, UINT64_MAX); // of the transaction before: nearly always empty by now
	trim(&l->routes);
	l->old = l->routes;
	memset(&l->routes, 0, sizeof(l->routes));
	forget_last_hop(l);
	free(l->neighbor);
	l->neighbor = NULL;
	l->neighbors = 0;
	l->phase = LIVE_DONE;
}

void live_destroy(struct live *l)
{
	if (!l)
		return;
	live_end(l);
	forget(l, &l->old, UINT64_MAX);
	fib_set_live(l->f, false);
	fib_settle(l->f);
	fib_unref(l->f);
	free(l);
}

// --- staging ---

void live_begin(struct live *l, bool each)
{
	l->each = each;
	l->settling = false; // the transaction's own phases do that, too
	l->phase = LIVE_SYNC;
	l->done = l->neighbors_done = 0;
	l->result = (struct live_result){0};
	l->err.text[0] = 0;
	atomic_store_explicit(&l->neighbors_failed, false, memory_order_relaxed);
}

static struct live_rec *new_rec(struct live *l, struct err *err)
{
	struct live_store *s = &l->routes;
	struct live_rec **chunk;

	if (s->n == LIVE_OPS_MAX) {
		err_set(err, -ENOSPC,
			"over %u operations in a transaction: commit some of them first",
			LIVE_OPS_MAX);
		return NULL;
	}
	chunk = &s->chunk[s->n / LIVE_CHUNK];
	if (!*chunk)
		*chunk = malloc(LIVE_CHUNK * sizeof(**chunk));
	if (!*chunk) {
		err_set(err, -ENOMEM, "no memory for over %u operations", s->n);
		return NULL;
	}
	return &(*chunk)[s->n % LIVE_CHUNK];
}

static bool like_last(const struct live *l, const struct fib_route *r)
{
	const struct fib_route *last = &l->last;

	if (l->last_hop == FIB_NONE || last->family != r->family || last->kind != r->kind ||
	    last->owner != r->owner || last->vrf != r->vrf || last->paths != r->paths)
		return false;
	for (unsigned i = 0; i < r->paths; i++)
		if (!ip_addr_equal(&last->path[i].via, &r->path[i].via) ||
		    last->path[i].iface != r->path[i].iface ||
		    last->path[i].weight != r->path[i].weight)
			return false;
	return true;
}

// Where r shall lead, counted. What it takes the place of is asked for its flows' sake.
static int hop_of(struct live *l, enum live_op op, const struct fib_route *r, uint32_t *hop,
		  struct err *err)
{
	int index, was = 0;

	if (!like_last(l, r)) {
		if (op == LIVE_REPLACE && r->paths > 1)
			was = fib_get(l->f, r->family, r->vrf, &r->prefix, r->plen);
		index = fib_hop(l->f, r, was > 0 ? (uint32_t)was : 0, err);
		if (index < 0)
			return index;
		forget_last_hop(l);
		l->last = *r;
		l->last_hop = (uint32_t)index;
	}
	fib_hold(l->f, r->family, l->last_hop);
	*hop = l->last_hop;
	return 0;
}

int live_route(struct live *l, enum live_op op, const struct fib_route *r, uint32_t at,
	       struct err *err)
{
	struct live_rec *rec;
	uint32_t hop = FIB_NONE;
	int rc = fib_check(l->f, r, err);

	if (!rc && (op < LIVE_ADD || op > LIVE_FORGET))
		rc = err_set(err, -EINVAL, "operation %u on a route: 1 to %u", op, LIVE_FORGET);
	if (rc)
		return rc;
	rec = new_rec(l, err);
	if (!rec)
		return l->routes.n == LIVE_OPS_MAX ? -ENOSPC : -ENOMEM;
	if (op == LIVE_ADD || op == LIVE_REPLACE)
		rc = hop_of(l, op, r, &hop, err);
	if (rc)
		return rc;
	*rec = (struct live_rec){.prefix = r->prefix,
				 .hop = hop,
				 .at = at,
				 .vrf = r->vrf,
				 .family = r->family,
				 .plen = r->plen,
				 .op = (uint8_t)op};
	l->routes.n++;
	return 0;
}

void live_unstage(struct live *l, uint32_t routes, uint32_t neighbors)
{
	while (l->routes.n > routes)
		forget_rec(l, live_rec(&l->routes, --l->routes.n));
	if (l->neighbors > neighbors)
		l->neighbors = neighbors;
}

uint32_t live_routes(const struct live *l)
{
	return l->routes.n;
}

uint32_t live_neighbors(const struct live *l)
{
	return l->neighbors;
}

uint64_t live_lost(const struct live *l)
{
	return fib_lost(l->f);
}

// --- applying ---

static void sync_lcore(struct app_lcore *lcore, void *arg)
{
	struct live *l = arg;

	fib_sync(l->f, lcore->id);
}

// Has fn run on every lcore. True when all have; else ask again.
static bool called(struct live *l, app_call_fn fn)
{
	if (!l->calling)
		l->calling = app_call(l->app, fn, l, &l->ticket);
	if (!l->calling || !app_called(l->app, l->ticket))
		return false;
	l->calling = false;
	return true;
}

static bool synced(struct live *l)
{
	if (!l->calling && !fib_wants_sync(l->f))
		return true;
	return called(l, sync_lcore) && !fib_wants_sync(l->f);
}

// Memory that prefixes have given back is free again once every lcore has passed a turn, and
// another, since what was given back meanwhile comes after. Nobody waits for it.
static void let_memory_go(struct live *l)
{
	if (!l->graces)
		return;
	if (!l->grace) {
		l->grace = app_call(l->app, sync_lcore, l, &l->grace_ticket);
	} else if (app_called(l->app, l->grace_ticket)) {
		l->grace = false;
		l->graces--;
		fib_quiescent(l->f);
		fib_collect(l->f);
	}
}

void live_refuse(struct live *l, int error, uint32_t at)
{
	if (!l->result.error) {
		l->result.error = error;
		l->result.at = at;
	}
	if (l->each)
		l->result.refused++;
}

// The phase after this one, or this one again.
static enum live_phase step(struct live *l, uint64_t deadline)
{
	switch (l->phase) {
	case LIVE_SYNC:
		return synced(l) ? LIVE_NEIGHBOR : l->phase;
	case LIVE_NEIGHBOR:
		if (!l->neighbors)
			return LIVE_APPLY;
		return live_neighbors_take(l) ? LIVE_RESOLVE : LIVE_TELL;
	case LIVE_TELL:
		if (!called(l, live_neighbors_others))
			return l->phase;
		if (!atomic_load_explicit(&l->neighbors_failed, memory_order_relaxed))
			return LIVE_APPLY;
		live_refuse(l, -ENOSPC, l->neighbor[0].at);
		return LIVE_UNTELL;
	case LIVE_APPLY:
		if (!live_apply(l, deadline))
			return l->phase;
		return l->result.error && !l->each ? LIVE_UNDO : LIVE_RESOLVE;
	case LIVE_UNDO:
		return live_undo(l, deadline) ? LIVE_UNTELL : l->phase;
	case LIVE_UNTELL:
		if (l->neighbors_done && !called(l, live_neighbors_untake))
			return l->phase;
		l->neighbors_done = 0;
		return LIVE_RESOLVE;
	case LIVE_RESOLVE:
		return fib_resolve(l->f, 1) ? l->phase : LIVE_RESOLVED;
	case LIVE_RESOLVED:
		return synced(l) ? LIVE_PUBLISH : l->phase;
	case LIVE_PUBLISH:
		if (fib_publish(l->f, 1))
			return l->phase;
		return fib_resolve(l->f, 0) ? LIVE_RESOLVE : LIVE_LAST;
	case LIVE_LAST:
		fib_collect(l->f);
		return LIVE_DONE;
	case LIVE_DONE:
		break;
	}
	return LIVE_DONE;
}

// Steps until time is up, or one has to wait.
static int work_on(struct live *l)
{
	uint64_t deadline = slice_end();

	l->graces = 2; // from now on, again
	let_memory_go(l);
	while (l->phase != LIVE_DONE) {
		enum live_phase was = l->phase;

		l->phase = step(l, deadline);
		if (tsc_read() > deadline)
			break;
		if (l->phase == was && was != LIVE_RESOLVE && was != LIVE_PUBLISH)
			break;
	}
	return l->phase == LIVE_DONE ? 0 : -EINPROGRESS;
}

int live_commit(struct live *l, struct live_result *r, struct err *err)
{
	int rc = work_on(l);

	if (rc)
		return rc;
	*r = l->result;
	if (!r->error || l->each)
		return 0;
	r->applied = 0;
	*err = l->err;
	return r->error;
}

int live_revert(struct live *l)
{
	if (l->settling) { // what was left to do goes on first: its phases are not those of this
		l->settling = work_on(l);
		return -EINPROGRESS;
	}
	if (l->phase == LIVE_DONE && (l->done || l->neighbors_done))
		l->phase = LIVE_UNDO;
	return work_on(l);
}

bool live_work(struct live *l)
{
	let_memory_go(l);
	if (l->settling || l->phase != LIVE_DONE) {
		bool more = l->settling && work_on(l);

		l->settling = more;
		return more;
	}
	forget(l, &l->old, slice_end());
	if (l->old.n || (!l->calling && !fib_wants_sync(l->f) && !fib_resolve(l->f, 0)))
		return l->old.n || l->graces;
	l->phase = LIVE_RESOLVE;
	l->settling = true;
	return true;
}
