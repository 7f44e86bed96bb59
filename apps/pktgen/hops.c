// SPDX-License-Identifier: BSD-3-Clause
// hops.c - next hops of streams: found among the station's networks, asked for by ARP and ND, kept alive
//
// They are neighbors in lcore 0's tables, as a router's are. Generators are told the MAC addresses between turns; a
// device that takes another address meanwhile is followed.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/pktgen_priv.h"

#define ASKED_AT_ONCE 64u // a look

static int compare(const void *a, const void *b)
{
	const struct hop *x = a, *y = b;
	int d = (int)x->port - (int)y->port;

	if (!d)
		d = (int)x->family - (int)y->family;
	return d ? d : memcmp(&x->via, &y->via, sizeof(x->via));
}

int hops_create(struct app *app, struct err *err)
{
	struct pktgen *pg = pktgen_of(app);
	const struct blob *b = &app->blob;
	uint32_t n = 0, kept = 0;

	pg->hop = calloc(b->n_streams + 1u, sizeof(*pg->hop));
	if (!pg->hop)
		return err_set(err, -ENOMEM, "no memory for next hops");
	for (uint32_t i = 0; i < b->n_streams; i++) {
		const struct blob_stream *s = &b->streams[i];
		struct hop *h = &pg->hop[n];

		if (!(s->flags & BLOB_STREAM_RESOLVE))
			continue;
		h->port = s->port;
		h->family = s->via_family;
		memcpy(&h->via, s->via, sizeof(h->via));
		n++;
	}
	qsort(pg->hop, n, sizeof(*pg->hop), compare);
	for (uint32_t i = 0; i < n; i++)
		if (!i || compare(&pg->hop[i], &pg->hop[kept - 1]))
			pg->hop[kept++] = pg->hop[i];
	pg->hops = kept;
	return 0;
}

static bool on_link(const struct router *r, const struct hop *h, uint16_t iface)
{
	if (h->family == 4)
		return ip4_stack_onlink(r->ip4[0], iface, be32(h->via.v4));
	if (!r->ip6[0] || !ip6_stack_enabled(r->ip6[0], iface))
		return false;
	return ip6_link_local(h->via.v6) || ip6_stack_onlink(r->ip6[0], iface, h->via.v6);
}

// The port's own networks first, then those of its VLANs.
static bool find(const struct router *r, struct hop *h)
{
	const struct ifaces *ifs = r->ifs;

	h->iface = h->port;
	h->found = on_link(r, h, h->port);
	for (uint16_t i = 0; !h->found && i < ifs->n; i++) {
		h->iface = i;
		h->found = ifs->iface[i].kind == IFACE_VLAN && ifs->iface[i].parent == h->port &&
			   on_link(r, h, i);
	}
	return h->found;
}

int hops_find(struct app *app, struct err *err)
{
	struct pktgen *pg = pktgen_of(app);

	for (uint32_t i = 0; i < pg->hops; i++) {
		struct hop *h = &pg->hop[i];

		if (!find(&pg->router, h))
			return err_set(err, -ENETUNREACH,
				       "port %s: next hop %s is in none of its networks: expected an address of "
				       "the port (addresses:) whose network holds it, or the MAC address in the "
				       "stream",
				       app->port[h->port].name, fib_text(h->family, &h->via));
		atomic_store(&h->known, false);
	}
	return 0;
}

static struct neigh_table *table(const struct pktgen *pg, const struct hop *h)
{
	return h->family == 4 ? &pg->router.ip4[0]->neighbors : &pg->router.ip6[0]->neighbors;
}

// The table's index; 0: not there.
static uint32_t take(struct pktgen *pg, struct hop *h, struct neigh_table *t)
{
	uint32_t i = neigh_find(t, h->iface, &h->via);

	if (!i || !t->adj[i].ready)
		return i;
	t->adj[i].used = true; // so that it is asked again before it is forgotten
	if (memcmp(h->mac, adj_mac(&t->adj[i]), 6)) {
		memcpy(h->mac, adj_mac(&t->adj[i]), 6);
		h->changed = pg->hops_changed = true;
	}
	atomic_store(&h->known, true);
	return i;
}

