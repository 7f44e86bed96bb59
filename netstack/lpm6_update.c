// SPDX-License-Identifier: BSD-3-Clause
// lpm6_update.c - IPv6 longest-prefix match: prefixes come and go
//
// An update changes what the updating thread keeps, then makes room for what readers are to see,
// and takes its change back if there is none: it happens whole or not at all.
#include "netstack/lpm6_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Where a prefix belongs: `level`, and the node of the binary tree of that level's bits.
struct place {
	lpm6_key key;
	unsigned level;
	uint32_t heap;
	uint32_t path[LPM6_LEVELS]; // the nodes from the root down to `depth`
	unsigned depth;		    // level, if the whole path is there
};

static bool find_place(struct place *p, const uint8_t prefix[16], uint8_t len)
{
	unsigned below;

	p->key = lpm6_load(prefix);
	if (len > 128 || (len < 128 && p->key << len))
		return false;
	// Levels end at 8, 16, 24, 30, 36, ...: the root has length 0 besides.
	p->level = len <= 24 ? (len - (len > 0)) / 8u : (len - 25u) / 6 + LPM6_ARRAYS;
	below = len - lpm6_pos(p->level);
	p->heap = 1u << below;
	if (below)
		p->heap |= (uint32_t)(p->key << lpm6_pos(p->level) >> (128 - below));
	return true;
}

static struct lpm_group *group_at(const struct lpm6 *t, const struct place *p, unsigned level)
{
	return &t->nodes[p->path[level]].group;
}

static uint32_t child_at(const struct place *p, unsigned level)
{
	return lpm6_child(level, lpm6_part(p->key, level));
}

static void walk(const struct lpm6 *t, struct place *p)
{
	p->path[0] = 0;
	for (p->depth = 0; p->depth < p->level; p->depth++) {
		const uint32_t *entry = lpm_group_find(&t->rib, group_at(t, p, p->depth),
						       child_at(p, p->depth), LPM6_SHIFT);

		if (!entry)
			return;
		p->path[p->depth + 1] = *entry & LPM6_VALUE_MASK;
	}
}

static uint32_t *find(const struct lpm6 *t, const struct place *p)
{
	if (p->depth < p->level)
		return NULL;
	return lpm_group_find(&t->rib, group_at(t, p, p->level), p->heap, LPM6_SHIFT);
}

// Nodes ----------------------------------------------------------------------------------------

