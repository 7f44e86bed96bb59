// SPDX-License-Identifier: BSD-3-Clause
// reass.c - datagrams being gathered: found by a hash, kept in order of age, forgotten in time
//
// One whose fragments overlap stays until its time is up, empty: what is still to come of it is
// dropped as well (RFC 5722, 4).
#include "netstack/reass.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/plat.h"
#include "netstack/reass_own.h"

#define PACKETS_MAX (1u << 20)
#define TIMEOUT_MAX 3600u

const char *const reass_drops[] = {
	[REASS_DROP_OVERLAP] = "overlap",
	[REASS_DROP_DUPLICATE] = "duplicate",
	[REASS_DROP_EMPTY] = "empty",
	[REASS_DROP_UNALIGNED] = "unaligned",
	[REASS_DROP_BEYOND_64K] = "beyond-64k",
	[REASS_DROP_TINY] = "tiny-fragment",
	[REASS_DROP_TOO_MANY] = "too-many-fragments",
	[REASS_DROP_EVICTED] = "evicted",
	[REASS_DROP_TIMEOUT] = "timeout",
	[REASS_DROP_SPLIT_HEADER] = "split-header",
	[REASS_DROP_SHUTDOWN] = "shutdown",
	NULL,
};

static int check_conf(const struct reass_conf *c, struct err *err)
{
	if (c->packets > PACKETS_MAX)
		return err_set(err, -EINVAL, "%u fragments to reassemble: at most %u", c->packets,
			       PACKETS_MAX);
	if (c->timeout > TIMEOUT_MAX)
		return err_set(err, -EINVAL, "%u seconds to reassemble in: at most %u", c->timeout,
			       TIMEOUT_MAX);
	return 0;
}

static uint32_t bound(const struct reass_conf *c)
{
	uint32_t n = c->packets ? c->packets : REASS_PACKETS, most = mempool_count(c->pool) / 8;

	n = (n < most ? n : most) / (c->lcores ? c->lcores : 1);
	return n > 2 ? n : 2;
}

static int make_table(struct reass *r, struct err *err)
{
	uint32_t n = r->segs_max, buckets = 16;

	while (buckets < n)
		buckets *= 2;
	r->mask = buckets - 1;
	r->datagram = calloc(n, sizeof(*r->datagram));
	r->bucket = malloc(buckets * sizeof(*r->bucket));
	if (!r->datagram || !r->bucket)
		return err_set(err, -ENOMEM, "no memory to reassemble %u fragments", n);
	memset(r->bucket, 0xff, buckets * sizeof(*r->bucket));
	for (uint32_t i = 0; i < n; i++)
		r->datagram[i].next = i + 1 < n ? i + 1 : REASS_NONE;
	r->oldest = r->newest = REASS_NONE;
	if (plat_entropy(&r->seed, sizeof(r->seed)))
		return err_set(err, -ENODEV, "no random number for the hash of fragments");
	return 0;
}

struct reass *reass_create(const struct reass_conf *c, struct err *err)
{
	struct reass *r;

	if (check_conf(c, err))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r) {
		err_set(err, -ENOMEM, "no memory to reassemble fragments");
		return NULL;
	}
	r->pool = c->pool;
	r->timeout = (c->timeout ? c->timeout : REASS_TIMEOUT) * NSEC_PER_SEC;
	r->segs_max = bound(c);
	r->ifs = ifaces_ref(c->ifs);
	if (make_table(r, err)) {
		reass_destroy(r);
		return NULL;
	}
	return r;
}

void reass_destroy(struct reass *r)
{
	if (!r)
		return;
	ifaces_unref(r->ifs);
	free(r->datagram);
	free(r->bucket);
	free(r);
}

struct node *reass_node_add(struct graph *g, const struct node_def *def,
			    const struct reass_conf *conf, struct err *err)
{
	struct reass *r = reass_create(conf, err);
	struct node *node = r ? graph_add(g, def, def->name, r, err) : NULL;

	if (!node)
		reass_destroy(r);
	return node;
}

static uint32_t *bucket_of(struct reass *r, const struct reass_key *key)
{
	const uint8_t *p = (const uint8_t *)key;
	uint64_t h = r->seed;

	for (unsigned i = 0; i < sizeof(*key); i += 8) {
		h = (h ^ load64(p + i)) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return &r->bucket[(h >> 32) & r->mask];
}

struct datagram *reass_find(struct reass *r, const struct reass_key *key)
{
	uint32_t i = *bucket_of(r, key);

	while (i != REASS_NONE && memcmp(&r->datagram[i].key, key, sizeof(*key)))
		i = r->datagram[i].next;
	return i == REASS_NONE ? NULL : &r->datagram[i];
}

struct datagram *reass_new(struct reass *r, const struct reass_key *key, uint64_t due)
{
	uint32_t i = r->free, *bucket = bucket_of(r, key);
	struct datagram *d = &r->datagram[i];

	if (i == REASS_NONE)
		return NULL;
	r->free = d->next;
	*d = (struct datagram){.key = *key,
			       .due = due,
			       .next = *bucket,
			       .older = r->newest,
			       .newer = REASS_NONE};
	*bucket = i;
	if (r->newest != REASS_NONE)
		r->datagram[r->newest].newer = i;
	else
		r->oldest = i;
	r->newest = i;
	return d;
}

void reass_forget(struct reass *r, struct datagram *d)
{
	uint32_t i = (uint32_t)(d - r->datagram), *link = bucket_of(r, &d->key);

	while (*link != i)
		link = &r->datagram[*link].next;
	*link = d->next;
	if (d->older != REASS_NONE)
		r->datagram[d->older].newer = d->newer;
	else
		r->oldest = d->newer;
	if (d->newer != REASS_NONE)
		r->datagram[d->newer].older = d->older;
	else
		r->newest = d->older;
	r->segs -= d->segs;
	d->next = r->free;
	r->free = i;
}

void reass_drop_all(struct reass *r, struct node *node, struct datagram *d, uint8_t reason)
{
	while (d->first) {
		struct mbuf *m = d->first;

		d->first = reass_held(m)->next;
		graph_drop_held(node, reason, m);
	}
	r->segs -= d->segs;
	d->last = NULL;
	d->segs = d->fragments = 0;
	d->bytes = 0;
}

bool reass_evict(struct reass *r, struct node *node)
{
	struct datagram *d = &r->datagram[r->oldest];

	if (r->oldest == REASS_NONE)
		return false;
	reass_drop_all(r, node, d, REASS_DROP_EVICTED);
	reass_forget(r, d);
	return true;
}

uint64_t reass_expire(struct reass *r, struct node *node, uint64_t now, reass_report *report)
{
	while (r->oldest != REASS_NONE && r->datagram[r->oldest].due <= now) {
		struct datagram *d = &r->datagram[r->oldest];

		if (report && d->first && reass_held(d->first)->off == 0)
			report(node, d->first);
		reass_drop_all(r, node, d, REASS_DROP_TIMEOUT);
		reass_forget(r, d);
	}
	return r->oldest == REASS_NONE ? TIME_NEVER : r->datagram[r->oldest].due;
}

void reass_node_destroy(struct node *node)
{
	struct reass *r = node->state;

	while (r->oldest != REASS_NONE) {
		struct datagram *d = &r->datagram[r->oldest];

		reass_drop_all(r, node, d, REASS_DROP_SHUTDOWN);
		reass_forget(r, d);
	}
	reass_destroy(r);
}
