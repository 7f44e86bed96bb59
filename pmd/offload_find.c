// SPDX-License-Identifier: BSD-3-Clause
// offload_find.c - where the headers of a frame are, and its checksum filled in
#include <errno.h>

#include "core/wire.h"
#include "mempool/csum.h"
#include "pmd/offload.h"

#define TYPE_OFF 12u // of the EtherType in an Ethernet header
#define TAGS_MAX 2u
#define IP4_HLEN 20u
#define IP6_HLEN 40u
#define TCP_HLEN 20u

// IPv6 extension headers that may stand before TCP and UDP of a whole packet (RFC 8200, 4.1).
#define IP6_HOPOPTS 0u
#define IP6_ROUTING 43u
#define IP6_DSTOPTS 60u

#define IP6_SEGMENTS_LEFT 3u // offset in a routing header (RFC 8200, 4.4)

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

// The EtherType behind the tags; *off is where the network header begins.
static uint16_t ether_type(const struct mbuf *m, uint32_t *off)
{
	uint32_t at = TYPE_OFF;

	for (unsigned tags = 0; at + 2 <= m->len; tags++, at += 4) {
		uint16_t type = be16(load16(m->data + at));

		if (!is_tag(type) || tags == TAGS_MAX) {
			*off = at + 2;
			return type;
		}
	}
	return 0;
}

static int find_ip4(const struct mbuf *m, struct offload_place *p)
{
	const uint8_t *ip = m->data + p->l3;
	uint32_t hlen, len;

	if (p->l3 + IP4_HLEN > m->len)
		return -EBADMSG;
	hlen = (ip[0] & 0xfu) * 4;
	len = be16(load16(ip + 2));
	if (ip[0] >> 4 != 4 || hlen < IP4_HLEN || len < hlen || be16(load16(ip + 6)) & 0x3fff)
		return -EBADMSG; // a fragment has no transport header of its own
	p->ip6 = false;
	p->proto = ip[9];
	p->l4 = (uint16_t)(p->l3 + hlen);
	p->ip_end = p->l3 + len;
	return 0;
}

static int find_ip6(const struct mbuf *m, struct offload_place *p)
{
	const uint8_t *ip = m->data + p->l3;
	uint32_t at = p->l3 + IP6_HLEN;

	if (at > m->len || ip[0] >> 4 != 6)
		return -EBADMSG;
	p->ip6 = true;
	p->proto = ip[6];
	p->ip_end = at + be16(load16(ip + 4));
	while (p->proto == IP6_HOPOPTS || p->proto == IP6_ROUTING || p->proto == IP6_DSTOPTS) {
		if (at + 8 > m->len)
			return -EBADMSG;
		// The pseudo header has the last address of the route, not the next (RFC 8200,
		// 8.1).
		if (p->proto == IP6_ROUTING && m->data[at + IP6_SEGMENTS_LEFT])
			return -EBADMSG;
		p->proto = m->data[at];
		at += (m->data[at + 1] + 1u) * 8;
	}
	p->l4 = (uint16_t)at; // below 2^16: at <= m->len + 2048, and the next check
	return at > m->len ? -EBADMSG : 0;
}

static int find_l4(const struct mbuf *m, struct offload_place *p)
{
	if (p->proto == OFFLOAD_UDP) {
		p->l4_len = OFFLOAD_UDP_HLEN;
	} else if (p->proto == OFFLOAD_TCP && p->l4 + TCP_HLEN <= m->len) {
		p->l4_len = (uint16_t)((m->data[p->l4 + 12] >> 4) * 4);
		if (p->l4_len < TCP_HLEN)
			return -EBADMSG;
	} else {
		return -EBADMSG;
	}
	if (p->l4 + p->l4_len > m->len || (uint32_t)p->l4 + p->l4_len > p->ip_end)
		return -EBADMSG;
	return p->ip_end <= m->pkt_len ? 0 : -EBADMSG;
}

int offload_find(const struct mbuf *m, struct offload_place *p)
{
	uint32_t l3 = 0;
	uint16_t type = ether_type(m, &l3);
	int r = -EBADMSG;

	p->l3 = (uint16_t)l3;
	if (type == 0x0800)
		r = find_ip4(m, p);
	else if (type == 0x86dd)
		r = find_ip6(m, p);
	return r ? r : find_l4(m, p);
}

uint8_t offload_proto(const struct mbuf *m)
{
	const uint8_t *ip = m->data + m->l3;
	uint32_t at = m->l3 + IP6_HLEN;
	uint8_t proto;

	if (ip[0] >> 4 == 4)
		return ip[9];
	for (proto = ip[6]; at < m->l4; at += (m->data[at + 1] + 1u) * 8)
		proto = m->data[at];
	return proto;
}

// The byte at `off` of a chain, which has it.
static uint8_t *byte_at(struct mbuf *m, uint32_t off)
{
	for (; off >= m->len; m = m->next)
		off -= m->len;
	return m->data + off;
}

// From start to the end; 0 as all ones.
static uint16_t sum_to_end(const struct mbuf *m, uint32_t start)
{
	uint16_t csum = (uint16_t)~csum_fold(csum_add_mbuf(0, m, start, m->pkt_len - start));

	return csum ? csum : 0xffff;
}

void offload_csum_fill(struct mbuf *m, uint32_t start, uint32_t at)
{
	uint16_t csum = sum_to_end(m, start);

	*byte_at(m, at) = (uint8_t)csum; // as it lies in memory, and perhaps over two segments
	*byte_at(m, at + 1) = (uint8_t)(csum >> 8);
}

uint16_t offload_csum_value(const struct mbuf *m)
{
	return sum_to_end(m, m->l4);
}

void offload_csum(struct mbuf *m)
{
	store16(m->data + offload_csum_at(m), offload_csum_value(m));
	m->flags &= ~MBUF_TX_L4_CSUM;
}

uint16_t offload_pseudo(const struct mbuf *m, const struct offload_place *p, uint32_t len)
{
	const uint8_t *ip = m->data + p->l3;
	uint64_t sum = (uint64_t)be16(p->proto) + be16(len & 0xffff) + be16(len >> 16);

	sum = p->ip6 ? csum_add(sum, ip + 8, 32) : csum_add(sum, ip + 12, 8);
	return csum_fold(sum);
}
