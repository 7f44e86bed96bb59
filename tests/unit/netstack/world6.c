// SPDX-License-Identifier: BSD-3-Clause
// world6.c - the router of world.h with IPv6 as well, and bytes of IPv6 packets
#include "tests/unit/netstack/world6.h"

#include <arpa/inet.h>

union ip_addr addr6(const char *text)
{
	union ip_addr a;

	assert_int_equal(inet_pton(AF_INET6, text, a.v6), 1);
	return a;
}

void host6_mac(uint8_t mac[6], const char *addr)
{
	union ip_addr a = addr6(addr);

	mac[0] = 2;
	mac[1] = 6;
	memcpy(mac + 2, a.v6 + 12, 4);
}

void group6_mac(uint8_t mac[6], const char *addr)
{
	host6_mac(mac, addr);
	mac[0] = mac[1] = 0x33;
}

static void ok(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static void add_host(struct ip6_stack *s, uint16_t iface, const char *addr)
{
	struct err err;
	uint8_t mac[6];

	host6_mac(mac, addr);
	ok(ip6_stack_neighbor(s, iface, addr6(addr).v6, mac, &err), &err);
}

static void add_route(struct ip6_stack *s, const char *prefix, uint8_t plen, const char *via)
{
	struct err err;
	int nh = ip6_stack_nexthop(s, WAN, addr6(via).v6, &err);

	ok(nh, &err);
	ok(ip6_stack_route(s, addr6(prefix).v6, plen, (uint32_t)nh, &err), &err);
}

static void configure6(struct ip6_stack *s)
{
	struct err err;

	ok(ip6_stack_address(s, WAN, addr6(WAN6).v6, 64, &err), &err);
	ok(ip6_stack_address(s, LAN, addr6(LAN6).v6, 64, &err), &err);
	ok(ip6_stack_address(s, DMZ, addr6(DMZ6).v6, 64, &err), &err);
	add_route(s, "4000::", 2, "fe80::fe");
	add_route(s, "2001:db8:f000::", 36, "2001:db8:1::fe");
	add_host(s, WAN, "2001:db8:1::fe");
	add_host(s, WAN, "fe80::fe");
	add_host(s, WAN, WAN_HOST);
	add_host(s, LAN, LAN_HOST);
	add_host(s, LAN, "fe80::10");
	add_host(s, DMZ, DMZ_HOST);
}

struct world *world6_start(const struct ip6_conf *conf)
{
	struct ip6_conf c = conf ? *conf : (struct ip6_conf){0};

	return world_open_dual(NULL, &c, configure6);
}

struct world *world6_open(const struct ip6_conf *conf)
{
	struct world *w = world6_start(conf);

	world_pass(w, 3 * NSEC_PER_SEC);
	w->sent = 0;
	return w;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

struct packet ip6_packet(uint16_t port, const char *src, const char *dst, uint8_t next, size_t n)
{
	static const uint8_t last[WORLD_PORTS] = {2, 1, 3};
	struct packet p = {.len = 14 + 40 + n};
	union ip_addr s = addr6(src), d = addr6(dst);

	assert_true(p.len <= FRAME_MAX);
	p.b[0] = 2;
	p.b[5] = last[port];
	if (d.v6[0] == 0xff)
		group6_mac(p.b, dst);
	host6_mac(p.b + 6, src);
	put16(p.b + 12, 0x86dd);
	p.b[14] = 0x60;
	put16(p.b + 18, (unsigned)n);
	p.b[20] = next;
	p.b[21] = 64;
	memcpy(p.b + 22, s.v6, 16);
	memcpy(p.b + 38, d.v6, 16);
	for (size_t i = 0; i < n; i++)
		p.b[54 + i] = (uint8_t)i;
	return p;
}

uint16_t check6(const uint8_t *frame, size_t l3, size_t l4, uint8_t proto, size_t len)
{
	uint32_t pseudo = (uint16_t)~book_csum(frame + l3 + 8, 32, proto + (uint32_t)len);

	return book_csum(frame + l4, len, pseudo);
}

void fix6(struct packet *p, size_t csum_at, uint8_t proto)
{
	put16(p->b + csum_at, 0);
	put16(p->b + csum_at, check6(p->b, 14, 54, proto, p->len - 54));
}

struct packet udp6_packet(uint16_t port, const char *src, const char *dst, size_t n)
{
	struct packet p = ip6_packet(port, src, dst, 17, 8 + n);

	put16(p.b + 54, 5000);
	put16(p.b + 56, 9);
	put16(p.b + 58, (unsigned)(8 + n));
	fix6(&p, 60, 17);
	return p;
}

struct packet tcp6_packet(uint16_t port, const char *src, const char *dst, uint8_t flags,
			  uint32_t seq, uint32_t ack, size_t n)
{
	struct packet p = ip6_packet(port, src, dst, 6, 20 + n);

	memset(p.b + 54, 0, 20);
	put16(p.b + 54, 1234);
	put16(p.b + 56, 80);
	put32(p.b + 58, seq);
	put32(p.b + 62, ack);
	p.b[66] = 0x50;
	p.b[67] = flags;
	put16(p.b + 68, 8192);
	fix6(&p, 70, 6);
	return p;
}

struct packet icmp6_packet(uint16_t port, const char *src, const char *dst, uint8_t type,
			   uint8_t code, uint32_t param, size_t n)
{
	struct packet p = ip6_packet(port, src, dst, 58, 8 + n);

	p.b[54] = type;
	p.b[55] = code;
	put32(p.b + 58, param);
	fix6(&p, 56, 58);
	return p;
}

struct packet echo6_packet(uint16_t port, const char *src, const char *dst, size_t n)
{
	return icmp6_packet(port, src, dst, 128, 0, 0x12340001, n);
}

void insert6(struct packet *p, size_t at, size_t next_at, uint8_t kind, const char *hex)
{
	uint8_t bytes[FRAME_MAX];
	size_t n = unhex(hex, bytes);

	assert_true(p->len + n <= FRAME_MAX);
	bytes[0] = p->b[14 + next_at];
	p->b[14 + next_at] = kind;
	memmove(p->b + 14 + at + n, p->b + 14 + at, p->len - 14 - at);
	memcpy(p->b + 14 + at, bytes, n);
	p->len += n;
	put16(p->b + 18, (unsigned)(p->len - 54));
}
