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
void config_read_ports(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_routes(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_neighbors(struct ydoc *y, yaml_node_t *node, void *arg);
void config_read_patches(struct ydoc *y, yaml_node_t *node, void *arg);

// Text to values, with a diag at the node.
bool config_ip4(struct ydoc *y, yaml_node_t *node, uint32_t *addr);
bool config_mac(struct ydoc *y, yaml_node_t *node, uint8_t mac[6]);

// The value of a port's key "offloads".
void config_offloads(struct ydoc *y, yaml_node_t *node, struct blob_port *port);

// The port named by a scalar; -1 after a diag that lists the ports.
int config_port_ref(struct config_reader *r, yaml_node_t *node);

struct config_place config_place(const struct ydoc *y, const yaml_node_t *node);

// RFC 1812, 5.3.7: whether a host of a network of that length can have the address (host byte order).
bool config_usable_host(uint32_t addr, uint8_t plen);

// The port by which a next hop or neighbor of this address is reached; -1 and, in *fault, what was
// expected of it: a host on the network of a port, not the router itself.
int config_neighbor_port(const struct config *c, uint32_t addr, const char **fault);

// Route files and the table as a whole (config_routes.c, config_table.c).
void config_read_route_file(struct config_reader *r, yaml_node_t *node);
void config_check_routes(struct config *c, struct diags *diags);

#define CONFIG_ROUTES_MAX (1u << 22)

#endif
