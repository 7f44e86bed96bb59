// SPDX-License-Identifier: BSD-3-Clause
// ctl.h - the control channel's wire format: frames, message types, records (docs/control.md)
//
// A byte stream (a unix socket, hosted; a virtio console, in the image) carries frames: requests one way,
// for each exactly one answer the other way, in order. All values little-endian; IPv4 and IPv6 addresses
// and MACs as on the wire, an IPv4 address in the first four bytes of 16, the rest 0. Reserved fields are
// 0. Both ends are hostile to each other: a length, an index or a count is checked before it is used.
//
// Words of 0 between two frames are skipped. A client may find a stream where another has stopped in the
// middle of a frame (a virtio console does not say): it sends CTL_FRAME_MAX + CTL_SYNC bytes of 0 first, which
// end that frame, whose checksum fails, and HELLO after them begins anew. In front of HELLO's answer, and of
// errors, stand CTL_SYNC bytes of 0, by which the client finds its answer behind what was left for another;
// the first byte of a frame that is found so is not 0.
#ifndef WEIR_CORE_CTL_H
#define WEIR_CORE_CTL_H

#include <assert.h>
#include <stdint.h>

#define CTL_VERSION   1u
#define CTL_FRAME_MAX 32768u // bytes, header included
#define CTL_SYNC      1024u

struct ctl_hdr {
	uint32_t len;	  // bytes of the frame, this header included
	uint16_t version; // CTL_VERSION
	uint16_t type;	  // enum ctl_type; an answer's: the request's with CTL_ANSWER, or CTL_ERROR
	uint32_t id;	  // the client's choice; the answer has the request's
	uint32_t crc;	  // CRC-32C of the frame with this field 0
};
#define CTL_PAYLOAD_MAX (CTL_FRAME_MAX - (uint32_t)sizeof(struct ctl_hdr))

enum ctl_type {
	// Of every function.
	CTL_HELLO = 1, // request: nothing; answer: struct ctl_hello. First on a stream
	CTL_DESCRIBE,  // struct ctl_from -> struct ctl_list, struct ctl_name...
	CTL_STATS,     // struct ctl_from -> struct ctl_list, struct ctl_figure...; from 0 takes the figures
		       // anew, of one moment
	CTL_PORTS,     // struct ctl_from -> struct ctl_list, struct ctl_port...
	CTL_PORT_SET,  // struct ctl_port_set -> nothing
	CTL_BEGIN,     // struct ctl_begin -> nothing: opens this client's transaction
	CTL_COMMIT,    // nothing -> struct ctl_cost
	CTL_CONFIRM,   // nothing -> nothing: what was committed to be confirmed stays; from any client
	CTL_ROLLBACK,  // nothing -> struct ctl_cost: drops what is staged, or takes back what awaits its
		       // confirmation
	// Of the router. Operations (ROUTES, NEIGHBORS) are staged in the client's transaction (answer:
	// struct ctl_cost with applied: operations staged so far, the rest 0); without one each frame is a
	// transaction of its own (answer: what it cost).
	CTL_FUNCTION = 0x100, // types from here on are the function's
	CTL_ROUTES = 0x100,   // struct ctl_ops, then struct ctl_route with its struct ctl_path... each
	CTL_ROUTES_SHOW,      // struct ctl_show -> struct ctl_shown, routes as in CTL_ROUTES
	CTL_NEIGHBORS,	      // struct ctl_ops, struct ctl_neighbor...
	CTL_NEIGHBORS_SHOW,   // struct ctl_show -> struct ctl_shown, struct ctl_neighbor...

	CTL_ANSWER = 0x8000,
	CTL_ERROR = 0x8000, // struct ctl_error, and the text
};

struct ctl_error {
	uint32_t code; // errno as Linux numbers it
	uint32_t at;   // which operation of the frame (COMMIT: of the transaction), from 0; CTL_AT_FRAME: all of it
	uint32_t txn;  // 1: the client's transaction is gone with it
	uint32_t len;  // bytes of text behind, UTF-8, no 0 at the end
};
#define CTL_AT_FRAME UINT32_MAX

