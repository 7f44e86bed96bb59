// SPDX-License-Identifier: BSD-3-Clause
// neigh_world.c - a table of neighbors by itself, with a node around it
#include "tests/unit/netstack/neigh_world.h"

#include <stdlib.h>

static struct mempool *pool; // arena memory is for good

static struct neigh_world *world_of(const struct neigh_table *t)
{
	return t->stack;
}

// A packet carries where it goes behind its number.
static void destination(const struct mbuf *m, union ip_addr *dst)
{
	memcpy(dst, m->data + 18, sizeof(*dst));
}

static bool solicit(const struct neigh_table *t, uint32_t index, struct mbuf *m)
{
	struct neigh_world *w = world_of(t);

	w->asked++;
	w->asked_all = !t->adj[index].ready;
	if (!w->asked_all)
		memcpy(w->asked_mac, adj_mac(&t->adj[index]), 6);
	return true;
}

static void unresolved(const struct neigh_table *t, const struct mbuf *m)
{
	world_of(t)->unresolved++;
}

static const struct neigh_family families[] = {
	{ETH_TYPE_IP4, false, destination, solicit, unresolved, NULL},
	{ETH_TYPE_IP6, true, destination, solicit, unresolved, NULL},
};

static void hold_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct neigh_world *w = node->state;

	neigh_hold(&w->t, pkts, next, n);
}

static uint64_t hold_housekeep(struct node *node, uint64_t now)
{
	struct neigh_world *w = node->state;

	return neigh_housekeep(&w->t, now);
}

static void hold_destroy(struct node *node)
{
	struct neigh_world *w = node->state;

	neigh_drop_all(&w->t);
}

static const char *const edges[] = {"report", NULL};
static const struct node_def hold_node = {
	.name = "hold",
	.edges = edges,
	.drops = neigh_hold_drops,
	.process = hold_process,
	.housekeep = hold_housekeep,
	.destroy = hold_destroy,
};

static void tx_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct neigh_world *w = node->state;

	for (unsigned i = 0; i < n; i++) {
		if (pkts[i]->len) {
			assert_true(w->sent < 64);
			memcpy(w->sent_eth[w->sent], pkts[i]->data, 14);
			w->sent_id[w->sent++] = load32(pkts[i]->data + 14);
		}
		mbuf_free(pkts[i]);
		next[i] = NEXT_SENT;
	}
}

static const struct node_def tx_node = {.name = "tx", .process = tx_process};

static void changed(void *arg, uint32_t index, bool up)
{
	struct neigh_world *w = arg;

	w->ups += up;
	w->downs += !up;
}

static struct ifaces *make_ifaces(void)
{
	struct ifaces *ifs = ifaces_create(2, 0, NULL);

	assert_non_null(ifs);
	for (uint8_t p = 0; p < 2; p++) {
		const uint8_t mac[6] = {2, 9, 9, 9, 9, p};

		assert_int_equal(ifaces_port(ifs, p, mac, 1500, NULL), 0);
	}
	return ifs;
}

static void make_graph(struct neigh_world *w)
{
	struct err err = {""};
	struct node *tx;

	w->g = graph_create(&w->clock, &err);
	assert_non_null(w->g);
	tx = graph_add(w->g, &tx_node, "tx", w, &err);
	w->t.node = graph_add(w->g, &hold_node, "hold", w, &err);
	assert_non_null(w->t.node);
	assert_int_equal(node_connect(w->t.node, "report", tx, &err), 0);
	for (int p = 0; p < 2; p++)
		assert_int_equal(node_add_edge(w->t.node, tx, &err), NEIGH_EDGE_PORT0 + p);
}

struct neigh_world *neigh_open(uint16_t type, uint32_t hops, uint32_t learnt, unsigned reachable)
{
	struct mempool_conf mc = {.name = "packets", .count = 1024};
	struct neigh_world *w = calloc(1, sizeof(*w));
	struct neigh_conf conf = {
		.family = &families[type == ETH_TYPE_IP6],
		.stack = w,
		.ifs = make_ifaces(),
		.hops = hops,
		.learnt = learnt,
		.hold = 3,
		.held_max = 16,
		.reachable = reachable * SEC,
	};
	struct err err = {""};

	assert_non_null(w);
	if (!pool)
		pool = mempool_create(&mc, &err);
	assert_non_null(pool);
	conf.pool = w->pool = pool;
	w->clock = (struct clock){.kind = CLOCK_CAPTURE, .now = 1000 * SEC};
	assert_int_equal(neigh_init(&w->t, &conf, &err), 0);
	ifaces_unref(conf.ifs);
	w->t.changed = changed;
	w->t.changed_arg = w;
	make_graph(w);
	graph_housekeep(w->g, w->clock.now);
	return w;
}

void neigh_close(struct neigh_world *w)
{
	struct graph_books b;

	graph_books(w->g, &b);
	assert_true(graph_balanced(&b));
	assert_int_equal(b.held, w->t.held);
	graph_destroy(w->g);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	neigh_fini(&w->t);
	free(w);
}

union ip_addr nth(uint16_t type, unsigned n)
{
	union ip_addr a = {.w = {0, 0}};

	if (type == ETH_TYPE_IP4) {
		a.v4 = be32(0x0a000000u + n);
	} else {
		a.v6[0] = 0xfe;
		a.v6[1] = 0x80;
		a.v6[14] = (uint8_t)(n >> 8);
		a.v6[15] = (uint8_t)n;
	}
	return a;
}

void neigh_send(struct neigh_world *w, uint32_t index, const union ip_addr *addr, unsigned id)
{
	struct mbuf *m = mbuf_alloc(w->pool);
	uint32_t number = id;

	assert_non_null(m);
	mbuf_append(m, 34);
	memcpy(m->data + 14, &number, 4);
	if (addr)
		memcpy(m->data + 18, addr, sizeof(*addr));
	m->l3 = ETH_HLEN;
	m->scratch32[SCRATCH_ADJ] = index;
	graph_rx(w->g, w->t.node, &m, 1);
}

void neigh_pass(struct neigh_world *w, uint64_t ns)
{
	uint64_t end = w->clock.now + ns, due = graph_housekeep(w->g, w->clock.now);

	while (due <= end) {
		clock_advance(&w->clock, due);
		due = graph_housekeep(w->g, w->clock.now);
	}
	clock_advance(&w->clock, end);
}

uint32_t neigh_tell_news(struct neigh_world *w, unsigned n, uint8_t last, uint8_t flags)
{
	struct neigh_news news = {
		.addr = nth(w->t.family->type, n),
		.mac = {2, 0, 0, 0, 0, last},
		.flags = last ? flags | NEIGH_HAS_MAC : flags,
	};
	uint32_t i = neigh_heard(&w->t, &news, w->clock.now);

	graph_housekeep(w->g, w->clock.now); // what it released leaves
	return i;
}
