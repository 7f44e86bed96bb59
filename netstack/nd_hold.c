// SPDX-License-Identifier: BSD-3-Clause
// nd_hold.c - node nd-hold: holds packets whose IPv6 neighbor is not known, asks for it, and does
// all that neighbor discovery does by the clock
//
// What it does with neighbors is neigh_hold.c's and neigh_state.c's; here is what is ND in it: the
// solicitation (RFC 4861, 7.2.2) and the report when nobody answers. This node frees the stack with
// the graph.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/mld.h"
#include "netstack/nd_priv.h"

static_assert(NEIGH_EDGE_PORT0 == ND_HOLD_EDGE_PORT0, "the wiring counts on it");
static const char *const edges[] = {"icmp6-error", NULL};

// RFC 4861, 6.3.2: a time between half and one and a half of the base, drawn anew now and then.
#define DRAW_TIME (2 * 3600 * NSEC_PER_SEC)

int nd_open(struct ip6_stack *s, struct err *err)
{
	s->nd = calloc(1, sizeof(*s->nd));
	if (s->nd) {
		s->nd->iface = calloc(s->ifs->n, sizeof(*s->nd->iface));
		s->nd->address = calloc(s->addresses_max, sizeof(*s->nd->address));
	}
	if (s->nd && s->nd->iface && s->nd->address)
		return 0;
	nd_close(s);
	return err_set(err, -ENOMEM, "no memory for neighbor discovery of %u interfaces",
		       s->ifs->n);
}

void nd_close(struct ip6_stack *s)
{
	if (!s->nd)
		return;
	free(s->nd->iface);
	free(s->nd->address);
	free(s->nd);
	s->nd = NULL;
}

uint64_t nd_random(struct ip6_stack *s, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ip6_stack_random(s) * ns) >> 64);
}

static void destination(const struct mbuf *m, union ip_addr *dst)
{
	*dst = ip6_addr(mbuf_at(m, const struct ip6_hdr *, m->l3)->dst);
}

// While no address of ours is valid there (tentative still) nothing can be asked.
static bool solicit(const struct neigh_table *t, uint32_t index, struct mbuf *m)
{
	const struct adj *a = &t->adj[index];
	const struct ip6_address *src = ip6_stack_source(t->stack, a->iface, a->addr.v6);
	union ip_addr group = ip6_solicited_node(a->addr.v6);

	if (!src)
		return false;
	nd_put_solicitation(m, &t->ifs->iface[a->iface], src->addr.v6,
			    a->ready ? a->addr.v6 : group.v6, a->ready ? adj_mac(a) : NULL,
			    a->addr.v6);
	return true;
}

// RFC 4861, 7.2.2: address unreachable, about each packet that waited. What we ourselves say
// concerns nobody else.
static void unresolved(const struct neigh_table *t, const struct mbuf *m)
{
	const struct ip6_stack *s = t->stack;
	const uint8_t *src = mbuf_at(m, const struct ip6_hdr *, m->l3)->src;

	if (ip6_filter_hit(s, src) && ip6_stack_forbidden_source(s, m->port, src))
		return;
	icmp6_report(t->node, NEIGH_EDGE_REPORT, s->pool, m,
		     (struct icmp6_report){.type = ICMP6_UNREACHABLE, .code = ICMP6_ADDRESS});
}

static void told(struct neigh_table *t, const struct neigh_news *news)
{
	struct ip6_stack *s = t->stack;

	if (news->what == ND_TOLD_SOLICITED)
		nd_ra_solicited(s, news->iface, graph_now(t->node));
	else
		nd_dad_told(s, news);
}

const struct neigh_family nd_family = {
	.type = ETH_TYPE_IP6,
	.stale = true,
	.destination = destination,
	.solicit = solicit,
	.unresolved = unresolved,
	.told = told,
};

// --- announcements ---

// RFC 4861, 7.2.6, with the override flag, but of an anycast address. An empty pool costs this one.
static void announce_address(struct ip6_stack *s, const struct ip6_address *a)
{
	const struct iface *iface = &s->ifs->iface[a->iface];
	struct mbuf *m;

	if (a->state != IP6_VALID || a->anycast)
		return;
	m = mbuf_alloc(s->pool);
	if (!m)
		return;
	nd_put_advertisement(m, iface, ip6_all_nodes.v6, NULL, a->addr.v6, ND_OVERRIDE);
	m->port = a->iface;
	graph_emit(s->neighbors.node, (uint8_t)(ND_HOLD_EDGE_PORT0 + iface->tx), m);
}

static void announce(struct ip6_stack *s)
{
	struct nd *nd = s->nd;

	for (uint32_t i = 0; i < s->addresses; i++)
		if (nd->announce[s->address[i].iface / 64] >> (s->address[i].iface % 64) & 1)
			announce_address(s, &s->address[i]);
	memset(nd->announce, 0, sizeof(nd->announce));
	nd->announces = false;
}

void nd_announce(struct ip6_stack *s, uint16_t iface)
{
	s->nd->announce[iface / 64] |= 1ull << (iface % 64);
	s->nd->announces = true;
	graph_wake(s->neighbors.node, graph_now(s->neighbors.node));
	mld_changed(s, iface); // as little is known of its groups
}

// --- the node ---

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct ip6_stack *s = node->state;

	neigh_hold(&s->neighbors, pkts, next, n);
}

static void draw_reachable(struct ip6_stack *s, uint64_t now)
{
	struct nd *nd = s->nd;

	if (!nd->reachable)
		nd->reachable = s->neighbors.reachable;
	if (now < nd->draw_due)
		return;
	s->neighbors.reachable = nd->reachable / 2 + nd_random(s, nd->reachable);
	nd->draw_due = now + DRAW_TIME; // when something else is to be done: nobody waits for it
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t housekeep(struct node *node, uint64_t now)
{
	struct ip6_stack *s = node->state;
	uint64_t dad, ra;

	draw_reachable(s, now);
	if (s->nd->announces)
		announce(s);
	dad = nd_dad_housekeep(s, now);
	ra = s->lcore ? TIME_NEVER : nd_ra_housekeep(s, now);
	return earlier(neigh_housekeep(&s->neighbors, now), earlier(dad, ra));
}

static void destroy(struct node *node)
{
	struct ip6_stack *s = node->state;

	neigh_drop_all(&s->neighbors);
	ip6_stack_destroy(s);
}

const struct node_def nd_hold_node = {
	.name = "nd-hold",
	.edges = edges,
	.drops = neigh_hold_drops,
	.process = process,
	.housekeep = housekeep,
	.destroy = destroy,
};

// On several lcores.

const struct node_def nd_learn_node = {
	.name = "nd-learn",
	.process = neigh_learn_process,
};

const struct node_def nd_resolve_node = {
	.name = "nd-resolve",
	.drops = neigh_resolve_drops,
	.process = neigh_resolve_process,
};
