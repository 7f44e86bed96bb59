// SPDX-License-Identifier: BSD-3-Clause
// ip6_own.h - how long packets of the router's own may be
#ifndef WEIR_NETSTACK_IP6_OWN_H
#define WEIR_NETSTACK_IP6_OWN_H

#include "netstack/ip6.h"
#include "netstack/neigh.h"

// To a neighbor what its link carries; to others what every path does, since nobody here keeps what
// paths were found to carry (RFC 8200, 5; RFC 8201, 4).
static inline uint16_t ip6_own_mtu(const struct adj *a, const uint8_t dst[16])
{
	if (a->kind == ADJ_GLEAN || ip6_equal(a->addr.v6, dst))
		return a->mtu;
	return IP6_MTU_MIN;
}

#endif
