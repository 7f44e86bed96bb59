// SPDX-License-Identifier: BSD-3-Clause
// fib_lpm.c - the tables of prefixes of all VRFs, of either family by the same calls
#include <errno.h>
#include <string.h>

#include "netstack/fib_priv.h"
#include "netstack/lpm4.h"
#include "netstack/lpm6.h"

int fib_lpm_create(struct fib *f, const struct fib_conf *c, struct err *err)
{
	for (unsigned v = 0; v < f->vrfs; v++) {
		f->v4[v] = lpm4_create(
			&(struct lpm4_conf){.name = "ip4", .max_routes = v ? 0 : c->routes4});
		f->v6[v] = lpm6_create(
			&(struct lpm6_conf){.name = "ip6", .max_routes = v ? 0 : c->routes6});
		if (!f->v4[v] || !f->v6[v])
			return err_set(err, -errno, "no memory for the tables of %u VRFs", f->vrfs);
	}
	return 0;
}

void fib_lpm_destroy(struct fib *f)
{
	for (unsigned v = 0; v < FIB_VRFS_MAX; v++) {
		lpm4_destroy(f->v4[v]);
		lpm6_destroy(f->v6[v]);
	}
}

int fib_lpm_add(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		uint8_t plen, uint32_t index)
{
	if (family == 4)
		return lpm4_add(f->v4[vrf], be32(prefix->v4), plen, index);
	return lpm6_add(f->v6[vrf], prefix->v6, plen, index);
}

int fib_lpm_delete(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		   uint8_t plen)
{
	if (family == 4)
		return lpm4_delete(f->v4[vrf], be32(prefix->v4), plen);
	return lpm6_delete(f->v6[vrf], prefix->v6, plen);
}

int fib_get(const struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
	    uint8_t plen)
{
	if (family == 4)
		return lpm4_get(f->v4[vrf], be32(prefix->v4), plen);
	return lpm6_get(f->v6[vrf], prefix->v6, plen);
}

uint32_t fib_lookup(const struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *addr)
{
	uint32_t index = family == 4 ? lpm4_lookup(f->v4[vrf], be32(addr->v4))
				     : lpm6_lookup(f->v6[vrf], addr->v6);

	static_assert(LPM4_MISS == LPM6_MISS, "one answer where nothing matches");
	return index == LPM4_MISS ? FIB_NONE : index;
}

int fib_first(const struct fib *f, uint8_t family, unsigned vrf, union ip_addr *prefix,
	      uint8_t *plen)
{
	uint32_t host = 0;
	int index;

	if (family == 6)
		return lpm6_first(f->v6[vrf], prefix->v6, plen);
	index = lpm4_first(f->v4[vrf], &host, plen);
	*prefix = (union ip_addr){.w = {0}};
	prefix->v4 = be32(host);
	return index;
}

int fib_next(const struct fib *f, uint8_t family, unsigned vrf, union ip_addr *prefix,
	     uint8_t *plen)
{
	uint32_t host = be32(prefix->v4);
	int index;

	if (family == 6)
		return lpm6_next(f->v6[vrf], prefix->v6, plen);
	index = lpm4_next(f->v4[vrf], &host, plen);
	*prefix = (union ip_addr){.w = {0}};
	prefix->v4 = be32(host);
	return index;
}

void fib_set_live(struct fib *f, bool live)
{
	f->live = live && f->lcores > 1; // a single lcore does not read while it writes
	for (unsigned v = 0; v < f->vrfs; v++) {
		lpm4_set_live(f->v4[v], f->live);
		lpm6_set_live(f->v6[v], f->live);
	}
}

void fib_quiescent(struct fib *f)
{
	for (unsigned v = 0; f->live && v < f->vrfs; v++) {
		lpm4_quiescent(f->v4[v]);
		lpm6_quiescent(f->v6[v]);
	}
}

size_t fib_count(const struct fib *f, uint8_t family)
{
	size_t n = 0;

	for (unsigned v = 0; v < f->vrfs; v++)
		n += family == 4 ? lpm4_count(f->v4[v]) : lpm6_count(f->v6[v]);
	return n;
}

size_t fib_memory(const struct fib *f)
{
	size_t n = 0;

	for (unsigned v = 0; v < f->vrfs; v++)
		n += lpm4_memory(f->v4[v]) + lpm6_memory(f->v6[v]);
	return n;
}

struct lpm4 *fib_lpm4(const struct fib *f, unsigned vrf)
{
	return f->v4[vrf];
}

struct lpm6 *fib_lpm6(const struct fib *f, unsigned vrf)
{
	return f->v6[vrf];
}
