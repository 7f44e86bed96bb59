// SPDX-License-Identifier: BSD-3-Clause
// ctl_print.c - routes and neighbors as people read them, and as JSON
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/tool/ctl_text.h"

static const char *address(uint8_t family, const uint8_t addr[16], char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(family == 6 ? AF_INET6 : AF_INET, addr, text, INET6_ADDRSTRLEN);
}

static const char *name(struct ctl_client *c, enum ctl_kind kind, uint16_t index)
{
	const char *n = ctl_name(c, kind, index);

	return n ? n : "?";
}

static const char *kind_text(uint8_t kind)
{
	static const char *const text[] = {
		[CTL_BLACKHOLE] = "blackhole",
		[CTL_UNREACHABLE] = "unreachable",
		[CTL_PROHIBIT] = "prohibit",
	};

	return kind < sizeof(text) / sizeof(text[0]) ? text[kind] : NULL;
}

static const char *from_text(const struct ctl_route *r)
{
	static const char *const owners[] = {NULL, "config", "ctl", "fpm"};

	if (r->op == CTL_ORIGIN_CONNECTED)
		return "connected";
	if (r->op == CTL_ORIGIN_LOCAL)
		return "local";
	return r->owner < 4 ? owners[r->owner] : NULL;
}

static void path_print(struct ctl_client *c, const struct ctl_path *p, bool several, FILE *out)
{
	static const struct ctl_path none;
	char text[INET6_ADDRSTRLEN];

	if (several)
		fprintf(out, "\n\tnexthop");
	if (memcmp(p->via, none.via, sizeof(p->via)))
		fprintf(out, " via %s", address(p->family, p->via, text));
	if (p->iface != CTL_IFACE_ANY)
		fprintf(out, " interface %s", name(c, CTL_KIND_IFACE, p->iface));
	if (several)
		fprintf(out, " weight %u", p->weight);
}

static void path_json(struct ctl_client *c, const struct ctl_path *p, FILE *out)
{
	static const struct ctl_path none;
	char text[INET6_ADDRSTRLEN];

	fprintf(out, "{\"weight\": %u", p->weight);
	if (memcmp(p->via, none.via, sizeof(p->via)))
		fprintf(out, ", \"via\": \"%s\"", address(p->family, p->via, text));
	if (p->iface != CTL_IFACE_ANY)
		fprintf(out, ", \"interface\": \"%s\"", name(c, CTL_KIND_IFACE, p->iface));
	fputc('}', out);
}

static void route_json(struct ctl_client *c, const struct ctl_route *r, const struct ctl_path *paths, FILE *out)
{
	char text[INET6_ADDRSTRLEN];

	fprintf(out, "{\"to\": \"%s/%u\", \"vrf\": \"%s\"", address(r->family, r->prefix, text), r->plen,
		name(c, CTL_KIND_VRF, r->vrf));
	if (kind_text(r->kind))
		fprintf(out, ", \"type\": \"%s\"", kind_text(r->kind));
	if (from_text(r))
		fprintf(out, ", \"from\": \"%s\"", from_text(r));
	fprintf(out, ", \"nexthops\": [");
	for (unsigned i = 0; i < r->paths; i++) {
		fputs(i ? ", " : "", out);
		path_json(c, &paths[i], out);
	}
	fputs("]}", out);
}

void route_print(struct ctl_client *c, const struct ctl_route *r, const struct ctl_path *paths, bool json,
		 FILE *out)
{
	char text[INET6_ADDRSTRLEN];

	if (json)
		return route_json(c, r, paths, out);
	if (kind_text(r->kind))
		fprintf(out, "%s ", kind_text(r->kind));
	fprintf(out, "%s/%u", address(r->family, r->prefix, text), r->plen);
	for (unsigned i = 0; i < r->paths && r->paths == 1; i++)
		path_print(c, &paths[i], false, out);
	if (r->vrf)
		fprintf(out, " vrf %s", name(c, CTL_KIND_VRF, r->vrf));
	if (from_text(r))
		fprintf(out, " from %s", from_text(r));
	for (unsigned i = 0; i < r->paths && r->paths > 1; i++)
		path_print(c, &paths[i], true, out);
	fputc('\n', out);
}

void neighbor_print(struct ctl_client *c, const struct ctl_neighbor *n, bool json, FILE *out)
{
	static const char *const states[] = {"none",  "incomplete", "reachable", "stale",
					     "delay", "probe",	    "permanent"};
	const char *state = n->state < 7 ? states[n->state] : "?";
	const uint8_t *m = n->mac;
	char text[INET6_ADDRSTRLEN], mac[18];
	bool known = m[0] | m[1] | m[2] | m[3] | m[4] | m[5];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	address(n->family, n->addr, text);
	if (json)
		fprintf(out,
			"{\"address\": \"%s\", \"interface\": \"%s\", \"mac\": \"%s\", \"state\": \"%s\", "
			"\"router\": %s, \"age_ms\": %u}",
			text, name(c, CTL_KIND_IFACE, n->iface), mac, state,
			n->flags & CTL_NEIGHBOR_ROUTER ? "true" : "false", n->age_ms);
	else
		fprintf(out, "%s interface %s%s%s %s%s, %u.%03u s\n", text,
			name(c, CTL_KIND_IFACE, n->iface), known ? " mac " : "", known ? mac : "", state,
			n->flags & CTL_NEIGHBOR_ROUTER ? " router" : "", n->age_ms / 1000, n->age_ms % 1000);
}
