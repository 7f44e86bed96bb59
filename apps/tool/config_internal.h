// SPDX-License-Identifier: BSD-3-Clause
// config_internal.h - what the parts of the configuration compiler share
#ifndef WEIR_APPS_TOOL_CONFIG_INTERNAL_H
#define WEIR_APPS_TOOL_CONFIG_INTERNAL_H

#include "apps/tool/config.h"
#include "apps/tool/ydoc.h"

struct config_reader {
	struct config *c;
	struct ydoc *y;
	const char *path;
	bool allow_files;
};

// Readers for ydoc_key tables; arg is a struct config_reader.
void config_read_vrfs(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_ports(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_interfaces(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_routes(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_neighbors(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_patches(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_impairments(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_streams(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_replay(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_icmp(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_arp(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_nd(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_reassembly(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_services(struct ydoc *y, yaml_node_t *node, void *arg);

// One that `reader`s of an interface's keys get.
struct iface_reader {
	struct config_reader *r;
	uint16_t index; // in c->ifaces
};

// Adds an interface (named, kind set) and gives its index; -1 after a diag at `key`.
int config_iface_add(struct config_reader *r, yaml_node_t *key, const char *what, uint8_t kind);

// Readers of the keys that ports and other interfaces share; arg begins with a struct iface_reader.
void config_iface_addresses(struct ydoc *y, yaml_node_t *node, void *arg);
void config_iface_vrf(struct ydoc *y, yaml_node_t *node, void *arg);
void config_iface_urpf(struct ydoc *y, yaml_node_t *node, void *arg);
void config_iface_redirects(struct ydoc *y, yaml_node_t *node, void *arg);
void config_iface_broadcasts(struct ydoc *y, yaml_node_t *node, void *arg);
void config_iface_ra(struct ydoc *y, yaml_node_t *node, void *arg);

// A MAC address, an address of either family; "on" or "off"; false after a diag at the node.
bool config_mac(struct ydoc *y, yaml_node_t *node, uint8_t mac[6]);
bool config_ip(struct ydoc *y, yaml_node_t *node, uint8_t *family, union ip_addr *addr);
bool config_switch(struct ydoc *y, yaml_node_t *node, bool *on);

// Adds a patch; false after a diag at node: there is one from that port.
bool config_patch_add(struct config_reader *r, yaml_node_t *node, int from, int to);

// The value of a port's key "offloads".
void config_offloads(struct ydoc *y, yaml_node_t *node, struct blob_port *port);

// The port (the interface) named by a scalar; -1 after a diag that lists those there are.
int config_port_ref(struct config_reader *r, yaml_node_t *node);
int config_iface_ref(struct config_reader *r, yaml_node_t *node);

// The number of the VRF named by a scalar; -1 after a diag.
int config_vrf_ref(struct config_reader *r, yaml_node_t *node);

struct config_place config_place(const struct ydoc *y, const yaml_node_t *node);

// The interface of a VRF on whose network a next hop or neighbor of this address is: -1 and, in *fault, what was
// expected of it (a host, not the router itself), or NULL when it is on none.
int config_onlink(const struct config *c, uint8_t vrf, uint8_t family, const union ip_addr *addr,
		  const char **fault);

// The number of the hop with these paths (kind VIA: 1 and more), made when it is new. -1: too many.
int config_hop(struct config *c, uint8_t vrf, uint8_t kind, const struct config_path *paths, unsigned n);

// Adds a route whose hop is there.
void config_route_add(struct config *c, const struct config_route *route);

// NULL when s is a proper prefix to route, else what was expected.
const char *config_prefix_fault(const char *s, struct config_route *route);

// A file named in YAML is relative to the YAML file's folder. The caller frees the name.
char *config_beside(const char *path, const char *name);

// Route files and the table as a whole (config_route_file.c, config_table.c).
void config_read_route_file(struct config_reader *r, yaml_node_t *node, uint8_t vrf);
void config_check_routes(struct config *c, struct diags *diags);

// The route to addr: the longest prefix, once routes were checked. NULL: none.
const struct config_route *config_route_find(const struct config *c, uint8_t vrf, uint8_t family,
					     const union ip_addr *addr);

#define CONFIG_ROUTES_MAX (1u << 22)

#endif
