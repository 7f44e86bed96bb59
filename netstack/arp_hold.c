// SPDX-License-Identifier: BSD-3-Clause
// arp_hold.c - node arp-hold: asks for neighbors that are not known, and holds their packets
// meanwhile
//
// RFC 1122, 2.3.2: at most one request a second for a neighbor; of the packets that wait for it the
// latest are kept. A neighbor that was used is asked again, by unicast, before its time is up, so
// that traffic does not pause. On the lcores of a router but the first, a request goes to lcore 0, which
// asks for all. This node frees the stack with the graph.
#include <assert.h>

#include "netstack/arp.h"
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

enum { EDGE_ERROR, EDGE_PORT0 };
static_assert(EDGE_PORT0 == ARP_HOLD_EDGE_PORT0, "the wiring counts on it");
enum { DROP_UNRESOLVED, DROP_HOLD_OVERFLOW, DROP_TABLE_FULL, DROP_SHUTDOWN };
static const char *const edges[] = {"icmp-error", NULL};
static const char *const drops[] = {"unresolved", "hold-overflow", "table-full", "shutdown", NULL};

// A held packet's scratch: the next one, and where in its burst it came, as long as that lasts.
#define SCRATCH_LINK  0 // of scratch64
#define SCRATCH_BURST 2 // of scratch32: low bits of node->stats.calls
#define SCRATCH_PLACE 3

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t unknown[6];

void arp_put_request(struct mbuf *m, const struct iface *iface, const uint8_t to[6], uint32_t source,
		     uint32_t addr)
{
	struct arp_hdr *arp = mbuf_append(m, ARP_LEN);

	m->l3 = 0;
	iface_put_eth(iface, m, to, ETH_TYPE_ARP);
	*arp = (struct arp_hdr){
		.htype = be16(ARP_HTYPE_ETH),
		.ptype = be16(ETH_TYPE_IP4),
		.hlen = 6,
		.plen = 4,
		.op = be16(ARP_REQUEST),
		.spa = source,
		.tpa = addr,
	};
	memcpy(arp->sha, iface->mac, 6);
	memcpy(arp->tha, unknown, 6);
}

// Asks once, by unicast where the neighbor's address is known, and sets the time of the next look.
// An empty pool costs this request only.
static void ask(struct node *node, struct ip4_stack *s, uint32_t index, uint64_t now)
{
	const struct adj *a = &s->neighbors.adj[index];
	struct neigh *n = &s->neighbors.neigh[index];
	uint32_t source = ip4_stack_source(s, a->iface, be32(a->addr.v4));
	struct mbuf *m = mbuf_alloc(s->pool);

	n->tries++;
	n->due = now + ARP_RETRY;
	if (!m)
		return;
	arp_put_request(m, &s->ifs->iface[a->iface], a->ready ? adj_mac(a) : broadcast, be32(source),
			a->addr.v4);
	m->port = a->iface;
	m->scratch32[SCRATCH_ARP_WORD] = s->lcore;
	graph_emit(node, (uint8_t)(EDGE_PORT0 + (s->asks ? s->ifs->outs : a->tx)), m);
}

static struct mbuf *take_first(struct ip4_stack *s, struct neigh *n)
{
	struct mbuf *m = n->first;

	n->first = (struct mbuf *)(uintptr_t)m->scratch64[SCRATCH_LINK];
	if (!n->first)
		n->last = NULL;
	n->held--;
	s->held--;
	return m;
}

static void append(struct ip4_stack *s, struct neigh *n, struct mbuf *m)
{
	m->scratch64[SCRATCH_LINK] = 0;
	if (n->last)
		n->last->scratch64[SCRATCH_LINK] = (uintptr_t)m;
	else
		n->first = m;
	n->last = m;
	n->held++;
	s->held++;
}

// Makes room by dropping the neighbor's oldest packet. One of the present burst is not held yet in
// the graph's books: its verdict is changed instead.
static void drop_oldest(struct node *node, struct ip4_stack *s, struct neigh *n, uint8_t *next)
{
	uint32_t burst = (uint32_t)node->stats.calls;
	struct mbuf *m = take_first(s, n);

	if (m->scratch32[SCRATCH_BURST] == burst)
		next[m->scratch32[SCRATCH_PLACE]] = NEXT_DROP(DROP_HOLD_OVERFLOW);
	else
		graph_drop_held(node, DROP_HOLD_OVERFLOW, m);
}

bool arp_start(struct ip4_stack *s, uint32_t index)
{
	uint64_t now = graph_now(s->hold);

	if (!neigh_set_state(&s->neighbors, index, NEIGH_INCOMPLETE))
		return false;
	s->neighbors.neigh[index].tries = 0;
	ask(s->hold, s, index, now);
	graph_wake(s->hold, now + ARP_RETRY);
	return true;
}

// The neighbor a packet waits for, being asked for; 0 when there is no room for it.
static uint32_t neighbor_of(struct ip4_stack *s, const struct mbuf *m)
{
	struct neigh_table *t = &s->neighbors;
	uint32_t index = m->scratch32[SCRATCH_ADJ];

	if (t->adj[index].kind == ADJ_GLEAN) {
		uint32_t dst = mbuf_at(m, const struct ip4_hdr *, m->l3)->dst;
		uint16_t iface = t->adj[index].iface;

		index = neigh_find(t, iface, dst);
		if (!index)
			index = neigh_create(t, iface, dst);
	}
	if (index && t->neigh[index].state == NEIGH_IDLE && !arp_start(s, index)) {
		neigh_forget(t, index);
		return 0;
	}
	return index;
}

