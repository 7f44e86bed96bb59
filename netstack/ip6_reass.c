// SPDX-License-Identifier: BSD-3-Clause
// ip6_reass.c - nodes ip6-reass and ip6-virtual: fragments of IPv6 gathered (RFC 8200, 4.5)
#include <string.h>

#include "netstack/icmp6.h"
#include "netstack/reass_own.h"

enum { EDGE_LOCAL, EDGE_ERROR };
enum { EDGE_LOOKUP };
static const char *const local_edges[] = {"local", "icmp6-error", NULL};
static const char *const virtual_edges[] = {"lookup", NULL};

#define EXT_MAX 8 // headers in front of a fragment header, or behind it

#define INCOMPLETE_CHAIN 3 // code of a parameter problem (RFC 7112, 5)

// Where, from data, stands the next header field that names the header at `off`: extension headers lie
// in the first segment up to there. 0: the chain of headers does not lead to it.
static uint32_t named_at(const struct mbuf *m, uint32_t off)
{
	uint32_t field = m->l3 + 6u, at = m->l3 + IP6_HLEN;

	for (unsigned i = 0; i < EXT_MAX && at < off; i++) {
		field = at;
		at += (m->data[at + 1] + 1u) * 8;
	}
	return at == off ? field : 0;
}

static void key_of(struct reass_key *key, const struct reass *r, const struct mbuf *m,
		   const struct ip6_frag_hdr *frag)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);

	*key = (struct reass_key){.src = ip6_addr(ip->src),
				  .dst = ip6_addr(ip->dst),
				  .id = frag->id,
				  .vrf = r->ifs->iface[m->port].vrf};
}

// RFC 7112, 5: a first fragment holds all headers, up to and with that of the upper layer. m->l4 is at the
// header of kind `next`.
static bool holds_headers(const struct mbuf *m, uint8_t next)
{
	uint32_t off = m->l4;

	for (unsigned i = 0; i < EXT_MAX && off + 8 <= m->len; i++) {
		if (next != IP6_HOP_BY_HOP && next != IP6_DEST_OPTIONS && next != IP6_ROUTING)
			return next != IP6_PROTO_TCP || off + REASS_TCP_HLEN <= m->len;
		next = m->data[off];
		off += (m->data[off + 1] + 1u) * 8;
	}
	return next == IP6_NO_NEXT && off <= m->len;
}

// m->l4 is at the fragment header; behind this at the payload.
static struct datagram *gather(struct node *node, struct mbuf *m, uint8_t *next)
{
	struct reass *r = node->state;
	const struct ip6_frag_hdr *frag = mbuf_at(m, const struct ip6_frag_hdr *, m->l4);
	struct reass_fragment f;

	*next = NEXT_DROP(REASS_DROP_SPLIT_HEADER);
	if (m->l4 + IP6_FRAG_HLEN > m->len || !named_at(m, m->l4))
		return NULL;
	key_of(&f.key, r, m, frag);
	f.off = be16(frag->off) & IP6_FRAG_OFF;
	f.more = frag->off & be16(IP6_FRAG_MORE);
	f.head = m->l4 - m->l3 - IP6_HLEN;
	m->l4 = (uint16_t)(m->l4 + IP6_FRAG_HLEN);
	f.len = m->pkt_len - m->l4;
	*next = NEXT_DROP(REASS_DROP_TINY);
	if (f.off ? reass_tiny(frag->next, f.off, f.len) : !holds_headers(m, frag->next))
		return NULL;
	return reass_add(r, node, m, &f, next);
}

// Of a fragment whose m->l4 is at its payload.
static bool later(const struct mbuf *m)
{
	return mbuf_at(m, const struct ip6_frag_hdr *, m->l4 - IP6_FRAG_HLEN)->off &
	       be16(IP6_FRAG_OFF);
}

// RFC 8200, 4.5: a fragment that is no multiple of 8 long, one that ends beyond the longest packet, and a
// first one without all headers are told to the sender.
static void tell(struct node *node, const struct mbuf *m, uint8_t next)
{
	const struct reass *r = node->state;
	struct icmp6_report what = {.type = ICMP6_PARAMETER, .code = ICMP6_BAD_HEADER};

	if (next == NEXT_DROP(REASS_DROP_UNALIGNED))
		what.param = offsetof(struct ip6_hdr, len);
	else if (next == NEXT_DROP(REASS_DROP_BEYOND_64K))
		what.param = m->l4 - IP6_FRAG_HLEN + offsetof(struct ip6_frag_hdr, off) - m->l3;
	else if (next == NEXT_DROP(REASS_DROP_TINY) && !later(m))
		what.code = INCOMPLETE_CHAIN;
	else
		return;
	icmp6_report(node, EDGE_ERROR, r->pool, m, what);
}

