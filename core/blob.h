// SPDX-License-Identifier: BSD-3-Clause
// blob.h - the configuration as the data plane reads it: flat, versioned, checksummed
//
// The host compiles YAML into it (apps/tool/); the image gets it by `weir pack` or as initrd. All
// values little-endian (both homes are x86-64), MAC and IP addresses as on the wire (IPv4 in the first four
// of 16 bytes, the rest 0), but the prefixes of blob_route4 in host byte order. Layout: blob_hdr, hdr.sections blob_section, the sections' arrays (each
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
#define BLOB_VERSION 4u
#define BLOB_LEN_MAX (1u << 30) // captures may be in it

enum blob_section_type {
	BLOB_STRINGS = 1, // char[], each string ends in 0; offset 0 is ""
	BLOB_PARAMS,      // one struct blob_params
	BLOB_PORTS,       // struct blob_port[]
	BLOB_IFACES,      // struct blob_iface[]: those of the ports, then what is made of them
	BLOB_MEMBERS,     // uint16_t[]: interfaces that groups and bridges consist of
	BLOB_VRFS,        // uint32_t[]: strings, the names of VRFs 1, 2 and so on
	BLOB_ADDRS,       // struct blob_addr[]
	BLOB_PATHS,       // struct blob_path[]
	BLOB_HOPS,        // struct blob_hop[]
	BLOB_ROUTES4,     // struct blob_route4[]
	BLOB_ROUTES6,     // struct blob_route6[]
	BLOB_NEIGHBORS,   // struct blob_neighbor[]
	BLOB_PATCHES,     // struct blob_patch[]
	BLOB_BYTES,       // uint8_t[]: what streams and captures name parts of
	BLOB_STREAMS,     // struct blob_stream[]: what function pktgen sends
	BLOB_VARIANTS,    // struct blob_variant[]
	BLOB_FIELDS,      // struct blob_field[]
	BLOB_IMPAIRS,     // struct blob_impair[]
	BLOB_PLAYS,       // one struct blob_play: what function replay sends
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
	uint32_t nd_reachable;  // seconds an IPv6 neighbor is trusted; 0: the default, as in the next
	uint32_t nd_hold;       // packets held for an unresolved one
	uint32_t nd_dad;        // probes for an IPv6 address of our own before it is used; 0: none
	uint32_t reass_packets; // fragments held for reassembly at most; 0: the default
	uint32_t reass_timeout; // seconds
	uint16_t reass_flags;   // BLOB_REASS_*
	uint16_t echo_port;     // UDP, on our addresses; 0: no such service
	uint16_t twamp_port;    // UDP: TWAMP-Light (RFC 5357, appendix I)
	uint16_t reserved[3];
};
#define BLOB_IDLE_NEVER UINT32_MAX
#define BLOB_REASS_VIRTUAL 1u // also of packets that are only forwarded
#define BLOB_REASS_FLAGS   1u

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
	uint32_t line_mbps; // L1, where users say it (pktgen); 0: what the link says
};
#define BLOB_PORT_MAC	    1u // mac is given
#define BLOB_PORT_PROMISC   2u // receives frames for others too
#define BLOB_PORT_ALLMULTI  4u // receives all multicast frames
#define BLOB_PORT_OFFLOADS  8u // offloads is given; else the driver's best
#define BLOB_PORT_FLAGS	    15u
enum blob_rss { BLOB_RSS_SYMMETRIC, BLOB_RSS_MICROSOFT, BLOB_RSS_KINDS }; // the Toeplitz key

enum blob_iface_kind {
	BLOB_IFACE_PORT,   // the port of the same index
	BLOB_IFACE_VLAN,   // vid[0] (and vid[1] inside) of interface `parent`
	BLOB_IFACE_GROUP,  // the members are one link; ports
	BLOB_IFACE_BRIDGE, // the members are one network; it may have addresses itself
	BLOB_IFACE_KINDS
};
enum blob_urpf { BLOB_URPF_OFF, BLOB_URPF_STRICT, BLOB_URPF_LOOSE, BLOB_URPF_KINDS };

