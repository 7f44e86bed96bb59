// SPDX-License-Identifier: BSD-3-Clause
// mempool.c - making a pool, and the rare half of get and put
#include "mempool/mempool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"

#define CACHE_DEFAULT 512u
#define CACHE_MOST    4096u
#define COUNT_MOST    (1u << 28)
#define ROOM_MOST     65344u // headroom and data room together fit mbuf.len
#define PREFIX_MOST   4096u

__thread const char *mempool_owner;

// Caches of lcores that a pool was not made for: empty and without room, so never written.
static struct mempool_cache no_cache;

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static uint32_t pow2_at_least(uint32_t n)
{
	uint32_t p = 2;

	while (p < n)
		p <<= 1;
	return p;
}

// Bytes from one buffer to the next: an odd number of cache lines, so that the headers of neighbours, and
// their first data bytes, fall into all sets of the processor's caches and not into every fourth.
// Touching both of 128 buffers in turn: 1.8 cycles each, 7.2 with the even 36 lines; of 4,096: 10 and 29.
static size_t stride_of(uint32_t prefix, uint32_t room)
{
	size_t lines = (prefix + sizeof(struct mbuf) + MBUF_HEADROOM + room) / CACHE_LINE;

	return (lines | 1) * CACHE_LINE;
}

static int conf_check(const struct mempool_conf *conf, struct err *err)
{
	const char *name = conf->name ? conf->name : "(unnamed)";

	if (conf->count == 0 || conf->count > COUNT_MOST)
		return err_set(err, -EINVAL, "mempool %s: %u buffers: must be 1 to %u", name,
			       conf->count, COUNT_MOST);
	if (conf->data_room % CACHE_LINE || conf->data_room > ROOM_MOST)
		return err_set(err, -EINVAL,
			       "mempool %s: data room of %u bytes: must be a multiple of %u up to %u",
			       name, conf->data_room, CACHE_LINE, ROOM_MOST);
	if (conf->prefix % CACHE_LINE || conf->prefix > PREFIX_MOST)
		return err_set(err, -EINVAL,
			       "mempool %s: prefix of %u bytes: must be a multiple of %u up to %u", name,
			       conf->prefix, CACHE_LINE, PREFIX_MOST);
	if (conf->lcores > LCORE_MAX)
		return err_set(err, -EINVAL, "mempool %s: %u lcores: at most %u", name, conf->lcores,
			       LCORE_MAX);
	return 0;
}

// All caches together keep at most half the pool: the rest stays within everybody's reach.
static uint32_t cache_limit(const struct mempool_conf *conf, unsigned lcores)
{
	uint32_t limit = conf->cache ? conf->cache : CACHE_DEFAULT;
	uint32_t share = conf->count / (2 * lcores);

	if (limit > CACHE_MOST)
		limit = CACHE_MOST;
	return limit < share ? limit : share;
}

static void caches_init(struct mempool *mp, uint8_t *mem, size_t bytes, uint32_t limit)
{
	for (unsigned i = 0; i < LCORE_MAX; i++) {
		if (i >= mp->lcores) {
			mp->cache[i] = &no_cache;
			continue;
		}
		mp->cache[i] = (struct mempool_cache *)(void *)(mem + i * bytes);
		mp->cache[i]->limit = limit;
		mp->cache[i]->batch = limit / 2;
	}
}

static void element_init(const struct mempool *mp, struct mbuf *m, uint32_t i)
{
	m->next = NULL;
	m->pool = (struct mempool *)mp;
	m->buf = (uint8_t *)(m + 1);
	m->buf_len = MBUF_HEADROOM + mp->data_room;
	m->index = i;
	m->nsegs = 1;
	m->refcnt = 1;
	mempool_audit_init(m);
}

static struct mbuf *element(const struct mempool *mp, uint32_t i)
{
	return (struct mbuf *)(void *)(mp->base + i * mp->stride);
}

