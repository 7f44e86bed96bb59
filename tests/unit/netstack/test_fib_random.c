// SPDX-License-Identifier: BSD-3-Clause
// test_fib_random.c - random routes against a list of them, searched from end to end
//
// Neighbors are 10.0.I.2 to 10.0.I.9. Prefixes in 172.16.0.0/24 lead to them, those in
// 198.18.0.0/22 to them or to addresses of the former: recursive next hops without loops.
#include <stdlib.h>

#include "fib_world.h"

#define ROUTES 300u
#define PATHS  4u

struct model {
	bool there;
	uint16_t vrf;
	uint32_t prefix;
	uint8_t plen, kind, paths;
	uint32_t via[PATHS];
};

static struct model model[ROUTES];
static uint64_t seed = 11;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull; // Knuth, MMIX
	return (uint32_t)(seed >> 33) % n;
}

static const struct model *longest(uint16_t vrf, uint32_t addr)
{
	const struct model *best = NULL;

	for (unsigned i = 0; i < ROUTES; i++) {
		const struct model *m = &model[i];
		uint32_t mask = m->plen ? ~0u << (32 - m->plen) : 0;

		if (m->there && m->vrf == vrf && (addr & mask) == m->prefix &&
		    (!best || m->plen > best->plen))
			best = m;
	}
	return best;
}

// The neighbors that packets to addr may be sent to, a bit each; what drops them otherwise.
static uint32_t neighbors(uint16_t vrf, uint32_t addr, uint8_t *drop)
{
	const struct model *m = longest(vrf, addr);
	uint32_t set = 0;
	uint8_t below = ADJ_NONE;

	*drop = ADJ_NONE;
	if (!m)
		return 0;
	*drop = m->kind == FIB_BLACKHOLE  ? ADJ_BLACKHOLE
		: m->kind == FIB_PROHIBIT ? ADJ_PROHIBIT
					  : ADJ_UNREACHABLE;
	for (unsigned i = 0; i < m->paths; i++) {
		uint32_t v = m->via[i];

		if (v >> 16 == 0x0a00)
			set |= 1u << ((v >> 8 & 3) * 8 + (v & 7));
		else
			set |= neighbors(vrf, v, &below);
	}
	return set;
}

static uint32_t random_via(uint16_t vrf, bool recursive)
{
	uint32_t iface = vrf ? 3 : rnd(3);

	return recursive && rnd(2) ? 0xac100000 | rnd(256) : 0x0a000000 | iface << 8 | (rnd(8) + 2);
}

static void fill(struct fib_route *r, const struct model *m)
{
	*r = (struct fib_route){
		.family = 4, .plen = m->plen, .kind = m->kind, .paths = m->paths, .vrf = m->vrf};
	r->prefix.v4 = be32(m->prefix);
	for (unsigned i = 0; i < m->paths; i++)
		r->path[i] = (struct fib_path){.via.v4 = be32(m->via[i]),
					       .iface = FIB_IFACE_ANY,
					       .weight = (uint8_t)(1 + rnd(3))};
}

static struct model random_route(void)
{
	bool low = rnd(2);
	struct model m = {.there = true,
			  .vrf = (uint16_t)rnd(2),
			  .plen = (uint8_t)((low ? 24 : 22) + rnd(low ? 9 : 7))};

	m.prefix = ((low ? 0xac100000 : 0xc6120000) | rnd(low ? 256 : 1024)) & ~0u << (32 - m.plen);
	m.kind = rnd(4) ? FIB_VIA : (uint8_t)rnd(4);
	m.paths = m.kind == FIB_VIA ? (uint8_t)(1 + rnd(PATHS)) : 0;
	for (unsigned i = 0; i < m.paths; i++)
		m.via[i] = random_via(m.vrf, !low);
	return m;
}

static struct model *place_of(const struct model *n)
{
	struct model *free = NULL;

	for (unsigned i = 0; i < ROUTES; i++) {
		struct model *m = &model[i];

		if (m->there && m->vrf == n->vrf && m->prefix == n->prefix && m->plen == n->plen)
			return m;
		if (!m->there && !free)
			free = m;
	}
	return free;
}

static void change(struct fib_world *w)
{
	struct model n = random_route(), *m = place_of(&n);
	struct fib_route r;
	struct err err;
	int rc;

	if (!m)
		m = &model[rnd(ROUTES)];
	if (m->there) {
		fill(&r, m);
		assert_int_equal(fib_route_delete(w->f, &r, &err), 0);
		m->there = false;
		if (rnd(2))
			return;
	}
	fill(&r, &n);
	rc = fib_route_add(w->f, &r, &err);
	if (rc)
		fail_msg("%s", err.text);
	*m = n;
}

// What packets to addr may take at an lcore.
static uint32_t really(struct fib_world *w, unsigned lcore, uint16_t vrf, uint32_t addr,
		       uint8_t *drop)
{
	union ip_addr a = {.v4 = be32(addr)};
	uint32_t index = fib_lookup(w->f, 4, vrf, &a), set = 0;
	struct fib_share share[FIB_LEAVES_MAX];
	unsigned n = fib_shares(w->f, 4, index, share);

	if (!n)
		n = (share[0].index = index == FIB_NONE ? ADJ_INDEX_NONE : index, 1);
	for (unsigned i = 0; i < n; i++) {
		const struct adj *adj = &w->t4[lcore].adj[share[i].index];
		uint32_t via = be32(adj->addr.v4);

		*drop = adj->kind;
		if (adj->kind != ADJ_FORWARD)
			continue;
		assert_int_equal(adj->iface, via >> 8 & 3);
		set |= 1u << ((via >> 8 & 3) * 8 + (via & 7));
	}
	return set;
}

static void compare(struct fib_world *w)
{
	for (unsigned i = 0; i < 8; i++) {
		uint32_t addr = rnd(2) ? 0xac100000 | rnd(256) : 0xc6120000 | rnd(1024);
		uint16_t vrf = (uint16_t)rnd(2);
		uint8_t want, got;
		uint32_t set = neighbors(vrf, addr, &want);

		assert_int_equal(really(w, i % 2, vrf, addr, &got), set);
		if (!set && longest(vrf, addr) && longest(vrf, addr)->kind != FIB_VIA)
			assert_int_equal(got, want);
	}
}

static void routes_lead_where_a_list_of_them_says(void **state)
{
	struct fib_world w;

	fib_world_open(&w, 2, 2000);
	for (unsigned i = 0; i < 20000; i++) {
		change(&w);
		compare(&w);
	}
	fib_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_lead_where_a_list_of_them_says),
	};

	return cmocka_run_group_tests_name("fib_random", tests, NULL, NULL);
}
