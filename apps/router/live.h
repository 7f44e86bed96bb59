// SPDX-License-Identifier: BSD-3-Clause
// live.h - routes and static neighbors that change while packets flow
//
// A transaction is staged, then applied: whole, or not at all. Staging makes the hops that its routes lead to,
// which packets cannot see yet. Applying goes by slices of LIVE_SLICE_US between two turns of lcore 0,
// prefix by prefix: a packet takes the old route or the new, never another. Each operation keeps what was
// there before, so that all can be taken back in reverse: when one fails, or later, until live_end().
//
// With several lcores each step that others must have gone by before the next waits for them (app_call):
// hops are known to all before a prefix names them, and numbers are given anew only after all have
// forgotten them. No lcore waits for another, and none locks.
//
// Main thread, which is lcore 0, between its turns. One transaction at a time.
#ifndef WEIR_APPS_ROUTER_LIVE_H
#define WEIR_APPS_ROUTER_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/app.h"
#include "core/err.h"
#include "netstack/fib.h"

#define LIVE_SLICE_US	   40u
#define LIVE_OPS_MAX	   (1u << 21) // routes of a transaction; 32 bytes each
#define LIVE_NEIGHBORS_MAX 4096u

enum live_op { // as enum ctl_op
	LIVE_ADD = 1, // -EEXIST when there is one
	LIVE_REPLACE, // there or not
	LIVE_DELETE,  // -ESRCH when there is none
	LIVE_FORGET,  // there or not
};

struct live_neighbor {
	union ip_addr addr;
	uint16_t iface;
	uint8_t family; // 4 or 6
	uint8_t mac[6];
};

struct live_result {
	uint32_t applied;
	uint32_t refused; // of operations each for itself
	int error;	  // the first that failed, -errno,
	uint32_t at;	  // and its number, as it was staged
};

struct live;

// For an app whose graphs are built. NULL and err: no memory.
struct live *live_create(struct app *app, struct fib *f, struct err *err);
void live_destroy(struct live *l); // may be NULL; nothing runs any longer

// each: operations that fail are passed over and counted, the others stay.
void live_begin(struct live *l, bool each);

// Stages an operation, whose number is `at`. Of LIVE_DELETE and LIVE_FORGET kind and paths do not count.
// -EINVAL, -ENOSPC (too many operations, or hops), -ENOMEM: it is not staged.
int live_route(struct live *l, enum live_op op, const struct fib_route *r, uint32_t at, struct err *err);
int live_neighbor(struct live *l, enum live_op op, const struct live_neighbor *n, uint32_t at,
		  struct err *err);

// Forgets what was staged behind the first `routes` routes and `neighbors` neighbors.
void live_unstage(struct live *l, uint32_t routes, uint32_t neighbors);
uint32_t live_routes(const struct live *l);
uint32_t live_neighbors(const struct live *l);

// One slice of applying: -EINPROGRESS until all is in place: whatever an lcore begins from then on goes by
// it (a burst that it has begun ends as it began: who cares waits for an app_call). Then 0, or what
// failed: all is as it was before. r is filled then.
int live_commit(struct live *l, struct live_result *r, struct err *err);
// One slice of taking back what live_commit() has applied: 0, or -EINPROGRESS.
int live_revert(struct live *l);
// What was applied stays for good, what was not is forgotten.
void live_end(struct live *l);

// A slice of what is left to do after that. True: there is more, so call again.
bool live_work(struct live *l);

// Packets that waited for a neighbor and were dropped since no route names it any longer.
uint64_t live_lost(const struct live *l);

#endif