struct blob_iface {
	uint32_t name; // string
	uint8_t kind;  // enum blob_iface_kind
	uint8_t urpf;  // enum blob_urpf
	uint16_t flags; // BLOB_IFACE_*
	uint16_t parent; // an interface before this one
	uint16_t vid[2]; // 1 to 4094; vid[1] 0: a single tag
	uint16_t mtu;    // IP bytes; 0: what lies below has
	uint16_t vrf;    // 0: the default one; else 1 + index
	uint16_t first, members; // of MEMBERS, which name interfaces before this one
	uint8_t mac[6];  // with BLOB_IFACE_MAC; a port's stands in blob_port
	uint32_t age;    // bridge: seconds a station is remembered; 0: the default
	uint32_t macs;   // bridge: stations at most; 0: the default
	uint16_t ra_interval; // seconds between router advertisements, at most; 0: none are sent
	uint16_t ra_lifetime; // seconds
};
#define BLOB_IFACE_MAC	      1u
#define BLOB_IFACE_DHCP	      2u // gets an IPv4 address by DHCP
#define BLOB_IFACE_REDIRECTS  4u // sends ICMP redirects
#define BLOB_IFACE_BROADCASTS 8u // forwards directed broadcasts to its networks (RFC 2644)
#define BLOB_IFACE_RA_MANAGED 16u
#define BLOB_IFACE_RA_OTHER   32u
#define BLOB_IFACE_RA_PREFIXES 64u // advertises the prefixes of its addresses
#define BLOB_IFACE_FLAGS      127u

struct blob_addr { // an address of an interface and its on-link prefix
	uint16_t iface;
	uint8_t family; // 4 or 6
	uint8_t plen;
	uint8_t addr[16];
};

struct blob_path { // one way a route may take
	uint8_t via[16];
	uint16_t iface; // BLOB_IFACE_ANY: where the route to `via` leads
	uint8_t family;
	uint8_t weight; // at least 1
};
#define BLOB_IFACE_ANY 0xffffu

enum blob_hop_kind { // as enum fib_kind
	BLOB_HOP_VIA,
	BLOB_HOP_BLACKHOLE,
	BLOB_HOP_UNREACHABLE,
	BLOB_HOP_PROHIBIT,
	BLOB_HOP_KINDS
};

struct blob_hop { // where routes lead
	uint32_t first; // path
	uint16_t paths; // 1 to BLOB_PATHS_MAX with BLOB_HOP_VIA, else 0
	uint16_t kind;
};
#define BLOB_PATHS_MAX 16u

struct blob_route4 {
	uint32_t prefix; // host order; host bits are 0
	uint8_t plen;    // 0 to 32
	uint8_t vrf;     // as of an interface
	uint16_t hop;    // index
};

struct blob_route6 {
	uint8_t prefix[16]; // host bits are 0
	uint8_t plen;       // 0 to 128
	uint8_t vrf;
	uint16_t hop;
};

struct blob_neighbor { // a static neighbor
	uint8_t addr[16];
	uint16_t iface;
	uint8_t mac[6];
	uint8_t family;
	uint8_t reserved[3];
};

struct blob_patch { // what comes in by port `from` leaves by port `to`
	uint16_t from, to;
};

// A stream: packets of one kind that pktgen sends by one port. The host has built its frames: for each
// length (variant) a head, in which all that changes from packet to packet lies, with every length field and
// checksum right for that length and each field's first value; behind it comes a body that all variants
// share, cut to the frame's length. The data plane writes the fields' values and makes up for the difference
// in the checksums they count in.
enum blob_rate {
	BLOB_RATE_TOP,	// as fast as it goes
	BLOB_RATE_PPS,	// thousandths of a packet a second
	BLOB_RATE_L1,	// bit/s with preamble, FCS and inter-frame gap: 24 bytes a frame more than its length
	BLOB_RATE_L2,	// bit/s with FCS: 4 bytes more
	BLOB_RATE_LINE, // millionths of the port's line rate (L1)
	BLOB_RATE_KINDS
};
enum blob_shape { BLOB_SHAPE_CONSTANT, BLOB_SHAPE_POISSON, BLOB_SHAPE_ONOFF, BLOB_SHAPES };
#define BLOB_SUMS_MAX 4u

