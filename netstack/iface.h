// SPDX-License-Identifier: BSD-3-Clause
// iface.h - interfaces: what addresses, routes and neighbors belong to
//
// An interface is a port, or something made of ports:
//
//	VLAN	what a port or group carries under a tag (802.1Q), or under two: an outer
//		S-tag (802.1ad, EtherType 0x88a8) and an inner C-tag (0x8100). Tags are
//		matched as they are sent: EtherType and VLAN, exactly; a priority tag
//		(VLAN 0) in front does not count.
//	group	ports that are one link together (group.h). Its members are nothing by
//		themselves.
//	bridge	ports, groups and VLANs that are one network together (bridge.h), and the
//		router's own station on it, if it has one.
//
// Those of a router are numbered: 0 and on the ports, as the application numbers them, behind these
// the others, in the order they are made: what an interface is made of comes before it. Node
// eth-input finds the interface a frame came in by and writes its number into mbuf.port, where a
// driver has put the port's; from there on no node speaks of ports.
//
// An interface sends by one of the `outs` of its router: the nodes that take finished frames, those
// of the ports first, then those of the groups and bridges (l2_graph.h). Every node that sends has
// an edge to each: XXX_EDGE_PORT0 + iface.tx.
//
// Made by the control path before the stacks that use it. All lcores share one table: the data path
// only reads it, but each lcore counts in a block of its own. What changes later (ifaces_set_up,
// ifaces_link) changes by single atomic stores. Reference counted, by the main thread.
#ifndef WEIR_NETSTACK_IFACE_H
#define WEIR_NETSTACK_IFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/lcore.h"
#include "core/stats.h"
#include "mempool/mbuf.h"
#include "netstack/eth.h"

#define IFACES_MAX	1024u
#define IFACE_PORTS_MAX 64u
#define IFACE_OUTS_MAX	96u // ports, and what else takes finished frames
#define IFACE_NAME_MAX	32u // with the 0 at its end
#define IFACE_NONE	0xffffu
#define IFACE_LCORES	16u // that count; a power of two

#define IFACE_TAGS_MAX 2u
#define IFACE_HLEN_MAX (ETH_HLEN + 4 * IFACE_TAGS_MAX)

#define IFACE_MTU_MIN 68u // RFC 791, 3.2: what every link carries

enum iface_kind { IFACE_PORT, IFACE_VLAN, IFACE_GROUP, IFACE_BRIDGE };

enum iface_urpf { IFACE_URPF_OFF, IFACE_URPF_LOOSE, IFACE_URPF_STRICT }; // RFC 3704

#define IFACE_NO_MATCH UINT64_MAX // no MAC address: those have 48 bits

struct group;
struct bridge;
struct vlan_map;

struct iface {
	// Untagged unicast frames to this address are the interface's, and that is all there is to
	// it; IFACE_NO_MATCH where more has to be looked at (it is down, or part of something).
	uint64_t match48;
	uint64_t mac48; // the same as mac, for comparing
	uint8_t mac[6];
	uint16_t mtu;	 // IP bytes
	uint16_t tx;	 // which of the outs it sends by
	uint16_t vrf;	 // 0: the default one
	uint8_t hlen;	 // of the Ethernet header of what it sends: 14, 18 or 22
	uint8_t tag[8];	 // what stands between source address and EtherType: hlen - 14 bytes
	uint8_t kind;	 // enum iface_kind
	bool up;	 // it and what it is made of: what comes in by it counts (atomic)
	bool live;	 // up, and so is the link: what leaves by it has a chance (atomic)
	uint16_t group;	 // the port is a member of this group, or IFACE_NONE
	uint16_t bridge; // it is a member of this bridge, or IFACE_NONE

	// What IP does on it; free to set before the data path starts.
	uint8_t urpf;		 // enum iface_urpf
	bool redirects;		 // sends ICMP redirects
	bool directed_broadcast; // forwards broadcasts to its prefixes (RFC 2644)

	// Control path.
	bool admin;		      // the user's wish: up
	bool link;		      // of a port: there is one
	uint16_t parent;	      // of a VLAN: the port or group
	uint16_t vid[IFACE_TAGS_MAX]; // of a VLAN: outer first; 0: none
	struct vlan_map *vlans;	      // of a port or group: its VLANs; NULL: none
	union {
		struct group *members; // of a group
		struct bridge *domain; // of a bridge
	};
	char name[IFACE_NAME_MAX];
} cache_aligned;

struct iface_count {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
};

struct ifaces {
	unsigned ports; // the first of them are
	unsigned n;	// in all
	unsigned room;
	unsigned outs;
	unsigned refs;
	struct iface_count *count[IFACE_LCORES];
	struct iface iface[];
};