// The fragment header goes: what was in front of it moves up. The next header is that of the first
// fragment.
static void finish(struct mbuf *m)
{
	uint32_t at = m->l4 - IP6_FRAG_HLEN;

	m->data[named_at(m, at)] = mbuf_at(m, const struct ip6_frag_hdr *, at)->next;
	memmove(m->data + IP6_FRAG_HLEN, m->data, at);
	mbuf_pull(m, IP6_FRAG_HLEN);
	m->l4 = (uint16_t)at;
	mbuf_at(m, struct ip6_hdr *, m->l3)->len = be16(m->pkt_len - m->l3 - IP6_HLEN);
}

// A fragment that is whole, as a translator from IPv4 may send it, has nothing to do with any others
// (RFC 6946, 4).
static bool atomic(const struct mbuf *m)
{
	return m->l4 + IP6_FRAG_HLEN <= m->len && named_at(m, m->l4) &&
	       !(mbuf_at(m, const struct ip6_frag_hdr *, m->l4)->off &
		 be16(IP6_FRAG_OFF | IP6_FRAG_MORE));
}

static void local_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct datagram *d = NULL;

		if (atomic(pkts[i])) {
			pkts[i]->l4 = (uint16_t)(pkts[i]->l4 + IP6_FRAG_HLEN);
		} else {
			d = gather(node, pkts[i], &next[i]);
			if (!d) {
				tell(node, pkts[i], next[i]);
				continue;
			}
			pkts[i] = reass_join(node->state, node, d);
		}
		finish(pkts[i]);
		next[i] = EDGE_LOCAL;
	}
}

// The fragment header of a packet, which m->l4 then is at. False: it has none, or one of a packet that
// is whole, or it cannot be found: not ours to judge.
static bool find_fragment(struct mbuf *m)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);
	uint32_t off = m->l3 + IP6_HLEN, end = off + be16(ip->len);
	uint8_t next = ip->next;

	for (unsigned i = 0; i < EXT_MAX && off + IP6_FRAG_HLEN <= end && off + IP6_FRAG_HLEN <= m->len;
	     i++) {
		if (next == IP6_FRAGMENT) {
			m->l4 = (uint16_t)off;
			return !atomic(m);
		}
		if (next != IP6_HOP_BY_HOP && next != IP6_DEST_OPTIONS && next != IP6_ROUTING)
			return false;
		next = m->data[off];
		off += (m->data[off + 1] + 1u) * 8;
	}
	return false;
}

static void virtual_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t first = mbuf_at(pkts[i], const struct ip6_hdr *, pkts[i]->l3)->next;
		struct datagram *d;

		next[i] = EDGE_LOOKUP;
		if (likely(first == IP6_PROTO_TCP || first == IP6_PROTO_UDP) ||
		    !find_fragment(pkts[i]))
			continue;
		d = gather(node, pkts[i], &next[i]);
		if (d)
			reass_release(node->state, node, d, EDGE_LOOKUP);
	}
}

// RFC 4443, 3.3.
static void report(struct node *node, const struct mbuf *first)
{
	const struct reass *r = node->state;

	icmp6_report(node, EDGE_ERROR, r->pool, first,
		     (struct icmp6_report){.type = ICMP6_EXCEEDED, .code = ICMP6_REASSEMBLY});
}

static uint64_t local_housekeep(struct node *node, uint64_t now)
{
	return reass_expire(node->state, node, now, report);
}

static uint64_t virtual_housekeep(struct node *node, uint64_t now)
{
	return reass_expire(node->state, node, now, NULL);
}

const struct node_def ip6_reass_node = {
	.name = "ip6-reass",
	.edges = local_edges,
	.drops = reass_drops,
	.process = local_process,
	.housekeep = local_housekeep,
	.destroy = reass_node_destroy,
};

const struct node_def ip6_virtual_node = {
	.name = "ip6-virtual",
	.edges = virtual_edges,
	.drops = reass_drops,
	.process = virtual_process,
	.housekeep = virtual_housekeep,
	.destroy = reass_node_destroy,
};
