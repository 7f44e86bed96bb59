// SPDX-License-Identifier: BSD-3-Clause
// bridge_node.c - node bridge and nodes out-BRIDGE: learning, and where a frame goes
//
// A flooded frame is one buffer with several owners for all members without tags: nobody writes it
// from then on. A member under tags, and the bridge's own station, whose nodes rewrite what they
// get, get copies of their own.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/bridge.h"
#include "netstack/eth.h"
#include "pmd/offload.h"

enum { EDGE_UP }; // of node bridge; then an edge to each out
static const char *const edges[] = {"up", NULL};

enum {
	DROP_BAD_SOURCE,
	DROP_RESERVED,
	DROP_OWN_ADDRESS,
	DROP_SAME_MEMBER,
	DROP_NO_MEMBER,
	DROP_MEMBER_DOWN,
	DROP_TOO_LONG,
	DROP_NO_BUFFER,
	DROP_INTERFACE_DOWN,
};
static const char *const drops[] = {
	"bad-source",  "reserved-address", "own-address", "same-member",    "no-member",
	"member-down", "too-long",	   "no-buffer",	  "interface-down", NULL};

struct bridge_node {
	struct ifaces *ifs;
	struct bridge *bridge; // out-BRIDGE: it; node bridge: NULL
	uint8_t out0;	       // the edge of the first out
	bool sweeps;
	uint64_t *due; // when each interface that is a bridge is swept next
};

static struct bridge_count *count(struct bridge *b)
{
	return &b->count[lcore_self % IFACE_LCORES];
}

static uint8_t edge_to(const struct bridge_node *s, uint16_t iface)
{
	return (uint8_t)(s->out0 + s->ifs->iface[iface].tx);
}

// Longer than the member takes: its MTU, the Ethernet header, and a tag that is not its own.
static bool too_long(const struct iface *o, const struct mbuf *m)
{
	uint32_t bytes = m->flags & (MBUF_TSO | MBUF_USO) ? offload_piece_bytes(m) : m->pkt_len;
	uint32_t most = o->mtu + ETH_HLEN;

	return bytes > most && (bytes > most + 4 || !eth_is_tag(be16(load16(m->data + 12))));
}

static bool writable(const struct mbuf *m, const struct iface *o)
{
	return m->refcnt == 1 && mbuf_headroom(m) >= o->hlen - ETH_HLEN;
}

// The frame, which is writable, as the member sends it.
static void put_tags(const struct bridge_node *s, struct mbuf *m, uint16_t to)
{
	const struct iface *o = &s->ifs->iface[to];
	uint16_t n = o->hlen - ETH_HLEN;
	struct iface_count *c;
	uint8_t *p;

	if (!n)
		return;
	p = mbuf_prepend(m, n);
	memmove(p, p + n, 12);
	store32(p + 12, load32(o->tag)); // a tag each, of constant length: no call of memcpy
	if (n > 4)
		store32(p + 16, load32(o->tag + 4));
	m->l3 = (uint16_t)(m->l3 + n); // where they are set
	m->l4 = (uint16_t)(m->l4 + n);
	c = iface_count(s->ifs, to);
	c->tx_packets++;
	c->tx_bytes += m->pkt_len;
}

// A copy leaves by the member. False: there is no buffer.
static bool emit_copy(struct node *node, struct bridge *b, const struct mbuf *m, uint16_t to)
{
	struct mbuf *copy = mbuf_copy(m, m->pool);

	if (!copy) {
		count(b)->no_buffer++;
		return false;
	}
	count(b)->copied++;
	put_tags(node->state, copy, to);
	graph_emit(node, edge_to(node->state, to), copy);
	return true;
}

static uint8_t forward(struct node *node, struct bridge *b, struct mbuf *m, uint16_t to)
{
	const struct bridge_node *s = node->state;
	const struct iface *o = &s->ifs->iface[to];

	if (!iface_live(o))
		return NEXT_DROP(DROP_MEMBER_DOWN);
	if (too_long(o, m))
		return NEXT_DROP(DROP_TOO_LONG);
	if (o->hlen == ETH_HLEN)
		return edge_to(s, to);
	if (!writable(m, o))
		return emit_copy(node, b, m, to) ? NEXT_CONSUMED : NEXT_DROP(DROP_NO_BUFFER);
	put_tags(s, m, to);
	return edge_to(s, to);
}

