// SPDX-License-Identifier: BSD-3-Clause
// arp_input.c - node arp-input: answers for our addresses and learns neighbors (RFC 826, 5227)
//
// What is heard updates a neighbor that is known already; a new one is made only for who asks for
// us, and only within the port's on-link prefixes. Nothing is learnt against a configured neighbor,
// nor from who claims an address of ours.
#include "netstack/arp.h"
#include "netstack/dhcp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

enum { EDGE_PORT0 };
static_assert(EDGE_PORT0 == ARP_INPUT_EDGE_PORT0, "the wiring counts on it");
enum {
	DROP_TOO_SHORT,
	DROP_BAD_FORMAT,
	DROP_BAD_OPERATION,
	DROP_BAD_SENDER,
	DROP_DUPLICATE_ADDRESS,
	DROP_NOT_ON_LINK,
	DROP_NOT_FOR_US,
	DROP_UNSOLICITED,
};
static const char *const drops[] = {"too-short",  "bad-format",	       "bad-operation",
				    "bad-sender", "duplicate-address", "not-on-link",
				    "not-for-us", "unsolicited",       NULL};

static int check_format(const struct mbuf *m, const struct arp_hdr *arp)
{
	if (m->len < m->l3 + ARP_LEN)
		return DROP_TOO_SHORT;
	if (arp->htype != be16(ARP_HTYPE_ETH) || arp->ptype != be16(ETH_TYPE_IP4) ||
	    arp->hlen != 6 || arp->plen != 4)
		return DROP_BAD_FORMAT;
	if (arp->op != be16(ARP_REQUEST) && arp->op != be16(ARP_REPLY))
		return DROP_BAD_OPERATION;
	return -1;
}

// Who speaks. A sender address of 0 asks without telling (a probe of RFC 5227, 2.1.1).
static int check_sender(const struct ip4_stack *s, const struct mbuf *m, const struct arp_hdr *arp)
{
	uint32_t spa = be32(arp->spa);

	if (!eth_mac_unicast(arp->sha) || eth_mac(arp->sha) == s->ifs->iface[m->port].mac48)
		return DROP_BAD_SENDER;
	if (spa == 0 && arp->op == be16(ARP_REQUEST))
		return -1;
	if (ip4_stack_own(s, m->port, spa))
		return DROP_DUPLICATE_ADDRESS;
	if (!ip4_unicast(spa) || ip4_stack_forbidden_source(s, m->port, spa))
		return DROP_BAD_SENDER;
	if (!ip4_stack_onlink(s, m->port, spa))
		return DROP_NOT_ON_LINK;
	return -1;
}

// Turns a request into its answer, where it stands.
static uint8_t answer(const struct ip4_stack *s, struct mbuf *m)
{
	const struct iface *i = &s->ifs->iface[m->port];
	struct arp_hdr *arp = mbuf_at(m, struct arp_hdr *, m->l3);
	uint32_t own = arp->tpa;

	mbuf_trim(m, m->l3 + ARP_LEN);
	m->flags &= ~MBUF_BCAST;
	memcpy(arp->tha, arp->sha, 6);
	arp->tpa = arp->spa;
	memcpy(arp->sha, i->mac, 6);
	arp->spa = own;
	arp->op = be16(ARP_REPLY);
	iface_put_eth(i, m, arp->tha, ETH_TYPE_ARP);
	return (uint8_t)(EDGE_PORT0 + i->tx);
}

static uint8_t one(struct node *node, struct ip4_stack *s, struct mbuf *m, uint64_t now)
{
	const struct arp_hdr *arp = mbuf_at(m, const struct arp_hdr *, m->l3);
	struct neigh_news news = {
		.flags = NEIGH_HAS_MAC | NEIGH_CONFIRMED | NEIGH_OVERRIDE, // RFC 826's merge
		.iface = m->port,
	};
	bool request, for_us, known;
	int drop = check_format(m, arp);

	if (drop < 0 && unlikely(s->dhcp) && arp->spa)
		dhcp_heard(s->dhcp, m->port, arp->spa);
	if (drop < 0)
		drop = check_sender(s, m, arp);
	if (drop >= 0)
		return NEXT_DROP(drop);
	request = arp->op == be16(ARP_REQUEST);
	for_us = ip4_stack_own(s, m->port, be32(arp->tpa)) != NULL;
	news.addr = (union ip_addr){.v4 = arp->spa};
	memcpy(news.mac, arp->sha, 6);
	if (request && for_us && arp->spa)
		news.flags |= NEIGH_CREATE;
	known = neigh_heard(&s->neighbors, &news, now) != 0;
	// What lcore 0 does not know, nobody waits for: it asks for all.
	if (unlikely(s->neighbors.tells) && (known || s->lcore))
		neigh_tell(&s->neighbors, node, (uint8_t)(ARP_INPUT_EDGE_PORT0 + s->ifs->outs),
			   &news);
	if (request && for_us)
		return answer(s, m);
	if (known)
		return NEXT_CONSUMED;
	return NEXT_DROP(for_us ? DROP_UNSOLICITED : DROP_NOT_FOR_US);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	uint64_t now = graph_now(node);

	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, node->state, pkts[i], now);
}

const struct node_def arp_input_node = {
	.name = "arp-input",
	.drops = drops,
	.process = process,
};
