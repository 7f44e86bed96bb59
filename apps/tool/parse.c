// SPDX-License-Identifier: BSD-3-Clause
// parse.c - values of a configuration's scalars, with a diag where they are none
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"

bool config_ip(struct ydoc *y, yaml_node_t *node, uint8_t *family, union ip_addr *addr)
{
	const char *s = ydoc_text(y, node, "an IP address");

	if (!s)
		return false;
	if (!ip_parse(s, family, addr)) {
		ydoc_error(y, node, "expected an IP address like 192.0.2.1 or 2001:db8::1");
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
	if (!ip_parse_mac(s, mac) || (mac[0] & 1) || !memcmp(mac, zero, 6)) {
		ydoc_error(y, node, "expected a unicast MAC address like \"02:00:00:00:00:01\"");
		return false;
	}
	return true;
}

bool config_switch(struct ydoc *y, yaml_node_t *node, bool *on)
{
	const char *s = ydoc_text(y, node, "on or off");

	if (!s)
		return false;
	*on = !strcmp(s, "on");
	if (!*on && strcmp(s, "off")) {
		ydoc_error(y, node, "expected on or off");
		return false;
	}
	return true;
}
