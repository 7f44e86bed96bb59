// SPDX-License-Identifier: BSD-3-Clause
// reass.h - fragments of IPv4 and IPv6 gathered until their datagram is whole
//
// RFC 791, 3.2 and RFC 8200, 4.5, with what hostile senders made necessary: fragments that overlap
// condemn their whole datagram, those still to come included (RFC 5722, for IPv4 as well), while an
// exact repetition is dropped alone; a first fragment holds the whole TCP header, and none begins
// within it (RFC 1858, 3; RFC 3128); nothing ends beyond 65,535 bytes; none is empty. What waits is
// bounded, in buffers and in time; when there is no room the oldest datagram goes.
//
// Nodes: "ip4-reass" and "ip6-reass" make the datagrams to the router whole. "ip4-virtual" and
// "ip6-virtual", where configured, hold the fragments of forwarded packets until all are there and then
// pass them on, in order, as they came: a node behind them sees of each the first 8 bytes of its
// transport header (mbuf.l4_head). Fragments of a datagram meet the same lcore, since RSS takes their
// addresses alone (rss_node.c).
//
// One lcore owns a struct reass, and one node.
#ifndef WEIR_NETSTACK_REASS_H
#define WEIR_NETSTACK_REASS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/graph.h"
#include "mempool/mempool.h"
#include "netstack/iface.h"
#include "netstack/ip.h"

#define REASS_PACKETS	1024u // the default bounds
#define REASS_TIMEOUT	30u   // seconds
#define REASS_FRAGMENTS 128u  // of a datagram: 65,535 bytes in pieces of 512

// The drop reasons of every node here, and their names.
enum reass_drop {
	REASS_DROP_OVERLAP,
	REASS_DROP_DUPLICATE,
	REASS_DROP_EMPTY,
	REASS_DROP_UNALIGNED,
	REASS_DROP_BEYOND_64K,
	REASS_DROP_TINY,
	REASS_DROP_TOO_MANY,
	REASS_DROP_EVICTED,
	REASS_DROP_TIMEOUT,
	REASS_DROP_SPLIT_HEADER,
	REASS_DROP_SHUTDOWN,
};
extern const char *const reass_drops[];

struct reass_conf {
	struct mempool *pool; // reports come from here; an eighth of it may wait
	struct ifaces *ifs;   // who knows the VRF of an interface; a reference is held
	uint32_t packets;     // buffers that wait, of all lcores together; 0: the default, as of
	uint32_t timeout;     // seconds
	unsigned lcore, lcores; // whose it is, of how many; 0 lcores: 1
};

struct reass;

// NULL and err when there is no memory or conf is out of bounds.
struct reass *reass_create(const struct reass_conf *conf, struct err *err);
void reass_destroy(struct reass *r); // r may be NULL; it holds no packets

// A node of the kind, with its own struct reass made of conf. NULL and err.
//
// ip4-reass, edges "local", "icmp-error": packets that ip4-input has passed, fragments.
// ip4-virtual, edge "lookup": any packet that ip4-input has passed.
// ip6-reass, edges "local", "icmp6-error": packets that ip6-input has passed, with m->l4 at the
// fragment header; a whole datagram leaves with the fragment header taken out.
// ip6-virtual, edge "lookup": any packet that ip6-input has passed.
extern const struct node_def ip4_reass_node, ip4_virtual_node, ip6_reass_node, ip6_virtual_node;
struct node *reass_node_add(struct graph *g, const struct node_def *def,
			    const struct reass_conf *conf, struct err *err);

// --- for the nodes ---

struct reass_key {
	union ip_addr src, dst;
	uint32_t id;
	uint16_t vrf;
	uint8_t proto; // IPv4 (RFC 791, 2.3); 0 of IPv6, whose fragments may differ in it
	uint8_t zero;
};
static_assert(sizeof(struct reass_key) == 40, "compared as bytes: no holes");

struct reass_fragment {
	struct reass_key key;
	uint32_t off, len; // of its payload, which begins at m->l4 and ends the packet
	uint32_t head;	   // bytes that the datagram's header takes of the 65,535
	bool more;
};

struct datagram { // being gathered
	struct reass_key key;
	struct mbuf *first, *last; // its fragments by offset, linked by scratch (struct reass_held)
	uint64_t due;
	uint32_t next;		// in its bucket, or of the free ones; REASS_NONE ends
	uint32_t newer, older;	// by age
	uint32_t bytes;		// gathered
	uint32_t total;		// of the whole; 0: its last fragment is not there
	uint32_t head;		// of the first fragment, see above
	uint16_t segs;		// buffers
	uint16_t fragments;
	bool bad;
};

#define REASS_NONE UINT32_MAX

struct reass {
	struct datagram *datagram;
	uint32_t *bucket;
	uint32_t mask;
	uint32_t free, oldest, newest;
	uint32_t segs, segs_max;
	uint64_t seed, timeout; // ns
	struct mempool *pool;
	struct ifaces *ifs;
};

struct reass_held { // in mbuf.scratch of a held fragment
	struct mbuf *next;
	uint16_t off, len;
	bool more;
};
static_assert(sizeof(struct reass_held) <= sizeof(((struct mbuf *)0)->scratch), "it has room");

static inline struct reass_held *reass_held(struct mbuf *m)
{
	return (struct reass_held *)(void *)m->scratch;
}

// Takes fragment m: NULL and *next says how it ends (held, or dropped); or the datagram, which is whole
// with m in it: all its fragments, m too, are as if held by the node now. The caller then calls one
// of the two below. Forgets the datagram when that has overlaps.
struct datagram *reass_add(struct reass *r, struct node *node, struct mbuf *m,
			   const struct reass_fragment *f, uint8_t *next);

// Chains the fragments to one packet, without the headers of all but the first: it is in the place of one
// of those held, the others are accounted for. d is forgotten.
struct mbuf *reass_join(struct reass *r, struct node *node, struct datagram *d);

// Passes the fragments on by `edge`, in order. d is forgotten.
void reass_release(struct reass *r, struct node *node, struct datagram *d, uint8_t edge);

// Drops what is due; `report` is called before with the first fragment of a datagram that has it. NULL: it
// is told to nobody. Gives when to come again.
typedef void reass_report(struct node *node, const struct mbuf *first);
uint64_t reass_expire(struct reass *r, struct node *node, uint64_t now, reass_report *report);

// All that is held is dropped, and r freed: the nodes' destroy().
void reass_node_destroy(struct node *node);

#endif
