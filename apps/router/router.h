// SPDX-License-Identifier: BSD-3-Clause
// router.h - what the parts of the function "router" share
//
// Control path: made by lcore 0 before the loops run, and changed by it between its turns.
#ifndef WEIR_APPS_ROUTER_ROUTER_H
#define WEIR_APPS_ROUTER_ROUTER_H

#include "apps/app.h"
#include "netstack/fib.h"
#include "netstack/iface.h"
#include "netstack/ip4_stack.h"
#include "netstack/ip6_stack.h"

struct router_frame { // of operations, on its way into a transaction (control.c)
	uint32_t off;		    // of the next operation
	uint32_t at;		    // its number
	uint32_t before;	    // operations of the transaction before it
	uint32_t routes, neighbors; // staged before it
	bool broken;		    // where its operations end cannot be told any more
	bool staged;
};

struct router { // of all lcores: app->state
	struct ifaces *ifs;
	struct fib *fib;
	struct live *live; // changes of fib while lcores run
	struct router_frame frame;
	bool committing;
	uint64_t lost; // live_lost() before the commit
	// Of lcore k; its graph frees them. Without an IPv6 address there is no ip6.
	struct ip4_stack *ip4[APP_LCORES_MAX];
	struct ip6_stack *ip6[APP_LCORES_MAX];
};

// For functions that stand on a router (apps/pktgen): their app->state begins with a struct router, which they
// make, zeroed, before lcore 0's graph is built, and router_fini() clears. What packets from the network enter at
// on lcore l, for which l->rx[] is the caller's to set; NULL and err. app->state is r from then on. The
// others are the router's own answers to struct function.
struct node *router_build(struct app_lcore *l, struct router *r, struct err *err);
void router_fini(struct router *r);
void router_announce(struct app_lcore *l, unsigned port);
void router_link(struct app *app, unsigned port, bool up);
bool router_admin(struct app *app, unsigned iface, bool up);
void router_stats(const struct app *app, stats_emit_fn emit, void *arg);
void router_tick(struct app *app);
void router_end(struct app_lcore *l0);
bool router_work(struct app *app);

struct live;
struct control_req;
struct control_out;
extern const struct control_ops router_control; // control.c

static inline struct router *router_of(const struct app *app)
{
	return app->state;
}

// The interfaces that a configuration names, ports first (interfaces.c). NULL and err.
struct ifaces *router_interfaces(const struct app *app, struct err *err);

// The stacks of lcore l, with addresses and neighbors (stacks.c). 0 or -errno; what was made stands in the
// router.
int router_stacks(struct app_lcore *l, struct err *err);

// The routes of a configuration (tables.c), when all addresses are there. 0 or -errno.
int router_routes(const struct app *app, struct err *err);

// What the control channel shows of routes and neighbors (show.c): as control_ops.request.
int router_show(struct app_lcore *l, struct control_req *req, struct control_out *out, struct err *err);

// Joins l's graph to those of the lcores before it (lcores.c). 0 or -errno.
int router_join(struct app_lcore *l, struct err *err);

#endif
