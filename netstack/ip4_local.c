// SPDX-License-Identifier: BSD-3-Clause
// ip4_local.c - node ip4-local: packets to the router's own addresses
//
// It answers pings (RFC 1122, 3.2.2.6) and, where configured, echo and TWAMP (udp_service.h), and says politely that nothing else is offered here: port
// unreachable to UDP (3.2.2.1), a reset to TCP (RFC 9293, 3.10.7.1), protocol unreachable to the
// rest.
#include "netstack/csum.h"
#include "netstack/dhcp.h"
#include "netstack/icmp.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_options.h"
#include "netstack/ip4_reply.h"
#include "netstack/ip4_stack.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include "netstack/udp_service.h"

enum { EDGE_OUTPUT, EDGE_ERROR, EDGE_REASS, EDGE_DHCP };
enum {
	DROP_ICMP_SHORT,
	DROP_ICMP_CHECKSUM,
	DROP_ICMP_IGNORED,
	DROP_UDP_LENGTH,
	DROP_UDP_CHECKSUM,
	DROP_PORT_UNREACHABLE,
	DROP_UDP_LOOP,
	DROP_UDP_SHORT,
	DROP_UDP_NO_ROOM,
	DROP_UDP_SEGMENTS,
	DROP_TCP_SHORT,
	DROP_TCP_CHECKSUM,
	DROP_TCP_RESET,
	DROP_PROTOCOL_UNREACHABLE,
};
static const char *const edges[] = {"output", "icmp-error", "reass", "dhcp", NULL};
static const char *const drops[] = {
	"icmp-short",	"icmp-checksum",	"icmp-ignored",
	"udp-length",	"udp-checksum", "port-unreachable",	"udp-loop",
	"udp-short",	"udp-no-room", "udp-segments",	"tcp-short",
	"tcp-checksum", "tcp-reset",	"protocol-unreachable", NULL};

// Reports to the sender, from the very address it spoke to.
static void unreachable(struct node *node, const struct mbuf *m, const struct ip4_hdr *ip,
			uint8_t code)
{
	const struct ip4_stack *s = node->state;

	icmp_report(
		node, EDGE_ERROR, s->pool, m,
		(struct icmp_report){.type = ICMP_UNREACHABLE, .code = code, .source = ip->dst});
}

// Adds an option to those in `kept`, n bytes as yet; gives its place in the header.
static uint8_t keep_option(uint8_t *kept, uint8_t *n, const uint8_t *option)
{
	uint8_t at = (uint8_t)(IP4_HLEN + *n);

	memcpy(kept + *n, option, option[1]);
	*n = (uint8_t)(*n + option[1]);
	return at;
}

// Record route and timestamp come back with the reply, ours in them (RFC 1122, 3.2.2.6); as Linux has it,
// in this order and nothing else.
static __attribute__((noinline)) void reply_with_options(struct node *node, struct mbuf *m)
{
	const uint8_t *header = m->data + m->l3;
	uint8_t kept[IP4_HLEN_MAX - IP4_HLEN] = {0}, n = 0;
	struct ip4_options o;
	struct ip4_hdr *ip;

	ip4_options_read(mbuf_at(m, const struct ip4_hdr *, m->l3), &o); // sound: ip4-input
	if (o.record)
		o.record = keep_option(kept, &n, header + o.record);
	if (o.stamp)
		o.stamp = keep_option(kept, &n, header + o.stamp);
	n = (uint8_t)(n + 3) & 0x3c;
	ip = ip4_reply(m);
	m->l3 = (uint16_t)(m->l3 - n);
	memmove(m->data + m->l3, ip, IP4_HLEN);
	ip = mbuf_at(m, struct ip4_hdr *, m->l3);
	memcpy(ip + 1, kept, n);
	ip->ver_ihl = (uint8_t)(0x45 + n / 4);
	ip->len = be16(m->pkt_len - m->l3);
	ip4_options_record(node->state, ip, &o, ip->src, ip4_options_time(graph_now(node)));
}

