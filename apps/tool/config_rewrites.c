// SPDX-License-Identifier: BSD-3-Clause
// config_rewrites.c - read replay's rewrite: what is changed in packets before they are sent
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_replay.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

struct rewrite_reader {
	struct config_reader *r;
	struct replay_rewrite *w;
};

static struct replay_rewrite *rewrite(void *arg)
{
	return ((struct rewrite_reader *)arg)->w;
}

static void read_port(struct ydoc *y, yaml_node_t *node, void *arg)
{
	int port = config_port_ref(((struct rewrite_reader *)arg)->r, node);

	rewrite(arg)->any_port = false;
	rewrite(arg)->port = (uint16_t)(port < 0 ? 0 : port);
}

static void read_src_mac(struct ydoc *y, yaml_node_t *node, void *arg)
{
	rewrite(arg)->has_src_mac = config_mac(y, node, rewrite(arg)->src_mac);
}

// A group may be sent to.
static void read_dst_mac(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "a MAC address");

	rewrite(arg)->has_dst_mac = s && ip_parse_mac(s, rewrite(arg)->dst_mac);
	if (s && !rewrite(arg)->has_dst_mac)
		ydoc_error(y, node, "expected a MAC address");
}

static void read_vlan(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "none, or 1 to 4094");
	unsigned vid = 0;

	if (s && strcmp(s, "none") && !text_number(s, 1, 4094, &vid))
		ydoc_error(y, node, "expected none, or 1 to 4094");
	rewrite(arg)->vlan = (uint16_t)vid;
}

static struct replay_map *add_map(struct replay_rewrite *w)
{
	w->maps = array_add(w->maps, &w->n_maps, &w->room_maps, sizeof(*w->maps));
	return &w->maps[w->n_maps - 1];
}

static void read_address(struct ydoc *y, yaml_node_t *key, yaml_node_t *value, void *arg)
{
	const char *from = ydoc_text(y, key, "a prefix"), *to = ydoc_text(y, value, "a prefix");
	struct replay_map m = {0};
	uint8_t family, plen;

	if (!from || !to)
		return;
	if (!ip_parse_prefix(from, &m.family, &m.from, &m.plen))
		ydoc_error(y, key, "expected a prefix, ADDRESS/LENGTH");
	else if (!ip_parse_prefix(to, &family, &m.to, &plen) || family != m.family || plen != m.plen)
		ydoc_error(y, value, "expected a prefix of the same family and length, /%u", m.plen);
	else
		*add_map(rewrite(arg)) = m;
}

static void read_addresses(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_names(y, node, "prefixes like 10.0.0.0/8: 192.0.0.0/8", read_address, arg);
}

static void read_l4_port(struct ydoc *y, yaml_node_t *key, yaml_node_t *value, void *arg)
{
	uint32_t from, to;

	if (ydoc_u32(y, key, 0, 65535, &from) && ydoc_u32(y, value, 0, 65535, &to))
		*add_map(rewrite(arg)) = (struct replay_map){.port_from = (uint16_t)from, .port_to = (uint16_t)to};
}

static void read_l4_ports(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_names(y, node, "ports like 80: 8080", read_l4_port, arg);
}

static void read_ttl(struct ydoc *y, yaml_node_t *node, void *arg)
{
	const char *s = ydoc_text(y, node, "1 to 255, +N or -N");
	struct replay_rewrite *w = rewrite(arg);
	unsigned n = 0;

	if (!s)
		return;
	w->ttl_kind = *s == '+' || *s == '-' ? 2 : 1;
	if (!text_number(s + (w->ttl_kind == 2), 1, 255, &n))
		ydoc_error(y, node, "expected 1 to 255, or +N or -N to change it by");
	w->ttl = *s == '-' ? -(int)n : (int)n;
}

static void read_rewrite(struct ydoc *y, yaml_node_t *node, void *arg)
{
	static const struct ydoc_key keys[] = {
		{"port", false, read_port},	      {"src_mac", false, read_src_mac},
		{"dst_mac", false, read_dst_mac},     {"vlan", false, read_vlan},
		{"addresses", false, read_addresses}, {"ports", false, read_l4_ports},
		{"ttl", false, read_ttl},	      {0},
	};
	struct replay_conf *r = config_replay(arg);
	struct rewrite_reader w = {.r = arg};

	r->rewrites = array_add(r->rewrites, &r->n_rewrites, &r->room_rewrites, sizeof(*r->rewrites));
	w.w = &r->rewrites[r->n_rewrites - 1];
	w.w->any_port = true;
	w.w->vlan = REPLAY_VLAN_KEEP;
	ydoc_map(y, node, "a rewrite", keys, &w);
}

void config_read_rewrites(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "rewrites like {port: PORT, dst_mac: MAC}", read_rewrite, arg);
}
