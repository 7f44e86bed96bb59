// SPDX-License-Identifier: BSD-3-Clause
// fpm_hops.c - sets of paths, and FRR's numbered next hops and groups
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/fpm_hops.h"
#include "apps/tool/util.h"

void (*fpm_hops_gone)(struct fpm_hops *h);

struct numbered { // a next hop or a group of such, by FRR's number
	struct fpm_link link;
	struct fpm_hops *hops; // what it came to in `version`; NULL: see why
	uint64_t version;
	enum fpm_why why;
	uint32_t id, members;
	struct fpm_path path;
	bool blackhole, group, used;
	struct fpm_member member[];
};

struct fpm_hops *fpm_hops_get(struct fpm_table *t, uint32_t type, const struct fpm_path *path,
			      uint32_t n)
{
	size_t bytes = n * sizeof(*path);
	uint64_t hash = fpm_hash_of(&t->hops, path, bytes) + type;
	struct fpm_link *l = fpm_hash_first(&t->hops, hash);
	struct fpm_hops *h;

	for (; l; l = l->next) {
		h = (struct fpm_hops *)l;
		if (l->hash == hash && h->type == type && h->paths == n &&
		    (!n || !memcmp(h->path, path, bytes))) {
			h->refs++;
			return h;
		}
	}
	h = xrealloc(NULL, sizeof(*h) + bytes);
	*h = (struct fpm_hops){.refs = 1, .type = type, .paths = n};
	if (n)
		memcpy(h->path, path, bytes);
	fpm_hash_insert(&t->hops, &h->link, hash);
	return h;
}

void fpm_hops_put(struct fpm_table *t, struct fpm_hops *h)
{
	if (!h || --h->refs)
		return;
	if (fpm_hops_gone)
		fpm_hops_gone(h);
	fpm_hash_remove(&t->hops, &h->link);
	free(h);
}

struct fpm_hops *fpm_hops_unicast(struct fpm_table *t, const struct fpm_path *path, uint32_t n,
				  enum fpm_why *why)
{
	struct fpm_path with[FPM_PATHS_MAX];
	uint32_t good = 0;

	*why = FPM_ON_LINK;
	for (uint32_t i = 0; i < n; i++) {
		if (path[i].encap)
			*why = FPM_ENCAP;
		else if (path[i].family)
			with[good++] = path[i];
	}
	// Some of several paths are better than none; packets that need a label must not go
	// without.
	if (!good || *why == FPM_ENCAP)
		return NULL;
	*why = FPM_APPLIED;
	return fpm_hops_get(t, RTN_UNICAST, with, good);
}

static struct numbered *find(const struct fpm_table *t, uint32_t id)
{
	uint64_t hash = fpm_hash_of(&t->nexthops, &id, sizeof(id));
	struct fpm_link *l = fpm_hash_first(&t->nexthops, hash);

	while (l && ((struct numbered *)l)->id != id)
		l = l->next;
	return (struct numbered *)l;
}

static void drop(struct fpm_table *t, struct numbered *nh)
{
	fpm_hash_remove(&t->nexthops, &nh->link);
	fpm_hops_put(t, nh->hops);
	free(nh);
}

static void work_out(struct fpm_table *t, struct numbered *nh)
{
	struct fpm_path path[FPM_PATHS_MAX];
	uint32_t n = 0;

	fpm_hops_put(t, nh->hops);
	nh->hops = NULL;
	nh->version = t->version;
	if (!nh->group) {
		if (nh->blackhole)
			nh->hops = fpm_hops_get(t, RTN_BLACKHOLE, NULL, 0);
		else
			nh->hops = fpm_hops_unicast(t, &nh->path, 1, &nh->why);
		return;
	}
	// FRR announces a group before its members at times: what is missing comes later.
	for (uint32_t i = 0; i < nh->members; i++) {
		struct numbered *m = find(t, nh->member[i].id);

		if (!m) {
			t->incomplete = true;
		} else if (!m->group && !m->blackhole) {
			m->used = true;
			path[n] = m->path;
			path[n++].weight =
				(uint8_t)(nh->member[i].weight < 255 ? nh->member[i].weight : 255);
		}
	}
	nh->hops = n ? fpm_hops_unicast(t, path, n, &nh->why) : NULL;
	if (!n)
		nh->why = FPM_NEXTHOP;
}

struct fpm_hops *fpm_nexthop_hops(struct fpm_table *t, uint32_t id, enum fpm_why *why)
{
	struct numbered *nh = find(t, id);

	*why = FPM_NEXTHOP;
	if (!nh) {
		t->incomplete = true;
		return NULL;
	}
	nh->used = true;
	if (nh->version != t->version)
		work_out(t, nh);
	*why = nh->hops ? FPM_APPLIED : nh->why;
	if (nh->hops)
		nh->hops->refs++;
	return nh->hops;
}

static bool equal(const struct numbered *a, const struct fpm_nexthop *b)
{
	return a->group == b->group && a->blackhole == b->blackhole && a->members == b->members &&
	       !memcmp(&a->path, &b->path, sizeof(a->path)) &&
	       !memcmp(a->member, b->member, b->members * sizeof(*b->member));
}

void fpm_table_nexthop(struct fpm_table *t, const struct fpm_nexthop *nh)
{
	struct numbered *old = find(t, nh->id), *new;
	size_t bytes = nh->members * sizeof(*nh->member);

	t->totals.nexthops++;
	t->totals.narrow_paths += nh->more;
	if (old && nh->add && equal(old, nh))
		return;
	t->version++;
	t->changed |= old ? old->used : t->incomplete;
	if (old)
		drop(t, old);
	if (!nh->add)
		return;
	if (t->nexthops.count == FPM_NEXTHOPS_MAX) {
		t->totals.full++;
		return;
	}
	new = xrealloc(NULL, sizeof(*new) + bytes);
	*new = (struct numbered){
		.id = nh->id,
		.members = nh->members,
		.path = nh->path,
		.blackhole = nh->blackhole,
		.group = nh->group,
		.version = t->version - 1,
		.why = FPM_NEXTHOP,
	};
	memcpy(new->member, nh->member, bytes);
	fpm_hash_insert(&t->nexthops, &new->link,
			fpm_hash_of(&t->nexthops, &nh->id, sizeof(nh->id)));
}

void fpm_nexthops_forget(struct fpm_table *t)
{
	struct fpm_link *l = fpm_hash_next(&t->nexthops, NULL), *next;

	for (; l; l = next) {
		next = fpm_hash_next(&t->nexthops, l);
		drop(t, (struct numbered *)l);
	}
	t->version++;
}