// Up to n buffers that nobody has had yet; returns how many. A buffer's memory is touched here for the
// first time: writing all headers at start-up costs a page fault each, 14 MiB of them for the buffers of
// two ports (40 us each under nested KVM: a quarter of a second before the first packet).
static unsigned carve(struct mempool *mp, struct mbuf **out, unsigned n)
{
	uint32_t from = __atomic_load_n(&mp->carved, __ATOMIC_RELAXED), take;

	do {
		take = mp->count - from < n ? mp->count - from : n;
		if (!take)
			return 0;
	} while (!__atomic_compare_exchange_n(&mp->carved, &from, from + take, 0, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	for (uint32_t i = 0; i < take; i++) {
		out[i] = element(mp, from + i);
		element_init(mp, out[i], from + i);
	}
	return take;
}

#ifdef WEIR_AUDIT
// Every buffer has a state from the beginning, so all are in the ring from the beginning.
static void carve_all(struct mempool *mp)
{
	struct mbuf *m;

	while (carve(mp, &m, 1))
		ring_mpmc_enqueue_bulk(mp->ring, (void *const *)&m, 1);
}
#endif

struct mempool *mempool_create(const struct mempool_conf *conf, struct err *err)
{
	unsigned lcores = conf->lcores ? conf->lcores : 1;
	uint32_t room = conf->data_room ? conf->data_room : MBUF_DATAROOM;
	uint32_t ring_size, limit;
	size_t head, ring, cache, stride, total;
	struct mempool *mp;
	uint8_t *mem;

	if (conf_check(conf, err))
		return NULL;
	limit = cache_limit(conf, lcores);
	ring_size = pow2_at_least(conf->count);
	head = round_up(sizeof(*mp), 2 * CACHE_LINE);
	ring = round_up(ring_bytes(ring_size), 2 * CACHE_LINE);
	// A refill may bring half the limit beyond what is needed at once.
	cache = round_up(sizeof(struct mempool_cache) + (limit + limit / 2) * sizeof(struct mbuf *),
			 2 * CACHE_LINE);
	stride = stride_of(conf->prefix, room);
	total = head + ring + lcores * cache + conf->count * stride;

	mem = plat_arena_reserve(total, 2 * CACHE_LINE);
	if (!mem) {
		err_set(err, -ENOMEM,
			"mempool %s: %u buffers need %zu KiB of packet memory, %zu KiB of %zu KiB are "
			"free: ask for fewer buffers or give more memory",
			conf->name ? conf->name : "(unnamed)", conf->count, total >> 10,
			plat_arena_free() >> 10, plat_arena_size() >> 10);
		return NULL;
	}

	memset(mem, 0, head + ring + lcores * cache); // the buffers: when they are carved
	mp = (struct mempool *)(void *)mem;
	mp->ring = (struct ring *)(void *)(mem + head);
	mp->base = mem + head + ring + lcores * cache + conf->prefix;
	mp->stride = stride;
	mp->count = conf->count;
	mp->data_room = room;
	mp->prefix = conf->prefix;
	mp->lcores = lcores;
	snprintf(mp->name, sizeof(mp->name), "%s", conf->name ? conf->name : "(unnamed)");
	ring_init(mp->ring, ring_size);
	caches_init(mp, mem + head + ring, cache, limit);
#ifdef WEIR_AUDIT
	carve_all(mp);
#endif
	return mp;
}

struct mbuf *mempool_at(const struct mempool *mp, uint32_t i)
{
	struct mbuf *m = element(mp, i);

	// One that is still to be carved gets its header now, and the same again then.
	if (i >= __atomic_load_n(&mp->carved, __ATOMIC_RELAXED))
		element_init(mp, m, i);
	return m;
}

uint32_t mempool_room(const struct mempool *mp)
{
	return mp->data_room;
}

uint32_t mempool_count(const struct mempool *mp)
{
	return mp->count;
}

uint32_t mempool_available(const struct mempool *mp)
{
	uint32_t n = ring_count(mp->ring) + mp->count - __atomic_load_n(&mp->carved, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < mp->lcores; i++)
		n += __atomic_load_n(&mp->cache[i]->len, __ATOMIC_RELAXED);
	return n;
}

static void ring_put(struct mempool *mp, struct mbuf *const *in, unsigned n)
{
	if (likely(ring_mpmc_enqueue_bulk(mp->ring, (void *const *)in, n) == n))
		return;
	// The ring has room for every buffer of the pool: one was given back twice. Going on would hand
	// one buffer to two owners.
	fprintf(stderr,
		"mempool %s: more buffers were freed than it has (%u): a double free; "
		"a build with --buildtype=debug names who did it\n",
		mp->name, mp->count);
	abort();
}

// Exactly n buffers from behind the caches, or none: what was freed before what is new.
static int fetch_bulk(struct mempool *mp, struct mbuf **out, unsigned n)
{
	unsigned got = ring_mpmc_dequeue_burst(mp->ring, (void **)out, n);

	if (got < n)
		got += carve(mp, out + got, n - got);
	if (got == n)
		return 0;
	ring_put(mp, out, got);
	return -ENOBUFS;
}

int mempool_get_slow(struct mempool *mp, struct mempool_cache *c, struct mbuf **out, unsigned n)
{
	uint32_t have = c->len;
	uint32_t need = n - have;
	uint32_t got;

	if (n > c->limit) { // more than the cache may hold: the rest straight from behind
		if (fetch_bulk(mp, out + have, need))
			return -ENOBUFS;
		mempool_copy(out, c->obj, have);
		if (have)
			c->len = 0;
		return 0;
	}
	// The warm ones first, all of them; then the cache is filled from the ring.
	mempool_copy(out, c->obj, have);
	got = ring_mpmc_dequeue_burst(mp->ring, (void **)c->obj, need + c->batch);
	if (got < need)
		got += carve(mp, c->obj + got, need - got);
	if (got < need) { // got + have < n <= limit: they fit
		mempool_copy(c->obj + got, out, have);
		c->len = got + have;
		return -ENOBUFS;
	}
	c->len = got - need;
	mempool_copy(out + have, c->obj + c->len, need);
	return 0;
}

void mempool_put_slow(struct mempool *mp, struct mempool_cache *c, struct mbuf *const *in, unsigned n)
{
	uint32_t keep, flush;

	if (n > c->limit) {
		ring_put(mp, in, n);
		return;
	}
	// The warm upper half stays, the rest goes to the ring.
	keep = c->limit - n < c->batch ? c->limit - n : c->batch;
	if (keep > c->len)
		keep = c->len;
	flush = c->len - keep;
	ring_put(mp, c->obj, flush);
	memmove(c->obj, c->obj + flush, keep * sizeof(struct mbuf *));
	mempool_copy(c->obj + keep, in, n);
	c->len = keep + n;
}

#ifndef WEIR_AUDIT
uint32_t mempool_report(const struct mempool *mp, FILE *out)
{
	uint32_t gone = mp->count - mempool_available(mp);

	if (gone && out)
		fprintf(out, "mempool %s: %u of %u buffers are out\n", mp->name, gone, mp->count);
	return gone;
}
#endif
