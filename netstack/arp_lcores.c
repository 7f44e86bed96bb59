// SPDX-License-Identifier: BSD-3-Clause
// arp_lcores.c - ARP of a router on several lcores: one asks, all learn
//
// An ARP frame comes in on one lcore, which answers it as ever; what it learns it tells the others
// (arp_tell), where node arp-learn takes it in. Only lcore 0 asks on the wire, so that a neighbor
// gets at most one request a second whatever the number of lcores (RFC 1122, 2.3.2.1): another
// lcore's request goes to node arp-resolve of lcore 0, which answers from its table, or asks. That
// lcore holds its own packets meanwhile, in order, and gives up by its own count of requests.
//
// What an lcore is told expires when it expires there, and nothing is answered about a neighbor
// that is just being asked whether it is still there: one that is gone is forgotten about as soon
// as by a single lcore.
#include "core/handoff.h"
#include "netstack/arp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

// m, empty, is made a copy of the ARP packet, untagged, for the lcore behind `edge`.
static void send_copy(struct node *node, struct ip4_stack *s, uint8_t edge, const struct mbuf *m,
		      const struct arp_hdr *arp, uint32_t says, uint64_t due)
{
	struct mbuf *copy = mbuf_alloc(s->pool);
	struct eth_hdr *eth;

	if (!copy) // as if the frame had been lost on its way there
		return;
	eth = mbuf_append(copy, ETH_HLEN + ARP_LEN);
	memcpy(eth, m->data, 2 * ETH_ALEN);
	eth->type = be16(ETH_TYPE_ARP);
	memcpy(eth + 1, arp, ARP_LEN);
	copy->l3 = ETH_HLEN;
	copy->port = m->port;
	copy->scratch32[SCRATCH_ARP_WORD] = says;
	copy->scratch64[SCRATCH_ARP_DUE] = due;
	graph_emit(node, edge, copy);
}

void arp_tell(struct node *node, struct ip4_stack *s, const struct mbuf *m,
	      const struct arp_hdr *arp, bool made)
{
	uint64_t due = graph_now(node) + s->arp_timeout;

	for (unsigned i = 0; i < s->tells; i++)
		send_copy(node, s, (uint8_t)(ARP_INPUT_EDGE_PORT0 + s->ifs->outs + i), m, arp,
			  made ? ARP_SAYS_CREATE : ARP_SAYS_UPDATE, due);
}

// --- arp-learn ---

static void learn(struct ip4_stack *s, const struct mbuf *m, uint64_t now)
{
	const struct arp_hdr *arp = mbuf_at(m, const struct arp_hdr *, m->l3);
	bool create = m->scratch32[SCRATCH_ARP_WORD] == ARP_SAYS_CREATE;
	uint64_t due = m->scratch64[SCRATCH_ARP_DUE];
	uint32_t i = arp_learn(s, m->port, arp, create, now);
	struct neigh *n = &s->neighbors.neigh[i];

	if (!i || n->state == NEIGH_STATIC)
		return;
	// A while before lcore 0's time is up, so that it hears of the use here and asks by
	// unicast. The clocks of two lcores differ a little, too.
	due -= ARP_RETRY;
	if ((int64_t)(due - now) < (int64_t)ARP_RETRY)
		due = now + ARP_RETRY;
	if (due < n->due) {
		n->due = due;
		graph_wake(s->hold, due);
	}
}

static void learn_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	uint64_t now = graph_now(node);

	for (unsigned i = 0; i < n; i++)
		learn(node->state, pkts[i], now);
	node_all(node, NEXT_CONSUMED);
}

const struct node_def arp_learn_node = {
	.name = "arp-learn",
	.process = learn_process,
};

// --- arp-resolve, on lcore 0 ---

enum { DROP_TABLE_FULL };
static const char *const resolve_drops[] = {"table-full", NULL};

// A request of our own becomes the answer that the neighbor would give.
static uint8_t answer(struct ip4_stack *s, struct mbuf *m, uint32_t index)
{
	struct adj *a = &s->neighbors.adj[index];
	struct arp_hdr *arp = mbuf_at(m, struct arp_hdr *, m->l3);
	uint32_t asker = m->scratch32[SCRATCH_ARP_WORD];

	if (asker < 1 || asker > s->answers)
		return NEXT_CONSUMED;
	arp->op = be16(ARP_REPLY);
	memcpy(arp->tha, arp->sha, 6);
	memcpy(arp->sha, adj_mac(a), 6);
	arp->tpa = arp->spa;
	arp->spa = a->addr.v4;
	m->scratch32[SCRATCH_ARP_WORD] = ARP_SAYS_UPDATE;
	m->scratch64[SCRATCH_ARP_DUE] = s->neighbors.neigh[index].due;
	a->used = true; // over there: so it is asked again before its time is up
	return (uint8_t)(asker - 1);
}

static uint8_t resolve(struct ip4_stack *s, struct mbuf *m)
{
	uint32_t addr = mbuf_at(m, const struct arp_hdr *, m->l3)->tpa;
	struct neigh_table *t = &s->neighbors;
	uint32_t i = neigh_find(t, m->port, addr);

	if (!i)
		i = neigh_create(t, m->port, addr);
	if (!i)
		return NEXT_DROP(DROP_TABLE_FULL);
	if (t->neigh[i].state == NEIGH_REACHABLE || t->neigh[i].state == NEIGH_STATIC)
		return answer(s, m, i);
	if (t->neigh[i].state == NEIGH_IDLE && !arp_start(s, i)) {
		neigh_forget(t, i);
		return NEXT_DROP(DROP_TABLE_FULL);
	}
	return NEXT_CONSUMED; // it is being asked for; the answer is told to all
}

static void resolve_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = resolve(node->state, pkts[i]);
}

const struct node_def arp_resolve_node = {
	.name = "arp-resolve",
	.drops = resolve_drops,
	.process = resolve_process,
};