// reserve_nodes - make sure that n are free, LPM6_LEVELS at most.
static int reserve_nodes(struct lpm6 *t, unsigned n)
{
	uint32_t size = t->nodes_size + t->nodes_size / 4 + LPM6_LEVELS;
	struct lpm6_node *nodes;

	if (t->nodes_size - t->nodes_used + t->nodes_spare >= n)
		return 0;
	if (size > LPM6_VALUE_MASK + 1)
		size = LPM6_VALUE_MASK + 1;
	if (size - t->nodes_used + t->nodes_spare < n)
		return -ENOSPC;
	nodes = realloc(t->nodes, size * sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	t->nodes = nodes;
	t->nodes_size = size;
	return 0;
}

// make_node - below the last of the path so far.
static void make_node(struct lpm6 *t, struct place *p)
{
	uint32_t i = t->nodes_free;

	if (i) {
		t->nodes_free = t->nodes[i].group.where;
		t->nodes_spare--;
	} else {
		i = t->nodes_used++;
	}
	// It inherits what no node can: settling the one above settles it too.
	t->nodes[i] = (struct lpm6_node){.group.nh = LPM_ABSENT};
	lpm_group_put(&t->rib, group_at(t, p, p->depth), child_at(p, p->depth), LPM6_SHIFT, i);
	p->path[++p->depth] = i;
}

// prune - free the nodes at the end of the path that have become empty.
static void prune(struct lpm6 *t, struct place *p)
{
	while (p->depth > 0 && group_at(t, p, p->depth)->count == 0) {
		struct lpm6_node *node = t->nodes + p->path[p->depth];

		lpm_arena_retire(&t->fib, node->word);
		node->group.where = t->nodes_free;
		t->nodes_free = p->path[p->depth--];
		t->nodes_spare++;
		lpm_group_remove(&t->rib, group_at(t, p, p->depth), child_at(p, p->depth),
				 LPM6_SHIFT);
	}
}

// settle - bring the node at `level` of the path in line, and the word that refers to it.
static void settle(struct lpm6 *t, const struct place *p, unsigned level)
{
	uint32_t i = p->path[level], was = t->nodes[i].word;

	lpm6_fib_settle(t, i, level);
	if (t->nodes[i].word != was)
		lpm6_fib_point(t, p->path[level - 1], level - 1, lpm6_part(p->key, level - 1), i);
}

// The calls ------------------------------------------------------------------------------------

// reserve_rib - room for two groups that change: where the path branches off and where it ends.
static int reserve_rib(struct lpm6 *t)
{
	const size_t need = 2 * (size_t)LPM_MAX_BLOCK;
	void *old;
	int err = lpm_pool_grow(&t->rib, need, &old);

	free(old);
	return err;
}

static int set_default(struct lpm6 *t, uint32_t nh)
{
	if (t->def == LPM6_MISS && nh == LPM6_MISS)
		return -ENOENT;
	t->count += (t->def == LPM6_MISS) - (nh == LPM6_MISS);
	__atomic_store_n(&t->def, nh, __ATOMIC_RELAXED);
	if (t->count == 0)
		lpm6_renew(t);
	return 0;
}

int lpm6_add(struct lpm6 *t, const uint8_t prefix[16], uint8_t len, uint32_t nh)
{
	uint32_t *entry, had = LPM_ABSENT;
	struct place p;
	unsigned top;
	int err;

	if (!find_place(&p, prefix, len) || nh > LPM6_NH_MAX)
		return -EINVAL;
	if (len == 0)
		return set_default(t, nh);
	walk(t, &p);
	err = reserve_rib(t);
	if (!err)
		err = reserve_nodes(t, p.level - p.depth);
	if (err)
		return err;
	entry = find(t, &p);
	if (entry)
		had = *entry & LPM6_VALUE_MASK;
	top = p.depth;
	while (p.depth < p.level)
		make_node(t, &p);
	lpm_group_put(&t->rib, group_at(t, &p, p.level), p.heap, LPM6_SHIFT, nh);
	err = lpm6_fib_reserve(t, p.path[top], top);
	if (!err) {
		settle(t, &p, top);
		t->count += had == LPM_ABSENT;
	} else if (had != LPM_ABSENT) {
		lpm_group_put(&t->rib, group_at(t, &p, p.level), p.heap, LPM6_SHIFT, had);
	} else {
		lpm_group_remove(&t->rib, group_at(t, &p, p.level), p.heap, LPM6_SHIFT);
		prune(t, &p);
	}
	return err;
}

int lpm6_delete(struct lpm6 *t, const uint8_t prefix[16], uint8_t len)
{
	uint32_t *entry, had;
	struct place p;
	int err;

	if (!find_place(&p, prefix, len))
		return -EINVAL;
	if (len == 0)
		return set_default(t, LPM6_MISS);
	walk(t, &p);
	entry = find(t, &p);
	if (!entry)
		return -ENOENT;
	had = *entry & LPM6_VALUE_MASK;
	err = reserve_rib(t);
	if (err)
		return err;
	lpm_group_remove(&t->rib, group_at(t, &p, p.level), p.heap, LPM6_SHIFT);
	err = lpm6_fib_reserve(t, p.path[p.level], p.level);
	if (err) {
		lpm_group_put(&t->rib, group_at(t, &p, p.level), p.heap, LPM6_SHIFT, had);
		return err;
	}
	prune(t, &p);
	settle(t, &p, p.depth);
	if (--t->count == 0)
		lpm6_renew(t);
	return 0;
}

int lpm6_get(const struct lpm6 *t, const uint8_t prefix[16], uint8_t len)
{
	const uint32_t *entry;
	struct place p;

	if (!find_place(&p, prefix, len))
		return -EINVAL;
	if (len == 0)
		return t->def == LPM6_MISS ? -ENOENT : (int)t->def;
	walk(t, &p);
	entry = find(t, &p);
	return entry ? (int)(*entry & LPM6_VALUE_MASK) : -ENOENT;
}
