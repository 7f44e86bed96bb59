// SPDX-License-Identifier: BSD-3-Clause
// fpm_table.c - FRR's routes, the changes that Weir has yet to be told, mark and sweep
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/fpm_hops.h"
#include "apps/tool/fpm_table.h"
#include "apps/tool/util.h"

const char *const fpm_why_name[FPM_WHYS] = {
	[FPM_APPLIED] = "applied",	 [FPM_KERNEL] = "kernel",
	[FPM_ON_LINK] = "on_link",	 [FPM_TYPE] = "type",
	[FPM_NARROW] = "narrow",	 [FPM_TABLE] = "table",
	[FPM_NEXTHOP] = "nexthop",	 [FPM_ENCAP] = "encap",
	[FPM_NO_IFACE] = "no_interface", [FPM_LINK_LOCAL] = "link_local",
	[FPM_STALE] = "stale",
};

const char *const fpm_why_text[FPM_WHYS] = {
	[FPM_APPLIED] = "for Weir",
	[FPM_KERNEL] = "of the FRR host's kernel and addresses",
	[FPM_ON_LINK] = "without gateway: networks of the FRR host's",
	[FPM_TYPE] = "local, broadcast or multicast",
	[FPM_NARROW] = "for some source or TOS only",
	[FPM_TABLE] = "in a table without a VRF: see --vrf",
	[FPM_NEXTHOP] = "by a next hop that FRR has not announced",
	[FPM_ENCAP] = "that need labels or a tunnel",
	[FPM_NO_IFACE] = "whose gateway is on no network of Weir's",
	[FPM_LINK_LOCAL] = "by a link-local gateway of an unknown interface: see --interface",
	[FPM_STALE] = "withdrawn, or in Weir but not announced by FRR yet",
};

void fpm_table_init(struct fpm_table *t)
{
	*t = (struct fpm_table){.session = 1};
	fpm_hash_init(&t->entries);
	fpm_hash_init(&t->hops);
	fpm_hash_init(&t->nexthops);
	t->last = &t->first;
}

static void set_why(struct fpm_table *t, struct fpm_entry *e, enum fpm_why why)
{
	t->count[e->why]--;
	e->why = (uint8_t)why;
	t->count[why]++;
}

static void queue(struct fpm_table *t, struct fpm_entry *e)
{
	if (e->queued)
		return;
	e->queued = true;
	e->next = NULL;
	*t->last = e;
	t->last = &e->next;
	t->changes++;
}

static struct fpm_entry *find(const struct fpm_table *t, const struct fpm_key *key, uint64_t hash)
{
	struct fpm_link *l = fpm_hash_first(&t->entries, hash);

	for (; l; l = l->next) {
		struct fpm_entry *e = (struct fpm_entry *)l;

		if (l->hash == hash && !memcmp(&e->key, key, sizeof(*key)))
			return e;
	}
	return NULL;
}

// The entry of the key, made if there is none; NULL: there is no room for more.
static struct fpm_entry *entry(struct fpm_table *t, const struct fpm_key *key)
{
	uint64_t hash = fpm_hash_of(&t->entries, key, sizeof(*key));
	struct fpm_entry *e = find(t, key, hash);

	if (e)
		return e;
	if (t->entries.count == FPM_ROUTES_MAX) {
		t->totals.full++;
		return NULL;
	}
	e = xrealloc(NULL, sizeof(*e));
	*e = (struct fpm_entry){.key = *key, .why = FPM_STALE};
	t->count[e->why]++;
	fpm_hash_insert(&t->entries, &e->link, hash);
	return e;
}

static void drop(struct fpm_table *t, struct fpm_entry *e)
{
	t->count[e->why]--;
	fpm_hash_remove(&t->entries, &e->link);
	fpm_hops_put(t, e->want);
	fpm_hops_put(t, e->sent);
	free(e);
}

// Takes over the reference of want. Queues the entry if Weir must be told.
static void set_want(struct fpm_table *t, struct fpm_entry *e, struct fpm_hops *want,
		     enum fpm_why why)
{
	fpm_hops_put(t, e->want);
	e->want = want;
	set_why(t, e, want ? FPM_APPLIED : why);
	if (want ? !e->in_weir || e->sent != want : e->in_weir)
		queue(t, e);
}

// What a route asks for that Weir could have: a set of paths with a reference; else why not.
static struct fpm_hops *wanted(struct fpm_table *t, const struct fpm_route *r, enum fpm_why *why)
{
	*why = FPM_APPLIED;
	if (t->table_known && !t->table_known(t->arg, r->table ? r->table : RT_TABLE_MAIN))
		*why = FPM_TABLE;
	else if (r->protocol == RTPROT_KERNEL || r->protocol == RTPROT_BOOT)
		*why = FPM_KERNEL;
	else if (r->narrow)
		*why = FPM_NARROW;
	else if (r->type == RTN_BLACKHOLE || r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT)
		return fpm_hops_get(t, r->type, NULL, 0);
	else if (r->type != RTN_UNICAST)
		*why = FPM_TYPE;
	if (*why != FPM_APPLIED)
		return NULL;
	if (r->nh_id)
		return fpm_nexthop_hops(t, r->nh_id, why);
	return fpm_hops_unicast(t, r->path, r->paths, why);
}

