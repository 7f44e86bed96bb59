// SPDX-License-Identifier: BSD-3-Clause
// ctl_client.h - a client of the control channel (core/ctl.h, docs/control.md)
//
// For `weir ctl` and whatever feeds tables (weir fpm). One thread a client. All return 0 or -errno and say
// in err what is wrong and what to do. The server's refusals are -errno as it said, with its text; after
// one the client goes on. Where the stream itself fails (-EPIPE, -EPROTO, -ETIMEDOUT) every later call fails
// likewise: close, connect again, start over.
#ifndef WEIR_APPS_TOOL_CTL_CLIENT_H
#define WEIR_APPS_TOOL_CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctl.h"
#include "core/err.h"

#define CTL_TIMEOUT_MS 10000 // for an answer, unless told otherwise
#define CTL_WINDOW     4u    // frames of operations under way at once: what a console's socket holds

struct ctl_client;

struct ctl_answer {
	uint16_t type; // of the request
	uint32_t id;
	uint32_t len;
	const void *payload; // 16-byte aligned; until the next call
	int error;	     // 0, or -errno: the server refused, and says why in err
	uint32_t at;	     // with an error: the operation at fault, or CTL_AT_FRAME
};

// Connects to the unix socket of `weir run --control PATH` or `weir boot --control PATH`, and says hello.
// -ENOENT, -ECONNREFUSED: nobody there; -EPROTONOSUPPORT: it speaks another version; -ENOTSUP: it is no Weir.
int ctl_connect(struct ctl_client **c, const char *endpoint, struct err *err);
void ctl_close(struct ctl_client *c);

// What it said of itself.
const struct ctl_hello *ctl_hello(const struct ctl_client *c);
void ctl_set_timeout(struct ctl_client *c, int ms);

// One request and its answer. answer->error is the return value too.
int ctl_call(struct ctl_client *c, uint16_t type, const void *payload, uint32_t len, struct ctl_answer *a,
	     struct err *err);

// Names: read once with DESCRIBE when first asked for. Index or -ENOENT, with the names there are in err.
int ctl_index(struct ctl_client *c, enum ctl_kind kind, const char *name, struct err *err);
// NULL: there is no such index.
const char *ctl_name(struct ctl_client *c, enum ctl_kind kind, uint16_t index);

// --- many operations: gathered into frames, several under way at once ---

struct ctl_feed_totals {
	uint64_t operations;	     // given to the server
	uint64_t applied, refused;   // as it answered so far
	uint64_t lost;		     // packets, because of the changes
	uint64_t turn_ns;	     // the longest turn of all
	uint64_t frames;
	uint64_t failed; // the first operation that made a frame fail; UINT64_MAX: none
};

// With each: every operation for itself (CTL_OPS_EACH): what is refused is counted, handed to `refused` (may
// be NULL) for the first of each frame, and the rest goes on. Without: a frame with a bad operation fails
// whole, and so does the feed; the transaction, if one was opened with CTL_BEGIN, is the caller's to drop.
int ctl_feed_begin(struct ctl_client *c, bool each, void (*refused)(void *arg, int error, uint64_t operation),
		   void *arg);
// Waits only when CTL_WINDOW frames are unanswered. `operation` above counts these calls from 0.
int ctl_feed_route(struct ctl_client *c, const struct ctl_route *r, const struct ctl_path *paths,
		   struct err *err);
int ctl_feed_neighbor(struct ctl_client *c, const struct ctl_neighbor *n, struct err *err);
// Sends what is gathered; with wait, until all is answered.
int ctl_feed_flush(struct ctl_client *c, bool wait, struct err *err);
const struct ctl_feed_totals *ctl_feed_totals(const struct ctl_client *c);

// For poll(2): the socket. Answers that are read early are kept.
int ctl_fd(const struct ctl_client *c);
// Takes what answers have come, without waiting (feeds that live long).
int ctl_feed_poll(struct ctl_client *c, struct err *err);

#endif
