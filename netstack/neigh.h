// SPDX-License-Identifier: BSD-3-Clause
// neigh.h - adjacencies and neighbors: where a next hop is, and what to write in front of its
// packets
//
// An adjacency is what a lookup finds: one cache line that the data path reads. Their numbers:
//
//	ADJ_INDEX_NONE ...   the router itself, and routes that lead nowhere; alike in every table
//	ADJ_INDEX_GLEAN0 ... on-link prefixes, one an interface
//	hop0 ...             next hops of routes, numbered by who makes routes (neigh_pin), alike
//	                     on all lcores
//	learnt0 ...          all other neighbors, as they became known: each lcore's own
//
// Neighbors are found in a hash table by interface and address. adj[i] and neigh[i] are the same
// neighbor: the half that forwarding reads, and the half that ARP or ND keeps. A table is one
// family's, and one lcore's. It is bounded, and so is the number of neighbors that have not
// answered yet, so that a scan of an on-link prefix cannot push out those that have.
//
// What a neighbor goes through is RFC 4861, 7.3, for both families (neigh_state.c says what ARP
// does otherwise); packets that wait for one are held in order, bounded for each and in all
// (neigh_hold.c); neigh_lcores.c says how all lcores learn what one hears.
#ifndef WEIR_NETSTACK_NEIGH_H
#define WEIR_NETSTACK_NEIGH_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/graph.h"
#include "mempool/mbuf.h"
#include "netstack/iface.h"
#include "netstack/ip.h"

enum adj_kind {
	ADJ_NONE,	 // no route leads here: the index that a lookup's miss is mapped to
	ADJ_LOCAL,	 // an address of the router
	ADJ_BROADCAST,	 // of an on-link prefix: not forwarded unless asked to (RFC 2644)
	ADJ_BLACKHOLE,	 // a route that drops in silence
	ADJ_UNREACHABLE, // a route that says: no way there
	ADJ_PROHIBIT,	 // a route that says: not allowed
	ADJ_GLEAN,	 // an on-link prefix: the destination itself is the neighbor
	ADJ_FORWARD,	 // a neighbor
	ADJ_MULTI,	 // a choice of neighbors; what it holds is its maker's
};

// Indices that every table has: those of the kinds up to ADJ_PROHIBIT, and
#define ADJ_INDEX_NONE	      ((uint32_t)ADJ_NONE)
#define ADJ_INDEX_LOCAL	      ((uint32_t)ADJ_LOCAL)
#define ADJ_INDEX_BROADCAST   ((uint32_t)ADJ_BROADCAST)
#define ADJ_INDEX_BLACKHOLE   ((uint32_t)ADJ_BLACKHOLE)
#define ADJ_INDEX_UNREACHABLE ((uint32_t)ADJ_UNREACHABLE)
#define ADJ_INDEX_PROHIBIT    ((uint32_t)ADJ_PROHIBIT)
#define ADJ_INDEX_GLEAN0      6u // + interface

// Of scratch32 in a packet on its way to be sent: the index of its adjacency.
#define SCRATCH_ADJ 0

#define ADJ_ETH_MAX 24u

struct adj {
	uint8_t kind;
	bool ready;	 // eth is valid
	bool used;	 // a packet was sent by it since it was last looked at
	uint8_t eth_len; // of the Ethernet header: 14, and 4 a tag
	uint16_t iface;	 // it leaves by
	uint16_t tx;	 // that is, by this of the router's outs
	uint16_t mtu;	 // of the interface
	uint16_t spare;
	uint32_t next;		  // in its bucket; 0 ends
	union ip_addr addr;	  // ADJ_FORWARD: the neighbor's
	uint8_t eth[ADJ_ETH_MAX]; // the header, up to its end
	union {
		uint64_t reserved;	   // ADJ_MULTI: its maker's
		struct iface_count *count; // where eth has tags: what is sent counts here
	};
} cache_aligned;
static_assert(sizeof(struct adj) == CACHE_LINE, "an adjacency is a cache line");

enum neigh_state {
	NEIGH_FREE,
	NEIGH_IDLE,	  // a next hop that nobody has asked for
	NEIGH_INCOMPLETE, // asked for, no answer yet
	NEIGH_REACHABLE,
	NEIGH_STALE,  // known, but for a while not heard of
	NEIGH_DELAY,  // the same, and used: it will be asked
	NEIGH_PROBE,  // known, and asked whether it is still there
	NEIGH_FAILED, // a watched next hop that did not answer: asked again now and then
	NEIGH_STATIC, // configured: neither asked for nor aged
};