struct blob_stream {
	uint32_t name; // string
	uint16_t port;
	uint16_t flags;	   // BLOB_STREAM_*
	uint32_t body;	   // in BYTES
	uint16_t body_len; // of the longest variant: its len - head_len
	uint16_t head_len; // of every variant; at most BLOB_HEAD_MAX, and at most its len
	uint32_t variant, variants; // first, and how many (at least 1)
	uint32_t field, fields;	    // first, and how many (at most BLOB_STREAM_FIELDS_MAX)
	uint16_t sum_at[BLOB_SUMS_MAX]; // 16-bit Internet checksums (RFC 1071) in the head that change; even
	uint16_t sum_ip;   // bit k: checksum k is never 0xffff (IPv4 header, TCP, ICMP, GRE), else never 0 (UDP)
	uint8_t sums;	   // how many
	uint8_t sig_sums;  // bit k: checksum k covers the signature
	uint8_t rate_kind; // enum blob_rate
	uint8_t shape;	   // enum blob_shape
	uint8_t via_family; // 4 or 6: BLOB_STREAM_RESOLVE
	uint8_t lengths;    // distinct lengths
	uint32_t burst;	    // packets back to back, at one moment of the rate; at least 1
	uint32_t seed;	    // of all that is random in it
	uint64_t rate;
	uint64_t start_ns;    // after the beginning
	uint64_t count;	      // packets; 0: no limit
	uint64_t duration_ns; // 0: no limit
	uint32_t on_us, off_us; // BLOB_SHAPE_ONOFF
	uint8_t via[16];	// the next hop, whose MAC address is the frames' destination
	uint64_t reserved[2];
};
// A signature ends the frame (apps/pktgen/sig.h): what heads' checksums count in its place is zeros, whatever
// the body has there.
#define BLOB_STREAM_SIGNED   1u
#define BLOB_STREAM_RESOLVE  2u // via is given: bytes 0 to 5 of heads are written when it is known
#define BLOB_STREAM_PORT_MAC 4u // bytes 6 to 11 of heads are the port's address
#define BLOB_STREAM_SHUFFLED 8u // variants come at random by their weight; else in turn, weight of each
#define BLOB_STREAM_FLAGS    15u
#define BLOB_HEAD_MAX 256u
#define BLOB_FRAME_MAX 9014u
#define BLOB_STREAM_FIELDS_MAX 64u
#define BLOB_SIGNATURE 18u // bytes; no checksum of the head reaches into them

struct blob_variant {
	uint32_t head;	 // in BYTES
	uint16_t len;	 // of the frame without FCS, 14 to BLOB_FRAME_MAX (and at least head_len)
	uint16_t weight; // at least 1
};

enum blob_field_kind {
	BLOB_FIELD_COUNT,  // min, min + step, … `count` values, then again
	BLOB_FIELD_LIST,   // `count` values of 8 bytes, little-endian, at `list`, then again; expressions too
	BLOB_FIELD_RANDOM, // min + a random number below count (0: any of 64 bits)
	BLOB_FIELD_KINDS
};

// A value in the head that changes: bits of a big-endian word. The head holds the first value already.
//
// A checksum over a tunnel's payload covers checksums inside, which change too. An inner UDP port and its
// checksum make up for each other: the outer checksum does not change (no bit). An inner IPv4 address is made
// up for by its header's checksum, and counts in the transport's by the pseudo header besides, which the outer
// one sees alone: it changes the other way (minus).
struct blob_field {
	uint16_t offset; // of the word in the head
	uint8_t size;	 // of the word: 1, 2, 4 or 8 bytes
	uint8_t shift;	 // of the value in the word, and
	uint8_t bits;	 // how many: shift + bits <= 8 * size
	uint8_t kind;	 // enum blob_field_kind
	uint8_t sums;	 // bit k: checksum k counts it: it falls as the value grows
	uint8_t minus;	 // bit k: checksum k counts it the other way, see below; never both
	uint32_t list;	 // in BYTES, 8-byte aligned
	uint32_t every;	 // packets that have the same value; at least 1
	uint64_t min, step; // step may be negative: modulo 2^64
	uint64_t count;
};

struct blob_impair { // what function impair does to the packets of one patch (same index)
	uint64_t delay_ns; // at most BLOB_IMPAIR_DELAY_MAX
	uint32_t seed;
	uint32_t loss, duplicate, reorder, corrupt; // of a million packets, at random; or, if EXACT, every n-th. 0: none
	uint32_t gap;	  // reorder: packets that overtake it; 1 to BLOB_IMPAIR_GAP_MAX
	uint32_t flags;	  // BLOB_IMPAIR_*
	uint32_t packets; // held at most; 0: the default
};
#define BLOB_IMPAIR_LOSS_EXACT	    1u
#define BLOB_IMPAIR_DUPLICATE_EXACT 2u
#define BLOB_IMPAIR_REORDER_EXACT   4u
#define BLOB_IMPAIR_CORRUPT_EXACT   8u
#define BLOB_IMPAIR_FLAGS	    15u
#define BLOB_IMPAIR_DELAY_MAX	    (10ull * 1000000000)
#define BLOB_IMPAIR_GAP_MAX	    1000u
#define BLOB_IMPAIR_PACKETS_MAX	    (1u << 20)

enum blob_speed {
	BLOB_SPEED_CAPTURED, // rate: millionths of the speed at which it was captured
	BLOB_SPEED_PPS,	     // thousandths of a packet a second
	BLOB_SPEED_L1,	     // bit/s, as in enum blob_rate
	BLOB_SPEED_L2,
	BLOB_SPEED_TOP,	 // as fast as it goes
	BLOB_SPEED_STEP, // a packet whenever somebody asks for one
	BLOB_SPEEDS
};

