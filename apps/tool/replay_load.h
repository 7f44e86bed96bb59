// SPDX-License-Identifier: BSD-3-Clause
// replay_load.h - captures on their way to the function: into the blob, or streamed
#ifndef WEIR_APPS_TOOL_REPLAY_LOAD_H
#define WEIR_APPS_TOOL_REPLAY_LOAD_H

#include "apps/tool/config.h"
#include "apps/tool/replay_mix.h"

// Reads the captures of a configuration of function replay into c->replay, for config_blob(). Nothing to do for any
// other function, and when they are streamed. What became of their records is in *t. 0, or -errno and err; -EIO: a
// capture breaks off, and what was read before it is loaded.
int replay_load(struct config *c, struct replay_tally *t, struct err *err);

// Says what was left out or changed, a line each on standard error.
void replay_tell(const char *who, const struct replay_tally *t);

// For other commands than weir replay: replay_load(), and what there is to say. 0, or -1 after
// saying why not.
int replay_load_image(const char *who, struct config *c);

#endif
