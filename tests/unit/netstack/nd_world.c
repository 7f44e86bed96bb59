// SPDX-License-Identifier: BSD-3-Clause
// nd_world.c - an IPv6 router between recording ports
#include "tests/unit/netstack/nd_world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static struct mempool *pool; // arena memory is for good

static bool is_mld(const struct mbuf *m)
{
	return m->len > 62 && load16(m->data + 12) == be16(ETH_TYPE_IP6) &&
	       m->data[20] == IP6_HOP_BY_HOP;
}

static void record(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct nd_world *w = node->state;

	for (unsigned i = 0; i < n; i++) {
		struct nd_frame *f = &w->out[w->sent];

		assert_int_equal(mbuf_check(pkts[i]), 0);
		if (!is_mld(pkts[i])) {
			assert_true(w->sent < OUT_MAX && pkts[i]->pkt_len <= sizeof(f->bytes));
			f->at = w->clock.now;
			f->port = node == w->tx[1];
			f->len = (uint16_t)pkts[i]->pkt_len;
			mbuf_copy_out(pkts[i], 0, f->bytes, f->len);
			w->sent++;
		}
		mbuf_free(pkts[i]);
		next[i] = NEXT_SENT;
	}
}

static const struct node_def record_node = {.name = "tx", .process = record};

size_t nd_unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		unsigned digit;

		if (isspace((unsigned char)*hex))
			continue;
		digit = (unsigned)(isdigit((unsigned char)*hex) ? *hex - '0' : *hex - 'a' + 10);
		assert_true(digit < 16);
		out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] << 4 | digit : digit);
		n++;
	}
	assert_int_equal(n % 2, 0);
	return n / 2;
}

