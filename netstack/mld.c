// SPDX-License-Identifier: BSD-3-Clause
// mld.c - node mld: answers queries of multicast routers and of switches that snoop
#include "netstack/mld.h"

#include "netstack/icmp6.h"
#include "netstack/ip6_graph.h"

enum { EDGE_OUTPUT };
enum { DROP_BAD_QUERY, DROP_NOT_QUERY };
static const char *const edges[] = {"output", NULL};
static const char *const drops[] = {"bad-query", "not-query", NULL};

#define UNSOLICITED_MAX NSEC_PER_SEC // 9.11: between two of these, at most
#define QUERY_MIN                                                                                  \
	(10 * (NSEC_PER_SEC / 1000)) // so that a flood of queries is not answered by one of reports
#define V1_TIME (260 * NSEC_PER_SEC) // 9.12: robustness x query interval + response interval

struct mld_query { // RFC 3810, 5.1; version 1 ends behind the group
	struct icmp6_hdr icmp;
	uint8_t group[16];
	uint8_t flags, interval;
	uint16_t sources;
} __attribute__((packed));
#define V1_LEN 24u
#define V2_LEN 28u
static_assert(sizeof(struct mld_query) == V2_LEN, "wire format");

struct mld_record { // RFC 3810, 5.2
	uint8_t type, aux;
	uint16_t sources;
	uint8_t group[16];
} __attribute__((packed));
static_assert(sizeof(struct mld_record) == 20, "wire format");

#define MODE_IS_EXCLUDE	  2
#define CHANGE_TO_EXCLUDE 4

static const uint8_t all_mld2_routers[16] = {0xff, 2, [15] = 0x16};
static const uint8_t router_alert[8] = {IP6_PROTO_ICMP, 0, 5, 2, 0, 0, 1, 0}; // RFC 2711: MLD; PadN

// --- which groups ---

#define GROUPS_MAX 60 // in a report, which then fits 1,280 bytes

// The n-th group of an interface that is reported; false: there are no more. One that two addresses
// share comes twice, which says nothing else.
static bool nth_group(const struct ip6_stack *s, uint16_t iface, unsigned n, union ip_addr *group)
{
	uint32_t i = s->first[iface];

	if (n < 2) {
		*group = n ? ip6_all_routers_site : ip6_all_routers;
		return true;
	}
	for (n -= 2; n && i != IP6_ADDRESS_NONE; n--)
		i = s->address[i].next;
	if (i == IP6_ADDRESS_NONE)
		return false;
	*group = ip6_solicited_node(s->address[i].addr.v6);
	return true;
}

// --- reports ---

// An empty ICMPv6 message with room for what follows, from the link-local address or, as long as
// that is not known to be ours alone, from none (RFC 3590).
static struct mbuf *begin(struct ip6_stack *s, uint16_t iface, const uint8_t dst[16])
{
	const struct ip6_address *source = ip6_stack_link_local(s, iface);
	struct mbuf *m = mbuf_alloc(s->pool);
	struct ip6_hdr *ip;

	if (!m)
		return NULL;
	mbuf_append(m, ETH_HLEN);
	m->l3 = ETH_HLEN;
	m->l4 = ETH_HLEN + IP6_HLEN + sizeof(router_alert);
	m->port = iface;
	ip = mbuf_append(m, IP6_HLEN);
	*ip = (struct ip6_hdr){.vtf = be32(6u << 28), .next = IP6_HOP_BY_HOP, .hops = 1};
	if (source)
		memcpy(ip->src, source->addr.v6, 16);
	memcpy(ip->dst, dst, 16);
	memcpy(mbuf_append(m, sizeof(router_alert)), router_alert, sizeof(router_alert));
	return m;
}

static void finish(struct node *node, struct mbuf *m)
{
	mbuf_at(m, struct ip6_hdr *, m->l3)->len = be16(m->pkt_len - m->l3 - IP6_HLEN);
	mbuf_at(m, struct icmp6_hdr *, m->l4)->csum = icmp6_csum(m, m->pkt_len - m->l4);
	graph_emit(node, EDGE_OUTPUT, m);
}

// Version 2: groups from number `n` on. Returns the number of the next, 0 when that was the last.
static unsigned report2(struct node *node, uint16_t iface, uint8_t type, unsigned n)
{
	struct ip6_stack *s = node->state;
	struct mbuf *m = begin(s, iface, all_mld2_routers);
	unsigned records = 0;
	struct icmp6_hdr *icmp;
	union ip_addr group;

	if (!m)
		return 0;
	icmp = mbuf_append(m, ICMP6_HLEN);
	while (records < GROUPS_MAX && nth_group(s, iface, n + records, &group) &&
	       mbuf_tailroom(m) >= sizeof(struct mld_record)) {
		struct mld_record *r = mbuf_append(m, sizeof(*r));

		*r = (struct mld_record){.type = type};
		memcpy(r->group, group.v6, 16);
		records++;
	}
	*icmp = (struct icmp6_hdr){.type = ICMP6_MLD2_REPORT, .param = be32(records)};
	finish(node, m);
	n += records;
	return records && nth_group(s, iface, n, &group) ? n : 0;
}

