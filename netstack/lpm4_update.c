// SPDX-License-Identifier: BSD-3-Clause
// lpm4_update.c - longest-prefix match: prefixes come and go
//
// Every update makes room first, and only then changes anything: it happens whole or not at all.
#include "netstack/lpm4_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// node_of - the number of prefix/len in a part that starts at bit `from` (len >= from).
static uint32_t node_of(uint32_t prefix, unsigned len, unsigned from)
{
	uint64_t below = (uint64_t)prefix << from & 0xffffffffu;

	return 1u << (len - from) | (uint32_t)(below >> (32 - (len - from)));
}

// longest - the longest match, of at most len bits, among lengths of 17 and less.
static void longest(const struct lpm4 *t, uint32_t prefix, unsigned len, uint16_t *nh,
		    uint8_t *nh_len)
{
	const struct lpm4_page *page = t->pages[prefix >> 24];
	uint32_t node;

	*nh = LPM4_MISS;
	*nh_len = 0;
	if (page && len >= 8) {
		for (node = node_of(prefix, len, 8); node; node >>= 1, len--) {
			if (page->nodes[node] == LPM_ABSENT)
				continue;
			*nh = page->nodes[node];
			*nh_len = (uint8_t)(len + 1);
			return;
		}
	}
	len = len < 7 ? len : 7;
	for (node = node_of(prefix, len, 0); node; node >>= 1, len--) {
		if (t->nodes[node] == LPM_ABSENT)
			continue;
		*nh = t->nodes[node];
		*nh_len = (uint8_t)(len + 1);
		return;
	}
}

static struct lpm_group *slot_at(const struct lpm4 *t, uint32_t prefix)
{
	struct lpm4_page *page = t->pages[prefix >> 24];

	return page ? page->slots + (prefix >> 14) % LPM4_PAGE_SLOTS : NULL;
}

static int make_page(struct lpm4 *t, uint32_t prefix)
{
	struct lpm4_page *page;
	uint16_t nh;
	uint8_t len;

	if (t->pages[prefix >> 24])
		return 0;
	page = calloc(1, sizeof(*page));
	if (!page)
		return -ENOMEM;
	longest(t, prefix, 7, &nh, &len);
	for (unsigned i = 0; i < LPM4_PAGE_SLOTS; i++) {
		page->slots[i].nh = nh;
		page->lens[i] = len;
	}
	lpm4_clear_nodes(page->nodes, 1024);
	t->pages[prefix >> 24] = page;
	return 0;
}

static void count_route(struct lpm4 *t, uint32_t prefix, unsigned len, int by)
{
	struct lpm4_page **page = &t->pages[prefix >> 24];

	t->count += by;
	if (len < 8)
		return;
	(*page)->count += by;
	if ((*page)->count == 0) {
		free(*page);
		*page = NULL;
	}
}

// reserve_rib - room for one new prefix.
static int reserve_rib(struct lpm4 *t)
{
	// A group and the group of a new handle.
	const size_t need = 2 * (size_t)LPM_MAX_BLOCK;
	void *old;
	int err = lpm_pool_grow(&t->rib, need, &old);

	free(old);
	return err;
}

// Lengths 1 to 17 ------------------------------------------------------------------------------

static uint16_t *short_node(struct lpm4 *t, uint32_t prefix, unsigned len)
{
	if (len < 8)
		return &t->nodes[node_of(prefix, len, 0)];
	return t->pages[prefix >> 24] ? &t->pages[prefix >> 24]->nodes[node_of(prefix, len, 8)]
				      : NULL;
}

// reserve_short - room to change every slot of prefix/len that does not have a longer match.
static int reserve_short(struct lpm4 *t, uint32_t prefix, unsigned len)
{
	uint32_t first = prefix >> 14, end = first + (LPM4_SLOTS >> len);
	size_t bytes = 0, blocks = 0;

	for (uint32_t i = first; i < end; i++) {
		struct lpm4_page *page = t->pages[i / LPM4_PAGE_SLOTS];
		unsigned k = i % LPM4_PAGE_SLOTS;

		if (!page)
			i |= LPM4_PAGE_SLOTS - 1;
		else if (page->lens[k] <= len + 1)
			lpm4_fib_bound(t, page->slots + k, &bytes, &blocks);
	}
	return lpm4_fib_reserve(t, bytes, blocks);
}

// spread_empty - a /8 without a page: lengths 0 to 7 are all there is.
static void spread_empty(struct lpm4 *t, uint32_t index)
{
	uint16_t nh;
	uint8_t len;

	longest(t, index << 14, 7, &nh, &len);
	lpm4_fib_fill(t, index, nh);
}

