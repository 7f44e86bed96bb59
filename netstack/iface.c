// SPDX-License-Identifier: BSD-3-Clause
// iface.c - the table of interfaces, and the header of what they send
#include "netstack/iface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/eth.h"

struct ifaces *ifaces_create(unsigned ports, unsigned more, struct err *err)
{
	struct ifaces *ifs;

	if (!ports || ports > IFACE_PORTS_MAX) {
		err_set(err, -EINVAL, "%u ports: a router has 1 to %u", ports, IFACE_PORTS_MAX);
		return NULL;
	}
	if (more > IFACES_MAX - ports) {
		err_set(err, -EINVAL, "%u interfaces: at most %u", ports + more, IFACES_MAX);
		return NULL;
	}
	ifs = calloc(1, sizeof(*ifs) + (ports + more) * sizeof(ifs->iface[0]));
	if (!ifs) {
		err_set(err, -ENOMEM, "no memory for %u interfaces", ports + more);
		return NULL;
	}
	ifs->ports = ifs->n = ifs->outs = ports;
	ifs->refs = 1;
	return ifs;
}

struct ifaces *ifaces_ref(struct ifaces *ifs)
{
	ifs->refs++;
	return ifs;
}

void ifaces_unref(struct ifaces *ifs)
{
	if (ifs && !--ifs->refs)
		free(ifs);
}

int ifaces_port(struct ifaces *ifs, uint16_t port, const uint8_t mac[6], uint16_t mtu,
		struct err *err)
{
	struct iface *i;

	if (port >= ifs->ports)
		return err_set(err, -EINVAL, "port %u: there are %u", port, ifs->ports);
	if (!eth_mac_unicast(mac))
		return err_set(err, -EINVAL,
			       "port %u: %02x:%02x:%02x:%02x:%02x:%02x is no station's address",
			       port, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (mtu < IFACE_MTU_MIN)
		return err_set(err, -EINVAL, "port %u: MTU %u is below the %u of RFC 791", port,
			       mtu, IFACE_MTU_MIN);
	i = &ifs->iface[port];
	memcpy(i->mac, mac, 6);
	i->mac48 = eth_mac(mac);
	i->mtu = mtu;
	i->tx = port;
	i->hlen = ETH_HLEN;
	return 0;
}

void iface_make_room(struct mbuf *m, uint16_t hlen)
{
	uint16_t l3 = m->l3;

	m->l4 = (uint16_t)(m->l4 - l3 + hlen); // where it is set
	m->l3 = hlen;
	if (l3 > hlen)
		mbuf_pull(m, (uint16_t)(l3 - hlen));
	else
		mbuf_prepend(m, (uint16_t)(hlen - l3));
}

void iface_put_eth(const struct iface *i, struct mbuf *m, const uint8_t to[6], uint16_t type)
{
	uint8_t *p;

	if (m->l3 != i->hlen)
		iface_make_room(m, i->hlen);
	p = m->data;
	memcpy(p, to, 6);
	memcpy(p + 6, i->mac, 6);
	memcpy(p + 12, i->tag, i->hlen - ETH_HLEN);
	store16(p + i->hlen - 2, be16(type));
}
