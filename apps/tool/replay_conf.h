// SPDX-License-Identifier: BSD-3-Clause
// replay_conf.h - what a configuration of function replay says: which captures, by which ports, changed how
#ifndef WEIR_APPS_TOOL_REPLAY_CONF_H
#define WEIR_APPS_TOOL_REPLAY_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/blob.h"
#include "netstack/ip.h"

enum replay_split {
	REPLAY_BY_FILE,	     // all of it by one port
	REPLAY_BY_INTERFACE, // of a pcapng file: by its name or number
	REPLAY_BY_MAC,	     // the source's
	REPLAY_BY_ADDRESS,   // prefixes of the source's
	REPLAY_BY_CLIENT,    // port of clients, port of servers: told by what they do
	REPLAY_SPLITS
};

struct replay_match {
	char *name; // of an interface
	uint32_t number; // UINT32_MAX: none
	union ip_addr addr;
	uint8_t mac[6];
	uint8_t family, plen;
	uint16_t port;
};

#define REPLAY_NOWHERE 0xffffu // not sent, counted

struct replay_capture {
	char *file;
	enum replay_split split;
	uint16_t port; // all of it; what no match is for; the servers'
	uint16_t client; // the clients' port
	struct replay_match *matches;
	size_t n_matches, room_matches;
};

#define REPLAY_VLAN_KEEP 0xffffu
#define REPLAY_VLAN_NONE 0u

struct replay_map { // an address, or a port
	union ip_addr from, to;
	uint8_t family, plen;
	uint16_t port_from, port_to;
};

struct replay_rewrite {
	bool any_port;
	uint16_t port; // it leaves by
	bool has_src_mac, has_dst_mac;
	uint8_t src_mac[6], dst_mac[6];
	uint16_t vlan; // REPLAY_VLAN_*, or the tag it gets instead of those it had
	struct replay_map *maps; // of addresses and ports (family 0): the first that fits
	size_t n_maps, room_maps;
	int ttl_kind; // 0: kept; 1: set; 2: changed by
	int ttl;
};

enum replay_snapped { REPLAY_SNAPPED_SEND, REPLAY_SNAPPED_PAD, REPLAY_SNAPPED_SKIP };

struct replay_conf {
	struct blob_play play;
	bool given;
	struct replay_capture *captures;
	size_t n_captures, room_captures;
	struct replay_rewrite *rewrites;
	size_t n_rewrites, room_rewrites;
	uint64_t max_gap_ns; // 0: any
	uint32_t truncate;   // bytes; 0: none
	uint32_t pad;	     // to so many bytes
	enum replay_snapped snapped;
	bool fix;    // lengths and checksums anew
	bool stream; // asked for
	uint8_t *records; // replay_load(): of BLOB_BYTES
	size_t records_len;
};

void replay_conf_free(struct replay_conf *r);

#endif
