// SPDX-License-Identifier: BSD-3-Clause
// router.c - the function "router": an IPv4 router made from its configuration
#include <assert.h>
#include <errno.h>

#include "apps/app.h"
#include "netstack/ip4_graph.h"
#include "core/wire.h"

static_assert(IFACE_PORTS_MAX == BLOB_PORTS_MAX, "every configured port has a place");

// The stack of lcore 0.
static struct ip4_stack *first(const struct app *app)
{
	return graph_find(app->lcore[0].graph, "arp-hold")->state;
}

static struct ifaces *make_ifaces(const struct app *app, struct err *err)
{
	struct ifaces *ifs = ifaces_create(app->ports, 0, err);

	for (unsigned p = 0; ifs && p < app->ports; p++) {
		const struct port_grant *grant = &app->port[p].grant;

		if (ifaces_port(ifs, (uint16_t)p, grant->mac, grant->mtu, err)) {
			ifaces_unref(ifs);
			return NULL;
		}
	}
	return ifs;
}

static struct ip4_stack *create(const struct app_lcore *l, struct err *err)
{
	const struct app *app = l->app;
	const struct blob *b = &app->blob;
	struct ip4_conf conf = {
		.pool = app->pool,
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
		.lcore0 = l->id ? first(app) : NULL,
	};
	struct ip4_stack *s;

	conf.ifs = l->id ? ifaces_ref(conf.lcore0->ifs) : make_ifaces(app, err);
	if (!conf.ifs)
		return NULL;
	s = ip4_stack_create(&conf, err);
	ifaces_unref(conf.ifs);
	return s;
}

static int set_addresses(struct ip4_stack *s, const struct blob *b, struct err *err)
{
	for (uint32_t i = 0; i < b->n_addrs; i++) {
		const struct blob_addr *a = &b->addrs[i];
		int rc;

		if (a->family != 4) // IPv6 frames are counted as ip6-unsupported
			continue;
		rc = ip4_stack_address(s, a->iface, be32(load32(a->addr)), a->plen, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int set_routes(struct ip4_stack *s, const struct blob *b, struct err *err)
{
	for (uint32_t i = 0; i < b->n_routes4; i++) {
		const struct blob_route4 *r = &b->routes4[i];
		const struct blob_path *p = &b->paths[b->hops[r->hop].first];
		int rc;

		if (b->hops[r->hop].paths != 1 || p->iface == BLOB_IFACE_ANY)
			return err_set(err, -ENOTSUP, "route %u: a single neighbor is all it can lead to", i);
		rc = ip4_stack_nexthop(s, p->iface, be32(load32(p->via)), err);
		// The routes themselves are lcore 0's; the next hops have the same number everywhere.
		if (rc >= 0 && s->shares)
			rc = 0;
		else if (rc >= 0)
			rc = ip4_stack_route(s, r->prefix, r->plen, (uint32_t)rc, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int set_neighbors(struct ip4_stack *s, const struct blob *b, struct err *err)
{
	for (uint32_t i = 0; i < b->n_neighbors; i++) {
		const struct blob_neighbor *n = &b->neighbors[i];
		int rc = n->family == 4 ? ip4_stack_neighbor(s, n->iface, be32(load32(n->addr)), n->mac, err) : 0;

		if (rc)
			return rc;
	}
	return 0;
}

static int configure(struct ip4_stack *s, const struct app *app, struct err *err)
{
	int rc = set_addresses(s, &app->blob, err);

	if (!rc)
		rc = set_routes(s, &app->blob, err);
	if (!rc)
		rc = set_neighbors(s, &app->blob, err);
	return rc;
}

// What ARP of lcore `from` learns, lcore `to` learns too.
static int tell(struct app *app, unsigned from, unsigned to, struct err *err)
{
	struct node *learn = graph_find(app->lcore[to].graph, "arp-learn");
	struct node *out = app_handoff(app, from, learn, err);

	return out ? ip4_graph_tells(app->lcore[from].graph, out, err) : -ENOMEM;
}

// Joins l's graph to those of the lcores before it.
static int join(struct app_lcore *l, struct err *err)
{
	struct app *app = l->app;
	struct graph *g0 = app->lcore[0].graph;
	struct node *ask, *answer;
	int rc = 0;

	for (unsigned k = 0; !rc && k < l->id; k++) {
		rc = tell(app, k, l->id, err);
		if (!rc)
			rc = tell(app, l->id, k, err);
	}
	if (rc || !l->id)
		return rc;
	ask = app_handoff(app, l->id, graph_find(g0, "arp-resolve"), err);
	answer = app_handoff(app, 0, graph_find(l->graph, "arp-learn"), err);
	if (!ask || !answer)
		return -ENOMEM;
	rc = ip4_graph_asks(l->graph, ask, err);
	return rc ? rc : ip4_graph_answers(g0, answer, err);
}

static int build(struct app_lcore *l, struct err *err)
{
	const struct app *app = l->app;
	struct ip4_stack *s = create(l, err);
	struct node *in;
	int rc;

	if (!s)
		return -EINVAL;
	rc = configure(s, app, err);
	if (rc) {
		ip4_stack_destroy(s);
		return rc;
	}
	in = ip4_graph_build(l->graph, s, l->tx, err);
	if (!in)
		return -EINVAL;
	for (unsigned p = 0; p < app->ports; p++)
		l->rx[p] = in;
	return join(l, err);
}

static void announce(struct app_lcore *l, unsigned port)
{
	ip4_stack_announce(graph_find(l->graph, "arp-hold")->state, (uint16_t)port);
}

const struct function router_function = {
	.name = "router",
	.station = true,
	.build = build,
	.announce = announce,
};
