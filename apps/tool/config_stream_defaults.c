// SPDX-License-Identifier: BSD-3-Clause
// config_stream_defaults.c - what a stream's layers have where the user said nothing
//
// Addresses of ports without one, and destinations nobody named, are those of RFC 2544, C.2.2 (port
// N from 1: 198.18.N.2 to 198.19.(64+N).2) and of RFC 5180's 2001:2::/48 (2001:2:0:N::2 to
// 2001:2:0:8000+N::2).
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/ip_text.h"
#include "core/wire.h"
#include "netstack/eth.h"

int stream_fault(struct stream_fault *f, const struct config_place *place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->err.text, sizeof(f->err.text), fmt, ap);
	va_end(ap);
	f->place = *place;
	return -EINVAL;
}

static void give(struct stream_layer *l, unsigned field, unsigned __int128 v)
{
	if (l->value[field].kind == VALUE_AUTO)
		l->value[field] = (struct stream_value){
			.kind = VALUE_ONE, .every = 1, .first = v, .count = 1};
}

static unsigned __int128 big_endian(const uint8_t *p, unsigned n)
{
	unsigned __int128 v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

// The first address of a family that a port has.
static bool port_address(const struct config *c, int port, uint8_t family, unsigned __int128 *v)
{
	for (size_t i = 0; i < c->n_addrs; i++) {
		const struct blob_addr *a = &c->addrs[i];
		union ip_addr addr;

		memcpy(&addr, a->addr, 16);
		if (a->iface != port || a->family != family ||
		    (family == 6 && ip6_is_link_local(&addr)))
			continue;
		*v = big_endian(a->addr, family == 4 ? 4 : 16);
		return true;
	}
	return false;
}

static unsigned __int128 benchmark(uint8_t family, int port, bool dst)
{
	unsigned n = (unsigned)port + 1;

	if (family == 4)
		return (dst ? 0xc6130000u + ((64 + n) << 8) : 0xc6120000u + (n << 8)) + 2;
	return ((unsigned __int128)UINT64_C(0x2001000200000000) << 64 |
		(unsigned __int128)((dst ? 0x8000u : 0) + n) << 64) +
	       2;
}

static void give_source(const struct stream_plan *p, struct stream_layer *l, unsigned field,
			uint8_t family)
{
	unsigned __int128 v;

	if (!port_address(p->c, p->s->port, family, &v))
		v = benchmark(family, p->s->port, false);
	give(l, field, v);
}

// Where there are two ports, to the other one.
static void give_destination(const struct stream_plan *p, struct stream_layer *l, unsigned field,
			     uint8_t family)
{
	unsigned __int128 v;

	if (p->c->n_ports != 2 || !port_address(p->c, !p->s->port, family, &v))
		v = benchmark(family, p->s->port, true);
	give(l, field, v);
}

static void give_types(struct stream_plan *p, unsigned i)
{
	struct stream_layer *l = &p->layer[i];
	uint8_t next = i + 1 < p->layers ? p->layer[i + 1].id : LAYER_KINDS;
	uint16_t code = next < LAYER_KINDS ? layer_code(l->id, next) : 0;

	switch (l->id) {
	case LAYER_ETH:
	case LAYER_VLAN:
		if (next == LAYER_VLAN) // the tag's own type: outer ones are 802.1ad's
			code = i + 2 < p->layers && p->layer[i + 2].id == LAYER_VLAN ? 0x88a8
										     : 0x8100;
		if (next == LAYER_VLAN && p->layer[i + 1].value[VLAN_TPID].kind == VALUE_ONE)
			code = (uint16_t)p->layer[i + 1].value[VLAN_TPID].first;
		give(l, l->id == LAYER_ETH ? ETH_TYPE : VLAN_TYPE,
		     code ? code : 0x88b5); // 802: experiments
		break;
	case LAYER_MPLS:
		give(l, MPLS_S, next != LAYER_MPLS);
		break;
	case LAYER_IP4:
	case LAYER_IP6:
		give(l, IP_PROTO, code ? code : 253); // RFC 3692: experiments
		break;
	case LAYER_UDP:
		if (next == LAYER_VXLAN)
			give(l, UDP_DST, 4789);
		// RFC 7348, 5 leaves it out over IPv4; IPv6 has to have one (RFC 8200, 8.1).
		give(l, UDP_CSUM, next != LAYER_VXLAN || p->layer[i - 1].id == LAYER_IP6);
		break;
	case LAYER_GRE:
		give(l, GRE_PROTO, code ? code : 0x88b5);
		break;
	default:
		break;
	}
}

static int give_arp(struct stream_plan *p, struct stream_layer *l, struct stream_fault *f)
{
	const struct blob_port *port = &p->c->ports[p->s->port].blob;

	if (l->value[ARP_SENDER_MAC].kind == VALUE_AUTO && !(port->flags & BLOB_PORT_MAC))
		return stream_fault(f, &l->place,
				    "expected arp: {sender_mac: MAC}, or a port with mac: MAC");
	give(l, ARP_SENDER_MAC, big_endian(port->mac, 6));
	give_source(p, l, ARP_SENDER_IP, 4);
	give_destination(p, l, ARP_TARGET_IP, 4);
	return 0;
}

// Inner Ethernet: locally administered addresses.
static void give_inner(struct stream_layer *l)
{
	give(l, ETH_DST, UINT64_C(0x020000000002));
	give(l, ETH_SRC, UINT64_C(0x020000000001));
}

int stream_defaults(struct stream_plan *p, struct stream_fault *f)
{
	int rc = 0;

	for (unsigned i = 0; i < p->layers && !rc; i++) {
		struct stream_layer *l = &p->layer[i];

		give_types(p, i);
		if (l->id == LAYER_IP4 || l->id == LAYER_IP6) {
			give_source(p, l, IP_SRC, l->id == LAYER_IP4 ? 4 : 6);
			give_destination(p, l, IP_DST, l->id == LAYER_IP4 ? 4 : 6);
		}
		if (l->id == LAYER_ARP)
			rc = give_arp(p, l, f);
		if (l->id == LAYER_ETH && i)
			give_inner(l);
		if (l->id == LAYER_UDP && !l->value[UDP_CSUM].first &&
		    p->layer[i - 1].id == LAYER_IP6)
			rc = stream_fault(f, &l->value[UDP_CSUM].place,
					  "expected checksum: on over ipv6 (RFC 8200, 8.1)");
		if (l->id == LAYER_GRE)
			continue; // its key and sequence number are there when they were said
		for (unsigned k = 0; layer_types[l->id].field[k].name; k++)
			if (i || k > ETH_SRC)
				give(l, k, layer_types[l->id].field[k].number);
	}
	return rc;
}