// A table of `ports` ports and room for `more` interfaces. Each port is its own interface, not yet
// set, called "port0" and so on. NULL and err when there are too many, or no memory.
struct ifaces *ifaces_create(unsigned ports, unsigned more, struct err *err);
struct ifaces *ifaces_ref(struct ifaces *ifs);
void ifaces_unref(struct ifaces *ifs); // may be NULL

// Port number `port` with its MAC address, unicast, and its MTU. 0 or -EINVAL. Before what is made
// of it.
int ifaces_port(struct ifaces *ifs, uint16_t port, const uint8_t mac[6], uint16_t mtu,
		struct err *err);

// These make the next interface and give its number, or -errno: -EINVAL (the message names what is
// wrong), -EEXIST (that VLAN is there already), -EBUSY (a member belongs to another), -ENOSPC,
// -ENOMEM. mtu 0 and mac NULL stand for what is usual, which the parent or first member says.
// Addresses belong on none that is a member of another; ifaces_addressable() tells.

// VLAN vid[0], or S-VLAN vid[0] and in it C-VLAN vid[1], of a port or group. The MTU is at most the
// parent's, with two tags 4 less: Ethernet equipment leaves room for one (802.3, 3.2.7).
int ifaces_vlan(struct ifaces *ifs, uint16_t parent, const uint16_t *vid, unsigned n, uint16_t mtu,
		const uint8_t mac[6], struct err *err);

// A static group of 1 to GROUP_MEMBERS_MAX ports. The MTU is at most the least of theirs.
int ifaces_group(struct ifaces *ifs, const uint16_t *member, unsigned n, uint16_t mtu,
		 const uint8_t mac[6], struct err *err);

struct bridge_conf {
	uint32_t age;  // seconds after which a station that is silent is forgotten; 0: 300
	uint32_t macs; // stations known at most; 0: 4096
	bool routed;   // has a station of its own: what is for its MAC, and broadcasts, go up to it
};

// A bridge of 1 to BRIDGE_MEMBERS_MAX ports, groups and VLANs. The MTU is that of its own station,
// at most the least of its members'; frames between members have to fit the one they leave by.
int ifaces_bridge(struct ifaces *ifs, const uint16_t *member, unsigned n,
		  const struct bridge_conf *conf, uint16_t mtu, const uint8_t mac[6],
		  struct err *err);

// What statistics and the control channel call it: letters, digits, '.', '-', '_' and ':'. 0,
// -EINVAL, or -EEXIST: another is called so.
int ifaces_name(struct ifaces *ifs, uint16_t i, const char *name, struct err *err);
int ifaces_find(const struct ifaces *ifs, const char *name); // its number, or -ENOENT

// 0, or -EINVAL: it is a member of another, or a bridge without a station of its own.
int ifaces_addressable(const struct ifaces *ifs, uint16_t i, struct err *err);

// Whether the port has to deliver frames for other addresses than its own: it is in a bridge or a
// group, or one of its VLANs has its own address.
bool ifaces_promiscuous(const struct ifaces *ifs, uint16_t port);

// The user's wish, and what the port says of its link, by lcore 0 at any time. What is made of it
// follows. Other lcores see it at once, packets under way do not.
void ifaces_set_up(struct ifaces *ifs, uint16_t i, bool up);
void ifaces_link(struct ifaces *ifs, uint16_t port, bool up);

// What lcores count together. Of a port itself nothing is counted here: port_stats() has it.
void ifaces_counts(const struct ifaces *ifs, uint16_t i, struct iface_count *sum);

// Its name for places where a dot parts names (core/stats.h): "wan:100" of wan.100.
void iface_label(const struct iface *i, char label[IFACE_NAME_MAX]);

// Hands on the figures of what is made of ports:
// interfaces.LABEL.{up,rx.packets,rx.bytes,tx.packets, tx.bytes}; of bridges also
// {stations,flooded,copied,no_buffer,unlearnt,moved} (bridge.h).
void ifaces_stats_emit(const struct ifaces *ifs, stats_emit_fn emit, void *arg);

// For data path: of the calling lcore.
static inline struct iface_count *iface_count(const struct ifaces *ifs, uint16_t i)
{
	return &ifs->count[lcore_self % IFACE_LCORES][i];
}

static inline bool iface_up(const struct iface *i)
{
	return __atomic_load_n(&i->up, __ATOMIC_RELAXED);
}

static inline bool iface_live(const struct iface *i)
{
	return __atomic_load_n(&i->live, __ATOMIC_RELAXED);
}

// Moves the front of m so that hlen bytes stand before its network header (m->l3), whatever was
// there.
void iface_make_room(struct mbuf *m, uint16_t hlen);

// Puts the Ethernet header of a frame of `type` (host byte order) from the interface to the station
// `to` right in front of m's network header (m->l3).
void iface_put_eth(const struct iface *i, struct mbuf *m, const uint8_t to[6], uint16_t type);

#endif
