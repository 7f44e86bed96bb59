// SPDX-License-Identifier: BSD-3-Clause
// config_routes.c - read the list routes
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

struct route_reader {
	struct config_reader *r;
	struct config_route route;
	struct config_path path[BLOB_PATHS_MAX];
	unsigned paths;
	yaml_node_t *to, *via, *type, *file, *iface;
	int index;    // of the interface
	uint8_t kind; // enum blob_hop_kind
	bool bad;
};

const char *config_prefix_fault(const char *s, struct config_route *route)
{
	union ip_addr net;

	if (!ip_parse_prefix(s, &route->family, &route->prefix, &route->plen))
		return "expected a prefix like 198.51.100.0/24 or 2001:db8::/32";
	net = ip_mask(&route->prefix, route->family, route->plen);
	if (!ip_addr_equal(&net, &route->prefix))
		return "expected a prefix without host bits";
	if (route->family == 6 && route->plen && (route->prefix.v6[0] == 0xff || ip6_is_link_local(&net)))
		return "expected a prefix that is routed: not multicast, not link-local";
	return NULL;
}

void config_route_add(struct config *c, const struct config_route *route)
{
	c->routes = array_add(c->routes, &c->n_routes, &c->room_routes, sizeof(*c->routes));
	c->routes[c->n_routes - 1] = *route;
}

static void read_to(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct route_reader *p = arg;
	const char *s = ydoc_text(y, node, "a prefix like 198.51.100.0/24");
	const char *fault = s ? config_prefix_fault(s, &p->route) : NULL;

	p->to = node;
	if (fault)
		ydoc_error(y, node, "%s", fault);
	p->bad |= !s || fault;
}

static void read_vrf(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct route_reader *p = arg;
	int vrf = config_vrf_ref(p->r, node);

	p->bad |= vrf < 0;
	p->route.vrf = (uint8_t)(vrf < 0 ? 0 : vrf);
}

static void read_interface(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct route_reader *p = arg;

	p->iface = node;
	p->index = config_iface_ref(p->r, node);
	p->bad |= p->index < 0;
}

static void read_type(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const char *const kinds[BLOB_HOP_KINDS] = {
		[BLOB_HOP_VIA] = "via",
		[BLOB_HOP_BLACKHOLE] = "blackhole",
		[BLOB_HOP_UNREACHABLE] = "unreachable",
		[BLOB_HOP_PROHIBIT] = "prohibit",
	};
	struct route_reader *p = arg;
	const char *s = ydoc_text(y, node, "blackhole, unreachable or prohibit");

	p->type = node;
	for (p->kind = 1; s && p->kind < BLOB_HOP_KINDS && strcmp(s, kinds[p->kind]); p->kind++)
		;
	if (s && p->kind == BLOB_HOP_KINDS)
		ydoc_error(y, node, "expected blackhole, unreachable or prohibit");
	p->bad |= !s || p->kind == BLOB_HOP_KINDS;
}

// --- via: ADDRESS, or a list of ADDRESS and {address: …, interface: …, weight: …} ---

struct path_reader {
	struct route_reader *route;
	struct config_path *path;
};

static void read_address(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct path_reader *p = arg;
	struct blob_path *b = &p->path->blob;
	union ip_addr via;

	p->path->place = config_place(y, node);
	if (!config_ip(y, node, &b->family, &via)) {
		p->route->bad = true;
		return;
	}
	memcpy(b->via, &via, 16);
	if (p->route->to && !p->route->bad && b->family != p->route->route.family) {
		ydoc_error(y, node, "expected a next hop of the prefix's own family");
		p->route->bad = true;
	}
}

static void read_weight(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct path_reader *p = arg;
	uint32_t v = 1;

	p->route->bad |= !ydoc_u32(y, node, 1, 255, &v);
	p->path->blob.weight = (uint8_t)v;
}

static void read_path_interface(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct path_reader *p = arg;
	int index = config_iface_ref(p->route->r, node);

	p->route->bad |= index < 0;
	p->path->blob.iface = (uint16_t)index;
}

static void read_path(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"address", true, read_address},
		{"interface", false, read_path_interface},
		{"weight", false, read_weight},
		{0},
	};
	struct route_reader *r = arg;
	struct path_reader p = {r, &r->path[r->paths]};

	if (r->paths == BLOB_PATHS_MAX) {
		ydoc_error(y, node, "expected at most %u next hops of a route", BLOB_PATHS_MAX);
		r->bad = true;
		return;
	}
	*p.path = (struct config_path){.blob = {.iface = BLOB_IFACE_ANY, .weight = 1}};
	if (node->type != YAML_MAPPING_NODE) {
		read_address(y, node, &p);
	} else {
		ydoc_map(y, node, "a next hop", keys, &p);
		r->bad |= !p.path->blob.family;
	}
	r->paths++;
}

static void read_via(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct route_reader *p = arg;

	p->via = node;
	if (node->type != YAML_SEQUENCE_NODE) {
		read_path(y, node, arg);
		return;
	}
	ydoc_list(y, node, "next hops", read_path, arg);
	if (!p->paths)
		ydoc_error(y, node, "expected at least one next hop");
	p->bad |= !p->paths;
}

static void read_file(struct ydoc *y, yaml_node_t *node, void *arg)
{
	((struct route_reader *)arg)->file = node;
}

static void finish(struct route_reader *p, struct ydoc *y, yaml_node_t *node)
{
	int hop;

	for (unsigned i = 0; i < p->paths && p->iface; i++)
		if (p->path[i].blob.iface == BLOB_IFACE_ANY)
			p->path[i].blob.iface = (uint16_t)p->index;
	hop = config_hop(p->r->c, p->route.vrf, p->kind, p->path, p->paths);
	if (hop < 0) {
		ydoc_error(y, p->via ? p->via : node, "expected at most %u different next hops",
			   BLOB_HOPS_MAX);
		return;
	}
	p->route.hop = (uint32_t)hop;
	p->route.place = config_place(y, p->to);
	config_route_add(p->r->c, &p->route);
}

static void read_route(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"to", false, read_to},
		{"vrf", false, read_vrf},
		{"via", false, read_via},
		{"interface", false, read_interface},
		{"type", false, read_type},
		{"file", false, read_file},
		{0},
	};
	struct route_reader p = {.r = arg};

	ydoc_map(y, node, "a route", keys, &p);
	if (node->type != YAML_MAPPING_NODE)
		return;
	if (p.file && !p.to && !p.via && !p.type && !p.iface)
		config_read_route_file(p.r, p.file, p.route.vrf);
	else if (p.file || !p.to || !p.via == !p.type || (p.type && p.iface))
		ydoc_error(y, node, "expected a route {to: PREFIX, via: ADDRESS}, {to: PREFIX, type: "
				    "blackhole} or {file: NAME}");
	else if (!p.bad)
		finish(&p, y, node);
}

void config_read_routes(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "routes like {to: PREFIX, via: ADDRESS}", read_route, arg);
}
