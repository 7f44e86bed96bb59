// SPDX-License-Identifier: BSD-3-Clause
// fib_world.c - tables of routes for tests, and routes as text
#include "fib_world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "netstack/ip4_stack.h"

static void own(struct fib_world *w, uint8_t family, unsigned vrf, const char *prefix, uint8_t plen,
		uint32_t index)
{
	union ip_addr a = {.w = {0}};
	struct err err = {""};

	assert_int_equal(inet_pton(family == 4 ? AF_INET : AF_INET6, prefix, &a), 1);
	if (fib_own(w->f, family, vrf, &a, plen, index, &err))
		fail_msg("%s", err.text);
}

static void addresses(struct fib_world *w)
{
	for (unsigned i = 0; i < FIB_WORLD_IFACES; i++) {
		unsigned vrf = w->ifs->iface[i].vrf;
		char text[64];

		snprintf(text, sizeof(text), "10.0.%u.0", i);
		own(w, 4, vrf, text, 24, ADJ_INDEX_GLEAN0 + i);
		own(w, 4, vrf, text, 32, ADJ_INDEX_BROADCAST);
		snprintf(text, sizeof(text), "10.0.%u.1", i);
		own(w, 4, vrf, text, 32, ADJ_INDEX_LOCAL);
		snprintf(text, sizeof(text), "2001:db8:%u::", i);
		own(w, 6, vrf, text, 64, ADJ_INDEX_GLEAN0 + i);
		snprintf(text, sizeof(text), "2001:db8:%u::1", i);
		own(w, 6, vrf, text, 128, ADJ_INDEX_LOCAL);
	}
}

static void destination(const struct mbuf *m, union ip_addr *dst)
{
	memset(dst, 0, sizeof(*dst));
}

static bool solicit(const struct neigh_table *t, uint32_t index, struct mbuf *m)
{
	return false;
}

static void unresolved(const struct neigh_table *t, const struct mbuf *m)
{
}

static const struct neigh_family family4 = {ETH_TYPE_IP4, .destination = destination,
					    .solicit = solicit, .unresolved = unresolved};
static const struct neigh_family family6 = {ETH_TYPE_IP6, .destination = destination,
					    .solicit = solicit, .unresolved = unresolved};

static void attach(struct fib_world *w, struct neigh_table *t, uint8_t family, unsigned lcore)
{
	struct neigh_conf conf = {.family = family == 4 ? &family4 : &family6,
				  .ifs = w->ifs,
				  .pool = w->pool,
				  .hops = fib_hops(w->f),
				  .learnt = 64,
				  .hold = 4,
				  .held_max = 16,
				  .lcore = lcore};

	assert_int_equal(neigh_init(t, &conf, NULL), 0);
	assert_int_equal(fib_attach(w->f, family, lcore, t, NULL), 0);
}

void fib_world_open(struct fib_world *w, unsigned lcores, uint32_t hops)
{
	struct fib_conf conf = {.vrfs = 2, .hops = hops, .lcores = lcores};

	memset(w, 0, sizeof(*w));
	w->ifs = ifaces_create(FIB_WORLD_IFACES, 0, NULL);
	for (uint16_t i = 0; i < FIB_WORLD_IFACES; i++)
		assert_int_equal(
			ifaces_port(w->ifs, i, (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)i}, 1500, NULL),
			0);
	w->ifs->iface[3].vrf = RED;
	conf.ifs = w->ifs;
	w->f = fib_create(&conf, NULL);
	assert_non_null(w->f);
	w->lcores = lcores;
	for (unsigned k = 0; k < lcores; k++) {
		attach(w, &w->t4[k], 4, k);
		attach(w, &w->t6[k], 6, k);
	}
	addresses(w);
}

void fib_world_close(struct fib_world *w)
{
	for (unsigned k = 0; k < w->lcores; k++) {
		fib_detach(w->f, 4, k);
		fib_detach(w->f, 6, k);
		neigh_fini(&w->t4[k]);
		neigh_fini(&w->t6[k]);
	}
	fib_unref(w->f);
	ifaces_unref(w->ifs);
}