static void ok(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static struct ifaces *make_ifaces(void)
{
	static const uint8_t macs[ND_PORTS][6] = {{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1}};
	struct ifaces *ifs = ifaces_create(ND_PORTS, 0, NULL);
	struct err err;

	assert_non_null(ifs);
	for (uint16_t p = 0; p < ND_PORTS; p++)
		ok(ifaces_port(ifs, p, macs[p], 1500, &err), &err);
	return ifs;
}

static void configure(struct ip6_stack *s, const struct nd_conf *c)
{
	struct err err = {""};
	uint8_t a[16], mac[6];

	nd_unhex("20010db8000000010000000000000001", a);
	ok(ip6_stack_address(s, WAN, a, 64, &err), &err);
	nd_unhex(SELF, a);
	ok(ip6_stack_address(s, LAN, a, 64, &err), &err);
	nd_unhex("20010db8000000010000000000000010", a);
	nd_unhex("020100000010", mac);
	ok(ip6_stack_neighbor(s, WAN, a, mac, &err), &err);
	nd_set_dad(s, c->dad);
	if (c->ra)
		ok(nd_set_ra(s, LAN, c->ra, &err), &err);
}

static void build(struct nd_world *w, struct ifaces *ifs)
{
	static const char *const names[ND_PORTS] = {"tx-wan", "tx-lan"};
	struct ip4_conf conf = {.pool = w->pool, .ifs = ifs};
	struct ip4_stack *s4;
	struct err err = {""};

	w->g = graph_create(&w->clock, &err);
	assert_non_null(w->g);
	for (unsigned p = 0; p < ND_PORTS; p++)
		w->tx[p] = graph_add(w->g, &record_node, names[p], w, &err);
	s4 = ip4_stack_create(&conf, &err);
	assert_non_null(s4);
	w->in = ip4_graph_build(w->g, s4, w->tx, &err);
	if (!w->in)
		fail_msg("%s", err.text);
	ok(ip6_graph_build(w->g, w->s, w->tx, &err), &err);
	ok(graph_check(w->g, &err), &err);
}

struct nd_world *nd_world_open(const struct nd_conf *conf)
{
	static const struct nd_conf none;
	const struct nd_conf *c = conf ? conf : &none;
	struct mempool_conf mc = {.name = "packets", .count = 2048};
	struct nd_world *w = calloc(1, sizeof(*w));
	struct ip6_conf c6 = {
		.addresses = 8,
		.nexthops = 8,
		.neighbors = 8,
		.learnt = c->learnt,
		.nd_hold = c->hold,
		.seed = c->seed,
		.lcore = c->lcore,
		.lcores = c->lcores,
		.lcore0 = c->lcore0 ? c->lcore0->s : NULL,
	};
	struct err err = {""};

	assert_non_null(w);
	if (!pool)
		pool = mempool_create(&mc, &err);
	assert_non_null(pool);
	w->pool = c6.pool = pool;
	c6.ifs = make_ifaces();
	w->clock = (struct clock){.kind = CLOCK_CAPTURE, .now = 1000 * SEC};
	w->s = ip6_stack_create(&c6, &err);
	if (!w->s)
		fail_msg("%s", err.text);
	configure(w->s, c);
	build(w, c6.ifs);
	ifaces_unref(c6.ifs);
	return w;
}

void nd_world_close(struct nd_world *w)
{
	struct graph_books b;

	graph_books(w->g, &b);
	assert_true(graph_balanced(&b));
	assert_int_equal(b.held, w->s->neighbors.held);
	graph_destroy(w->g);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	free(w);
}

void nd_world_rx(struct nd_world *w, uint16_t port, const void *bytes, size_t len, uint16_t seg)
{
	const uint8_t *p = bytes;
	struct mbuf *first = NULL, **link = &first;

	for (size_t left = len, n; left; left -= n, p += n) {
		struct mbuf *m = mbuf_alloc(w->pool);

		n = seg && seg < left ? seg : left;
		assert_non_null(m);
		memcpy(mbuf_append(m, (uint16_t)n), p, n);
		*link = m;
		link = &m->next;
		if (m != first)
			first->nsegs++;
	}
	first->pkt_len = (uint32_t)len;
	first->port = port;
	graph_rx(w->g, w->in, &first, 1);
}

void nd_world_pass(struct nd_world *w, uint64_t ns)
{
	uint64_t end = w->clock.now + ns, due = graph_housekeep(w->g, w->clock.now);

	while (due <= end) {
		clock_advance(&w->clock, due);
		due = graph_housekeep(w->g, w->clock.now);
	}
	clock_advance(&w->clock, end);
}

uint64_t nd_world_drops(const struct nd_world *w, const char *node, const char *reason)
{
	const struct node *n = graph_find(w->g, node);

	assert_non_null(n);
	for (unsigned i = 0; n->def->drops[i]; i++)
		if (!strcmp(n->def->drops[i], reason))
			return n->stats.drop[i];
	fail_msg("node %s has no drop reason %s", node, reason);
	return 0;
}

void nd_world_expect(struct nd_world *w, uint16_t port, const char *hex)
{
	uint8_t want[1518];
	size_t len = nd_unhex(hex, want);
	unsigned sent = w->sent;

	w->sent = 0;
	assert_int_equal(sent, 1);
	assert_int_equal(w->out[0].port, port);
	assert_int_equal(w->out[0].len, len);
	assert_memory_equal(w->out[0].bytes, want, len);
}

void nd_world_quiet(struct nd_world *w)
{
	assert_int_equal(w->sent, 0);
}

// RFC 1071 by the book, over the pseudo header of RFC 8200, 8.1 and the message.
static uint16_t csum6(const uint8_t *ip, const uint8_t *msg, size_t len)
{
	uint32_t sum = 58 + (uint32_t)len;

	for (unsigned i = 8; i < 40; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? msg[i] : (uint32_t)msg[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

struct nd_packet nd_packet(const char *dst_mac, const char *src, const char *dst, uint8_t hops,
			   const char *message)
{
	struct nd_packet p = {.len = 0};
	uint8_t *ip = p.b + 14, *msg = p.b + 54;
	uint16_t csum;
	size_t len;

	nd_unhex(dst_mac, p.b);
	nd_unhex(PEER_MAC "86dd60000000", p.b + 6);
	len = nd_unhex(message, msg);
	ip[4] = (uint8_t)(len >> 8);
	ip[5] = (uint8_t)len;
	ip[6] = 58;
	ip[7] = hops;
	nd_unhex(src, ip + 8);
	nd_unhex(dst, ip + 24);
	msg[2] = msg[3] = 0;
	csum = csum6(ip, msg, len);
	msg[2] = (uint8_t)(csum >> 8);
	msg[3] = (uint8_t)csum;
	p.len = 54 + len;
	return p;
}

void nd_world_rx_packet(struct nd_world *w, uint16_t port, const struct nd_packet *p)
{
	nd_world_rx(w, port, p->b, p->len, 0);
}

// By scapy: IPv6(src="2001:db8:0:1::10", dst="2001:db8:0:2::77")/UDP(sport=5000, dport=7)/20 bytes.
void nd_world_send(struct nd_world *w, unsigned id)
{
	uint8_t b[128];
	size_t len = nd_unhex("02000000000202010000001086dd60000000001c114020010db80000000100000000"
			      "0000001020010db800000002000000000000007713880007001c35c7000102030405"
			      "060708090a0b0c0d0e0f10111213",
			      b);

	b[17] = (uint8_t)id;
	nd_world_rx(w, WAN, b, len, 0);
}

bool nd_is_datagram(const struct nd_frame *f, unsigned id)
{
	return f->len == 82 && f->bytes[20] == 17 && f->bytes[17] == id;
}