// Version 1: each group by itself, to the group.
static void report1(struct node *node, uint16_t iface)
{
	struct ip6_stack *s = node->state;
	union ip_addr group;

	for (unsigned n = 0; nth_group(s, iface, n, &group); n++) {
		struct mbuf *m = begin(s, iface, group.v6);
		struct icmp6_hdr *icmp;

		if (!m)
			return;
		icmp = mbuf_append(m, ICMP6_HLEN);
		*icmp = (struct icmp6_hdr){.type = ICMP6_MLD_REPORT};
		memcpy(mbuf_append(m, 16), group.v6, 16);
		finish(node, m);
	}
}

static void report(struct node *node, uint16_t iface, uint64_t now)
{
	struct ip6_stack *s = node->state;
	struct mld *mld = &s->mld[iface];
	uint8_t type = mld->changes ? CHANGE_TO_EXCLUDE : MODE_IS_EXCLUDE;
	unsigned n = 0;

	if (mld->v1_until > now)
		report1(node, iface);
	else
		do
			n = report2(node, iface, type, n);
		while (n);
	if (mld->changes)
		mld->changes--;
	mld->due = mld->changes ? now + ip6_stack_random(s) % UNSOLICITED_MAX : TIME_NEVER;
}

void mld_changed(struct ip6_stack *s, uint16_t iface)
{
	if (!ip6_stack_enabled(s, iface))
		return;
	s->mld[iface].changes = MLD_ROBUSTNESS;
	s->mld[iface].due = graph_now(s->mld_node);
	graph_wake(s->mld_node, s->mld[iface].due);
}

// --- queries ---

// RFC 3810, 5.1.3: in ms, with an exponent from 2^15 on. Of version 1 it is a plain number.
static uint64_t response_time(const struct mld_query *q, uint32_t len)
{
	uint32_t code = be32(q->icmp.param) >> 16;

	if (len == V1_LEN || code < 0x8000)
		return code * (NSEC_PER_SEC / 1000);
	return (uint64_t)((code & 0xfff) | 0x1000) * (1u << ((code >> 12 & 7) + 3)) *
	       (NSEC_PER_SEC / 1000);
}

static uint8_t query(struct node *node, const struct mbuf *m, uint64_t now)
{
	struct ip6_stack *s = node->state;
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	const struct mld_query *q = mbuf_at(m, const struct mld_query *, m->l4);
	struct mld *mld = &s->mld[m->port];
	uint32_t len = m->pkt_len - m->l4;
	uint64_t max, due;

	if (q->icmp.type != ICMP6_MLD_QUERY)
		return NEXT_DROP(DROP_NOT_QUERY);
	// RFC 3810, 5.1.14, 6.2 and 8.2.1; that there is a router alert, ip6-local has seen.
	if ((len != V1_LEN && len < V2_LEN) || m->len < m->l4 + V1_LEN || ip->hops != 1 ||
	    !ip6_link_local(ip->src) || q->icmp.code)
		return NEXT_DROP(DROP_BAD_QUERY);
	if (len == V1_LEN)
		mld->v1_until = now + V1_TIME;
	if (!ip6_unspecified(q->group) && !ip6_stack_listens(s, m->port, q->group))
		return NEXT_CONSUMED;
	max = response_time(q, len);
	due = now + ip6_stack_random(s) % (max > QUERY_MIN ? max : QUERY_MIN);
	if (due < mld->due)
		mld->due = due;
	graph_wake(node, mld->due);
	return NEXT_CONSUMED;
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	uint64_t now = graph_now(node);

	for (unsigned i = 0; i < n; i++)
		next[i] = query(node, pkts[i], now);
}

static uint64_t housekeep(struct node *node, uint64_t now)
{
	struct ip6_stack *s = node->state;
	uint64_t first = TIME_NEVER;

	for (uint16_t i = 0; i < s->ifs->n; i++) {
		if (!ip6_stack_enabled(s, i))
			continue;
		if (s->mld[i].due <= now)
			report(node, i, now);
		if (s->mld[i].due < first)
			first = s->mld[i].due;
	}
	return first;
}

const struct node_def mld_node = {
	.name = "mld",
	.edges = edges,
	.drops = drops,
	.process = process,
	.housekeep = housekeep,
};
