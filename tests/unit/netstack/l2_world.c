// SPDX-License-Identifier: BSD-3-Clause
// l2_world.c - eth-input, bridges and groups between recording ports
#include "tests/unit/netstack/l2_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "netstack/eth_input.h"

#define POOL 512

static struct mempool *pool; // arena memory is for good

static void record(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct l2 *l = node->state;

	for (unsigned i = 0; i < n; i++) {
		struct l2_frame *f = &l->frame[l->n++];
		struct mbuf *m = pkts[i];

		assert_true(l->n <= L2_FRAMES);
		assert_int_equal(mbuf_check(m), 0);
		assert_true(m->pkt_len <= sizeof(f->b));
		*f = (struct l2_frame){
			.flags = m->flags, .l3 = m->l3, .l4 = m->l4, .len = m->pkt_len};
		assert_int_equal(mbuf_copy_out(m, 0, f->b, m->pkt_len), 0);
		f->port = L2_UP;
		for (uint16_t p = 0; p < L2_PORTS; p++)
			if (l->tx[p] == node)
				f->port = p;
		if (f->port == L2_UP) {
			f->iface = m->port;
			assert_int_equal(m->refcnt, 1); // what goes up is written
			next[i] = NEXT_CONSUMED;
			continue;
		}
		mbuf_free(m);
		next[i] = NEXT_SENT;
	}
}

static const struct node_def record_def = {.name = "record", .process = record};

static void ports(struct ifaces *ifs)
{
	for (uint16_t p = 0; p < L2_PORTS; p++) {
		const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)p};

		assert_int_equal(ifaces_port(ifs, p, mac, 1500, NULL), 0);
	}
}

struct l2 *l2_open(void (*make)(struct ifaces *ifs))
{
	struct mempool_conf conf = {.name = "packets", .count = POOL};
	struct l2 *l = calloc(1, sizeof(*l));
	struct err err = {""};

	assert_non_null(l);
	if (!pool)
		pool = mempool_create(&conf, &err);
	assert_non_null(pool);
	l->pool = pool;
	l->clock = (struct clock){.kind = CLOCK_CAPTURE, .now = 1000 * NSEC_PER_SEC};
	l->ifs = ifaces_create(L2_PORTS, 10, &err);
	assert_non_null(l->ifs);
	ports(l->ifs);
	make(l->ifs);
	l->g = graph_create(&l->clock, &err);
	for (unsigned p = 0; p < L2_PORTS; p++) {
		char name[16];

		snprintf(name, sizeof(name), "tx%u", p);
		l->tx[p] = graph_add(l->g, &record_def, name, l, &err);
	}
	l->up = graph_add(l->g, &record_def, "up", l, &err);
	if (l2_graph_outs(l->g, l->ifs, l->tx, &err))
		fail_msg("%s", err.text);
	l->in = eth_input_add(l->g, l->ifs, &err);
	assert_non_null(l->in);
	assert_int_equal(node_connect(l->in, "ip4", l->up, &err), 0);
	assert_int_equal(node_connect(l->in, "arp", l->up, &err), 0);
	if (l2_graph_enter(l->g, l->in, &err) || graph_check(l->g, &err))
		fail_msg("%s", err.text);
	graph_housekeep(l->g, l->clock.now);
	return l;
}

void l2_close(struct l2 *l)
{
	struct graph_books b;

	graph_books(l->g, &b);
	assert_true(graph_balanced(&b));
	assert_int_equal(b.held, 0);
	graph_destroy(l->g);
	assert_int_equal(l->ifs->refs, 1);
	ifaces_unref(l->ifs);
	if (mempool_available(pool) != mempool_count(pool)) {
		mempool_report(pool, stderr);
		fail_msg("buffers were lost");
	}
	free(l);
}

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	while (*hex) {
		unsigned byte;

		if (*hex == ' ' || *hex == ':') {
			hex++;
			continue;
		}
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
		hex += 2;
	}
	return n;
}

static void put_mac(const char *text, uint8_t mac[6])
{
	uint8_t bytes[16];
	size_t n = unhex(text, bytes);

	assert_true(n == 1 || n == 6);
	memset(mac, 0, 6);
	mac[0] = 2;
	memcpy(n == 1 ? mac + 5 : mac, bytes, n);
}

struct l2_frame l2_frame(const char *dst, const char *src, const char *rest, size_t n)
{
	struct l2_frame f = {0};

	put_mac(dst, f.b);
	put_mac(src, f.b + 6);
	f.len = 12 + unhex(rest, f.b + 12);
	for (size_t i = 0; i < n; i++)
		f.b[f.len++] = (uint8_t)i;
	return f;
}

struct mbuf *l2_mbuf(struct l2 *l, uint16_t port, const struct l2_frame *f)
{
	struct mbuf *m = mbuf_from_bytes(l->pool, f->b, (uint32_t)f->len);

	assert_non_null(m);
	m->port = port;
	m->flags = f->flags;
	m->l3 = f->l3;
	m->l4 = f->l4;
	return m;
}

void l2_rx(struct l2 *l, uint16_t port, struct l2_frame f)
{
	struct mbuf *m = l2_mbuf(l, port, &f);

	l->n = 0;
	graph_rx(l->g, l->in, &m, 1);
}

void l2_tx(struct l2 *l, uint16_t iface, struct l2_frame f)
{
	struct mbuf *m = l2_mbuf(l, 0, &f);

	l->n = 0;
	graph_rx(l->g, l->tx[l->ifs->iface[iface].tx], &m, 1);
}

static const struct l2_frame *find(const struct l2 *l, uint16_t port)
{
	const struct l2_frame *found = NULL;

	for (unsigned i = 0; i < l->n; i++)
		if (l->frame[i].port == port) {
			assert_null(found); // twice by one port
			found = &l->frame[i];
		}
	return found;
}

void l2_came(const struct l2 *l, uint16_t port, struct l2_frame f)
{
	const struct l2_frame *got = find(l, port);

	if (!got)
		fail_msg("nothing came out by %u", port);
	assert_int_equal(got->len, f.len);
	assert_memory_equal(got->b, f.b, f.len);
}

void l2_only(const struct l2 *l, uint16_t port, struct l2_frame f)
{
	assert_int_equal(l->n, 1);
	l2_came(l, port, f);
}

uint64_t l2_drops(const struct l2 *l, const char *name, const char *reason)
{
	const struct node *n = graph_find(l->g, name);

	assert_non_null(n);
	for (unsigned i = 0; n->def->drops[i]; i++)
		if (!strcmp(n->def->drops[i], reason))
			return n->stats.drop[i];
	fail_msg("node %s has no drop reason %s", name, reason);
	return 0;
}

void l2_pass(struct l2 *l, uint64_t ns)
{
	uint64_t end = l->clock.now + ns, due = graph_housekeep(l->g, l->clock.now);

	while (due <= end) {
		clock_advance(&l->clock, due);
		due = graph_housekeep(l->g, l->clock.now);
	}
	clock_advance(&l->clock, end);
}