// The bridge's own station.
static uint8_t up(const struct bridge_node *s, const struct bridge *b, struct mbuf *m)
{
	struct iface_count *c = iface_count(s->ifs, b->iface);

	c->rx_packets++;
	c->rx_bytes += m->pkt_len;
	m->port = b->iface;
	return EDGE_UP;
}

static bool emit_up(struct node *node, struct bridge *b, const struct mbuf *m)
{
	struct mbuf *copy = mbuf_copy(m, m->pool);

	if (!copy) {
		count(b)->no_buffer++;
		return false;
	}
	count(b)->copied++;
	graph_emit(node, up(node->state, b, copy), copy);
	return true;
}

struct targets {
	uint16_t plain[BRIDGE_MEMBERS_MAX], tagged[BRIDGE_MEMBERS_MAX];
	unsigned plains, tags;
	bool over; // for some member it is too long
};

static void find_targets(const struct bridge_node *s, const struct bridge *b, const struct mbuf *m,
			 uint16_t in, struct targets *t)
{
	t->plains = t->tags = 0;
	t->over = false;
	for (unsigned k = 0; k < b->n; k++) {
		uint16_t to = b->member[k];
		const struct iface *o = &s->ifs->iface[to];

		if (to == in || !iface_live(o))
			continue;
		if (too_long(o, m))
			t->over = true;
		else if (o->hlen == ETH_HLEN)
			t->plain[t->plains++] = to;
		else
			t->tagged[t->tags++] = to;
	}
}

// To all members but `in`, and, with_up, to the bridge's own station.
static uint8_t flood(struct node *node, struct bridge *b, struct mbuf *m, uint16_t in, bool with_up)
{
	const struct bridge_node *s = node->state;
	unsigned made = 0;
	struct targets t;

	find_targets(s, b, m, in, &t);
	if (t.plains + t.tags == 0 && with_up && m->refcnt == 1)
		return up(s, b, m);
	if (t.plains + t.tags + with_up == 0)
		return NEXT_DROP(t.over ? DROP_TOO_LONG : DROP_NO_MEMBER);
	count(b)->flooded += t.plains + t.tags + with_up > 1;
	// Copies before others own the frame too.
	made += with_up && emit_up(node, b, m);
	for (unsigned k = 0; k < t.tags; k++) {
		if (!t.plains && k + 1 == t.tags && writable(m, &s->ifs->iface[t.tagged[k]])) {
			put_tags(s, m, t.tagged[k]);
			return edge_to(s, t.tagged[k]);
		}
		made += emit_copy(node, b, m, t.tagged[k]);
	}
	if (!t.plains)
		return made ? NEXT_CONSUMED : NEXT_DROP(DROP_NO_BUFFER);
	for (unsigned k = 0; k + 1 < t.plains; k++) {
		mbuf_ref(m);
		graph_emit(node, edge_to(s, t.plain[k]), m);
	}
	return edge_to(s, t.plain[t.plains - 1]);
}

// 802.1D, 7.12.6: 01-80-c2-00-00-00 to 0f stay on their link.
static bool reserved(uint64_t dst)
{
	return (dst & 0xf0ffffffffff) == 0x0000c28001;
}

static void learn(struct node *node, struct bridge *b, uint64_t src, uint16_t in)
{
	uint64_t now = graph_now(node);
	enum mac_learnt how = mac_learn(&b->macs, src, in, mac_tick(now));

	if (likely(how == MAC_KNOWN))
		return;
	if (how == MAC_NEW)
		graph_wake(node, now + b->macs.sweep_ns);
	count(b)->moved += how == MAC_MOVED;
	count(b)->unlearnt += how == MAC_FULL;
}

static uint8_t one(struct node *node, struct mbuf *m)
{
	const struct bridge_node *s = node->state;
	const struct iface *self = &s->ifs->iface[s->ifs->iface[m->port].bridge];
	struct bridge *b = self->domain;
	uint64_t dst = eth_mac_load8(m->data), src = eth_mac_load8(m->data + 6);
	bool routed = b->routed;
	uint16_t to;

	if (!iface_up(self))
		return NEXT_DROP(DROP_INTERFACE_DOWN);
	if (src & 1 || !src)
		return NEXT_DROP(DROP_BAD_SOURCE);
	if (routed && src == self->mac48)
		return NEXT_DROP(DROP_OWN_ADDRESS);
	if (reserved(dst))
		return NEXT_DROP(DROP_RESERVED);
	learn(node, b, src, m->port);
	if (dst & 1)
		return flood(node, b, m, m->port, routed);
	if (routed && dst == self->mac48)
		return up(s, b, m);
	to = mac_find(&b->macs, dst);
	if (to == IFACE_NONE)
		return flood(node, b, m, m->port, false);
	if (to == m->port)
		return NEXT_DROP(DROP_SAME_MEMBER);
	return forward(node, b, m, to);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, pkts[i]);
}

