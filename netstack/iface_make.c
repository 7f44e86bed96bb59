// SPDX-License-Identifier: BSD-3-Clause
// iface_make.c - interfaces made of others: VLANs, groups, bridges
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/bridge.h"
#include "netstack/group.h"
#include "netstack/iface.h"
#include "netstack/vlan.h"

static const char *const kinds[] = {"port", "VLAN", "group", "bridge"};

static const char *name_of(const struct ifaces *ifs, uint16_t i)
{
	return ifs->iface[i].name;
}

// The next interface, not yet counted. NULL: no room, or its MTU or MAC address is wrong. `most` is
// the largest MTU, and the usual one; mac0 the usual address.
static struct iface *next(struct ifaces *ifs, enum iface_kind kind, uint16_t mtu, unsigned most,
			  const uint8_t *mac, const uint8_t *mac0, struct err *err, int *rc)
{
	struct iface *i = &ifs->iface[ifs->n];

	*rc = -EINVAL;
	if (ifs->n >= ifs->room) {
		*rc = err_set(err, -ENOSPC, "no room for more than %u interfaces", ifs->room);
		return NULL;
	}
	if (kind != IFACE_VLAN && ifs->outs >= IFACE_OUTS_MAX) {
		*rc = err_set(err, -ENOSPC, "more than %u ports, groups and bridges",
			      IFACE_OUTS_MAX);
		return NULL;
	}
	if (mac && !eth_mac_unicast(mac)) {
		err_set(err, -EINVAL, "%s: %02x:%02x:%02x:%02x:%02x:%02x is no station's address",
			kinds[kind], mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		return NULL;
	}
	mtu = mtu ? mtu : (uint16_t)most;
	if (mtu < IFACE_MTU_MIN || mtu > most) {
		err_set(err, -EINVAL,
			"%s: MTU %u is not between %u and %u, which is the largest that "
			"what it is made of can carry",
			kinds[kind], mtu, IFACE_MTU_MIN, most);
		return NULL;
	}
	*i = (struct iface){.kind = (uint8_t)kind,
			    .mtu = mtu,
			    .hlen = ETH_HLEN,
			    .admin = true,
			    .link = true,
			    .up = true,
			    .live = true,
			    .match48 = IFACE_NO_MATCH,
			    .group = IFACE_NONE,
			    .bridge = IFACE_NONE,
			    .parent = IFACE_NONE};
	memcpy(i->mac, mac ? mac : mac0, 6);
	i->mac48 = eth_mac(i->mac);
	return i;
}

// It is complete: counted, named for the time being, and its state worked out.
static int enter(struct ifaces *ifs, struct iface *i)
{
	uint16_t k = (uint16_t)ifs->n++;

	snprintf(i->name, sizeof(i->name), "%s%u", kinds[i->kind], k);
	ifaces_set_up(ifs, k, true);
	return k;
}

static int vlan_check(const struct ifaces *ifs, uint16_t parent, const uint16_t *vid, unsigned n,
		      struct err *err)
{
	const struct iface *p = &ifs->iface[parent];

	if (parent >= ifs->n)
		return err_set(err, -EINVAL, "a VLAN of interface %u: there are %u so far", parent,
			       ifs->n);
	if (p->kind != IFACE_PORT && p->kind != IFACE_GROUP)
		return err_set(err, -EINVAL, "%s is a %s: VLANs are of ports and groups", p->name,
			       kinds[p->kind]);
	if (p->group != IFACE_NONE)
		return err_set(err, -EINVAL, "%s is a member of group %s: the VLAN has to be of %s",
			       p->name, name_of(ifs, p->group), name_of(ifs, p->group));
	if (n < 1 || n > IFACE_TAGS_MAX)
		return err_set(err, -EINVAL, "a VLAN of %s under %u tags: 1 or %u", p->name, n,
			       IFACE_TAGS_MAX);
	for (unsigned k = 0; k < n; k++)
		if (vid[k] < 1 || vid[k] > 4094) // 802.1Q, table 9-2
			return err_set(err, -EINVAL, "VLAN %u of %s: VLANs are 1 to 4094", vid[k],
				       p->name);
	return 0;
}

static void put_tags(struct iface *i, const uint16_t *vid, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		store16(i->tag + 4 * k, be16(n == 2 && !k ? ETH_TYPE_QINQ : ETH_TYPE_VLAN));
		store16(i->tag + 4 * k + 2, be16(vid[k]));
		i->vid[k] = vid[k];
	}
	i->hlen = (uint8_t)(ETH_HLEN + 4 * n);
}

