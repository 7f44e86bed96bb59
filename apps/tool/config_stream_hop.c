// SPDX-License-Identifier: BSD-3-Clause
// config_stream_hop.c - where a stream's frames go first: their MAC addresses, or the next hop that
// has them
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/ip_text.h"

static bool has(const struct stream_value *v)
{
	return v->kind != VALUE_AUTO;
}

static void give(struct stream_layer *l, unsigned field, uint64_t v)
{
	l->value[field] =
		(struct stream_value){.kind = VALUE_ONE, .every = 1, .first = v, .count = 1};
}

static bool runs(const struct stream_value *v)
{
	return v->kind != VALUE_ONE && !(v->kind == VALUE_RANDOM ? !v->span : v->count == 1);
}

static union ip_addr address(unsigned __int128 v, uint8_t family)
{
	union ip_addr a = {.w = {0, 0}};

	for (int i = family == 4 ? 3 : 15; i >= 0; i--, v >>= 8)
		a.v6[i] = (uint8_t)v;
	return a;
}

// The interface on whose network it is; -1: none.
static int network(const struct config *c, uint8_t family, const union ip_addr *a)
{
	for (size_t i = 0; i < c->n_addrs; i++) {
		union ip_addr own;

		memcpy(&own, c->addrs[i].addr, 16);
		if (c->addrs[i].family == family && ip_match(&own, a, c->addrs[i].plen))
			return c->addrs[i].iface;
	}
	return -1;
}

static int on_port(const struct stream_plan *p, uint8_t family, const union ip_addr *a,
		   const struct config_place *place, struct stream_fault *f)
{
	const char *fault = NULL;
	char text[IP_TEXT_MAX];

	if ((family != 6 || !ip6_is_link_local(a)) &&
	    config_onlink(p->c, 0, family, a, &fault) != p->s->port)
		return stream_fault(
			f, place, "next hop %s: %s", ip_text(family, a, text),
			fault ? fault : "expected an address on the network of the stream's port");
	return 0;
}

// RFC 1112, 6.4; RFC 2464, 7.
static bool multicast(const union ip_addr *a, uint8_t family, uint64_t *mac)
{
	const uint8_t *b = a->v6;

	if (family == 4 && b[0] == 255)
		*mac = UINT64_C(0xffffffffffff);
	else if (family == 4 && b[0] >> 4 == 14)
		*mac = UINT64_C(0x01005e000000) | (uint64_t)(b[1] & 0x7f) << 16 |
		       (uint64_t)b[2] << 8 | b[3];
	else if (family == 6 && b[0] == 0xff)
		*mac = UINT64_C(0x333300000000) | (uint64_t)b[12] << 24 | (uint64_t)b[13] << 16 |
		       (uint64_t)b[14] << 8 | b[15];
	else
		return false;
	return true;
}

// The gateway of the route to it, on the stream's port.
static int by_route(struct stream_plan *p, uint8_t family, const union ip_addr *dst,
		    const struct config_place *place, struct stream_fault *f)
{
	const struct config_route *r = config_route_find(p->c, 0, family, dst);
	char text[IP_TEXT_MAX];

	for (unsigned i = 0; r && i < p->c->hops[r->hop].blob.paths; i++) {
		const struct blob_path *path = &p->c->paths[p->c->hops[r->hop].blob.first + i].blob;

		if (path->iface == p->s->port) {
			p->via_family = family;
			memcpy(&p->via, path->via, 16);
			return 0;
		}
	}
	return stream_fault(
		f, place,
		"to %s: expected via: ADDRESS, the next hop on the network of port %s, a route "
		"that leads there, or eth: {dst: MAC}",
		ip_text(family, dst, text), p->c->ports[p->s->port].name);
}

static int by_destination(struct stream_plan *p, struct stream_fault *f)
{
	struct stream_layer *ip = &p->layer[1];
	const struct stream_value *v = &ip->value[IP_DST];
	const struct config_place *place = v->place.file ? &v->place : &p->s->place;
	uint8_t family = ip->id == LAYER_IP4 ? 4 : 6;
	union ip_addr dst = address(v->kind == VALUE_LIST ? v->list[0] : v->first, family);
	int port = network(p->c, family, &dst);
	uint64_t mac;

	if (multicast(&dst, family, &mac) && !runs(v)) {
		give(&p->layer[0], ETH_DST, mac);
		return 0;
	}
	if (port != p->s->port)
		return by_route(p, family, &dst, place, f);
	if (runs(v))
		return stream_fault(
			f, place,
			"expected via: ADDRESS, or eth: {dst: MAC}: these are many stations of "
			"the port's own network, and a stream has one next hop");
	p->via_family = family;
	p->via = dst;
	return on_port(p, family, &dst, place, f);
}

int stream_hop(struct stream_plan *p, struct stream_fault *f)
{
	struct stream_layer *eth = &p->layer[0];
	const struct config_stream *s = p->s;

	p->port_mac = !has(&eth->value[ETH_SRC]);
	if (p->port_mac)
		give(eth, ETH_SRC, 0);
	if (s->via_family && has(&eth->value[ETH_DST]))
		return stream_fault(f, &s->via_place, "expected no via: eth says dst");
	if (has(&eth->value[ETH_DST]))
		return 0;
	if (s->via_family) {
		p->via_family = s->via_family;
		p->via = s->via;
		give(eth, ETH_DST, 0);
		return on_port(p, s->via_family, &s->via, &s->via_place, f);
	}
	if (p->layers > 1 && p->layer[p->layers - 1].id == LAYER_ARP) {
		give(eth, ETH_DST, UINT64_C(0xffffffffffff));
		return 0;
	}
	if (p->layers < 2 || (p->layer[1].id != LAYER_IP4 && p->layer[1].id != LAYER_IP6))
		return stream_fault(f, s->layers_place.file ? &s->layers_place : &s->place,
				    "expected eth: {dst: MAC}, or via: ADDRESS: only of IP right "
				    "over Ethernet is "
				    "the next hop found by itself");
	give(eth, ETH_DST, 0);
	return by_destination(p, f);
}
