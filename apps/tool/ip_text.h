// SPDX-License-Identifier: BSD-3-Clause
// ip_text.h - IP addresses and prefixes of both families as text, exactly
//
// family is 4 or 6; addresses are in network byte order (netstack/ip.h).
#ifndef WEIR_APPS_TOOL_IP_TEXT_H
#define WEIR_APPS_TOOL_IP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netstack/ip.h"

#define IP_TEXT_MAX 64u // holds "ADDRESS/LENGTH" of either family

// True when s is exactly an address.
bool ip_parse(const char *s, uint8_t *family, union ip_addr *addr);

// True when s is exactly ADDRESS/LENGTH; host bits may be set.
bool ip_parse_prefix(const char *s, uint8_t *family, union ip_addr *addr, uint8_t *plen);

bool ip_parse_mac(const char *s, uint8_t mac[6]);

// The address as text, in buf.
const char *ip_text(uint8_t family, const union ip_addr *addr, char buf[IP_TEXT_MAX]);
const char *ip_prefix_text(uint8_t family, const union ip_addr *addr, uint8_t plen, char buf[IP_TEXT_MAX]);

// Whether the first plen bits of two addresses (of one family) are the same.
bool ip_match(const union ip_addr *a, const union ip_addr *b, unsigned plen);

// The address with all bits beyond plen 0.
union ip_addr ip_mask(const union ip_addr *addr, uint8_t family, unsigned plen);

// fe80::/10
bool ip6_is_link_local(const union ip_addr *addr);

// Whether a host of a network of that length can have the address: RFC 1812, 5.3.7; RFC 4291, 2.5.
bool ip_usable_host(uint8_t family, const union ip_addr *addr, uint8_t plen);

static inline uint8_t ip_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

#endif
