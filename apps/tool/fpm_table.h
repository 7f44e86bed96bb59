// SPDX-License-Identifier: BSD-3-Clause
// fpm_table.h - what FRR has announced, and what of it is in Weir
//
// For each prefix: what FRR wants (`want`), what Weir was last given (`sent`), and the FRR session
// in which it was last announced. Where the two differ the route is in the queue of changes. Sets
// of paths are kept once each, so that equal ones are the same pointer. FRR numbers next hops and
// groups; a route that names a number follows what the number means.
//
// A session begins when FRR connects. It tells everything anew, so routes of an older session are
// stale: they stay as they are until it has had its time, then fpm_table_sweep() withdraws what was
// not announced again. Routes found in Weir that nobody announced (of an earlier weir fpm) are
// stale from the beginning.
#ifndef WEIR_APPS_TOOL_FPM_TABLE_H
#define WEIR_APPS_TOOL_FPM_TABLE_H

#include "apps/tool/fpm_hash.h"
#include "apps/tool/fpm_netlink.h"

#define FPM_ROUTES_MAX	 4000000u // some 120 bytes each
#define FPM_NEXTHOPS_MAX 1000000u

// Why a route of FRR's is not in Weir. The texts are fpm_why_text[].
enum fpm_why {
	FPM_APPLIED,
	FPM_KERNEL,	// the FRR host's own: of its kernel, or of its addresses
	FPM_ON_LINK,	// without gateway: a network of the FRR host's
	FPM_TYPE,	// local, broadcast, multicast, ...
	FPM_NARROW,	// for some sources or a TOS only
	FPM_TABLE,	// in a table that no VRF of Weir stands for
	FPM_NEXTHOP,	// its next hop's number was not announced
	FPM_ENCAP,	// its packets need labels or a tunnel
	FPM_NO_IFACE,	// its gateway is on no interface of Weir's
	FPM_LINK_LOCAL, // its gateway is link-local and Weir's interface not known
	FPM_STALE,	// in Weir, but not announced by FRR yet
	FPM_WHYS
};
extern const char *const fpm_why_name[FPM_WHYS], *const fpm_why_text[FPM_WHYS];

struct fpm_map; // the set of paths as Weir takes it (fpm_weir.c)

struct fpm_hops { // a set of paths, kept once
	struct fpm_link link;
	unsigned refs;
	struct fpm_map *map;
	uint32_t type; // RTN_*
	uint32_t paths;
	struct fpm_path path[];
};

struct fpm_key {
	uint32_t table;
	uint8_t family, plen;
	uint8_t zero[2];
	uint8_t prefix[16];
};

struct fpm_entry {
	struct fpm_link link;
	struct fpm_entry *next; // in the queue of changes
	struct fpm_key key;
	uint32_t nh_id;	       // 0: the paths came with the route
	uint32_t session;      // last announced in
	struct fpm_hops *want; // NULL: nothing that Weir could have
	struct fpm_hops *sent; // NULL: unknown, or nothing
	bool in_weir, queued;
	uint8_t why; // enum fpm_why
};

struct fpm_totals {
	uint64_t routes, withdrawals, nexthops; // messages
	uint64_t others, narrow_paths,
		full; // kinds not for Weir; paths left out; beyond FPM_ROUTES_MAX
};

struct fpm_table {
	struct fpm_hash entries, hops, nexthops;
	struct fpm_entry *first, **last; // changes
	size_t changes;
	size_t count[FPM_WHYS]; // entries
	uint32_t session;
	uint64_t version; // of the next hops
	bool changed;	  // a next hop that routes may use
	bool incomplete;  // a number was looked for in vain
	struct fpm_totals totals;
	bool (*table_known)(void *arg, uint32_t table); // NULL: each is
	void *arg;
};

void fpm_table_init(struct fpm_table *t);
void fpm_table_free(struct fpm_table *t);

// FRR has connected.
void fpm_table_session(struct fpm_table *t);
void fpm_table_route(struct fpm_table *t, const struct fpm_route *r);
void fpm_table_nexthop(struct fpm_table *t, const struct fpm_nexthop *nh);

// Queues the routes whose next hops have changed: before the queue is looked at.
void fpm_table_settle(struct fpm_table *t);

// Withdraws what was not announced in this session. How many.
size_t fpm_table_sweep(struct fpm_table *t);
size_t fpm_table_stale(const struct fpm_table *t);

// The next change, taken from the queue; NULL: none. The caller does it and says so with done():
// in_weir: whether Weir now has the route as `want` says; why it does not. Then the entry may be
// gone.
struct fpm_entry *fpm_table_change(struct fpm_table *t);
void fpm_table_done(struct fpm_table *t, struct fpm_entry *e, bool in_weir, enum fpm_why why);

// Weir has been connected to: nothing is known of what it has. Then found() for each route it has,
// `same` telling of an entry's want whether it is as found; then queue_all().
void fpm_table_weir_new(struct fpm_table *t);
void fpm_table_found(struct fpm_table *t, const struct fpm_key *key,
		     bool (*same)(void *arg, struct fpm_hops *want), void *arg);
void fpm_table_queue_all(struct fpm_table *t);

// For whoever frees maps: called for every set of paths that goes.
extern void (*fpm_hops_gone)(struct fpm_hops *h);

#endif
