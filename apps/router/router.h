// SPDX-License-Identifier: BSD-3-Clause
// router.h - what the parts of the function "router" share
//
// Control path: made by lcore 0 before the loops run, and changed by it between its turns.
#ifndef WEIR_APPS_ROUTER_ROUTER_H
#define WEIR_APPS_ROUTER_ROUTER_H

#include "apps/app.h"
#include "netstack/iface.h"
#include "netstack/ip4_stack.h"

struct router { // of all lcores: app->state
	struct ifaces *ifs;
	struct ip4_stack *ip4[APP_LCORES_MAX]; // of lcore k; its graph frees it
};

static inline struct router *router_of(const struct app *app)
{
	return app->state;
}

// The interfaces that a configuration names, ports first (interfaces.c). NULL and err.
struct ifaces *router_interfaces(const struct app *app, struct err *err);

// Addresses, routes and neighbors of an lcore's stack (tables.c). 0 or -errno.
int router_configure(struct ip4_stack *s, const struct app *app, struct err *err);

// Joins l's graph to those of the lcores before it (lcores.c). 0 or -errno.
int router_join(struct app_lcore *l, struct err *err);

#endif