#define NEIGH_TRIES	  3u		       // requests before a neighbor counts as unreachable
#define NEIGH_RETRY	  NSEC_PER_SEC	       // between them (RFC 1122, 2.3.2.1; RFC 4861, 10)
#define NEIGH_DELAY_TIME  (5 * NSEC_PER_SEC)   // RFC 4861, 10: DELAY_FIRST_PROBE_TIME
#define NEIGH_LOOK	  NSEC_PER_SEC	       // between looks whether a stale neighbor is used
#define NEIGH_STALE_TIME  (600 * NSEC_PER_SEC) // a stale neighbor is kept that nobody uses,
#define NEIGH_CROWD_TIME  (10 * NSEC_PER_SEC)  // and when the table is nearly full
#define NEIGH_FAILED_TIME (5 * NSEC_PER_SEC)   // before a watched one that failed is asked again
#define NEIGH_WATCH_TIME  (10 * NSEC_PER_SEC)  // a watched one is trusted, at most

struct neigh {
	uint64_t due;	    // ns: when its state is looked at again
	uint64_t since;	    // ns: when it came into its state
	struct mbuf *first; // held packets, oldest first, linked by scratch64[0]
	struct mbuf *last;
	uint32_t next_free;
	uint16_t held;
	uint8_t state;
	uint8_t tries; // requests sent
	bool pinned;   // a next hop of routes: never deleted
	bool watched;  // neigh_table.changed wants to know; it is asked for even if nobody uses it
	bool failed;   // it did not answer, and has not been heard of since
};

struct neigh_table;
struct neigh_news;

struct neigh_family {  // what differs between ARP and ND: const
	uint16_t type; // EtherType of the packets, host byte order
	// A neighbor whose time is up is STALE, and asked by and by when it is used (RFC 4861).
	// Else it is asked at once if it was used, and otherwise forgotten (RFC 1122, 2.3.2.1).
	bool stale;
	void (*destination)(const struct mbuf *m, union ip_addr *dst); // of a packet
	// Makes m, empty, a frame that asks for the neighbor: by unicast when its adjacency is
	// ready. False: there is nothing to ask with (no address to ask from).
	bool (*solicit)(const struct neigh_table *t, uint32_t index, struct mbuf *m);
	// m has waited in vain; the caller drops it after this.
	void (*unresolved)(const struct neigh_table *t, const struct mbuf *m);
	// Optional: what another lcore tells that is about no neighbor (neigh_news.what).
	void (*told)(struct neigh_table *t, const struct neigh_news *news);
};

struct neigh_conf {
	const struct neigh_family *family;
	void *stack; // for the family's functions
	struct ifaces *ifs;
	struct mempool *pool; // of the packets it makes
	uint32_t hops, learnt;
	uint32_t hold;	    // packets held for a neighbor
	uint32_t held_max;  // and for all
	uint64_t reachable; // ns: how long it is trusted that a neighbor is where it was
	unsigned lcore;
};

struct neigh_table {
	struct ifaces *ifs;
	struct adj *adj;
	struct neigh *neigh;
	uint32_t *bucket;
	unsigned shift;	      // of the hash: 64 - log2(buckets)
	uint64_t seed, seed2; // random: which addresses share a bucket cannot be told from outside
	uint32_t size;	      // adjacencies in all
	uint32_t hop0, learnt0;
	uint32_t hop_top; // the highest hop ever pinned, + 1
	uint32_t top;	 // the highest index ever used, + 1
	uint32_t free;	 // list of learnt ones below top
	uint32_t learnt; // how many there are
	uint32_t incomplete, incomplete_max;
	const struct neigh_family *family;
	void *stack;
	struct mempool *pool;
	struct node *node; // arp-hold or nd-hold; set with the graph
	uint32_t hold;
	uint32_t held, held_max;
	uint64_t reachable;
	// Optional: a watched neighbor can be sent to, or cannot any longer. Called by this lcore,
	// between or within turns; it may change other adjacencies.
	void (*changed)(void *arg, uint32_t index, bool up);
	void *changed_arg;
	unsigned lcore;
	uint8_t tells;	 // edges of the input node that tell another lcore (neigh_lcores.c)
	uint8_t answers; // edges of the resolve node that answer another lcore
	bool asks;	 // lcore 0 asks for neighbors: `node` has an edge to it
};

// --- the table (neigh.c) ---

// Holds a reference of conf's interfaces. 0 or -errno.
int neigh_init(struct neigh_table *t, const struct neigh_conf *conf, struct err *err);
void neigh_fini(struct neigh_table *t); // all are freed; none holds packets any longer