union ip_addr v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return (union ip_addr){.v4 = be32(a << 24 | b << 16 | c << 8 | d)};
}

union ip_addr v6(const char *text)
{
	union ip_addr a;

	assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static uint8_t parse(const char *text, union ip_addr *a)
{
	bool six = strchr(text, ':') != NULL;

	memset(a, 0, sizeof(*a));
	assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, text, a), 1);
	return six ? 6 : 4;
}

static const char *vrf_of(const char *text, uint16_t *vrf)
{
	*vrf = !strncmp(text, "red:", 4) ? RED : 0;
	return *vrf ? text + 4 : text;
}

static void parse_path(char *text, struct fib_path *p)
{
	char *at = strchr(text, '@'), *star = strchr(text, '*');

	if (star)
		*star = 0;
	if (at)
		*at = 0;
	p->weight = star ? (uint8_t)atoi(star + 1) : 1;
	p->iface = at ? (uint16_t)atoi(at + 1) : FIB_IFACE_ANY;
	if (*text)
		parse(text, &p->via);
}

static void parse_paths(struct fib_route *r, char *text)
{
	char *save;

	for (char *p = strtok_r(text, ",", &save); p; p = strtok_r(NULL, ",", &save))
		parse_path(p, &r->path[r->paths++]);
}

struct fib_route route(const char *text)
{
	static const char *const kinds[] = {"via", "blackhole", "unreachable", "prohibit"};
	struct fib_route r = {.kind = FIB_VIA};
	char prefix[64], kind[16], paths[1024] = "";

	text = vrf_of(text, &r.vrf);
	assert_in_range(sscanf(text, "%63[^/]/%hhu %15s %1023s", prefix, &r.plen, kind, paths), 2,
			4);
	r.family = parse(prefix, &r.prefix);
	while (strcmp(kinds[r.kind], kind))
		r.kind++;
	parse_paths(&r, paths);
	return r;
}

int add(struct fib_world *w, const char *text)
{
	struct fib_route r = route(text);
	struct err err = {""};
	int rc = fib_route_add(w->f, &r, &err);

	assert_true((rc == 0) == (err.text[0] == 0));
	return rc;
}

int del(struct fib_world *w, const char *text)
{
	char full[128];
	struct fib_route r;

	snprintf(full, sizeof(full), "%s blackhole", text);
	r = route(full);
	return fib_route_delete(w->f, &r, NULL);
}

const struct adj *take(struct fib_world *w, unsigned lcore, const char *addr, uint32_t hash)
{
	union ip_addr a;
	uint16_t vrf;
	const char *rest = vrf_of(addr, &vrf);
	uint8_t family = parse(rest, &a);
	uint32_t index = fib_lookup(w->f, family, vrf, &a);
	const struct neigh_table *t = family == 4 ? &w->t4[lcore] : &w->t6[lcore];
	const struct adj *adj = &t->adj[index == FIB_NONE ? ADJ_INDEX_NONE : index];

	if (adj->kind != ADJ_MULTI)
		return adj;
	index = fib_only(fib_multi(adj));
	return &t->adj[index ? index : fib_choose(fib_multi(adj), hash)];
}

bool goes(struct fib_world *w, const char *addr, const char *via, uint16_t iface)
{
	union ip_addr a;

	parse(via, &a);
	for (unsigned k = 0; k < w->lcores; k++) {
		const struct adj *adj = take(w, k, addr, 7);

		if (adj->kind != ADJ_FORWARD || !ip_addr_equal(&adj->addr, &a) ||
		    adj->iface != iface)
			return false;
	}
	return true;
}

unsigned spread(struct fib_world *w, const char *addr, const char *via, unsigned n)
{
	unsigned there = 0;
	union ip_addr a;

	parse(via, &a);
	for (unsigned i = 0; i < n; i++)
		there += ip_addr_equal(&take(w, 0, addr, i * 2654435761u)->addr, &a);
	return there;
}
