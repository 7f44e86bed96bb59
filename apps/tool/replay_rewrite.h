// SPDX-License-Identifier: BSD-3-Clause
// replay_rewrite.h - change a captured frame as the configuration says, before it is sent
#ifndef WEIR_APPS_TOOL_REPLAY_REWRITE_H
#define WEIR_APPS_TOOL_REPLAY_REWRITE_H

#include "apps/tool/replay_conf.h"

#define REPLAY_GROWS 4u // bytes that a frame may get longer by a tag

// Whether anything is changed at all.
bool replay_rewrites(const struct replay_conf *c);

// Rewrites the len bytes at f, which has room for the largest of REPLAY_GROWS more, `wire` and c->pad; `wire` is
// how long the frame was when it was captured. Returns the new length.
uint32_t replay_rewrite(const struct replay_conf *c, uint16_t port, uint8_t *f, uint32_t len, uint32_t wire);

#endif