// spread - tell what the node of prefix/len, just set or cleared, means for the slots below it.
static void spread(struct lpm4 *t, uint32_t prefix, unsigned len)
{
	uint32_t first = prefix >> 14, end = first + (LPM4_SLOTS >> len);
	uint16_t nh;
	uint8_t nh_len;

	longest(t, prefix, len, &nh, &nh_len);
	for (uint32_t i = first; i < end; i++) {
		struct lpm4_page *page = t->pages[i / LPM4_PAGE_SLOTS];
		unsigned k = i % LPM4_PAGE_SLOTS;

		if (!page) {
			spread_empty(t, i);
			i |= LPM4_PAGE_SLOTS - 1;
		} else if (page->lens[k] <= len + 1) {
			page->slots[k].nh = nh;
			page->lens[k] = nh_len;
			lpm4_fib_update(t, i, page->slots + k);
		}
	}
}

static int add_short(struct lpm4 *t, uint32_t prefix, unsigned len, uint32_t nh)
{
	uint16_t *node;
	int err = reserve_short(t, prefix, len);

	if (err)
		return err;
	node = short_node(t, prefix, len);
	if (*node == LPM_ABSENT)
		count_route(t, prefix, len, 1);
	*node = (uint16_t)nh;
	spread(t, prefix, len);
	return 0;
}

static int delete_short(struct lpm4 *t, uint32_t prefix, unsigned len)
{
	uint16_t *node = short_node(t, prefix, len);
	int err;

	if (!node || *node == LPM_ABSENT)
		return -ENOENT;
	err = reserve_short(t, prefix, len);
	if (err)
		return err;
	*node = LPM_ABSENT;
	spread(t, prefix, len);
	count_route(t, prefix, len, -1);
	return 0;
}

// Lengths 18 to 24 -----------------------------------------------------------------------------

static void add_mid(struct lpm4 *t, uint32_t prefix, unsigned len, uint32_t nh)
{
	struct lpm_group *slot = slot_at(t, prefix);
	uint32_t had = slot->count;

	lpm_group_put(&t->rib, slot, node_of(prefix, len, 18), LPM4_MID_SHIFT, nh);
	count_route(t, prefix, len, (int)(slot->count - had));
	lpm4_fib_update(t, prefix >> 14, slot);
}

static int delete_mid(struct lpm4 *t, uint32_t prefix, unsigned len)
{
	struct lpm_group *slot = slot_at(t, prefix);
	uint32_t node = node_of(prefix, len, 18);
	int err;

	if (!slot || !lpm_group_find(&t->rib, slot, node, LPM4_MID_SHIFT))
		return -ENOENT;
	err = lpm4_fib_reserve(t, 0, 0);
	if (err)
		return err;
	lpm_group_remove(&t->rib, slot, node, LPM4_MID_SHIFT);
	lpm4_fib_update(t, prefix >> 14, slot);
	count_route(t, prefix, len, -1);
	return 0;
}

// Lengths 25 to 32 -----------------------------------------------------------------------------

static uint32_t handle_node(uint32_t prefix)
{
	return LPM4_MID_HANDLE + (prefix >> 8 & 63);
}

static struct lpm4_handle *find_handle(const struct lpm4 *t, struct lpm_group *slot,
				       uint32_t prefix)
{
	uint32_t *entry = lpm_group_find(&t->rib, slot, handle_node(prefix), LPM4_MID_SHIFT);

	return entry ? t->handles + (*entry & LPM4_HANDLE_MASK) : NULL;
}

// reserve_handle - make sure that one is free. 2^24 - 1 of them are all that an entry can name.
static int reserve_handle(struct lpm4 *t)
{
	uint32_t size = t->handles_size ? t->handles_size + t->handles_size / 2 : 32;
	struct lpm4_handle *handles;

	if (t->handles_free || t->handles_used < t->handles_size)
		return 0;
	if (size > LPM4_HANDLE_MASK)
		size = LPM4_HANDLE_MASK;
	if (size == t->handles_size)
		return -ENOSPC;
	handles = realloc(t->handles, size * sizeof(*handles));
	if (!handles)
		return -ENOMEM;
	t->handles = handles;
	t->handles_size = size;
	if (t->handles_used == 0)
		t->handles_used = 1; // the first is no handle: 0 ends the list of free ones
	return 0;
}

static struct lpm4_handle *make_handle(struct lpm4 *t, struct lpm_group *slot, uint32_t prefix)
{
	struct lpm4_handle *h;
	uint32_t i = t->handles_free;

	if (i)
		t->handles_free = t->handles[i].group.where;
	else
		i = t->handles_used++;
	h = t->handles + i;
	memset(h, 0, sizeof(*h));
	lpm_group_put(&t->rib, slot, handle_node(prefix), LPM4_MID_SHIFT, i);
	return h;
}

