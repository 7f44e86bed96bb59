// SPDX-License-Identifier: BSD-3-Clause
// world.c - a whole IPv4 router between recording ports
#include "tests/unit/netstack/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define POOL_MBUFS 4096

static struct mempool *pool; // arena memory is for good: one pool serves all worlds

static void record(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct world *w = node->state;

	for (unsigned i = 0; i < n; i++) {
		struct frame *f = &w->out[w->sent++];

		assert_true(w->sent <= WORLD_FRAMES);
		assert_int_equal(mbuf_check(pkts[i]), 0);
		assert_true(pkts[i]->pkt_len <= FRAME_MAX);
		// A port would put the tag back, or compute what nobody asked for.
		f->flags = pkts[i]->flags &
			   (MBUF_VLAN | MBUF_TSO | MBUF_USO | MBUF_TX_L3_CSUM | MBUF_TX_L4_CSUM);
		if (!w->offloads)
			assert_int_equal(f->flags, 0);
		f->mss = pkts[i]->mss;
		f->l4_head = pkts[i]->flags & MBUF_L4_HEAD ? pkts[i]->l4_head : 0;
		f->l3 = pkts[i]->l3;
		f->l4 = pkts[i]->l4;
		for (f->port = 0; w->tx[f->port] != node; f->port++)
			;
		f->len = (uint16_t)pkts[i]->pkt_len;
		assert_int_equal(mbuf_copy_out(pkts[i], 0, f->bytes, f->len), 0);
		mbuf_free(pkts[i]);
		next[i] = NEXT_SENT;
	}
}

static const struct node_def record_node = {.name = "tx", .process = record};

static const uint8_t port_macs[WORLD_PORTS][6] = {
	{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 3}};

uint32_t ip(unsigned a, unsigned b, unsigned c, unsigned d)
{
	uint8_t bytes[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};

	return load32(bytes);
}

void host_mac(uint8_t mac[6], uint32_t addr)
{
	mac[0] = 2;
	mac[1] = 1;
	memcpy(mac + 2, &addr, 4);
}