// Whether it is being asked for.
static bool ask(struct hop *h, struct neigh_table *t, uint32_t index)
{
	if (!index)
		index = neigh_create(t, h->iface, &h->via);
	if (!index && neigh_make_room(t)) // the table was full
		index = neigh_create(t, h->iface, &h->via);
	if (!index)
		return false;
	if (!neigh_ask(t, index)) {
		neigh_forget(t, index);
		return false;
	}
	// What it emits leaves with the node's next housekeeping.
	graph_wake(t->node, graph_now(t->node));
	return true;
}

bool hops_ask(struct app *app)
{
	struct pktgen *pg = pktgen_of(app);
	unsigned asked = 0;
	bool all = true;

	for (uint32_t i = 0; i < pg->hops; i++) {
		struct hop *h = &pg->hop[i];
		struct neigh_table *t = table(pg, h);
		uint32_t index;

		if (atomic_load(&h->known))
			continue;
		index = take(pg, h, t);
		if (atomic_load(&h->known))
			continue;
		all = false;
		if (asked < ASKED_AT_ONCE && (!index || t->neigh[index].state == NEIGH_IDLE) && ask(h, t, index))
			asked++;
	}
	return all;
}

void hops_refresh(struct app *app)
{
	struct pktgen *pg = pktgen_of(app);

	for (unsigned k = 0; k < ASKED_AT_ONCE && k < pg->hops; k++) {
		struct hop *h = &pg->hop[pg->hop_at];

		take(pg, h, table(pg, h));
		pg->hop_at = (pg->hop_at + 1) % pg->hops;
	}
}

bool hops_changed(const struct app *app)
{
	return pktgen_of(app)->hops_changed;
}

void hops_tell(struct app_lcore *l, void *arg)
{
	struct pktgen *pg = pktgen_of(l->app);

	for (uint32_t i = 0; i < pg->hops; i++) {
		const struct hop *h = &pg->hop[i];
		struct gen *g = pg->lcore[l->id].gen[h->port];

		if (g && h->changed)
			gen_resolved(g, h->family, h->via.v6, h->mac);
	}
}

void hops_told(struct app *app)
{
	struct pktgen *pg = pktgen_of(app);

	for (uint32_t i = 0; i < pg->hops; i++)
		pg->hop[i].changed = false;
	pg->hops_changed = false;
}

void hops_unknown(const struct app *app, struct err *err)
{
	const struct pktgen *pg = pktgen_of(app);
	const struct hop *first = NULL;
	char more[40] = "";
	unsigned n = 0;

	for (uint32_t i = 0; i < pg->hops; i++) {
		if (atomic_load(&pg->hop[i].known))
			continue;
		if (!first)
			first = &pg->hop[i];
		n++;
	}
	if (!first)
		return;
	if (n > 1)
		snprintf(more, sizeof(more), " (and %u more likewise)", n - 1);
	err_set(err, -EHOSTUNREACH,
		"port %s: next hop %s does not answer %s%s: nothing was sent. Is the device up, on this port, and is "
		"that its address?",
		app->port[first->port].name, fib_text(first->family, &first->via),
		first->family == 4 ? "ARP" : "neighbor discovery", more);
}

uint32_t pktgen_hops(const struct app *app)
{
	return pktgen_of(app)->hops;
}

void pktgen_hop(const struct app *app, uint32_t i, struct pktgen_hop *hop)
{
	const struct hop *h = &pktgen_of(app)->hop[i];

	*hop = (struct pktgen_hop){.port = h->port, .family = h->family};
	memcpy(hop->via, &h->via, sizeof(hop->via));
	hop->known = atomic_load(&h->known);
	if (hop->known)
		memcpy(hop->mac, h->mac, sizeof(hop->mac));
}
