// SPDX-License-Identifier: BSD-3-Clause
// cmd_ctl.h - what the files of `weir ctl` share
#ifndef WEIR_APPS_TOOL_CMD_CTL_H
#define WEIR_APPS_TOOL_CMD_CTL_H

#include "apps/tool/ctl_text.h"

struct ctl_run { // one call of `weir ctl`
	struct ctl_client *c;
	const char *endpoint;
	bool json;
	uint32_t confirm_s;
	uint32_t at; // the operation of the transaction that COMMIT found fault with; CTL_AT_FRAME: none
	bool applied_late; // something went wrong after the words were read: exit 1, not 2
};

// All return 0 or -errno and err.

// Show what the server has.
int ctl_show_routes(struct ctl_run *r, struct words *w, struct err *err);
int ctl_show_neighbors(struct ctl_run *r, struct words *w, struct err *err);
int ctl_show_ports(struct ctl_run *r, struct words *w, struct err *err);
int ctl_show_stats(struct ctl_run *r, struct words *w, struct err *err);
int ctl_show_hello(struct ctl_run *r, struct words *w, struct err *err);

// One "route add ..." or "neighbor del ..." for the feed; the words behind "route" or "neighbor".
int ctl_put_route(struct ctl_run *r, enum ctl_op op, struct words *w, struct err *err);
int ctl_put_neighbor(struct ctl_run *r, enum ctl_op op, struct words *w, struct err *err);
// The operation that a word names: 0 is none.
enum ctl_op ctl_op_of(const char *word);

// FILE of commands, whole or not at all; FILE of routes.
int ctl_apply(struct ctl_run *r, const char *path, struct err *err);
int ctl_load(struct ctl_run *r, const char *path, bool whole, struct err *err);

// Opens a transaction, and ends it: commits, says what it cost.
int ctl_begin(struct ctl_run *r, struct err *err);
int ctl_commit(struct ctl_run *r, const char *what, struct err *err);
void ctl_print_cost(const struct ctl_run *r, const char *what, const struct ctl_cost *cost);

#endif
