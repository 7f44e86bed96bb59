// SPDX-License-Identifier: BSD-3-Clause
// control.h - the control channel's server: requests of core/ctl.h, answered between turns of lcore 0
//
// Main thread, which is lcore 0. The server reads frames from streams (core/stream.h), checks them, and
// answers each before it takes the next of the same stream. What it does at one housekeeping is bounded, so
// that packets do not wait: work that takes longer says -EINPROGRESS and is called again.
//
// A function that has tables gives struct control_ops. The server keeps the order of a transaction (one at
// a time, whoever's; others wait), its time limits, its cost, and takes it back when its client goes away;
// the function stages, applies and undoes.
#ifndef WEIR_APPS_CONTROL_H
#define WEIR_APPS_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ctl.h"
#include "core/err.h"
#include "core/stream.h"

struct app;
struct app_lcore;
struct control;

struct control_req { // a request whose frame is sound; its payload is hostile
	uint16_t type;
	uint32_t len;
	const void *payload; // 16-byte aligned; the same bytes at each call until the answer
	bool again;	     // this call goes on with what said -EINPROGRESS
	uint32_t at;	     // out, with an error: the operation at fault (CTL_AT_FRAME to begin with)
};

struct control_out { // the answer's payload
	uint8_t *data;
	uint32_t len, room;
};

// Appends len bytes; false and nothing done when there is no room.
bool control_put(struct control_out *out, const void *data, uint32_t len);

// l is lcore 0. All return 0, or -errno and err, whose text goes to the client.
struct control_ops {
	// A request of the function's own that is no operation (CTL_ROUTES_SHOW, CTL_NEIGHBORS_SHOW).
	// -EINPROGRESS: call me again; `out` is then as it was left. -ENOTSUP: no such type.
	int (*request)(struct app_lcore *l, struct control_req *req, struct control_out *out, struct err *err);
	// A transaction: begin, stage and stage and ..., then commit or drop. One at a time.
	int (*begin)(struct app_lcore *l, struct err *err);
	// Takes the operations of one frame (CTL_ROUTES, CTL_NEIGHBORS), all or, on an error, none, and adds
	// to *staged how many. Nothing of it is seen by packets yet. -EINPROGRESS: call me again; -ENOSPC:
	// more than there is memory for.
	int (*stage)(struct app_lcore *l, struct control_req *req, uint32_t *staged, struct err *err);
	// Applies all that is staged or nothing of it. -EINPROGRESS until every lcore goes by it; called
	// once a housekeeping until then, for slices of at most about 50 us. Fills applied and lost of *cost. An
	// error comes when all is as before again; cost->at: the operation at fault, as counted by stage().
	int (*commit)(struct app_lcore *l, struct ctl_cost *cost, struct err *err);
	// Takes back what commit() has applied, in slices likewise (0 or -EINPROGRESS; it cannot fail).
	int (*revert)(struct app_lcore *l, struct ctl_cost *cost);
	// The end of a transaction: forget what is staged and how to undo what was applied.
	void (*end)(struct app_lcore *l);
	// Operations each for itself (CTL_OPS_EACH), without a transaction: as commit(), but one that is
	// refused is counted in *cost and the others go on.
	int (*each)(struct app_lcore *l, struct control_req *req, struct ctl_cost *cost, struct err *err);
};

// Makes the server of an app that was started. It listens on nothing yet. NULL and err: no memory.
struct control *control_create(struct app *app, struct err *err);

// Adds where clients come from (a listening socket), or a stream there is from the start (a console). Both
// are the server's from now on. 0 or -ENOSPC.
int control_listen(struct control *c, struct stream_listener *listener);
int control_add(struct control *c, struct stream *s);

// Housekeeping of lcore 0 (apps/app_build.c): takes, works, answers. Whether it is busy: lcore 0 had better
// not sleep.
bool control_poll(struct control *c, uint64_t tsc);

// Drops the transaction there may be unapplied, closes every stream, frees. After app_run().
void control_destroy(struct control *c);

#endif