void fpm_table_route(struct fpm_table *t, const struct fpm_route *r)
{
	struct fpm_key key = {
		.table = r->table ? r->table : RT_TABLE_MAIN,
		.family = r->family,
		.plen = r->plen,
	};
	struct fpm_entry *e;
	struct fpm_hops *want;
	enum fpm_why why;

	memcpy(key.prefix, r->prefix, sizeof(key.prefix));
	if (!r->add) {
		t->totals.withdrawals++;
		e = find(t, &key, fpm_hash_of(&t->entries, &key, sizeof(key)));
		if (!e)
			return;
		e->nh_id = 0;
		e->session = 0;
		set_want(t, e, NULL, FPM_STALE);
		if (!e->queued)
			drop(t, e);
		return;
	}
	t->totals.routes++;
	t->totals.narrow_paths += r->more;
	e = entry(t, &key);
	if (!e)
		return;
	want = wanted(t, r, &why);
	e->nh_id =
		why == FPM_APPLIED || why == FPM_NEXTHOP || why == FPM_ON_LINK || why == FPM_ENCAP
			? r->nh_id
			: 0;
	e->session = t->session;
	set_want(t, e, want, why);
}

void fpm_table_settle(struct fpm_table *t)
{
	if (!t->changed)
		return;
	t->changed = t->incomplete = false;
	for (struct fpm_link *l = fpm_hash_next(&t->entries, NULL); l;
	     l = fpm_hash_next(&t->entries, l)) {
		struct fpm_entry *e = (struct fpm_entry *)l;
		enum fpm_why why = FPM_APPLIED;

		if (e->nh_id && e->session == t->session) {
			struct fpm_hops *want = fpm_nexthop_hops(t, e->nh_id, &why);

			if (want != e->want || !want)
				set_want(t, e, want, why);
			else
				fpm_hops_put(t, want);
		}
	}
}

void fpm_table_session(struct fpm_table *t)
{
	// Numbers mean something else now: the routes of before keep what they had.
	fpm_nexthops_forget(t);
	t->changed = t->incomplete = false;
	t->session++;
}

size_t fpm_table_stale(const struct fpm_table *t)
{
	size_t n = 0;

	for (struct fpm_link *l = fpm_hash_next(&t->entries, NULL); l;
	     l = fpm_hash_next(&t->entries, l))
		n += ((struct fpm_entry *)l)->session != t->session;
	return n;
}

size_t fpm_table_sweep(struct fpm_table *t)
{
	struct fpm_link *l = fpm_hash_next(&t->entries, NULL), *next;
	size_t n = 0;

	for (; l; l = next) {
		struct fpm_entry *e = (struct fpm_entry *)l;

		next = fpm_hash_next(&t->entries, l);
		if (e->session == t->session || (e->queued && !e->want))
			continue;
		n++;
		e->nh_id = e->session = 0;
		set_want(t, e, NULL, FPM_STALE);
		if (!e->queued)
			drop(t, e);
	}
	return n;
}

struct fpm_entry *fpm_table_change(struct fpm_table *t)
{
	struct fpm_entry *e = t->first;

	if (!e)
		return NULL;
	t->first = e->next;
	if (!t->first)
		t->last = &t->first;
	t->changes--;
	e->queued = false;
	return e;
}

void fpm_table_done(struct fpm_table *t, struct fpm_entry *e, bool in_weir, enum fpm_why why)
{
	fpm_hops_put(t, e->sent);
	e->in_weir = in_weir;
	e->sent = in_weir ? e->want : NULL;
	if (e->sent)
		e->sent->refs++;
	if (e->want)
		set_why(t, e, in_weir ? FPM_APPLIED : why);
	else if (!in_weir && !e->session)
		drop(t, e);
}

void fpm_table_weir_new(struct fpm_table *t)
{
	for (struct fpm_link *l = fpm_hash_next(&t->entries, NULL); l;
	     l = fpm_hash_next(&t->entries, l)) {
		struct fpm_entry *e = (struct fpm_entry *)l;

		fpm_hops_put(t, e->sent);
		e->sent = NULL;
		e->in_weir = false;
	}
}

void fpm_table_found(struct fpm_table *t, const struct fpm_key *key,
		     bool (*same)(void *arg, struct fpm_hops *want), void *arg)
{
	struct fpm_entry *e = entry(t, key);

	if (!e)
		return;
	e->in_weir = true;
	if (e->want && same(arg, e->want)) {
		e->sent = e->want;
		e->sent->refs++;
	}
}

void fpm_table_queue_all(struct fpm_table *t)
{
	struct fpm_link *l = fpm_hash_next(&t->entries, NULL), *next;

	for (; l; l = next) {
		struct fpm_entry *e = (struct fpm_entry *)l;

		next = fpm_hash_next(&t->entries, l);
		if (e->want ? !e->in_weir || e->sent != e->want
			    : e->in_weir && e->session == t->session)
			queue(t, e);
		else if (!e->want && !e->in_weir && e->session != t->session && !e->queued)
			drop(t, e); // found in the Weir of before, and gone with it
	}
}

void fpm_table_free(struct fpm_table *t)
{
	struct fpm_link *l = fpm_hash_next(&t->entries, NULL), *next;

	for (; l; l = next) {
		next = fpm_hash_next(&t->entries, l);
		drop(t, (struct fpm_entry *)l);
	}
	fpm_nexthops_forget(t);
	fpm_hash_free(&t->entries);
	fpm_hash_free(&t->nexthops);
	fpm_hash_free(&t->hops);
}
