// SPDX-License-Identifier: BSD-3-Clause
// graph_burst.c - the graphs to measure, for one burst size
#include "perf/graph_burst.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/graph.h"
#include "core/loop.h"
#include "mempool/mempool.h"
#include "mempool/ring.h"
#include "pmd/port_node.h"

#define PACKETS 2048u // that a source goes through, as many as two rings of a port hold
#define ROUND   (1u << 19) // packets a round

struct made { // a graph ready to run; kept from round to round
	struct loop loop;
	struct mempool *pool;
	struct mbuf *pkt[PACKETS + GRAPH_BURST];
	struct node *first;
	struct port port;
	struct ring *ring;
	struct made *next;
	struct graph_burst what;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "graph_burst: %s\n", what);
	exit(1);
}

// --- nodes that do nothing ---

static void pass(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	memset(next, 0, n);
}

// The sender of these: packets stay in the source's array, as they would in its ring.
static void finish(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	memset(next, NEXT_SENT, n);
}

// Of 32 packets one ends here (as sent, since the array keeps it). Which one: by scratch.
static void pass_most(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	uint32_t me = node->id;

	for (unsigned i = 0; i < n; i++)
		next[i] = pkts[i]->scratch32[0] % 32 == me ? NEXT_SENT : 0;
}

// --- nodes that read and write headers, as a router's do ---

static void eth(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *p = pkts[i]->data;

		if (i + 4 < n)
			__builtin_prefetch(pkts[i + 4]->data);
		pkts[i]->l3 = 14;
		next[i] = p[12] == 8 && p[13] == 0 ? 0 : NEXT_SENT;
	}
}

static void check(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *p = pkts[i]->data + pkts[i]->l3;
		uint32_t sum = 0;

		for (unsigned k = 0; k < 20; k += 4) {
			uint32_t word;

			memcpy(&word, p + k, 4);
			sum += (word & 0xffff) + (word >> 16);
		}
		pkts[i]->scratch32[1] = sum;
		next[i] = p[0] == 0x45 ? 0 : NEXT_SENT;
	}
}

static void lookup(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t dst;

		memcpy(&dst, pkts[i]->data + 14 + 16, 4);
		next[i] = (uint8_t)(dst * 0x9e3779b1u >> 30); // four ports
	}
}

static void rewrite(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t *p = pkts[i]->data;

		memset(p, node->id, 12);
		p[22]--;
		next[i] = 0;
	}
}

static const char *const one_edge[] = {"next", NULL};
static const struct node_def pass_def = {"pass", one_edge, NULL, pass, NULL, NULL};
static const struct node_def most_def = {"most", one_edge, NULL, pass_most, NULL, NULL};
static const struct node_def finish_def = {"finish", NULL, NULL, finish, NULL, NULL};
static const struct node_def eth_def = {"eth", one_edge, NULL, eth, NULL, NULL};
static const struct node_def check_def = {"check", one_edge, NULL, check, NULL, NULL};
static const struct node_def lookup_def = {"lookup", NULL, NULL, lookup, NULL, NULL};
static const struct node_def rewrite_def = {"rewrite", one_edge, NULL, rewrite, NULL, NULL};

static struct node *add(struct made *m, const struct node_def *def)
{
	char name[NODE_NAME_MAX];
	struct err err;
	struct node *node;

	snprintf(name, sizeof(name), "%s-%u", def->name, graph_nodes(m->loop.graph));
	node = graph_add(m->loop.graph, def, name, NULL, &err);
	if (!node)
		die(err.text);
	return node;
}

static struct node *add_after(struct made *m, struct node *from, const struct node_def *def)
{
	struct node *node = add(m, def);

	if (node_connect(from, "next", node, NULL))
		die("a node has no edge 'next'");
	return node;
}

static void make_chain(struct made *m, const struct node_def *def)
{
	struct node *last = m->first = add(m, def);

	for (unsigned i = 1; i < m->what.nodes; i++)
		last = add_after(m, last, def);
	add_after(m, last, &finish_def);
}

static void make_router(struct made *m)
{
	struct node *last = m->first = add(m, &eth_def);

	last = add_after(m, add_after(m, last, &check_def), &lookup_def);
	for (unsigned i = 0; i < 4; i++) {
		struct node *to = add(m, &rewrite_def);

		if (node_add_edge(last, to, NULL) < 0)
			die("no edge for a port");
		add_after(m, to, &finish_def);
	}
}

// --- the loop between a ring's ends ---

