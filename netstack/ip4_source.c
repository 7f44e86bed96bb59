// SPDX-License-Identifier: BSD-3-Clause
// ip4_source.c - questions about the router's own addresses
#include "netstack/ip4_stack.h"

#include "netstack/ip4.h"

uint32_t ip4_stack_source(const struct ip4_stack *s, uint16_t iface, uint32_t peer)
{
	const struct ip4_address *a = ip4_stack_onlink(s, iface, peer);

	if (a)
		return a->addr;
	for (uint32_t i = 0; i < s->addresses; i++)
		if (s->address[i].iface == iface)
			return s->address[i].addr;
	for (uint32_t i = 0; i < s->addresses; i++)
		if (s->ifs->iface[s->address[i].iface].vrf == s->ifs->iface[iface].vrf)
			return s->address[i].addr;
	return 0;
}

bool ip4_stack_mine(const struct ip4_stack *s, uint32_t addr)
{
	if (!ip4_filter_hit(s, be32(addr)))
		return false;
	for (uint32_t i = 0; i < s->addresses; i++)
		if (s->address[i].addr == addr)
			return true;
	return false;
}

const struct ip4_address *ip4_stack_own(const struct ip4_stack *s, uint16_t iface, uint32_t addr)
{
	for (uint32_t i = 0; i < s->addresses; i++)
		if (s->address[i].iface == iface && s->address[i].addr == addr)
			return &s->address[i];
	return NULL;
}

const struct ip4_address *ip4_stack_onlink(const struct ip4_stack *s, uint16_t iface, uint32_t addr)
{
	for (uint32_t i = 0; i < s->addresses; i++) {
		const struct ip4_address *a = &s->address[i];

		if (a->iface == iface && ((a->addr ^ addr) & ip4_mask(a->plen)) == 0)
			return a;
	}
	return NULL;
}

bool ip4_stack_forbidden_source(const struct ip4_stack *s, uint16_t iface, uint32_t addr)
{
	uint16_t vrf = s->ifs->iface[iface].vrf;

	for (uint32_t i = 0; i < s->addresses; i++) {
		const struct ip4_address *a = &s->address[i];
		uint32_t host = addr & ~ip4_mask(a->plen);

		if (s->ifs->iface[a->iface].vrf != vrf)
			continue;
		if (a->addr == addr)
			return true;
		if (a->plen < 31 && ((a->addr ^ addr) & ip4_mask(a->plen)) == 0 &&
		    (host == 0 || host == ~ip4_mask(a->plen)))
			return true;
	}
	return false;
}
