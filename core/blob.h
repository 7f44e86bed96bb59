// SPDX-License-Identifier: BSD-3-Clause
// blob.h - the configuration as the data plane reads it: flat, versioned, checksummed
//
// The host compiles YAML into it (apps/tool/); the image gets it by `weir pack` or as initrd. All
// values little-endian (both homes are x86-64), IPv4 addresses in host byte order, MAC and IPv6
// addresses as on the wire. Layout: blob_hdr, hdr.sections blob_section, the sections' arrays (each
// 8-byte aligned). Nothing points: names are offsets into the strings section, things are indices.
//
// blob_open() checks everything a reader relies on (bounds, sizes, checksum, every index and string
// offset), so that code using a struct blob need not check again. A blob is hostile until then.
#ifndef WEIR_CORE_BLOB_H
#define WEIR_CORE_BLOB_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define BLOB_MAGIC   "WEIRCONF"
#define BLOB_VERSION 2u
#define BLOB_LEN_MAX (64u << 20)

enum blob_section_type {
	BLOB_STRINGS = 1, // char[], each string ends in 0; offset 0 is ""
	BLOB_PARAMS,      // one struct blob_params
	BLOB_PORTS,       // struct blob_port[]
	BLOB_ADDRS,       // struct blob_addr[]
	BLOB_NEXTHOPS,    // struct blob_nexthop[]
	BLOB_ROUTES4,     // struct blob_route4[]
	BLOB_NEIGHBORS,   // struct blob_neighbor[]
	BLOB_PATCHES,     // struct blob_patch[]
	BLOB_TYPES
};

struct blob_hdr {
	char magic[8];
	uint32_t version;
	uint32_t len;      // of everything, this header included
	uint32_t crc;      // CRC-32C of everything with this field 0
	uint32_t sections; // number of
	char function[16]; // "router", padded with 0
};

struct blob_section {
	uint32_t type;
	uint32_t offset; // from the start of the blob
	uint32_t count;  // elements
	uint32_t size;   // of an element
};

struct blob_params {
	uint32_t lcores;
	uint32_t burst;      // packets; 0: the default
	uint32_t mbufs;      // in the pool; 0: the default
	uint32_t icmp_rate;  // ICMP errors a second
	uint32_t icmp_burst; // ICMP errors at once
	uint32_t arp_timeout; // seconds a learnt neighbor lives
	uint32_t arp_hold;    // packets held for an unresolved neighbor
	uint32_t idle_us;     // without packets before an lcore sleeps; BLOB_IDLE_NEVER: it polls for ever
};
#define BLOB_IDLE_NEVER UINT32_MAX

struct blob_port {
	uint32_t name;   // string
	uint32_t driver; // string: "virtio"
	uint32_t args;   // string: "0"
	uint16_t mtu;    // IP bytes; 0: default
	uint16_t flags;  // BLOB_PORT_*
	uint8_t mac[6];
	uint16_t rx_size, tx_size; // descriptors; 0: default
	uint16_t queues;   // pairs; 0: one a lcore
	uint16_t offloads; // PORT_*, with BLOB_PORT_OFFLOADS
	uint16_t rss;      // enum blob_rss
};
#define BLOB_PORT_MAC	    1u // mac is given
#define BLOB_PORT_PROMISC   2u // receives frames for others too
#define BLOB_PORT_ALLMULTI  4u // receives all multicast frames
#define BLOB_PORT_OFFLOADS  8u // offloads is given; else the driver's best
#define BLOB_PORT_FLAGS	    15u
enum blob_rss { BLOB_RSS_SYMMETRIC, BLOB_RSS_MICROSOFT, BLOB_RSS_KINDS }; // the Toeplitz key

struct blob_addr { // an address of a port and its on-link prefix
	uint16_t port;
	uint8_t family; // 4 or 6
	uint8_t plen;
	uint8_t addr[16]; // as on the wire; IPv4 in the first four
};

struct blob_nexthop {
	uint32_t via;  // IPv4, host order
	uint16_t port; // the port whose on-link prefix holds via
	uint16_t reserved;
};

struct blob_route4 {
	uint32_t prefix; // host bits are 0
	uint8_t plen;    // 0 to 32
	uint8_t reserved;
	uint16_t nexthop; // index
};

struct blob_neighbor { // a static neighbor
	uint32_t addr; // IPv4, host order
	uint16_t port;
	uint8_t mac[6];
};

struct blob_patch { // what comes in by port `from` leaves by port `to`
	uint16_t from, to;
};

static_assert(sizeof(struct blob_hdr) == 40, "format");
static_assert(sizeof(struct blob_section) == 16, "format");
static_assert(sizeof(struct blob_params) == 32, "format");
static_assert(sizeof(struct blob_port) == 32, "format");
static_assert(sizeof(struct blob_addr) == 20, "format");
static_assert(sizeof(struct blob_nexthop) == 8, "format");
static_assert(sizeof(struct blob_route4) == 8, "format");
static_assert(sizeof(struct blob_neighbor) == 12, "format");
static_assert(sizeof(struct blob_patch) == 4, "format");

struct blob { // a checked blob: arrays and their lengths (0 and NULL where a section is absent)
	const struct blob_hdr *hdr;
	const char *strings;              // never NULL
	const struct blob_params *params; // never NULL
	const struct blob_port *ports;
	const struct blob_addr *addrs;
	const struct blob_nexthop *nexthops;
	const struct blob_route4 *routes4;
	const struct blob_neighbor *neighbors;
	const struct blob_patch *patches;
	uint32_t n_strings, n_params, n_ports, n_addrs, n_nexthops, n_routes4, n_neighbors, n_patches;
};

#define BLOB_PORTS_MAX 64u

// Checks len bytes at data (8-byte aligned, kept by the caller as long as b is used) and fills b.
// 0, or -EINVAL/-EBADMSG with err naming what is wrong ("checksum is …, computed …: …").
int blob_open(struct blob *b, const void *data, size_t len, struct err *err);

static inline const char *blob_str(const struct blob *b, uint32_t off)
{
	return b->strings + off;
}

// CRC-32C (RFC 3720 B.4 gives test vectors), continuing from crc (0 to begin).
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
