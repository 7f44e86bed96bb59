// SPDX-License-Identifier: BSD-3-Clause
// eth_input.c - node eth-input: whose a frame is and what it carries (IEEE 802.3, 802.1Q)
//
// Untagged IP to a port's own address is settled by one comparison. All else goes by parse():
// from the port to the group it is in, by the tags to the VLAN, and from there to the bridge it is
// in or to IP.
#include "netstack/eth_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/eth.h"
#include "netstack/ip4.h"
#include "netstack/tcp.h"
#include "netstack/vlan.h"

enum { EDGE_IP4, EDGE_ARP };
enum {
	DROP_SHORT_FRAME,
	DROP_SPLIT_HEADER,
	DROP_NOT_OUR_MAC,
	DROP_VLAN_UNCONFIGURED,
	DROP_LLC,
	DROP_IP6_UNSUPPORTED,
	DROP_UNKNOWN_ETHERTYPE,
	DROP_INTERFACE_DOWN,
	DROP_NO_HEADROOM,
};
static const char *const edges[] = {"ip4", "arp", NULL};
static const char *const drops[] = {
	"short-frame",	   "split-header",	"not-our-mac",	  "vlan-unconfigured", "llc",
	"ip6-unsupported", "unknown-ethertype", "interface-down", "no-headroom",       NULL};

#define TAGS_MAX 2

// The longest headers that later nodes read and write: Ethernet with its tags, IPv4 with options,
// TCP. The first segment of a chain holds them, or else all of the packet is in it.
#define HEADERS_MAX (ETH_HLEN + TAGS_MAX * 4 + IP4_HLEN_MAX + TCP_HLEN)

#define AHEAD 8 // packets whose headers are fetched early

struct eth_input {
	struct ifaces *ifs;
	uint8_t next[ETH_INPUT_EDGES]; // by enum eth_input_edge: where that goes
};

struct tag {
	uint16_t type; // 0: was taken out of the data, any
	uint16_t vid;
	uint16_t end; // offset of what follows it
};

struct tags { // of a frame, outermost first
	struct tag tag[TAGS_MAX + 1];
	unsigned n;
	unsigned at;   // the first that counts: none before it has a VLAN
	uint16_t type; // behind the last
	uint16_t l3;
};

static bool read_tags(const struct mbuf *m, struct tags *t)
{
	uint16_t off = 12;

	t->n = t->at = 0;
	t->type = be16(load16(m->data + off));
	if (m->flags & MBUF_VLAN)
		t->tag[t->n++] = (struct tag){0, VLAN_VID(m->vlan_tci), off};
	for (unsigned k = 0; k < TAGS_MAX && eth_is_tag(t->type); k++) {
		if (m->len < off + 6u)
			return false;
		t->tag[t->n++] = (struct tag){t->type, VLAN_VID(be16(load16(m->data + off + 2))),
					      (uint16_t)(off + 4)};
		off += 4;
		t->type = be16(load16(m->data + off));
	}
	t->l3 = (uint16_t)(off + 2);
	return true;
}

// VID 0 is a priority alone, as if there were no tag (802.1Q, 6.9).
static void skip_priorities(struct tags *t)
{
	while (t->at < t->n && !t->tag[t->at].vid)
		t->at++;
}

// The VLAN of a port or group whose tags these are, or IFACE_NONE; they are behind t->at then.
static uint16_t find_vlan(const struct vlan_map *map, struct tags *t)
{
	const struct tag *tag = &t->tag[t->at];
	uint16_t found = IFACE_NONE;

	if (!map || t->at == t->n)
		return found;
	if (!tag->type || tag->type == ETH_TYPE_VLAN)
		found = vlan_find1(map, tag->vid);
	if (found != IFACE_NONE) {
		t->at++;
	} else if (tag->type != ETH_TYPE_VLAN && tag->type != ETH_TYPE_9100 && t->at + 1 < t->n &&
		   tag[1].type == ETH_TYPE_VLAN) {
		found = vlan_find2(map, tag->vid, tag[1].vid);
		if (found != IFACE_NONE)
			t->at += 2;
	}
	return found;
}

static void count_rx(const struct ifaces *ifs, const struct mbuf *m)
{
	struct iface_count *c = iface_count(ifs, m->port);

	c->rx_packets++;
	c->rx_bytes += m->pkt_len;
}

// A tag that was taken out of the data is the frame's as any other.
static bool put_back_tag(struct mbuf *m)
{
	uint8_t *p;

	if (mbuf_headroom(m) < 4)
		return false;
	p = mbuf_prepend(m, 4);
	memmove(p, p + 4, 12);
	store16(p + 12, be16(ETH_TYPE_VLAN));
	store16(p + 14, be16(m->vlan_tci));
	m->l3 = (uint16_t)(m->l3 + 4); // where they are set
	m->l4 = (uint16_t)(m->l4 + 4);
	return true;
}

// Bridges forward what is behind the interface's own tags: other tags are none of their business.
static uint8_t to_bridge(const struct eth_input *e, struct mbuf *m, const struct tags *t, bool vlan)
{
	uint16_t cut = vlan ? (uint16_t)(t->tag[t->at - 1].end - 12) : 0;

	if (!vlan && m->flags & MBUF_VLAN && !put_back_tag(m))
		return NEXT_DROP(DROP_NO_HEADROOM);
	m->flags &= ~MBUF_VLAN;
	if (cut) {
		memmove(m->data + cut, m->data, 12);
		mbuf_pull(m, cut);
		m->l3 = (uint16_t)(m->l3 - cut);
		m->l4 = (uint16_t)(m->l4 - cut);
	}
	return e->next[ETH_INPUT_BRIDGE];
}

