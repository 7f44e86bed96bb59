// SPDX-License-Identifier: BSD-3-Clause
// dhcp_message.c - messages of DHCP written and read (RFC 2131, 2 and 4.4.1; RFC 2132)
#include <string.h>

#include "netstack/csum.h"
#include "netstack/dhcp.h"
#include "netstack/eth.h"
#include "netstack/ip4_stack.h"
#include "netstack/udp.h"

struct bootp { // network byte order
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16];
	uint8_t names[192]; // server and file
	uint32_t cookie;
} __attribute__((packed));
static_assert(sizeof(struct bootp) == 240, "wire format");

#define BOOT_REQUEST 1
#define BOOT_REPLY   2
#define HTYPE_ETH    1
#define BROADCAST    0x8000
#define COOKIE	     0x63825363u
#define MESSAGE_MIN  300u // RFC 1542, 2.1
#define MESSAGE_MAX  1500u

// RFC 2132.
#define OPT_PAD	       0
#define OPT_MASK       1
#define OPT_ROUTER     3
#define OPT_ADDRESS    50
#define OPT_LEASE      51
#define OPT_TYPE       53
#define OPT_SERVER     54
#define OPT_PARAMETERS 55
#define OPT_T1	       58
#define OPT_T2	       59
#define OPT_CLIENT     61
#define OPT_END	       255

#define LEASE_MIN 60u // seconds

static uint8_t *put(uint8_t *p, uint8_t option, const void *value, uint8_t len)
{
	*p++ = option;
	*p++ = len;
	memcpy(p, value, len);
	return p + len;
}

static uint8_t *put32(uint8_t *p, uint8_t option, uint32_t value)
{
	uint32_t v = be32(value);

	return put(p, option, &v, 4);
}

static bool has_address(const struct dhcp_client *c)
{
	return c->state >= DHCP_BOUND;
}

// RFC 2131, table 5.
static void put_options(uint8_t *p, const struct dhcp *d, const struct dhcp_client *c, uint8_t type)
{
	static const uint8_t wanted[] = {OPT_MASK, OPT_ROUTER, OPT_LEASE, OPT_SERVER, OPT_T1, OPT_T2};
	uint8_t id[7] = {HTYPE_ETH};

	memcpy(id + 1, d->s->ifs->iface[c->iface].mac, 6);
	p = put(p, OPT_TYPE, &type, 1);
	p = put(p, OPT_CLIENT, id, sizeof(id));
	if (type == DHCP_DECLINE || (type == DHCP_REQUEST && !has_address(c))) {
		p = put32(p, OPT_ADDRESS, c->offer.addr);
		p = put32(p, OPT_SERVER, c->offer.server);
	}
	if (type != DHCP_DECLINE)
		p = put(p, OPT_PARAMETERS, wanted, sizeof(wanted));
	*p = OPT_END;
}

static void put_headers(struct mbuf *m, const struct dhcp_client *c)
{
	struct ip4_hdr *ip = mbuf_at(m, struct ip4_hdr *, m->l3);
	struct udp_hdr *udp = mbuf_at(m, struct udp_hdr *, m->l4);
	uint32_t len = m->pkt_len - m->l4;

	*ip = (struct ip4_hdr){.ver_ihl = 0x45,
			       .len = be16(IP4_HLEN + len),
			       .frag = be16(IP4_DF),
			       .ttl = IP4_TTL,
			       .proto = IP4_PROTO_UDP,
			       .src = has_address(c) ? be32(c->lease.addr) : 0,
			       .dst = c->state == DHCP_RENEWING ? be32(c->lease.server) : 0xffffffff};
	ip->csum = (uint16_t)~csum_fold(csum_ip4_header(ip));
	*udp = (struct udp_hdr){
		.sport = be16(DHCP_CLIENT_PORT), .dport = be16(DHCP_SERVER_PORT), .len = be16(len)};
	udp->csum = (uint16_t)~csum_fold(csum_add(csum_pseudo(ip, len), udp, len));
	if (!udp->csum)
		udp->csum = 0xffff;
}

void dhcp_write(struct mbuf *m, const struct dhcp *d, const struct dhcp_client *c, uint8_t type,
		uint64_t now)
{
	uint64_t secs = (now - c->began) / NSEC_PER_SEC;
	struct bootp *b;

	mbuf_append(m, ETH_HLEN + IP4_HLEN + UDP_HLEN);
	b = mbuf_append(m, MESSAGE_MIN);
	memset(b, 0, MESSAGE_MIN);
	b->op = BOOT_REQUEST;
	b->htype = HTYPE_ETH;
	b->hlen = 6;
	b->xid = c->xid;
	b->secs = be16(secs < UINT16_MAX ? secs : UINT16_MAX);
	b->flags = has_address(c) ? 0 : be16(BROADCAST);
	b->ciaddr = has_address(c) ? be32(c->lease.addr) : 0;
	memcpy(b->chaddr, d->s->ifs->iface[c->iface].mac, 6);
	b->cookie = be32(COOKIE);
	put_options((uint8_t *)(b + 1), d, c, type);
	m->port = c->iface;
	m->l3 = ETH_HLEN;
	m->l4 = ETH_HLEN + IP4_HLEN;
	put_headers(m, c);
}

