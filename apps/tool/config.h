// SPDX-License-Identifier: BSD-3-Clause
// config.h - a configuration file read, checked and compiled into a blob
#ifndef WEIR_APPS_TOOL_CONFIG_H
#define WEIR_APPS_TOOL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/tool/diag.h"
#include "apps/tool/replay_conf.h"
#include "core/blob.h"
#include "netstack/ip.h"

struct config_place { // where something was said
	const char *file;
	size_t line, column;
};

struct config_port {
	char *name, *driver, *args;
	struct blob_port blob; // strings not yet placed
	struct config_place place;
};

struct config_iface { // of a port, at the port's index, and what is made of ports
	char *name;
	struct blob_iface blob; // name not yet placed
	struct config_place place;
	bool has_address; // was given one, right or wrong
	bool member;	  // of a group or a bridge
	bool parent;	  // of a VLAN
};

struct config_route {
	union ip_addr prefix;
	struct config_place place;
	uint32_t hop; // in hops
	uint8_t family, plen;
	uint8_t vrf;
};

struct config_path {
	struct blob_path blob;
	struct config_place place; // where it was first named
};

struct config_stream; // apps/tool/config_stream.h
struct config_frames;

struct config_hop {
	struct blob_hop blob; // first: in paths
	uint8_t vrf;
};

// Growable arrays: n elements, room for more.
struct config {
	char function[16];
	bool has_function, has_streams;
	struct blob_params params;
	struct config_port *ports;
	size_t n_ports, room_ports;
	struct config_iface *ifaces;
	size_t n_ifaces, room_ifaces;
	uint16_t *members;
	size_t n_members, room_members;
	char **vrfs; // of VRF 1 and on
	size_t n_vrfs, room_vrfs;
	struct blob_addr *addrs;
	size_t n_addrs, room_addrs;
	struct config_route *routes;
	size_t n_routes, room_routes;
	struct config_path *paths;
	size_t n_paths, room_paths;
	struct config_hop *hops;
	size_t n_hops, room_hops;
	uint32_t *hop_slots; // a hash of hops: their numbers + 1
	size_t n_hop_slots;
	struct blob_neighbor *neighbors;
	size_t n_neighbors, room_neighbors;
	struct blob_patch *patches;
	size_t n_patches, room_patches;
	struct blob_impair *impairs; // of patches, same index; none: it is no function impair
	size_t n_impairs, room_impairs;
	struct config_stream *streams; // as they were said
	size_t n_streams, room_streams;
	struct config_frames *frames; // what they make; NULL: there are no streams
	struct replay_conf replay; // key replay
	char **files; // names of route files, kept for places
	size_t n_files, room_files;
};

// Reads the YAML file at path (and the route files it names) and checks all of it. What is wrong is
// added to diags. Returns true when nothing is. config_free() in either case.
bool config_load(struct config *c, const char *path, struct diags *diags);

// The same for text in memory (fuzzing, tests); path serves for messages and for finding route files,
// which are read only when allow_files.
bool config_parse(struct config *c, const char *path, const char *text, size_t len, bool allow_files,
		  struct diags *diags);
void config_free(struct config *c);

// The port called name; -1 when there is none. The same for an interface, ports included.
int config_port(const struct config *c, const char *name);
int config_iface(const struct config *c, const char *name);

// Sets a port's device string ("pcap:in.pcap,out.pcap"). 0 or -EINVAL.
int config_device(struct config_port *p, const char *device, struct err *err);

// Every stream of a configuration without errors becomes n streams of fixed length, sizes[k] (with FCS) each: stream
// i at size k is number i * n + k and is called NAME@SIZE. Can be called again with other sizes. 0, or -EINVAL and
// err, and the streams stay as they were: a size is too short for a stream's layers, say.
int config_stream_sizes(struct config *c, const uint16_t *sizes, unsigned n, struct err *err);

// The blob of a configuration without errors: *len bytes, which the caller frees.
void *config_blob(const struct config *c, size_t *len);

#endif
