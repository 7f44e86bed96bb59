// SPDX-License-Identifier: BSD-3-Clause
// fib.h - the forwarding tables of a router: VRFs, routes of both families, and what they lead to
//
// A VRF has a table of prefixes a family (lpm4.h, lpm6.h). What a prefix leads to is the number of an
// adjacency (neigh.h), the same on all lcores: the router itself, nowhere (blackhole and its kin),
// an on-link prefix (gleaning), or a hop. Hops stand at numbers hop0 and on of every lcore's
// neighbor table of their family:
//
//	leaf	a neighbor: interface and address
//	group	a choice of leaves (ADJ_MULTI): the paths of an ECMP route by their weights, and where a
//		next hop is not on link, what the route to it leads to (a recursive next hop)
//
// Routes with the same next hops share a hop, which is counted: so many prefixes may lead to it, a
// change of a recursive next hop's route costs one table of FIB_BUCKETS words, not the prefixes'.
//
// A group spreads flows over FIB_BUCKETS buckets, each of one leaf, as many as its weight says. When
// a leaf's neighbor fails, its buckets alone go to others, and come back with it.
//
// One struct fib is shared by all lcores of a router. The main thread, which is lcore 0, makes and
// changes it, between its turns; all lcores read. Before fib_set_live() a change is complete when
// its call returns. Afterwards it is in steps, since another lcore may be in the middle of a burst:
//
//	1. fib_hop() makes hops known to come; fib_sync() on every lcore makes them known there.
//	2. fib_swap() changes prefixes, to hops that all lcores know.
//	3. fib_resolve() finds what has to change in groups; fib_sync(); then fib_publish() changes it.
//	4. fib_drop() of what is not named any longer; fib_sync(); then fib_collect() frees the numbers.
//
// Between two steps every lcore passes from one turn to the next (app_call of apps/app.h runs
// fib_sync() there). Addresses are in network byte order (ip.h).
#ifndef WEIR_NETSTACK_FIB_H
#define WEIR_NETSTACK_FIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "netstack/iface.h"
#include "netstack/ip.h"
#include "netstack/neigh.h"

#define FIB_VRFS_MAX   64u
#define FIB_PATHS_MAX  16u
#define FIB_LEAVES_MAX 64u
#define FIB_HOPS       4096u  // of a family, where a conf says 0
#define FIB_HOPS_MAX   28672u // what a table of prefixes can name, interfaces taken off
#define FIB_BUCKETS    256u
#define FIB_DEPTH_MAX  8u // groups that a recursive next hop may lead through
#define FIB_LCORES_MAX 64u

#define FIB_IFACE_ANY 0xffffu
// Routes of this owner (CTL_OWNER_CONFIG) to a single neighbor lead straight to it. Others need a group of
// one to be told from them: some cycles more a packet.
#define FIB_OWNER_USUAL 1u

enum fib_kind { FIB_VIA, FIB_BLACKHOLE, FIB_UNREACHABLE, FIB_PROHIBIT };

struct fib_path {
	union ip_addr via; // all 0: the prefix is on link, iface says where
	uint16_t iface;	   // FIB_IFACE_ANY: found by via; recursive when that is not on link
	uint8_t weight;	   // from 1
};

struct fib_route {
	uint8_t family; // 4 or 6
	uint8_t plen;
	uint8_t kind;  // enum fib_kind
	uint8_t paths; // of FIB_VIA: 1 to FIB_PATHS_MAX; else 0
	uint16_t vrf;
	uint8_t owner; // kept and told (fib_describe), else without meaning; 0: as FIB_OWNER_USUAL
	union ip_addr prefix; // no bits beyond plen
	struct fib_path path[FIB_PATHS_MAX];
};

struct fib_conf {
	struct ifaces *ifs;		// complete; a reference is held
	unsigned vrfs;			// in all; 0: 1
	uint32_t hops;			// of a family, leaves and groups; 0: FIB_HOPS
	uint32_t routes4, routes6;	// hints
	unsigned lcores;		// 0: 1
};

struct fib;
struct lpm4;
struct lpm6;

// NULL and err: no memory, or conf is out of bounds. Counted: ref and unref by the main thread.
struct fib *fib_create(const struct fib_conf *conf, struct err *err);
struct fib *fib_ref(struct fib *f);
void fib_unref(struct fib *f); // may be NULL

unsigned fib_vrfs(const struct fib *f);
uint32_t fib_hops(const struct fib *f); // numbers of hops a family: neigh_conf.hops
// The tables of a VRF, which readers may keep: they live as long as f.
struct lpm4 *fib_lpm4(const struct fib *f, unsigned vrf);
struct lpm6 *fib_lpm6(const struct fib *f, unsigned vrf);
size_t fib_count(const struct fib *f, uint8_t family); // prefixes in all VRFs, ours included
size_t fib_memory(const struct fib *f);		       // bytes, tables of prefixes included

// An lcore's neighbor table of a family, made for f's interfaces and hops: it learns all hops there are,
// and takes part in fib_sync() until it is detached. Lcore 0's also says which neighbors fail.
// 0 or -errno.
int fib_attach(struct fib *f, uint8_t family, unsigned lcore, struct neigh_table *t, struct err *err);
void fib_detach(struct fib *f, uint8_t family, unsigned lcore);

// --- routes, while nothing runs: complete when they return ---

// A prefix of the router itself: index is ADJ_INDEX_LOCAL, ADJ_INDEX_BROADCAST, or ADJ_INDEX_GLEAN0 +
// interface (the prefix is on link there). Goes before routes to the same prefix; also later, by
// lcore 0 between turns. vrf is the interface's. 0 or -errno.
int fib_own(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix, uint8_t plen,
	    uint32_t index, struct err *err);
