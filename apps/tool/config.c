// SPDX-License-Identifier: BSD-3-Clause
// config.c - read a configuration file: the top level
#include "apps/tool/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"
#include "pmd/port.h"

#define YAML_MAX    (16u << 20)
#define RX_SIZE_MAX 1024u // what is asked of a device unless rx_size says less
#define MBUFS_MORE  1024u // under way, beside those that fill the receive rings

struct config_place config_place(const struct ydoc *y, const yaml_node_t *node)
{
	return (struct config_place){y->file, node->start_mark.line + 1,
				     node->start_mark.column + 1};
}

static void read_version(struct ydoc *y, yaml_node_t *node, void *arg)
{
	uint32_t v;

	ydoc_u32(y, node, 1, 1, &v);
}

static const char *const functions[] = {"router", "patch", "pktgen", "replay", "impair"};
#define FUNCTIONS (sizeof(functions) / sizeof(*functions))

static void read_function(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config *c = ((struct config_reader *)arg)->c;
	const char *s = ydoc_text(y, node, "a function");
	char list[80] = "";
	size_t i, n = 0;

	for (i = 0; s && i < FUNCTIONS && strcmp(s, functions[i]); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", functions[i]);
	if (s && i == FUNCTIONS) {
		ydoc_error(y, node, "expected a function: %s", list);
	} else if (s) {
		strcpy(c->function, s);
		c->has_function = true;
	}
}

static void read_lcores(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config *c = ((struct config_reader *)arg)->c;

	ydoc_u32(y, node, 1, PORT_QUEUES_MAX, &c->params.lcores);
}

static void read_burst(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 64, &((struct config_reader *)arg)->c->params.burst);
}

static void read_mbufs(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config *c = ((struct config_reader *)arg)->c;
	uint32_t least = MBUFS_MORE;
	size_t i;

	// A port whose receive ring gets no buffers is deaf.
	least *= c->params.lcores;
	for (i = 0; i < c->n_ports; i++) {
		const struct blob_port *p = &c->ports[i].blob;

		least += (p->rx_size ? p->rx_size : RX_SIZE_MAX) *
			 (p->queues ? p->queues : c->params.lcores);
	}
	ydoc_u32(y, node, least, 1u << 22, &c->params.mbufs);
}

// At least what a few empty polls take; at most a second, as anything longer hardly ever sleeps.
static void read_idle(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct config *c = ((struct config_reader *)arg)->c;
	const char *expected = "off, or 1 to 1000000 microseconds";
	const char *s = ydoc_text(y, node, expected);

	if (s && !strcmp(s, "off"))
		c->params.idle_us = BLOB_IDLE_NEVER;
	else if (s && !text_number(s, 1, 1000000, &c->params.idle_us))
		ydoc_error(y, node, "expected %s", expected);
}

// In this order: what is named before what names it.
static const struct ydoc_key top_keys[] = {
	{"version", true, read_version},
	{"function", true, read_function},
	{"lcores", false, read_lcores},
	{"vrfs", false, config_read_vrfs},
	{"ports", true, config_read_ports},
	{"interfaces", false, config_read_interfaces},
	{"routes", false, config_read_routes},
	{"neighbors", false, config_read_neighbors},
	{"patches", false, config_read_patches},
	{"impairments", false, config_read_impairments},
	{"replay", false, config_read_replay},
	{"icmp", false, config_read_icmp},
	{"arp", false, config_read_arp},
	{"nd", false, config_read_nd},
	{"reassembly", false, config_read_reassembly},
	{"services", false, config_read_services},
	{"burst", false, read_burst},
	{"idle", false, read_idle},
	{"mbufs", false, read_mbufs},
	{"streams", false, config_read_streams},
	{0},
};

static bool routes_anything(const struct config *c)
{
	const struct blob_params *p = &c->params;

	return c->n_addrs || c->n_routes || c->n_neighbors || c->n_vrfs || c->n_ifaces > c->n_ports ||
	       p->icmp_rate || p->icmp_burst || p->arp_timeout || p->arp_hold || p->nd_reachable ||
	       p->nd_hold || p->reass_packets || p->reass_timeout || p->reass_flags || p->echo_port ||
	       p->twamp_port;
}

// A port of a router is of some use: it has an address, or something is made of it.
static void check_use(struct config_reader *r, const struct config_iface *i)
{
	if (!i->has_address && !i->member && !i->parent && i->blob.kind != BLOB_IFACE_BRIDGE)
		diag_add(r->y->diags, i->place.file, i->place.line, i->place.column, i->name,
			 "expected addresses: [ADDRESS/LENGTH], or an interface made of it (a VLAN, a "
			 "group, a bridge)");
	if (i->has_address && i->member)
		diag_add(r->y->diags, i->place.file, i->place.line, i->place.column, i->name,
			 "expected no addresses: it belongs to a group or bridge, which may have some");
}

