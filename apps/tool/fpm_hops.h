// SPDX-License-Identifier: BSD-3-Clause
// fpm_hops.h - sets of paths, kept once each, and the next hops that FRR numbers (for fpm_table.c)
#ifndef WEIR_APPS_TOOL_FPM_HOPS_H
#define WEIR_APPS_TOOL_FPM_HOPS_H

#include "apps/tool/fpm_table.h"

// The set of these paths, with a reference for the caller.
struct fpm_hops *fpm_hops_get(struct fpm_table *t, uint32_t type, const struct fpm_path *path,
			      uint32_t n);
void fpm_hops_put(struct fpm_table *t, struct fpm_hops *h); // may be NULL

// Those of the paths that have a gateway, with a reference; NULL and why: Weir cannot have such a
// route.
struct fpm_hops *fpm_hops_unicast(struct fpm_table *t, const struct fpm_path *path, uint32_t n,
				  enum fpm_why *why);
// Of what FRR announced under a number.
struct fpm_hops *fpm_nexthop_hops(struct fpm_table *t, uint32_t id, enum fpm_why *why);

void fpm_nexthops_forget(struct fpm_table *t);

#endif
