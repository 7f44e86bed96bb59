// SPDX-License-Identifier: BSD-3-Clause
// fib_priv.h - the parts of a struct fib, for fib*.c only
//
// Counts of a hop: one for each prefix that leads to it, one for each group it is a leaf of, one for
// each fib_hop() not yet given back. At 0 it is dead: nothing finds it any longer, a note to forget
// it is posted, and when every lcore has read that its number is free.
//
// Notes stand in a ring in the order they came: what a group needs before the group, and a number
// forgotten before it is given anew.
#ifndef WEIR_NETSTACK_FIB_PRIV_H
#define WEIR_NETSTACK_FIB_PRIV_H

#include <stdatomic.h>

#include "netstack/fib.h"
#include "netstack/fib_node.h"

enum fib_hop_kind { FIB_HOP_FREE, FIB_HOP_LEAF, FIB_HOP_GROUP, FIB_HOP_DEAD };

struct fib_leaf {
	uint32_t weight; // in proportion to the others'
	uint16_t index;	 // an adjacency: a leaf's, an interface's glean, or one that drops
};

struct fib_leaves {
	unsigned n;
	struct fib_leaf leaf[FIB_LEAVES_MAX];
};

struct fib_group {
	struct fib_multi multi;
	struct fib_route route;		 // kind, owner, vrf, paths, in order; the rest is 0
	uint16_t dep[FIB_PATHS_MAX];	 // slot + 1 of the group that a recursive path leads through
	bool looped[FIB_PATHS_MAX];	 // which leads back here: it counts as no way
	bool recursive;			 // some path is
	bool dirty, changed;		 // to be resolved; leaves differ from those published
	uint32_t next_dirty, next_changed; // slot + 1
	struct fib_leaves leaves;	 // as found last
	struct fib_leaves shown;	 // as published
	uint8_t home[FIB_BUCKETS];	 // whose each bucket is when all are well: of shown.leaf
	uint8_t at[FIB_BUCKETS];	 // and whose at present
};

struct fib_hop {
	uint32_t refs;
	uint32_t next; // slot + 1: of the same hash, of the free list, or of the dead ones
	uint64_t died; // notes posted when it was
	uint32_t groups; // a leaf: those that show it; a group: paths of others that lead through it
	uint16_t iface;	 // of a leaf
	uint8_t kind;	 // enum fib_hop_kind
	bool known;	 // to lcore 0
	bool watched;	 // by lcore 0
	bool down;	 // its neighbor has failed
	bool is_group;	 // of a dead one: it was
	union {
		union ip_addr via;	 // of a leaf
		struct fib_group *group; // of a group
	};
};

struct fib_via { // a next hop that is not on link
	union ip_addr via;
	uint16_t vrf;
	uint32_t slot; // of the group
};

// A note: a slot, and
#define FIB_NOTE_FORGET (1u << 31) // it is no more; else: it is new
#define FIB_NOTE_GROUP	(1u << 30) // else: a leaf

struct fib_table { // an lcore's
	struct neigh_table *t;
	_Atomic uint64_t read; // notes
	_Atomic uint64_t lost; // packets that waited
};

struct fib_watch { // who hears of failing neighbors
	struct fib *f;
	uint8_t family;
};

struct fib_half { // of a family
	struct fib_watch watch;
	struct fib_hop *hop;
	uint32_t *bucket; // of a hash; slots + 1
	uint32_t mask;
	uint32_t free, top;	  // list of slots + 1 below top
	uint32_t dead, *dead_end; // list, oldest first
	uint32_t dirty;		  // list of slots + 1
	uint32_t changed;	  // the same
	uint32_t *note;
	uint32_t note_mask;
	_Atomic uint64_t posted;
	struct fib_via *via; // sorted by VRF, then address
	uint32_t vias, vias_max;
	struct fib_table table[FIB_LCORES_MAX];
};

struct fib_onlink {
	union ip_addr prefix;
	uint16_t iface;
	uint8_t family, plen;
};

struct fib {
	struct ifaces *ifs;
	unsigned refs, vrfs, lcores;
	uint32_t hops, hop0;
	bool live;
	struct fib_half half[2]; // of IPv4 and IPv6
	struct fib_onlink *onlink;
	uint32_t onlinks, onlinks_max;
	struct lpm4 *v4[FIB_VRFS_MAX];
	struct lpm6 *v6[FIB_VRFS_MAX];
};