static uint8_t by_type(const struct eth_input *e, uint16_t type)
{
	if (type == ETH_TYPE_IP4)
		return EDGE_IP4;
	if (type == ETH_TYPE_ARP)
		return EDGE_ARP;
	if (type == ETH_TYPE_IP6)
		return e->next[ETH_INPUT_IP6];
	return NEXT_DROP(type < ETH_TYPE_MIN ? DROP_LLC : DROP_UNKNOWN_ETHERTYPE);
}

// Everything that is not one segment of untagged IP to a port's own address.
static __attribute__((noinline)) uint8_t parse(const struct eth_input *e, struct mbuf *m)
{
	const struct ifaces *ifs = e->ifs;
	const struct iface *i = &ifs->iface[m->port];
	struct tags tags;
	uint16_t vlan;

	if (m->pkt_len < ETH_HLEN)
		return NEXT_DROP(DROP_SHORT_FRAME);
	if (m->len < m->pkt_len && m->len < HEADERS_MAX)
		return NEXT_DROP(DROP_SPLIT_HEADER);
	if (!iface_up(i))
		return NEXT_DROP(DROP_INTERFACE_DOWN);
	if (i->group != IFACE_NONE) {
		m->port = i->group;
		i = &ifs->iface[m->port];
		count_rx(ifs, m);
	}
	if (!read_tags(m, &tags))
		return NEXT_DROP(DROP_SHORT_FRAME);
	skip_priorities(&tags);
	vlan = find_vlan(i->vlans, &tags);
	if (vlan != IFACE_NONE) {
		m->port = vlan;
		i = &ifs->iface[vlan];
		count_rx(ifs, m);
	}
	if (!iface_up(i))
		return NEXT_DROP(DROP_INTERFACE_DOWN);
	if (i->bridge != IFACE_NONE)
		return to_bridge(e, m, &tags, vlan != IFACE_NONE);
	if (m->data[0] & 1)
		m->flags |= MBUF_BCAST;
	else if (eth_mac_load8(m->data) != i->mac48)
		return NEXT_DROP(DROP_NOT_OUR_MAC);
	skip_priorities(&tags);
	if (tags.at < tags.n || eth_is_tag(tags.type))
		return NEXT_DROP(DROP_VLAN_UNCONFIGURED);
	m->flags &= ~MBUF_VLAN;
	m->l3 = tags.l3;
	return by_type(e, tags.type);
}

static always_inline uint8_t one(const struct eth_input *e, const struct ifaces *ifs,
				 struct mbuf *m)
{
	const uint8_t *p = m->data;

	if (likely(m->nsegs == 1 && m->len >= ETH_HLEN && !(m->flags & MBUF_VLAN) &&
		   eth_mac_load8(p) == ifs->iface[m->port].match48)) {
		m->l3 = ETH_HLEN;
		if (likely(load16(p + 12) == be16(ETH_TYPE_IP4)))
			return EDGE_IP4;
		if (load16(p + 12) == be16(ETH_TYPE_IP6))
			return e->next[ETH_INPUT_IP6];
	}
	return parse(e, m);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct eth_input *e = node->state;
	const struct ifaces *ifs = e->ifs;

	// This node is the first to look at a packet: its mbuf and its headers may be far away.
	for (unsigned i = 0; i < n && i < AHEAD; i++)
		__builtin_prefetch(pkts[i]->data);
	for (unsigned i = 0; i < n; i++) {
		if (i + 2 * AHEAD < n)
			__builtin_prefetch(pkts[i + 2 * AHEAD]);
		if (i + AHEAD < n)
			__builtin_prefetch(pkts[i + AHEAD]->data);
		next[i] = one(e, ifs, pkts[i]);
	}
}

static void destroy(struct node *node)
{
	struct eth_input *e = node->state;

	ifaces_unref(e->ifs);
	free(e);
}

static const struct node_def eth_input_node = {
	.name = "eth-input",
	.edges = edges,
	.drops = drops,
	.process = process,
	.destroy = destroy,
};

struct node *eth_input_add(struct graph *g, struct ifaces *ifs, struct err *err)
{
	struct eth_input *e = malloc(sizeof(*e));
	struct node *node;

	if (!e) {
		err_set(err, -ENOMEM, "no memory for node eth-input");
		return NULL;
	}
	*e = (struct eth_input){.ifs = ifaces_ref(ifs)};
	e->next[ETH_INPUT_IP6] = NEXT_DROP(DROP_IP6_UNSUPPORTED);
	e->next[ETH_INPUT_BRIDGE] = NEXT_DROP(DROP_NOT_OUR_MAC);
	node = graph_add(g, &eth_input_node, eth_input_node.name, e, err);
	if (!node) {
		ifaces_unref(ifs);
		free(e);
	}
	return node;
}

int eth_input_connect(struct node *eth_input, enum eth_input_edge which, struct node *to,
		      struct err *err)
{
	struct eth_input *e = eth_input->state;
	int edge = node_add_edge(eth_input, to, err);

	if (edge < 0)
		return edge;
	e->next[which] = (uint8_t)edge;
	return 0;
}