static uint16_t ring_rx(void *ring, struct mbuf **pkts, uint16_t n)
{
	return (uint16_t)ring_spsc_dequeue_burst(ring, (void **)pkts, n);
}

static uint16_t ring_tx(void *ring, struct mbuf **pkts, uint16_t n)
{
	return (uint16_t)ring_spsc_enqueue_burst(ring, (void *const *)pkts, n);
}

static int tick(void *arg, uint64_t now)
{
	const struct made *m = arg;

	return m->loop.source[0].packets >= ROUND;
}

static void make_io(struct made *m)
{
	m->ring = plat_arena_alloc(ring_bytes(PACKETS), 2 * CACHE_LINE);
	if (!m->ring || ring_init(m->ring, PACKETS))
		die("no memory for a ring");
	m->port.queue[0] = (struct port_queue){ring_rx, m->ring, ring_tx, m->ring};
	m->port.grant.queues = 1;
	m->port.grant.mtu = 1500;
	snprintf(m->port.name, sizeof(m->port.name), "ring");
	m->first = port_tx_node_add(m->loop.graph, &m->port, 0, NULL);
	if (!m->first)
		die("no transmit node");
	port_sink(&m->loop.sink[m->loop.sinks++], m->first);
	m->loop.source[m->loop.sources++] =
		(struct loop_source){.burst = ring_rx, .arg = m->ring, .node = m->first};
	m->loop.tick = tick;
	m->loop.tick_arg = m;
	ring_tx(m->ring, m->pkt, (uint16_t)m->what.nodes);
}

static void make_packets(struct made *m)
{
	struct mempool_conf conf = {.name = "bench", .count = PACKETS};
	struct err err;

	m->pool = mempool_create(&conf, &err);
	if (!m->pool)
		die(err.text);
	for (unsigned i = 0; i < PACKETS; i++) {
		uint32_t dst = i * 2654435761u;
		uint8_t *p;

		m->pkt[i] = mbuf_alloc(m->pool);
		p = mbuf_append(m->pkt[i], 60);
		memset(p, 0, 60);
		p[12] = 8;
		p[14] = 0x45;
		memcpy(p + 30, &dst, 4);
		m->pkt[i]->scratch32[0] = dst >> 7;
	}
	memcpy(m->pkt + PACKETS, m->pkt, GRAPH_BURST * sizeof(m->pkt[0])); // a burst may wrap
}

static struct made *make(const struct graph_burst *what)
{
	struct made *m = aligned_alloc(CACHE_LINE, sizeof(*m));
	struct err err;

	if (!m)
		die("no memory");
	memset(m, 0, sizeof(*m));
	m->what = *what;
	clock_init(&m->loop.clock, CLOCK_REAL);
	m->loop.graph = graph_create(&m->loop.clock, NULL);
	make_packets(m);
	if (what->kind == BURST_ROUTER)
		make_router(m);
	else if (what->kind == BURST_IO)
		make_io(m);
	else
		make_chain(m, what->kind == BURST_CHAIN ? &pass_def : &most_def);
	if (graph_check(m->loop.graph, &err))
		die(err.text);
	return m;
}

static struct made *find_or_make(const struct graph_burst *what)
{
	static struct made *all;

	for (struct made *m = all; m; m = m->next)
		if (!memcmp(&m->what, what, sizeof(*what)))
			return m;
	struct made *m = make(what);

	m->next = all;
	all = m;
	return m;
}

#define ENTRY_OF(size) ENTRY_WITH(size)
#define ENTRY_WITH(size) __attribute__((visibility("default"))) GRAPH_BURST_ENTRY(size)

ENTRY_OF(GRAPH_BURST)
{
	struct made *m = find_or_make(graph_burst);
	unsigned fill = m->what.fill ? m->what.fill : GRAPH_BURST;
	bool slow = fill < 32 || m->what.kind == BURST_SPLIT || m->what.kind == BURST_ROUTER;
	unsigned packets = slow ? ROUND / 16 : ROUND; // about a millisecond, either way
	struct mbuf *pkts[GRAPH_BURST];
	uint64_t start = tsc_read();

	if (m->what.kind == BURST_IO) {
		m->loop.source[0].packets = 0;
		loop_run(&m->loop);
		round->packets = m->loop.source[0].packets;
	} else {
		for (unsigned i = 0; i < packets; i += fill) {
			memcpy(pkts, m->pkt + i % PACKETS, fill * sizeof(pkts[0]));
			graph_rx(m->loop.graph, m->first, pkts, fill);
		}
		round->packets = packets;
	}
	round->cycles = tsc_read() - start;
}
