// SPDX-License-Identifier: BSD-3-Clause
// config_params.c - read a router's limits and services: icmp, arp, nd, reassembly, services
#include <string.h>

#include "apps/tool/config_internal.h"

static struct blob_params *params(void *arg)
{
	return &((struct config_reader *)arg)->c->params;
}

static void read_icmp_rate(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 1000000, &params(arg)->icmp_rate);
}

static void read_icmp_burst(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 1000000, &params(arg)->icmp_burst);
}

void config_read_icmp(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"rate", false, read_icmp_rate},
		{"burst", false, read_icmp_burst},
		{0},
	};

	ydoc_map(y, node, "icmp", keys, arg);
}

static void read_arp_timeout(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 86400, &params(arg)->arp_timeout);
}

static void read_arp_hold(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 256, &params(arg)->arp_hold);
}

void config_read_arp(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"timeout", false, read_arp_timeout},
		{"hold", false, read_arp_hold},
		{0},
	};

	ydoc_map(y, node, "arp", keys, arg);
}

static void read_nd_reachable(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 3600, &params(arg)->nd_reachable);
}

static void read_nd_hold(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 256, &params(arg)->nd_hold);
}

static void read_nd_dad(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 0, 10, &params(arg)->nd_dad);
}

void config_read_nd(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"reachable", false, read_nd_reachable},
		{"hold", false, read_nd_hold},
		{"dad", false, read_nd_dad},
		{0},
	};

	ydoc_map(y, node, "nd", keys, arg);
}

static void read_reass_packets(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 16, 1u << 20, &params(arg)->reass_packets);
}

static void read_reass_timeout(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, 120, &params(arg)->reass_timeout);
}

static void read_reass_virtual(struct ydoc *y, yaml_node_t *node, void *arg)
{
	bool on;

	if (config_switch(y, node, &on) && on)
		params(arg)->reass_flags |= BLOB_REASS_VIRTUAL;
}

void config_read_reassembly(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"packets", false, read_reass_packets},
		{"timeout", false, read_reass_timeout},
		{"virtual", false, read_reass_virtual},
		{0},
	};

	ydoc_map(y, node, "reassembly", keys, arg);
}

static void read_udp_port(struct ydoc *y, yaml_node_t *node, uint16_t *port)
{
	uint32_t v;

	if (ydoc_u32(y, node, 1, 65535, &v))
		*port = (uint16_t)v;
}

static void read_echo(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_udp_port(y, node, &params(arg)->echo_port);
}

static void read_twamp(struct ydoc *y, yaml_node_t *node, void *arg)
{
	read_udp_port(y, node, &params(arg)->twamp_port);
}

void config_read_services(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"echo", false, read_echo},
		{"twamp", false, read_twamp},
		{0},
	};
	struct blob_params *p = params(arg);

	ydoc_map(y, node, "services", keys, arg);
	if (p->echo_port && p->echo_port == p->twamp_port)
		ydoc_error(y, node, "expected two different UDP ports");
}