static inline bool neigh_is_ip4(const struct neigh_table *t)
{
	return t->family->type == ETH_TYPE_IP4;
}

static inline uint32_t neigh_hash4(const struct neigh_table *t, uint16_t iface, uint32_t addr)
{
	return (uint32_t)((((uint64_t)iface << 32 | addr) * t->seed) >> t->shift);
}

static inline uint32_t neigh_hash6(const struct neigh_table *t, uint16_t iface,
				   const union ip_addr *addr)
{
	unsigned __int128 x =
		(unsigned __int128)(addr->w[0] ^ t->seed) * (addr->w[1] ^ t->seed2 ^ iface);

	return (uint32_t)(((uint64_t)(x >> 64) ^ (uint64_t)x) >> t->shift);
}

// The neighbor's index, or 0 when there is none. Of an IPv4 table; addr in network byte order.
static inline uint32_t neigh_find4(const struct neigh_table *t, uint16_t iface, uint32_t addr)
{
	uint32_t i = t->bucket[neigh_hash4(t, iface, addr)];

	while (i && (t->adj[i].addr.v4 != addr || t->adj[i].iface != iface))
		i = t->adj[i].next;
	return i;
}

// The same of an IPv6 table.
static inline uint32_t neigh_find6(const struct neigh_table *t, uint16_t iface,
				   const union ip_addr *addr)
{
	uint32_t i = t->bucket[neigh_hash6(t, iface, addr)];

	while (i && (!ip_addr_equal(&t->adj[i].addr, addr) || t->adj[i].iface != iface))
		i = t->adj[i].next;
	return i;
}

// The same of either.
uint32_t neigh_find(const struct neigh_table *t, uint16_t iface, const union ip_addr *addr);

// A new neighbor (neigh_find() found none), NEIGH_IDLE, behind the hops. 0 when the table is full.
uint32_t neigh_create(struct neigh_table *t, uint16_t iface, const union ip_addr *addr);

// Forgets a neighbor that holds nothing; a pinned one becomes NEIGH_IDLE.
void neigh_forget(struct neigh_table *t, uint32_t index);

// Between turns: index `hop` (hop0 to learnt0 - 1) becomes the neighbor, for routes to name, until
// neigh_unpin(). One that is known already moves there, with its state and its packets. 0, -EINVAL
// when hop is no hop's number, -EEXIST when that neighbor is pinned at another index, -EBUSY when
// another is pinned at this one.
int neigh_pin(struct neigh_table *t, uint32_t hop, uint16_t iface, const union ip_addr *addr);

// Between turns: where the table is full, forgets a learnt neighbor that nothing waits for, who is
// learnt again when wanted. False: there is none.
bool neigh_make_room(struct neigh_table *t);

// Between turns, when no route names it any longer. What is known of the neighbor lives on behind
// the hops, if there is room or can be made: else the packets that wait are dropped ("table-full").
void neigh_unpin(struct neigh_table *t, uint32_t hop);

// Whether `changed` hears of the pinned neighbor. While that is so, it is asked often whether it is
// still there, used or not, and when it fails every NEIGH_FAILED_TIME, until it is back: within 15
// seconds (ARP) or 20 (ND) traffic goes another way.
void neigh_watch(struct neigh_table *t, uint32_t hop, bool on);

// Writes the Ethernet header that leads to mac by the neighbor's interface.
void neigh_set_mac(struct neigh_table *t, uint32_t index, const uint8_t mac[6]);

// Between turns: a neighbor that is configured: neither asked for nor aged. 0, -ENOSPC when the
// table is full of such.
int neigh_set_static(struct neigh_table *t, uint16_t iface, const union ip_addr *addr,
		     const uint8_t mac[6]);

// Forgets the neighbor, a static one too, with what waits for it ("unresolved", but not reported).
// 0, or -ENOENT.
int neigh_delete(struct neigh_table *t, uint16_t iface, const union ip_addr *addr);

struct neigh_info { // of a neighbor, for people to read
	union ip_addr addr;
	uint64_t age; // ns in its state
	uint16_t iface;
	uint16_t held;
	uint8_t mac[6]; // where known
	uint8_t state;
	bool known;  // mac is
	bool pinned; // a next hop
};

// The next neighbor from index *at on (0 at first), which moves behind it. False at the end. What
// is made or deleted between two calls may be missed; nothing else is, or comes twice.
bool neigh_next(const struct neigh_table *t, uint32_t *at, uint64_t now, struct neigh_info *out);

