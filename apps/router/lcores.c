// SPDX-License-Identifier: BSD-3-Clause
// lcores.c - what the graphs of a router's lcores tell each other
#include <errno.h>

#include "apps/router/router.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip6_graph.h"

struct family { // how neighbors become known on all lcores (neigh_lcores.c)
	const char *learn, *resolve; // nodes
	int (*tells)(struct graph *g, struct node *to, struct err *err);
	int (*asks)(struct graph *g, struct node *to, struct err *err);
	int (*answers)(struct graph *g, struct node *to, struct err *err);
};

static const struct family arp = {"arp-learn", "arp-resolve", ip4_graph_tells, ip4_graph_asks,
				  ip4_graph_answers};
static const struct family nd = {"nd-learn", "nd-resolve", ip6_graph_tells, ip6_graph_asks,
				 ip6_graph_answers};

// What lcore `from` learns, lcore `to` learns too.
static int tell(struct app *app, const struct family *f, unsigned from, unsigned to, struct err *err)
{
	struct node *learn = graph_find(app->lcore[to].graph, f->learn);
	struct node *out = app_handoff(app, from, learn, err);

	return out ? f->tells(app->lcore[from].graph, out, err) : -ENOMEM;
}

static int join(struct app_lcore *l, const struct family *f, struct err *err)
{
	struct app *app = l->app;
	struct graph *g0 = app->lcore[0].graph;
	struct node *ask, *answer;
	int rc = 0;

	for (unsigned k = 0; !rc && k < l->id; k++) {
		rc = tell(app, f, k, l->id, err);
		if (!rc)
			rc = tell(app, f, l->id, k, err);
	}
	if (rc || !l->id)
		return rc;
	ask = app_handoff(app, l->id, graph_find(g0, f->resolve), err);
	answer = app_handoff(app, 0, graph_find(l->graph, f->learn), err);
	if (!ask || !answer)
		return -ENOMEM;
	rc = f->asks(l->graph, ask, err);
	return rc ? rc : f->answers(g0, answer, err);
}

int router_join(struct app_lcore *l, struct err *err)
{
	int rc = join(l, &arp, err);

	return rc || !router_of(l->app)->ip6[l->id] ? rc : join(l, &nd, err);
}
