// SPDX-License-Identifier: BSD-3-Clause
// ip_text.c - IP addresses and prefixes of both families as text, exactly
#include "apps/tool/ip_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool ip_parse(const char *s, uint8_t *family, union ip_addr *addr)
{
	union ip_addr a = {.w = {0, 0}};

	if (inet_pton(AF_INET, s, &a.v4) == 1)
		*family = 4;
	else if (inet_pton(AF_INET6, s, a.v6) == 1)
		*family = 6;
	else
		return false;
	*addr = a;
	return true;
}

// One to three digits, no sign, no leading zero.
static bool parse_plen(const char *s, unsigned max, uint8_t *plen)
{
	unsigned len = 0;

	if (!*s || (*s == '0' && s[1]))
		return false;
	for (const char *p = s; *p; p++) {
		if (*p < '0' || *p > '9' || p - s > 2)
			return false;
		len = 10 * len + (unsigned)(*p - '0');
	}
	*plen = (uint8_t)len;
	return len <= max;
}

bool ip_parse_prefix(const char *s, uint8_t *family, union ip_addr *addr, uint8_t *plen)
{
	const char *slash = strchr(s, '/');
	char text[IP_TEXT_MAX];
	size_t n = slash ? (size_t)(slash - s) : sizeof(text);

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = 0;
	return ip_parse(text, family, addr) && parse_plen(slash + 1, ip_bits(*family), plen);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool ip_parse_mac(const char *s, uint8_t mac[6])
{
	if (strlen(s) != 17)
		return false;
	for (int i = 0; i < 6; i++, s += 3) {
		if (hex(s[0]) < 0 || hex(s[1]) < 0 || (i < 5 && s[2] != ':'))
			return false;
		mac[i] = (uint8_t)(hex(s[0]) << 4 | hex(s[1]));
	}
	return true;
}

const char *ip_text(uint8_t family, const union ip_addr *addr, char buf[IP_TEXT_MAX])
{
	return inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, buf, IP_TEXT_MAX);
}

const char *ip_prefix_text(uint8_t family, const union ip_addr *addr, uint8_t plen, char buf[IP_TEXT_MAX])
{
	size_t n = strlen(ip_text(family, addr, buf));

	snprintf(buf + n, IP_TEXT_MAX - n, "/%u", plen);
	return buf;
}

bool ip_match(const union ip_addr *a, const union ip_addr *b, unsigned plen)
{
	unsigned bytes = plen / 8, bits = plen % 8;

	if (memcmp(a->v6, b->v6, bytes))
		return false;
	return !bits || !((a->v6[bytes] ^ b->v6[bytes]) >> (8 - bits));
}

union ip_addr ip_mask(const union ip_addr *addr, uint8_t family, unsigned plen)
{
	union ip_addr m = {.w = {0, 0}};

	memcpy(m.v6, addr->v6, (plen + 7) / 8);
	if (plen % 8)
		m.v6[plen / 8] &= (uint8_t)(0xff << (8 - plen % 8));
	return m;
}

bool ip6_is_link_local(const union ip_addr *addr)
{
	return addr->v6[0] == 0xfe && (addr->v6[1] & 0xc0) == 0x80;
}

static bool usable4(uint32_t addr, uint8_t plen)
{
	uint32_t host = plen >= 31 ? 0 : addr & (UINT32_MAX >> plen);

	if (addr >> 24 == 0 || addr >> 24 == 127 || addr >> 28 >= 14)
		return false;
	return plen >= 31 || (host && host != UINT32_MAX >> plen);
}

// Not unspecified, loopback, IPv4-mapped or multicast; nor the subnet-router anycast address, which
// belongs to all routers of a network (RFC 4291, 2.6.1; RFC 6164 has none on a /127).
static bool usable6(const union ip_addr *a, uint8_t plen)
{
	static const uint8_t zero[16], mapped[12] = {[10] = 0xff, 0xff};
	union ip_addr network = ip_mask(a, 6, plen);

	if (a->v6[0] == 0xff || !memcmp(a->v6, mapped, sizeof(mapped)))
		return false;
	if (!memcmp(a->v6, zero, 15) && a->v6[15] <= 1)
		return false;
	return plen >= 127 || !ip_addr_equal(a, &network);
}

bool ip_usable_host(uint8_t family, const union ip_addr *addr, uint8_t plen)
{
	return family == 4 ? usable4(ntohl(addr->v4), plen) : usable6(addr, plen);
}