// The neighbor answered after the packet was sent here: pieces made by ip4-fragment come only once
// the burst has ended that brought them, and perhaps the answer.
static uint8_t pass_on(struct ip4_stack *s, uint32_t index, struct mbuf *m)
{
	struct adj *a = &s->neighbors.adj[index];

	a->used = true;
	adj_put_eth(m, a);
	return (uint8_t)(EDGE_PORT0 + a->tx);
}

static uint8_t hold(struct node *node, struct mbuf *m, uint8_t *next, unsigned place)
{
	struct ip4_stack *s = node->state;
	uint32_t index = neighbor_of(s, m);
	struct neigh *n = &s->neighbors.neigh[index];

	if (!index)
		return NEXT_DROP(DROP_TABLE_FULL);
	if (unlikely(s->neighbors.adj[index].ready))
		return pass_on(s, index, m);
	if (n->held >= s->arp_hold || (s->held >= s->held_max && n->held))
		drop_oldest(node, s, n, next);
	if (s->held >= s->held_max)
		return NEXT_DROP(DROP_HOLD_OVERFLOW);
	m->scratch32[SCRATCH_BURST] = (uint32_t)node->stats.calls;
	m->scratch32[SCRATCH_PLACE] = place;
	append(s, n, m);
	return NEXT_HELD;
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = hold(node, pkts[i], next, i);
}

void arp_resolved(struct ip4_stack *s, uint32_t index, const uint8_t mac[6], uint64_t now)
{
	struct adj *a = &s->neighbors.adj[index];
	struct neigh *n = &s->neighbors.neigh[index];

	if (n->state == NEIGH_STATIC)
		return;
	neigh_set_mac(&s->neighbors, index, mac);
	neigh_set_state(&s->neighbors, index, NEIGH_REACHABLE);
	n->tries = 0;
	n->due = now + s->arp_timeout;
	graph_wake(s->hold, n->due);
	while (n->first) {
		struct mbuf *m = take_first(s, n);

		a->used = true;
		adj_put_eth(m, a);
		graph_release(s->hold, (uint8_t)(EDGE_PORT0 + a->tx), m);
	}
}

// RFC 1812, 5.2.7.1 asks for a host unreachable about each packet that waited; what we ourselves
// say concerns nobody else.
static void report(struct node *node, struct ip4_stack *s, const struct mbuf *m)
{
	uint32_t src = mbuf_at(m, const struct ip4_hdr *, m->l3)->src;

	if (ip4_filter_hit(s, src) && ip4_stack_forbidden_source(s, be32(src)))
		return;
	icmp_report(node, EDGE_ERROR, s->pool, m,
		    (struct icmp_report){.type = ICMP_UNREACHABLE, .code = ICMP_HOST});
}

// Nobody answered.
static void give_up(struct node *node, struct ip4_stack *s, uint32_t index)
{
	struct neigh *n = &s->neighbors.neigh[index];

	while (n->first) {
		struct mbuf *m = take_first(s, n);

		report(node, s, m);
		graph_drop_held(node, DROP_UNRESOLVED, m);
	}
	neigh_forget(&s->neighbors, index);
}

static void due(struct node *node, struct ip4_stack *s, uint32_t index, uint64_t now)
{
	struct neigh_table *t = &s->neighbors;
	struct neigh *n = &t->neigh[index];

	if (n->state == NEIGH_REACHABLE && t->adj[index].used) {
		t->adj[index].used = false;
		n->tries = 0;
		neigh_set_state(t, index, NEIGH_PROBE);
	}
	if (n->state != NEIGH_REACHABLE && n->tries < ARP_TRIES)
		ask(node, s, index, now);
	else
		give_up(node, s, index);
}

static uint64_t housekeep(struct node *node, uint64_t now)
{
	struct ip4_stack *s = node->state;
	struct neigh_table *t = &s->neighbors;
	uint64_t first = TIME_NEVER;

	if (s->announces)
		arp_announce(node, s);
	for (uint32_t i = ADJ_INDEX_GLEAN0 + s->ifs->n; i < t->top; i++) {
		struct neigh *n = &t->neigh[i];

		if (n->state < NEIGH_INCOMPLETE || n->state > NEIGH_PROBE)
			continue;
		if (n->due <= now)
			due(node, s, i, now);
		if (n->state >= NEIGH_INCOMPLETE && n->due < first)
			first = n->due;
	}
	return first;
}

static void destroy(struct node *node)
{
	struct ip4_stack *s = node->state;
	struct neigh_table *t = &s->neighbors;

	for (uint32_t i = ADJ_INDEX_GLEAN0 + s->ifs->n; i < t->top; i++)
		while (t->neigh[i].first)
			graph_drop_held(node, DROP_SHUTDOWN, take_first(s, &t->neigh[i]));
	ip4_stack_destroy(s);
}

const struct node_def arp_hold_node = {
	.name = "arp-hold",
	.edges = edges,
	.drops = drops,
	.process = process,
	.housekeep = housekeep,
	.destroy = destroy,
};
