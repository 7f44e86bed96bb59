// SPDX-License-Identifier: BSD-3-Clause
// nd_input.c - node nd-input: neighbors' questions, answers and announcements (RFC 4861, 6 and 7)
//
// As node arp-input: what is heard updates a neighbor that is known already; a new one is made only
// for who asks, and only when it is link-local or within a prefix of the interface. Nothing is
// learnt against a configured neighbor, nor from who has the MAC address of the interface. Whoever
// asks is answered: also from an address that is on no prefix here, since it may come from another
// interface of a neighbor's.
#include "netstack/nd_priv.h"

enum { EDGE_PORT0 };
static_assert(EDGE_PORT0 == ND_INPUT_EDGE_PORT0, "the wiring counts on it");
enum {
	DROP_TOO_SHORT,
	DROP_HOP_LIMIT,
	DROP_BAD_CODE,
	DROP_BAD_OPTION,
	DROP_BAD_LINK_ADDRESS,
	DROP_BAD_SOURCE,
	DROP_BAD_DESTINATION,
	DROP_BAD_TARGET,
	DROP_NOT_FOR_US,
	DROP_TENTATIVE,
	DROP_DUPLICATE_ADDRESS,
	DROP_UNSOLICITED,
	DROP_NOT_ADVERTISING,
	DROP_ROUTER_ADVERTISEMENT,
	DROP_ROUTER_DISAGREES,
	DROP_REDIRECT_IGNORED,
};
static const char *const drops[] = {"too-short",
				    "hop-limit",
				    "bad-code",
				    "bad-option",
				    "bad-link-address",
				    "bad-source",
				    "bad-destination",
				    "bad-target",
				    "not-for-us",
				    "tentative",
				    "duplicate-address",
				    "unsolicited",
				    "not-advertising",
				    "router-advertisement",
				    "router-disagrees",
				    "redirect-ignored",
				    NULL};

struct message {
	const struct ip6_hdr *ip;
	uint32_t len; // of the ICMPv6 message
	uint8_t type;
	uint32_t flags;	      // of an NA, host byte order
	union ip_addr target; // NS and NA
	bool has_link;
	uint8_t link[6]; // the source's or, of an NA, the target's
	uint64_t nonce;	 // 0: none
};

static uint32_t fixed_len(uint8_t type)
{
	switch (type) {
	case ICMP6_RS:
		return ICMP6_HLEN;
	case ICMP6_RA:
		return ND_RA_LEN;
	case ICMP6_REDIRECT:
		return ND_MSG_LEN + 16;
	default:
		return ND_MSG_LEN;
	}
}

// What all messages have to keep (6.1, 7.1, 8.1) but the checksum, which ip6-local has verified.
static int check_common(const struct mbuf *m, struct message *msg)
{
	uint8_t head[2] = {0, 0};

	msg->ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	msg->len = m->pkt_len - m->l4;
	if (mbuf_copy_out(m, m->l4, head, 2))
		return DROP_TOO_SHORT;
	msg->type = head[0];
	if (msg->ip->hops != ND_HOPS)
		return DROP_HOP_LIMIT;
	if (msg->len < fixed_len(msg->type))
		return DROP_TOO_SHORT;
	return head[1] ? DROP_BAD_CODE : -1;
}

static void take_option(struct message *msg, const uint8_t o[ND_OPT_UNIT])
{
	uint8_t link = msg->type == ICMP6_NA ? ND_OPT_TARGET : ND_OPT_SOURCE;

	if (o[0] == link) {
		msg->has_link = true;
		memcpy(msg->link, o + 2, 6);
	} else if (o[0] == ND_OPT_NONCE) {
		memcpy(&msg->nonce, o + 2, 6);
	}
}

// Options may stand anywhere in a chain of segments. One we do not know is skipped (4.6).
static int take_options(const struct mbuf *m, struct message *msg)
{
	uint32_t off = m->l4 + fixed_len(msg->type);
	uint8_t o[ND_OPT_UNIT];

	while (off < m->pkt_len) {
		if (mbuf_copy_out(m, off, o, sizeof(o)) || !o[1] ||
		    o[1] * ND_OPT_UNIT > m->pkt_len - off)
			return DROP_BAD_OPTION;
		if (o[1] == 1)
			take_option(msg, o);
		else if (o[0] == ND_OPT_SOURCE || o[0] == ND_OPT_TARGET)
			return DROP_BAD_OPTION; // no Ethernet address (RFC 2464, 6)
		off += o[1] * ND_OPT_UNIT;
	}
	return -1;
}

