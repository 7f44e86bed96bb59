// SPDX-License-Identifier: BSD-3-Clause
// live_neighbor.c - static neighbors of a transaction: on lcore 0, then on the others
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/router/live_priv.h"
#include "apps/router/router.h"
#include "netstack/eth.h"

static struct neigh_table *table(const struct live *l, uint8_t family, unsigned lcore)
{
	struct router *r = router_of(l->app);

	if (family == 4)
		return r->ip4[lcore] ? &r->ip4[lcore]->neighbors : NULL;
	return r->ip6[lcore] ? &r->ip6[lcore]->neighbors : NULL;
}

static int check(const struct live *l, enum live_op op, const struct live_neighbor *n,
		 struct err *err)
{
	if (op < LIVE_ADD || op > LIVE_FORGET)
		return err_set(err, -EINVAL, "operation %u on a neighbor: 1 to %u", op,
			       LIVE_FORGET);
	if (n->family != 4 && n->family != 6)
		return err_set(err, -EINVAL, "a neighbor of family %u: there are 4 and 6",
			       n->family);
	if (!table(l, n->family, 0))
		return err_set(err, -EAFNOSUPPORT, "the router has no IPv%u", n->family);
	if (n->iface >= router_of(l->app)->ifs->n)
		return err_set(err, -EINVAL, "interface %u: there are %u", n->iface,
			       router_of(l->app)->ifs->n);
	if ((op == LIVE_ADD || op == LIVE_REPLACE) && !eth_mac_unicast(n->mac))
		return err_set(err, -EINVAL, "a neighbor's MAC address is a group's or zero");
	if (l->neighbors == LIVE_NEIGHBORS_MAX)
		return err_set(err, -ENOSPC, "over %u neighbors in a transaction",
			       LIVE_NEIGHBORS_MAX);
	return fib_check_host(l->f, n->family, n->iface, &n->addr, err);
}

int live_neighbor(struct live *l, enum live_op op, const struct live_neighbor *n, uint32_t at,
		  struct err *err)
{
	int rc = check(l, op, n, err);

	if (rc)
		return rc;
	if (!l->neighbor)
		l->neighbor = malloc(LIVE_NEIGHBORS_MAX * sizeof(*l->neighbor));
	if (!l->neighbor)
		return err_set(err, -ENOMEM, "no memory for neighbors");
	l->neighbor[l->neighbors++] =
		(struct live_neighbor_rec){.n = *n, .at = at, .op = (uint8_t)op};
	return 0;
}

static int put(const struct live *l, const struct live_neighbor_rec *r, unsigned lcore)
{
	struct neigh_table *t = table(l, r->n.family, lcore);

	if (r->op == LIVE_ADD || r->op == LIVE_REPLACE)
		return neigh_set_static(t, r->n.iface, &r->n.addr, r->n.mac);
	neigh_delete(t, r->n.iface, &r->n.addr); // another lcore may never have heard of it
	return 0;
}

static void put_back(const struct live *l, const struct live_neighbor_rec *r, unsigned lcore)
{
	struct neigh_table *t = table(l, r->n.family, lcore);

	if (r->state != LIVE_APPLIED)
		return;
	if (r->was)
		neigh_set_static(t, r->n.iface, &r->n.addr, r->old_mac);
	else if (r->op == LIVE_ADD || r->op == LIVE_REPLACE)
		neigh_delete(t, r->n.iface, &r->n.addr); // who was learnt is learnt again
}

static int take(struct live *l, struct live_neighbor_rec *r)
{
	const struct neigh_table *t = table(l, r->n.family, 0);
	uint32_t i = neigh_find(t, r->n.iface, &r->n.addr);

	r->was = i && t->neigh[i].state == NEIGH_STATIC;
	if (r->was)
		memcpy(r->old_mac, adj_mac(&t->adj[i]), 6);
	if (r->op == LIVE_ADD && r->was)
		return -EEXIST;
	if (r->op == LIVE_DELETE && !i)
		return -ESRCH;
	return put(l, r, 0);
}

int live_neighbors_take(struct live *l)
{
	for (uint32_t i = 0; i < l->neighbors; i++) {
		struct live_neighbor_rec *r = &l->neighbor[i];
		int rc = take(l, r);

		r->state = rc ? LIVE_PASSED_OVER : LIVE_APPLIED;
		l->result.applied += !rc;
		if (!rc)
			continue;
		if (!l->result.error)
			err_set(&l->err, rc, "neighbor: %s",
				rc == -EEXIST  ? "there is a static one already"
				: rc == -ESRCH ? "there is none of this address"
					       : strerror(-rc));
		live_refuse(l, rc, r->at);
		if (l->each)
			continue;
		while (i--)
			put_back(l, &l->neighbor[i], 0);
		return rc;
	}
	l->neighbors_done = l->neighbors;
	return 0;
}

void live_neighbors_others(struct app_lcore *lcore, void *arg)
{
	struct live *l = arg;

	for (uint32_t i = 0; lcore->id && i < l->neighbors; i++)
		if (l->neighbor[i].state == LIVE_APPLIED && put(l, &l->neighbor[i], lcore->id))
			atomic_store_explicit(&l->neighbors_failed, true, memory_order_relaxed);
}

void live_neighbors_untake(struct app_lcore *lcore, void *arg)
{
	struct live *l = arg;

	for (uint32_t i = l->neighbors; i--;)
		put_back(l, &l->neighbor[i], lcore->id);
}
