// SPDX-License-Identifier: BSD-3-Clause
// ip.h - an address of either family, as tables of both keep it
#ifndef WEIR_NETSTACK_IP_H
#define WEIR_NETSTACK_IP_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

// Network byte order. Of IPv4, v4 is the address and the rest is 0, so that two addresses of one family are
// equal when both words are.
union ip_addr {
	uint32_t v4;
	uint8_t v6[16];
	uint64_t w[2];
};
static_assert(sizeof(union ip_addr) == 16, "two words");

static inline bool ip_addr_equal(const union ip_addr *a, const union ip_addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

#endif
