// SPDX-License-Identifier: BSD-3-Clause
// parse.c - addresses and MAC addresses of a configuration, with a diag where they are none
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"

bool config_ip4(struct ydoc *y, yaml_node_t *node, uint32_t *addr)
{
	const char *s = ydoc_text(y, node, "an IPv4 address");
	union ip_addr ip;
	uint8_t family;

	if (!s)
		return false;
	if (!ip_parse(s, &family, &ip) || family != 4) {
		ydoc_error(y, node, "expected an IPv4 address like 192.0.2.1");
		return false;
	}
	*addr = ntohl(ip.v4);
	return true;
}

bool config_mac(struct ydoc *y, yaml_node_t *node, uint8_t mac[6])
{
	static const uint8_t zero[6];
	const char *s = ydoc_text(y, node, "a MAC address");

	if (!s)
		return false;
	if (!ip_parse_mac(s, mac) || (mac[0] & 1) || !memcmp(mac, zero, 6)) {
		ydoc_error(y, node, "expected a unicast MAC address like \"02:00:00:00:00:01\"");
		return false;
	}
	return true;
}
