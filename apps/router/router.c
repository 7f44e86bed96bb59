// SPDX-License-Identifier: BSD-3-Clause
// router.c - the function "router": made from its configuration, an lcore after the other
#include "apps/router/live.h"
#include "apps/router/router.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/ip4_graph.h"
#include "netstack/ip6_graph.h"
#include "netstack/l2_graph.h"
#include "netstack/nd.h"

static_assert(IFACE_PORTS_MAX == BLOB_PORTS_MAX, "every configured port has a place");
static_assert(IFACES_MAX == BLOB_IFACES_MAX, "and every interface");

// Room for the configuration's hops, and as many again and more for those that come while it runs.
static uint32_t hops_wanted(const struct blob *b)
{
	uint32_t n = 2 * (b->n_hops + b->n_paths) + FIB_HOPS;

	return n < FIB_HOPS_MAX ? n : FIB_HOPS_MAX;
}

static int create(struct app *app, struct router *r, struct err *err)
{
	const struct blob *b = &app->blob;
	struct fib_conf conf = {.vrfs = b->n_vrfs + 1,
				.hops = hops_wanted(b),
				.routes4 = b->n_routes4,
				.routes6 = b->n_routes6,
				.lcores = app->lcores};

	app->state = r;
	r->ifs = conf.ifs = router_interfaces(app, err);
	r->fib = r->ifs ? fib_create(&conf, err) : NULL;
	return r->fib ? 0 : -EINVAL;
}

void router_fini(struct router *r)
{
	live_destroy(r->live);
	fib_unref(r->fib);
	ifaces_unref(r->ifs);
}

static void destroy(struct app *app)
{
	struct router *r = router_of(app);

	if (!r)
		return;
	router_fini(r);
	free(r);
	app->state = NULL;
}

// The node at which frames of all ports enter. The stacks are the graph's in any case.
static struct node *build_graph(struct app_lcore *l, struct err *err)
{
	struct router *r = router_of(l->app);
	struct ip4_stack *ip4 = r->ip4[l->id];
	struct ip6_stack *ip6 = r->ip6[l->id];
	struct node *tx[IFACE_OUTS_MAX] = {NULL};
	struct node *in;

	memcpy(tx, l->tx, l->app->ports * sizeof(*tx));
	if (l2_graph_outs(l->graph, r->ifs, tx, err)) {
		ip4_stack_destroy(ip4);
		ip6_stack_destroy(ip6);
		return NULL;
	}
	in = ip4_graph_build(l->graph, ip4, tx, err);
	if (!in) {
		ip6_stack_destroy(ip6);
		return NULL;
	}
	if (ip6 && ip6_graph_build(l->graph, ip6, tx, err))
		return NULL;
	return l2_graph_enter(l->graph, in, err) ? NULL : in;
}

static int make_stacks(struct app_lcore *l, struct err *err)
{
	struct router *r = router_of(l->app);
	int rc = router_stacks(l, err);

	if (!rc && !l->id)
		rc = router_routes(l->app, err);
	if (rc) {
		ip4_stack_destroy(r->ip4[l->id]);
		ip6_stack_destroy(r->ip6[l->id]);
	}
	return rc;
}

struct node *router_build(struct app_lcore *l, struct router *r, struct err *err)
{
	struct app *app = l->app;
	struct node *in;
	int rc = l->id ? 0 : create(app, r, err);

	if (!rc)
		rc = make_stacks(l, err);
	if (rc)
		return NULL;
	in = build_graph(l, err);
	if (!in || router_join(l, err))
		return NULL;
	if (l->id + 1 == app->lcores) {
		r->live = live_create(app, r->fib, err);
		if (!r->live)
			return NULL;
	}
	return in;
}

static int build(struct app_lcore *l, struct err *err)
{
	struct router *r = l->id ? router_of(l->app) : calloc(1, sizeof(*r));
	struct node *in;

	if (!r)
		return err_set(err, -ENOMEM, "no memory for a router");
	in = router_build(l, r, err);
	for (unsigned p = 0; in && p < l->app->ports; p++)
		l->rx[p] = in;
	return in ? 0 : -EINVAL;
}

// Whether interface i, or what it is made of, is the port.
static bool stands_on(const struct ifaces *ifs, uint16_t i, uint16_t port)
{
	const struct iface *f = &ifs->iface[i];

	if (i == port)
		return true;
	if (f->kind == IFACE_VLAN)
		return stands_on(ifs, f->parent, port);
	if (f->kind == IFACE_GROUP)
		return ifs->iface[port].group == i;
	for (uint16_t k = 0; f->kind == IFACE_BRIDGE && k < ifs->n; k++)
		if (ifs->iface[k].bridge == i && stands_on(ifs, k, port))
			return true;
	return false;
}

void router_announce(struct app_lcore *l, unsigned port)
{
	struct router *r = router_of(l->app);

	for (uint16_t i = 0; i < r->ifs->n; i++) {
		if (!stands_on(r->ifs, i, (uint16_t)port))
			continue;
		ip4_stack_announce(r->ip4[l->id], i);
		if (r->ip6[l->id])
			nd_announce(r->ip6[l->id], i);
	}
}

// People are told of addresses that somebody else has, too.
void router_tick(struct app *app)
{
	struct ip6_stack *s = router_of(app)->ip6[0];
	const struct blob *b = &app->blob;
	char text[IP6_TEXT_MAX];
	union ip_addr addr;
	uint16_t i;

	while (s && nd_next_duplicate(s, &addr, &i))
		fprintf(stderr,
			"weir: %s: another station has the address %s: it is not used. Take it away there "
			"or give another here, then start again\n",
			blob_str(b, b->ifaces[i].name), ip6_text(text, addr.v6));
}

void router_end(struct app_lcore *l0)
{
	struct ip6_stack *s = router_of(l0->app)->ip6[0];

	if (s)
		nd_end(s);
}

void router_link(struct app *app, unsigned port, bool up)
{
	ifaces_link(router_of(app)->ifs, (uint16_t)port, up);
	fib_link_changed(router_of(app)->fib);
}

bool router_work(struct app *app)
{
	return live_work(router_of(app)->live);
}

bool router_admin(struct app *app, unsigned iface, bool up)
{
	struct ifaces *ifs = router_of(app)->ifs;

	if (iface < ifs->ports || iface >= ifs->n)
		return false;
	ifaces_set_up(ifs, (uint16_t)iface, up);
	fib_link_changed(router_of(app)->fib);
	return true;
}

void router_stats(const struct app *app, stats_emit_fn emit, void *arg)
{
	ifaces_stats_emit(router_of(app)->ifs, emit, arg);
}

// A port that is made into something, or one of whose VLANs is, takes frames for others, too.
static bool station(const struct blob *b, unsigned port)
{
	for (uint32_t i = 0; i < b->n_members; i++) {
		const struct blob_iface *m = &b->ifaces[b->members[i]];

		if (b->members[i] == port || (m->kind == BLOB_IFACE_VLAN && m->parent == port))
			return false;
	}
	for (uint32_t i = 0; i < b->n_ifaces; i++)
		if (b->ifaces[i].kind == BLOB_IFACE_VLAN && b->ifaces[i].parent == port &&
		    b->ifaces[i].flags & BLOB_IFACE_MAC)
			return false;
	return true;
}

const struct function router_function = {
	.name = "router",
	.station = station,
	.build = build,
	.destroy = destroy,
	.announce = router_announce,
	.link = router_link,
	.admin = router_admin,
	.stats = router_stats,
	.tick = router_tick,
	.end = router_end,
	.work = router_work,
	.control = &router_control,
};
