// SPDX-License-Identifier: BSD-3-Clause
// neigh_lcores.c - neighbors of a router on several lcores: one asks, all learn
//
// A frame of ARP or ND comes in on one lcore, which answers it as ever; what it hears it tells the
// others (neigh_tell), where node arp-learn or nd-learn takes it in. Only lcore 0 asks on the wire,
// so that a neighbor gets at most one request a second whatever the number of lcores (RFC
// 1122, 2.3.2.1): another lcore's request goes to node arp-resolve or nd-resolve of lcore 0, which
// answers from its table, or asks. That lcore holds its own packets meanwhile, in order, and gives
// up by its own count of requests.
//
// What an lcore is told expires when it expires there, and nothing is answered about a neighbor
// that is just being asked whether it is still there: one that is gone is forgotten about as soon
// as by a single lcore.
#include "netstack/neigh.h"

struct message { // what a packet from lcore to lcore holds
	struct neigh_news news;
	uint16_t asker; // to lcore 0: who asks
};

static struct message *message_of(const struct mbuf *m)
{
	return mbuf_at(m, struct message *, 0);
}

void neigh_tell(struct neigh_table *t, struct node *node, uint8_t edge0,
		const struct neigh_news *news)
{
	struct neigh_news out = *news;

	out.due = graph_now(node) + t->reachable;
	for (unsigned i = 0; i < t->tells; i++) {
		struct mbuf *m = mbuf_alloc(t->pool);

		if (!m) // as if the frame had been lost on its way there
			return;
		mbuf_append(m, sizeof(struct message));
		*message_of(m) = (struct message){.news = out};
		graph_emit(node, (uint8_t)(edge0 + i), m);
	}
}

void neigh_put_question(const struct neigh_table *t, uint32_t index, struct mbuf *m)
{
	mbuf_append(m, sizeof(struct message));
	*message_of(m) = (struct message){
		.news = {.addr = t->adj[index].addr, .iface = t->adj[index].iface},
		.asker = (uint16_t)t->lcore,
	};
}

static void learn(struct neigh_table *t, const struct neigh_news *news, uint64_t now)
{
	if (!news->what)
		neigh_heard(t, news, now);
	else if (t->family->told)
		t->family->told(t, news);
}

void neigh_learn_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	uint64_t now = graph_now(node);

	for (unsigned i = 0; i < n; i++)
		learn(node->state, &message_of(pkts[i])->news, now);
	node_all(node, NEXT_CONSUMED);
}

// --- on lcore 0 ---

enum { DROP_TABLE_FULL };
const char *const neigh_resolve_drops[] = {"table-full", NULL};

// The question becomes the answer that the neighbor would give.
static uint8_t answer(struct neigh_table *t, struct mbuf *m, uint32_t index)
{
	struct adj *a = &t->adj[index];
	struct message *q = message_of(m);
	unsigned asker = q->asker;

	if (asker < 1 || asker > t->answers)
		return NEXT_CONSUMED;
	q->news.due = t->neigh[index].due;
	q->news.flags = NEIGH_HAS_MAC | NEIGH_CONFIRMED | NEIGH_OVERRIDE;
	memcpy(q->news.mac, adj_mac(a), 6);
	a->used = true; // over there: so it is asked again before its time is up
	return (uint8_t)(asker - 1);
}

static uint8_t resolve(struct neigh_table *t, struct mbuf *m)
{
	const struct neigh_news *q = &message_of(m)->news;
	uint32_t i = neigh_find(t, q->iface, &q->addr);

	if (!i)
		i = neigh_create(t, q->iface, &q->addr);
	if (!i)
		return NEXT_DROP(DROP_TABLE_FULL);
	if (t->neigh[i].state == NEIGH_REACHABLE || t->neigh[i].state == NEIGH_STATIC)
		return answer(t, m, i);
	if (!neigh_ask(t, i)) {
		neigh_forget(t, i);
		return NEXT_DROP(DROP_TABLE_FULL);
	}
	return NEXT_CONSUMED; // it is being asked for; the answer is told to all
}

void neigh_resolve_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = resolve(node->state, pkts[i]);
}

// --- building ---

int neigh_join_tells(struct neigh_table *t, struct node *input, struct node *to, struct err *err)
{
	int edge = node_add_edge(input, to, err);

	t->tells += edge >= 0;
	return edge < 0 ? edge : 0;
}

int neigh_join_asks(struct neigh_table *t, struct node *to, struct err *err)
{
	int edge = node_add_edge(t->node, to, err);

	t->asks = edge >= 0;
	return edge < 0 ? edge : 0;
}

int neigh_join_answers(struct neigh_table *t, struct node *resolve, struct node *to, struct err *err)
{
	int edge = node_add_edge(resolve, to, err);

	t->answers += edge >= 0;
	return edge < 0 ? edge : 0;
}
