// SPDX-License-Identifier: BSD-3-Clause
// fib_group.c - groups: routes with several next hops, or with one that is not on link
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/fib_priv.h"

uint64_t fib_group_hash(const struct fib_route *r)
{
	static_assert(sizeof(*r) % 8 == 0, "hashed in words");
	return fib_hash(r, sizeof(*r), 0);
}

static int compare(const struct fib_path *a, const struct fib_path *b)
{
	int c = memcmp(&a->via, &b->via, sizeof(a->via));

	return c ? c : (int)a->iface - (int)b->iface;
}

// r's paths in order, each once, and nothing but what makes a group: equal ones are equal bytes.
static void normalize(struct fib_route *n, const struct fib_route *r)
{
	memset(n, 0, sizeof(*n));
	n->family = r->family;
	n->kind = r->kind;
	n->vrf = r->vrf;
	n->owner = r->owner;
	for (unsigned i = 0; i < r->paths; i++) {
		const struct fib_path *p = &r->path[i];
		unsigned at = 0;

		while (at < n->paths && compare(&n->path[at], p) < 0)
			at++;
		if (at < n->paths && !compare(&n->path[at], p)) {
			unsigned weight = n->path[at].weight + p->weight;

			n->path[at].weight = (uint8_t)(weight > UINT8_MAX ? UINT8_MAX : weight);
			continue;
		}
		memmove(&n->path[at + 1], &n->path[at], (n->paths - at) * sizeof(*p));
		memset(&n->path[at], 0, sizeof(*p));
		n->path[at].via = p->via;
		n->path[at].iface = p->iface;
		n->path[at].weight = p->weight;
		n->paths++;
	}
}

static int find(const struct fib *f, const struct fib_half *h, const struct fib_route *n,
		uint64_t hash)
{
	for (uint32_t s = h->bucket[hash & h->mask]; s; s = h->hop[s - 1].next)
		if (h->hop[s - 1].kind == FIB_HOP_GROUP &&
		    !memcmp(&h->hop[s - 1].group->route, n, sizeof(*n)))
			return (int)(f->hop0 + s - 1);
	return -ENOENT;
}

static int add_vias(struct fib *f, struct fib_group *g, uint32_t slot)
{
	const struct fib_route *r = &g->route;

	for (unsigned i = 0; i < r->paths; i++) {
		int rc = 0;

		if (r->path[i].iface == FIB_IFACE_ANY) {
			g->recursive = true;
			rc = fib_via_add(f, r->family, r->vrf, &r->path[i].via, slot);
		}
		if (rc)
			return rc;
	}
	return 0;
}

static int make(struct fib *f, const struct fib_route *n, uint64_t hash, uint32_t like)
{
	struct fib_half *h = fib_half(f, n->family);
	struct fib_group *g = aligned_alloc(CACHE_LINE, sizeof(*g));
	int index = g ? fib_hop_new(f, n->family, hash) : -ENOMEM;
	uint32_t slot;
	int rc;

	if (index < 0) {
		free(g);
		return index;
	}
	slot = fib_slot(f, (uint32_t)index);
	memset(g, 0, sizeof(*g));
	g->route = *n;
	h->hop[slot].kind = FIB_HOP_GROUP;
	h->hop[slot].group = g;
	rc = add_vias(f, g, slot);
	if (!rc)
		rc = fib_group_resolve(f, n->family, slot);
	if (!rc)
		fib_group_show(f, n->family, g, fib_group_at(f, n->family, like));
	fib_post(h, slot | FIB_NOTE_GROUP);
	if (rc) {
		fib_drop(f, n->family, (uint32_t)index);
		return rc;
	}
	return index;
}

int fib_group_take(struct fib *f, const struct fib_route *r, uint32_t like, struct err *err)
{
	struct fib_route n;
	uint64_t hash;
	int index;

	normalize(&n, r);
	hash = fib_group_hash(&n);
	index = find(f, fib_half(f, r->family), &n, hash);
	if (index >= 0) {
		fib_hold(f, r->family, (uint32_t)index);
		return index;
	}
	index = make(f, &n, hash, like);
	if (index == -ENOSPC)
		return err_set(err, -ENOSPC, "over %u next hops: raise the number of hops",
			       f->hops);
	if (index < 0)
		return err_set(err, index, "no memory for one more next hop");
	return index;
}

static void unlink_from(struct fib_half *h, uint32_t slot)
{
	uint32_t *link;

	for (link = &h->dirty; *link; link = &h->hop[*link - 1].group->next_dirty)
		if (*link == slot + 1) {
			*link = h->hop[slot].group->next_dirty;
			break;
		}
	for (link = &h->changed; *link; link = &h->hop[*link - 1].group->next_changed)
		if (*link == slot + 1) {
			*link = h->hop[slot].group->next_changed;
			break;
		}
}

void fib_group_die(struct fib *f, uint8_t family, uint32_t slot)
{
	struct fib_half *h = fib_half(f, family);
	struct fib_group *g = h->hop[slot].group;

	if (g->dirty || g->changed)
		unlink_from(h, slot);
	g->dirty = g->changed = false;
	if (g->recursive)
		fib_via_remove(f, family, slot);
	for (unsigned i = 0; i < g->route.paths; i++)
		fib_dep_set(f, family, g, i, FIB_NONE);
	for (unsigned i = 0; i < g->leaves.n; i++)
		fib_drop(f, family, g->leaves.leaf[i].index);
	g->leaves.n = 0;
	fib_group_hide(f, family, g);
}
