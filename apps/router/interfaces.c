// SPDX-License-Identifier: BSD-3-Clause
// interfaces.c - the interfaces of a router, from its configuration
#include <errno.h>

#include "apps/router/router.h"

static const uint8_t *mac_of(const struct blob_iface *b)
{
	return b->flags & BLOB_IFACE_MAC ? b->mac : NULL;
}

static bool has_address(const struct blob *b, uint16_t iface)
{
	for (uint32_t i = 0; i < b->n_addrs; i++)
		if (b->addrs[i].iface == iface)
			return true;
	return b->ifaces[iface].flags & BLOB_IFACE_DHCP;
}

static int make_bridge(struct ifaces *ifs, const struct blob *b, uint16_t i, struct err *err)
{
	const struct blob_iface *f = &b->ifaces[i];
	struct bridge_conf conf = {.age = f->age, .macs = f->macs, .routed = has_address(b, i)};

	return ifaces_bridge(ifs, b->members + f->first, f->members, &conf, f->mtu, mac_of(f), err);
}

// Their numbers come out as they stand in the blob.
static int make(struct ifaces *ifs, const struct blob *b, uint16_t i, struct err *err)
{
	const struct blob_iface *f = &b->ifaces[i];

	switch (f->kind) {
	case BLOB_IFACE_VLAN:
		return ifaces_vlan(ifs, f->parent, f->vid, f->vid[1] ? 2 : 1, f->mtu, mac_of(f), err);
	case BLOB_IFACE_GROUP:
		return ifaces_group(ifs, b->members + f->first, f->members, f->mtu, mac_of(f), err);
	default:
		return make_bridge(ifs, b, i, err);
	}
}

static void set_options(struct iface *i, const struct blob_iface *f)
{
	static const uint8_t urpf[BLOB_URPF_KINDS] = {
		[BLOB_URPF_OFF] = IFACE_URPF_OFF,
		[BLOB_URPF_STRICT] = IFACE_URPF_STRICT,
		[BLOB_URPF_LOOSE] = IFACE_URPF_LOOSE,
	};

	i->vrf = f->vrf;
	i->urpf = urpf[f->urpf];
	i->redirects = f->flags & BLOB_IFACE_REDIRECTS;
	i->directed_broadcast = f->flags & BLOB_IFACE_BROADCASTS;
}

static int fill(struct ifaces *ifs, const struct app *app, struct err *err)
{
	const struct blob *b = &app->blob;
	int rc = 0;

	for (uint16_t i = 0; rc >= 0 && i < b->n_ifaces; i++) {
		const struct port_grant *grant = &app->port[i].grant;

		rc = i < app->ports ? ifaces_port(ifs, i, grant->mac, grant->mtu, err)
				    : make(ifs, b, i, err);
		if (rc >= 0)
			rc = ifaces_name(ifs, i, blob_str(b, b->ifaces[i].name), err);
		if (rc >= 0)
			set_options(&ifs->iface[i], &b->ifaces[i]);
	}
	return rc < 0 ? rc : 0;
}

struct ifaces *router_interfaces(const struct app *app, struct err *err)
{
	const struct blob *b = &app->blob;
	struct ifaces *ifs;

	if (b->n_ifaces < app->ports) {
		err_set(err, -EINVAL, "the configuration has no interfaces for %u ports", app->ports);
		return NULL;
	}
	ifs = ifaces_create(app->ports, b->n_ifaces - app->ports, err);
	if (ifs && fill(ifs, app, err)) {
		ifaces_unref(ifs);
		ifs = NULL;
	}
	return ifs;
}
