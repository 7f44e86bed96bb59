// SPDX-License-Identifier: BSD-3-Clause
// lcores.c - what the graphs of a router's lcores tell each other
#include <errno.h>

#include "apps/router/router.h"
#include "netstack/ip4_graph.h"

// What ARP of lcore `from` learns, lcore `to` learns too.
static int tell(struct app *app, unsigned from, unsigned to, struct err *err)
{
	struct node *learn = graph_find(app->lcore[to].graph, "arp-learn");
	struct node *out = app_handoff(app, from, learn, err);

	return out ? ip4_graph_tells(app->lcore[from].graph, out, err) : -ENOMEM;
}

int router_join(struct app_lcore *l, struct err *err)
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