const char *neigh_state_name(uint8_t state); // "reachable"

// --- what becomes of it (neigh_state.c) ---

#define NEIGH_HAS_MAC	(1u << 0) // mac is valid
#define NEIGH_CREATE	(1u << 1) // it is made when it is not known
#define NEIGH_CONFIRMED (1u << 2) // it answers a request of ours: it is there, and hears us
#define NEIGH_OVERRIDE	(1u << 3) // mac counts, whatever was known before

struct neigh_news { // what was heard of a neighbor
	union ip_addr addr;
	uint64_t due; // until then another lcore trusts it; 0: none has said
	uint16_t iface;
	uint8_t mac[6];
	uint8_t flags;
	uint8_t what; // 0; else it is about something of the family's, for family->told() on other
		      // lcores
};

// RFC 4861, 7.2.3 and 7.2.5. The neighbor's index, 0 when it is not known. Packets that waited
// leave by `node`.
uint32_t neigh_heard(struct neigh_table *t, const struct neigh_news *news, uint64_t now);

// Begins to ask for a neighbor that nobody asks for yet (IDLE, FAILED), or whether a stale one is
// still there. False: too many are asked for.
bool neigh_ask(struct neigh_table *t, uint32_t index);

// Acts on all that is due; returns when to come again.
uint64_t neigh_housekeep(struct neigh_table *t, uint64_t now);

// --- what waits for it (neigh_hold.c) ---

// The node of a table: its edges are the node of reports, then the outs (iface.h), then maybe
// lcore 0's resolve node. These are its drop reasons.
#define NEIGH_EDGE_REPORT 0u
#define NEIGH_EDGE_PORT0  1u
enum { NEIGH_DROP_UNRESOLVED, NEIGH_DROP_OVERFLOW, NEIGH_DROP_FULL, NEIGH_DROP_SHUTDOWN };
extern const char *const neigh_hold_drops[];

// The node's process(): packets whose adjacency (scratch32[0]) is a neighbor that is not ready, or
// a glean. Each is held, or leaves when its neighbor is ready.
void neigh_hold(struct neigh_table *t, struct mbuf **pkts, uint8_t *next, unsigned n);

void neigh_release(struct neigh_table *t, uint32_t index); // it is ready: all that waited leave
// Drops all that waits, for a reason of the above; report: and tells who sent it.
void neigh_drop(struct neigh_table *t, uint32_t index, uint8_t reason, bool report);
void neigh_drop_all(struct neigh_table *t); // from the node's destroy()

// --- among lcores (neigh_lcores.c) ---

// From the input node: tells the other lcores, by the edges edge0 and on.
void neigh_tell(struct neigh_table *t, struct node *node, uint8_t edge0,
		const struct neigh_news *news);

// process() of the nodes that take that in on the others, and of the one on lcore 0 that is asked.
// Their state is the table.
void neigh_learn_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n);
void neigh_resolve_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n);
extern const char *const neigh_resolve_drops[];

// Building: the edges to nodes that hand over to another lcore; from the node that hears of neighbors, from
// the table's own, and from the one on lcore 0 that is asked. 0 or -errno, as of node_add_edge().
int neigh_join_tells(struct neigh_table *t, struct node *input, struct node *to, struct err *err);
int neigh_join_asks(struct neigh_table *t, struct node *to, struct err *err);
int neigh_join_answers(struct neigh_table *t, struct node *resolve, struct node *to, struct err *err);

// m, empty, asks lcore 0 for the neighbor.
void neigh_put_question(const struct neigh_table *t, uint32_t index, struct mbuf *m);

// The neighbor's MAC address, of a ready adjacency.
static inline const uint8_t *adj_mac(const struct adj *a)
{
	return a->eth + ADJ_ETH_MAX - a->eth_len;
}

// Puts the Ethernet header of a ready adjacency right in front of the network header: any header,
// and one without tags where an untagged one stood.
void adj_put_any(struct mbuf *m, const struct adj *a);

static inline void adj_put_eth(struct mbuf *m, const struct adj *a)
{
	const uint8_t *eth = a->eth + ADJ_ETH_MAX - ETH_HLEN;
	uint8_t *p = m->data;

	if (unlikely(m->l3 != ETH_HLEN || a->eth_len != ETH_HLEN)) {
		adj_put_any(m, a);
		return;
	}
	store64(p, load64(eth)); // 14 bytes as two overlapping words
	store64(p + 6, load64(eth + 6));
}

#endif
