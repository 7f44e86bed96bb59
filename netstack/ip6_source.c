// SPDX-License-Identifier: BSD-3-Clause
// ip6_source.c - questions about the router's own IPv6 addresses
#include "netstack/ip6_stack.h"

#define each_address(s, i, iface)                                                                  \
	for (uint32_t i = (s)->first[iface]; i != IP6_ADDRESS_NONE; i = (s)->address[i].next)

static bool same_vrf(const struct ip6_stack *s, uint16_t a, uint16_t b)
{
	return s->ifs->iface[a].vrf == s->ifs->iface[b].vrf;
}

const struct ip6_address *ip6_stack_own(const struct ip6_stack *s, uint16_t iface,
					const uint8_t addr[16])
{
	each_address(s, i, iface) if (ip6_equal(s->address[i].addr.v6, addr)) return &s->address[i];
	return NULL;
}

const struct ip6_address *ip6_stack_onlink(const struct ip6_stack *s, uint16_t iface,
					   const uint8_t addr[16])
{
	each_address(s, i, iface)
	{
		const struct ip6_address *a = &s->address[i];

		if (!ip6_link_local(a->addr.v6) && ip6_prefix_equal(a->addr.v6, addr, a->plen))
			return a;
	}
	return NULL;
}

const struct ip6_address *ip6_stack_find(const struct ip6_stack *s, uint16_t iface,
					 const uint8_t addr[16])
{
	const struct ip6_address *own = ip6_stack_own(s, iface, addr);

	if (own || ip6_link_local(addr))
		return own;
	for (uint32_t i = 0; i < s->addresses; i++)
		if (ip6_equal(s->address[i].addr.v6, addr) && same_vrf(s, s->address[i].iface, iface))
			return &s->address[i];
	return NULL;
}

const struct ip6_address *ip6_stack_link_local(const struct ip6_stack *s, uint16_t iface)
{
	each_address(s, i, iface)
	{
		const struct ip6_address *a = &s->address[i];

		if (ip6_link_local(a->addr.v6) && a->state == IP6_VALID)
			return a;
	}
	return NULL;
}

bool ip6_stack_forbidden_source(const struct ip6_stack *s, uint16_t iface, const uint8_t addr[16])
{
	const struct ip6_address *a = ip6_stack_find(s, iface, addr);

	return a && a->state == IP6_VALID; // of others, somebody else may tell us that it is theirs
}

bool ip6_stack_listens(const struct ip6_stack *s, uint16_t iface, const uint8_t group[16])
{
	if (!ip6_stack_enabled(s, iface))
		return false;
	if (ip6_equal(group, ip6_all_nodes.v6) || ip6_equal(group, ip6_all_routers.v6) ||
	    ip6_equal(group, ip6_all_routers_site.v6))
		return true;
	each_address(s, i, iface)
	{
		union ip_addr own = ip6_solicited_node(s->address[i].addr.v6);

		if (ip6_equal(group, own.v6))
			return true;
	}
	return false;
}

// --- RFC 6724 ---

// 2.1: addresses of one label go together.
static const struct label {
	uint8_t prefix[16];
	uint8_t plen, label;
} labels[] = {
	{{0x20, 0x02}, 16, 2},	     // 6to4
	{{0x20, 0x01, 0, 0}, 32, 5}, // Teredo
	{{0xfc}, 7, 13},	     // unique local
	{{0xfe, 0xc0}, 10, 11},	     // site-local
	{{0x3f, 0xfe}, 16, 12},	     // 6bone
};

static unsigned label_of(const uint8_t addr[16])
{
	for (unsigned i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (ip6_prefix_equal(addr, labels[i].prefix, labels[i].plen))
			return labels[i].label;
	return 1;
}

static unsigned common_prefix(const struct ip6_address *a, const uint8_t dst[16])
{
	unsigned n = 0;

	while (n < a->plen && ip6_prefix_equal(a->addr.v6, dst, n + 1))
		n++;
	return n;
}

// Rules 2, 6 and 8 of section 5; true: a rather than b.
static bool better(const struct ip6_address *a, const struct ip6_address *b, const uint8_t dst[16])
{
	unsigned scope_a = ip6_scope(a->addr.v6), scope_b = ip6_scope(b->addr.v6);
	bool label_a = label_of(a->addr.v6) == label_of(dst);
	bool label_b = label_of(b->addr.v6) == label_of(dst);

	if (scope_a != scope_b)
		return scope_a < scope_b; // both reach dst
	if (label_a != label_b)
		return label_a;
	return common_prefix(a, dst) > common_prefix(b, dst);
}

static bool usable(const struct ip6_address *a, const uint8_t dst[16])
{
	return a->state == IP6_VALID && !a->anycast && ip6_scope(a->addr.v6) >= ip6_scope(dst);
}

const struct ip6_address *ip6_stack_source(const struct ip6_stack *s, uint16_t iface,
					   const uint8_t dst[16])
{
	const struct ip6_address *best = NULL;

	each_address(s, i, iface)
	{
		const struct ip6_address *a = &s->address[i];

		if (usable(a, dst) && (!best || better(a, best, dst)))
			best = a;
	}
	if (best || ip6_scope(dst) <= IP6_SCOPE_LINK)
		return best;
	for (uint32_t i = 0; i < s->addresses; i++) {
		const struct ip6_address *a = &s->address[i];

		if (same_vrf(s, a->iface, iface) && usable(a, dst) &&
		    (!best || better(a, best, dst)))
			best = a;
	}
	return best;
}