static inline struct fib_half *fib_half(struct fib *f, uint8_t family)
{
	return &f->half[family == 6];
}

static inline uint32_t fib_slot(const struct fib *f, uint32_t index) // of a hop
{
	return index - f->hop0;
}

static inline bool fib_is_hop(const struct fib *f, uint32_t index)
{
	return index >= f->hop0 && index < f->hop0 + f->hops;
}

// The group that an index stands for, or NULL.
static inline struct fib_group *fib_group_at(const struct fib *f, uint8_t family, uint32_t index)
{
	const struct fib_hop *h;

	if (!fib_is_hop(f, index))
		return NULL;
	h = &f->half[family == 6].hop[fib_slot(f, index)];
	return h->kind == FIB_HOP_GROUP ? h->group : NULL;
}

bool fib_is_zero(const union ip_addr *addr);
// fib_lpm.c: the tables of prefixes. Of these, add, delete and get give 0, an index, or -errno as lpm4.h
// says; lookup gives FIB_NONE where nothing matches.
int fib_lpm_create(struct fib *f, const struct fib_conf *c, struct err *err);
void fib_lpm_destroy(struct fib *f);
int fib_lpm_add(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix, uint8_t plen,
		uint32_t index);
int fib_lpm_delete(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		   uint8_t plen);

// fib_hop.c: leaves, counts and notes. take: the leaf's index, counted once more, or -errno.
int fib_hops_init(struct fib *f, struct fib_half *h);
void fib_hops_fini(struct fib_half *h);
int fib_leaf_take(struct fib *f, uint8_t family, uint16_t iface, const union ip_addr *via);
// A slot for a group: its index, counted once, or -ENOSPC; fib_post() makes it known.
int fib_hop_new(struct fib *f, uint8_t family, uint64_t hash);
uint64_t fib_hash(const void *p, size_t len, uint64_t seed); // len: a multiple of 8
void fib_post(struct fib_half *h, uint32_t note);
void fib_watch(struct fib *f, uint8_t family, uint32_t index, int by); // groups that show a leaf: 1 more or less

// fib_group.c. take: as fib_leaf_take(), for a route that has several leaves, or not always the same.
int fib_group_take(struct fib *f, const struct fib_route *r, uint32_t like, struct err *err);
void fib_group_die(struct fib *f, uint8_t family, uint32_t slot); // its count has come to 0
uint64_t fib_group_hash(const struct fib_route *r);

// fib_resolve.c: what the next hops of a group lead to.
int fib_group_resolve(struct fib *f, uint8_t family, uint32_t slot);
// Groups with a next hop inside the prefix are to be resolved; whether there are any.
bool fib_mark_within(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		     uint8_t plen);
int fib_via_add(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *via, uint32_t slot);
void fib_via_remove(struct fib *f, uint8_t family, uint32_t slot);
// Whether packets sent to group `index` come to group `to`, or too deep.
bool fib_leads_to(const struct fib *f, uint8_t family, uint32_t index, uint32_t to);
void fib_dep_set(struct fib *f, uint8_t family, struct fib_group *g, unsigned path, uint32_t dep);

// fib_buckets.c. spread: home[] says which of n leaves has each bucket, in and out: those of no such
// leaf, and those that a leaf has beyond its weight, are given to others. repair: at[] is home[] but
// where that leaf is down.
void fib_buckets_spread(uint8_t home[FIB_BUCKETS], const struct fib_leaves *l);
void fib_buckets_repair(uint8_t at[FIB_BUCKETS], const uint8_t home[FIB_BUCKETS],
			const struct fib_leaves *l, const bool *down);

// fib_show.c: groups as the data path sees them. The leaves found last become those shown; like: NULL,
// or the group whose place this new one takes. refresh: some leaf has gone down or come back.
void fib_group_show(struct fib *f, uint8_t family, struct fib_group *g, const struct fib_group *like);
void fib_group_hide(struct fib *f, uint8_t family, struct fib_group *g); // of one that is dead
void fib_group_refresh(struct fib *f, uint8_t family, struct fib_group *g);
// neigh_table.changed of lcore 0's tables; arg: struct fib_watch.
void fib_leaf_changed(void *arg, uint32_t index, bool up);

#endif
