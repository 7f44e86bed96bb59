// SPDX-License-Identifier: BSD-3-Clause
// icmp_error.c - reports about dropped packets, and node icmp-error, which limits and addresses
// them
//
// RFC 1812, 4.3.2 and RFC 1122, 3.2.2. Reports are atomic datagrams (RFC 6864: DF set, ID 0), so
// what is sent does not depend on what was sent before.
#include "netstack/csum.h"
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"
#include "pmd/offload.h"

#define HEADERS (IP4_HLEN + ICMP_HLEN)

// RFC 1812, 4.3.2.5: precedence 6 (internetwork control); the type of service is the packet's own.
#define TOS_PRECEDENCE 0xc0
#define TOS_SERVICE    0x1e

enum { EDGE_OUTPUT };
enum { DROP_RATE_LIMITED };
static const char *const edges[] = {"output", NULL};
static const char *const drops[] = {"rate-limited", NULL};

// ICMP messages that ask or answer; about all others, known or not, no report is made.
static bool is_query(uint8_t type)
{
	switch (type) {
	case ICMP_ECHO_REPLY:
	case ICMP_ECHO:
	case 9: // router advertisement and solicitation (RFC 1256)
	case 10:
	case 13: // timestamp, information, address mask and their replies
	case 14:
	case 15:
	case 16:
	case 17:
	case 18:
		return true;
	default:
		return false;
	}
}

static bool may_report(const struct mbuf *m, const struct ip4_hdr *ip)
{
	uint32_t hlen = ip4_hlen(ip);

	if (m->flags & MBUF_BCAST || ip->frag & be16(IP4_FRAG_OFF))
		return false;
	if (ip->proto != IP4_PROTO_ICMP)
		return true;
	return be16(ip->len) > hlen && is_query(m->data[m->l3 + hlen]);
}

// What is quoted has its checksum, even if the sender left it to a port.
static void complete(uint8_t *quote, uint32_t len, const struct mbuf *m)
{
	uint32_t at = offload_csum_at(m) - m->l3;

	if (at + 2 <= len)
		store16(quote + at, offload_csum_value(m));
}

void icmp_report(struct node *node, uint8_t edge, struct mempool *pool, const struct mbuf *m,
		 struct icmp_report what)
{
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	uint32_t len = be16(ip->len), room;
	uint8_t *quote;
	struct mbuf *r;

	if (!may_report(m, ip))
		return;
	r = mbuf_alloc(pool);
	if (!r)
		return;
	room = mbuf_tailroom(r) - ETH_HLEN - HEADERS;
	if (len > ICMP_ERROR_MAX - HEADERS)
		len = ICMP_ERROR_MAX - HEADERS;
	if (len > room)
		len = room;
	mbuf_append(r, ETH_HLEN + HEADERS);
	quote = mbuf_append(r, (uint16_t)len);
	mbuf_copy_out(m, m->l3, quote, len);
	if (m->flags & MBUF_TX_L4_CSUM)
		complete(quote, len, m);
	r->l3 = ETH_HLEN;
	r->port = m->port;
	memcpy(r->scratch, &what, sizeof(what));
	graph_emit(node, edge, r);
}

static void put_icmp(struct mbuf *m, const struct icmp_report *what, uint32_t len)
{
	struct icmp_hdr *icmp = mbuf_at(m, struct icmp_hdr *, ETH_HLEN + IP4_HLEN);

	*icmp = (struct icmp_hdr){.type = what->type,
				  .code = what->code,
				  .word = what->mtu ? be32(what->mtu) : what->word};
	icmp->csum = (uint16_t)~csum_fold(csum_add(0, icmp, len));
}

static void put_headers(struct mbuf *m)
{
	const struct ip4_hdr *quote = mbuf_at(m, const struct ip4_hdr *, ETH_HLEN + HEADERS);
	struct ip4_hdr *ip = mbuf_at(m, struct ip4_hdr *, ETH_HLEN);
	uint32_t len = m->pkt_len - ETH_HLEN;
	struct icmp_report what;

	memcpy(&what, m->scratch, sizeof(what));
	put_icmp(m, &what, len - IP4_HLEN);
	*ip = (struct ip4_hdr){
		.ver_ihl = 0x45,
		.tos = TOS_PRECEDENCE | (quote->tos & TOS_SERVICE),
		.len = be16(len),
		.frag = be16(IP4_DF),
		.ttl = IP4_TTL,
		.proto = IP4_PROTO_ICMP,
		.src = what.source,
		.dst = quote->src,
	};
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct ip4_stack *s = node->state;
	uint64_t now = graph_now(node);

	for (unsigned i = 0; i < n; i++) {
		if (!token_bucket_take(&s->icmp, now)) {
			next[i] = NEXT_DROP(DROP_RATE_LIMITED);
			continue;
		}
		put_headers(pkts[i]);
		next[i] = EDGE_OUTPUT;
	}
}

const struct node_def icmp_error_node = {
	.name = "icmp-error",
	.edges = edges,
	.drops = drops,
	.process = process,
};