int ifaces_vlan(struct ifaces *ifs, uint16_t parent, const uint16_t *vid, unsigned n, uint16_t mtu,
		const uint8_t mac[6], struct err *err)
{
	struct iface *p = &ifs->iface[parent], *i;
	int rc = vlan_check(ifs, parent, vid, n, err);

	if (rc)
		return rc;
	i = next(ifs, IFACE_VLAN, mtu, p->mtu - 4 * (n - 1), mac, p->mac, err, &rc);
	if (!i)
		return rc;
	i->parent = parent;
	i->tx = p->tx;
	put_tags(i, vid, n);
	rc = vlan_map_add(&p->vlans, vid, n, (uint16_t)ifs->n);
	if (rc == -EEXIST && n > 1)
		return err_set(err, rc, "VLAN %u in %u of %s is an interface already", vid[1],
			       vid[0], p->name);
	if (rc == -EEXIST)
		return err_set(err, rc, "VLAN %u of %s is an interface already", vid[0], p->name);
	if (rc)
		return err_set(err, rc, "no memory for the VLANs of %s", p->name);
	return enter(ifs, i);
}

// That each is there, of a kind that `what` may have, and nobody else's; gives the least MTU.
static int members_check(const struct ifaces *ifs, const uint16_t *member, unsigned n, unsigned max,
			 enum iface_kind what, uint16_t *mtu, struct err *err)
{
	if (n < 1 || n > max)
		return err_set(err, -EINVAL, "a %s of %u members: 1 to %u are possible",
			       kinds[what], n, max);
	*mtu = UINT16_MAX;
	for (unsigned k = 0; k < n; k++) {
		const struct iface *i = &ifs->iface[member[k]];
		uint16_t owner;

		if (member[k] >= ifs->n)
			return err_set(err, -EINVAL, "a %s of interface %u: there are %u so far",
				       kinds[what], member[k], ifs->n);
		if (what == IFACE_GROUP ? i->kind != IFACE_PORT : i->kind == IFACE_BRIDGE)
			return err_set(err, -EINVAL, "%s is a %s: it cannot be in a %s", i->name,
				       kinds[i->kind], kinds[what]);
		if (what == IFACE_GROUP && i->vlans)
			return err_set(
				err, -EINVAL,
				"%s has VLANs: those of a member of a group have to be of the "
				"group",
				i->name);
		owner = i->group != IFACE_NONE ? i->group : i->bridge;
		if (owner != IFACE_NONE)
			return err_set(err, -EBUSY, "%s is a member of %s already", i->name,
				       name_of(ifs, owner));
		for (unsigned j = 0; j < k; j++)
			if (member[j] == member[k])
				return err_set(err, -EBUSY, "%s is named twice", i->name);
		*mtu = i->mtu < *mtu ? i->mtu : *mtu;
	}
	return 0;
}

int ifaces_group(struct ifaces *ifs, const uint16_t *member, unsigned n, uint16_t mtu,
		 const uint8_t mac[6], struct err *err)
{
	uint16_t most, self = (uint16_t)ifs->n;
	struct iface *i;
	int rc = members_check(ifs, member, n, GROUP_MEMBERS_MAX, IFACE_GROUP, &most, err);

	if (rc)
		return rc;
	i = next(ifs, IFACE_GROUP, mtu, most, mac, ifs->iface[member[0]].mac, err, &rc);
	if (!i)
		return rc;
	i->members = group_create(member, n);
	if (!i->members)
		return err_set(err, -ENOMEM, "no memory for a group");
	i->tx = (uint16_t)ifs->outs++;
	for (unsigned k = 0; k < n; k++)
		ifs->iface[member[k]].group = self;
	return enter(ifs, i);
}

int ifaces_bridge(struct ifaces *ifs, const uint16_t *member, unsigned n,
		  const struct bridge_conf *conf, uint16_t mtu, const uint8_t mac[6],
		  struct err *err)
{
	uint16_t most, self = (uint16_t)ifs->n;
	struct iface *i;
	int rc = members_check(ifs, member, n, BRIDGE_MEMBERS_MAX, IFACE_BRIDGE, &most, err);

	if (rc)
		return rc;
	i = next(ifs, IFACE_BRIDGE, mtu, most, mac, ifs->iface[member[0]].mac, err, &rc);
	if (!i)
		return rc;
	i->domain = bridge_create(self, member, n, conf, err);
	if (!i->domain)
		return -EINVAL;
	i->tx = (uint16_t)ifs->outs++;
	for (unsigned k = 0; k < n; k++)
		ifs->iface[member[k]].bridge = self;
	return enter(ifs, i);
}