static void drop_handle(struct lpm4 *t, struct lpm_group *slot, uint32_t prefix,
			struct lpm4_handle *h)
{
	lpm_group_remove(&t->rib, slot, handle_node(prefix), LPM4_MID_SHIFT);
	lpm_arena_retire(&t->fib, h->fib);
	h->group.where = t->handles_free;
	t->handles_free = (uint32_t)(h - t->handles);
}

static int add_long(struct lpm4 *t, uint32_t prefix, unsigned len, uint32_t nh)
{
	struct lpm_group *slot = slot_at(t, prefix);
	struct lpm4_handle *h;
	uint32_t had;
	int err = reserve_handle(t);

	if (err)
		return err;
	h = find_handle(t, slot, prefix);
	if (!h)
		h = make_handle(t, slot, prefix);
	had = h->group.count;
	lpm_group_put(&t->rib, &h->group, node_of(prefix, len, 24), LPM4_LONG_SHIFT, nh);
	h->stale = true;
	count_route(t, prefix, len, (int)(h->group.count - had));
	lpm4_fib_update(t, prefix >> 14, slot);
	return 0;
}

static int delete_long(struct lpm4 *t, uint32_t prefix, unsigned len)
{
	struct lpm_group *slot = slot_at(t, prefix);
	struct lpm4_handle *h = slot ? find_handle(t, slot, prefix) : NULL;
	uint32_t node = node_of(prefix, len, 24);
	int err;

	if (!h || !lpm_group_find(&t->rib, &h->group, node, LPM4_LONG_SHIFT))
		return -ENOENT;
	err = lpm4_fib_reserve(t, 0, 0);
	if (err)
		return err;
	lpm_group_remove(&t->rib, &h->group, node, LPM4_LONG_SHIFT);
	h->stale = true;
	if (h->group.count == 0)
		drop_handle(t, slot, prefix, h);
	lpm4_fib_update(t, prefix >> 14, slot);
	count_route(t, prefix, len, -1);
	return 0;
}

// The calls ------------------------------------------------------------------------------------

static bool valid(uint32_t prefix, uint8_t len)
{
	return len <= 32 && !((uint64_t)prefix << len & 0xffffffffu);
}

int lpm4_add(struct lpm4 *t, uint32_t prefix, uint8_t len, uint32_t nh)
{
	int err = 0;

	if (!valid(prefix, len) || nh > LPM4_NH_MAX)
		return -EINVAL;
	if (len == 0)
		return lpm4_set_default(t, nh);
	if (len >= 8)
		err = make_page(t, prefix);
	if (!err && len >= 18)
		err = reserve_rib(t);
	if (!err && len >= 18)
		err = lpm4_fib_reserve(t, 0, 0);
	if (!err && len < 18)
		err = add_short(t, prefix, len, nh);
	else if (!err && len < 25)
		add_mid(t, prefix, len, nh);
	else if (!err)
		err = add_long(t, prefix, len, nh);
	return err;
}

int lpm4_delete(struct lpm4 *t, uint32_t prefix, uint8_t len)
{
	int err;

	if (!valid(prefix, len))
		return -EINVAL;
	if (len == 0)
		err = lpm4_set_default(t, LPM4_MISS);
	else if (len < 18)
		err = delete_short(t, prefix, len);
	else if (len < 25)
		err = delete_mid(t, prefix, len);
	else
		err = delete_long(t, prefix, len);
	if (!err && t->count == 0)
		lpm4_renew(t);
	return err;
}

int lpm4_get(const struct lpm4 *t, uint32_t prefix, uint8_t len)
{
	struct lpm_group *slot;
	struct lpm4_handle *h;
	uint32_t *entry = NULL;
	uint16_t *node;

	if (!valid(prefix, len))
		return -EINVAL;
	if (len == 0)
		return t->def == LPM4_MISS ? -ENOENT : (int)t->def;
	if (len < 18) {
		node = short_node((struct lpm4 *)t, prefix, len);
		return node && *node != LPM_ABSENT ? *node : -ENOENT;
	}
	slot = slot_at(t, prefix);
	if (slot && len < 25) {
		entry = lpm_group_find(&t->rib, slot, node_of(prefix, len, 18), LPM4_MID_SHIFT);
	} else if (slot) {
		h = find_handle(t, slot, prefix);
		entry = h ? lpm_group_find(&t->rib, &h->group, node_of(prefix, len, 24),
					   LPM4_LONG_SHIFT)
			  : NULL;
	}
	return entry ? (int)(*entry & 0xffff) : -ENOENT;
}
