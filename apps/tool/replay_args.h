// SPDX-License-Identifier: BSD-3-Clause
// replay_args.h - the command line of weir replay, made into the configuration it stands for
#ifndef WEIR_APPS_TOOL_REPLAY_ARGS_H
#define WEIR_APPS_TOOL_REPLAY_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define REPLAY_ARGS_MAX 64u

struct replay_args {
	const char *port[REPLAY_ARGS_MAX]; // NAME=DEVICE
	unsigned ports;
	const char *file[REPLAY_ARGS_MAX];
	unsigned files;
	const char *split;
	struct replay_word { // a key of `replay` and its value, as YAML
		const char *key, *value;
	} word[REPLAY_ARGS_MAX];
	unsigned words;
	struct replay_word change[REPLAY_ARGS_MAX]; // [PORT=]VALUE of a rewrite
	unsigned changes;
};

// A configuration that says the same; the caller frees. NULL and err.
char *replay_args_yaml(const struct replay_args *a, size_t *len, struct err *err);

#endif
