// SPDX-License-Identifier: BSD-3-Clause
// config_replay.h - what the readers of key replay share
#ifndef WEIR_APPS_TOOL_CONFIG_REPLAY_H
#define WEIR_APPS_TOOL_CONFIG_REPLAY_H

#include "apps/tool/config_internal.h"
#include "apps/tool/replay_conf.h"

// Of a reader's arg, which is a struct config_reader.
struct replay_conf *config_replay(void *arg);

void config_read_captures(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_rewrites(struct ydoc *y, yaml_node_t *node, void *arg);

#endif