// What function replay sends: packets of captures, merged by their time stamps, split into ports and rewritten
// by the host. Not with BLOB_PLAY_STREAMED: then a thread of the host brings them while they are played.
struct blob_play {
	uint64_t rate;	      // by speed; 0 with those that have none
	uint64_t packets;     // records
	uint64_t loops;	      // 0: without end
	uint64_t loop_gap_ns; // between the last packet of a loop and the first of the next, at the capture's speed
	uint64_t start_ns;    // after the links of its ports came up
	uint32_t first, len;  // records in BYTES, 8-byte aligned, and how many bytes they take
	uint32_t step;	      // BLOB_PLAY_UNIQUE: what is added to addresses in every further loop
	uint16_t speed;	      // enum blob_speed
	uint16_t flags;	      // BLOB_PLAY_*
	uint64_t ports;	      // bit i: it sends by port i
};
#define BLOB_PLAY_STREAMED 1u
#define BLOB_PLAY_UNIQUE   2u
#define BLOB_PLAY_FLAGS	   3u

struct blob_record { // a packet of a play; its bytes follow, then 0 to 7 of padding
	uint64_t time; // ns after the play's first packet; not below the one before
	uint32_t len;  // at most BLOB_RECORD_MAX
	uint16_t port; // it leaves by
	uint16_t reserved;
};
#define BLOB_RECORD_MAX 262144u // the longest that a capture can hold (libpcap)

static_assert(sizeof(struct blob_play) == 64, "format");
static_assert(sizeof(struct blob_record) == 16, "format");
static_assert(sizeof(struct blob_stream) == 128, "format");
static_assert(sizeof(struct blob_variant) == 8, "format");
static_assert(sizeof(struct blob_field) == 40, "format");
static_assert(sizeof(struct blob_impair) == 40, "format");
static_assert(sizeof(struct blob_hdr) == 40, "format");
static_assert(sizeof(struct blob_section) == 16, "format");
static_assert(sizeof(struct blob_params) == 64, "format");
static_assert(sizeof(struct blob_port) == 36, "format");
static_assert(sizeof(struct blob_iface) == 40, "format");
static_assert(sizeof(struct blob_addr) == 20, "format");
static_assert(sizeof(struct blob_path) == 20, "format");
static_assert(sizeof(struct blob_hop) == 8, "format");
static_assert(sizeof(struct blob_route4) == 8, "format");
static_assert(sizeof(struct blob_route6) == 20, "format");
static_assert(sizeof(struct blob_neighbor) == 28, "format");
static_assert(sizeof(struct blob_patch) == 4, "format");

struct blob { // a checked blob: arrays and their lengths (0 and NULL where a section is absent)
	const struct blob_hdr *hdr;
	const char *strings;              // never NULL
	const struct blob_params *params; // never NULL
	const struct blob_port *ports;
	const struct blob_iface *ifaces;
	const uint16_t *members;
	const uint32_t *vrfs;
	const struct blob_addr *addrs;
	const struct blob_path *paths;
	const struct blob_hop *hops;
	const struct blob_route4 *routes4;
	const struct blob_route6 *routes6;
	const struct blob_neighbor *neighbors;
	const struct blob_patch *patches;
	const uint8_t *bytes;
	const struct blob_stream *streams;
	const struct blob_variant *variants;
	const struct blob_field *fields;
	const struct blob_impair *impairs;
	const struct blob_play *plays;
	uint32_t n_strings, n_params, n_ports, n_ifaces, n_members, n_vrfs, n_addrs, n_paths, n_hops, n_routes4,
		n_routes6, n_neighbors, n_patches, n_bytes, n_streams, n_variants, n_fields, n_impairs,
		n_plays;
};

#define BLOB_PORTS_MAX	 64u
#define BLOB_STREAMS_MAX 10000u
#define BLOB_IFACES_MAX	 1024u // ports included
#define BLOB_VRFS_MAX	 63u   // beside the default one
#define BLOB_HOPS_MAX	 8000u // a lookup gives 15 bits; a hop of several ways takes one, and each way another

// Checks len bytes at data (8-byte aligned, kept by the caller as long as b is used) and fills b.
// 0, or -EINVAL/-EBADMSG with err naming what is wrong ("checksum is …, computed …: …").
int blob_open(struct blob *b, const void *data, size_t len, struct err *err);

// For blob_open(): streams, their variants and fields.
int blob_check_streams(const struct blob *b, struct err *err);
// For blob_open(): plays and their records.
int blob_check_plays(const struct blob *b, struct err *err);

static inline const char *blob_str(const struct blob *b, uint32_t off)
{
	return b->strings + off;
}

// CRC-32C (RFC 3720 B.4 gives test vectors), continuing from crc (0 to begin).
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
