// SPDX-License-Identifier: BSD-3-Clause
// ip6_text.c - IPv6 addresses for people to read
#include <arpa/inet.h>

#include "netstack/ip6.h"

const char *ip6_text(char text[IP6_TEXT_MAX], const uint8_t a[16])
{
	static_assert(IP6_TEXT_MAX >= INET6_ADDRSTRLEN, "the longest form fits");
	return inet_ntop(AF_INET6, a, text, IP6_TEXT_MAX);
}