int fib_disown(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix, uint8_t plen,
	       struct err *err);

// Adds or replaces. A route to a prefix of the router itself is passed over, since it needs no
// gateway. -EINVAL: what is wrong with it is in err; -ELOOP: its next hop would be reached by itself;
// -ENOSPC: too many hops; -ENOMEM. Recursive next hops may come before the routes that lead to them.
int fib_route_add(struct fib *f, const struct fib_route *r, struct err *err);
int fib_route_delete(struct fib *f, const struct fib_route *r, struct err *err); // -ESRCH; kind and paths do not count

// The same by a hop that is at hand: many prefixes with the same next hops. hop is that of fib_hop(),
// whose reference stays the caller's.
int fib_route_add_hop(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		      uint8_t plen, uint32_t hop, struct err *err);

// --- the same in steps, while lcores run ---

// From now on lcores run, or none does any longer. With more than one lcore readers and updates overlap.
void fib_set_live(struct fib *f, bool live);

// What r leads to, r->prefix left aside: an adjacency's number, or -errno as of fib_route_add(). It is
// counted once more: fib_drop() gives it back, fib_swap() takes it over. like: 0, or a hop that r's is
// to take the place of: flows of paths that both have keep their path as far as the weights let them.
int fib_hop(struct fib *f, const struct fib_route *r, uint32_t like, struct err *err);
void fib_hold(struct fib *f, uint8_t family, uint32_t index); // counts it once more
void fib_drop(struct fib *f, uint8_t family, uint32_t index);

#define FIB_NONE UINT32_MAX

// The prefix leads to `index` (FIB_NONE: it is not there any longer); *old is what it led to before, or
// FIB_NONE. Takes the count of index over, gives that of *old. -EEXIST: a prefix of the router itself;
// -ELOOP, -ENOMEM, -ENOSPC. On failure nothing has changed.
int fib_swap(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix, uint8_t plen,
	     uint32_t index, uint32_t *old);

// The same to take a change back: what it led to before needs no more checks. -ENOMEM, -ENOSPC: memory that
// was in use then is not yet free again (fib_quiescent): try again.
int fib_restore(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix, uint8_t plen,
		uint32_t index, uint32_t *old);

// Whether r's family, VRF, prefix and length are sound. 0, or -EINVAL and err.
int fib_check(const struct fib *f, const struct fib_route *r, struct err *err);

// Whether a prefix's number (fib_get) is of the router itself, rather than of a route.
bool fib_is_own(const struct fib *f, uint32_t index);

// Looks at up to n groups whose next hops' routes have changed. Returns whether more are left.
bool fib_resolve(struct fib *f, unsigned n);
// Whether hops were made or freed since every lcore was told: fib_sync() has something to do.
bool fib_wants_sync(const struct fib *f);
// On lcore `lcore`, between its turns. Packets that waited for a neighbor which nobody knows any longer
// are dropped when there is no room for it among the learnt: fib_lost() counts them.
void fib_sync(struct fib *f, unsigned lcore);
uint64_t fib_lost(const struct fib *f);
// Lets packets see what fib_resolve() found, in up to n groups. Returns whether more are left.
bool fib_publish(struct fib *f, unsigned n);
// Frees the numbers of dropped hops that every lcore has forgotten.
void fib_collect(struct fib *f);
// Every lcore has passed from one turn to the next since the last call: memory of prefixes is reused.
void fib_quiescent(struct fib *f);

// All of that at once, while nothing runs, or on a single lcore between turns.
void fib_settle(struct fib *f);

// The link of an interface came or went (iface.live), by lcore 0 between turns: groups leave paths by it, or
// come back.
void fib_link_changed(struct fib *f);

// --- questions: lcore 0 ---

// What the prefix leads to exactly, or -ENOENT. What an address is led to, or FIB_NONE.
int fib_get(const struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix, uint8_t plen);
uint32_t fib_lookup(const struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *addr);

// The first prefix of a table, or the one behind *prefix / *plen, which may have gone meanwhile: what it leads
// to, or -ENOENT. In an order that depends on the prefixes alone.
int fib_first(const struct fib *f, uint8_t family, unsigned vrf, union ip_addr *prefix, uint8_t *plen);
int fib_next(const struct fib *f, uint8_t family, unsigned vrf, union ip_addr *prefix, uint8_t *plen);

// Kind and paths of an index as its route gave them; prefix, plen and vrf are left alone. A connected
// prefix is a path without via.
void fib_describe(const struct fib *f, uint8_t family, uint32_t index, struct fib_route *r);

// "192.0.2.1", in one of a few buffers by turns: for messages.
const char *fib_text(uint8_t family, const union ip_addr *addr);

// Whether addr can be a neighbor's on an interface: 0, or -EINVAL and err.
int fib_check_host(const struct fib *f, uint8_t family, uint16_t iface, const union ip_addr *addr,
		   struct err *err);

// The first plen bits of addr are those of prefix.
bool fib_within(const union ip_addr *addr, const union ip_addr *prefix, uint8_t plen);

// Leaves of a group at present: number of them, index and weight in buckets of each. 0: no group.
struct fib_share {
	uint32_t index;
	unsigned buckets;
};
unsigned fib_shares(const struct fib *f, uint8_t family, uint32_t index,
		    struct fib_share out[FIB_LEAVES_MAX]);

#endif