static int check_link(const struct ip6_stack *s, const struct mbuf *m, const struct message *msg)
{
	if (!msg->has_link)
		return -1;
	// 6.1.1, 7.1.1: who has no address does not say where it is.
	if (ip6_unspecified(msg->ip->src))
		return DROP_BAD_OPTION;
	if (!eth_mac_unicast(msg->link) || eth_mac(msg->link) == s->ifs->iface[m->port].mac48)
		return DROP_BAD_LINK_ADDRESS;
	return -1;
}

static int check_target(const struct mbuf *m, struct message *msg)
{
	struct nd_msg head;

	mbuf_copy_out(m, m->l4, &head, sizeof(head)); // it is that long
	msg->flags = be32(head.flags);
	msg->target = ip6_addr(head.target);
	if (!ip6_unicast(msg->target.v6))
		return DROP_BAD_TARGET;
	if (msg->type == ICMP6_NS && ip6_unspecified(msg->ip->src) &&
	    !ip6_prefix_equal(msg->ip->dst, ip6_solicited_node(msg->target.v6).v6, 104))
		return DROP_BAD_DESTINATION;
	if (msg->type == ICMP6_NA && msg->flags & ND_SOLICITED && ip6_multicast(msg->ip->dst))
		return DROP_BAD_DESTINATION;
	return -1;
}

static int check(const struct ip6_stack *s, const struct mbuf *m, struct message *msg)
{
	int drop = check_common(m, msg);

	if (drop < 0)
		drop = take_options(m, msg);
	if (drop < 0)
		drop = check_link(s, m, msg);
	if (drop < 0 && (msg->type == ICMP6_NS || msg->type == ICMP6_NA))
		drop = check_target(m, msg);
	if (drop < 0 && (msg->type == ICMP6_RA || msg->type == ICMP6_REDIRECT) &&
	    !ip6_link_local(msg->ip->src))
		drop = DROP_BAD_SOURCE;
	return drop;
}

static void tell(struct node *node, const struct neigh_news *news)
{
	struct ip6_stack *s = node->state;

	if (unlikely(s->neighbors.tells))
		neigh_tell(&s->neighbors, node, (uint8_t)(EDGE_PORT0 + s->ifs->outs), news);
}

// 6.2.6, 7.2.3: who asks says where it is.
static void learn_asker(struct node *node, const struct mbuf *m, const struct message *msg)
{
	struct ip6_stack *s = node->state;
	const uint8_t *src = msg->ip->src;
	struct neigh_news news = {
		.addr = ip6_addr(src),
		.iface = m->port,
		.flags = NEIGH_HAS_MAC | NEIGH_CREATE | NEIGH_OVERRIDE,
	};

	if (!msg->has_link || (!ip6_link_local(src) && !ip6_stack_onlink(s, m->port, src)))
		return;
	memcpy(news.mac, msg->link, 6);
	neigh_heard(&s->neighbors, &news, graph_now(node));
	tell(node, &news);
}

// Where the answer goes: to where the asker says that it is, else where it is known to be, else
// where the frame came from.
static const uint8_t *asker_mac(const struct ip6_stack *s, const struct mbuf *m,
				const struct message *msg)
{
	union ip_addr src = ip6_addr(msg->ip->src);
	uint32_t i = neigh_find6(&s->neighbors, m->port, &src);

	if (msg->has_link)
		return msg->link;
	if (i && s->neighbors.adj[i].ready)
		return adj_mac(&s->neighbors.adj[i]);
	return m->data + 6;
}

