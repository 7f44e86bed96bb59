// SPDX-License-Identifier: BSD-3-Clause
// parse.c - addresses, prefixes and MAC addresses from text, exactly
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"

bool parse_ip4(const char *s, uint32_t *addr)
{
	struct in_addr a;

	if (inet_pton(AF_INET, s, &a) != 1)
		return false;
	*addr = ntohl(a.s_addr);
	return true;
}

bool parse_prefix4(const char *s, uint32_t *prefix, uint8_t *plen)
{
	const char *slash = strchr(s, '/');
	char addr[INET_ADDRSTRLEN];
	size_t n = slash ? (size_t)(slash - s) : 0;
	unsigned len = 0;

	if (!slash || n >= sizeof(addr))
		return false;
	memcpy(addr, s, n);
	addr[n] = 0;
	// One or two digits, no sign, no leading zero.
	if (slash[1] < '0' || slash[1] > '9' || (slash[1] == '0' && slash[2]))
		return false;
	for (s = slash + 1; *s; s++) {
		if (*s < '0' || *s > '9' || s - slash > 2)
			return false;
		len = 10 * len + (unsigned)(*s - '0');
	}
	if (len > 32)
		return false;
	*plen = (uint8_t)len;
	return parse_ip4(addr, prefix);
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

bool parse_mac(const char *s, uint8_t mac[6])
{
	int i;

	if (strlen(s) != 17)
		return false;
	for (i = 0; i < 6; i++, s += 3) {
		if (hex(s[0]) < 0 || hex(s[1]) < 0 || (i < 5 && s[2] != ':'))
			return false;
		mac[i] = (uint8_t)(hex(s[0]) << 4 | hex(s[1]));
	}
	return true;
}

bool config_ip4(struct ydoc *y, yaml_node_t *node, uint32_t *addr)
{
	const char *s = ydoc_text(y, node, "an IPv4 address");

	if (!s)
		return false;
	if (!parse_ip4(s, addr)) {
		ydoc_error(y, node, "expected an IPv4 address like 192.0.2.1");
		return false;
	}
	return true;
}

bool config_mac(struct ydoc *y, yaml_node_t *node, uint8_t mac[6])
{
	static const uint8_t zero[6];
	const char *s = ydoc_text(y, node, "a MAC address");

	if (!s)
		return false;
	if (!parse_mac(s, mac) || (mac[0] & 1) || !memcmp(mac, zero, 6)) {
		ydoc_error(y, node, "expected a unicast MAC address like \"02:00:00:00:00:01\"");
		return false;
	}
	return true;
}