static void check_pktgen(struct config_reader *r)
{
	struct config *c = r->c;

	if (!c->has_streams)
		ydoc_error(r->y, ydoc_root(r->y), "expected key streams: {NAME: {to: ADDRESS, …}, …} in pktgen");
	if (c->n_vrfs || c->n_ifaces > c->n_ports)
		ydoc_error(r->y, ydoc_root(r->y), "interfaces and vrfs belong to function router, not pktgen: a "
						  "stream's layers say its VLANs");
}

static void check_function(struct config_reader *r)
{
	struct config *c = r->c;
	bool router = !strcmp(c->function, "router"), patch = !strcmp(c->function, "patch");
	bool replay = !strcmp(c->function, "replay"), impair = !strcmp(c->function, "impair");

	if (!c->has_function)
		return;
	if (patch && !c->n_patches)
		ydoc_error(r->y, ydoc_root(r->y), "expected key patches: "
						  "[{from: PORT, to: PORT}, …] in a patch");
	if (impair && !c->n_impairs)
		ydoc_error(r->y, ydoc_root(r->y), "expected key impairments: [{from: PORT, to: PORT, delay: 50us}, …]");
	if (!impair && c->n_impairs)
		ydoc_error(r->y, ydoc_root(r->y), "impairments belong to function impair, not %s", c->function);
	if (!patch && c->n_patches > c->n_impairs)
		ydoc_error(r->y, ydoc_root(r->y), "patches belong to function patch, not %s", c->function);
	if (!replay && c->replay.given)
		ydoc_error(r->y, ydoc_root(r->y), "replay belongs to function replay, not %s", c->function);
	if (replay && !c->replay.given)
		ydoc_error(r->y, ydoc_root(r->y), "expected key replay: {captures: [{file: FILE, to: PORT}]}");
	if ((patch || replay || impair) && routes_anything(c))
		ydoc_error(r->y, ydoc_root(r->y),
			   "addresses, interfaces, vrfs, routes, neighbors, icmp, arp, nd, reassembly "
			   "and services belong to function router, not %s",
			   c->function);
	for (size_t i = 0; router && i < c->n_ifaces; i++)
		check_use(r, &c->ifaces[i]);
	if (!strcmp(c->function, "pktgen"))
		check_pktgen(r);
	else if (c->has_streams)
		ydoc_error(r->y, ydoc_root(r->y), "streams belong to function pktgen, not %s", c->function);
}

bool config_parse(struct config *c, const char *path, const char *text, size_t len,
		  bool allow_files, struct diags *diags)
{
	struct ydoc y;
	struct config_reader r = {c, &y, path, allow_files};

	*c = (struct config){.params = {.lcores = 1, .nd_dad = 1}};
	if (!ydoc_parse(&y, path, text, len, diags))
		return false;
	ydoc_map(&y, ydoc_root(&y), "a configuration", top_keys, &r);
	check_function(&r);
	config_check_routes(c, diags);
	config_check_streams(&r);
	ydoc_free(&y);
	return !diags->total;
}

bool config_load(struct config *c, const char *path, struct diags *diags)
{
	struct err err;
	size_t len;
	char *text = file_read(path, YAML_MAX, &len, &err);
	bool ok;

	*c = (struct config){0};
	if (!text) {
		// file_read names the file; so does a diag.
		diag_add(diags, path, 0, 0, NULL, "%s", err.text + strlen(path) + 2);
		return false;
	}
	ok = config_parse(c, path, text, len, true, diags);
	free(text);
	return ok;
}

void config_free(struct config *c)
{
	size_t i;

	for (i = 0; i < c->n_ports; i++) {
		free(c->ports[i].name);
		free(c->ports[i].driver);
		free(c->ports[i].args);
	}
	config_streams_free(c);
	for (i = 0; i < c->n_files; i++)
		free(c->files[i]);
	for (i = 0; i < c->n_ifaces; i++)
		free(c->ifaces[i].name);
	for (i = 0; i < c->n_vrfs; i++)
		free(c->vrfs[i]);
	replay_conf_free(&c->replay);
	free(c->ifaces);
	free(c->members);
	free(c->vrfs);
	free(c->paths);
	free(c->hops);
	free(c->hop_slots);
	free(c->ports);
	free(c->addrs);
	free(c->routes);
	free(c->neighbors);
	free(c->patches);
	free(c->impairs);
	free(c->files);
	*c = (struct config){0};
}