struct options { // of an answer, host byte order; seconds
	uint8_t type;
	uint32_t mask, router, server, lease, t1, t2;
};

// The first address or number of an option of at least four bytes; otherwise it is not there.
static void take(struct options *o, uint8_t option, const uint8_t *value, uint8_t len)
{
	uint32_t v = len >= 4 ? be32(load32(value)) : 0;

	if (option == OPT_TYPE && len == 1)
		o->type = *value;
	else if (option == OPT_MASK && len == 4)
		o->mask = v;
	else if (option == OPT_ROUTER)
		o->router = v;
	else if (option == OPT_SERVER && len == 4)
		o->server = v;
	else if (option == OPT_LEASE && len == 4)
		o->lease = v;
	else if (option == OPT_T1 && len == 4)
		o->t1 = v;
	else if (option == OPT_T2 && len == 4)
		o->t2 = v;
}

// False: an option reaches beyond the message.
static bool read_options(struct options *o, const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != OPT_END) {
		if (*p == OPT_PAD) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] > end - p - 2)
			return false;
		take(o, p[0], p + 2, p[1]);
		p += 2 + p[1];
	}
	return true;
}

// RFC 2131, 4.4.5: T1 is half of the lease and T2 seven eighths, unless the server says what makes sense.
static void set_times(struct dhcp_lease *l, const struct options *o)
{
	uint64_t lease = o->lease > LEASE_MIN ? o->lease : LEASE_MIN;
	uint64_t t2 = o->t2 && o->t2 < lease ? o->t2 : lease * 7 / 8;
	uint64_t t1 = o->t1 && o->t1 < t2 ? o->t1 : t2 * 4 / 7;

	l->end = lease * NSEC_PER_SEC;
	l->t2 = t2 * NSEC_PER_SEC;
	l->t1 = t1 * NSEC_PER_SEC;
}

// An address, a mask and a gateway that an interface can have.
static bool set_lease(struct dhcp_lease *l, uint32_t addr, const struct options *o)
{
	uint32_t host = addr & ~o->mask;

	*l = (struct dhcp_lease){.addr = addr, .server = o->server};
	l->plen = (uint8_t)__builtin_popcount(o->mask);
	if (!ip4_unicast(addr) || !ip4_unicast(o->server) || !o->lease || l->plen < 2 ||
	    o->mask != ip4_mask(l->plen))
		return false;
	if (l->plen < 31 && (host == 0 || host == ~o->mask))
		return false;
	if (o->router && o->router != addr && ip4_unicast(o->router) &&
	    ((o->router ^ addr) & o->mask) == 0)
		l->router = o->router;
	set_times(l, o);
	return true;
}

static bool sound_udp(const struct mbuf *m)
{
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, m->l3);
	const struct udp_hdr *udp = mbuf_at(m, const struct udp_hdr *, m->l4);
	uint32_t len = be16(udp->len);

	if (len < UDP_HLEN + sizeof(struct bootp) || len > m->pkt_len - m->l4)
		return false;
	return !udp->csum || m->flags & MBUF_RX_L4_OK ||
	       csum_fold(csum_add_mbuf(csum_pseudo(ip, len), m, m->l4, len)) == 0xffff;
}

bool dhcp_read(const struct mbuf *m, const struct dhcp *d, const struct dhcp_client *c,
	       struct dhcp_answer *a)
{
	uint32_t len = sound_udp(m) ? be16(mbuf_at(m, struct udp_hdr *, m->l4)->len) - UDP_HLEN : 0;
	uint8_t bytes[MESSAGE_MAX];
	const struct bootp *b = (const struct bootp *)(const void *)bytes;
	struct options o = {.type = 0};

	if (!len || len > MESSAGE_MAX || mbuf_copy_out(m, m->l4 + UDP_HLEN, bytes, len))
		return false;
	if (b->op != BOOT_REPLY || b->htype != HTYPE_ETH || b->hlen != 6 || b->xid != c->xid ||
	    b->cookie != be32(COOKIE) || memcmp(b->chaddr, d->s->ifs->iface[c->iface].mac, 6))
		return false;
	if (!read_options(&o, bytes + sizeof(*b), bytes + len))
		return false;
	a->type = o.type;
	a->lease = (struct dhcp_lease){.server = o.server};
	return o.type == DHCP_NAK || set_lease(&a->lease, be32(b->yiaddr), &o);
}