static void ok(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static void add_host(struct ip4_stack *s, uint16_t port, uint32_t addr)
{
	struct err err;
	uint8_t mac[6];

	host_mac(mac, addr);
	ok(ip4_stack_neighbor(s, port, be32(addr), mac, &err), &err);
}

static struct ifaces *make_ifaces(uint16_t dmz_mtu)
{
	const uint16_t mtu[WORLD_PORTS] = {1500, 1500, dmz_mtu};
	struct err err;
	struct ifaces *ifs = ifaces_create(WORLD_PORTS, 0, &err);

	assert_non_null(ifs);
	for (uint16_t p = 0; p < WORLD_PORTS; p++)
		ok(ifaces_port(ifs, p, port_macs[p], mtu[p], &err), &err);
	return ifs;
}

struct ifaces *world_ifaces(void)
{
	return make_ifaces(576);
}

static void configure(struct ip4_stack *s)
{
	struct err err;
	int nh;

	ok(ip4_stack_address(s, WAN, be32(ip(192, 0, 2, 1)), 24, &err), &err);
	ok(ip4_stack_address(s, LAN, be32(ip(198, 51, 100, 1)), 24, &err), &err);
	ok(ip4_stack_address(s, DMZ, be32(ip(10, 0, 0, 1)), 24, &err), &err);
	nh = ip4_stack_nexthop(s, WAN, be32(ip(192, 0, 2, 254)), &err);
	ok(nh, &err);
	// Half of the address space, so that there are destinations without a route.
	ok(ip4_stack_route(s, be32(ip(128, 0, 0, 0)), 1, (uint32_t)nh, &err), &err);
	add_host(s, WAN, ip(192, 0, 2, 254));
	add_host(s, WAN, ip(192, 0, 2, 10));
	add_host(s, LAN, ip(198, 51, 100, 10));
	add_host(s, DMZ, ip(10, 0, 0, 10));
}

static void make_pool(void)
{
	struct mempool_conf conf = {.name = "packets", .count = POOL_MBUFS};
	struct err err;

	if (!pool)
		pool = mempool_create(&conf, &err);
	assert_non_null(pool);
}

static void build(struct world *w)
{
	static const char *const names[WORLD_PORTS] = {"tx-wan", "tx-lan", "tx-dmz"};
	struct err err;

	w->g = graph_create(&w->clock, &err);
	assert_non_null(w->g);
	for (unsigned p = 0; p < WORLD_PORTS; p++) {
		w->tx[p] = graph_add(w->g, &record_node, names[p], w, &err);
		assert_non_null(w->tx[p]);
	}
	w->in = ip4_graph_build(w->g, w->s, w->tx, &err);
	if (!w->in)
		fail_msg("%s", err.text);
	if (w->s6)
		ok(ip6_graph_build(w->g, w->s6, w->tx, &err), &err);
	ok(graph_check(w->g, &err), &err);
}

static void make_stack6(struct world *w, struct ifaces *ifs, const struct ip6_conf *conf)
{
	struct ip6_conf c = *conf;
	struct err err;

	c.pool = pool;
	c.ifs = ifs;
	c.addresses = 8;
	c.nexthops = 8;
	c.neighbors = 16;
	w->s6 = ip6_stack_create(&c, &err);
	if (!w->s6)
		fail_msg("%s", err.text);
}

static void (*prepare)(struct ifaces *ifs);
static void (*prepare_stack)(struct ip4_stack *s);

struct world *world_open_stack(const struct ip4_conf *conf, void (*stack)(struct ip4_stack *s))
{
	struct world *w;

	prepare_stack = stack;
	w = world_open(conf);
	prepare_stack = NULL;
	return w;
}

struct world *world_open_with(const struct ip4_conf *conf, void (*ifaces)(struct ifaces *ifs))
{
	struct world *w;

	prepare = ifaces;
	w = world_open(conf);
	prepare = NULL;
	return w;
}

struct world *world_open(const struct ip4_conf *conf)
{
	return world_open_dual(conf, NULL, NULL);
}

struct world *world_open_dual(const struct ip4_conf *conf, const struct ip6_conf *conf6,
			      void (*configure6)(struct ip6_stack *s))
{
	struct world *w = calloc(1, sizeof(*w));
	struct ip4_conf c = conf ? *conf : (struct ip4_conf){0};
	struct err err;

	assert_non_null(w);
	w->out = calloc(WORLD_FRAMES, sizeof(*w->out));
	assert_non_null(w->out);
	make_pool();
	w->pool = pool;
	w->clock.kind = CLOCK_CAPTURE;
	w->clock.now = 1000 * NSEC_PER_SEC;
	c.pool = pool;
	c.ifs = make_ifaces(conf6 ? 1280 : 576);
	if (prepare)
		prepare(c.ifs);
	c.addresses = 8;
	c.nexthops = 8;
	c.neighbors = 16;
	w->s = ip4_stack_create(&c, &err);
	if (!w->s)
		fail_msg("%s", err.text);
	configure(w->s);
	if (prepare_stack)
		prepare_stack(w->s);
	if (conf6)
		make_stack6(w, c.ifs, conf6);
	if (configure6)
		configure6(w->s6);
	ifaces_unref(c.ifs);
	build(w);
	graph_housekeep(w->g, w->clock.now);
	return w;
}

static unsigned held_segments(const struct neigh_table *t)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < t->top; i++)
		for (const struct mbuf *m = t->neigh[i].first; m;
		     m = (const struct mbuf *)(uintptr_t)m->scratch64[0])
			n += m->nsegs;
	return n;
}

static const struct reass *reass_of(const struct world *w, const char *name)
{
	const struct node *node = graph_find(w->g, name);

	return node ? node->state : NULL;
}

// Adds what fragments of unfinished datagrams hold.
static void fragments(const struct world *w, unsigned *held, unsigned *segments)
{
	static const char *const names[] = {"ip4-reass", "ip4-virtual", "ip6-reass", "ip6-virtual"};

	for (unsigned i = 0; i < 4; i++) {
		const struct reass *r = reass_of(w, names[i]);
		unsigned sum = 0;

		if (!r)
			continue;
		for (uint32_t d = r->oldest; d != REASS_NONE; d = r->datagram[d].newer) {
			*held += r->datagram[d].fragments;
			sum += r->datagram[d].segs;
		}
		assert_int_equal(sum, r->segs);
		assert_true(sum <= r->segs_max);
		*segments += sum;
	}
}