static uint8_t icmp_input(struct node *node, struct mbuf *m, uint32_t len)
{
	struct icmp_hdr *icmp = mbuf_at(m, struct icmp_hdr *, m->l4);

	if (len < ICMP_HLEN)
		return NEXT_DROP(DROP_ICMP_SHORT);
	if (csum_fold(csum_add_mbuf(0, m, m->l4, len)) != 0xffff)
		return NEXT_DROP(DROP_ICMP_CHECKSUM);
	if (icmp->type != ICMP_ECHO || icmp->code != 0)
		return NEXT_DROP(DROP_ICMP_IGNORED);
	icmp->csum = csum_update(icmp->csum, load16(icmp), ICMP_ECHO_REPLY);
	icmp->type = ICMP_ECHO_REPLY;
	if (m->l4 - m->l3 > (int)IP4_HLEN)
		reply_with_options(node, m);
	else
		ip4_reply(m);
	return EDGE_OUTPUT;
}

static uint8_t udp_answer(struct mbuf *m)
{
	const struct ip4_hdr *ip = ip4_reply(m);

	udp_service_checksum(m, csum_pseudo(ip, 0));
	return EDGE_OUTPUT;
}

static uint8_t udp_input(struct node *node, struct mbuf *m, const struct ip4_hdr *ip, uint32_t len)
{
	const struct ip4_stack *s = node->state;
	const struct udp_hdr *udp = mbuf_at(m, const struct udp_hdr *, m->l4);

	if (len < UDP_HLEN || be16(udp->len) < UDP_HLEN || be16(udp->len) > len)
		return NEXT_DROP(DROP_UDP_LENGTH);
	len = be16(udp->len);
	if (udp->csum && !(m->flags & MBUF_RX_L4_OK) &&
	    csum_fold(csum_add_mbuf(csum_pseudo(ip, len), m, m->l4, len)) != 0xffff)
		return NEXT_DROP(DROP_UDP_CHECKSUM);
	if (s->dhcp && dhcp_wants(s->dhcp, m, ip))
		return EDGE_DHCP;
	switch (udp_service(&s->services, m, ip->ttl, graph_now(node))) {
	case UDP_SERVICE_ANSWER:
		return udp_answer(m);
	case UDP_SERVICE_LOOP:
		return NEXT_DROP(DROP_UDP_LOOP);
	case UDP_SERVICE_SHORT:
		return NEXT_DROP(DROP_UDP_SHORT);
	case UDP_SERVICE_NO_ROOM:
		return NEXT_DROP(DROP_UDP_NO_ROOM);
	case UDP_SERVICE_SEGMENTS:
		return NEXT_DROP(DROP_UDP_SEGMENTS);
	case UDP_SERVICE_NONE:
		break;
	}
	unreachable(node, m, ip, ICMP_PORT);
	return NEXT_DROP(DROP_PORT_UNREACHABLE);
}

static uint8_t tcp_input(struct mbuf *m, const struct ip4_hdr *ip, uint32_t len)
{
	const struct tcp_hdr *tcp = mbuf_at(m, const struct tcp_hdr *, m->l4);

	if (len < TCP_HLEN || (tcp->off >> 4) * 4u < TCP_HLEN || (tcp->off >> 4) * 4u > len)
		return NEXT_DROP(DROP_TCP_SHORT);
	if (!(m->flags & MBUF_RX_L4_OK) &&
	    csum_fold(csum_add_mbuf(csum_pseudo(ip, len), m, m->l4, len)) != 0xffff)
		return NEXT_DROP(DROP_TCP_CHECKSUM);
	if (tcp->flags & TCP_RST)
		return NEXT_DROP(DROP_TCP_RESET);
	tcp_reset(m, len);
	return EDGE_OUTPUT;
}

static uint8_t one(struct node *node, struct mbuf *m)
{
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	uint32_t len = be16(ip->len) - ip4_hlen(ip); // ip4-input has checked both

	if (ip->frag & be16(IP4_MF | IP4_FRAG_OFF))
		return EDGE_REASS;
	m->l4 = (uint16_t)(m->l3 + ip4_hlen(ip));
	if (ip->proto == IP4_PROTO_ICMP)
		return icmp_input(node, m, len);
	if (ip->proto == IP4_PROTO_UDP)
		return udp_input(node, m, ip, len);
	if (ip->proto == IP4_PROTO_TCP)
		return tcp_input(m, ip, len);
	unreachable(node, m, ip, ICMP_PROTOCOL);
	return NEXT_DROP(DROP_PROTOCOL_UNREACHABLE);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		next[i] = one(node, pkts[i]);
}

const struct node_def ip4_local_node = {
	.name = "ip4-local",
	.edges = edges,
	.drops = drops,
	.process = process,
};
