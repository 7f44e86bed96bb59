// SPDX-License-Identifier: BSD-3-Clause
// mempool_inline.h - the hot half of mempool.h: get and put by the calling lcore's cache
//
// A cache holds 0 to `limit` buffers, the most recently freed on top, where they are taken from: they are
// the likeliest to be in the processor's caches. Threads whose lcore number the pool was not made for
// have a cache of limit 0 that is never written, and so work on the common ring.
#ifndef WEIR_MEMPOOL_MEMPOOL_INLINE_H
#define WEIR_MEMPOOL_MEMPOOL_INLINE_H

struct mempool_cache {
	uint32_t len;   // buffers in obj
	uint32_t limit; // most it keeps; constant
	uint32_t batch; // what is fetched from the ring beyond the need; constant
	struct mbuf *obj[];
} cache_aligned;

struct mempool {
	struct mempool_cache *cache[LCORE_MAX];
	struct ring *ring;
	uint8_t *base;   // first mbuf (behind its prefix)
	size_t stride;   // from one mbuf to the next
	uint32_t count;
	uint32_t carved; // buffers [0, carved) have been handed out at least once
	uint32_t data_room;
	uint32_t prefix;
	uint32_t lcores;
	char name[32];
};

// The rare half: the cache is too empty, too full or too small.
int mempool_get_slow(struct mempool *mp, struct mempool_cache *c, struct mbuf **out, unsigned n);
void mempool_put_slow(struct mempool *mp, struct mempool_cache *c, struct mbuf *const *in, unsigned n);

#ifdef WEIR_AUDIT
// Marks a new buffer as free.
void mempool_audit_init(struct mbuf *m);
// Check and mark n buffers on their way out of, into the pool, or to another owner; abort() with a
// report when something is wrong.
void mempool_audit_get(struct mempool *mp, struct mbuf *const *pkts, unsigned n);
void mempool_audit_put(struct mempool *mp, struct mbuf *const *pkts, unsigned n);
void mempool_audit_own(struct mbuf *const *pkts, unsigned n, const char *owner);
#else
static always_inline void mempool_audit_init(struct mbuf *m)
{
}
static always_inline void mempool_audit_get(struct mempool *mp, struct mbuf *const *pkts, unsigned n)
{
}
static always_inline void mempool_audit_put(struct mempool *mp, struct mbuf *const *pkts, unsigned n)
{
}
static always_inline void mempool_audit_own(struct mbuf *const *pkts, unsigned n, const char *owner)
{
}
#endif

static always_inline void mempool_copy(struct mbuf **dst, struct mbuf *const *src, unsigned n)
{
	ring_copy((void **)dst, (void *const *)src, n);
}

static inline int mempool_get_bulk(struct mempool *mp, struct mbuf **out, unsigned n)
{
	struct mempool_cache *c = mp->cache[lcore_self];

	if (likely(c->len >= n)) {
		c->len -= n;
		mempool_copy(out, c->obj + c->len, n);
	} else {
		int rc = mempool_get_slow(mp, c, out, n);

		if (unlikely(rc))
			return rc;
	}
	mempool_audit_get(mp, out, n);
	return 0;
}

static inline void mempool_put_bulk(struct mempool *mp, struct mbuf *const *in, unsigned n)
{
	struct mempool_cache *c = mp->cache[lcore_self];

	mempool_audit_put(mp, in, n);
	if (likely(c->len + n <= c->limit)) {
		mempool_copy(c->obj + c->len, in, n);
		c->len += n;
	} else {
		mempool_put_slow(mp, c, in, n);
	}
}

static inline bool mempool_put_one(struct mempool *mp, struct mbuf *m)
{
	struct mempool_cache *c = mp->cache[lcore_self];

	if (unlikely(c->len >= c->limit))
		return false;
	mempool_audit_put(mp, &m, 1);
	c->obj[c->len++] = m;
	return true;
}

static inline void mempool_own(struct mbuf *const *pkts, unsigned n, const char *owner)
{
	mempool_audit_own(pkts, n, owner);
}

#endif