enum ctl_home { CTL_HOSTED, CTL_IMAGE };
enum ctl_txn { CTL_TXN_NONE, CTL_TXN_OPEN, CTL_TXN_BUSY, CTL_TXN_UNCONFIRMED };

struct ctl_hello {
	char function[16];  // "router", padded with 0
	char weir[16];	    // "0.1.0"
	uint64_t uptime_ns; // since the loop was entered
	uint8_t home;	    // enum ctl_home
	uint8_t txn;	    // enum ctl_txn: the transaction there is, anybody's
	uint16_t lcores;
	uint32_t confirm_ms; // with CTL_TXN_UNCONFIRMED: what is left of the time
};

struct ctl_from { // a list is asked for piece by piece
	uint32_t from; // the first wanted; 0 begins
	uint32_t reserved;
};

struct ctl_list {
	uint32_t next;	// `from` of the next request; 0: this was all
	uint32_t count; // records behind
};

enum ctl_kind { CTL_KIND_PORT, CTL_KIND_IFACE, CTL_KIND_VRF };

struct ctl_name {
	uint8_t kind; // enum ctl_kind
	uint8_t reserved[3];
	uint16_t index; // by which other messages mean it
	uint16_t vrf;	// of an interface
	char name[24];	// padded with 0
};

struct ctl_figure { // 8-byte aligned: followed by len bytes of name, then 0 bytes to the next multiple of 8
	uint64_t value;
	uint16_t len;
	uint16_t reserved[3];
};

struct ctl_port {
	char name[16];
	uint16_t index;
	uint8_t admin; // 1: up, as the operator has it
	uint8_t link;  // 1: up, as the driver sees it
	uint32_t mbps; // 0: unknown
	uint8_t mac[6];
	uint16_t mtu;
	uint16_t queues, rx_size, tx_size;
	uint16_t reserved;
	uint32_t offloads; // PORT_* granted
	uint32_t reserved2;
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	char text[240]; // the rest of the grant, for people, padded with 0
};

struct ctl_port_set {
	uint16_t port; // or an interface
	uint16_t up;   // 0 or 1
	uint32_t reserved;
};

struct ctl_begin {
	uint32_t confirm_s; // 0: COMMIT is final; else it is taken back so many seconds later unless confirmed
	uint32_t reserved;
};
#define CTL_CONFIRM_MAX 86400u // seconds

struct ctl_cost { // what a change cost the data path
	uint64_t lost;	      // packets dropped because of the change
	uint64_t dropped;     // packets dropped for any reason while it was made
	uint64_t sent;	      // packets sent meanwhile
	uint64_t turn_ns;     // the longest turn of any lcore's loop meanwhile, housekeeping included
	uint64_t duration_ns; // from COMMIT to when every lcore goes by it
	uint32_t applied;     // operations
	uint32_t refused;     // with CTL_OPS_EACH: operations refused; the first is told in error
	uint32_t error;	      // errno of it
	uint32_t at;	      // which operation of the frame
};

struct ctl_ops {
	uint16_t flags; // CTL_OPS_*
	uint16_t count; // operations behind
	uint32_t reserved;
};
#define CTL_OPS_EACH 1u // each for itself: one refused does not stop the others; not within a transaction

enum ctl_op {
	CTL_ADD = 1, // -EEXIST when there is one of this prefix (neighbor: address)
	CTL_REPLACE, // there or not
	CTL_DEL,     // -ESRCH when there is none
	CTL_FORGET,  // there or not
};