void world_check(struct world *w)
{
	unsigned held = w->s->neighbors.held, segments = held_segments(&w->s->neighbors);
	struct graph_books b;

	fragments(w, &held, &segments);
	if (w->s6) {
		held += w->s6->neighbors.held;
		segments += held_segments(&w->s6->neighbors);
	}
	graph_books(w->g, &b);
	assert_true(graph_balanced(&b));
	assert_int_equal(b.held, held);
	if (mempool_available(pool) + segments != mempool_count(pool)) {
		mempool_report(pool, stderr);
		fail_msg("buffers are out of the pool that nobody is known to hold");
	}
}

void world_close(struct world *w)
{
	world_check(w);
	graph_destroy(w->g);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	free(w->out);
	free(w);
}

struct mbuf *world_mbuf(struct world *w, uint16_t port, const void *bytes, size_t len, uint16_t seg)
{
	const uint8_t *p = bytes;
	struct mbuf *first = NULL, **link = &first;
	size_t left = len;

	if (!seg)
		seg = 2048;
	do {
		uint16_t n = left < seg ? (uint16_t)left : seg;
		struct mbuf *m = mbuf_alloc(w->pool);

		assert_non_null(m);
		memcpy(mbuf_append(m, n), p, n);
		*link = m;
		link = &m->next;
		if (m != first)
			first->nsegs++;
		p += n;
		left -= n;
	} while (left);
	first->pkt_len = (uint32_t)len;
	first->port = port;
	assert_int_equal(mbuf_check(first), 0);
	return first;
}

void world_rx_chain(struct world *w, uint16_t port, const void *bytes, size_t len, uint16_t seg)
{
	struct mbuf *m = world_mbuf(w, port, bytes, len, seg);

	graph_rx(w->g, w->in, &m, 1);
}

void world_rx(struct world *w, uint16_t port, const void *bytes, size_t len)
{
	world_rx_chain(w, port, bytes, len, 0);
}

void world_pass(struct world *w, uint64_t ns)
{
	uint64_t end = w->clock.now + ns, due = graph_housekeep(w->g, w->clock.now);

	while (due <= end) {
		clock_advance(&w->clock, due);
		due = graph_housekeep(w->g, w->clock.now);
	}
	clock_advance(&w->clock, end);
}

struct mbuf *world_empty_pool(struct world *w)
{
	struct mbuf *all = NULL;

	for (struct mbuf *m; (m = mbuf_alloc(w->pool)) != NULL; all = m)
		m->scratch64[0] = (uintptr_t)all;
	return all;
}

void world_refill_pool(struct mbuf *all)
{
	while (all) {
		struct mbuf *m = all;

		all = (struct mbuf *)(uintptr_t)m->scratch64[0];
		mbuf_free(m);
	}
}

static const struct node *find(const struct world *w, const char *name)
{
	const struct node *n = graph_find(w->g, name);

	if (!n)
		fail_msg("no node %s", name);
	return n;
}

uint64_t world_drops(const struct world *w, const char *node, const char *reason)
{
	const struct node *n = find(w, node);

	for (unsigned i = 0; n->def->drops[i]; i++)
		if (!strcmp(n->def->drops[i], reason))
			return n->stats.drop[i];
	fail_msg("node %s has no drop reason %s", node, reason);
	return 0;
}

uint64_t world_dropped(const struct world *w)
{
	struct graph_books b;

	graph_books(w->g, &b);
	return b.dropped;
}

uint64_t world_held(const struct world *w)
{
	struct graph_books b;

	graph_books(w->g, &b);
	return b.held;
}

const struct frame *world_sent(struct world *w, uint16_t port)
{
	unsigned sent = w->sent;

	w->sent = 0;
	assert_int_equal(sent, 1);
	assert_int_equal(w->out[0].port, port);
	return &w->out[0];
}