static uint8_t out_one(struct node *node, struct bridge *b, struct mbuf *m)
{
	const struct bridge_node *s = node->state;
	struct iface_count *c = iface_count(s->ifs, b->iface);
	uint64_t dst = eth_mac_load8(m->data);
	uint16_t to = dst & 1 ? IFACE_NONE : mac_find(&b->macs, dst);

	c->tx_packets++;
	c->tx_bytes += m->pkt_len;
	return to == IFACE_NONE ? flood(node, b, m, IFACE_NONE, false) : forward(node, b, m, to);
}

static void out_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct bridge_node *s = node->state;

	if (!iface_up(&s->ifs->iface[s->bridge->iface])) {
		node_all(node, NEXT_DROP(DROP_INTERFACE_DOWN));
		return;
	}
	for (unsigned i = 0; i < n; i++)
		next[i] = out_one(node, s->bridge, pkts[i]);
}

// Other lcores cannot wake this node, so it does not sleep where there are any.
static bool anyone(const struct bridge *b)
{
	return b->graphs > 1 || __atomic_load_n(&b->macs.count, __ATOMIC_RELAXED);
}

static uint64_t housekeep(struct node *node, uint64_t now)
{
	struct bridge_node *s = node->state;
	uint64_t due = TIME_NEVER;

	for (unsigned k = s->ifs->ports; s->sweeps && k < s->ifs->n; k++) {
		struct bridge *b = s->ifs->iface[k].domain;

		if (s->ifs->iface[k].kind != IFACE_BRIDGE)
			continue;
		if (s->due[k] <= now) {
			mac_sweep(&b->macs, mac_tick(now));
			s->due[k] = now + b->macs.sweep_ns;
		}
		if (anyone(b) && s->due[k] < due)
			due = s->due[k];
	}
	return due;
}

static void destroy(struct node *node)
{
	struct bridge_node *s = node->state;

	ifaces_unref(s->ifs);
	free(s->due);
	free(s);
}

static const struct node_def bridge_def = {
	.name = "bridge",
	.edges = edges,
	.drops = drops,
	.process = process,
	.housekeep = housekeep,
	.destroy = destroy,
};

static const struct node_def bridge_out_def = {
	.name = "bridge-out",
	.drops = drops,
	.process = out_process,
	.destroy = destroy,
};

static struct node *add(struct graph *g, struct ifaces *ifs, const struct node_def *def,
			const char *name, struct bridge *b, struct err *err)
{
	struct bridge_node *s = calloc(1, sizeof(*s));
	uint64_t *due = calloc(ifs->n, sizeof(*due));
	struct node *node = NULL;

	if (!s || !due)
		err_set(err, -ENOMEM, "no memory for node %s", name);
	else
		node = graph_add(g, def, name, s, err);
	if (!node) {
		free(due);
		free(s);
		return NULL;
	}
	*s = (struct bridge_node){.ifs = ifaces_ref(ifs), .bridge = b, .out0 = !b, .due = due};
	return node;
}

struct node *bridge_node_add(struct graph *g, struct ifaces *ifs, struct err *err)
{
	struct node *node = add(g, ifs, &bridge_def, bridge_def.name, NULL, err);

	for (unsigned k = ifs->ports; node && k < ifs->n; k++)
		if (ifs->iface[k].kind == IFACE_BRIDGE && !ifs->iface[k].domain->graphs++)
			((struct bridge_node *)node->state)->sweeps = true;
	return node;
}

struct node *bridge_out_add(struct graph *g, struct ifaces *ifs, uint16_t iface, struct err *err)
{
	char label[IFACE_NAME_MAX], name[IFACE_NAME_MAX + 8];

	iface_label(&ifs->iface[iface], label);
	snprintf(name, sizeof(name), "out-%s", label);
	return add(g, ifs, &bridge_out_def, name, ifs->iface[iface].domain, err);
}

int bridge_connect(struct node *node, struct node *const *tx, struct err *err)
{
	const struct bridge_node *s = node->state;

	for (unsigned k = 0; k < s->ifs->outs; k++) {
		int edge = node_add_edge(node, tx[k], err);

		if (edge < 0)
			return edge;
	}
	return 0;
}