struct ctl_route { // followed by `paths` struct ctl_path
	uint8_t op;	// enum ctl_op; shown: enum ctl_origin
	uint8_t family; // 4 or 6
	uint8_t plen;
	uint8_t kind;	// enum ctl_route_kind
	uint16_t vrf;	// index
	uint8_t paths;	// 0 to CTL_PATHS_MAX; 0 with CTL_DEL, CTL_FORGET and kinds without next hop
	uint8_t owner;	// enum ctl_owner: kept with the route, and shown
	uint8_t prefix[16];
};
#define CTL_PATHS_MAX 16u
enum ctl_route_kind { CTL_VIA, CTL_BLACKHOLE, CTL_UNREACHABLE, CTL_PROHIBIT }; // as enum fib_kind
#define CTL_VRF_ANY   UINT16_MAX

struct ctl_path {
	uint8_t via[16]; // all 0: on link
	uint16_t iface;	 // index; CTL_IFACE_ANY: found by via
	uint8_t weight;	 // from 1
	uint8_t family;	 // of via
};
#define CTL_IFACE_ANY UINT16_MAX

// Who put a route there. The router only keeps it (it takes part in no comparison and no lookup); a feeder
// that begins anew finds by it what its predecessor left, and leaves alone what others have put there.
enum ctl_owner { CTL_OWNER_NONE, CTL_OWNER_CONFIG, CTL_OWNER_CTL, CTL_OWNER_FPM };

enum ctl_origin { CTL_ORIGIN_ROUTE = 1, CTL_ORIGIN_CONNECTED, CTL_ORIGIN_LOCAL };

struct ctl_neighbor {
	uint8_t op;	// enum ctl_op; shown: 0
	uint8_t family; // 4 or 6
	uint16_t iface;
	uint8_t mac[6];
	uint8_t state; // shown: enum ctl_nud
	uint8_t flags; // shown: CTL_NEIGHBOR_*
	uint32_t age_ms; // shown: since it was last confirmed
	uint8_t addr[16];
};
enum ctl_nud { CTL_NUD_NONE, CTL_NUD_INCOMPLETE, CTL_NUD_REACHABLE, CTL_NUD_STALE, CTL_NUD_DELAY, CTL_NUD_PROBE,
	       CTL_NUD_PERMANENT };
#define CTL_NEIGHBOR_ROUTER 1u

struct ctl_show {
	uint8_t cursor[24]; // all 0 begins; else what the answer before gave
	uint8_t family;	    // 4, 6; 0: both
	uint8_t plen;
	uint16_t vrf;	// CTL_VRF_ANY: all
	uint16_t iface; // of neighbors; CTL_IFACE_ANY: all
	uint8_t what;	// enum ctl_what; what it needs of prefix and plen
	uint8_t reserved;
	uint8_t prefix[16];
};
enum ctl_what {
	CTL_WHAT_ALL,
	CTL_WHAT_EXACT,	 // this prefix, this neighbor
	CTL_WHAT_MATCH,	 // the route that a packet to this address takes
	CTL_WHAT_WITHIN, // this prefix and those inside it
};

struct ctl_shown {
	uint8_t cursor[24]; // all 0: this was all
	uint32_t count;	    // records behind
	uint32_t reserved;
};

static_assert(sizeof(struct ctl_hdr) == 16, "format");
static_assert(sizeof(struct ctl_error) == 16, "format");
static_assert(sizeof(struct ctl_hello) == 48, "format");
static_assert(sizeof(struct ctl_from) == 8, "format");
static_assert(sizeof(struct ctl_list) == 8, "format");
static_assert(sizeof(struct ctl_name) == 32, "format");
static_assert(sizeof(struct ctl_figure) == 16, "format");
static_assert(sizeof(struct ctl_port) == 320, "format");
static_assert(sizeof(struct ctl_port_set) == 8, "format");
static_assert(sizeof(struct ctl_begin) == 8, "format");
static_assert(sizeof(struct ctl_cost) == 56, "format");
static_assert(sizeof(struct ctl_ops) == 8, "format");
static_assert(sizeof(struct ctl_route) == 24, "format");
static_assert(sizeof(struct ctl_path) == 20, "format");
static_assert(sizeof(struct ctl_neighbor) == 32, "format");
static_assert(sizeof(struct ctl_show) == 48, "format");
static_assert(sizeof(struct ctl_shown) == 32, "format");

#endif