// 7.2.4. An empty pool costs this answer: who asks asks again.
static void answer(struct node *node, const struct mbuf *m, const struct message *msg,
		   const struct ip6_address *own)
{
	const struct ip6_stack *s = node->state;
	const struct iface *iface = &s->ifs->iface[m->port];
	uint32_t flags = own->anycast ? 0 : ND_OVERRIDE;
	struct mbuf *a = mbuf_alloc(s->pool);

	if (!a)
		return;
	if (ip6_unspecified(msg->ip->src))
		nd_put_advertisement(a, iface, ip6_all_nodes.v6, NULL, own->addr.v6, flags);
	else
		nd_put_advertisement(a, iface, msg->ip->src, asker_mac(s, m, msg), own->addr.v6,
				     flags | ND_SOLICITED);
	a->port = m->port;
	graph_emit(node, (uint8_t)(EDGE_PORT0 + iface->tx), a);
}

static uint8_t solicitation(struct node *node, const struct mbuf *m, const struct message *msg)
{
	struct ip6_stack *s = node->state;
	const struct ip6_address *own = ip6_stack_own(s, m->port, msg->target.v6);

	if (!own || own->state == IP6_DUPLICATE)
		return NEXT_DROP(DROP_NOT_FOR_US);
	// RFC 4862, 5.4.3.
	if (ip6_unspecified(msg->ip->src) && nd_dad_conflict(node, own, msg->nonce))
		return NEXT_DROP(DROP_DUPLICATE_ADDRESS);
	if (own->state == IP6_TENTATIVE)
		return NEXT_DROP(DROP_TENTATIVE);
	learn_asker(node, m, msg);
	answer(node, m, msg, own);
	return NEXT_CONSUMED;
}

static uint8_t advertisement(struct node *node, const struct mbuf *m, const struct message *msg)
{
	struct ip6_stack *s = node->state;
	const struct ip6_address *own = ip6_stack_own(s, m->port, msg->target.v6);
	struct neigh_news news = {.addr = msg->target, .iface = m->port};
	bool known;

	if (own) {
		nd_dad_conflict(node, own, 0); // RFC 4862, 5.4.4
		return NEXT_DROP(DROP_DUPLICATE_ADDRESS);
	}
	memcpy(news.mac, msg->link, 6);
	news.flags = (uint8_t)((msg->has_link ? NEIGH_HAS_MAC : 0) |
			       (msg->flags & ND_SOLICITED ? NEIGH_CONFIRMED : 0) |
			       (msg->flags & ND_OVERRIDE ? NEIGH_OVERRIDE : 0));
	known = neigh_heard(&s->neighbors, &news, graph_now(node)) != 0;
	// What lcore 0 does not know, nobody waits for: it asks for all.
	if (known || s->lcore)
		tell(node, &news);
	return known ? NEXT_CONSUMED : NEXT_DROP(DROP_UNSOLICITED);
}

static uint8_t router_solicitation(struct node *node, const struct mbuf *m,
				   const struct message *msg)
{
	struct ip6_stack *s = node->state;

	if (!s->nd->iface[m->port].on)
		return NEXT_DROP(DROP_NOT_ADVERTISING);
	learn_asker(node, m, msg);
	nd_ra_solicited(s, m->port, graph_now(node));
	if (s->lcore)
		tell(node, &(struct neigh_news){.iface = m->port, .what = ND_TOLD_SOLICITED});
	return NEXT_CONSUMED;
}

static uint8_t one(struct node *node, const struct mbuf *m)
{
	struct message msg = {.nonce = 0};
	int drop = check(node->state, m, &msg);

	if (drop >= 0)
		return NEXT_DROP(drop);
	switch (msg.type) {
	case ICMP6_NS:
		return solicitation(node, m, &msg);
	case ICMP6_NA:
		return advertisement(node, m, &msg);
	case ICMP6_RS:
		return router_solicitation(node, m, &msg);
	case ICMP6_RA:
		return NEXT_DROP(nd_ra_agrees(node->state, m) ? DROP_ROUTER_ADVERTISEMENT
							      : DROP_ROUTER_DISAGREES);
	default:
		return NEXT_DROP(DROP_REDIRECT_IGNORED);
	}
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, pkts[i]);
}

const struct node_def nd_input_node = {
	.name = "nd-input",
	.drops = drops,
	.process = process,
};
