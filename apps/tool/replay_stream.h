// SPDX-License-Identifier: BSD-3-Clause
// replay_stream.h - a thread that reads captures while they are played
#ifndef WEIR_APPS_TOOL_REPLAY_STREAM_H
#define WEIR_APPS_TOOL_REPLAY_STREAM_H

#include "apps/tool/config.h"
#include "apps/tool/replay_mix.h"

struct replay_stream;

// Sets replay_feed (apps/replay/replay.h) to one that reads c->replay's captures, which it opens. cpu: the lcore's,
// where it will not run if there is another; -1: unknown. NULL and err. c lives on.
struct replay_stream *replay_stream_new(const struct config *c, int cpu, struct err *err);
// When no lcore runs: ends the thread. What it read, of all loops.
void replay_stream_stop(struct replay_stream *s, struct replay_tally *t);
// After app_stop(): frees it. 0, or the error that ended its reading.
int replay_stream_end(struct replay_stream *s, struct err *err);

#endif
