// SPDX-License-Identifier: BSD-3-Clause
// config_table.c - the routing table as a whole: next hops resolved, nothing twice
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/util.h"

#define NEXTHOPS_MAX 32000u // a lookup gives 15 bits, of which ports and neighbors take some
#define VIA_SLOTS    (1u << 18) // four a next hop at the most

static uint32_t own_of(const struct blob_addr *a)
{
	uint32_t own;

	memcpy(&own, a->addr, 4);
	return ntohl(own);
}

int config_neighbor_port(const struct config *c, uint32_t addr, const char **fault)
{
	size_t i;

	for (i = 0; i < c->n_addrs; i++) {
		const struct blob_addr *a = &c->addrs[i];

		if (a->family != 4 || (uint64_t)(own_of(a) ^ addr) >> (32 - a->plen))
			continue;
		*fault = own_of(a) == addr ? "expected an address that is not this router's own" :
					     "expected a host's address, not a network, broadcast or "
					     "reserved one";
		return own_of(a) != addr && config_usable_host(addr, a->plen) ? a->port : -1;
	}
	*fault = "expected an address on the network of a port";
	return -1;
}

static char *ip4_text(uint32_t addr, char buf[INET_ADDRSTRLEN])
{
	struct in_addr a = {htonl(addr)};

	inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
	return buf;
}

static void route_error(struct diags *d, const struct config_prefix *r, uint32_t value,
			const char *what)
{
	char buf[INET_ADDRSTRLEN];

	diag_add(d, r->place.file, r->place.line, r->place.column, ip4_text(value, buf), "%s", what);
}

// The next hop of r, made when it is new. Next hops are few and routes many: a hash of them.
static void resolve(struct config *c, const struct config_prefix *r, uint32_t *slots,
		    struct diags *d)
{
	uint32_t h = (r->via * 2654435761u) >> 14;
	const char *fault;
	int port;

	for (; slots[h]; h = (h + 1) % VIA_SLOTS)
		if (c->nexthops[slots[h] - 1].via == r->via)
			return;
	port = config_neighbor_port(c, r->via, &fault);
	if (port < 0) {
		route_error(d, r, r->via, fault);
		port = 0;
	}
	if (c->n_nexthops == NEXTHOPS_MAX) {
		route_error(d, r, r->via, "expected at most 32000 different next hops");
		return;
	}
	c->nexthops = array_add(c->nexthops, &c->n_nexthops, &c->room_nexthops,
				sizeof(*c->nexthops));
	c->nexthops[c->n_nexthops - 1] = (struct blob_nexthop){.via = r->via, .port = (uint16_t)port};
	slots[h] = (uint32_t)c->n_nexthops;
}

static int by_prefix(const void *a, const void *b)
{
	const struct config_prefix *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	if (x->plen != y->plen)
		return x->plen < y->plen ? -1 : 1;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	return 0;
}

static void check_twice(struct config *c, struct diags *d)
{
	size_t i;

	if (c->n_routes)
		qsort(c->routes, c->n_routes, sizeof(*c->routes), by_prefix);
	for (i = 1; i < c->n_routes; i++) {
		const struct config_prefix *a = &c->routes[i - 1], *b = &c->routes[i];
		char text[INET_ADDRSTRLEN];

		if (a->prefix == b->prefix && a->plen == b->plen)
			diag_add(d, b->place.file, b->place.line, b->place.column,
				 ip4_text(b->prefix, text),
				 "this prefix /%u is there already, in %s line %zu: expected it once",
				 b->plen, a->place.file, a->place.line);
	}
}

// What a port's own address says about a route's prefix; NULL when nothing.
static const char *connected(const struct blob_addr *a, const struct config_prefix *r)
{
	if ((uint64_t)(r->prefix ^ own_of(a)) >> (32 - a->plen))
		return NULL;
	if (r->plen == a->plen)
		return "expected another prefix: this is the network of a port";
	if (r->plen == 32 && r->prefix == own_of(a))
		return "expected another prefix: this is the router's own address";
	if (r->plen == 32 && !config_usable_host(r->prefix, a->plen))
		return "expected another prefix: this is a broadcast address of a port's network";
	return NULL;
}

static void check_connected(struct config *c, struct diags *d)
{
	size_t i, j;

	for (j = 0; j < c->n_addrs; j++) {
		for (i = 0; c->addrs[j].family == 4 && i < c->n_routes; i++) {
			const char *fault = connected(&c->addrs[j], &c->routes[i]);

			if (fault)
				route_error(d, &c->routes[i], c->routes[i].prefix, fault);
		}
	}
}

void config_check_routes(struct config *c, struct diags *d)
{
	uint32_t *slots;
	size_t i;

	if (c->n_routes > CONFIG_ROUTES_MAX) {
		route_error(d, &c->routes[CONFIG_ROUTES_MAX], c->routes[CONFIG_ROUTES_MAX].prefix,
			    "expected at most 4194304 routes");
		return;
	}
	slots = calloc(VIA_SLOTS, sizeof(*slots));
	if (!slots)
		die_no_memory();
	for (i = 0; i < c->n_routes; i++)
		resolve(c, &c->routes[i], slots, d);
	free(slots);
	check_twice(c, d);
	check_connected(c, d);
}
