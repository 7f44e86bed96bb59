// SPDX-License-Identifier: BSD-3-Clause
// store.c - the records of a play made into packets before the first is sent
#include "apps/replay/store.h"

#include <errno.h>
#include <string.h>

#include "apps/replay/replay.h"
#include "core/plat.h"

#define LEAST_ROOM 64u
#define MOST_ROOM  (LEAST_ROOM << (STORE_POOLS - 1))
#define POOL_HEAD  8192u // of a pool, beside its ring and buffers
#define PREFIX_MOST 192u // that a driver wants

static unsigned pool_of(uint32_t len)
{
	unsigned i = 0;

	while (i < STORE_POOLS - 1 && len > LEAST_ROOM << i)
		i++;
	return i;
}

static const struct blob_record *next_record(const struct blob_record *r)
{
	return (const struct blob_record *)((const uint8_t *)(r + 1) + (r->len + 7u) / 8 * 8);
}

static const struct blob_record *first_record(const struct blob *b)
{
	return (const struct blob_record *)(const void *)(b->bytes + b->plays->first);
}

// How many buffers of each size the records take.
static void count_buffers(const struct blob *b, uint32_t count[STORE_POOLS])
{
	const struct blob_record *r = b->plays->packets ? first_record(b) : NULL;

	memset(count, 0, STORE_POOLS * sizeof(*count));
	for (uint64_t i = 0; i < b->plays->packets; i++, r = next_record(r))
		count[pool_of(r->len)] += r->len ? (r->len - 1) / MOST_ROOM + 1 : 1;
}

size_t replay_memory(const struct blob *b)
{
	uint32_t count[STORE_POOLS];
	size_t bytes = POOL_HEAD;

	if (!b->n_plays)
		return 0;
	bytes += b->plays->packets * sizeof(struct store_item);
	count_buffers(b, count);
	for (unsigned i = 0; i < STORE_POOLS; i++) // a ring has up to two slots a buffer
		if (count[i])
			bytes += POOL_HEAD + (size_t)count[i] * (PREFIX_MOST + sizeof(struct mbuf) + MBUF_HEADROOM +
								  CACHE_LINE + 2 * sizeof(void *) +
								  (LEAST_ROOM << i));
	return bytes;
}

static int make_pools(struct mempool *pool[STORE_POOLS], const struct blob *b, uint32_t prefix, struct err *err)
{
	uint32_t count[STORE_POOLS];

	count_buffers(b, count);
	for (unsigned i = 0; i < STORE_POOLS; i++) {
		struct mempool_conf conf = {.name = "captures",
					    .count = count[i],
					    .data_room = LEAST_ROOM << i,
					    .prefix = prefix,
					    .cache = 1};

		if (!count[i])
			continue;
		pool[i] = mempool_create(&conf, err);
		if (!pool[i])
			return -ENOMEM;
	}
	return 0;
}

static struct mbuf *keep(struct mempool *pool, const struct blob_record *r)
{
	struct mbuf *m = mbuf_from_bytes(pool, r + 1, r->len);

	if (!m)
		return NULL;
	m->origin = mbuf_origin(r->port);
	for (struct mbuf *s = m; s; s = s->next)
		s->refcnt = MBUF_FOREVER;
	return m;
}

int store_fill(struct store *s, const struct blob *b, uint32_t prefix, struct err *err)
{
	const struct blob_record *r;
	int rc;

	*s = (struct store){0};
	rc = make_pools(s->pool, b, prefix, err);
	if (rc || !b->plays->packets)
		return rc;
	s->item = plat_arena_reserve(b->plays->packets * sizeof(*s->item), CACHE_LINE);
	if (!s->item)
		return err_set(err, -ENOMEM, "no packet memory for a list of %llu packets: give more by --memory",
			       (unsigned long long)b->plays->packets);
	r = first_record(b);
	for (; s->n < b->plays->packets; s->n++, r = next_record(r)) {
		struct mbuf *m = keep(s->pool[pool_of(r->len)], r);

		if (!m)
			return err_set(err, -ENOMEM, "packet %llu of a capture, of %u bytes, has no buffer",
				       (unsigned long long)s->n + 1, r->len);
		s->item[s->n] = (struct store_item){m, r->time};
	}
	return 0;
}
