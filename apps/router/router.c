// SPDX-License-Identifier: BSD-3-Clause
// router.c - the function "router": made from its configuration, an lcore after the other
#include "apps/router/router.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/ip4_graph.h"
#include "netstack/l2_graph.h"

static_assert(IFACE_PORTS_MAX == BLOB_PORTS_MAX, "every configured port has a place");
static_assert(IFACES_MAX == BLOB_IFACES_MAX, "and every interface");

static int create(struct app *app, struct err *err)
{
	struct router *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(err, -ENOMEM, "no memory for a router");
	app->state = r;
	r->ifs = router_interfaces(app, err);
	return r->ifs ? 0 : -EINVAL;
}

static void destroy(struct app *app)
{
	struct router *r = router_of(app);

	if (!r)
		return;
	ifaces_unref(r->ifs);
	free(r);
	app->state = NULL;
}

static struct ip4_stack *create_ip4(const struct app_lcore *l, struct err *err)
{
	const struct app *app = l->app;
	const struct router *r = router_of(app);
	const struct blob *b = &app->blob;
	struct ip4_conf conf = {
		.pool = app->pool,
		.ifs = r->ifs,
		.addresses = b->n_addrs,
		.nexthops = b->n_paths,
		.neighbors = b->n_neighbors,
		.routes = b->n_routes4,
		.icmp_rate = b->params->icmp_rate,
		.icmp_burst = b->params->icmp_burst,
		.arp_timeout = b->params->arp_timeout,
		.arp_hold = b->params->arp_hold,
		.lcore = l->id,
		.lcores = app->lcores,
		.lcore0 = r->ip4[0],
	};

	return ip4_stack_create(&conf, err);
}

// The node at which frames of all ports enter.
static struct node *build_graph(struct app_lcore *l, struct ip4_stack *s, struct err *err)
{
	struct node *tx[IFACE_OUTS_MAX] = {NULL};
	struct node *in;

	memcpy(tx, l->tx, l->app->ports * sizeof(*tx));
	if (l2_graph_outs(l->graph, s->ifs, tx, err)) {
		ip4_stack_destroy(s);
		return NULL;
	}
	in = ip4_graph_build(l->graph, s, tx, err);
	return in && !l2_graph_enter(l->graph, in, err) ? in : NULL;
}

static int build(struct app_lcore *l, struct err *err)
{
	struct app *app = l->app;
	struct ip4_stack *s;
	struct node *in;
	int rc = l->id ? 0 : create(app, err);

	if (rc)
		return rc;
	s = create_ip4(l, err);
	if (!s)
		return -EINVAL;
	router_of(app)->ip4[l->id] = s;
	rc = router_configure(s, app, err);
	if (rc) {
		ip4_stack_destroy(s);
		return rc;
	}
	in = build_graph(l, s, err);
	if (!in)
		return -EINVAL;
	for (unsigned p = 0; p < app->ports; p++)
		l->rx[p] = in;
	return router_join(l, err);
}

static void announce(struct app_lcore *l, unsigned port)
{
	ip4_stack_announce(router_of(l->app)->ip4[l->id], (uint16_t)port);
}

static void link_changed(struct app *app, unsigned port, bool up)
{
	ifaces_link(router_of(app)->ifs, (uint16_t)port, up);
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
	.announce = announce,
	.link = link_changed,
};
