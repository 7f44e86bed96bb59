// SPDX-License-Identifier: BSD-3-Clause
// packets.c - bytes of test packets, made by simple means of their own (not those of netstack/)
#include "tests/unit/netstack/world.h"

#include <ctype.h>

#include "netstack/ip4.h"

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

uint16_t book_csum(const void *p, size_t len, uint32_t start)
{
	const uint8_t *b = p;
	uint32_t sum = start;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)~sum;
}

size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		unsigned digit;

		if (isspace((unsigned char)*hex))
			continue;
		digit = (unsigned)(isdigit((unsigned char)*hex) ? *hex - '0' : *hex - 'a' + 10);
		assert_true(digit < 16);
		out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] << 4 | digit : digit);
		n++;
	}
	assert_int_equal(n % 2, 0);
	return n / 2;
}

struct ip4_hdr *packet_ip(struct packet *p)
{
	return (struct ip4_hdr *)(void *)(p->b + 14);
}

void fix_ip(struct packet *p)
{
	size_t hlen = (p->b[14] & 15u) * 4;

	put16(p->b + 24, 0);
	put16(p->b + 24, book_csum(p->b + 14, hlen, 0));
}

static struct packet ip_packet(uint16_t port, uint32_t src, uint32_t dst, uint8_t proto, size_t n)
{
	static const uint8_t last[WORLD_PORTS] = {2, 1, 3};
	struct packet p = {.len = 14 + 20 + n};

	assert_true(p.len <= FRAME_MAX);
	p.b[0] = 2;
	p.b[5] = last[port];
	host_mac(p.b + 6, src);
	put16(p.b + 12, 0x0800);
	p.b[14] = 0x45;
	put16(p.b + 16, (unsigned)(20 + n));
	put16(p.b + 18, 0x1234);
	p.b[22] = 64;
	p.b[23] = proto;
	memcpy(p.b + 26, &src, 4);
	memcpy(p.b + 30, &dst, 4);
	for (size_t i = 0; i < n; i++)
		p.b[34 + i] = (uint8_t)i;
	fix_ip(&p);
	return p;
}

static void put_l4_csum(struct packet *p, size_t at, uint8_t proto, size_t len)
{
	uint16_t pseudo;

	put16(p->b + at, 0);
	pseudo = (uint16_t)~book_csum(p->b + 26, 8, proto + (uint32_t)len);
	put16(p->b + at, book_csum(p->b + 34, len, pseudo));
}

struct packet udp_packet(uint16_t port, uint32_t src, uint32_t dst, size_t n)
{
	struct packet p = ip_packet(port, src, dst, 17, 8 + n);

	for (size_t i = 0; i < n; i++)
		p.b[42 + i] = (uint8_t)i;
	put16(p.b + 34, 5000);
	put16(p.b + 36, 7);
	put16(p.b + 38, (unsigned)(8 + n));
	put_l4_csum(&p, 40, 17, 8 + n);
	return p;
}

struct packet icmp_packet(uint16_t port, uint32_t src, uint32_t dst, uint8_t type, uint8_t code,
			  size_t n)
{
	struct packet p = ip_packet(port, src, dst, 1, 8 + n);

	p.b[34] = type;
	p.b[35] = code;
	put16(p.b + 36, 0);
	put16(p.b + 36, book_csum(p.b + 34, 8 + n, 0));
	return p;
}

struct packet tcp_packet(uint16_t port, uint32_t src, uint32_t dst, uint8_t flags, uint32_t seq,
			 uint32_t ack, size_t n)
{
	struct packet p = ip_packet(port, src, dst, 6, 20 + n);

	memset(p.b + 34, 0, 20);
	put16(p.b + 34, 1234);
	put16(p.b + 36, 80);
	put32(p.b + 38, seq);
	put32(p.b + 42, ack);
	p.b[46] = 0x50;
	p.b[47] = flags;
	put16(p.b + 48, 8192);
	put_l4_csum(&p, 50, 6, 20 + n);
	return p;
}

void arp_packet(struct packet *p, const uint8_t dst[6], uint16_t op, const uint8_t sha[6],
		uint32_t spa, const uint8_t tha[6], uint32_t tpa)
{
	memcpy(p->b, dst, 6);
	memcpy(p->b + 6, sha, 6);
	unhex("0806 0001 0800 06 04", p->b + 12);
	put16(p->b + 20, op);
	memcpy(p->b + 22, sha, 6);
	memcpy(p->b + 28, &spa, 4);
	memcpy(p->b + 32, tha, 6);
	memcpy(p->b + 38, &tpa, 4);
	p->len = 42;
}

void world_rx_packet(struct world *w, uint16_t port, const struct packet *p)
{
	world_rx(w, port, p->b, p->len);
}
